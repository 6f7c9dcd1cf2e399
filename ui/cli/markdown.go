package cli

import (
	"github.com/spf13/cobra"

	"aivault/broker"
	"aivault/ui/markdown"
)

func newMarkdown(sh *shell) *cobra.Command {
	var o markdown.Options
	cmd := newCall(sh, &cobra.Command{
		Use:     "markdown CAPABILITY [--namespace NAME] [--exclude-field NAME] [--wrap-field NAME] [--body TEXT]",
		Aliases: []string{"md"},
		Short:   "make a call and print the answer as markdown",
		Long: `Makes a call as 'aivault invoke' does, and prints the answer as markdown, which
takes a model fewer tokens than JSON. Each member of an object is a section, a
list has bullets, and what nests stands between <begin NAME> and </end NAME>. An
answer that is not JSON is printed as the text that it is.

With --namespace the whole stands between such marks. No text of the answer can
end them.`,
		Example: `aivault markdown openai/models
aivault md github/users --path /user --exclude-field url --wrap-field bio --namespace github`,
	}, func(a *broker.Answer) error {
		b, err := markdown.Render(a.Body, o)
		if err != nil {
			return err
		}
		if sh.out.json {
			return sh.out.printJSON(toAnswer(a, responseJSON{Markdown: new(string(b))}))
		}
		sh.out.body(b)
		return nil
	})
	fs := cmd.Flags()
	text(fs, &o.Namespace, "namespace", "NAME", "put the whole between <begin NAME> and </end NAME>")
	many(fs, &o.Exclude, "exclude-field", "NAME", "leave a field out, wherever it is")
	many(fs, &o.Wrap, "wrap-field", "NAME", "put a field's text between marks with its name")
	return cmd
}

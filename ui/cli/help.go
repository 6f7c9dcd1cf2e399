package cli

import (
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"aivault/keys/fault"
	"aivault/ui/app"
)

// wrapAt is the width of help texts.
const wrapAt = 80

func newHelp(sh *shell) *cobra.Command {
	return &cobra.Command{
		Use:                   "help [COMMAND]",
		Short:                 "explain a command",
		Long:                  `Explains a command, as --help does. Without one, says what there is.`,
		Example:               "aivault help secrets create",
		DisableFlagsInUseLine: true,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				sh.acting = true
				return sh.overview(cmd.Root())
			}
			target, rest, err := cmd.Root().Find(args)
			if err != nil || len(rest) > 0 {
				return fault.New(fault.Usage, "there is no command %.60q", strings.Join(args, " ")).
					WithHint("`aivault help` lists the commands")
			}
			sh.acting = true
			sh.help(target, nil)
			return nil
		},
	}
}

// help prints what there is to know of a command: prose, usage, what is below
// it, its flags, and examples last.
func (sh *shell) help(cmd *cobra.Command, _ []string) {
	sh.acting = true
	cmd.InitDefaultHelpFlag() // the same text, whichever way it was asked for
	var b strings.Builder
	section := func(title, body string) {
		if body == "" {
			return
		}
		if b.Len() > 0 {
			b.WriteByte('\n')
		}
		if title != "" {
			b.WriteString(sh.out.paint(bold, title) + "\n")
		}
		b.WriteString(strings.TrimRight(body, "\n") + "\n")
	}
	long := cmd.Long
	if !cmd.HasParent() {
		long = about
	}
	section("", long)
	section("Usage", foldCommand("  "+cmd.UseLine(), ""))
	section("Commands", commandList(cmd))
	if len(cmd.Aliases) > 0 {
		section("Also called", "  "+strings.Join(cmd.Aliases, ", "))
	}
	section("Flags", flagList(cmd.LocalNonPersistentFlags()))
	if !cmd.HasParent() {
		section("On a terminal, without a command", screens)
	}
	section("Flags of every command", flagList(cmd.Root().PersistentFlags()))
	section("Examples", examplesOf(cmd))
	sh.out.write([]byte(b.String()))
}

// commandList lists the commands below cmd.
func commandList(cmd *cobra.Command) string {
	var b strings.Builder
	longest := 0
	for _, c := range cmd.Commands() {
		longest = max(longest, len(c.Name()))
	}
	for _, c := range inOrder(cmd) {
		if !c.Hidden {
			b.WriteString("  " + c.Name() + strings.Repeat(" ", longest-len(c.Name())+2) + c.Short + "\n")
		}
	}
	return b.String()
}

// inOrder returns the commands below cmd, at the top in the order of groups;
// cobra sorts by name.
func inOrder(cmd *cobra.Command) []*cobra.Command {
	if cmd.HasParent() {
		return cmd.Commands()
	}
	byName := map[string]*cobra.Command{}
	for _, c := range cmd.Commands() {
		byName[c.Name()] = c
	}
	var list []*cobra.Command
	for _, g := range groups() {
		list = append(list, byName[g.name])
	}
	return list
}

// flagList lists flags with their texts, wrapped.
func flagList(fs *pflag.FlagSet) string {
	fs.SortFlags = false
	return fs.FlagUsagesWrapped(wrapAt)
}

// examplesOf returns the examples of a command, which stay what a shell takes.
func examplesOf(cmd *cobra.Command) string {
	if cmd.Example == "" {
		return ""
	}
	var b strings.Builder
	for line := range strings.SplitSeq(cmd.Example, "\n") {
		b.WriteString(foldCommand("  "+line, " \\") + "\n")
	}
	return b.String()
}

// foldCommand breaks a command line that is too wide before its flags, each
// line but the last with the given end.
func foldCommand(s, end string) string {
	if len(s) <= wrapAt {
		return s
	}
	var lines []string
	line := ""
	words := strings.Split(s, " ")
	for i := 0; i < len(words); i++ {
		word := words[i]
		flag, optional := strings.HasPrefix(word, "--"), strings.HasPrefix(word, "[--")
		for i+1 < len(words) && (optional && !strings.HasSuffix(word, "]") || flag && word == words[i] && !strings.HasPrefix(words[i+1], "--")) {
			i++ // up to the bracket, or with the value
			word += " " + words[i]
		}
		if (flag || optional) && len(line)+1+len(word)+len(end) > wrapAt {
			lines = append(lines, line)
			line = "     "
		}
		if i > 0 {
			line += " "
		}
		line += word
	}
	return strings.Join(append(lines, line), end+"\n")
}

// about is what aivault is, in short.
const about = `aivault keeps API keys in an encrypted vault and makes HTTPS calls for code that
nobody trusts. Code names a capability, such as openai/chat-completions; aivault
finds the secret for its workspace and group, checks what is allowed, adds the
key, and returns a cleaned answer. Nobody ever sees a key.`

// screens are the flags of the terminal interface, which package ui reads.
const screens = `  --theme THEME  dark, light, or none for no colours
  --no-mouse     leave the mouse to the terminal
  --accessible   lines of text instead of screens, as screen readers like it
`

// overview is what aivault prints for people and programs that look around.
func (sh *shell) overview(cmd *cobra.Command) error {
	if sh.out.json {
		names := []string{}
		for _, g := range groups() {
			names = append(names, g.name)
		}
		return sh.out.printJSON(struct {
			Version  string   `json:"version"`
			Commands []string `json:"commands"`
		}{app.Version(), names})
	}
	sh.out.write([]byte(about + "\n\n" + sh.out.paint(bold, "Commands") + "\n" + commandList(cmd) + `
Without a command, on a terminal, aivault shows all this on screens:
` + screens + `
Begin with 'aivault demo', or store a key: 'aivault secrets create --name NAME'.
'aivault help COMMAND' explains a command.
`))
	return nil
}

func (sh *shell) printVersion() error {
	if sh.out.json {
		return sh.out.printJSON(map[string]string{"version": app.Version()})
	}
	sh.out.printf("aivault %s", app.Version())
	return nil
}

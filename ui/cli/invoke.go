package cli

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"aivault/broker"
	"aivault/keys/fault"
	"aivault/ui/app"
)

func newInvoke(sh *shell) *cobra.Command { return newCall(sh, "invoke") }
func newJSON(sh *shell) *cobra.Command   { return newCall(sh, "json") }

// newCall makes one of the two commands that make a call; they differ in what
// they print.
func newCall(sh *shell, name string, aliases ...string) *cobra.Command {
	var f callFlags
	cmd := &cobra.Command{
		Aliases: aliases,
		Use:     name + " CAPABILITY [--method METHOD] [--path PATH] [--header 'Name: value'] [--body TEXT]",
		Short:   "make a call",
		Long: `Makes a call: finds the secret for the context that --workspace-id, --group-id
and --consumer state, adds it, sends the request, and prints the body of the
answer, from which the secret is removed. Whatever status the answer has, the
exit status is 0, unless --fail is given.

Method and path can be left out where the capability allows only one. Without a
method, a call with a body is a POST, and one without a GET.`,
		Example: `aivault invoke openai/models
aivault invoke openai/chat-completions --body '{"model":"gpt-5-mini","messages":[{"role":"user","content":"Hello."}]}'
aivault invoke github/users --path /user --workspace-id shop
cat report.json | aivault invoke intranet/reports --method PUT --path /v1/reports/7 --body -`,
		DisableFlagsInUseLine: true,
		Args:                  oneArg("capability's id"),
	}
	print := sh.printBody
	if name == "json" {
		print = sh.printAnswer
		cmd.Short = "make a call and print plan and answer as JSON"
		cmd.Long = `Makes a call as 'aivault invoke' does, and prints as JSON what was planned and
what came back. An answer that is not JSON is an error.`
		cmd.Example = "aivault json openai/models"
	}
	f.add(cmd)
	cmd.RunE = sh.run(func(ctx context.Context, be app.Backend, args []string) error {
		call, err := f.parse(ctx, sh, args[0])
		if err != nil {
			return err
		}
		answer, err := be.Invoke(ctx, call)
		if err != nil {
			return err
		}
		failed := f.fail && answer.Status >= 400
		if err := print(answer); err != nil || !failed {
			if err == nil && name == "invoke" && !sh.out.json && answer.Status >= 300 {
				sh.out.noticef("the answer has status %d", answer.Status)
			}
			return err
		}
		return fault.New(fault.UpstreamStatus, "the answer has status %d", answer.Status)
	})
	return cmd
}

// printBody prints the body as it came; as JSON if that is asked for.
func (sh *shell) printBody(a *broker.Answer) error {
	if sh.out.json {
		return sh.printAny(a)
	}
	sh.out.body(a.Body)
	return nil
}

// plannedJSON is the request as it was sent.
type plannedJSON struct {
	Capability string  `json:"capability"`
	Credential *string `json:"credential"`
	Method     string  `json:"method"`
	URL        string  `json:"url"`
}

// responseJSON is the answer. It has JSON, or of what is no JSON the text, or
// the bytes in base64.
type responseJSON struct {
	Status int             `json:"status"`
	JSON   json.RawMessage `json:"json,omitempty"`
	Text   *string         `json:"text,omitempty"`
	Base64 *string         `json:"base64,omitempty"`
}

type answerJSON struct {
	Planned  plannedJSON  `json:"planned"`
	Response responseJSON `json:"response"`
}

func toAnswer(a *broker.Answer, r responseJSON) answerJSON {
	r.Status = a.Status
	return answerJSON{plannedJSON{a.Capability, orNull(a.Credential), a.Method, a.URL}, r}
}

// isJSON reports whether the body can be part of a JSON document.
func isJSON(body []byte) bool { return utf8.Valid(body) && json.Valid(body) }

// printAnswer prints plan and answer, whose body must be JSON.
func (sh *shell) printAnswer(a *broker.Answer) error {
	if len(a.Body) == 0 {
		a.Body = []byte("null")
	}
	if !isJSON(a.Body) {
		what := a.MediaType
		if what == "" || what == "application/json" {
			what = "not JSON"
		} else {
			what += ", not JSON"
		}
		return fault.New(fault.UpstreamStatus, "the call was made, and its answer, with status %d, is %s", a.Status, what).
			WithHint("`aivault invoke` prints any answer")
	}
	return sh.out.printJSON(toAnswer(a, responseJSON{JSON: a.Body}))
}

// printAny prints plan and answer, whatever its body.
func (sh *shell) printAny(a *broker.Answer) error {
	var r responseJSON
	switch {
	case isJSON(a.Body):
		r.JSON = a.Body
	case utf8.Valid(a.Body):
		r.Text = new(string(a.Body))
	default:
		r.Base64 = new(base64.StdEncoding.EncodeToString(a.Body))
	}
	return sh.out.printJSON(toAnswer(a, r))
}

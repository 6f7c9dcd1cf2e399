package cli

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"syscall"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"aivault/broker"
	"aivault/keys/fault"
	"aivault/ui/app"
)

// newInvoke, newJSON and newMarkdown make the commands that make a call; they
// differ in what they print.
func newInvoke(sh *shell) *cobra.Command {
	return newCall(sh, &cobra.Command{
		Use:     "invoke CAPABILITY [--method METHOD] [--path PATH] [--header 'Name: value'] [--body TEXT]",
		Aliases: []string{"call"},
		Short:   "make a call and print the answer's body",
		Long: `Makes a call: finds the secret for the context that --workspace-id, --group-id
and --consumer state, adds it, sends the request, and prints the body of the
answer, from which the secret is removed. Whatever status the answer has, the
exit status is 0, unless --fail is given.

Method and path can be left out where the capability allows only one. Without a
method, a call with a body is a POST, and one without a GET. With --stream, the
answer is printed as it arrives; with --dry-run, nothing is sent, and the
request is printed with the names of secrets in the place of their values.`,
		Example: `aivault invoke openai/models
aivault invoke openai/chat-completions --body '{"model":"gpt-5-mini","messages":[{"role":"user","content":"Hello."}]}'
aivault invoke openai/chat-completions --stream --request-file count.json
aivault invoke openai/files --multipart-field purpose=batch --multipart-file file=requests.jsonl
aivault invoke github/users --path /user --workspace-id shop
cat report.json | aivault invoke intranet/reports --method PUT --path /v1/reports/7 --body -`,
	}, sh.printBody)
}

func newJSON(sh *shell) *cobra.Command {
	return newCall(sh, &cobra.Command{
		Use:   "json CAPABILITY [--method METHOD] [--path PATH] [--header 'Name: value'] [--body TEXT]",
		Short: "make a call and print plan and answer as JSON",
		Long: `Makes a call as 'aivault invoke' does, and prints as JSON what was planned and
what came back. An answer that is not JSON is an error.`,
		Example: "aivault json openai/models",
	}, sh.printAnswer)
}

// newCall fills in a command that makes a call, and prints the answer by print.
func newCall(sh *shell, cmd *cobra.Command, print func(*broker.Answer) error) *cobra.Command {
	var f callFlags
	f.add(cmd)
	cmd.DisableFlagsInUseLine = true
	cmd.Args = oneArg("capability's id")
	f.set.Lookup("stream").Hidden = cmd.Name() != "invoke" // there, it is refused with a reason
	cmd.RunE = sh.run(func(ctx context.Context, be app.Backend, args []string) error {
		raw := cmd.Name() == "invoke" && !sh.out.json
		if f.stream && !raw {
			return fault.New(fault.Usage, "--stream prints the body as it arrives: it goes with `aivault invoke`, without --json").
				WithHint("--json=false takes back what AIVAULT_OUTPUT says")
		}
		call, err := f.parse(ctx, sh, args[0])
		if err != nil {
			return err
		}
		if f.dryRun {
			return sh.preview(ctx, be, call, cmd.Name() == "json")
		}
		if f.stream {
			print = func(*broker.Answer) error { return nil }
		}
		service, err := sh.session.Caller(ctx)
		if err != nil {
			return err
		}
		answer, err := f.call(ctx, sh, service, call)
		switch {
		case answer == nil:
			return err
		case err == nil:
			err = print(answer)
		case raw && !f.stream && fault.CodeOf(err) == fault.ResponseTooLarge:
			sh.out.body(answer.Body) // as far as it came
		}
		sh.unrecorded = answer.Unrecorded
		switch {
		case err != nil:
			return err
		case f.fail && answer.Status >= 400:
			return fault.New(fault.UpstreamStatus, "the answer has status %d", answer.Status)
		case raw && answer.Status >= 300:
			sh.out.noticef("the answer has status %d", answer.Status)
		}
		return nil
	})
	return cmd
}

// call makes the call; with --stream, it prints the body.
func (f *callFlags) call(ctx context.Context, sh *shell, be broker.Service, call broker.Call) (*broker.Answer, error) {
	if !f.stream {
		return be.Invoke(ctx, call)
	}
	ctx, stop := app.WhileRead(ctx, sh.env.Stdout)
	defer stop()
	if call.Timeout > 0 {
		defer func(until context.Context) { sh.out.until = until }(sh.out.until)
		var cancel context.CancelFunc
		sh.out.until, cancel = context.WithTimeout(ctx, call.Timeout)
		defer cancel()
	}
	p := &printer{out: sh.out}
	answer, err := be.Stream(ctx, call, p)
	p.end()
	switch {
	case sh.out.err != nil:
		err = sh.out.err // it is why the call ended
	case err != nil && errors.Is(context.Cause(ctx), syscall.EPIPE):
		err = fault.Wrap(fault.Canceled, syscall.EPIPE, "the output is not read any more")
	}
	return answer, err
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

	Markdown *string `json:"markdown,omitempty"` // of the command of that name
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

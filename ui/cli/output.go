package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"syscall"
	"time"

	"aivault/keys/fault"
	"aivault/ui/app"
	"aivault/ui/neutral"
)

// The rules of output:
//
//   - What a command was asked for goes to stdout, everything else to stderr.
//   - People get short, aligned lines; -v, --json and AIVAULT_OUTPUT=json give
//     JSON from every command, two-space indented, never decorated, whose field
//     names are stable.
//   - An error is `aivault: ` and what happened, in lower case and without a
//     full stop, then `aivault: hint: ` and what to do next. With --json it is
//     one line, {"error":{"code","message","hint"}}.
//   - There is colour on a terminal only, and not with NO_COLOR. On a terminal,
//     characters that could drive it are shown as escapes.
//   - No value of a secret is ever printed.
type output struct {
	json     bool
	out, msg io.Writer
	terminal bool // out is one
	outWidth int  // in columns, of a terminal; else 0
	msgWidth int
	colour   bool
	err      error // of writing to out, the first
	// until ends what waits for somebody to read out; nil: nothing does.
	until context.Context //nolint:containedctx // of the command, which an output belongs to
}

func newOutput(env *app.Env, asJSON bool) *output {
	o := &output{json: asJSON, out: env.Stdout, msg: env.Stderr, terminal: env.IsTerminal(env.Stdout)}
	o.outWidth, o.msgWidth = env.Columns(env.Stdout), env.Columns(env.Stderr)
	o.colour = o.terminal && env.Getenv("NO_COLOR") == "" && env.Getenv("TERM") != "dumb"
	return o
}

// write writes to stdout. The first error is kept for the end.
func (o *output) write(b []byte) {
	if o.err != nil {
		return
	}
	until := o.until
	if until == nil {
		until = context.Background()
	}
	switch err := app.WriteUntil(until, o.out, b); {
	case err == nil:
	case errors.Is(err, context.DeadlineExceeded):
		o.err = fault.New(fault.Timeout, "the output was not read within the time that the call was given").
			WithHint("allow more with --timeout-ms")
	case errors.Is(err, context.Canceled):
		o.err = fault.New(fault.Canceled, "the output was not read")
	case errors.Is(err, syscall.EPIPE):
		o.err = fault.Wrap(fault.Canceled, err, "writing the output")
	default:
		o.err = fault.Wrap(fault.IO, err, "writing the output")
	}
}

// printf prints a line for people. Its arguments are made harmless first.
func (o *output) printf(format string, args ...any) {
	for i, arg := range args {
		switch arg := arg.(type) {
		case styled:
			args[i] = string(arg)
		case string, error, fmt.Stringer:
			args[i] = neutral.Text(fmt.Sprint(arg))
		}
	}
	o.write(fmt.Appendf(nil, format+"\n", args...))
}

// printJSON prints v.
func (o *output) printJSON(v any) error {
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(v); err != nil {
		return fault.Wrap(fault.Internal, err, "encoding the output")
	}
	s := b.String()
	if o.terminal {
		s = neutral.JSON(s)
	}
	o.write([]byte(s))
	return nil
}

// printLine prints v as one line of JSON.
func (o *output) printLine(v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return fault.Wrap(fault.Internal, err, "encoding the output")
	}
	s := string(b) + "\n"
	if o.terminal {
		s = neutral.JSON(s)
	}
	o.write([]byte(s))
	return nil
}

// body prints the body of an answer: the bytes as they are, or, on a terminal,
// such that they cannot drive it.
func (o *output) body(b []byte) {
	if !o.terminal {
		o.write(b)
		return
	}
	s := neutral.Text(string(b))
	if s != "" && !strings.HasSuffix(s, "\n") {
		s += "\n"
	}
	o.write([]byte(s))
}

// notice tells people something in passing.
func (o *output) notice(msg string) {
	if o.json {
		o.message(map[string]string{"notice": msg})
		return
	}
	o.say("notice: " + msg)
}

// say writes to stderr, in lines that fit.
func (o *output) say(msg string) {
	_, _ = io.WriteString(o.msg, paragraph("aivault: "+neutral.Text(msg), o.msgWidth))
}

func (o *output) noticef(format string, args ...any) { o.notice(fmt.Sprintf(format, args...)) }

// fail prints an error.
func (o *output) fail(err error) {
	if err == nil || app.IsBrokenPipe(err) { // whoever closes the pipe has enough
		return
	}
	e := toError(err)
	if o.json {
		o.message(map[string]errorJSON{"error": e})
		return
	}
	for line := range strings.SplitSeq(e.Message, "\n") {
		o.say(line)
	}
	switch {
	case strings.HasPrefix(e.Hint, "usage: "):
		o.say(e.Hint)
	case e.Hint != "":
		o.say("hint: " + e.Hint)
	}
}

// message writes one line of JSON to stderr.
func (o *output) message(v any) {
	enc := json.NewEncoder(o.msg)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(v) // there is nobody left to tell
}

// An errorJSON is an error as programs see it.
type errorJSON struct {
	Code    fault.Code `json:"code"`
	Message string     `json:"message"`
	Hint    string     `json:"hint,omitempty"`
}

// toError returns what is shown of an error. One without a code is a bug.
func toError(err error) errorJSON {
	e := errorJSON{Code: fault.CodeOf(err), Message: err.Error(), Hint: fault.HintOf(err)}
	if _, known := errors.AsType[*fault.Error](err); !known {
		switch e.Code {
		case fault.Internal:
			e.Message = "unexpected: " + e.Message
		case fault.Canceled: // that of a context, which says no more
			e.Message = "the command was ended before it was done"
		}
	}
	if e.Code == fault.Internal && e.Hint == "" {
		e.Hint = "this is a bug in aivault: please report this line with the output of `aivault --version`"
	}
	return e
}

// errorOrNil is toError for a field that may be null.
func errorOrNil(err error) *errorJSON {
	if err == nil {
		return nil
	}
	return new(toError(err))
}

// count is "1 secret", "2 secrets".
func count(n int, one string) string {
	if n == 1 {
		return "1 " + one
	}
	if before, ok := strings.CutSuffix(one, "y"); ok {
		return fmt.Sprintf("%d %sies", n, before)
	}
	return fmt.Sprintf("%d %ss", n, one)
}

// millis is a time in JSON: milliseconds since 1970, null if it never was.
func millis(t time.Time) *int64 {
	if t.IsZero() {
		return nil
	}
	return new(t.UnixMilli())
}

// moment is a time for people, in their own zone.
func moment(t time.Time) string {
	if t.IsZero() {
		return "never"
	}
	return t.Local().Format("2006-01-02 15:04")
}

package flat

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"syscall"
	"time"
	"unicode"
	"unicode/utf8"

	"aivault/keys/fault"
	"aivault/ui/tui/ops"
	"aivault/ui/tui/text"
)

// width is where lines are broken, in cells.
const width = 80

// say prints a sentence, in lines that fit. Texts among its arguments are shown
// in one line each, whatever they hold.
func (t *talk) say(format string, args ...any) {
	for i, arg := range args {
		switch arg := arg.(type) {
		case string:
			args[i] = text.Line(arg)
		case error, fmt.Stringer:
			args[i] = text.Line(fmt.Sprint(arg))
		}
	}
	t.print(text.Wrap(fmt.Sprintf(format, args...), width)...)
}

// line prints a command line. It is not broken, so that it can be copied.
func (t *talk) line(l ops.Line) { t.print("Command line: " + text.Line(l.String())) }

// print prints display forms, a line each.
func (t *talk) print(lines ...string) { t.write(strings.Join(lines, "\n") + "\n") }

func (t *talk) write(s string) {
	if t.err != nil {
		return
	}
	if t.opts.ASCII {
		s = text.ASCII(s)
	}
	switch _, err := io.WriteString(t.env.Stdout, s); {
	case err == nil:
	case errors.Is(err, syscall.EPIPE):
		t.err = fault.Wrap(fault.Canceled, err, "writing the output")
	default:
		t.err = fault.Wrap(fault.IO, err, "writing the output")
	}
}

// fail tells what went wrong, and what to do next.
func (t *talk) fail(err error) {
	t.say("It did not work: %s.", strings.TrimSuffix(err.Error(), "."))
	if hint := fault.HintOf(err); hint != "" {
		t.say("%s.", capital(hint))
	}
}

// capital begins a sentence.
func capital(s string) string {
	r, n := utf8.DecodeRuneInString(s)
	return string(unicode.ToUpper(r)) + s[n:]
}

// ago is when something was, for people: "never", "now", "3d ago".
func (t *talk) ago(at time.Time) string {
	switch s := text.Age(at, t.env.Now()); s {
	case "-":
		return "never"
	case "now":
		return s
	default:
		return s + " ago"
	}
}

// orNone is what there is of a list.
func orNone(list []string) string {
	if len(list) == 0 {
		return "none"
	}
	return strings.Join(list, ", ")
}

// some names the first of a list, and how many more there are.
func some(list []string) string {
	const shown = 5
	if len(list) <= shown {
		return orNone(list)
	}
	return fmt.Sprintf("%s and %d more", strings.Join(list[:shown], ", "), len(list)-shown)
}

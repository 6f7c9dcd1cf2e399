package ui_test

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"aivault/ui/app"
	"aivault/ui/tui/term"
	"aivault/ui/tui/uitest"
)

// A tuiRun is one run of the screens within a script.
type tuiRun struct {
	testing.TB // of the test, but for failures, which are the script's
	ts         *testscript.TestScript
	d          *uitest.Driver
	at         string // the step, for failures
	over       bool   // the script goes on, or failed
}

func (r *tuiRun) Fatalf(format string, args ...any) {
	if r.over {
		r.TB.Fatalf(format, args...)
	}
	r.ts.Fatalf("%s: %s", r.at, fmt.Sprintf(format, args...))
}
func (r *tuiRun) Errorf(format string, args ...any) { r.Fatalf(format, args...) }
func (r *tuiRun) Fatal(args ...any)                 { r.Fatalf("%s", fmt.Sprint(args...)) }
func (r *tuiRun) Error(args ...any)                 { r.Fatalf("%s", fmt.Sprint(args...)) }
func (r *tuiRun) Helper()                           {}

// cmdTUI runs the screens in this process, over the script's vault, with the
// steps in a file:
//
//	tui [-size 120x40] [-new | -seed] [-plain] STEPS
//
// With -new the vault is another one, that is still to be made; with -seed
// another one, with the contents of uitest.Seed. From then on $AIVAULT_DIR is
// that one, and $ID_NAME the id of each secret. With -plain the terminal is a
// dumb one. A step is one line:
//
//	key K...      presses keys             type TEXT     types
//	hit K...      without waiting          paste FILE    pastes
//	click X Y     the left button          wheel X Y N   turns the wheel
//	resize W H    the window               advance DUR   lets time pass
//	wait TEXT     until it shows           want TEXT     it shows
//	wantnot TEXT  it does not              ends          the program ended
//	screen [NAME] prints the screen        shot FILE     writes it
//	exec COMMAND  runs a command           fails COMMAND that must fail
//
// Ids and ports on printed screens are replaced, so that they can be compared.
func cmdTUI(ts *testscript.TestScript, neg bool, args []string) {
	st, o := state(ts), uitest.Options{Settings: term.Settings{Colour: term.ANSI256, Dark: true, Mouse: true}}
	fresh, seeded := false, false
	for len(args) > 1 {
		switch args[0] {
		case "-size":
			if _, err := fmt.Sscanf(args[1], "%dx%d", &o.Width, &o.Height); err != nil {
				ts.Fatalf("-size %s: %v", args[1], err)
			}
			args = args[1:]
		case "-new":
			fresh = true
		case "-seed":
			fresh, seeded = true, true
		case "-plain":
			o.Settings = term.Settings{Dumb: true, ASCII: true}
		default:
			ts.Fatalf("tui knows no %s", args[0])
		}
		args = args[1:]
	}
	if neg || len(args) != 1 {
		ts.Fatalf("usage: tui [-size WxH] [-new | -seed] [-plain] STEPS")
	}
	if fresh {
		st.vaults++
		dir := ts.MkAbs(fmt.Sprintf("vault%d", st.vaults))
		ts.Check(os.Mkdir(dir, 0o700))
		ts.Setenv("AIVAULT_DIR", dir)
	}
	r := &tuiRun{TB: st.t, ts: ts, at: "the start"}
	o.Dir, o.Home, o.Shut = ts.Getenv("AIVAULT_DIR"), ts.Getenv("HOME"), !seeded
	o.Env, o.Clock = scriptWorld(ts)
	if seeded {
		o.Fill = func(d *uitest.Driver) { seedScript(ts, d) }
	}
	defer func() { r.over = true }()
	r.d = uitest.New(r, o)
	r.d.Hide(st.secrets...)
	steps := ts.ReadFile(args[0])
	for n, line := range strings.Split(steps, "\n") {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		r.at = fmt.Sprintf("%s:%d: %s", args[0], n+1, line)
		r.do(line)
	}
	r.at = "the end"
	r.d.End()
}

// scriptWorld is the environment of a script for the screens.
func scriptWorld(ts *testscript.TestScript) (*app.Env, *uitest.Clock) {
	ms, err := strconv.ParseInt(ts.Getenv(varClock), 10, 64)
	ts.Check(err)
	clock := uitest.NewClock(time.UnixMilli(ms).UTC())
	env := uitest.Env(nil, ts.Getenv("HOME"), clock, nil)
	env.Getenv = ts.Getenv
	fakeWorld(env)
	env.Now = clock.Now
	return env, clock
}

// seedScript fills the vault of a script, and tells the script what it holds.
func seedScript(ts *testscript.TestScript, d *uitest.Driver) {
	c := uitest.Seed(d)
	ca := ts.MkAbs("ca.pem")
	ts.Check(os.WriteFile(ca, c.Upstream.CAPEM(), 0o600))
	ts.Setenv("CA", ca)
	ts.Setenv("HOST", c.Host)
	for label, s := range c.Secret {
		ts.Setenv("ID_"+strings.ReplaceAll(label, "-", "_"), s.ID.String())
		ts.Check(os.WriteFile(filepath.Join(ts.Getenv("CANARIES"), label), []byte(c.Values[label]+"\n"), 0o600))
	}
	state(ts).upstream = c.Upstream
}

// do does one step.
func (r *tuiRun) do(line string) {
	verb, rest, _ := strings.Cut(line, " ")
	rest = strings.TrimSpace(rest)
	switch verb {
	case "key":
		r.d.Key(strings.Fields(rest)...)
	case "hit":
		r.d.Hit(strings.Fields(rest)...)
	case "type":
		r.d.Type(r.expand(rest))
	case "paste":
		r.d.Paste(r.ts.ReadFile(r.expand(rest)))
	case "want":
		r.d.Want(r.expand(rest))
	case "wantnot":
		r.d.WantNot(r.expand(rest))
	case "wait":
		r.d.Await(r.expand(rest))
	case "advance":
		dur, err := time.ParseDuration(rest)
		r.ts.Check(err)
		r.d.Advance(dur)
	case "ends":
		if !r.d.Quit() {
			r.Fatalf("the program goes on\n%s", r.d.Screen())
		}
	case "exec", "fails":
		args := strings.Fields(r.expand(rest))
		if err := r.ts.Exec(args[0], args[1:]...); (err != nil) != (verb == "fails") {
			r.Fatalf("%v\n%s", err, r.ts.ReadFile("stderr"))
		}
	case "screen":
		_, _ = io.WriteString(r.ts.Stdout(), strings.TrimRight("# "+rest, " ")+"\n"+folded(r.d.Frame()))
	case "shot":
		r.ts.Check(os.WriteFile(r.ts.MkAbs(rest), []byte(folded(r.d.Frame())), 0o600))
	default:
		r.place(verb, rest)
	}
}

// folded is a screen as it stands in a script: of many equal lines, as those
// below a short list, one, and how many more there are.
func folded(screen string) string {
	lines := strings.Split(screen, "\n")
	var b strings.Builder
	for i := 0; i < len(lines); {
		n := i + 1
		for n < len(lines) && lines[n] == lines[i] {
			n++
		}
		b.WriteString(lines[i] + "\n")
		if n-i > 2 {
			fmt.Fprintf(&b, "(%d more)\n", n-i-1)
			i = n
			continue
		}
		i++
	}
	return b.String()
}

// place does a step that has coordinates.
func (r *tuiRun) place(verb, rest string) {
	var n [3]int
	count := 0
	for i, f := range strings.Fields(rest) {
		v, err := strconv.Atoi(f)
		if err != nil || i >= len(n) {
			r.Fatalf("these are no coordinates")
		}
		n[i], count = v, i+1
	}
	switch {
	case verb == "click" && count == 2:
		r.d.Click(n[0], n[1])
	case verb == "wheel" && count == 3:
		r.d.Wheel(n[0], n[1], n[2])
	case verb == "resize" && count == 2:
		r.d.Resize(n[0], n[1])
	default:
		r.Fatalf("this is no step")
	}
}

// expand replaces the variables of the script.
func (r *tuiRun) expand(s string) string { return os.Expand(s, r.ts.Getenv) }

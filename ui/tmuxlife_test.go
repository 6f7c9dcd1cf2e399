//go:build linux

package ui_test

import (
	"fmt"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"aivault/ui/tui/text"
)

// flags are the modes of the terminal that a program may leave behind.
const flags = "alternate_on} #{cursor_flag} #{mouse_any_flag} #{keypad_flag}"

// Checklist 5, 12, 26, 29. The terminal is the shell's again, as it was.
func TestTmuxQuits(t *testing.T) {
	t.Parallel()
	p := newPane(t, 80, 24)
	p.seed()
	before := p.is(flags)
	for _, test := range []struct{ flag, mouse string }{{"", "1"}, {"--no-mouse", "0"}} {
		p.start("aivault " + test.flag + "; echo left with $?")
		p.want("OPENAI_API_KEY", "own secret of the global scope, row 1 of 4")
		if on, mouse := p.is("alternate_on"), p.is("mouse_any_flag"); on != "1" || mouse != test.mouse {
			t.Errorf("%q: alternate screen %s, mouse %s", test.flag, on, mouse)
		}
		if y := p.is("cursor_y"); y != "23" {
			t.Errorf("the cursor is on line %s, which does not tell the focus", y)
		}
		p.keys("q")
		p.want("left with 0")
		if after := p.is(flags); after != before {
			t.Errorf("%q: the terminal is %s, was %s", test.flag, after, before)
		}
		p.start("clear")
		p.gone("left with")
	}
}

// Checklist 6. From a list, its filter, the help and a form.
func TestTmuxControlC(t *testing.T) {
	t.Parallel()
	p := newPane(t, 80, 24)
	p.seed()
	for i, keys := range [][]string{{}, {"/", "a"}, {"?"}, {"n"}, {"r"}, {"t"}, {"w"}, {"a"}, {"D"}} {
		p.start("clear; aivault; echo left $? from " + fmt.Sprint(i))
		p.want("OPENAI_API_KEY")
		p.keys(append(keys, "C-c")...)
		p.want(fmt.Sprintf("left 0 from %d", i))
	}
}

// Checklist 7.
// Fault F18.
func TestTmuxSignals(t *testing.T) {
	t.Parallel()
	p := newPane(t, 80, 24)
	p.seed()
	for _, test := range []struct {
		signal syscall.Signal
		status int
	}{{syscall.SIGTERM, 143}, {syscall.SIGHUP, 129}, {syscall.SIGINT, 130}, {syscall.SIGQUIT, 131}} {
		p.start("clear; aivault; echo left with $?")
		p.want("OPENAI_API_KEY")
		if err := syscall.Kill(p.pid(), test.signal); err != nil {
			t.Fatal(err)
		}
		p.want(fmt.Sprintf("left with %d", test.status))
		if got := p.is("alternate_on"); got != "0" {
			t.Errorf("%v: the screen is not given back", test.signal)
		}
	}
}

// Checklist 9, 29. The shell gets the terminal, and gives it back; where it is
// the program's alone, that goes on.
func TestTmuxSuspends(t *testing.T) {
	t.Parallel()
	p := newPane(t, 80, 24)
	p.seed()
	p.start("aivault")
	p.want("OPENAI_API_KEY")
	p.keys("C-z")
	p.want("Stopped")
	if screen, mouse := p.is("alternate_on"), p.is("mouse_any_flag"); screen != "0" || mouse != "0" {
		t.Errorf("suspended: alternate screen %s, mouse %s", screen, mouse)
	}
	p.start("fg")
	p.want("own secret of the global scope, row 1 of 4")
	p.until("the mouse is back", func() bool { return p.is("mouse_any_flag") == "1" })
	p.keys("j")
	p.want("row 2 of 4")
	p.keys("q")
	p.want("ready>")

	p.tmux("respawn-pane", "-k", p.exe)
	p.want("OPENAI_API_KEY")
	p.keys("C-z")
	p.want("cannot suspend the program")
	p.keys("j")
	p.want("row 2 of 4")
}

// Checklist 13, 14, 15, 16.
func TestTmuxResizes(t *testing.T) {
	t.Parallel()
	p := newPane(t, 120, 40)
	p.seed()
	p.start("aivault")
	p.want("OPENAI_API_KEY")
	p.keys("j", "j")
	p.want("OPENAI_API_KEY, own secret of the global scope")
	p.idle()
	fresh := p.screen()
	for _, size := range [][2]string{{"60", "15"}, {"110", "39"}, {"40", "12"}, {"20", "5"}, {"200", "60"}, {"61", "16"}, {"120", "40"}} {
		p.tmux("resize-window", "-x", size[0], "-y", size[1])
	}
	p.until("the frame is the same as before", func() bool { return p.screen() == fresh })
	for _, test := range []struct{ w, h, shows string }{
		{"40", "12", "Scopes › global"}, {"200", "60", "Detail"}, {"20", "5", "too small"},
	} {
		p.tmux("resize-window", "-x", test.w, "-y", test.h)
		p.want(test.shows)
	}
}

// Checklist 18. The terminal and the program agree on how wide everything is.
func TestTmuxWidths(t *testing.T) {
	t.Parallel()
	p := newPane(t, 80, 30)
	value := p.file("value", "made-up-value")
	for _, name := range []string{"ключ", "日本語の鍵", "한글", "e\u0301te\u0301 combining", "מפתח", "flag 🇩🇪", "skin 👍🏽", "warn ⚠️", "ＷＩＤＥ", "देवनागरी"} {
		if out, err := p.cli("secrets", "create", "--name", name, "--value-file", value).CombinedOutput(); err != nil {
			t.Logf("%q is no name: %s", name, out)
		}
	}
	p.start("aivault")
	p.want("ключ", "日本語の鍵")
	p.idle()
	lines := strings.Split(p.screen(), "\n")
	borders := 0
	for i, line := range lines[1:26] {
		if !strings.ContainsAny(line, "│┃┐┓┘┛") {
			continue
		}
		borders++
		last := []rune(line)
		if n := text.Width(line); n != 80 || !strings.ContainsRune("│┃┐┓┘┛", last[len(last)-1]) {
			t.Errorf("line %d has %d cells: %q", i+1, n, line)
		}
	}
	if borders < 15 {
		t.Errorf("%d lines with borders only:\n%s", borders, p.screen())
	}
}

// What a terminal is sent to change a colour, as opposed to an attribute.
var colour = regexp.MustCompile(`\x1b\[(?:[0-9;]*;)?(?:3[0-8]|4[0-8]|9[0-7]|10[0-7])(?:;[0-9]+)*m`)

// Checklist 22, 23, 24, 25.
func TestTmuxColours(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, env, flag string
		colours         bool
		marker          string
	}{
		{"colours", "X=", "", true, "▸"},
		{"NO_COLOR", "NO_COLOR=1", "", false, "▸"},
		{"dumb", "TERM=dumb", "", false, ">"},
		{"ASCII", "AIVAULT_ASCII=1", "", true, ">"},
		{"light", "COLORFGBG='0;15'", "--theme light", true, "▸"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			p := newPane(t, 80, 24)
			p.seed()
			p.start("clear; " + test.env + " aivault " + test.flag)
			p.want(test.marker+" ACME_TOKEN", "row 1 of 4")
			p.idle()
			screen := p.tmux("capture-pane", "-p", "-e")
			if got := colour.MatchString(screen); got != test.colours {
				t.Errorf("colours: %v\n%q", got, screen)
			}
			if test.name == "NO_COLOR" && !regexp.MustCompile(`\x1b\[(?:[0-9;]*;)?7m`).MatchString(screen) {
				t.Errorf("nothing is reversed: %q", screen)
			}
			if test.name == "light" && regexp.MustCompile(`\x1b\[(?:[0-9;]*;)?(?:37|97|38;5;15|38;5;231)m`).MatchString(screen) {
				t.Errorf("there is white text on a light background: %q", screen)
			}
		})
	}
}

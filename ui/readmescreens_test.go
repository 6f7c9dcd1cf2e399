package ui_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"aivault/ui/tui/text"
	"aivault/ui/tui/uitest"
)

// screens are those of the README: what they show, and the keys that lead there.
// Each is shown at the sizes below.
var screens = [...]struct{ caption, keys string }{
	{"The secrets that a group sees: its own, one that is shared with it, and what it inherits or overrides.", "tab tab j j j tab"},
	{"Sharing a secret with groups (`a`): what calls will use instead is said before anything is changed.", "a j space j space"},
	{"Why that one (`w`): every candidate for a context, and why it is taken or not.", "tab tab j j j tab w"},
	{"Capabilities: what may be called, by whom, within which limits.", "2 / c h a t - enter"},
	{"A test call (`t`): what would be sent, by which key, before it is sent.", "t enter left tab end / 7 ctrl+d"},
	{"Credentials: how a secret authenticates, and where it may go.", "3"},
	{"The audit log, whose chain was just verified.", "4"},
}

// sizes are those of terminals that people have.
var sizes = [...]struct{ w, h int }{{120, 40}, {80, 24}}

// Between these lines the README has the screens.
const (
	screensBegin = "<!-- screens: go test ./ui -run READMEScreens -update writes them -->\n"
	screensEnd   = "<!-- end of screens -->\n"
)

// The screens in the README are those of the program.
func TestREADMEScreens(t *testing.T) {
	t.Parallel()
	path := filepath.Join("..", "README.md")
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, begins := strings.Cut(string(b), screensBegin)
	had, after, ends := strings.Cut(rest, screensEnd)
	if !begins || !ends {
		t.Fatal("the README has no place for the screens")
	}
	want := readmeScreens(t)
	if *updating {
		if err := os.WriteFile(path, []byte(before+screensBegin+want+screensEnd+after), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(had, want); diff != "" {
		t.Errorf("the README has other screens (-README +program):\n%s", diff)
	}
}

func readmeScreens(t *testing.T) string {
	t.Helper()
	var b strings.Builder
	for _, s := range screens {
		b.WriteString("\n" + s.caption + "\n")
		for _, size := range sizes {
			d := uitest.New(t, uitest.Options{Width: size.w, Height: size.h, Fill: func(d *uitest.Driver) { uitest.Seed(d) }})
			d.Key(strings.Fields(s.keys)...)
			b.WriteString("\n```text\n" + made(d.Frame()) + "\n```\n")
			d.End()
		}
	}
	return b.String() + "\n"
}

// processes are where a frame names the one that did something.
var processes = regexp.MustCompile(`Process +\d+, of user \d+ *│`)

// made gives a frame ids, a port and a process that look like some.
func made(frame string) string {
	frame = processes.ReplaceAllStringFunc(frame, func(was string) string {
		return text.Fit("Process     4242, of user 1000", text.Width(was)-1) + "│"
	})
	return strings.NewReplacer(
		"xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx", "3f2a91bc-5d0e-4c1a-9b7e-2f6d8a1c0e43", "xxxxxxxxxxxxxxxx…", "c39aa576552a8e9c…",
		"xxxxxxxx", "3f2a91bc", "xxxxxxx…", "3f2a91b…", "xxxxx", "41353", "xxxx", "4135",
	).Replace(frame)
}

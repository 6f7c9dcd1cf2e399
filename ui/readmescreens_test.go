package ui_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"aivault/ui/tui/uitest"
)

// screens are those of the README: what they show, at which size, and the keys
// that lead there.
var screens = [...]struct {
	caption string
	w, h    int
	keys    string
}{
	{"The secrets that a group sees: its own, one that is shared with it, and what it inherits or overrides.", 120, 22, "tab tab j j j tab"},
	{"The same on a terminal of 80x24 ...", 80, 24, "tab tab j j j tab"},
	{"... and of 40x12, where each pane has the screen.", 40, 12, "tab tab j j j enter"},
	{"Sharing a secret with groups (`a`): what calls will use instead is said before anything is changed.", 120, 16, "a j space j space"},
	{"Why that one (`w`): every candidate for a context, and why it is taken or not.", 120, 24, "tab tab j j j tab w"},
	{"Capabilities: what may be called, by whom, within which limits.", 120, 22, "2 / c h a t - enter"},
	{"A test call (`t`): what would be sent, by which key, before it is sent.", 120, 22, "t enter left tab end / 7 ctrl+d"},
	{"Credentials: how a secret authenticates, and where it may go.", 80, 24, "3"},
	{"The audit log, whose chain was just verified.", 120, 18, "4"},
}

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
		d := uitest.New(t, uitest.Options{Width: s.w, Height: s.h, Fill: func(d *uitest.Driver) { uitest.Seed(d) }})
		d.Key(strings.Fields(s.keys)...)
		b.WriteString("\n" + s.caption + "\n\n```text\n" + made(d.Frame()) + "\n```\n")
		d.End()
	}
	return b.String() + "\n"
}

// made gives a frame ids and a port that look like some.
func made(frame string) string {
	return strings.NewReplacer(
		"xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx", "3f2a91bc-5d0e-4c1a-9b7e-2f6d8a1c0e43", "xxxxxxxxxxxxxxxx…", "c39aa576552a8e9c…",
		"xxxxxxxx", "3f2a91bc", "xxxxxxx…", "3f2a91b…", "xxxxx", "41353", "xxxx", "4135",
	).Replace(frame)
}

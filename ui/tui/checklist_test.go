package tui_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// A point is something that people may rely on. A test says by a comment,
// "Checklist 5, 26.", that it is about it.
type point struct {
	number int
	text   string
	why    string // why no test is about it; empty: one is
}

// checklist is what people may rely on. Numbers are stable; those that are
// missing are of points that were given up.
var checklist = [...]point{
	{1, "commands ask a terminal nothing, and return at once", ""},
	{2, "what is typed ahead is read by the command that reads", ""},
	{3, "the first frame comes soon, with 100,000 secrets too", ""},
	{4, "without a terminal it says so in one sentence, with status 2 and no escape sequence", ""},
	{5, "after q the terminal is as it was", ""},
	{6, "ctrl+c leaves from everywhere; one question where something is typed", ""},
	{7, "a signal gives the terminal back and is the exit status", ""},
	{8, "so does a panic, which prints no value", ""},
	{9, "ctrl+z and fg work, and where nobody could continue it, it goes on", ""},
	{10, "who quits during a write waits for it, or is told", ""},
	{11, "several people and scripts lose nothing and hear of no locks", ""},
	{12, "80x24 is enough, with six whole hints in the footer", ""},
	{13, "40x12 is enough: one pane, all actions", ""},
	{14, "what is too small says so, and what was selected is there afterwards", ""},
	{15, "200x60 has three panes that are not stretched", ""},
	{16, "after any resizing the frame is that of a fresh start", ""},
	{17, "a terminal without a size is waited for", ""},
	{18, "wide, combining and right-to-left names keep the borders in line", ""},
	{19, "control and bidi characters show as text and never reach the terminal", ""},
	{20, "long names end in an ellipsis, and are whole in the detail", ""},
	{21, "ASCII terminals get ASCII", ""},
	{22, "NO_COLOR has no colour, and the focus still shows", ""},
	{23, "a dumb terminal is enough", ""},
	{24, "a light background has no white text", ""},
	{25, "every state has a word or a mark besides its colour", ""},
	{26, "the last line says where the focus is, and the cursor is on it", ""},
	{27, "--accessible is a conversation in plain lines", ""},
	{28, "AIVAULT_REDUCE_MOTION: nothing moves", ""},
	{29, "the mouse can do much and is needed for nothing", ""},
	{30, "? lists the keys of the place, and enter does one", ""},
	{31, ": finds every action, and says why one is off", ""},
	{32, "the footer names what works here, and a key that does not says why", ""},
	{33, "/ filters as one types, counts, and says how to clear it", ""},
	{34, "filters have fields, and an unknown one is reported", ""},
	{35, "with 100,000 secrets keys are answered at once, in 250 MB", ""},
	{36, "jjjj in one write moves four rows", ""},
	{37, "what is selected stays so, whatever changes around it", ""},
	{38, "@ shows the command line that does the same, without a value", ""},
	{39, "no value reaches the terminal, another process's sight, or a file", ""},
	{40, "the mask tells nothing of a value", ""},
	{45, "a value is masked while it is typed and pasted", ""},
	{46, "what is stored is what was pasted, to the byte", ""},
	{47, "a paste that comes as keys runs no action and sends no form", ""},
	{48, "a paste that is too large, or has no end, is refused soon", ""},
	{49, "what becomes of a final line end is said", ""},
	{50, "no value is written to a file for an editor", ""},
	{51, "each change ends in a line that names what and where", ""},
	{52, "attaching and detaching say before what they change", ""},
	{54, "what destroys has cancel in focus, says what goes, and asks for the name", ""},
	{55, "z takes back what can be, unless somebody changed it since", ""},
	{56, "what is typed is never lost without a question", ""},
	{57, "two enters write once", ""},
	{58, "a save over somebody else's change asks", ""},
	{59, "a test call shows its stages, can be stopped, and its answer is clean", ""},
	{61, "a million events are no burden; they can be filtered, followed and verified", ""},
	{62, "marked rows are changed together, after one question", ""},
	{63, "what others change shows within a second", ""},
	{64, "a vault that is busy says so, is tried again, and can be left", ""},
	{65, "a vault that is damaged, missing, read-only or newer has a screen that says what next", ""},
	{66, "a keyring that is missing, locked or silent can be left at once", ""},
	{67, "a vault with a passphrase locks itself, and comes back where it was", ""},
	{68, "late answers of a terminal, and split keys, type nothing", ""},
	{69, "an error is a sentence, a cause and a next step, until it is dismissed", ""},
	{70, "who does nothing costs nothing", ""},
}

// Every point has a test, or a reason why not.
func TestChecklistIsTested(t *testing.T) {
	t.Parallel()
	tested := checklistTests(t)
	known := map[int]bool{}
	for _, p := range checklist {
		known[p.number] = true
		switch where := tested[p.number]; {
		case where == "" && p.why == "":
			t.Errorf("no test is about %d: %s", p.number, p.text)
		case where != "" && p.why != "":
			t.Errorf("%s is about %d, which is said to have no test: %s", where, p.number, p.why)
		}
	}
	for number, where := range tested {
		if !known[number] {
			t.Errorf("%s is about %d, which is no point", where, number)
		}
	}
}

var checklistComment = regexp.MustCompile(`(?m)^(?://|#) .*?Checklist ((?:\d+(?:, )?)+)`)

// checklistTests returns for each point a file with a test that is about it.
func checklistTests(t *testing.T) map[int]string {
	t.Helper()
	tested := map[int]string{}
	root := os.DirFS(filepath.Join("..", ".."))
	err := fs.WalkDir(root, ".", func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() || path == "ui/tui/checklist_test.go" {
			return err
		}
		if !strings.HasSuffix(path, "_test.go") && !strings.HasPrefix(path, "ui/testdata/tui/") {
			return nil
		}
		b, err := fs.ReadFile(root, path)
		if err != nil {
			return err
		}
		for _, m := range checklistComment.FindAllStringSubmatch(string(b), -1) {
			for _, n := range strings.Split(m[1], ", ") {
				if number, err := strconv.Atoi(n); err == nil {
					tested[number] = path
				}
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return tested
}

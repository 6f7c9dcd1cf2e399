package ui_test

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// A peril is an attack on the vault's file, the daemon's socket or the user
// interface, or a fault of the machine. A test says by a comment above it,
// "Case 105, 109." or "Fault F7.", that it is about it; a script does so, too.
type peril struct {
	name string // a case's number, or F and a fault's
	text string
	why  string // why no test is about it; empty: one is
}

// Numbers are stable; those that are missing were given up, or are of ways to
// call a broker that there are none of yet: the loopback endpoint, MCP and
// WebSocket.
var perils = [...]peril{
	{"105", "any bit of the file is flipped", ""},
	{"106", "records are exchanged, within a vault or between two", ""},
	{"107", "a record is put back, deleted, or back from the dead", ""},
	{"108", "the whole file is an older one", ""},
	{"109", "what a record says is edited", ""},
	{"111", "the cost of a passphrase is raised or lowered", ""},
	{"113", "the key is another one", ""},
	{"114", "the file is a link, a pipe, a directory, somebody else's or everybody's", ""},
	{"115", "the file is renamed or deleted while it is open", ""},
	{"116", "names that are no names", ""},
	{"118", "what was deleted is still in the file", ""},
	{"119", "backups, and hostile ones", ""},
	{"120", "an old key and an old copy, after the root key was changed", ""},
	{"121", "another user connects to the daemon", ""},
	{"122", "the daemon starts under umask 000", ""},
	{"123", "something is where the socket belongs", ""},
	{"124", "a request is malformed, ambiguous or endless", ""},
	{"125", "two thousand idle connections", ""},
	{"126", "a client goes away in the middle of an answer", ""},
	{"127", "a client says who it is", ""},
	{"128", "an agent asks for what an operator may do", ""},
	{"129", "any bytes at all on the socket", ""},
	{"130", "a client ends before it is known, and its number is used again", ""},
	{"131", "another program is in the place of the daemon", ""},
	{"148", "other processes and the shell's history see what is typed", ""},
	{"149", "a file with a value is everybody's", ""},
	{"150", "a prompt is interrupted, or there is nobody to ask", ""},
	{"151", "variables of the environment that want less security", ""},
	{"153", "a command in a damaged or half-present vault", ""},
	{"154", "init where there is a vault", ""},
	{"155", "help, errors and crashes that could tell a secret", ""},
	{"156", "names, sizes and pastes that could break the screen", ""},
	{"157", "a secret that is typed into the screen", ""},
	{"158", "the clipboard", ""},
	{"159", "two people change the same thing", ""},
	{"160", "the vault, its key or the disk goes away under the screen", ""},

	{"F1", "kill -9 at any system call of any command that writes", ""},
	{"F2", "the power goes", ""},
	{"F3", "the disk is full or broken, at any call", ""},
	{"F4", "the disk reports an error after all was written", ""},
	{"F5", "a directory or a file is read only", ""},
	{"F6", "the file was cut", ""},
	{"F7", "the file is damaged anywhere", ""},
	{"F8", "the file is no vault, or another one", ""},
	{"F9", "the key is another one", ""},
	{"F10", "the keyring's entry was deleted", ""},
	{"F11", "the keyring is locked, absent, silent, slow, or says something else", ""},
	{"F12", "the clock jumps", ""},
	{"F13", "two daemons", ""},
	{"F14", "sixty-four processes at once", ""},
	{"F15", "sixty-four passphrases at once", ""},
	{"F16", "one reads while another writes", ""},
	{"F18", "a signal at any time", ""},
	{"F19", "a process is stopped, and continued a minute later", ""},
	{"F20", "few descriptors, little memory", ""},
	{"F21", "a client of the daemon stops reading", ""},
	{"F22", "the audit log goes away", ""},
	{"F23", "a crash while the key is changed", ""},
	{"F24", "the vault is of a later version", ""},
	{"F25", "a panic in the daemon", ""},
	{"F26", "the file is copied while it is written", ""},
}

// Every peril has a test, or a reason why not.
func TestPerilsAreTested(t *testing.T) {
	t.Parallel()
	tested := perilTests(t)
	for _, p := range perils {
		switch where := tested[p.name]; {
		case where == "" && p.why == "":
			t.Errorf("no test is about %s: %s", p.name, p.text)
		case where != "" && p.why != "":
			t.Logf("%s is about %s: take away that it is of %s", where, p.name, p.why)
		}
	}
	for name, where := range tested {
		if strings.HasPrefix(name, "F") && name != "F17" && !slices.ContainsFunc(perils[:], func(p peril) bool { return p.name == name }) {
			t.Errorf("%s is about %s, which is no peril", where, name)
		}
	}
}

var (
	// testComment is the comment above a test, or one in a script.
	testComment = regexp.MustCompile(`(?m)((?:^//.*\n)+)^func (?:Test|Fuzz)|^(#.*)$`)
	// namedPerils are what a comment names: "Case 105, 109.", "Cases 52 to 54".
	namedPerils = regexp.MustCompile(`\b(?:Cases?|Faults?) ((?:F?\d+(?:, | to | and )?)+)`)
	onePeril    = regexp.MustCompile(`F?\d+`)
	perilRange  = regexp.MustCompile(`(\d+) to (\d+)`)
	// numberedTest is a test that has a case's number in its name.
	numberedTest = regexp.MustCompile(`(?m)^func TestCase(\d{3})`)
)

// perilTests returns for each peril a file with a test that is about it.
func perilTests(t *testing.T) map[string]string {
	t.Helper()
	tested := map[string]string{}
	root := os.DirFS("..")
	err := fs.WalkDir(root, ".", func(path string, e fs.DirEntry, err error) error {
		script := strings.HasPrefix(path, "ui/testdata/") && filepath.Ext(path) == ".txtar"
		if err != nil || e.IsDir() || !script && !strings.HasSuffix(path, "_test.go") {
			return err
		}
		b, err := fs.ReadFile(root, path)
		if err != nil {
			return err
		}
		for _, name := range perilsOf(string(b), script) {
			tested[name] = path
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return tested
}

// perilsOf returns what the comments of a file name.
func perilsOf(content string, script bool) (names []string) {
	for _, m := range testComment.FindAllStringSubmatch(content, -1) {
		comment := strings.ReplaceAll(m[1], "\n// ", " ")
		if script {
			comment = m[2]
		}
		for _, list := range namedPerils.FindAllStringSubmatch(comment, -1) {
			names = append(names, onePeril.FindAllString(list[1], -1)...)
			for _, r := range perilRange.FindAllStringSubmatch(list[1], -1) {
				from, _ := strconv.Atoi(r[1])
				to, _ := strconv.Atoi(r[2])
				for n := from; n <= to; n++ {
					names = append(names, fmt.Sprint(n))
				}
			}
		}
	}
	for _, m := range numberedTest.FindAllStringSubmatch(content, -1) {
		names = append(names, strings.TrimLeft(m[1], "0"))
	}
	return names
}

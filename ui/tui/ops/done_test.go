package ops_test

import (
	"os/exec"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"aivault/ui/tui/ops"
)

// A shell reads the words of a line as they are. Checklist 38.
func FuzzLine(f *testing.F) {
	for _, seed := range []string{"plain", "", "a b", "it's", `"\$HOME`, "`id`", "$(id)", "-n", "~root", "a\nb", "!x", "é…", "\\", "''", "#c", "*", "{a,b}", "x=y", "\x1b[0m"} {
		f.Add(seed, "b c")
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		if strings.ContainsRune(a+b, 0) {
			t.Skip("no argument of a program can hold it")
		}
		want := []string{a, b, "end"}
		words := ops.Line(append([]string{"printf", `%s\0`}, want...))
		out, err := exec.Command("sh", "-c", words.String()).Output()
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(strings.Split(strings.TrimSuffix(string(out), "\x00"), "\x00"), want); diff != "" {
			t.Errorf("%s (-shell +words):\n%s", words, diff)
		}
	})
}

package neutral_test

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"aivault/ui/neutral"
)

// What is neutral stays as it is, and nothing that drives a terminal passes.
func FuzzNeutral(f *testing.F) {
	for _, seed := range []string{"", "plain\ttext\r\n", "\x1b[31m", "\x9b", "\u009b\u202e\u2066\u200b\ufeff\U000e0041", "鍵\xff", "\r"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		out := neutral.Text(s)
		if strings.ContainsFunc(out, neutral.Drives) || !utf8.ValidString(out) {
			t.Errorf("%q became %q", s, out)
		}
		if again := neutral.Text(out); again != out {
			t.Errorf("%q became %q, and then %q", s, out, again)
		}
		quoted, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		safe := neutral.JSON(string(quoted))
		var before, after string
		if err := json.Unmarshal([]byte(safe), &after); err != nil || json.Unmarshal(quoted, &before) != nil || before != after {
			t.Errorf("%s became %s: %v", quoted, safe, err)
		}
		if strings.ContainsFunc(safe, neutral.Drives) {
			t.Errorf("%s has what drives a terminal", safe)
		}
	})
}

package invoke

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"aivault/broker"
	"aivault/ui/tui/task"
	"aivault/ui/tui/theme"
	"aivault/ui/tui/view"
	"aivault/vault"
)

func TestKindOf(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		media, body string
		cut         bool
		want        kind
	}{
		"nothing":                   {"application/json", "", false, kindNone},
		"JSON":                      {"application/json", `{"a":1}`, false, kindJSON},
		"JSON of another name":      {"", ` [1]`, false, kindJSON},
		"JSON that was cut off":     {"application/json", `[1`, true, kindText},
		"valid, but not all":        {"application/json", `1`, true, kindText},
		"several values":            {"application/x-ndjson", "{}\n{}\n", false, kindText},
		"text":                      {"text/plain", "é", false, kindText},
		"a character that is cut":   {"", "ab\xe4\xb8", true, kindText},
		"Latin-1 that says it":      {"text/plain", "\xe9t\xe9", false, kindText},
		"Latin-1 that does not":     {"application/x", "\xe9t\xe9", false, kindBinary},
		"zero bytes in a text":      {"", "a\x00b", false, kindBinary},
		"escape sequences":          {"", "\x1b[1mbold", false, kindText},
		"a picture":                 {"image/png", "\x89PNG\r\n\x1a\n\x00", false, kindBinary},
		"what calls itself a text":  {"text/plain", "\x89PNG\r\n\x1a\n\x00", false, kindBinary},
		"what calls itself a error": {"application/problem+json", "\xff\x00", false, kindBinary},
	} {
		if got := kindOf(c.media, []byte(c.body), !c.cut); got != c.want {
			t.Errorf("%s: kind %d, want %d", name, got, c.want)
		}
	}
}

// A service cannot have a body become many times as long.
func TestPrettyIsBounded(t *testing.T) {
	t.Parallel()
	const deep = 4000
	for name, body := range map[string]string{
		"deep":          strings.Repeat("[", deep) + strings.Repeat("]", deep),
		"deep and long": strings.Repeat("[", deep) + strings.Repeat("1,", keep/2) + "1" + strings.Repeat("]", deep),
	} {
		if !json.Valid([]byte(body)) {
			t.Fatalf("%s: the test has no JSON", name)
		}
		if out, ok := pretty([]byte(body)); ok {
			t.Errorf("%s: it became %d bytes", name, len(out))
		}
	}
	if _, ok := pretty([]byte(strings.Repeat("[", 9) + strings.Repeat("]", 9))); !ok {
		t.Error("what is nested a little is not indented")
	}
}

// A call that is filled in again, as from the history, is the same call.
func FuzzRequest(f *testing.F) {
	f.Add("/v1/items?a=b c", "X-A: 1\nX-B=2", "{\r\n\t\"a\": \"\u00e9\"}", "1.5s", "shop", "acme-main")
	f.Add("  /  ", "X: a: b ", "\x00\xff", "90", "", "")
	f.Fuzz(func(t *testing.T, path, headers, body, timeout, workspace, credential string) {
		clock := func() time.Time { return time.Time{} }
		host := &view.Host{Theme: theme.New(theme.Options{}), Now: clock, Tasks: task.NewTracker(t.Context(), clock)}
		d := &broker.Description{Capability: broker.Capability{ID: "acme/items", Allow: vault.Allow{Methods: []string{"GET", "POST"}}}}
		editor := func(c broker.Call) *request { return newRequest(host, d, c, &suggestions{}, nil) }
		r := editor(broker.Call{Capability: d.ID, Method: "POST"})
		r.path.SetValue(path)
		r.headers.SetValue(headers)
		r.body.SetValue(body)
		r.timeout.SetValue(timeout)
		r.workspace.SetValue(workspace)
		r.lends.SetValue(credential)
		call, field, _ := r.parse()
		if field != nil {
			return
		}
		again := editor(call)
		if again.changed() {
			t.Error("what was filled in counts as changed")
		}
		if diff := cmp.Diff(call, again.clean); diff != "" {
			t.Errorf("another call is filled in (-was +is):\n%s", diff)
		}
	})
}

// Whatever a body is, it is shown, and indented it has the same tokens.
func FuzzBody(f *testing.F) {
	for _, s := range []string{`{"a":[1,2.50e10,"\u00e9"],"b":{}}`, "data: x\n\ndata", "\x00\x01", `"\\"`, `[[[]]]`, " 1 ", `{"a:b,c[":1}`} {
		f.Add("application/json", []byte(s))
	}
	f.Fuzz(func(t *testing.T, media string, body []byte) {
		k := kindOf(media, body, true)
		if k == kindBinary {
			for _, line := range hexLines(body, 8) {
				if len(line) > 36 {
					t.Errorf("a line of a hex view is %d cells wide", len(line))
				}
			}
			return
		}
		if got := strings.Join(textLines(body), "\n"); utf8.Valid(body) && !strings.Contains(got, "\r") && got != strings.TrimSuffix(string(body), "\n") && !bytes.Contains(body, []byte("\r\n")) {
			t.Errorf("%q shows as %q", body, got)
		}
		if k != kindJSON {
			return
		}
		out, ok := pretty(body)
		if !ok {
			return
		}
		if n := indentedSize(body); len(out) > n {
			t.Errorf("%q has %d bytes indented, and was to have %d at most", body, len(out), n)
		}
		var before, after bytes.Buffer
		if json.Compact(&before, body) != nil || json.Compact(&after, out) != nil || before.String() != after.String() {
			t.Errorf("%q became %q", body, out)
		}
	})
}

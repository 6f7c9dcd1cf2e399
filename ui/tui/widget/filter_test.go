package widget_test

import (
	"errors"
	"strings"
	"testing"

	"aivault/keys/fault"
	"aivault/ui/tui/widget"
)

// Checklist 33, 34.
func TestFilter(t *testing.T) {
	t.Parallel()
	// A row: its text, and its fields as words.
	type row struct{ text, fields string }
	stripe := row{"stripe_api_key pays vault:secret:x http://a.example", "ws:web-shop group:payments pinned:"}
	openai := row{"openai_api_key two words", "ws:infra shadowed:"}
	for _, tc := range []struct {
		q      string
		stripe bool
		openai bool
	}{
		{"", true, true},
		{"  ", true, true},
		{"API", true, true},
		{"api pays", true, false},
		{"pays stripe", true, false},
		{"!pays", false, true},
		{"!pays !openai", false, false},
		{"!", true, true},
		{`"two words"`, false, true},
		{`!"two words"`, true, false},
		{`"two words`, false, true}, // not closed yet
		{`""`, true, true},
		{"ws:web-shop", true, false},
		{"WS:Web-Shop", true, false},
		{`ws:"web-shop"`, true, false},
		{"!ws:web-shop", false, true},
		{"ws:", true, true}, // not typed yet
		{"ws:infra key", false, true},
		{"ws:web-shop group:payments api", true, false},
		{"pinned", true, false},
		{"!pinned", false, true},
		{"shadowed api", false, true},
		{`"pinned"`, false, false}, // the word
		{"pinne", false, false},
		{"ws", false, false}, // a word, that neither text has
		{"vault:secret:x", true, false},
		{"http://a", true, false},
		{`"x http:"`, true, false},
	} {
		f, err := widget.ParseFilter(tc.q, []string{"ws:", "group:", "pinned", "shadowed"})
		if err != nil {
			t.Errorf("%q: %v", tc.q, err)
			continue
		}
		match := func(r row) bool {
			return f.Match(r.text, func(name, value string) bool {
				for w := range strings.FieldsSeq(r.fields) {
					if strings.TrimSuffix(name, ":")+":"+value == w {
						return true
					}
				}
				return false
			})
		}
		if got := [2]bool{match(stripe), match(openai)}; got != [2]bool{tc.stripe, tc.openai} {
			t.Errorf("%q lets through %v, not %v", tc.q, got, [2]bool{tc.stripe, tc.openai})
		}
	}
}

// A field that is not known is reported, never ignored.
//
// Checklist 34.
func TestFilterUnknownField(t *testing.T) {
	t.Parallel()
	for _, q := range []string{"foo:", "foo:bar", "api !foo:bar", "pinned:yes", `foo:"a:b"`, "Foo:x"} {
		_, err := widget.ParseFilter(q, []string{"ws:", "pinned"})
		var e *fault.Error
		if !errors.As(err, &e) || e.Code != fault.InvalidRequest || !strings.Contains(e.Hint, "ws:, pinned") {
			t.Errorf("%q: %v", q, err)
		}
	}
	if _, err := widget.ParseFilter("foo:", nil); err == nil {
		t.Error("a field in a list that has none is no error")
	}
}

// A filter without parts lets everything through, and one in quotes finds what
// has it.
func FuzzFilter(f *testing.F) {
	for _, q := range []string{"", "a b", `!"x y" ws:z`, `"`, `!!`, "ws:", ":", "::", "漢:字"} {
		f.Add(q)
	}
	f.Fuzz(func(t *testing.T, q string) {
		none := func(string, string) bool { return false }
		if filter, err := widget.ParseFilter(q, []string{"ws:", "pinned"}); err == nil && filter.Any() && !filter.Match("", none) {
			t.Errorf("%q has no parts and hides something", q)
		}
		if strings.Contains(q, `"`) {
			return
		}
		filter, err := widget.ParseFilter(`"`+q+`"`, nil)
		if err != nil || !filter.Match("before "+strings.ToLower(q)+" after", none) {
			t.Errorf("%q in quotes does not find itself: %v", q, err)
		}
		filter, err = widget.ParseFilter(`!"`+q+`"`, nil)
		if err != nil || filter.Match(strings.ToLower(q), none) && q != "" {
			t.Errorf("%q is found where it is excluded: %v", q, err)
		}
	})
}

// Checklist 33.
func TestFilterLine(t *testing.T) {
	t.Parallel()
	f := widget.NewFilterLine(themes()["dumb"], "ws:", "pinned")
	if f.Shows() || f.Typing() || f.Clear() {
		t.Error("a closed line is not closed")
	}
	if took, _ := f.KeyMsg(keyMsg("a")); took {
		t.Error("a closed line took a key")
	}
	f.Open()
	f.SetCount(128, 128)
	typed := func(keys ...string) (changed bool) {
		for _, k := range keys {
			_, c := f.KeyMsg(keyMsg(k))
			changed = changed || c
		}
		return changed
	}
	check := func(what, view, say string) {
		t.Helper()
		got := strings.Join(strings.Fields(f.View(90)), " ")
		if got != view || f.Say() != say {
			t.Errorf("%s: shows %q, says %q; want %q, %q", what, got, f.Say(), view, say)
		}
	}
	check("open", "/ _ 128 of 128", "filter, 128 of 128")
	if !typed("s", "k") || f.Query() != "sk" || f.Filter().Match("pk", nil) {
		t.Errorf("%q was typed", f.Query())
	}
	f.SetCount(12, 128)
	check("typing", "/ sk_ 12 of 128", "filter, 12 of 128")
	if took, _ := f.KeyMsg(keyMsg("down")); took {
		t.Error("it took a key that is the list's")
	}
	typed("enter")
	if f.Typing() || !f.Shows() {
		t.Error("enter does not keep it")
	}
	check("kept", "/ sk 12 of 128", "filter, 12 of 128")
	f.Open()
	typed(" ", "f", "o", "o", ":")
	check("an unknown field", `/ sk foo:_ ! there is no field "foo:"; fields are ws:, pinned`, `filter, there is no field "foo:"; fields are ws:, pinned`)
	if f.Err() == nil || f.Filter().Match("pk", nil) || !f.Filter().Match("sk foo", nil) {
		t.Error("while there is an error, the last filter does not hold")
	}
	typed("ctrl+w")
	f.SetCount(0, 128)
	check("no match", "/ sk _ 0 of 128, esc clears the filter", "filter, 0 of 128, esc clears the filter")
	if !typed("esc") || f.Shows() || !f.Filter().Any() || f.Err() != nil || f.Say() != "" {
		t.Error("esc does not clear it")
	}
	f.Set("pinned")
	if f.Typing() || f.Query() != "pinned" || !f.Clear() || f.Query() != "" {
		t.Error("what was set is not kept, or not cleared")
	}
}

package form_test

import (
	"strings"
	"testing"

	tea "github.com/charmbracelet/bubbletea"
	"github.com/google/go-cmp/cmp"

	"aivault/keys/fault"
	"aivault/ui/tui/form"
)

// Case 158.
func TestText(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ what, first, typed, want string }{
		{"typed", "", "STRIPE KEY", "STRIPE KEY"},
		{"in the middle", "ad", "<left>bc", "abcd"},
		{"backspace and delete", "abcd", "<left><backspace><delete>", "ab"},
		{"word away", "one two", "<ctrl+w>", "one "},
		{"all away", "one two", "<ctrl+u>", ""},
		{"the rest away", "one two", "<home><right><ctrl+k>", "o"},
		{"what no keyboard sends as text", "a", "<alt+x>", "a"},
		{"no clipboard of our own", "a", "<ctrl+v>", "a"},
	} {
		f := form.NewText(plain(), "Name", test.first)
		for _, k := range press(test.typed) {
			if cmd, _ := f.Key(k); cmd != nil {
				t.Errorf("%s: a key runs a command", test.what)
			}
		}
		if got := f.Value(); got != test.want {
			t.Errorf("%s: %q, want %q", test.what, got, test.want)
		}
		if got := f.Dirty(); got != (test.want != test.first) {
			t.Errorf("%s: dirty is %v", test.what, got)
		}
	}
}

func TestTextTakesAPasteAsOneLine(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ what, pasted, want, says string }{
		{"a line", "STRIPE_KEY\n", "STRIPE_KEY", ""},
		{"of Windows", "STRIPE_KEY\r\n", "STRIPE_KEY", ""},
		{"two", "a\nb", "a b", ""},
		{"controls", "a\x1b[31mb", "a[31mb", "1 character of the paste left out: control characters, or more than fits"},
		{"too much", strings.Repeat("x", 30), strings.Repeat("x", 20), "10 characters of the paste left out: control characters, or more than fits"},
	} {
		f := form.NewText(plain(), "Name", "")
		f.SetLimit(20)
		k := paste(test.pasted)
		f.Key(k)
		if got := f.Value(); got != test.want {
			t.Errorf("%s: %q, want %q", test.what, got, test.want)
		}
		if got := f.Error(); got != test.says {
			t.Errorf("%s: it says %q", test.what, got)
		}
		if string(k.Runes) != test.pasted {
			t.Errorf("%s: the message was changed", test.what)
		}
	}
	f := form.NewText(plain(), "Name", strings.Repeat("x", 20))
	f.SetLimit(20)
	f.Key(press("y")[0])
	if f.Error() != "it holds no more than 20 characters" || f.Dirty() {
		t.Errorf("a key too much: %q", f.Error())
	}
}

func TestSuggestions(t *testing.T) {
	t.Parallel()
	suggest := func(typed string) []string {
		var out []string
		for _, s := range []string{"stripe", "strava", "slack"} {
			if strings.HasPrefix(s, typed) {
				out = append(out, s)
			}
		}
		return out
	}
	for _, test := range []struct{ what, keys, want, say string }{
		{"none is taken by itself", "st<enter>", "st", "st"},
		{"shown", "s", "s", "s, 3 suggestions"},
		{"under the cursor", "s<down><down>", "s", "s, suggested: strava"},
		{"taken", "s<down><down><enter>", "strava", "strava"},
		{"up leaves them", "s<down><up><enter>", "s", "s"},
		{"no further than the last", "s<down><down><down><down><enter>", "slack", "slack"},
		{"typing on", "s<down>l", "sl", "sl, 1 suggestion"},
		{"what is there already", "slack", "slack", "slack"},
	} {
		f := form.NewText(plain(), "Provider", "")
		f.Suggest = suggest
		for _, k := range press(test.keys) {
			f.Key(k)
		}
		if f.Value() != test.want || f.Say() != test.say {
			t.Errorf("%s: %q, says %q", test.what, f.Value(), f.Say())
		}
	}
	// The key that goes on takes what is under the cursor, once; esc closes.
	f := form.NewText(plain(), "Provider", "")
	f.Suggest = suggest
	changes := 0
	both := form.New(newHost(t, plain()), "Form", f, form.NewText(plain(), "Other", ""))
	for _, k := range press("s<down>") {
		both.Key(k)
	}
	if view := bare(both.View(40, 10)); !strings.Contains(view, "▸ stripe") || !strings.Contains(view, "  slack") {
		t.Errorf("it shows\n%s", view)
	}
	f.OnChange = func() tea.Cmd { changes++; return nil }
	both.Next()
	if f.Value() != "stripe" || both.Focused() != form.Field(f) || changes != 1 {
		t.Errorf("tab left %q, and told %d changes", f.Value(), changes)
	}
	both.Next()
	if both.Focused() == form.Field(f) {
		t.Error("a second tab stays")
	}
	both.Prev()
	for _, k := range press("<ctrl+u>s<down>") {
		both.Key(k)
	}
	if both.Prev(); f.Value() != "s" || both.Focused() == form.Field(f) {
		t.Errorf("going back takes %q", f.Value())
	}
}

func TestEscapeClosesSuggestionsFirst(t *testing.T) {
	t.Parallel()
	f := form.NewText(plain(), "Provider", "")
	f.Suggest = func(string) []string { return []string{"stripe"} }
	all := form.New(newHost(t, plain()), "Form", f)
	all.Key(press("s")[0])
	if cmd := all.Cancel(); cmd != nil || strings.Contains(bare(all.View(40, 5)), "stripe") {
		t.Error("esc closed more, or less, than the suggestions")
	}
	if len(run(all.Cancel())) != 1 {
		t.Error("the next one asks nothing")
	}
}

func TestList(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		typed string
		want  []string
	}{
		{"", nil},
		{"a, b,c  a", []string{"a", "b", "c"}},
		{"GET,POST", []string{"GET", "POST"}},
		{`"a b",c"d "e ""f"`, []string{"a b", `c"d`, `e "f`}},
		{`"" a "b c`, []string{"a", "b c"}},
	} {
		f := form.NewList(plain(), "Methods")
		for _, k := range press(test.typed) {
			f.Key(k)
		}
		if diff := cmp.Diff(test.want, f.Words()); diff != "" {
			t.Errorf("%q (-want +got):\n%s", test.typed, diff)
		}
	}
	f := form.NewList(plain(), "Hosts", "a.test")
	f.Each = func(w string) error {
		if strings.HasSuffix(w, ".test") {
			return nil
		}
		return fault.New(fault.InvalidRequest, "%s is no host", w).WithHint("end it in .test")
	}
	f.Suggest = func(typed string) []string { return []string{typed + ".test"} }
	f.Key(paste("\nb.test\nc"))
	if err := f.Check(); err == nil || err.Error() != "c is no host" {
		t.Errorf("Check: %v", err)
	}
	for _, k := range press("<down><enter>") {
		f.Key(k)
	}
	if diff := cmp.Diff([]string{"a.test", "b.test", "c.test"}, f.Words()); diff != "" || f.Check() != nil {
		t.Errorf("completing the last word (-want +got):\n%s", diff)
	}
	words := []string{"x", "y z", `"q"`, "a,b"}
	f.SetWords(words...)
	if diff := cmp.Diff(words, f.Words()); diff != "" || f.Dirty() || f.Value() != `x "y z" """q""" "a,b"` {
		t.Errorf("words put in, %s (-want +got):\n%s", f.Value(), diff)
	}
}

// Checklist 19, 22, 23: the cursor shows without colour and without attributes,
// and nothing that is typed drives the terminal.
func TestTextShows(t *testing.T) {
	t.Parallel()
	f := form.NewText(plain(), "Name", "abc\u202edef")
	if got := bare(f.View(20, true)); got != `abc\u202edef_       ` {
		t.Errorf("it shows %q", got)
	}
	for _, k := range press("<home><right>") {
		f.Key(k)
	}
	if got := bare(f.View(20, true)); got != `a_bc\u202edef       ` {
		t.Errorf("in the middle: %q", got)
	}
	// A window follows the cursor in what is longer than it.
	if got := bare(f.View(6, true)); got != "a_bc\\u" {
		t.Errorf("in a window: %q", got)
	}
	f.Key(press("<end>")[0])
	if got := bare(f.View(6, true)); got != "2edef_" {
		t.Errorf("at its end: %q", got)
	}
	f.Key(press("<home>")[0])
	if got := bare(f.View(6, true)); got != "_abc\\u" {
		t.Errorf("and back at its beginning: %q", got)
	}
	none := looks()["none"]
	f = form.NewText(none, "Name", "e\u0301x")
	for _, k := range press("<home><right>") {
		f.Key(k)
	}
	if got := f.View(5, true)[0]; !strings.Contains(got, "\x1b[7m\u0301x") {
		t.Errorf("on an accent: %q", got)
	}
	f = form.NewText(none, "Name", "abc")
	if view := f.View(8, true)[0]; !strings.Contains(view, "\x1b[7m") || hasColour(view) {
		t.Errorf("without colour: %q", view)
	}
}

func TestTextClick(t *testing.T) {
	t.Parallel()
	f := form.NewText(plain(), "Name", "a日本c")
	f.View(20, true)
	f.Click(3, 0)
	f.Key(press("x")[0])
	if f.Value() != "a日x本c" {
		t.Errorf("the click was at %q", f.Value())
	}
	f.Suggest = func(string) []string { return []string{"one", "two"} }
	f.Key(press("y")[0])
	f.View(20, true)
	f.Click(4, 2)
	if f.Value() != "two" {
		t.Errorf("clicked a suggestion, got %q", f.Value())
	}
}

// Words that have what separates words come back as they were.
func TestListQuotes(t *testing.T) {
	t.Parallel()
	words := []string{"plain", "two words", "a,b", `"quoted"`, `in"side`, `a "b" c`, `,""`, "é"}
	f := form.NewList(plain(), "Aliases", words...)
	if diff := cmp.Diff(words, f.Words()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for typed, want := range map[string][]string{
		`a "b c`: {"a", "b c"}, `"a"b, c`: {"a", "b", "c"}, `"" a`: {"a"}, `"`: nil, ` , `: nil, `""""`: {`"`},
	} {
		f.SetValue(typed)
		if diff := cmp.Diff(want, f.Words()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", typed, diff)
		}
	}
}

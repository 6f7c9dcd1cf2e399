package widget_test

import (
	"fmt"
	"strings"
	"testing"

	tea "github.com/charmbracelet/bubbletea"
	"github.com/google/go-cmp/cmp"

	"aivault/ui/tui/action"
	"aivault/ui/tui/view"
	"aivault/ui/tui/widget"
)

var _ view.Screen = (*widget.Picker)(nil)

// picked is the message of a test's choice.
type picked struct{ key string }

func newPicker(choices ...widget.Choice) *widget.Picker {
	return widget.NewPicker(themes()["mono"], "Commands", choices, func(key string) tea.Cmd { return view.Send(picked{key}) })
}

// sent runs a command and returns the messages that come of it.
func sent(cmd tea.Cmd) []tea.Msg {
	if cmd == nil {
		return nil
	}
	batch, ok := cmd().(tea.BatchMsg)
	if !ok {
		return []tea.Msg{cmd()}
	}
	var out []tea.Msg
	for _, c := range batch {
		out = append(out, sent(c)...)
	}
	return out
}

func commands() []widget.Choice {
	return []widget.Choice{
		{Key: "rotate", Title: "Rotate the secret", Hint: "r", Note: "give it a new value"},
		{Key: "delete", Title: "Delete the secret", Hint: "D", Off: "nothing is selected"},
		{Key: "attach", Title: "Attach: share secrets with groups", Hint: "a"},
		{Key: "secrets", Title: "Secrets", Hint: "1"},
	}
}

func typeInto(p *widget.Picker, s string) {
	for _, r := range s {
		p.Key(keyMsg(string(r)))
	}
}

// titles are what a picker shows, without its first and last line.
func titles(p *widget.Picker) []string {
	var out []string
	for _, line := range plain(p.View(90, 12))[1:11] {
		if line = strings.TrimLeft(line, "▸ "); line != "" {
			title, _, _ := strings.Cut(line, "  ")
			out = append(out, title)
		}
	}
	return out
}

// Checklist 30, 31.
func TestPickerFilters(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		typed string
		want  []string
	}{
		{"", []string{"Rotate the secret", "Delete the secret", "Attach: share secrets with groups", "Secrets"}},
		{"secret", []string{"Secrets", "Rotate the secret", "Delete the secret", "Attach: share secrets with groups"}},
		{"NEW value", []string{"Rotate the secret"}},
		{"rts", []string{"Rotate the secret", "Secrets", "Attach: share secrets with groups"}}, // letters in their order
		{"share groups", []string{"Attach: share secrets with groups"}},
		{"xyz", []string{"nothing matches what is typed"}},
	} {
		p := newPicker(commands()...)
		typeInto(p, tc.typed)
		if diff := cmp.Diff(tc.want, titles(p)); diff != "" {
			t.Errorf("%q (-want +got):\n%s", tc.typed, diff)
		}
	}
}

func TestPickerShows(t *testing.T) {
	t.Parallel()
	p := newPicker(commands()[:2]...)
	typeInto(p, "th")
	want := []string{
		"> th", "▸ Rotate the secret           give it a new value  r", "  Delete the secret           nothing is selected  D", "", "2 of 2 choices",
	}
	if diff := cmp.Diff(want, plain(p.View(53, 5))); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if w, h := p.Size(120, 40); w != 84 || h != 8 {
		t.Errorf("it likes to be %dx%d", w, h)
	}
	if w, h := p.Size(40, 6); w > 40 || h > 6 {
		t.Errorf("it likes to be %dx%d in 40x6", w, h)
	}
}

func TestPickerPicks(t *testing.T) {
	t.Parallel()
	p := newPicker(commands()...)
	p.Key(keyMsg("down"))
	if got := sent(p.Key(keyMsg("enter"))); got != nil {
		t.Errorf("a choice that is off came to %v", got)
	}
	if got := plain(p.View(60, 8))[7]; got != "! nothing is selected" {
		t.Errorf("it says %q instead of why", got)
	}
	if want := "Delete the secret, row 2 of 4, cannot be chosen: nothing is selected"; p.Say() != want {
		t.Errorf("it says %q, not %q", p.Say(), want)
	}
	p.Key(keyMsg("down"))
	if got := plain(p.View(60, 8))[7]; got != "4 of 4 choices" {
		t.Errorf("it goes on saying %q", got)
	}
	check := func(what string, cmd tea.Cmd, want ...tea.Msg) {
		t.Helper()
		if got := sent(cmd); fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%s comes to %v, not %v", what, got, want)
		}
	}
	check("enter", p.Key(keyMsg("enter")), view.CloseMsg{Screen: p}, picked{"attach"})
	check("esc", p.Key(keyMsg("esc")), view.CloseMsg{Screen: p})
	click := tea.MouseMsg{X: 5, Y: 1, Button: tea.MouseButtonLeft}
	check("a click", p.Mouse(click))
	check("a click on what is selected", p.Mouse(click), view.CloseMsg{Screen: p}, picked{"rotate"})
	for _, b := range p.Actions() {
		want := []tea.Msg{view.CloseMsg{Screen: p}}
		if b.ID == action.Open {
			want = append(want, picked{"rotate"})
		}
		check(string(b.ID), b.Run(), want...)
	}
	typeInto(p, "xyz")
	check("enter without a match", p.Key(keyMsg("enter")))
	if b := p.Actions()[0]; b.Off == "" || !p.Captures() || p.Load() != nil || p.Title() != "Commands" {
		t.Errorf("without a match: %+v", b)
	}
	p.Close()
}

// What was typed can be a choice of its own, a paste is one line, and what is
// selected stays when the choices are read again.
func TestPickerFree(t *testing.T) {
	t.Parallel()
	p := newPicker(widget.Choice{Key: "shop", Title: "web-shop"}, widget.Choice{Key: "infra", Title: "infra"})
	p.Free = func(s string) (widget.Choice, bool) {
		return widget.Choice{Key: "new:" + s, Title: "new workspace " + s}, s != "infra"
	}
	p.Key(tea.KeyMsg{Type: tea.KeyRunes, Runes: []rune("my\nown"), Paste: true})
	if diff := cmp.Diff([]string{"new workspace my own"}, titles(p)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got := sent(p.Key(keyMsg("enter"))); len(got) != 2 || got[1] != (picked{"new:my own"}) {
		t.Errorf("enter came to %v", got)
	}
	p.Key(keyMsg("ctrl+u"))
	typeInto(p, "infra")
	if diff := cmp.Diff([]string{"infra"}, titles(p)); diff != "" {
		t.Errorf("what is there is offered again (-want +got):\n%s", diff)
	}
	p.Key(keyMsg("ctrl+u"))
	if !p.Select("infra") || p.Select("nowhere") {
		t.Error("a choice cannot be selected")
	}
	p.Select("infra")
	p.SetChoices([]widget.Choice{{Key: "first", Title: "first"}, {Key: "shop", Title: "web-shop"}, {Key: "infra", Title: "infra"}})
	if want := "infra, row 3 of 3"; p.Say() != want {
		t.Errorf("it says %q, not %q", p.Say(), want)
	}
}

// What is typed can be edited anywhere in the line.
func TestPickerEdits(t *testing.T) {
	t.Parallel()
	p := newPicker()
	for _, tc := range []struct{ keys, want string }{
		{"a b c", "abc"},
		{"left left x", "axbc"},
		{"home y end z", "yaxbcz"},
		{"backspace", "yaxbc"},
		{"ctrl+a delete", "axbc"},
		{"right ctrl+k", "a"},
		{"delete", "a"},
		{"ctrl+e b", "ab"},
		{"ctrl+a ctrl+u backspace", "ab"},
		{"end ctrl+w", ""},
		{"tab", ""},
	} {
		for k := range strings.FieldsSeq(tc.keys) {
			p.Key(keyMsg(k))
		}
		if got := strings.TrimPrefix(plain(p.View(40, 3))[0], ">"); strings.TrimSpace(got) != tc.want {
			t.Errorf("after %s there is %q, not %q", tc.keys, got, tc.want)
		}
	}
	p.Key(tea.KeyMsg{Type: tea.KeyRunes, Runes: []rune("x"), Alt: true})
	typeInto(p, strings.Repeat("long ", 200)+"end")
	got := plain(p.View(40, 3))[0]
	if strings.Contains(got, "x") || !strings.HasSuffix(got, "long l") {
		t.Errorf("of a long text it shows %q", got)
	}
}

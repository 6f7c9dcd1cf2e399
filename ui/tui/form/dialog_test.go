package form_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	tea "github.com/charmbracelet/bubbletea"

	"aivault/keys/fault"
	"aivault/ui/tui/action"
	"aivault/ui/tui/form"
	"aivault/ui/tui/view"
)

var (
	_ view.Screen = (*form.Choose)(nil)
	_ view.Screen = (*form.TypedConfirm)(nil)
	_ view.Screen = (*form.Message)(nil)
	_ view.Sized  = (*form.TypedConfirm)(nil)
)

// drive gives keys to a screen as the root does: actions first, then Key. It
// returns what the last one sent.
func drive(s view.Screen, typed string) (out []tea.Msg) {
	for _, k := range press(typed) {
		out = nil
		if b, ok := action.Find(s.Actions(), k.String()); ok && b.Off == "" {
			out = run(b.Run())
			continue
		}
		out = run(s.Key(k))
	}
	return out
}

// deleting asks whether to delete something, and counts how often it is done.
func deleting(done *int) form.Question {
	return form.Question{
		Title: "Delete", Ask: "Delete STRIPE_KEY of web-shop?",
		Consequences: []string{"stripe/charges.list stops working", "It cannot be taken back"},
		Yes:          "Delete", Danger: true,
		Do: func() tea.Cmd { *done++; return view.Send("deleted") },
	}
}

// Checklist 54: Cancel has the focus, neither enter nor a letter nor a paste
// destroys anything, and what follows is said.
func TestConfirm(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		what, keys string
		done       int
		closed     bool
	}{
		{"enter", "<enter>", 0, true},
		{"esc", "<esc>", 0, true},
		{"letters", "yYdD y", 0, false},
		{"the other button", "<tab><enter>", 1, true},
		{"the arrows too", "<right><enter>", 1, true},
		{"and back", "<right><left><enter>", 0, true},
		{"around", "<tab><tab><enter>", 0, true},
		{"twice", "<right><enter><enter><enter>", 1, false},
	} {
		done := 0
		d := form.NewConfirm(newHost(t, plain()), deleting(&done))
		if d.Say() != "Delete, button Cancel, 1 of 2" {
			t.Errorf("%s: it begins at %q", test.what, d.Say())
		}
		out := drive(d, test.keys)
		closed := len(out) > 0 && out[0] == tea.Msg(view.CloseMsg{Screen: d})
		if done != test.done || closed != test.closed {
			t.Errorf("%s: done %d times, closed %v", test.what, done, closed)
		}
	}
	done := 0
	d := form.NewConfirm(newHost(t, plain()), deleting(&done))
	d.Key(keys()["right"])
	if d.Key(paste("\n")) != nil || done != 0 {
		t.Error("a paste presses a button")
	}
	shown := bare(d.View(50, 8))
	for _, want := range []string{"Delete STRIPE_KEY of web-shop?", "! stripe/charges.list stops working", "! It cannot be taken back", "[Cancel] ▸ [Delete]"} {
		if !strings.Contains(shown, want) {
			t.Errorf("it does not show %q:\n%s", want, shown)
		}
	}
}

// Checklist 54: the name is typed before what many things depend on goes.
func TestTypedConfirm(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		what, name, keys string
		done             int
		closed           bool
		say              string
	}{
		{"enter at once", "KEY", "<enter>", 0, false, "what was typed is not KEY"},
		{"esc", "KEY", "KEY<esc>", 0, true, ""},
		{"the name is not enough", "KEY", "KEY<enter>", 0, false, "Delete, button Delete, 2 of 2"},
		{"the name, then the button", "KEY", "KEY<enter><enter>", 1, true, ""},
		{"and once", "KEY", "KEY<enter><enter><enter>", 1, false, ""},
		{"another name", "KEY", "KEYS<enter>", 0, false, "what was typed is not KEY"},
		{"in other letters", "KEY", "key<enter>", 0, false, "what was typed is not KEY"},
		{"tab goes to Cancel", "KEY", "KEY<tab><enter>", 0, true, ""},
		{"the button without the name", "KEY", "K<tab><tab><enter>", 0, false, "what was typed is not KEY"},
		{"back to the name", "KEY", "K<tab><tab><tab>EY<enter><enter>", 1, true, ""},
		{"composed otherwise", "é", "e\u0301<enter><enter>", 1, true, ""},
		{"as it shows", "a\x1bb", `a\x1bb<enter><enter>`, 1, true, ""},
		{"no name", "", "<tab><tab><enter>", 1, true, ""},
	} {
		done := 0
		d := form.NewTypedConfirm(newHost(t, plain()), deleting(&done), test.name)
		out := drive(d, test.keys)
		closed := len(out) > 0 && out[0] == tea.Msg(view.CloseMsg{Screen: d})
		if done != test.done || closed != test.closed || test.say != "" && d.Say() != test.say {
			t.Errorf("%s: done %d times, closed %v, %q", test.what, done, closed, d.Say())
		}
	}
	done := 0
	d := form.NewTypedConfirm(newHost(t, plain()), deleting(&done), "KEY")
	d.Key(paste("KEY\n"))
	if done != 0 || d.Say() != "name typed, enter goes to the button" {
		t.Errorf("a pasted name: done %d times, %q", done, d.Say())
	}
	if shown := bare(d.View(50, 12)); !strings.Contains(shown, "To go on, type: KEY") || !strings.Contains(shown, "KEY_") || strings.Contains(shown, "▸") {
		t.Errorf("it shows\n%s", shown)
	}
}

// Checklist 58: what somebody else changed meanwhile is asked about.
func TestChoose(t *testing.T) {
	t.Parallel()
	did := ""
	do := func(s string) func() tea.Cmd { return func() tea.Cmd { did += s; return nil } }
	d := form.NewChoose(newHost(t, plain()), "Changed meanwhile", "Somebody renamed it.",
		form.Button{Label: "Reload", Do: do("r")}, form.Button{Label: "Overwrite", Danger: true, Do: do("o")}, form.Button{Label: "Cancel"})
	if d.Say() != "Changed meanwhile, button Cancel, 3 of 3" {
		t.Errorf("it begins at %q", d.Say())
	}
	if out := drive(d, "<left><enter>"); did != "o" || len(out) != 1 {
		t.Errorf("it did %q", did)
	}
	d = form.NewChoose(newHost(t, plain()), "Full", "No.", form.Button{Label: "Go", Do: do("g"), Off: func() string { return "not now" }})
	if out := drive(d, "<enter>"); strings.Contains(did, "g") || out != nil || d.Say() != "not now" || !strings.Contains(bare(d.View(30, 6)), "✗ not now") {
		t.Errorf("a button that is off: %q, %v", did, out)
	}
}

func TestDialogTakesTheMouse(t *testing.T) {
	t.Parallel()
	for _, w := range []int{60, 12} { // in one line, and one below the other
		done := 0
		d := form.NewConfirm(newHost(t, plain()), deleting(&done))
		for y, line := range strings.Split(bare(d.View(w, 12)), "\n") {
			if i := strings.Index(line, "[Delete]"); i >= 0 {
				d.Size(20, 20)
				d.Mouse(tea.MouseMsg{X: len([]rune(line[:i])), Y: y, Button: tea.MouseButtonLeft, Action: tea.MouseActionRelease})
				d.Mouse(tea.MouseMsg{X: 0, Y: 0, Button: tea.MouseButtonLeft, Action: tea.MouseActionPress})
				if done != 0 {
					t.Error("something else deletes")
				}
				d.Mouse(tea.MouseMsg{X: len([]rune(line[:i])), Y: y, Button: tea.MouseButtonLeft, Action: tea.MouseActionPress})
			}
		}
		if done != 1 {
			t.Errorf("%d cells wide: a click did it %d times", w, done)
		}
	}
}

// Checklist 69: an error is one sentence, why, and what to do next; enter shows
// the rest.
func TestMessage(t *testing.T) {
	t.Parallel()
	broken := fault.Wrap(fault.VaultBusy, errors.New("timeout after 10 s"), "another process holds the vault").WithHint("wait for it")
	for _, test := range []struct {
		what   string
		err    error
		says   []string
		hidden []string
	}{
		{"ours", broken, []string{"✗ storing KEY: another process holds the vault\n", "Because: timeout after 10 s", "Next: wait for it"}, []string{"vault_busy"}},
		{"wrapped", fmt.Errorf("outer: %w", broken), []string{"✗ storing KEY: another process holds the vault\n", "Next: wait for it"}, []string{"outer"}},
		{"of others", errors.New("EOF"), []string{"✗ storing KEY: something happened that aivault has no words for\n"}, []string{"EOF", "internal"}},
		{"controls", fault.New(fault.IO, "a\x1b[31m\u202e"), []string{`a\x1b[31m\u202e`}, []string{"\x1b", "io_error"}},
	} {
		m := form.NewMessage(newHost(t, plain()), "storing KEY", test.err, nil)
		lines := m.View(70, 12)
		for i, line := range lines {
			lines[i] = strings.TrimRight(line, " ")
		}
		shown := strings.Join(lines, "\n")
		for _, want := range test.says {
			if !strings.Contains(shown, want) {
				t.Errorf("%s: it does not say %q:\n%s", test.what, want, shown)
			}
		}
		for _, not := range test.hidden {
			if strings.Contains(shown, not) {
				t.Errorf("%s: it says %q:\n%s", test.what, not, shown)
			}
		}
		if out := drive(m, "<enter>"); out != nil {
			t.Errorf("%s: enter closes it", test.what)
		}
		if shown := bare(m.View(70, 12)); !strings.Contains(shown, "Code: "+string(fault.CodeOf(test.err))) || !strings.Contains(shown, "In full: ") || strings.Contains(shown, "\x1b") {
			t.Errorf("%s: in detail:\n%s", test.what, shown)
		}
		if out := drive(m, "<enter>"); len(out) != 1 || out[0] != tea.Msg(view.CloseMsg{Screen: m}) {
			t.Errorf("%s: a second enter: %v", test.what, out)
		}
	}
	again := 0
	m := form.NewMessage(newHost(t, plain()), "storing KEY", broken, func() tea.Cmd { again++; return nil })
	if out := drive(m, "<tab><enter>"); again != 1 || len(out) != 1 {
		t.Errorf("tried again %d times, %v", again, out)
	}
	if out := drive(m, "<esc>"); len(out) != 1 || out[0] != tea.Msg(view.CloseMsg{Screen: m}) {
		t.Errorf("esc: %v", out)
	}
}

// Checklist 13, 14: whatever the size, the buttons are there, and what does not
// fit above them scrolls.
func TestDialogsFit(t *testing.T) {
	t.Parallel()
	for name, th := range looks() {
		host, done := newHost(t, th), 0
		q := deleting(&done)
		for i := range 30 {
			q.Consequences = append(q.Consequences, fmt.Sprintf("capability 日本\u202e %d stops working", i))
		}
		for _, d := range []interface {
			view.Screen
			view.Sized
		}{
			form.NewConfirm(host, q), form.NewTypedConfirm(host, q, strings.Repeat("long", 50)),
			form.NewMessage(host, "storing", fault.New(fault.IO, "%s", strings.Repeat("bad ", 100)), func() tea.Cmd { return nil }),
		} {
			for _, size := range [][2]int{{200, 60}, {60, 20}, {36, 8}, {20, 4}, {3, 2}, {1, 1}} {
				lines := d.View(size[0], size[1])
				wantSize(t, name+" "+d.Title(), lines, size[0], size[1])
				if size[0] >= 36 && !strings.Contains(bare(lines), "[C") {
					t.Errorf("%s at %v: no button:\n%s", name, size, bare(lines))
				}
				if w, h := d.Size(size[0], size[1]); w > size[0] || h > size[1] {
					t.Errorf("it likes to be %dx%d in %v", w, h, size)
				}
			}
		}
	}
	done := 0
	q := deleting(&done)
	typed := form.NewTypedConfirm(newHost(t, plain()), q, "KEY")
	drive(typed, "KE")
	if shown := bare(typed.View(30, 4)); !strings.Contains(shown, "KE_") {
		t.Errorf("what is typed is not to be seen:\n%s", shown)
	}
	q.Consequences = []string{"first", "second", "third", "fourth", "fifth", "last"}
	d := form.NewConfirm(newHost(t, plain()), q)
	if shown := bare(d.View(30, 6)); !strings.Contains(shown, "… 5 more lines below") || strings.Contains(shown, "last") {
		t.Errorf("it shows\n%s", shown)
	}
	drive(d, "<pgdown><down><down><down><down><down>")
	if shown := bare(d.View(30, 6)); strings.Contains(shown, "more") || !strings.Contains(shown, "last") {
		t.Errorf("after scrolling\n%s", shown)
	}
}

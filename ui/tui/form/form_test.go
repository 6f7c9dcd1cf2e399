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

var _ view.Screen = (*form.Form)(nil)

// filled is a form of a secret as pages have it.
type filled struct {
	*form.Form
	name    *form.Text
	list    *form.List
	value   *form.Secret
	scope   *form.Choice
	alone   *form.Check
	body    *form.Area
	submits int
}

func newFilled(t testing.TB, host *view.Host) *filled {
	th := host.Theme
	f := &filled{
		name:  form.NewText(th, "Name", ""),
		value: form.NewSecret(th, "Value"),
		scope: form.NewChoice(
			th, "Scope", "workspace",
			form.Option{Key: "global", Label: "global", Note: "every workspace sees it"},
			form.Option{Key: "workspace", Label: "workspace"},
			form.Option{Key: "group", Label: "group", Off: "there is no group yet"},
		),
		alone: form.NewCheck(th, "Global", "covers nothing by itself, only attachments do", false),
		list:  form.NewList(th, "Aliases"),
		body:  form.NewArea(th, "Note", ""),
	}
	f.name.Validate = func(s string) error {
		if s == "" {
			return fault.New(fault.InvalidRequest, "a secret has a name").WithHint("type one")
		}
		return nil
	}
	f.name.Help = "as programs ask for it"
	f.Form = form.New(host, "New secret", f.name, f.value, f.scope, f.alone, f.list, f.body)
	f.Submit = func() tea.Cmd { f.submits++; return sent }
	return f
}

func (f *filled) press(s string) {
	for _, k := range press(s) {
		f.Key(k)
	}
}

func (f *filled) do(t testing.TB, id action.ID) tea.Cmd {
	t.Helper()
	for _, b := range f.Actions() {
		if b.ID == id {
			if b.Off != "" {
				t.Errorf("%s cannot be done: %s", id, b.Off)
			}
			return b.Run()
		}
	}
	t.Fatalf("there is no %s", id)
	return nil
}

// Checklist 26: the last line says where the focus is, in words.
func TestFormMovesTheFocus(t *testing.T) {
	t.Parallel()
	f := newFilled(t, newHost(t, plain()))
	for _, test := range []struct{ keys, say string }{
		{"", "Name, empty, field 1 of 6"},
		{"KEY", "Name, KEY, field 1 of 6"},
		{"<enter>", "Value, empty, will be masked, field 2 of 6"},
		{"abc", "Value, masked, one line, field 2 of 6"},
		{"<down>", "Scope, workspace, option 2 of 3, field 3 of 6"},
		{"<left>", "Scope, global, option 1 of 3, field 3 of 6"},
		{"<left>", "Scope, group, option 3 of 3, wrong: there is no group yet, field 3 of 6"},
		{"w", "Scope, workspace, option 2 of 3, field 3 of 6"},
		{"<enter> ", "Global, checked: covers nothing by itself, only attachments do, field 4 of 6"},
		{"<up>", "Scope, workspace, option 2 of 3, field 3 of 6"},
		{"<down><down>a b", "Aliases, a b, field 5 of 6"},
		{"<down>x<enter>y", "Note, line 2 of 2, column 2, field 6 of 6"},
	} {
		f.press(test.keys)
		if got := f.Say(); got != test.say {
			t.Errorf("%q: %q, want %q", test.keys, got, test.say)
		}
	}
	f.do(t, action.Next)
	if f.Focused() != form.Field(f.name) {
		t.Errorf("after the last field: %s", f.Say())
	}
	f.do(t, action.Prev)
	if f.Focused() != form.Field(f.body) || f.submits != 0 {
		t.Errorf("before the first: %s", f.Say())
	}
}

// Checklist 56, 57: what is not right is said where it is, the first such field
// has the focus, a save is sent once, and one that fails loses nothing.
func TestFormSaves(t *testing.T) {
	t.Parallel()
	f := newFilled(t, newHost(t, plain()))
	f.Focus(f.list)
	f.press("a")
	f.do(t, action.Apply)
	if f.submits != 0 || f.Focused() != form.Field(f.name) {
		t.Errorf("%d submits of an empty form, focus %s", f.submits, f.Say())
	}
	shown := bare(f.View(60, 16))
	for _, want := range []string{"✗ a secret has a name; type one", "✗ nothing was typed yet"} {
		if !strings.Contains(shown, want) {
			t.Errorf("it does not say %q:\n%s", want, shown)
		}
	}
	f.press("KEY")
	f.Focus(f.value)
	f.Key(paste("made-up\nvalue"))
	for range 3 {
		f.do2(action.Apply)
	}
	f.press("<enter>more")
	if f.submits != 1 || !f.Sending() {
		t.Errorf("%d submits", f.submits)
	}
	if !strings.Contains(bare(f.View(60, 16)), "under way") || f.Say() != "under way, please wait" {
		t.Error("it does not say that it is under way")
	}
	f.Failed(fault.New(fault.AlreadyExists, "KEY exists here"), f.name)
	if f.Focused() != form.Field(f.name) || f.Say() != "Name, KEY, wrong: KEY exists here, field 1 of 6" {
		t.Errorf("a failure of a field: %s", f.Say())
	}
	if got := string(f.value.Value().Reveal()); got != "made-up\nvalue" || f.list.Value() != "a" || !f.Dirty() {
		t.Errorf("after a failure the value has %d bytes", len(got))
	}
	f.press("2")
	f.do(t, action.Apply)
	f.Failed(fault.New(fault.VaultBusy, "another process holds the vault").WithHint("try again"), nil)
	if shown := bare(f.View(60, 16)); f.submits != 2 || !strings.Contains(shown, "✗ another process holds the vault; try again") {
		t.Errorf("a failure of no field, after %d submits:\n%s", f.submits, shown)
	}
	f.do(t, action.Apply)
	f.Done()
	if f.Dirty() || !f.value.Empty() || f.submits != 3 {
		t.Error("after success something is left")
	}
	f.do2(action.Apply)
	if f.press("x<enter>"); f.submits != 3 {
		t.Error("it saves again")
	}
}

// do2 does an action whether it can be done or not, as a key that was typed
// ahead does.
func (f *filled) do2(id action.ID) {
	for _, b := range f.Actions() {
		if b.ID == id {
			b.Run()
		}
	}
}

func TestFormThatSendsNothing(t *testing.T) {
	t.Parallel()
	host := newHost(t, plain())
	name := form.NewText(host.Theme, "Name", "")
	f := form.New(host, "Form", name)
	calls := 0
	f.Submit = func() tea.Cmd { calls++; return nil }
	f.Key(keys()["enter"])
	f.Key(keys()["enter"])
	if calls != 2 || f.Sending() {
		t.Errorf("%d calls, sending %v", calls, f.Sending())
	}
}

// Checklist 56: a form in which something was typed asks before it closes.
func TestFormCancels(t *testing.T) {
	t.Parallel()
	f := newFilled(t, newHost(t, plain()))
	if m := run(f.do(t, action.Cancel)); len(m) != 1 || m[0] != (view.CloseMsg{Screen: f.Form}) {
		t.Errorf("an empty form: %v", m)
	}
	f.Owner = f
	f.press("K")
	m := run(f.do(t, action.Cancel))
	ask, ok := m[0].(view.DialogMsg)
	if !ok {
		t.Fatalf("a dirty form: %v", m)
	}
	if shown := bare(ask.Screen.View(50, 5)); !strings.Contains(shown, "Throw away what you typed?") || !strings.Contains(shown, "▸ [Go on typing]") {
		t.Errorf("it asks\n%s", shown)
	}
	if m := run(ask.Screen.Key(keys()["enter"])); len(m) != 1 || m[0] != run(view.Close(ask.Screen))[0] {
		t.Errorf("enter at once: %v", m)
	}
	ask = run(f.do(t, action.Cancel))[0].(view.DialogMsg)
	ask.Screen.Key(keys()["right"])
	if m := run(ask.Screen.Key(keys()["enter"])); len(m) != 2 || m[1] != (view.CloseMsg{Screen: f}) {
		t.Errorf("throwing away: %v", m)
	}
	f.value.Key(paste("made-up"))
	f.Close()
	if !f.value.Empty() {
		t.Error("closing leaves the value")
	}
}

func TestFormCancelsWhatIsUnderWay(t *testing.T) {
	t.Parallel()
	f := newFilled(t, newHost(t, plain()))
	f.press("K")
	f.value.Key(paste("made-up"))
	f.do(t, action.Apply)
	for _, b := range f.Actions() {
		if b.Off == "" {
			t.Errorf("%s is offered", b.ID)
		}
	}
	if f.Cancel() != nil || !f.Sending() {
		t.Error("a write was given up")
	}
	aborted := false
	f.Abort = func() tea.Cmd { aborted = true; return nil }
	f.do(t, action.Cancel)
	if !aborted || f.Sending() || f.value.Empty() {
		t.Error("it was not given up, or the value is lost")
	}
}

func TestFormForgets(t *testing.T) {
	t.Parallel()
	f := newFilled(t, newHost(t, plain()))
	f.press("K")
	f.value.Key(paste("made-up"))
	f.Forget("the vault was locked")
	if !f.value.Empty() || f.value.Error() != "the vault was locked" || f.name.Value() != "K" || f.name.Error() != "" {
		t.Error("it forgot more or less than the value")
	}
}

func TestFormChangesItsFields(t *testing.T) {
	t.Parallel()
	f := newFilled(t, newHost(t, plain()))
	f.Focus(f.scope)
	f.SetFields(f.name, f.scope)
	if f.Say() != "Scope, workspace, option 2 of 3, field 2 of 2" {
		t.Errorf("the focus is lost: %s", f.Say())
	}
	f.value.Key(paste("made-up"))
	f.Close()
	if !f.value.Empty() {
		t.Error("a field that is not there any more keeps its value")
	}
	f.SetFields(f.name)
	if f.Say() != "Name, empty, field 1 of 1" {
		t.Errorf("the focus is nowhere: %s", f.Say())
	}
}

// What is wrong shows when the field is left, not while it is typed.
func TestFormChecksWhatIsLeft(t *testing.T) {
	t.Parallel()
	f := newFilled(t, newHost(t, plain()))
	f.do(t, action.Next)
	if f.name.Error() != "" {
		t.Errorf("passing by: %q", f.name.Error())
	}
	f.do(t, action.Prev)
	f.name.Validate = func(string) error { return errors.New("no") }
	f.press("k")
	if f.name.Error() != "" {
		t.Errorf("typing: %q", f.name.Error())
	}
	if f.press("<down>"); f.name.Error() != "no" {
		t.Errorf("leaving: %q", f.name.Error())
	}
}

func TestPick(t *testing.T) {
	t.Parallel()
	host := newHost(t, plain())
	opened := 0
	p := form.NewPick(host.Theme, "Scope", "", "", func() tea.Cmd { opened++; return sent })
	p.Validate = func(key string) error {
		if key == "" {
			return errors.New("choose a scope")
		}
		return nil
	}
	changes := 0
	p.OnChange = func() tea.Cmd { changes++; return nil }
	f := form.New(host, "Form", p)
	f.Submit = func() tea.Cmd { return sent }
	for _, k := range press("<enter>x ") {
		f.Key(k)
	}
	f.Save()
	if opened != 2 || f.Sending() || f.Say() != "Scope, empty, enter to choose, wrong: choose a scope, field 1 of 1" {
		t.Errorf("opened %d times: %s", opened, f.Say())
	}
	p.Set("g", "web\x1b/pay")
	p.Set("g", "web\x1b/pay")
	if changes != 1 || !p.Dirty() || p.Value() != "g" || p.Error() != "" {
		t.Errorf("%d changes, %q", changes, p.Error())
	}
	for _, w := range []int{60, 12, 3} {
		wantSize(t, fmt.Sprint("pick ", w), p.View(w, true), w, 1)
	}
	if got := strings.TrimSpace(bare(p.View(40, false))); got != `web\x1b/pay` {
		t.Errorf("it shows %q", got)
	}
}

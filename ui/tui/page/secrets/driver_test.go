package secrets_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	tea "github.com/charmbracelet/bubbletea"
	"github.com/charmbracelet/x/ansi"

	"aivault/broker"
	"aivault/broker/registry"
	"aivault/keys/opaque"
	"aivault/ui/app"
	"aivault/ui/tui/action"
	"aivault/ui/tui/ops"
	"aivault/ui/tui/page/secrets"
	"aivault/ui/tui/task"
	"aivault/ui/tui/text"
	"aivault/ui/tui/theme"
	"aivault/ui/tui/view"
	"aivault/vault"
	"aivault/vault/vaulttest"
)

// A backend is a vault with its broker, in this process.
type backend struct {
	vault.Vault
	broker.Service
}

// A driver shows the page as the root does: keys go to the dialog on top or the
// page, and what they ask for is done before the next one.
type driver struct {
	t       testing.TB
	be      app.Backend
	host    *view.Host
	page    view.Screen
	dialogs []view.Screen
	timers  []task.Timer
	now     time.Time
	w, h    int

	asked []tea.Msg // what only other screens can answer
	toast []string
	fails []error
	retry func() tea.Cmd // of the last one
	undo  *ops.Undo
	never []string // what must not show: values
}

// newBackend returns a vault with its broker.
func newBackend(t testing.TB, now func() time.Time) app.Backend {
	t.Helper()
	reg := registry.Builtin()
	o := vaulttest.Options(vaulttest.Dir(t))
	o.Claims, o.CheckValue, o.Now = reg, broker.CheckValue(reg), now
	l := vault.New(o)
	b := broker.New(broker.Config{Store: l, Registry: reg, Version: "test", Now: now})
	t.Cleanup(func() {
		b.Close()
		l.Close()
	})
	return backend{l, b}
}

// newDriver returns a driver whose vault has what fill puts into it.
func newDriver(t testing.TB, fill func(d *driver)) *driver {
	t.Helper()
	d := &driver{t: t, now: time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC), w: 120, h: 36}
	d.be = newBackend(t, func() time.Time { return d.now })
	if fill != nil {
		fill(d)
	}
	d.show(theme.New(theme.Options{Colour: theme.TrueColour, Dark: true}))
	return d
}

// show makes the page, and loads it.
func (d *driver) show(th *theme.Theme) {
	now := func() time.Time { return d.now }
	d.host = &view.Host{
		Backend: d.be, Theme: th, Now: now,
		Tasks: task.NewTracker(context.Background(), now), Touched: func() {},
	}
	d.page = secrets.New(d.host)
	d.do(d.page.Load())
	d.rest()
}

// store puts a secret into the vault, behind the page's back.
func (d *driver) store(path, name string) vault.Secret {
	d.t.Helper()
	s, err := d.be.CreateSecret(context.Background(), vault.NewSecret{Name: name, Scope: scope(d.t, path), Value: opaque.New([]byte("CANARY-" + name))})
	if err != nil {
		d.t.Fatal(err)
	}
	return s
}

func scope(t testing.TB, path string) vault.Scope {
	t.Helper()
	w, g, _ := strings.Cut(path, "/")
	s, err := vault.NewScope(w, g)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func (d *driver) attach(s vault.Secret, path string) {
	d.t.Helper()
	if _, _, err := d.be.AttachGroup(context.Background(), s.ID, scope(d.t, path).GroupRef(), 0); err != nil {
		d.t.Fatal(err)
	}
}

// find returns the secret of a name in a scope; false if there is none.
func (d *driver) find(path, name string) (vault.Secret, bool) {
	d.t.Helper()
	sc := scope(d.t, path)
	list, err := d.be.Secrets(context.Background(), &sc)
	if err != nil {
		d.t.Fatal(err)
	}
	for _, s := range list {
		if s.Name == name {
			return s, true
		}
	}
	return vault.Secret{}, false
}

// do runs a command, and what comes of it.
func (d *driver) do(cmd tea.Cmd) {
	if cmd == nil {
		return
	}
	switch msg := cmd().(type) {
	case nil:
	case tea.BatchMsg:
		for _, c := range msg {
			d.do(c)
		}
	case task.Msg:
		d.do(msg.Apply())
	case task.Timer:
		d.timers = append(d.timers, msg)
	default:
		d.message(msg)
	}
}

func (d *driver) message(msg tea.Msg) {
	switch msg := msg.(type) {
	case view.DialogMsg:
		d.dialogs = append(d.dialogs, msg.Screen)
		d.do(msg.Screen.Load())
	case view.CloseMsg:
		if i := slices.Index(d.dialogs, msg.Screen); i >= 0 {
			d.dialogs = slices.Delete(d.dialogs, i, i+1)
			msg.Screen.Close()
		}
	case view.DoneMsg:
		d.toast = append(d.toast, msg.Done.Text)
		d.undo = msg.Done.Undo
		d.reload()
	case view.NoteMsg:
		d.toast = append(d.toast, msg.Text)
	case view.FailMsg:
		d.fails, d.retry = append(d.fails, msg.Err), msg.Retry
	case view.ContextMsg:
		d.host.Context = msg.Context
	case view.LineMsg:
	default:
		d.asked = append(d.asked, msg)
	}
}

// reload loads what shows, as after a change.
func (d *driver) reload() {
	for _, s := range d.dialogs {
		d.do(s.Load())
	}
	d.do(d.page.Load())
}

// rest lets time pass until nothing more is to come.
func (d *driver) rest() {
	for len(d.timers) > 0 {
		t := d.timers[0]
		d.timers = d.timers[1:]
		d.do(t.Fire.Apply())
	}
}

func (d *driver) top() view.Screen {
	if n := len(d.dialogs); n > 0 {
		return d.dialogs[n-1]
	}
	return d.page
}

// keys presses keys, one after the other, by their names.
func (d *driver) keys(names ...string) *driver {
	d.t.Helper()
	for _, name := range names {
		d.key(keyNamed(name))
		d.rest()
		d.check()
	}
	return d
}

// typed types a text.
func (d *driver) typed(s string) *driver {
	d.t.Helper()
	for _, r := range s {
		k := tea.KeyMsg{Type: tea.KeyRunes, Runes: []rune{r}}
		if r == ' ' {
			k.Type = tea.KeySpace
		}
		d.key(k)
		d.rest()
	}
	d.check()
	return d
}

func (d *driver) paste(s string) *driver {
	d.t.Helper()
	d.do(d.top().Key(tea.KeyMsg{Type: tea.KeyRunes, Runes: []rune(s), Paste: true}))
	d.rest()
	d.check()
	return d
}

// key does what a key means, as the root has it.
func (d *driver) key(k tea.KeyMsg) {
	top := d.top()
	edits := k.Type == tea.KeyRunes || k.Type == tea.KeySpace || k.Type == tea.KeyBackspace
	if !top.Captures() || !edits {
		if b, ok := action.Find(top.Actions(), k.String()); ok {
			if b.Off != "" {
				d.toast = append(d.toast, b.Off)
			} else {
				d.do(b.Run())
			}
			return
		}
	}
	d.do(top.Key(k))
}

func keyNamed(name string) tea.KeyMsg {
	named := map[string]tea.KeyType{
		"enter": tea.KeyEnter, "esc": tea.KeyEsc, "tab": tea.KeyTab, "shift+tab": tea.KeyShiftTab, "up": tea.KeyUp, "down": tea.KeyDown,
		"left": tea.KeyLeft, "right": tea.KeyRight, "home": tea.KeyHome, "end": tea.KeyEnd, "backspace": tea.KeyBackspace,
		"ctrl+s": tea.KeyCtrlS, "ctrl+u": tea.KeyCtrlU, "ctrl+d": tea.KeyCtrlD, "pgup": tea.KeyPgUp, "pgdown": tea.KeyPgDown,
	}
	if t, ok := named[name]; ok {
		return tea.KeyMsg{Type: t}
	}
	if name == " " {
		return tea.KeyMsg{Type: tea.KeySpace, Runes: []rune{' '}}
	}
	return tea.KeyMsg{Type: tea.KeyRunes, Runes: []rune(name)}
}

// check holds what is true of every frame.
func (d *driver) check() {
	d.t.Helper()
	d.frame(d.page, d.w, d.h)
	for _, s := range d.dialogs {
		w, h := min(d.w-4, 76), min(d.h-5, 18)
		if sized, ok := s.(view.Sized); ok {
			w, h = sized.Size(d.w-4, d.h-5)
		}
		d.frame(s, w, h)
	}
}

func (d *driver) frame(s view.Screen, w, h int) {
	d.t.Helper()
	lines := s.View(w, h)
	if len(lines) != h {
		d.t.Errorf("%s has %d lines in %dx%d", s.Title(), len(lines), w, h)
	}
	for i, line := range lines {
		plain := ansi.Strip(line)
		if n := text.Width(plain); n > w || n < w && s == d.page {
			d.t.Errorf("%s, line %d has %d cells in %dx%d: %q", s.Title(), i, n, w, h, plain)
		}
		if strings.ContainsFunc(plain, func(r rune) bool { return r < ' ' || r >= 0x7f && r < 0xa0 }) {
			d.t.Errorf("%s, line %d has a control character: %q", s.Title(), i, plain)
		}
	}
	shown := strings.Join(lines, "\n") + s.Say() + s.Title()
	for _, v := range append(d.never, "CANARY-") {
		if strings.Contains(shown, v) {
			d.t.Errorf("%s shows a value", s.Title())
		}
	}
}

// screen is what shows, the dialog on top below the page.
func (d *driver) screen() string {
	d.t.Helper()
	lines := d.page.View(d.w, d.h)
	if n := len(d.dialogs); n > 0 {
		w, h := min(d.w-4, 76), min(d.h-5, 18)
		if sized, ok := d.top().(view.Sized); ok {
			w, h = sized.Size(d.w-4, d.h-5)
		}
		lines = append(lines, d.top().Title())
		lines = append(lines, d.top().View(w, h)...)
	}
	return ansi.Strip(strings.Join(lines, "\n"))
}

// want fails unless all of it shows, or is said.
func (d *driver) want(parts ...string) *driver {
	d.t.Helper()
	s := d.screen() + "\n" + d.top().Say() + "\n" + strings.Join(d.toast, "\n")
	for _, part := range parts {
		if !strings.Contains(squash(s), squash(part)) {
			d.t.Errorf("%q does not show:\n%s", part, s)
		}
	}
	return d
}

// wantNot fails if any of it shows.
func (d *driver) wantNot(parts ...string) *driver {
	d.t.Helper()
	s := d.screen() + "\n" + d.top().Say()
	for _, part := range parts {
		if strings.Contains(squash(s), squash(part)) {
			d.t.Errorf("%q shows:\n%s", part, s)
		}
	}
	return d
}

// squash makes runs of spaces one, so that columns do not matter.
func squash(s string) string { return strings.Join(strings.Fields(s), " ") }

// said is the last toast.
func (d *driver) said() string {
	if len(d.toast) == 0 {
		return ""
	}
	return d.toast[len(d.toast)-1]
}

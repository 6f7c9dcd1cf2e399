package audit_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	tea "github.com/charmbracelet/bubbletea"
	"github.com/charmbracelet/x/ansi"

	"aivault/broker"
	"aivault/broker/registry"
	"aivault/keys/fault"
	"aivault/ui/app"
	"aivault/ui/tui/action"
	"aivault/ui/tui/page/audit"
	"aivault/ui/tui/task"
	"aivault/ui/tui/text"
	"aivault/ui/tui/theme"
	"aivault/ui/tui/view"
	"aivault/vault"
	"aivault/vault/vaulttest"
)

// A backend is a vault with its broker, in this process, whose audit log may be
// another one.
type backend struct {
	vault.Vault
	broker.Service
	audit  func(context.Context, vault.AuditQuery) ([]vault.Event, error)
	verify func(context.Context) (vault.AuditState, error)
}

func (b backend) Audit(ctx context.Context, q vault.AuditQuery) ([]vault.Event, error) {
	if b.audit != nil {
		return b.audit(ctx, q)
	}
	return b.Vault.Audit(ctx, q)
}

func (b backend) VerifyAudit(ctx context.Context) (vault.AuditState, error) {
	if b.verify != nil {
		return b.verify(ctx)
	}
	return b.Vault.VerifyAudit(ctx)
}

// A driver shows the page as the root does: keys go to the dialog on top or the
// page, and what they ask for is done before the next one.
type driver struct {
	t       testing.TB
	dir     string
	local   *vault.Local
	be      app.Backend
	host    *view.Host
	page    view.Screen
	dialogs []view.Screen
	timers  []task.Timer
	now     time.Time
	w, h    int

	asked []tea.Msg // what only other screens can answer
	notes []string
	fails []error
	lines []string
}

// newDriver returns a driver of a vault that fill puts something into.
func newDriver(t testing.TB, fill func(d *driver)) *driver {
	t.Helper()
	d := &driver{t: t, dir: vaulttest.Dir(t), now: time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC), w: 140, h: 36}
	now := func() time.Time { return d.now }
	reg := registry.Builtin()
	o := vaulttest.Options(d.dir)
	o.Claims, o.CheckValue, o.Now = reg, broker.CheckValue(reg), now
	d.local = vault.New(o)
	b := broker.New(broker.Config{Store: d.local, Registry: reg, Version: "test", Now: now})
	t.Cleanup(func() {
		b.Close()
		d.local.Close()
	})
	d.be = backend{Vault: d.local, Service: b}
	if fill != nil {
		fill(d)
	}
	d.show()
	return d
}

// show makes the page, and loads it.
func (d *driver) show() {
	now := func() time.Time { return d.now }
	d.host = &view.Host{
		Backend: d.be, Theme: theme.New(theme.Options{Colour: theme.TrueColour, Dark: true}), Now: now,
		Tasks: task.NewTracker(context.Background(), now), Touched: func() {},
	}
	d.page = audit.New(d.host)
	d.do(d.page.Load())
	d.rest()
}

// store puts a secret into the vault: an event.
func (d *driver) store(name string) vault.Secret {
	d.t.Helper()
	return vaulttest.Create(d.t, d.local, vault.GlobalScope(), name, "CANARY-"+name)
}

// begin begins a call, and returns the number of its event.
func (d *driver) begin(capability string, s vault.Secret, c vault.Context) uint64 {
	d.t.Helper()
	grant, err := d.local.Authorize(context.Background(), func(vault.Reader) (vault.Decision, error) {
		return vault.Decision{Event: vault.Event{
			Capability: capability, Workspace: c.Workspace, Group: c.Group, Consumer: c.Consumer, Actor: "operator",
			Method: "GET", Host: "api.acme.test", Path: "/v1/" + capability, Secret: s.ID, Credential: "acme-main",
		}}, nil
	})
	if err != nil {
		d.t.Fatal(err)
	}
	return grant.Intent
}

// end ends a call.
func (d *driver) end(intent uint64, status int) {
	d.t.Helper()
	e := vault.Event{Outcome: vault.OutcomeOK, Status: status, Duration: 120 * time.Millisecond, ResponseBytes: 2048, Redactions: 1}
	if status == 0 {
		e = vault.Event{Outcome: vault.OutcomeError, Code: fault.Timeout, Duration: 9 * time.Second}
	}
	if err := d.local.Finish(context.Background(), intent, e); err != nil {
		d.t.Fatal(err)
	}
	if err := d.local.Flush(context.Background()); err != nil {
		d.t.Fatal(err)
	}
}

// deny has a call refused.
func (d *driver) deny(capability string) {
	d.t.Helper()
	_, err := d.local.Authorize(context.Background(), func(vault.Reader) (vault.Decision, error) {
		return vault.Decision{Event: vault.Event{Capability: capability, Actor: "agent", Workspace: "shop"}},
			fault.New(fault.PolicyViolation, "the path is not allowed")
	})
	if fault.CodeOf(err) != fault.PolicyViolation {
		d.t.Fatal(err)
	}
}

// many makes n events, at least: a secret that is attached and detached.
func (d *driver) many(n int) {
	d.t.Helper()
	s := d.store("SHARED_TOKEN")
	g := vault.GroupRef{Workspace: "shop", Group: "payments"}
	for left := n; left > 0; {
		list := make([]vault.Sharing, min(left, 50_000)/2*2+2)
		for i := range list {
			list[i] = vault.Sharing{Secret: s.ID, Group: g, Detach: i%2 == 1}
		}
		if _, err := d.local.Share(context.Background(), list); err != nil {
			d.t.Fatal(err)
		}
		left -= len(list)
	}
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
	case view.DialogMsg:
		d.dialogs = append(d.dialogs, msg.Screen)
		d.do(msg.Screen.Load())
	case view.CloseMsg:
		if i := slices.Index(d.dialogs, msg.Screen); i >= 0 {
			d.dialogs = slices.Delete(d.dialogs, i, i+1)
			msg.Screen.Close()
		}
	case view.NoteMsg:
		d.notes = append(d.notes, msg.Text)
	case view.FailMsg:
		d.fails = append(d.fails, msg.Err)
	case view.LineMsg:
		d.lines = append(d.lines, msg.Line.String())
	default:
		d.asked = append(d.asked, msg)
	}
}

// rest lets time pass until nothing more is to come.
func (d *driver) rest() {
	for len(d.timers) > 0 {
		t := d.timers[0]
		d.timers = d.timers[1:]
		d.do(t.Fire.Apply())
	}
}

// reload loads the page, as after a change.
func (d *driver) reload() *driver {
	d.do(d.page.Load())
	d.rest()
	return d
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
		d.press(named(name))
		d.rest()
		d.check()
	}
	return d
}

// typed types a text.
func (d *driver) typed(s string) *driver {
	d.t.Helper()
	for _, r := range s {
		d.press(named(string(r)))
	}
	d.rest()
	d.check()
	return d
}

// press does what a key means, as the root has it.
func (d *driver) press(k tea.KeyMsg) {
	top := d.top()
	edits := k.Type == tea.KeyRunes || k.Type == tea.KeySpace || k.Type == tea.KeyBackspace
	if !top.Captures() || !edits {
		if b, ok := action.Find(top.Actions(), k.String()); ok {
			if b.Off != "" {
				d.notes = append(d.notes, b.Off)
			} else {
				d.do(b.Run())
			}
			return
		}
	}
	d.do(top.Key(k))
}

func named(name string) tea.KeyMsg {
	all := map[string]tea.KeyType{
		"enter": tea.KeyEnter, "esc": tea.KeyEsc, "tab": tea.KeyTab, "shift+tab": tea.KeyShiftTab, "up": tea.KeyUp, "down": tea.KeyDown,
		"home": tea.KeyHome, "end": tea.KeyEnd, "ctrl+s": tea.KeyCtrlS, "ctrl+d": tea.KeyCtrlD, "ctrl+u": tea.KeyCtrlU,
		"pgup": tea.KeyPgUp, "pgdown": tea.KeyPgDown,
	}
	if t, ok := all[name]; ok {
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
	if err := frame(d.page.View(d.w, d.h), d.w, d.h); err != nil {
		d.t.Error(err)
	}
}

// frame says what is wrong with a frame of a page.
func frame(lines []string, w, h int) error {
	if len(lines) != h {
		return fmt.Errorf("%d lines in %dx%d", len(lines), w, h)
	}
	for i, line := range lines {
		plain := ansi.Strip(line)
		if n := text.Width(plain); n != w {
			return fmt.Errorf("line %d has %d cells in %dx%d: %q", i, n, w, h, plain)
		}
		if strings.Contains(plain, "CANARY") {
			return errors.New("a value shows")
		}
	}
	return nil
}

// screen is what shows, the dialog on top below the page.
func (d *driver) screen() string {
	d.t.Helper()
	lines := d.page.View(d.w, d.h)
	if n := len(d.dialogs); n > 0 {
		lines = append(lines, d.top().View(76, 24)...)
	}
	return ansi.Strip(strings.Join(lines, "\n"))
}

// want fails unless all of it shows, or is said.
func (d *driver) want(parts ...string) *driver {
	d.t.Helper()
	s := d.screen() + "\n" + d.top().Say() + "\n" + strings.Join(d.notes, "\n")
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

// squash makes runs of spaces and lines one space, so that columns and wrapping
// do not matter.
func squash(s string) string {
	return strings.Join(strings.Fields(strings.NewReplacer("│", " ", "┃", " ", "█", " ").Replace(s)), " ")
}

// say is what the line at the bottom says.
func (d *driver) say(begins string) *driver {
	d.t.Helper()
	if got := d.top().Say(); !strings.HasPrefix(got, begins) {
		d.t.Errorf("it says %q, not %q", got, begins)
	}
	return d
}

package tui_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	tea "github.com/charmbracelet/bubbletea"
	"github.com/charmbracelet/x/ansi"

	"aivault/keys"
	"aivault/ui/app"
	"aivault/ui/tui"
	"aivault/ui/tui/action"
	"aivault/ui/tui/task"
	"aivault/ui/tui/term"
	"aivault/ui/tui/text"
	"aivault/ui/tui/theme"
	"aivault/ui/tui/view"
	"aivault/vault"
)

// A fakePage is a screen that notes what reaches it.
type fakePage struct {
	title    string
	keys     []string
	loads    int
	closed   int
	captures bool
	dirty    bool
	bound    []action.Bound
	shown    []tea.Msg
}

func (p *fakePage) Title() string { return p.title }

func (p *fakePage) Load() tea.Cmd { p.loads++; return nil }

func (p *fakePage) Key(k tea.KeyMsg) tea.Cmd {
	name := k.String()
	if k.Paste {
		name = "paste " + string(k.Runes)
	}
	p.keys = append(p.keys, name)
	return nil
}

func (p *fakePage) Mouse(tea.MouseMsg) tea.Cmd { p.keys = append(p.keys, "mouse"); return nil }

func (p *fakePage) View(w, h int) []string {
	lines := make([]string, h)
	for i := range lines {
		lines[i] = text.Fit(p.title, w)
	}
	return lines
}

func (p *fakePage) Actions() []action.Bound { return p.bound }
func (p *fakePage) Captures() bool          { return p.captures }
func (p *fakePage) Say() string             { return p.title + ", row 1 of 1" }
func (p *fakePage) Close()                  { p.closed++ }
func (p *fakePage) Dirty() bool             { return p.dirty }
func (p *fakePage) Show(m tea.Msg) tea.Cmd  { p.shown = append(p.shown, m); return nil }

// A fakeVault answers what the root itself asks.
type fakeVault struct {
	app.Backend
	locks int
	state vault.State
	audit []vault.Event
}

func (v *fakeVault) Lock(context.Context) error                 { v.locks++; return nil }
func (v *fakeVault) State(context.Context) (vault.State, error) { return v.state, nil }
func (v *fakeVault) Audit(context.Context, vault.AuditQuery) ([]vault.Event, error) {
	return v.audit, nil
}

// A rig is a root with pages that note what reaches them.
type rig struct {
	*testing.T
	m     *tui.Model
	now   time.Time
	vault *fakeVault
	gate  *forgetter
	tabs  []*fakePage
	next  view.Screen // that OpenTest opens
	held  []task.Timer
	quit  bool
}

func newRig(t *testing.T) *rig {
	r := &rig{T: t, now: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), vault: &fakeVault{}, gate: &forgetter{fakePage: fakePage{title: "gate"}}}
	for _, title := range []string{"Secrets", "Capabilities", "Credentials", "Audit"} {
		r.tabs = append(r.tabs, &fakePage{title: title})
	}
	clock := func() time.Time { return r.now }
	host := &view.Host{
		Backend: r.vault, Theme: theme.New(theme.Options{}), Now: clock,
		Tasks: task.NewTracker(t.Context(), clock), Keyhole: &view.Keyhole{},
	}
	r.m = tui.New(host, tui.Pages{
		Gate: func(*view.Host) view.Screen { return r.gate },
		Tabs: func(*view.Host) []view.Screen {
			var out []view.Screen
			for _, p := range r.tabs {
				out = append(out, p)
			}
			return out
		},
		Open: func(_ *view.Host, m tea.Msg) view.Screen {
			switch m := m.(type) {
			case view.OpenWhy:
				return &fakePage{title: "Why " + m.Capability}
			case view.OpenTest:
				return r.next
			}
			return nil
		},
	}, term.Settings{})
	r.do(r.m.Init())
	r.send(tea.WindowSizeMsg{Width: 80, Height: 24})
	return r
}

// open opens the vault.
func (r *rig) open(kind keys.Kind) *rig {
	r.send(view.OpenedMsg{Status: vault.Status{Initialized: true, Provider: kind}})
	return r
}

// push puts a screen on top of the page.
func (r *rig) push(s view.Screen) {
	r.next = s
	r.send(view.OpenTest{})
}

// do runs a command and what follows from it. Timers wait.
func (r *rig) do(cmd tea.Cmd) {
	if cmd == nil {
		return
	}
	switch msg := cmd().(type) {
	case nil:
	case tea.BatchMsg:
		for _, c := range msg {
			r.do(c)
		}
	case task.Timer:
		r.held = append(r.held, msg)
	case tea.QuitMsg:
		r.quit = true
	default:
		r.send(msg)
	}
}

func (r *rig) send(msg tea.Msg) {
	_, cmd := r.m.Update(msg)
	r.do(cmd)
}

// pass lets time pass.
func (r *rig) pass(d time.Duration) {
	r.now = r.now.Add(d)
	held := r.held
	r.held = nil
	for _, t := range held {
		if t.After <= d {
			r.send(t.Fire)
		} else {
			t.After -= d
			r.held = append(r.held, t)
		}
	}
}

func (r *rig) press(names ...string) {
	for _, n := range names {
		if len(n) > 1 && !slices.Contains([]string{"esc", "enter", "tab", "right", "ctrl+c"}, n) {
			r.press(strings.Split(n, "")...)
			continue
		}
		k := tea.KeyMsg{Type: tea.KeyRunes, Runes: []rune(n)}
		switch n {
		case "esc":
			k = tea.KeyMsg{Type: tea.KeyEsc}
		case "enter":
			k = tea.KeyMsg{Type: tea.KeyEnter}
		case "tab":
			k = tea.KeyMsg{Type: tea.KeyTab}
		case "right":
			k = tea.KeyMsg{Type: tea.KeyRight}
		case "ctrl+c":
			k = tea.KeyMsg{Type: tea.KeyCtrlC}
		}
		r.send(k)
	}
}

func (r *rig) screen() string { return ansi.Strip(r.m.View()) }

func (r *rig) want(words ...string) {
	r.Helper()
	for _, w := range words {
		if !strings.Contains(r.screen(), w) {
			r.Errorf("%q is not on the screen:\n%s", w, r.screen())
		}
	}
}

func (r *rig) wantNot(words ...string) {
	r.Helper()
	for _, w := range words {
		if strings.Contains(r.screen(), w) {
			r.Errorf("%q is on the screen:\n%s", w, r.screen())
		}
	}
}

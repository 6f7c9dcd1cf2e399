// Package pagetest puts one page on a stage for a test: over a real vault with
// the built-in providers, with the little of the root that a page needs. Dialogs
// that it opens are on top of it, and what it asks the root for is kept.
package pagetest

import (
	"context"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"aivault/broker"
	"aivault/broker/registry"
	"aivault/keys/opaque"
	"aivault/ui/app"
	// It puts back the TERM that the guard hides from bubbletea's init.
	_ "aivault/ui/guard/release"
	"aivault/ui/tui/action"
	"aivault/ui/tui/ops"
	"aivault/ui/tui/task"
	"aivault/ui/tui/theme"
	"aivault/ui/tui/view"
	"aivault/vault"
	"aivault/vault/vaulttest"
)

// Canary is the value of every secret of a stage.
const Canary = "CANARY-7d41f0c2a98b"

// A Stage is a page in a test, what it sees and what it asked for.
type Stage struct {
	T    testing.TB
	Host *view.Host
	W, H int

	Screens []view.Screen // the page and the dialogs on top of it
	Done    []ops.Done
	Failed  []view.FailMsg
	Notes   []string
	Asked   []tea.Msg // everything else
	Line    ops.Line

	held []task.Timer
}

// backend joins both halves, as a session does.
type backend struct {
	vault.Vault
	broker.Service
}

// New returns a stage of 120 by 40 cells without a page.
func New(t testing.TB) *Stage {
	t.Helper()
	v := vaulttest.New(t, registry.Builtin())
	b := broker.New(broker.Config{Store: v, Registry: registry.Builtin(), Version: "test"})
	t.Cleanup(b.Close)
	s := &Stage{T: t, W: 120, H: 40}
	s.Host = &view.Host{
		Backend: backend{v, b},
		Theme:   theme.New(theme.Options{Colour: theme.TrueColour, Dark: true}),
		Now:     time.Now,
		Tasks:   task.NewTracker(t.Context(), time.Now),
		Keyhole: new(view.Keyhole),
		Touched: func() {},
	}
	return s
}

// Backend is the vault and the broker.
func (s *Stage) Backend() app.Backend { return s.Host.Backend }

// Scope is what people call a scope: "global", "web-shop", "web-shop/payments".
func (s *Stage) Scope(place string) vault.Scope {
	s.T.Helper()
	scope, err := ops.ParsePlace(place)
	if err != nil {
		s.T.Fatal(err)
	}
	return scope
}

// Secret stores a secret with the canary as its value.
func (s *Stage) Secret(name, place string) vault.Secret {
	s.T.Helper()
	sec, err := s.Backend().CreateSecret(s.T.Context(), vault.NewSecret{Name: name, Scope: s.Scope(place), Value: opaque.New([]byte(Canary))})
	if err != nil {
		s.T.Fatal(err)
	}
	return sec
}

// Attach shares a secret with a group.
func (s *Stage) Attach(id vault.ID, place string) {
	s.T.Helper()
	if _, _, err := s.Backend().AttachGroup(s.T.Context(), id, s.Scope(place).GroupRef(), 0); err != nil {
		s.T.Fatal(err)
	}
}

// Groups are the groups that a secret is attached to, in a line.
func (s *Stage) Groups(id vault.ID) string {
	s.T.Helper()
	sec, err := s.Backend().FindSecret(context.WithoutCancel(s.T.Context()), id.String())
	if err != nil {
		s.T.Fatal(err)
	}
	names := make([]string, len(sec.Attached))
	for i, g := range sec.Attached {
		names[i] = g.String()
	}
	return strings.Join(names, " ")
}

// Show puts a page on the stage and loads it.
func (s *Stage) Show(page view.Screen) {
	s.T.Helper()
	s.Screens = append(s.Screens, page)
	s.Run(page.Load())
	s.View()
}

// Top is the screen that has the keys; nil if all were closed.
func (s *Stage) Top() view.Screen {
	if len(s.Screens) == 0 {
		return nil
	}
	return s.Screens[len(s.Screens)-1]
}

// Run does a command and all that follows from it, also what waits for a time.
func (s *Stage) Run(cmd tea.Cmd) {
	s.T.Helper()
	s.settle(cmd)
	for len(s.held) > 0 {
		t := s.held[0]
		s.held = s.held[1:]
		s.settle(t.Fire.Apply())
	}
}

func (s *Stage) settle(cmd tea.Cmd) {
	if cmd == nil {
		return
	}
	switch m := cmd().(type) {
	case nil:
	case tea.BatchMsg:
		for _, c := range m {
			s.settle(c)
		}
	case task.Msg:
		s.settle(m.Apply())
	case task.Timer:
		s.held = append(s.held, m)
	case view.DialogMsg:
		s.open(m.Screen)
	case view.CloseMsg:
		s.close(m.Screen)
	case view.DoneMsg:
		s.Done = append(s.Done, m.Done)
		for _, open := range s.Screens {
			s.settle(open.Load())
		}
	case view.FailMsg:
		s.Failed = append(s.Failed, m)
	case view.NoteMsg:
		s.Notes = append(s.Notes, m.Text)
	case view.LineMsg:
		s.Line = m.Line
	default:
		s.Asked = append(s.Asked, m)
	}
}

func (s *Stage) open(screen view.Screen) {
	s.Screens = append(s.Screens, screen)
	s.settle(screen.Load())
}

func (s *Stage) close(screen view.Screen) {
	for i, open := range s.Screens {
		if open == screen || screen == nil && i == len(s.Screens)-1 {
			s.Screens = append(s.Screens[:i:i], s.Screens[i+1:]...)
			open.Close()
			return
		}
	}
}

// Keys presses keys, as the root would: an action of the screen on top, or else
// its Key. An action that is off is a note.
func (s *Stage) Keys(names ...string) {
	s.T.Helper()
	for _, name := range names {
		s.key(key(name))
		s.View()
	}
}

// Type types a text.
func (s *Stage) Type(t string) {
	s.T.Helper()
	for _, r := range t {
		k := tea.KeyMsg{Type: tea.KeyRunes, Runes: []rune{r}}
		if r == ' ' {
			k.Type = tea.KeySpace
		}
		s.key(k)
	}
	s.View()
}

func (s *Stage) key(k tea.KeyMsg) {
	s.T.Helper()
	top := s.Top()
	if top == nil {
		return
	}
	typed := top.Captures() && !k.Paste && (k.Type == tea.KeyRunes || k.Type == tea.KeySpace || k.Type == tea.KeyBackspace ||
		k.Type == tea.KeyLeft || k.Type == tea.KeyRight)
	if !typed && !k.Paste {
		if b, ok := action.Find(top.Actions(), k.String()); ok {
			if b.Off != "" {
				s.Notes = append(s.Notes, b.Off)
				return
			}
			s.Run(b.Run())
			return
		}
	}
	if k.Type == tea.KeyEsc {
		s.close(top)
		return
	}
	s.Run(top.Key(k))
}

// Shake presses keys at random, in windows of random sizes: the same for the
// same seed. After each of them the frame is looked at, as View does.
func (s *Stage) Shake(seed uint64, n int, keys ...string) {
	s.T.Helper()
	r := rand.New(rand.NewPCG(seed, 0))
	for range n {
		if r.IntN(5) == 0 {
			s.W, s.H = 24+r.IntN(110), 6+r.IntN(40)
		}
		s.Keys(keys[r.IntN(len(keys))])
	}
}

// key is a key by the name that Bubble Tea has for it.
func key(name string) tea.KeyMsg {
	for t := tea.KeyType(-60); t < 128; t++ {
		if k := (tea.KeyMsg{Type: t}); t != tea.KeyRunes && k.String() == name && name != " " {
			return k
		}
	}
	if name == "space" || name == " " {
		return tea.KeyMsg{Type: tea.KeySpace, Runes: []rune{' '}}
	}
	return tea.KeyMsg{Type: tea.KeyRunes, Runes: []rune(name)}
}

// Click clicks on a text that the screen on top shows.
func (s *Stage) Click(t string) {
	s.T.Helper()
	x, y, ok := s.find(t)
	if !ok {
		s.T.Fatalf("%q does not show", t)
	}
	s.Run(s.Top().Mouse(tea.MouseMsg{X: x, Y: y, Action: tea.MouseActionPress, Button: tea.MouseButtonLeft}))
	s.View()
}

// Wheel turns the wheel over a text that the screen on top shows.
func (s *Stage) Wheel(t string, down bool) {
	s.T.Helper()
	x, y, ok := s.find(t)
	if !ok {
		s.T.Fatalf("%q does not show", t)
	}
	button := tea.MouseButtonWheelUp
	if down {
		button = tea.MouseButtonWheelDown
	}
	s.Run(s.Top().Mouse(tea.MouseMsg{X: x, Y: y, Action: tea.MouseActionPress, Button: button}))
	s.View()
}

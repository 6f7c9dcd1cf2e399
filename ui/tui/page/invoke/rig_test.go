package invoke_test

import (
	"context"
	"math/rand/v2"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	tea "github.com/charmbracelet/bubbletea"
	"github.com/charmbracelet/x/ansi"

	"aivault/broker"
	"aivault/broker/brokertest"
	"aivault/broker/brokertest/stage"
	"aivault/broker/brokertest/upstream"
	"aivault/broker/registry"
	"aivault/keys/fault"
	"aivault/keys/opaque"
	"aivault/ui/tui"
	"aivault/ui/tui/action"
	"aivault/ui/tui/page/invoke"
	"aivault/ui/tui/task"
	"aivault/ui/tui/term"
	"aivault/ui/tui/text"
	"aivault/ui/tui/theme"
	"aivault/ui/tui/view"
	"aivault/vault"
	"aivault/vault/vaulttest"
)

// A backend is a real vault with a broker whose network is the test's.
type backend struct {
	vault.Vault
	broker.Service
	broken *atomic.Pointer[fault.Error] // what reading a capability fails with
}

func (b backend) Describe(ctx context.Context, id string) (*broker.Description, error) {
	if err := b.broken.Load(); err != nil {
		return nil, err
	}
	return b.Service.Describe(ctx, id)
}

// A rig is the program with a page of tests on it, over a real vault and a local
// service. The test is the event loop.
type rig struct {
	testing.TB
	m        *tui.Model
	host     *view.Host
	up       *upstream.Server
	vault    *vault.Local
	history  *invoke.History
	secret   string   // the value of ACME_TOKEN
	forms    [][]byte // in which a frame could show it
	id       vault.ID
	msgs     chan tea.Msg
	patience time.Duration // how long something may take
	busy     atomic.Int32  // commands that run, but for timers
	w, h     int
	frame    string
	audits   []view.ShowAudit
	broken   atomic.Pointer[fault.Error]
	held     atomic.Pointer[chan struct{}] // what connecting waits for, if there is something
}

// gate is a way in that is open.
type gate struct{ blank }

func (*gate) Say() string     { return "locked" }
func (g *gate) Load() tea.Cmd { return view.Send(view.OpenedMsg{}) }

// blank is a page with nothing on it, which keeps what it is told to show.
type blank struct{ rig *rig }

func (*blank) Title() string              { return "Secrets" }
func (*blank) Load() tea.Cmd              { return nil }
func (*blank) Key(tea.KeyMsg) tea.Cmd     { return nil }
func (*blank) Mouse(tea.MouseMsg) tea.Cmd { return nil }
func (*blank) View(_, h int) []string     { return make([]string, h) }
func (*blank) Captures() bool             { return false }
func (*blank) Actions() []action.Bound    { return nil }
func (*blank) Say() string                { return "nothing" }
func (*blank) Close()                     {}
func (b *blank) Show(m tea.Msg) tea.Cmd {
	if a, ok := m.(view.ShowAudit); ok {
		b.rig.audits = append(b.rig.audits, a)
	}
	return nil
}

// newRig returns a program over a vault with one secret, ACME_TOKEN, the
// credential acme-main and the capability acme/items, at a service that echoes
// nothing yet.
func newRig(t testing.TB) *rig {
	t.Helper()
	r := &rig{
		TB: t, up: brokertest.New(t, "api.acme.test", "api.openai.com"), vault: vaulttest.New(t, registry.Builtin()),
		history: invoke.NewHistory(), msgs: make(chan tea.Msg, 1024), patience: 10 * time.Second,
	}
	config := (&stage.Network{Upstream: r.up}).Config(r.vault)
	dial := config.Dial
	config.Dial = func(ctx context.Context, network, addr string) (net.Conn, error) {
		if hold := r.held.Load(); hold != nil {
			select {
			case <-*hold:
			case <-ctx.Done():
				return nil, ctx.Err()
			}
		}
		return dial(ctx, network, addr)
	}
	b := broker.New(config)
	t.Cleanup(b.Close)
	ctx, cancel := context.WithCancel(t.Context())
	r.secret = brokertest.Canary(t)
	r.forms = brokertest.Forms(r.secret)
	s, err := r.vault.CreateSecret(ctx, vault.NewSecret{Name: "ACME_TOKEN", Value: opaque.New([]byte(r.secret)), Scope: vault.GlobalScope()})
	if err == nil {
		_, err = b.CreateCapability(ctx, broker.NewCapability{
			ID: "acme/items", Hosts: []string{"api.acme.test"}, Methods: []string{"GET", "POST"}, Paths: []string{"/v1/items"},
		})
	}
	if err == nil {
		_, err = b.CreateCredential(ctx, broker.NewCredential{
			ID: "acme-main", Provider: "acme", Secret: s.ID, Scope: vault.GlobalScope(), Auth: stage.Bearer(), Hosts: []string{"api.acme.test"},
		})
	}
	if err != nil {
		t.Fatal(err)
	}
	r.id = s.ID
	r.host = &view.Host{
		Backend: backend{r.vault, b, &r.broken}, Theme: theme.New(theme.Options{Colour: theme.TrueColour, Dark: true}), Now: time.Now,
		Tasks: task.NewTracker(ctx, time.Now), Keyhole: &view.Keyhole{},
	}
	page := &blank{r}
	r.m = tui.New(r.host, tui.Pages{
		Gate: func(*view.Host) view.Screen { return &gate{*page} },
		Tabs: func(*view.Host) []view.Screen { return []view.Screen{page, page, page, page} },
		Open: func(h *view.Host, m tea.Msg) view.Screen {
			if o, ok := m.(view.OpenTest); ok {
				return invoke.New(h, r.history, o)
			}
			return nil
		},
	}, term.Settings{})
	t.Cleanup(func() {
		cancel() // ends what is under way, as the end of the program does
		r.idle()
	})
	r.run(r.m.Init())
	r.size(120, 40)
	r.want("nothing")
	return r
}

// open opens a test, and waits until there is something to fill in.
func (r *rig) open(o view.OpenTest) {
	r.Helper()
	r.update(o)
	r.want("Before it is sent")
	r.want("Shell")
}

// acme opens a test of acme/items.
func acme(t testing.TB) *rig {
	t.Helper()
	r := newRig(t)
	r.open(openAcme())
	return r
}

func openAcme() view.OpenTest { return view.OpenTest{Capability: "acme/items"} }

func (r *rig) size(w, h int) {
	r.w, r.h = w, h
	r.update(tea.WindowSizeMsg{Width: w, Height: h})
}

// update gives a message to the program and looks at the frame after it.
func (r *rig) update(m tea.Msg) {
	_, cmd := r.m.Update(m)
	r.run(cmd)
	r.look()
}

// run runs a command beside the event loop.
func (r *rig) run(cmd tea.Cmd) {
	if cmd == nil {
		return
	}
	r.busy.Add(1)
	go func() {
		m := cmd()
		if m == nil {
			r.busy.Add(-1)
			return
		}
		r.msgs <- m
	}()
}

// look draws a frame and checks what is true of every one.
func (r *rig) look() {
	r.Helper()
	frame := r.m.View()
	lines := strings.Split(frame, "\n")
	if len(lines) != r.h && r.w >= 40 && r.h >= 12 {
		r.Fatalf("%d lines at %dx%d", len(lines), r.w, r.h)
	}
	r.frame = ansi.Strip(frame)
	for i, line := range strings.Split(r.frame, "\n") {
		if n := text.Width(line); n > r.w {
			r.Fatalf("line %d has %d cells at %dx%d: %q", i, n, r.w, r.h, line)
		}
	}
	if strings.ContainsFunc(r.frame, func(c rune) bool { return c != '\n' && c < ' ' || c >= 0x7f && c < 0xa0 }) {
		r.Fatalf("a control character reaches the terminal:\n%q", r.frame)
	}
	for _, form := range r.forms {
		if strings.Contains(frame, string(form)) || strings.Contains(r.frame, string(form)) {
			r.Fatal("a frame shows the secret")
		}
	}
}

// settle is the event loop until something holds.
func (r *rig) settle(until func() bool, what string) {
	r.Helper()
	end := time.After(r.patience)
	for !until() {
		select {
		case m := <-r.msgs:
			switch m := m.(type) {
			case tea.BatchMsg:
				for _, cmd := range m {
					r.run(cmd)
				}
			case task.Timer:
				time.AfterFunc(m.After, func() { r.busy.Add(1); r.msgs <- m.Fire })
			default:
				r.update(m)
			}
			r.busy.Add(-1)
		case <-end:
			r.Fatalf("%s did not come; the frame is\n%s", what, r.frame)
		case <-time.After(20 * time.Millisecond): // time passes on the screen too
			r.look()
		}
	}
}

// idle waits until nothing but timers is under way.
func (r *rig) idle() {
	r.Helper()
	r.settle(func() bool { return r.busy.Load() == 0 && len(r.msgs) == 0 }, "the end of what is under way")
}

// want waits until a frame has a text.
func (r *rig) want(s string) {
	r.Helper()
	r.look()
	r.settle(func() bool { return strings.Contains(r.frame, s) }, s)
}

// without fails if the frame has a text.
func (r *rig) without(s string) {
	r.Helper()
	if strings.Contains(r.frame, s) {
		r.Errorf("%q shows:\n%s", s, r.frame)
	}
}

// named are keys that are no characters.
func named(name string) tea.KeyMsg {
	for k, s := range map[tea.KeyType]string{
		tea.KeyEnter: "enter", tea.KeyTab: "tab", tea.KeyShiftTab: "shift+tab", tea.KeyEsc: "esc", tea.KeyUp: "up", tea.KeyDown: "down",
		tea.KeyLeft: "left", tea.KeyRight: "right", tea.KeyCtrlS: "ctrl+s", tea.KeyCtrlD: "ctrl+d", tea.KeyCtrlR: "ctrl+r", tea.KeyCtrlU: "ctrl+u",
		tea.KeyCtrlC: "ctrl+c", tea.KeyBackspace: "backspace", tea.KeyEnd: "end", tea.KeyPgDown: "pgdown", tea.KeyPgUp: "pgup", tea.KeyHome: "home",
	} {
		if s == name {
			return tea.KeyMsg{Type: k}
		}
	}
	if name == " " {
		return tea.KeyMsg{Type: tea.KeySpace, Runes: []rune{' '}}
	}
	return tea.KeyMsg{Type: tea.KeyRunes, Runes: []rune(name)}
}

// key presses keys, one after the other.
func (r *rig) key(names ...string) {
	r.Helper()
	for _, name := range names {
		r.update(named(name))
	}
}

// write types a text.
func (r *rig) write(s string) {
	r.Helper()
	for _, c := range s {
		r.key(string(c))
	}
}

// said is what the last line says of the focus.
func (r *rig) said() string { return r.frame[strings.LastIndexByte(r.frame, '\n')+1:] }

// field goes to a field, from wherever the focus is.
func (r *rig) field(label string) {
	r.Helper()
	for range 24 {
		last := r.said()
		if strings.HasPrefix(last, label+",") {
			return
		}
		r.key("tab") // which may wait for what keys before it asked for
		r.settle(func() bool { return r.said() != last }, "another field than "+last)
	}
	r.Fatalf("there is no field %s:\n%s", label, r.frame)
}

// set replaces what is in a field of one line.
func (r *rig) set(label, value string) {
	r.Helper()
	r.field(label)
	r.key("end", "ctrl+u")
	r.write(value)
}

// random presses random keys, and the mouse's, at random sizes.
func (r *rig) random(n int, seed uint64) {
	keys := []string{
		"tab", "shift+tab", "enter", "up", "down", "left", "right", "ctrl+d", "ctrl+u", "backspace", "pgdown", "pgup", "home", "end",
		"ctrl+s", "ctrl+r", "a", "/", "p", "n", "N", "+", "g", "G", "j", "k", "{", "é", "世", " ", "r",
	}
	rnd := rand.New(rand.NewPCG(seed, 1))
	for range n {
		if rnd.IntN(12) == 0 {
			r.size(40+rnd.IntN(120), 12+rnd.IntN(40))
		}
		if rnd.IntN(6) == 0 {
			buttons := []tea.MouseButton{tea.MouseButtonLeft, tea.MouseButtonWheelUp, tea.MouseButtonWheelDown}
			r.update(tea.MouseMsg{X: rnd.IntN(r.w), Y: rnd.IntN(r.h), Action: tea.MouseActionPress, Button: buttons[rnd.IntN(3)]})
		}
		r.key(keys[rnd.IntN(len(keys))])
	}
}

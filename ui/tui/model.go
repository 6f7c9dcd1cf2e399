// Package tui is aivault on a terminal: a Bubble Tea program over the same vault
// and broker that the command line uses.
//
// # Structure
//
// The root ([Model]) owns what is common: the tabs, the screens on top of them,
// dialogs, the lines at the bottom, undo, and whether the vault is open. What it
// shows are screens (package view), which know the vault through view.Host and
// the root through messages; they do not know each other. Everything that takes
// time is a task (package task), so that nothing blocks the event loop.
//
//	view    the contract: Screen, Host, messages
//	action  the one list of what can be done, and by which key
//	task    work off the event loop
//	ops     changes, with their command lines and the way back
//	text    the only road of strings to the screen
//	theme   what things look like
//	widget  lists, trees, panes, viewers, pickers
//	form    forms, the secret field, dialogs
//	page    the pages, each a package
//	term    the terminal: input, signals, suspension, restoring
//	flat    the same for people whom screens do not serve
//
// Messages are routed in this order: what ends the program; the size, to all;
// results of tasks, to whoever began them; keys, to the dialog on top, a field
// that captures them, the page, and last the root.
package tui

import (
	"time"

	tea "github.com/charmbracelet/bubbletea"

	// It puts back the TERM that the guard hides from bubbletea's init.
	_ "aivault/ui/guard/release"
	"aivault/ui/tui/ops"
	"aivault/ui/tui/task"
	"aivault/ui/tui/term"
	"aivault/ui/tui/view"
	"aivault/vault"
)

// Pages makes the screens of the program, so that the root need not know how.
type Pages struct {
	// Gate makes the screen that shows until the vault is open.
	Gate func(*view.Host) view.Screen
	// Tabs makes the pages of the tabs.
	Tabs func(*view.Host) []view.Screen
	// Open makes the screen that one of view's Open messages asks for; nil for
	// another message.
	Open func(*view.Host, tea.Msg) view.Screen
}

// A Model is the root.
type Model struct {
	host  *view.Host
	pages Pages
	tasks *task.Group
	term  term.Settings

	w, h int // of the terminal; 0 until it said so

	gate    view.Screen // shown instead of everything else until the vault is open; nil then
	status  vault.Status
	kept    bool // the daemon keeps the key, for other programs, too
	tabs    []view.Screen
	tab     int
	stack   []view.Screen // on top of the tab
	dialogs []view.Screen // on top of that; the last one has the keys

	failures map[view.Screen]string // what the dialog about the last error says

	toast   toast
	undo    []ops.Undo
	line    []ops.Line // of the last action
	undoing bool

	ahead    typeahead
	watch    watch
	active   time.Time // when a key was last pressed
	shut     time.Time // when an error last closed the vault
	wished   bool      // somebody asked for the lock
	leaving  bool      // ctrl+c was pressed over something typed
	quitting bool
	busyTick bool // a timer for the next frame of a spinner is set
	touched  time.Time
}

// New returns the root of a program on a terminal with these settings.
func New(host *view.Host, pages Pages, settings term.Settings) *Model {
	m := &Model{host: host, pages: pages, tasks: host.Tasks.Group(), term: settings, active: host.Now()}
	host.Touched = func() { m.touched = host.Now() }
	return m
}

// Init implements tea.Model.
func (m *Model) Init() tea.Cmd {
	m.gate = m.pages.Gate(m.host)
	return tea.Batch(m.gate.Load(), m.look())
}

// Update implements tea.Model.
func (m *Model) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	cmd := m.update(msg)
	return m, tea.Batch(cmd, m.spin())
}

func (m *Model) update(msg tea.Msg) tea.Cmd {
	if m.quitting {
		if a, ok := msg.(answer); ok { // to quit, it may be
			return view.Send(a.msg)
		}
		return nil
	}
	switch msg := msg.(type) {
	case tea.WindowSizeMsg:
		m.w, m.h = msg.Width, msg.Height
	case task.Msg:
		return msg.Apply()
	case task.Timer:
		return tea.Tick(msg.After, func(time.Time) tea.Msg { return msg.Fire })
	case tea.KeyMsg:
		return m.inTurn(msg)
	case answer:
		return m.answered(msg)
	case tea.MouseMsg:
		return m.mouse(msg)
	case term.Suspended:
		if !msg.Worked {
			return m.say(noteToast("this terminal cannot suspend the program: nothing would wake it up"))
		}
	case term.PasteRefused:
		return m.say(noteToast(refused(msg)))
	default:
		return m.message(msg)
	}
	return nil
}

// message does what a screen asked for.
func (m *Model) message(msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case view.DialogMsg:
		if m.gate != nil { // of a page that is not there for anybody just now
			msg.Screen.Close()
			return nil
		}
		return m.dialog(msg.Screen)
	case view.CloseMsg:
		return m.close(msg.Screen)
	case view.DoneMsg:
		return m.done(msg.Done)
	case view.NoteMsg:
		return m.say(noteToast(msg.Text))
	case view.FailMsg:
		return m.fail(msg)
	case view.LineMsg:
		m.line = []ops.Line{msg.Line}
	case view.ContextMsg:
		m.host.Context = msg.Context
	case view.OpenedMsg:
		return m.opened(msg)
	case view.LockMsg:
		return m.lockNow()
	case view.ShowSecret:
		return m.show(tabSecrets, msg)
	case view.ShowCapability:
		return m.show(tabCapabilities, msg)
	case view.ShowCredential:
		return m.show(tabCredentials, msg)
	case view.ShowAudit:
		return m.show(tabAudit, msg)
	default:
		if m.gate != nil {
			return nil
		}
		if s := m.pages.Open(m.host, msg); s != nil {
			if _, ok := s.(view.Sized); ok {
				return m.dialog(s)
			}
			return m.push(s)
		}
	}
	return nil
}

// top returns the screen that has the keys.
func (m *Model) top() view.Screen {
	if n := len(m.dialogs); n > 0 {
		return m.dialogs[n-1]
	}
	return m.page()
}

// page returns the screen under the dialogs.
func (m *Model) page() view.Screen {
	if m.gate != nil {
		return m.gate
	}
	if n := len(m.stack); n > 0 {
		return m.stack[n-1]
	}
	if len(m.tabs) == 0 {
		return nil
	}
	return m.tabs[m.tab]
}

// quit ends the program, once every screen has cleaned up. Writes that are under
// way are waited for after that.
func (m *Model) quit() tea.Cmd {
	m.quitting = true
	m.closeAll()
	return tea.Quit
}

// closeAll closes every screen.
func (m *Model) closeAll() {
	for _, list := range [][]view.Screen{m.dialogs, m.stack, m.tabs} {
		for _, s := range list {
			s.Close()
		}
	}
	m.dialogs, m.stack, m.tabs = nil, nil, nil
	if m.gate != nil {
		m.gate.Close()
		m.gate = nil
	}
}

// locksItself reports whether the vault is to be locked when nobody is there:
// where its key is in somebody's head, it is asked for again. What the daemon
// keeps, others work with, and has a time of its own.
func (m *Model) locksItself() bool {
	return m.gate == nil && m.status.Provider.Typed() && !m.kept
}

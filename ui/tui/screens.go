package tui

import (
	"slices"

	tea "github.com/charmbracelet/bubbletea"

	"aivault/ui/tui/form"
	"aivault/ui/tui/view"
)

// The tabs.
const (
	tabSecrets = iota
	tabCapabilities
	tabCredentials
	tabAudit
)

// opened shows the pages.
func (m *Model) opened(o view.OpenedMsg) tea.Cmd {
	m.status, m.kept = o.Status, o.Kept
	m.watch = watch{state: o.State, since: m.host.Now()}
	m.toast = toast{}
	if m.gate == nil {
		return nil
	}
	m.gate.Close()
	m.gate = nil
	if len(m.tabs) == 0 {
		m.tabs = m.pages.Tabs(m.host)
	}
	cmd := m.reload()
	if l, ok := m.page().(view.Leaver); ok {
		cmd = tea.Batch(cmd, l.Enter())
	}
	if m.wished && !m.status.Provider.Typed() {
		cmd = tea.Batch(cmd, m.say(noteToast("no passphrase: the key was forgotten, and fetched again where it lives")))
	}
	m.wished = false
	return cmd
}

// lockNow locks the vault because somebody wants it locked. One whose key is to
// be had without anybody opens again at once, and says so.
func (m *Model) lockNow() tea.Cmd {
	m.wished = true
	return m.lock("locked")
}

// lock forgets the key. The pages stay where they were, for when the vault is
// open again; what was half typed goes.
func (m *Model) lock(why string) tea.Cmd {
	if m.gate != nil {
		return nil
	}
	if p, ok := m.page().(view.Leaver); ok {
		p.Leave()
	}
	for _, d := range m.dialogs {
		d.Close()
	}
	m.dialogs = nil
	m.undo, m.line = nil, nil
	m.ahead.drop() // what was typed for a page is no passphrase
	m.toast = noteToast(why)
	return m.locking()
}

// forget has every screen forget what must not stay while nobody sees it.
func (m *Model) forget(why string) {
	screens := slices.Concat(m.tabs, m.stack, m.dialogs)
	if m.gate != nil {
		screens = append(screens, m.gate)
	}
	for _, s := range screens {
		if f, ok := s.(view.Forgetter); ok {
			f.Forget(why)
		}
	}
}

// dialog opens a dialog.
func (m *Model) dialog(s view.Screen) tea.Cmd {
	m.dialogs = append(m.dialogs, s)
	return s.Load()
}

// push puts a screen on top of the page.
func (m *Model) push(s view.Screen) tea.Cmd {
	if p, ok := m.page().(view.Leaver); ok {
		p.Leave()
	}
	m.stack = append(m.stack, s)
	return s.Load()
}

// close closes a screen, or the one on top.
func (m *Model) close(s view.Screen) tea.Cmd {
	if s == nil {
		s = m.top()
	}
	if s == nil {
		return nil
	}
	if i := slices.Index(m.dialogs, s); i >= 0 {
		m.dialogs = slices.Delete(m.dialogs, i, i+1)
		s.Close()
		return nil
	}
	if i := slices.Index(m.stack, s); i >= 0 {
		m.stack = slices.Delete(m.stack, i, i+1)
		s.Close()
		return m.entered()
	}
	return nil
}

// entered tells the page that it shows again.
func (m *Model) entered() tea.Cmd {
	p := m.page()
	if p == nil {
		return nil
	}
	cmds := []tea.Cmd{p.Load()}
	if l, ok := p.(view.Leaver); ok {
		cmds = append(cmds, l.Enter())
	}
	return tea.Batch(cmds...)
}

// goTo shows a tab.
func (m *Model) goTo(tab int) tea.Cmd {
	if m.gate != nil || tab >= len(m.tabs) {
		return nil
	}
	if typed := m.dirty(); len(typed) > 0 {
		return m.askDiscard(typed, func() tea.Cmd { return m.goTo(tab) })
	}
	for _, s := range slices.Concat(m.dialogs, m.stack) {
		s.Close()
	}
	m.dialogs, m.stack = nil, nil
	if l, ok := m.tabs[m.tab].(view.Leaver); ok && tab != m.tab {
		l.Leave()
	}
	m.tab = tab
	return m.entered()
}

// show goes to a tab and has it select something.
func (m *Model) show(tab int, msg tea.Msg) tea.Cmd {
	if typed := m.dirty(); m.gate == nil && len(typed) > 0 {
		return m.askDiscard(typed, func() tea.Cmd { return m.show(tab, msg) })
	}
	cmd := m.goTo(tab)
	if m.gate != nil || m.tab != tab {
		return cmd
	}
	if s, ok := m.tabs[tab].(view.Shower); ok {
		return tea.Batch(cmd, s.Show(msg))
	}
	return cmd
}

// reload loads what shows. The other tabs are loaded when they show.
func (m *Model) reload() tea.Cmd {
	if m.gate != nil {
		return m.gate.Load()
	}
	var cmds []tea.Cmd
	for _, s := range slices.Concat(m.stack, m.dialogs) {
		cmds = append(cmds, s.Load())
	}
	if len(m.tabs) > 0 {
		cmds = append(cmds, m.tabs[m.tab].Load())
	}
	return tea.Batch(cmds...)
}

// dirty returns the screens, of those that a change of page would close, in
// which something is typed.
func (m *Model) dirty() []view.Screen {
	var typed []view.Screen
	for _, s := range slices.Concat(m.stack, m.dialogs) {
		if d, ok := s.(view.Dirty); ok && d.Dirty() {
			typed = append(typed, s)
		}
	}
	return typed
}

// askDiscard asks whether what was typed in screens may go. Then it closes them,
// and does something.
func (m *Model) askDiscard(typed []view.Screen, then func() tea.Cmd) tea.Cmd {
	return m.dialog(form.NewConfirm(m.host, form.Question{
		Title:  "Not saved",
		Ask:    "Throw away what you changed here?",
		Yes:    "Throw away",
		No:     "Go on",
		Danger: true,
		Do: func() tea.Cmd {
			var cmds []tea.Cmd
			for _, s := range typed {
				cmds = append(cmds, m.close(s))
			}
			return tea.Batch(append(cmds, then())...)
		},
	}))
}

// leaveTop closes the screen on top, after asking where something is typed.
func (m *Model) leaveTop() tea.Cmd {
	top := m.top()
	if len(m.dialogs) == 0 && len(m.stack) == 0 {
		return m.say(noteToast("this is the first page; q quits"))
	}
	if d, ok := top.(view.Dirty); ok && d.Dirty() {
		return m.askDiscard([]view.Screen{top}, func() tea.Cmd { return nil })
	}
	return m.close(top)
}

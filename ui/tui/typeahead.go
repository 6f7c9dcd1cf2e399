package tui

import (
	"reflect"

	tea "github.com/charmbracelet/bubbletea"

	"aivault/ui/tui/task"
)

// A typeahead keeps the keys that come before the screen is there that they are
// meant for. A key opens a form by a message, which comes back through a command;
// who types fast, or on a slow line, has typed the name by then, and the page
// would take its letters for actions.
//
// So after a key whose command begins no work, and which therefore is done at
// once, what is typed waits for its message. Work is not waited for.
type typeahead struct {
	asked int // messages that are still to come
	keys  []tea.KeyMsg
}

// maxAhead is how many keys wait at most; those that come then are lost, as in a
// terminal.
const maxAhead = 4096

// An answer is the message that keys wait for.
type answer struct{ msg tea.Msg }

// inTurn takes a key, unless it has to wait. The key that leaves never does.
func (m *Model) inTurn(k tea.KeyMsg) tea.Cmd {
	if k.Type == tea.KeyCtrlC {
		m.ahead.drop()
		return m.keys(k)
	}
	if m.ahead.asked > 0 {
		if len(m.ahead.keys) < maxAhead {
			m.ahead.keys = append(m.ahead.keys, k)
		}
		return nil
	}
	before := m.host.Tasks.Begun()
	cmd := m.keys(k)
	if m.quitting || m.host.Tasks.Begun() != before {
		return cmd
	}
	return m.ask(cmd)
}

// drop forgets the keys that wait, which may be of a value.
func (a *typeahead) drop() {
	for _, k := range a.keys {
		clear(k.Runes)
	}
	a.keys = nil
}

// ask has keys wait for the message of a command.
func (m *Model) ask(cmd tea.Cmd) tea.Cmd {
	if cmd == nil {
		return nil
	}
	m.ahead.asked++
	return func() tea.Msg { return answer{cmd()} }
}

// answered takes a message that keys waited for, and then those keys.
func (m *Model) answered(a answer) tea.Cmd {
	m.ahead.asked--
	var cmds []tea.Cmd
	switch msg := a.msg.(type) {
	case nil:
	case tea.BatchMsg:
		for _, cmd := range msg {
			cmds = append(cmds, m.ask(cmd))
		}
	case task.Msg:
		cmds = append(cmds, msg.Apply())
	case task.Timer: // for whoever keeps the time
		cmds = append(cmds, func() tea.Msg { return msg })
	default:
		if reflect.TypeOf(msg).PkgPath() == reflect.TypeFor[tea.QuitMsg]().PkgPath() { // for Bubble Tea
			cmds = append(cmds, func() tea.Msg { return msg })
		} else {
			cmds = append(cmds, m.message(msg))
		}
	}
	for m.ahead.asked == 0 && len(m.ahead.keys) > 0 && !m.quitting {
		k := m.ahead.keys[0]
		m.ahead.keys = m.ahead.keys[1:]
		cmds = append(cmds, m.inTurn(k))
	}
	return tea.Batch(cmds...)
}

package tui

import (
	tea "github.com/charmbracelet/bubbletea"

	"aivault/ui/tui/action"
	"aivault/ui/tui/term"
	"aivault/ui/tui/text"
	"aivault/ui/tui/view"
)

// keys takes one key, or a paste.
func (m *Model) keys(k tea.KeyMsg) tea.Cmd {
	m.active = m.host.Now()
	if k.Paste {
		k.Runes = lineFeeds(k.Runes)
		defer clear(k.Runes) // who takes it, copies it
		return m.paste(k)
	}
	return m.key(k)
}

// lineFeeds makes the line ends of a paste, which terminals send as carriage
// returns, line feeds: in place, as a value may be in it, of which there shall be
// no copies.
func lineFeeds(runes []rune) []rune {
	out, afterCR := runes[:0], false
	for _, r := range runes {
		if r == '\n' && afterCR {
			afterCR = false
			continue
		}
		if afterCR = r == '\r'; afterCR {
			r = '\n'
		}
		out = append(out, r)
	}
	clear(runes[len(out):])
	return out
}

// refused says why a paste did not come.
func refused(p term.PasteRefused) string {
	if p.TooLarge {
		return "the paste was dropped: it has " + text.Bytes(int64(p.Bytes)) + ", and at most 256 KB are taken"
	}
	return "the paste was dropped: it is no text"
}

// paste gives a paste to a field. Elsewhere it is dropped: its characters are no
// keys.
func (m *Model) paste(k tea.KeyMsg) tea.Cmd {
	top := m.top()
	if top == nil || !top.Captures() {
		return m.say(noteToast("nothing here takes a paste"))
	}
	return top.Key(k)
}

// key does what one key means.
func (m *Model) key(k tea.KeyMsg) tea.Cmd {
	name := k.String()
	if name == "ctrl+c" {
		return m.ctrlC()
	}
	m.leaving = false
	if m.quitting || m.small() {
		if name == "q" && !m.quitting && !m.typed() {
			return m.quit()
		}
		return nil
	}
	if name == "ctrl+z" {
		return m.suspend()
	}
	top := m.top()
	if top == nil {
		return nil
	}
	captured := top.Captures() && isText(k)
	if !captured {
		if b, ok := action.Find(top.Actions(), name); ok {
			return m.run(b)
		}
	}
	if top.Captures() {
		if name == "esc" {
			return m.leaveTop()
		}
		return top.Key(k)
	}
	if b, ok := action.Find(m.actions(), name); ok {
		return m.run(b)
	}
	return top.Key(k)
}

// isText reports whether a key is text where somebody types: a rune, a space, or
// what edits.
func isText(k tea.KeyMsg) bool {
	switch k.Type {
	case tea.KeyRunes, tea.KeySpace:
		return !k.Alt
	case tea.KeyBackspace, tea.KeyDelete, tea.KeyLeft, tea.KeyRight, tea.KeyHome, tea.KeyEnd, tea.KeyCtrlU, tea.KeyCtrlW, tea.KeyCtrlA, tea.KeyCtrlE, tea.KeyCtrlK:
		return true
	}
	return false
}

// run does an action, or says why it cannot be done now.
func (m *Model) run(b action.Bound) tea.Cmd {
	if b.Off != "" {
		return m.say(noteToast(b.Off))
	}
	if b.Run == nil {
		return nil
	}
	return b.Run()
}

// ctrlC leaves from everywhere, after one warning where something is typed.
func (m *Model) ctrlC() tea.Cmd {
	if m.typed() && !m.leaving {
		m.leaving = true
		if _, writes := m.host.Tasks.Busy(); writes > 0 {
			return m.say(noteToast("press ctrl+c again to leave; what is being saved is waited for"))
		}
		return m.say(noteToast("press ctrl+c again to leave; what you typed is lost"))
	}
	return m.quit()
}

// typed reports whether something is typed that would be lost.
func (m *Model) typed() bool {
	d, ok := m.top().(view.Dirty)
	return ok && d.Dirty() || len(m.dirty()) > 0
}

// mouse gives a mouse event to the screen under it.
func (m *Model) mouse(msg tea.MouseMsg) tea.Cmd {
	m.active = m.host.Now()
	if m.small() || m.quitting {
		return nil
	}
	f := m.frame()
	if n := len(m.dialogs); n > 0 {
		r := f.dialog
		if msg.X < r.X || msg.X >= r.X+r.W || msg.Y < r.Y || msg.Y >= r.Y+r.H {
			return nil
		}
		msg.X -= r.X
		msg.Y -= r.Y
		return m.dialogs[n-1].Mouse(msg)
	}
	if msg.Y == 0 {
		if msg.Action == tea.MouseActionPress && msg.Button == tea.MouseButtonLeft {
			for i, span := range f.tabs {
				if msg.X >= span[0] && msg.X < span[1] {
					return m.goTo(i)
				}
			}
		}
		return nil
	}
	if msg.Y > f.bodyHeight {
		return nil
	}
	msg.Y--
	return m.page().Mouse(msg)
}

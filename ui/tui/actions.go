package tui

import (
	"strings"

	tea "github.com/charmbracelet/bubbletea"

	"aivault/keys/fault"
	"aivault/ui/tui/action"
	"aivault/ui/tui/form"
	"aivault/ui/tui/ops"
	"aivault/ui/tui/task"
	"aivault/ui/tui/view"
	"aivault/ui/tui/widget"
)

// actions are those of the root, which every screen has.
func (m *Model) actions() []action.Bound {
	closed := ""
	if m.gate != nil {
		closed = "the vault is not open yet"
	}
	tab := func(id action.ID, n int) action.Bound {
		return action.Bound{ID: id, Off: closed, Hidden: true, Run: func() tea.Cmd { return m.goTo(n) }}
	}
	off := func(when bool, why string) string {
		if when {
			return why
		}
		return ""
	}
	return []action.Bound{
		{ID: action.Palette, Run: m.palette},
		{ID: action.Help, Run: m.help},
		{ID: action.Quit, Run: m.askQuit},
		{ID: action.Undo, Hidden: true, Off: off(len(m.undo) == 0, "there is nothing to take back"), Run: m.takeBack},
		{ID: action.ShowLine, Hidden: true, Off: off(len(m.line) == 0, "nothing was done yet that has a command line"), Run: m.showLine},
		{ID: action.Reload, Hidden: true, Run: m.reload},
		{ID: action.Lock, Hidden: true, Off: closed, Run: m.lockNow},
		tab(action.Tab1, tabSecrets), tab(action.Tab2, tabCapabilities), tab(action.Tab3, tabCredentials), tab(action.Tab4, tabAudit),
		{ID: action.Dismiss, Hidden: true, Off: off(m.toast.text == "", "there is no message"), Run: func() tea.Cmd { m.toast = toast{}; return nil }},
		{ID: action.Back, Hidden: true, Run: m.leaveTop},
		{ID: action.Suspend, Hidden: true, Run: m.suspend},
		{ID: action.Leave, Hidden: true, Run: m.ctrlC},
	}
}

// bound are the actions of a screen, unless it is nil, and those of the root.
func (m *Model) bound(s view.Screen) []action.Bound {
	if s == nil {
		return m.actions()
	}
	return append(s.Actions(), m.actions()...)
}

// askQuit ends the program, after asking where something is typed.
func (m *Model) askQuit() tea.Cmd {
	if typed := m.dirty(); len(typed) > 0 {
		return m.askDiscard(typed, m.quit)
	}
	return m.quit()
}

// suspend gives the terminal to the shell. Who comes to it meanwhile finds no
// value that was half typed in the memory of the program.
func (m *Model) suspend() tea.Cmd {
	m.forget("forgotten while the program was suspended; type it again")
	return m.term.Suspend()
}

// help lists what can be done here, by key; enter does it.
func (m *Model) help() tea.Cmd {
	return m.dialog(m.picker("What can be done here", m.bound(m.top()), moves()))
}

// moves are the keys of lists, which are no actions: they do nothing but show
// another part of what is there.
func moves() []widget.Choice {
	list := [][2]string{
		{"j k, arrows", "Move by one row"},
		{"g G, home end", "Go to the first or the last row"},
		{"ctrl+d ctrl+u, pgup pgdn", "Move by a page"},
		{"h l, arrows", "Fold or unfold, or move sideways"},
	}
	out := make([]widget.Choice, len(list))
	for i, l := range list {
		out[i] = widget.Choice{Key: "move:" + l[0], Title: l[1], Hint: l[0], Off: "this is done with the keys " + l[0]}
	}
	return out
}

// palette finds any action by its name, also those of other pages, which say
// where they are.
func (m *Model) palette() tea.Cmd {
	all := m.bound(m.top())
	known := map[action.ID]bool{}
	for _, b := range all {
		known[b.ID] = true
	}
	var others []widget.Choice
	for _, s := range action.All() {
		if !known[s.ID] {
			known[s.ID] = true
			others = append(others, widget.Choice{Key: string(s.ID), Title: s.Title, Hint: action.KeyName(s.Keys[0]), Off: "only in " + string(s.Where)})
		}
	}
	return m.dialog(m.picker("Commands", all, others))
}

// picker makes a list of actions that does the one that is picked.
func (m *Model) picker(title string, bound []action.Bound, more []widget.Choice) view.Screen {
	top := m.top()
	known := map[action.ID]bool{}
	var choices []widget.Choice
	for _, b := range bound {
		s := b.Spec()
		if known[b.ID] {
			continue
		}
		known[b.ID] = true
		keys := make([]string, len(s.Keys))
		for i, k := range s.Keys {
			keys[i] = action.KeyName(k)
		}
		choices = append(choices, widget.Choice{Key: string(b.ID), Title: s.Title, Hint: strings.Join(keys, " "), Off: b.Off})
	}
	return widget.NewPicker(m.host.Theme, title, append(choices, more...), func(key string) tea.Cmd {
		return m.runNow(top, action.ID(key))
	})
}

// runNow does an action of a screen, or of the root, as it is now: what it was
// for may have gone since it was listed.
func (m *Model) runNow(s view.Screen, id action.ID) tea.Cmd {
	for _, b := range m.bound(s) {
		if b.ID == id {
			return m.run(b)
		}
	}
	return m.say(noteToast("this cannot be done here any more"))
}

// showLine shows the command lines of the last action.
func (m *Model) showLine() tea.Cmd {
	var b strings.Builder
	for _, l := range m.line {
		b.WriteString(l.String() + "\n")
	}
	b.WriteString("\nValues are asked for: they never stand in a command line.")
	return m.dialog(form.NewChoose(m.host, "The same on a command line", b.String(), form.Button{Label: "Close"}))
}

// maxUndo is how many changes can be taken back.
const maxUndo = 50

// takeBack takes the last change back.
func (m *Model) takeBack() tea.Cmd {
	if m.undoing {
		return nil
	}
	u := m.undo[len(m.undo)-1]
	m.undo = m.undo[:len(m.undo)-1]
	m.undoing = true
	m.toast = toast{} // it offers what is under way
	return task.Write(m.tasks, "undo of "+u.Text, u.Run, func(d ops.Done, err error) tea.Cmd {
		m.undoing = false
		if err != nil {
			switch fault.CodeOf(err) {
			case fault.VaultBusy, fault.IO, fault.DiskFull, fault.Timeout, fault.Canceled: // it may pass
				if m.gate == nil {
					m.undo = append(m.undo, u)
				}
			}
			return m.fail(view.FailMsg{What: "taking back: " + u.Text, Err: err})
		}
		return m.done(d)
	})
}

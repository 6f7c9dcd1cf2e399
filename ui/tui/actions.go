package tui

import (
	"strings"

	tea "github.com/charmbracelet/bubbletea"

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
		{ID: action.Lock, Hidden: true, Off: closed, Run: func() tea.Cmd { return m.lock("locked") }},
		tab(action.Tab1, tabSecrets), tab(action.Tab2, tabCapabilities), tab(action.Tab3, tabCredentials), tab(action.Tab4, tabAudit),
		{ID: action.Dismiss, Hidden: true, Off: off(m.toast.text == "", "there is no message"), Run: func() tea.Cmd { m.toast = toast{}; return nil }},
		{ID: action.Back, Hidden: true, Run: m.leaveTop},
		{ID: action.Suspend, Hidden: true, Run: m.term.Suspend},
		{ID: action.Leave, Hidden: true, Run: m.ctrlC},
	}
}

// askQuit ends the program, after asking where something is typed.
func (m *Model) askQuit() tea.Cmd {
	if m.dirty() != nil {
		return m.askDiscard(m.quit)
	}
	return m.quit()
}

// help lists what can be done here, by key; enter does it.
func (m *Model) help() tea.Cmd {
	var here []action.Bound
	if top := m.top(); top != nil {
		here = top.Actions()
	}
	return view.Dialog(m.picker("What can be done here", append(here, m.actions()...), moves()))
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
	var here []action.Bound
	if top := m.top(); top != nil {
		here = top.Actions()
	}
	all := append(here, m.actions()...)
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
	return view.Dialog(m.picker("Commands", all, others))
}

// picker makes a list of actions that does the one that is picked.
func (m *Model) picker(title string, bound []action.Bound, more []widget.Choice) view.Screen {
	byID := map[string]action.Bound{}
	var choices []widget.Choice
	for _, b := range bound {
		s := b.Spec()
		if _, twice := byID[string(b.ID)]; twice {
			continue
		}
		byID[string(b.ID)] = b
		keys := make([]string, len(s.Keys))
		for i, k := range s.Keys {
			keys[i] = action.KeyName(k)
		}
		choices = append(choices, widget.Choice{Key: string(b.ID), Title: s.Title, Hint: strings.Join(keys, " "), Off: b.Off})
	}
	return widget.NewPicker(m.host.Theme, title, append(choices, more...), func(key string) tea.Cmd {
		b, ok := byID[key]
		if !ok {
			return nil
		}
		return m.run(b)
	})
}

// showLine shows the command lines of the last action.
func (m *Model) showLine() tea.Cmd {
	var b strings.Builder
	for _, l := range m.line {
		b.WriteString(l.String() + "\n")
	}
	b.WriteString("\nValues are asked for: they never stand in a command line.")
	return view.Dialog(form.NewChoose(m.host, "The same on a command line", b.String(), form.Button{Label: "Close"}))
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
	return task.Write(m.tasks, "undo of "+u.Text, u.Run, func(d ops.Done, err error) tea.Cmd {
		m.undoing = false
		if err != nil {
			return m.fail(view.FailMsg{What: "taking back: " + u.Text, Err: err})
		}
		return m.done(d)
	})
}

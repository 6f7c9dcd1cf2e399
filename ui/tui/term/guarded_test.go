package term_test

import (
	"testing"

	tea "github.com/charmbracelet/bubbletea"

	"aivault/ui/tui/term"
)

// A fragile model panics for the message of its name.
type fragile string

func (f fragile) check(where fragile) {
	if f == where {
		panic("made-up-value")
	}
}

func (f fragile) Init() tea.Cmd { f.check("init"); return nil }
func (f fragile) View() string  { f.check("view"); return "a view" }
func (f fragile) Update(tea.Msg) (tea.Model, tea.Cmd) {
	f.check("update")
	return f, func() tea.Msg { f.check("command"); return nil }
}

// Checklist 8. Whatever panics, the next that a program hears is to quit.
func TestGuarded(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		model fragile
		quits bool
	}{{"", false}, {"init", true}, {"view", true}, {"update", true}, {"command", true}} {
		m := term.Guarded(test.model)
		m.Init()
		m, cmd := m.Update(tea.WindowSizeMsg{Width: 80, Height: 24})
		_ = m.View()
		if cmd != nil {
			cmd()
		}
		m, cmd = m.Update(tea.KeyMsg{Type: tea.KeyEnter})
		quits := false
		if cmd != nil {
			_, quits = cmd().(tea.QuitMsg)
		}
		if view := m.View(); quits != test.quits || (view == "") != test.quits {
			t.Errorf("%s: quits %v, view %q", test.model, quits, view)
		}
	}
}

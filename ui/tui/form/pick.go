package form

import (
	tea "github.com/charmbracelet/bubbletea"

	"aivault/ui/tui/text"
	"aivault/ui/tui/theme"
)

// A Pick is something that is chosen elsewhere, such as a scope: enter opens
// the dialog for it.
type Pick struct {
	base
	Open     func() tea.Cmd // opens what it is chosen with
	Validate func(string) error

	key, shown, first string
}

// NewPick returns a field with a choice: its key, and how it shows.
func NewPick(th *theme.Theme, label, key, shown string, open func() tea.Cmd) *Pick {
	return &Pick{base: base{th: th, label: label}, Open: open, key: key, shown: shown, first: key}
}

// Value is the key of what was chosen; empty: nothing.
func (p *Pick) Value() string { return p.key }

// Set says what was chosen.
func (p *Pick) Set(key, shown string) tea.Cmd {
	if key == p.key {
		return nil
	}
	p.key, p.shown = key, shown
	return p.changed()
}

// Dirty reports whether something else is chosen than at first.
func (p *Pick) Dirty() bool { return p.key != p.first }

// Check is Validate.
func (p *Pick) Check() error {
	if p.Validate == nil {
		return nil
	}
	return p.Validate(p.key)
}

// Say is what was chosen.
func (p *Pick) Say() string { return said(p.shown) + ", enter to choose" }

// Key opens the dialog.
func (p *Pick) Key(k tea.KeyMsg) (tea.Cmd, bool) {
	switch k.String() {
	case "enter", " ":
		if p.Open == nil {
			return nil, false
		}
		return p.Open(), true
	}
	return nil, k.Paste || k.Type == tea.KeyRunes
}

// Click opens the dialog.
func (p *Pick) Click(_, y int) tea.Cmd {
	if y != 0 || p.Open == nil {
		return nil
	}
	return p.Open()
}

// View is what was chosen.
func (p *Pick) View(w int, focused bool) []string {
	shown := p.shown
	if shown == "" {
		shown = "none"
	}
	if !focused {
		return []string{p.th.Field.Render(text.Fit(shown, w))}
	}
	const hint = " enter to choose"
	room := w - len(hint)
	if room < 8 {
		return []string{p.th.Selected.Render(text.Fit(shown, w))}
	}
	return []string{p.th.Selected.Render(text.Fit(shown, room)) + p.th.Dim.Render(hint)}
}

package form

import (
	tea "github.com/charmbracelet/bubbletea"

	"aivault/ui/tui/text"
	"aivault/ui/tui/theme"
)

// A Check is yes or no.
type Check struct {
	base
	On    bool
	what  string
	first bool
}

// NewCheck returns a field with a box that says what it means to check it.
func NewCheck(th *theme.Theme, label, what string, on bool) *Check {
	return &Check{base: base{th: th, label: label}, what: what, On: on, first: on}
}

// Dirty reports whether it is the other way round than at first.
func (c *Check) Dirty() bool { return c.On != c.first }

// Check finds nothing wrong.
func (c *Check) Check() error { return nil }

// Say says whether it is checked.
func (c *Check) Say() string {
	if c.On {
		return "checked: " + said(c.what)
	}
	return "not checked: " + said(c.what)
}

// Key turns it round.
func (c *Check) Key(k tea.KeyMsg) (tea.Cmd, bool) {
	if k.String() == " " {
		return c.Click(0, 0), true
	}
	return nil, k.Paste || k.Type == tea.KeyRunes
}

// Click turns it round.
func (c *Check) Click(_, y int) tea.Cmd {
	if y != 0 {
		return nil
	}
	c.On = !c.On
	return c.changed()
}

// View is the box, and what it means.
func (c *Check) View(w int, focused bool) []string {
	box, style := c.th.Off, c.th.Text
	if c.On {
		box = c.th.On
	}
	if focused {
		style = c.th.Selected
	}
	return []string{style.Render(text.Cut(box+" "+c.what, w))}
}

package form

import (
	"strings"

	tea "github.com/charmbracelet/bubbletea"

	"aivault/ui/tui/text"
	"aivault/ui/tui/theme"
)

// An Option is one of a few things to choose from.
type Option struct {
	Key   string // what it is for the page
	Label string
	Note  string // a sentence about it, while it is chosen
	Off   string // why it cannot be chosen; empty: it can
}

// A Choice is one of a few options, all of which show.
type Choice struct {
	base
	options []Option
	at      int
	first   int
	spots   []spot // of the options in the last View
}

// A spot is where something that can be clicked is.
type spot struct{ x, y, w int }

func (s spot) has(x, y int) bool { return y == s.y && x >= s.x && x < s.x+s.w }

// NewChoice returns a field with options, of which there is one at least. The
// one with the key chosen is chosen, or else the first.
func NewChoice(th *theme.Theme, label, chosen string, options ...Option) *Choice {
	c := &Choice{base: base{th: th, label: label}, options: options}
	c.Choose(chosen)
	c.first = c.at
	return c
}

// Value is the key of the option that is chosen.
func (c *Choice) Value() string { return c.options[c.at].Key }

// Choose chooses an option by its key, if there is one.
func (c *Choice) Choose(key string) {
	for i, o := range c.options {
		if o.Key == key {
			c.at = i
		}
	}
}

// Dirty reports whether another option is chosen than at first.
func (c *Choice) Dirty() bool { return c.at != c.first }

// Check is why what is chosen cannot be.
func (c *Choice) Check() error {
	if off := c.options[c.at].Off; off != "" {
		return bad(off)
	}
	return nil
}

// Say is the option, and how many there are.
func (c *Choice) Say() string {
	return said(c.options[c.at].Label) + ", option " + text.Number(c.at+1) + " of " + text.Number(len(c.options))
}

// Key chooses the option to the left or right, or the next one that begins
// with a letter.
func (c *Choice) Key(k tea.KeyMsg) (tea.Cmd, bool) {
	n := len(c.options)
	switch s := k.String(); {
	case k.Paste:
		return nil, true
	case s == "left":
		return c.set((c.at + n - 1) % n), true
	case s == "right", s == " ":
		return c.set((c.at + 1) % n), true
	case k.Type == tea.KeyRunes && len(k.Runes) == 1 && !k.Alt:
		for i := range n {
			at := (c.at + 1 + i) % n
			if strings.HasPrefix(strings.ToLower(c.options[at].Label), strings.ToLower(s)) {
				return c.set(at), true
			}
		}
		return nil, true
	}
	return nil, false
}

// set chooses an option. One that cannot be chosen says why.
func (c *Choice) set(at int) tea.Cmd {
	if at == c.at {
		return nil
	}
	c.at = at
	cmd := c.changed()
	c.err = c.options[at].Off
	return cmd
}

// Click chooses the option that was clicked.
func (c *Choice) Click(x, y int) tea.Cmd {
	for i, s := range c.spots {
		if s.has(x, y) {
			return c.set(i)
		}
	}
	return nil
}

// View is all options, the chosen one with a mark before it.
func (c *Choice) View(w int, focused bool) []string {
	c.spots = c.spots[:0]
	var lines []string
	x, line := 0, ""
	for i, o := range c.options {
		lead, style := "  ", c.th.Text
		switch {
		case i == c.at && focused:
			lead, style = c.th.Cursor0+" ", c.th.Selected
		case i == c.at:
			lead, style = c.th.Cursor0+" ", c.th.Chosen
		case o.Off != "":
			style = c.th.Dim
		}
		label := text.Cut(lead+o.Label, w)
		n := text.Width(label)
		if x > 0 && x+2+n > w {
			lines, line, x = append(lines, line), "", 0
		}
		if x > 0 {
			line, x = line+"  ", x+2
		}
		c.spots = append(c.spots, spot{x, len(lines), n})
		line, x = line+style.Render(label), x+n
	}
	lines = append(lines, line)
	if note := c.options[c.at].Note; note != "" && focused {
		lines = append(lines, wrapped(c.th.Dim, note, w)...)
	}
	return lines
}

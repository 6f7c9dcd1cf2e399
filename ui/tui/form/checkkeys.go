package form

import (
	tea "github.com/charmbracelet/bubbletea"
)

// Key moves, checks and filters, and reports whether the key did that. Enter is
// the page's, but where it ends the filter or makes an item.
func (c *Checklist) Key(k tea.KeyMsg) (tea.Cmd, bool) {
	c.note = ""
	if c.typing {
		return c.typed(k)
	}
	if k.Paste {
		return nil, true
	}
	switch s := k.String(); s {
	case " ":
		return c.toggle(), true
	case "/":
		return c.Filter(), true
	case "enter":
		if c.offer != nil && c.at == len(c.shown) {
			return c.make(), true
		}
	case "esc":
		return nil, c.Escape()
	case "j":
		return nil, c.move("down")
	case "k":
		return nil, c.move("up")
	case "g":
		return nil, c.move("home")
	case "G":
		return nil, c.move("end")
	default:
		return nil, c.move(s)
	}
	return nil, false
}

// typed takes a key of the filter.
func (c *Checklist) typed(k tea.KeyMsg) (tea.Cmd, bool) {
	switch s := k.String(); s {
	case "enter":
		c.typing = false
		if c.offer != nil && c.at == len(c.shown) {
			return c.make(), true
		}
		return nil, true
	case "esc":
		return nil, c.Escape()
	case "up", "down", "pgup", "pgdown":
		return nil, c.move(s)
	}
	old := c.filter.Value()
	_, taken := c.filter.Key(k)
	if s := c.filter.Value(); s != old {
		c.refilter(s)
	}
	return nil, taken
}

// move moves the cursor.
func (c *Checklist) move(key string) bool {
	const page = 10
	last := max(c.rows()-1, 0)
	switch key {
	case "up":
		c.at = max(c.at-1, 0)
	case "down":
		c.at = min(c.at+1, last)
	case "pgup", "ctrl+u":
		c.at = max(c.at-page, 0)
	case "pgdown", "ctrl+d":
		c.at = min(c.at+page, last)
	case "home":
		c.at = 0
	case "end":
		c.at = last
	default:
		return false
	}
	return true
}

// toggle turns the item under the cursor round, or makes the new one.
func (c *Checklist) toggle() tea.Cmd {
	if c.at >= c.rows() {
		return nil
	}
	if c.at == len(c.shown) {
		return c.make()
	}
	e := &c.items[c.shown[c.at]]
	if e.Fixed != "" {
		c.note = e.Fixed
		return nil
	}
	e.turn()
	return c.changed()
}

func (c *Checklist) changed() tea.Cmd {
	if c.OnChange == nil {
		return nil
	}
	return c.OnChange()
}

// make makes an item of what was typed, checked, and shows all again.
func (c *Checklist) make() tea.Cmd {
	e := newEntry(*c.offer)
	e.On, e.on, e.made = false, true, true
	c.items = append(c.items, e)
	c.typing = false
	c.filter.SetValue("")
	c.sift()
	c.Select(e.Key)
	return c.changed()
}

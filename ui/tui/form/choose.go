package form

import (
	tea "github.com/charmbracelet/bubbletea"

	"aivault/ui/tui/action"
	"aivault/ui/tui/text"
	"aivault/ui/tui/view"
)

// A Button is one of the ways out of a dialog.
type Button struct {
	Label  string
	Danger bool           // it destroys something, or cannot be taken back
	Do     func() tea.Cmd // nil: it closes the dialog and does nothing
	Off    func() string  // why it cannot be pressed now; nil or empty: it can
}

// A Choose is a dialog with a few ways out. The first one that does nothing has
// the focus, or else the first; only enter on a button and a click press it, so
// that neither a letter nor a paste does.
type Choose struct {
	host      *view.Host
	title     string
	body      func(w int) []string
	buttons   []Button
	at        int
	pressed   bool
	elsewhere bool   // no button has the focus
	refused   string // why the last press did nothing
	top       int    // the first line of the body that shows
	spots     []spot // of the buttons in the last View
}

// NewChoose returns a dialog that says something and has buttons, of which
// there is one at least.
func NewChoose(host *view.Host, title, say string, buttons ...Button) *Choose {
	c := &Choose{host: host, title: title, buttons: buttons}
	c.body = func(w int) []string { return wrapped(host.Theme.Text, say, w) }
	for i, b := range buttons {
		if b.Do == nil {
			c.at = i
			break
		}
	}
	return c
}

// Title is the title.
func (c *Choose) Title() string { return text.Line(c.title) }

// Load does nothing.
func (c *Choose) Load() tea.Cmd { return nil }

// Close does nothing.
func (c *Choose) Close() {}

// Captures reports that letters mean nothing here.
func (c *Choose) Captures() bool { return true }

// Actions are moving between the buttons, and closing.
func (c *Choose) Actions() []action.Bound {
	return []action.Bound{
		{ID: action.Next, Run: func() tea.Cmd { return c.move(1) }},
		{ID: action.Prev, Run: func() tea.Cmd { return c.move(-1) }, Hidden: true},
		{ID: action.Cancel, Run: func() tea.Cmd { return view.Close(c) }},
	}
}

func (c *Choose) move(by int) tea.Cmd {
	n := len(c.buttons)
	c.at, c.refused = (c.at+by+n)%n, ""
	return nil
}

// Key moves between the buttons, or presses the one with the focus.
func (c *Choose) Key(k tea.KeyMsg) tea.Cmd { return c.key(k, c) }

func (c *Choose) key(k tea.KeyMsg, self view.Screen) tea.Cmd {
	if k.Paste {
		return nil
	}
	switch k.String() {
	case "left":
		return c.move(-1)
	case "right":
		return c.move(1)
	case "up", "pgup":
		c.top--
	case "down", "pgdown":
		c.top++
	case "enter":
		return c.press(c.at, self)
	}
	return nil
}

// press does what a button says, once, and closes the dialog.
func (c *Choose) press(i int, self view.Screen) tea.Cmd {
	b := c.buttons[i]
	c.at = i
	if c.pressed {
		return nil
	}
	if b.Off != nil {
		if c.refused = b.Off(); c.refused != "" {
			return nil
		}
	}
	c.pressed = true
	if b.Do == nil {
		return view.Close(self)
	}
	return tea.Batch(view.Close(self), b.Do())
}

// Mouse presses the button that was clicked.
func (c *Choose) Mouse(m tea.MouseMsg) tea.Cmd { return c.mouse(m, c) }

func (c *Choose) mouse(m tea.MouseMsg, self view.Screen) tea.Cmd {
	switch m.Button {
	case tea.MouseButtonWheelUp:
		c.top--
	case tea.MouseButtonWheelDown:
		c.top++
	case tea.MouseButtonLeft:
		if m.Action != tea.MouseActionPress {
			return nil
		}
		for i, s := range c.spots {
			if s.has(m.X, m.Y) {
				return c.press(i, self)
			}
		}
	}
	return nil
}

// Say is the button with the focus.
func (c *Choose) Say() string {
	if c.refused != "" {
		return text.Line(c.refused)
	}
	return text.Line(c.title) + ", button " + text.Line(c.buttons[c.at].Label) + ", " + text.Number(c.at+1) + " of " + text.Number(len(c.buttons))
}

// dialogWidth is how wide a dialog likes to be, in cells.
const dialogWidth = 60

// Size is the size that the dialog likes within a window.
func (c *Choose) Size(w, h int) (cw, ch int) {
	cw = min(dialogWidth, w)
	foot, _ := c.foot(cw)
	return cw, min(len(c.body(cw))+len(foot), h)
}

// View is what the dialog says, and its buttons. What does not fit scrolls; the
// buttons are always there.
func (c *Choose) View(w, h int) []string {
	foot, spots := c.foot(w)
	room := h - len(foot)
	c.spots = spots
	for i := range spots {
		spots[i].y += room
	}
	if room < 0 {
		foot, room = foot[-room:], 0
	}
	body := c.body(w)
	c.top = max(min(c.top, len(body)-room), 0)
	out := make([]string, 0, h)
	for i := range room {
		line := ""
		if c.top+i < len(body) {
			line = body[c.top+i]
		}
		if more := len(body) - room - c.top; i == room-1 && more > 0 {
			line = c.host.Theme.Dim.Render(text.Cut(c.host.Theme.Ellipsis+" "+text.Plural(more+1, "more line")+" below", w))
		}
		out = append(out, fill(line, w))
	}
	for _, line := range foot {
		out = append(out, fill(line, w))
	}
	return out
}

// foot is the buttons below an empty line, with what the last press was
// refused for, and where the buttons are in it.
func (c *Choose) foot(w int) (lines []string, spots []spot) {
	th := c.host.Theme
	lines = []string{""}
	if c.refused != "" {
		lines = append(lines, marked(th.Bad, th.Fail, c.refused, w)...)
	}
	x, line := 0, ""
	for i, b := range c.buttons {
		lead, style := "  ", th.Text
		if b.Danger {
			style = th.Bad
		}
		if i == c.at && !c.elsewhere {
			lead, style = th.Cursor0+" ", th.Selected
		}
		label := text.Cut(lead+"["+text.Line(b.Label)+"]", w)
		n := text.Width(label)
		if x > 0 && x+1+n > w {
			lines, line, x = append(lines, line), "", 0
		}
		if x > 0 {
			line, x = line+" ", x+1
		}
		spots = append(spots, spot{x, len(lines), n})
		line, x = line+style.Render(label), x+n
	}
	return append(lines, line), spots
}

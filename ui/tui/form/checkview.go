package form

import (
	tea "github.com/charmbracelet/bubbletea"

	"aivault/ui/tui/text"
)

// View returns the filter, where there is one, and the items around the cursor:
// exactly h lines of at most w cells.
func (c *Checklist) View(w, h int, focused bool) []string {
	out := c.head(w)
	if len(out) >= h {
		out = out[:max(h-1, 0)]
	}
	c.lines = len(out)
	room := h - len(out)
	if room > 0 {
		c.top = min(max(c.top, c.at-room+1), c.at)
		c.top = max(min(c.top, c.rows()-room), 0)
	}
	scrolls := c.rows() > room && w > 4
	wide := w
	if scrolls {
		wide--
	}
	for i := range room {
		line := c.row(c.top+i, wide, focused)
		if scrolls {
			line = fill(line, wide) + bar(c.th, i, room, c.top, c.rows())
		}
		out = append(out, fill(line, w))
	}
	return out
}

// head is the filter with its count, or what the last key was refused for.
func (c *Checklist) head(w int) []string {
	var lines []string
	if v := c.filter.Value(); c.typing || v != "" {
		count := text.Number(len(c.shown)) + " of " + text.Number(len(c.items))
		room := max(w-len(count)-3, 1)
		line := c.th.Key.Render("/")
		if c.typing {
			line += c.filter.View(room, true)[0]
		} else {
			line += c.th.Text.Render(text.Fit(v, room))
		}
		lines = append(lines, fill(line+"  "+c.th.Dim.Render(count), w))
	}
	if c.note != "" {
		lines = append(lines, c.th.Warn.Render(text.Cut(c.th.Alert+" "+text.Line(c.note), w)))
	}
	return lines
}

// row is a row of the list, or what shows instead of rows.
func (c *Checklist) row(i, w int, focused bool) string {
	switch {
	case i < len(c.shown):
		return c.item(c.items[c.shown[i]], w, i == c.at, focused)
	case i == len(c.shown) && c.offer != nil:
		return c.draw("+ ", "new \""+text.Line(c.offer.Label)+"\"", "", w, i == c.at, focused)
	case i == len(c.shown) && c.refuse != "":
		return c.th.Dim.Render(text.Cut("  no new one: "+text.Line(c.refuse), w))
	case i > 0 || len(c.shown) > 0:
		return ""
	case c.filter.Value() != "":
		return c.th.Dim.Render(text.Cut("  nothing matches, esc shows all", w))
	}
	return c.th.Dim.Render(text.Cut("  "+text.Line(c.Empty), w))
}

// item is a row: a box, a sign of change, the label, and the state in words.
func (c *Checklist) item(e entry, w int, at, focused bool) string {
	box := c.th.Off
	switch {
	case e.on:
		box = c.th.On
	case e.part:
		box = c.th.Part
	}
	switch {
	case e.on && e.turned():
		box += "+"
	case e.turned():
		box += "-"
	case e.Fixed != "":
		box += c.th.Alert
	default:
		box += " "
	}
	state := ""
	if (e.on || e.On || e.Some) && (e.Fixed == "" || e.Note == "") {
		state = c.state(e)
	}
	if state == "" || w < 48 && !e.turned() && e.Note != "" {
		state = text.Line(e.Note)
	} else if e.Note != "" && w >= 64 {
		state = text.Line(e.Note) + " " + c.th.Dot + " " + state
	}
	label := text.Line(e.Label)
	if w < 48 && text.Width(label)+text.Width(state) > w-9 {
		state = "" // the box shows what will be, and Say says it
	}
	return c.draw(box+" ", label, state, w, at, focused)
}

// draw is a row with a cursor before it, and a note at its end where there is
// room.
func (c *Checklist) draw(box, label, note string, w int, at, focused bool) string {
	lead := "  "
	if at {
		lead = c.th.Cursor0 + " "
	}
	left := lead + box + label
	room := w - text.Width(left) - 2
	n := text.Width(note)
	switch least := max(w-w/2, 1); {
	case note == "":
		left = text.Pad(text.Cut(left, w), w)
	case n <= room:
		left = text.Pad(left, w-n) + note
	case room > 0 || w > 40: // the note takes half at most
		note = text.Cut(note, max(w-least-2, 0))
		left = text.Pad(text.Cut(left, w-text.Width(note)-2), w-text.Width(note)) + note
	default:
		left = text.Pad(text.Cut(left, w), w)
	}
	switch {
	case at && focused:
		return c.th.Selected.Render(left)
	case at:
		return c.th.Chosen.Render(left)
	}
	return c.th.Text.Render(left)
}

// Mouse selects the row that was clicked, and checks it when its box was.
func (c *Checklist) Mouse(x, y int, m tea.MouseMsg) tea.Cmd {
	switch m.Button {
	case tea.MouseButtonWheelUp:
		c.at = max(c.at-wheelRows, 0)
	case tea.MouseButtonWheelDown:
		c.at = max(min(c.at+wheelRows, c.rows()-1), 0)
	case tea.MouseButtonLeft:
		i := c.top + y - c.lines
		if m.Action != tea.MouseActionPress || y < c.lines || i >= c.rows() {
			return nil
		}
		was := c.at
		c.at = i
		if x >= 2 && x < 6 || was == i {
			return c.toggle()
		}
	}
	return nil
}

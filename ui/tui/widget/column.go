package widget

import "aivault/ui/tui/text"

// A Column of a list.
type Column struct {
	Title string
	// Min and Max bound its width, in cells: 0 is 3 at least, or no limit.
	// Between them it is as wide as what it shows.
	Min, Max int
	Right    bool // numbers: aligned at the right
	Grow     bool // it takes the room that is left, up to Max
	// Drop says which columns go where there is no room for all at their least
	// width: those with the highest number first; 0 is never.
	Drop int
}

// gap is between two columns, in cells.
const gap = 2

// columns are the widths of a list's columns. They follow what is visible, and
// remember it, so that they do not jump while people scroll; another size of
// the window forgets.
type columns struct {
	cols []Column
	seen []int
	room int
}

// begin starts a view with room for so many cells.
func (c *columns) begin(room int, header bool) {
	if room == c.room && c.seen != nil {
		return
	}
	c.room, c.seen = room, make([]int, len(c.cols))
	for i, col := range c.cols {
		c.seen[i] = 1
		if header {
			c.seen[i] = text.Width(text.Line(col.Title))
		}
	}
}

// most is the greatest width that a column can come to have.
func (c *columns) most(i int) int {
	if m := c.cols[i].Max; m > 0 {
		return min(m, c.room)
	}
	return c.room
}

func (c *columns) saw(i, width int) { c.seen[i] = max(c.seen[i], width) }

// want returns the least width of a column and the one that it likes to have.
func (c *columns) want(i int) (least, likes int) {
	least = c.cols[i].Min
	if least <= 0 {
		least = min(3, max(c.seen[i], 1))
	}
	likes = max(c.seen[i], least)
	if m := c.cols[i].Max; m > 0 {
		likes = min(likes, max(m, least))
	}
	return least, likes
}

// widths shares the room out. A column that is not shown has -1.
func (c *columns) widths() []int {
	out := make([]int, len(c.cols))
	least, total, shown := make([]int, len(c.cols)), 0, len(c.cols)
	for i := range c.cols {
		least[i], out[i] = c.want(i)
		total += least[i]
	}
	for total+gap*(shown-1) > c.room {
		gone := c.worst(out)
		if gone < 0 {
			break
		}
		total -= least[gone]
		shown--
		out[gone] = -1
	}
	left := c.room - gap*(shown-1)
	if total > left {
		return c.squeeze(out, least)
	}
	for _, w := range out {
		left -= max(w, 0)
	}
	if left < 0 {
		shrink(out, least, -left)
		return out
	}
	c.grow(out, left)
	return out
}

// worst returns the column to go next, -1 if none may.
func (c *columns) worst(out []int) int {
	worst := -1
	for i, col := range c.cols {
		if out[i] >= 0 && col.Drop > 0 && (worst < 0 || col.Drop >= c.cols[worst].Drop) {
			worst = i
		}
	}
	return worst
}

// squeeze gives columns their least width from the left, while there is room.
func (c *columns) squeeze(out, least []int) []int {
	left := c.room
	for i := range out {
		if out[i] < 0 {
			continue
		}
		out[i] = min(least[i], left)
		if out[i] <= 0 {
			out[i] = -1
		}
		left -= least[i] + gap
	}
	return out
}

// shrink takes cells from the columns that are widest over their least width.
func shrink(out, least []int, by int) {
	for by > 0 {
		i, over := -1, 0
		for j, w := range out {
			if w-least[j] > over && w >= 0 {
				i, over = j, w-least[j]
			}
		}
		if i < 0 {
			return
		}
		out[i]--
		by--
	}
}

// grow gives the room that is left to the columns that take it.
func (c *columns) grow(out []int, left int) {
	for left > 0 {
		given := false
		for i, col := range c.cols {
			if out[i] >= 0 && col.Grow && left > 0 && out[i] < c.most(i) {
				out[i]++
				left--
				given = true
			}
		}
		if !given {
			return
		}
	}
}

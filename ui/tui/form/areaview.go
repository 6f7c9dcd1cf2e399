package form

import (
	"fmt"
	"strings"
	"unicode/utf8"

	tea "github.com/charmbracelet/bubbletea"

	"aivault/ui/tui/text"
)

// areaTab is how far apart the tab stops of an editor are, in cells.
const areaTab = 4

// glyph is how an editor shows a rune that begins in a cell. Every rune shows
// by itself, as it is edited by itself: what would join others, or colour them,
// is an escape.
func glyph(r rune, cell int) string {
	switch {
	case r >= ' ' && r < 0x7f:
		return printable[r-' ' : r-' '+1]
	case r == '\t':
		return strings.Repeat(" ", areaTab-cell%areaTab)
	case r >= 0x1f3fb && r <= 0x1f3ff:
		return fmt.Sprintf(`\U%08x`, r)
	case r == 0xfe0e || r == 0xfe0f:
		return fmt.Sprintf(`\u%04x`, r)
	}
	return text.Line(string(r))
}

// printable is ASCII from the space on, of which a glyph is a part.
const printable = " !\"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefghijklmnopqrstuvwxyz{|}~"

// A ruler measures runes as an editor shows them, and remembers what it
// measured.
type ruler map[rune]int

// advance is the cell after a rune that begins in a cell.
func (m ruler) advance(r rune, cell int) int {
	switch {
	case r >= ' ' && r < 0x7f:
		return cell + 1
	case r == '\t':
		return cell + areaTab - cell%areaTab
	}
	n, ok := m[r]
	if !ok {
		n = text.Width(glyph(r, 0))
		m[r] = n
	}
	return cell + n
}

// width is how many cells runes take from the beginning of a line on.
func (m ruler) width(runes []rune) (cell int) {
	for _, r := range runes {
		cell = m.advance(r, cell)
	}
	return cell
}

// at is the rune of a line that is in a cell, or the end of the line, and the
// cell that it begins in.
func (m ruler) at(line []rune, cell int) (i, begins int) {
	n := 0
	for i, r := range line {
		next := m.advance(r, n)
		if next > cell {
			return i, n
		}
		n = next
	}
	return len(line), n
}

// draw returns what of runes, the first of which begins in a cell, shows from
// cell x on, at most w cells of it.
func (m ruler) draw(runes []rune, cell, x, w int) string {
	var b strings.Builder
	for _, r := range runes {
		if cell >= x+w {
			break
		}
		next := m.advance(r, cell)
		switch {
		case cell >= x && next <= x+w:
			b.WriteString(glyph(r, cell))
		case next > x:
			b.WriteString(text.Slice(glyph(r, cell), max(x-cell, 0), min(next, x+w)-max(cell, x)))
		}
		cell = next
	}
	return b.String()
}

// window is the part of a line that shows from cell x on, w cells wide.
func (m ruler) window(line []rune, x, w int) string {
	i, cell := m.at(line, x)
	return m.draw(line[i:], cell, x, w)
}

// View is the lines around the cursor.
func (a *Area) View(w int, focused bool) []string {
	h := max(a.Rows, 1)
	a.top = max(min(a.top, a.row), a.row-h+1)
	a.top = max(min(a.top, len(a.lines)-h), 0)
	line := a.lines[a.row]
	cell := a.ruler.width(line[:a.col])
	under := 1
	if a.col < len(line) {
		under = max(a.ruler.advance(line[a.col], cell)-cell, 1)
	}
	under = min(under, w)
	if a.x = min(a.x, cell); cell+under > a.x+w {
		a.x = cell + under - w
	}
	out := make([]string, 0, h)
	for i := a.top; i < a.top+h; i++ {
		switch {
		case i >= len(a.lines):
			out = append(out, a.th.Field.Render(strings.Repeat(" ", w)))
		case i == a.row && focused:
			out = append(out, a.current(cell, under, w))
		default:
			out = append(out, a.th.Field.Render(text.Pad(a.ruler.window(a.lines[i], a.x, w), w)))
		}
	}
	return out
}

// current is the line with the cursor in it, which begins in a cell, and is so
// many wide.
func (a *Area) current(cell, under, w int) string {
	line := a.lines[a.row]
	i, begins := a.ruler.at(line[:a.col], a.x)
	before := a.ruler.draw(line[i:a.col], begins, a.x, cell-a.x)
	rest, char := line[a.col:], strings.Repeat(" ", under)
	switch {
	case a.th.Dumb: // no attribute marks a cell: a character comes on top
		char, under = "_", 1
	case len(rest) > 0:
		if g := glyph(rest[0], cell); text.Width(g) > 0 {
			char = text.Slice(g, 0, under)
		}
		cell, rest = a.ruler.advance(rest[0], cell), rest[1:]
	}
	room := max(w-text.Width(before)-under, 0)
	after := text.Pad(a.ruler.draw(rest, cell, cell, room), room)
	return a.th.Field.Render(before) + a.th.Cursor.Render(char) + a.th.Field.Render(after)
}

// CursorLine is the line of the last View that has the cursor.
func (a *Area) CursorLine() int { return a.row - a.top }

// Click puts the cursor where the click was.
func (a *Area) Click(x, y int) tea.Cmd {
	if y < 0 || y >= a.Rows {
		return nil
	}
	a.row = min(a.top+y, len(a.lines)-1)
	a.col, _ = a.ruler.at(a.lines[a.row], a.x+x)
	a.want = -1
	return nil
}

// Wheel moves the cursor by lines.
func (a *Area) Wheel(lines int) bool {
	to := max(min(a.row+lines, len(a.lines)-1), 0)
	if to == a.row {
		return false
	}
	return a.vertical(to - a.row)
}

// place is the line and column, in characters and from 1, of a byte of a text.
func place(b []byte, offset int) (line, column int) {
	line, from := 1, 0
	for i, c := range b[:offset] {
		if c == '\n' {
			line, from = line+1, i+1
		}
	}
	return line, utf8.RuneCount(b[from:offset]) + 1
}

package form

import (
	"strings"

	"github.com/charmbracelet/lipgloss"
	"github.com/charmbracelet/x/ansi"

	"aivault/ui/tui/text"
	"aivault/ui/tui/theme"
)

// cells is the width of a styled line.
func cells(s string) int { return text.Width(ansi.Strip(s)) }

// fill pads a styled line to w cells, and cuts it where it is longer.
func fill(s string, w int) string {
	n := cells(s)
	for at := w; n > w; at-- { // ansi takes some for narrower than terminals do
		s = ansi.Truncate(s, at, "")
		n = cells(s)
	}
	return s + strings.Repeat(" ", w-n)
}

// wrapped is a text in lines of at most w cells, in a style.
func wrapped(style lipgloss.Style, s string, w int) []string {
	lines := text.Wrap(s, w)
	for i, line := range lines {
		lines[i] = style.Render(line)
	}
	return lines
}

// marked is a text in lines of at most w cells, in a style, after a glyph.
func marked(style lipgloss.Style, glyph, s string, w int) []string {
	lines := text.Wrap(s, max(w-2, 1))
	for i, line := range lines {
		if i > 0 {
			glyph = " "
		}
		lines[i] = style.Render(text.Cut(glyph+" "+line, w))
	}
	return lines
}

// bar is line i of the scroll bar of a window of h lines, which shows n lines
// from the line top on.
func bar(th *theme.Theme, i, h, top, n int) string {
	size := max(h*h/n, 1)
	if from := top * (h - size) / max(n-h, 1); i >= from && i < from+size {
		return th.Focused.Render(th.Scroll)
	}
	return th.Border.Render(th.ScrollBar)
}

// A caret is the window of a line that is edited, which follows its cursor.
type caret struct{ x int }

// draw returns a line of exactly w cells with the cursor at a rune.
func (c *caret) draw(th *theme.Theme, value []rune, pos, w int) string {
	before, at, after := text.Line(string(value[:pos])), "", ""
	if pos < len(value) {
		n := 1
		// What has no width of its own shows with what comes after.
		for at = text.Line(string(value[pos : pos+n])); text.Width(at) == 0 && pos+n < len(value); {
			n++
			at = text.Line(string(value[pos : pos+n]))
		}
		after = text.Line(string(value[pos+n:]))
	}
	if text.Width(at) == 0 {
		at = " "
	}
	if th.Dumb { // no attribute marks a cell: a character of its own does
		at, after = "_", at+after
	}
	at = text.Slice(at, 0, w)
	b, n := text.Width(before), text.Width(at)
	switch {
	case b+n+text.Width(after) <= w:
		c.x = 0
	case b < c.x:
		c.x = b
	case b+n > c.x+w:
		c.x = b + n - w
	}
	room := max(w-(b-c.x)-n, 0)
	return th.Field.Render(text.Slice(before, c.x, b-c.x)) + th.Cursor.Render(at) +
		th.Field.Render(text.Pad(text.Slice(after, 0, room), room))
}

// cursor0 is the text cursor at the end of what is not shown.
func cursor0(th *theme.Theme) string {
	if th.Dumb {
		return "_"
	}
	return th.Cursor.Render(" ")
}

package widget

import (
	"strings"

	"aivault/ui/tui/text"
	"aivault/ui/tui/theme"
)

// A Rect is a part of the screen, in cells.
type Rect struct{ X, Y, W, H int }

// Inner returns the size of what a box of this size has room for.
func (r Rect) Inner() (w, h int) { return max(r.W-2, 0), max(r.H-2, 0) }

// Place returns where a dialog of cw by ch cells stands on a screen of w by h:
// in the middle, and no larger than the screen.
func Place(w, h, cw, ch int) Rect {
	cw, ch = max(min(cw, w), 0), max(min(ch, h), 0)
	return Rect{X: (w - cw) / 2, Y: (h - ch) / 2, W: cw, H: ch}
}

// Box draws a frame of w by h cells around lines that are styled already, and
// cuts or fills them to its inside. The title is left in the frame, the note
// right, where there is room for both; with the focus the frame is thick.
func Box(th *theme.Theme, title, note string, focused bool, w, h int, body []string) []string {
	k := newInk(th)
	if w < 2 || h < 2 {
		out := empty(w, h)
		for i := range min(len(body), len(out)) {
			out[i] = Clip(body[i], w)
		}
		return out
	}
	frame, style := th.Thin, k.codes(th.Border)
	if focused {
		frame, style = th.Thick, k.codes(th.Focused)
	}
	draw := func(s string) string { return style.on + s + style.off }
	out := make([]string, 0, h)
	out = append(out, k.edge(frame, draw, title, note, focused, w-2))
	side := draw(frame.V)
	for i := range h - 2 {
		line := ""
		if i < len(body) {
			line = body[i]
		}
		out = append(out, side+Clip(line, w-2)+side)
	}
	return append(out, draw(frame.BottomLeft+strings.Repeat(frame.H, w-2)+frame.BottomRight))
}

// leastTitle is how many cells a title keeps before a note goes.
const leastTitle = 12

// edge is the upper edge of a box with w cells inside.
func (k *ink) edge(frame theme.Frame, draw func(string) string, title, note string, focused bool, w int) string {
	room := w - 4 // a dash and a space at both ends
	n := k.cut(note, room)
	if keep := min(text.Width(k.cut(title, leastTitle)), leastTitle); n != "" && room-text.Width(n)-3 < keep {
		n = ""
	}
	if n != "" {
		room -= text.Width(n) + 3
	}
	t, style := k.cut(title, room), k.th.Head
	if focused {
		style = k.th.Accent
	}
	var b strings.Builder
	rest := w
	b.WriteString(draw(frame.TopLeft))
	if t != "" {
		b.WriteString(draw(frame.H) + " ")
		k.put(&b, style, t)
		b.WriteString(" ")
		rest -= text.Width(t) + 3
	}
	if n == "" {
		b.WriteString(draw(strings.Repeat(frame.H, rest) + frame.TopRight))
		return b.String()
	}
	rest -= text.Width(n) + 3
	b.WriteString(draw(strings.Repeat(frame.H, rest)) + " ")
	k.put(&b, k.th.Dim, n)
	b.WriteString(" " + draw(frame.H+frame.TopRight))
	return b.String()
}

// Join puts views side by side. One that has fewer lines than another is filled
// up below.
func Join(panes ...[]string) []string {
	h := 0
	for _, p := range panes {
		h = max(h, len(p))
	}
	out := make([]string, h)
	for i := range out {
		var b strings.Builder
		for _, p := range panes {
			switch {
			case i < len(p):
				b.WriteString(p[i])
			case len(p) > 0:
				b.WriteString(blank(Width(p[0])))
			}
		}
		out[i] = b.String()
	}
	return out
}

package why

import (
	"slices"
	"strings"

	"github.com/charmbracelet/lipgloss"

	"aivault/broker"
	"aivault/ui/tui/text"
	"aivault/ui/tui/widget"
	"aivault/vault"
)

// A line of a ladder belongs to a rung, or to none (-1).
type line struct {
	s    string
	rung int
}

// view returns the ladder in h lines of w cells.
func (l *ladder) view(w, h int, focused bool) []string {
	l.h = h
	lines := l.lines(w-1, focused)
	first, last := -1, 0
	l.owner = l.owner[:0]
	for i, x := range lines {
		l.owner = append(l.owner, x.rung)
		if x.rung == l.at {
			if first < 0 {
				first = i
			}
			last = i
		}
	}
	if first > 0 && lines[first-1].rung < 0 {
		first-- // the name of its tier shows with the first rung
	}
	l.top = max(min(l.top, len(lines)-h), 0)
	if last >= l.top+h {
		l.top = last - h + 1
	}
	if first >= 0 && first < l.top {
		l.top = first
	}
	out := make([]string, h)
	for i := range out {
		s := ""
		if l.top+i < len(lines) {
			s = lines[l.top+i].s
		}
		out[i] = widget.Clip(s, max(w-1, 0)) + l.edge(i, h, len(lines))
		out[i] = widget.Clip(out[i], w)
	}
	return out
}

// edge is the last column: a scroll bar, where not all of n lines show.
func (l *ladder) edge(i, h, n int) string {
	if n <= h {
		return " "
	}
	size := max(h*h/n, 1)
	if at := l.top * (h - size) / (n - h); i >= at && i < at+size {
		return l.th.Border.Render(l.th.Scroll)
	}
	return l.th.Border.Render(l.th.ScrollBar)
}

// lines are the whole ladder.
func (l *ladder) lines(w int, focused bool) []line {
	if l.of == nil {
		return nil
	}
	var out []line
	names := 0
	for i := range l.rungs {
		names = max(names, text.Width(text.Cut(named(&l.rungs[i]), max(w/3, 8))))
	}
	for _, tier := range tiers {
		if tier == vault.Group && l.of.Context.Group == "" || tier == vault.Workspace && l.of.Context.Workspace == "" {
			continue
		}
		first := slices.IndexFunc(l.rungs, func(r broker.Rung) bool { return r.Tier == tier })
		if first < 0 && tier == 0 {
			continue
		}
		if len(out) > 0 {
			out = append(out, line{"", -1})
		}
		out = append(out, line{l.th.Head.Render(text.Cut(tierName(tier, l.of.Context), w)), -1})
		if first < 0 {
			out = append(out, line{l.th.Dim.Render(text.Cut("  nothing here", w)), -1})
		}
		for i := range l.rungs {
			if l.rungs[i].Tier == tier {
				out = append(out, l.draw(i, w, names, focused)...)
			}
		}
	}
	return out
}

// Widths, in cells.
const (
	markWidth = 10 // of the cursor, the glyph and the word before a rung
	oneLine   = 56 // from here on the secret and what it is used by share a line
)

// draw draws a rung: what became of it, the secret, what it would be used by,
// and below that the reason.
func (l *ladder) draw(i, w, names int, focused bool) []line {
	r := &l.rungs[i]
	th := l.th
	cursor, glyph, what, style := " ", " ", "not", th.Text
	switch {
	case r.Taken:
		glyph, what, style = th.OK, "used", th.Good
	case r.Tier == 0:
		style = th.Dim
	}
	if i == l.at {
		cursor = th.Cursor0
	}
	head := text.Pad(cursor+" "+glyph+" "+what, markWidth)
	by := r.Kind + " " + orNone(r.ID)
	indent := strings.Repeat(" ", min(markWidth, max(w/4, 1)))
	why := r.Reason
	var rest []string
	if w < oneLine {
		head = text.Pad(cursor+" "+glyph, 4) + named(r)
		indent = "    "
		rest = text.Wrap(by, max(w-len(indent), 1))
		why = word(r) + ": " + why
	} else {
		head += text.Fit(named(r), names)
		if text.Width(head)+2+text.Width(text.Line(by)) > w {
			rest = text.Wrap(by, max(w-len(indent), 1))
		} else {
			head += "  " + by
		}
	}
	reason := text.Wrap(why, max(w-len(indent), 1))
	out := []line{{l.first(text.Cut(head, w), i == l.at, focused, style, w), i}}
	for _, s := range rest {
		out = append(out, line{indent + style.Render(s), i})
	}
	for _, s := range reason {
		out = append(out, line{indent + th.Dim.Render(s), i})
	}
	return out
}

// first is the first line of a rung, which shows whether the cursor is there.
func (l *ladder) first(s string, at, focused bool, style lipgloss.Style, w int) string {
	switch {
	case at && focused:
		return l.th.Selected.Render(text.Pad(s, w))
	case at:
		return l.th.Chosen.Render(text.Pad(s, w))
	}
	return style.Render(s)
}

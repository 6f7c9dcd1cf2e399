package widget

import (
	"strings"

	"github.com/charmbracelet/lipgloss"

	"aivault/ui/tui/text"
)

// A Cell is what a row has in a column.
type Cell struct {
	Text  string
	Style lipgloss.Style
}

// A Row of a list.
type Row struct {
	// Cells are those of the columns. Where there are fewer, the last one takes
	// the rest of the line.
	Cells []Cell
	Lead  string // a glyph of one cell before the row, as the theme's Shadow; empty: none
	Dim   bool
}

// View draws the list.
func (l *List) View(w, h int, focused bool) []string {
	if w <= 0 || h <= 0 {
		return empty(w, h)
	}
	l.body = 0
	if l.Header && h > 1 {
		l.body = 1
	}
	l.show(h - l.body)
	if l.n == 0 {
		return l.nothing(w, h)
	}
	room := max(w-1, 1) // the last column is for a scroll bar, where there is one
	rows := make([]Row, min(l.h, l.n-l.at))
	for i := range rows {
		rows[i] = l.row(l.at + i)
		l.leads = l.leads || rows[i].Lead != ""
	}
	l.begin(room-l.gutter(), l.Header)
	forms := l.measure(rows)
	widths := l.widths()
	out := make([]string, 0, h)
	if l.body > 0 {
		out = append(out, l.titles(widths, room))
	}
	for i, r := range rows {
		out = append(out, l.draw(l.at+i, r, forms[i], widths, room, focused))
	}
	for len(out) < h {
		out = append(out, blank(room))
	}
	if w == room {
		return out
	}
	bar := empty(1, l.h)
	if all := l.Before + l.n + l.After; all > l.h {
		bar = l.ink.bar(l.h, l.Before+l.at, l.h, all)
	}
	for i, c := range bar {
		out[l.body+i] += c
	}
	if l.body > 0 {
		out[0] += " "
	}
	return out
}

// nothing says that there are no rows.
func (l *List) nothing(w, h int) []string {
	out := empty(w, h)
	i := 0
	for _, s := range l.Empty {
		for _, line := range text.Wrap(s, max(w-2, 1)) {
			if i < h {
				out[i] = Clip(" "+l.ink.paint(l.ink.th.Dim, l.ink.plain(line)), w)
				i++
			}
		}
	}
	return out
}

// measure returns the display forms of the cells of rows, as wide as they can
// come to be shown, and has the columns see them.
func (l *List) measure(rows []Row) [][]string {
	out := make([][]string, len(rows))
	for i := range rows {
		cells := rows[i].Cells[:min(len(rows[i].Cells), len(l.cols))]
		out[i] = make([]string, len(cells))
		for j := range cells {
			if spans := j == len(cells)-1 && j < len(l.cols)-1; spans {
				out[i][j] = l.ink.cut(cells[j].Text, l.room)
				continue
			}
			form := l.ink.cut(cells[j].Text, l.most(j))
			l.saw(j, text.Width(form))
			out[i][j] = form
		}
	}
	return out
}

// gutter is how wide the marks before a row are.
func (l *List) gutter() int {
	n := 2 // the cursor and a space
	if !l.bare {
		n++
	}
	if l.leads {
		n++
	}
	return n
}

// titles draws the header.
func (l *List) titles(widths []int, w int) string {
	var b strings.Builder
	b.WriteString(blank(l.gutter()))
	between := ""
	for i, col := range l.cols {
		if widths[i] >= 0 {
			b.WriteString(between)
			l.ink.put(&b, l.ink.th.Head, align(l.ink.cut(col.Title, widths[i]), widths[i], col.Right))
			between = blank(gap)
		}
	}
	return Clip(b.String(), w)
}

// draw draws a row.
func (l *List) draw(i int, r Row, forms []string, widths []int, w int, focused bool) string {
	th := l.ink.th
	var b strings.Builder
	cursor, whole := " ", i == l.cur
	if whole {
		cursor = th.Cursor0
	}
	put := func(s *lipgloss.Style, form string) {
		if whole {
			b.WriteString(form) // in one style for all of the row, below
			return
		}
		l.ink.put(&b, *s, form)
	}
	b.WriteString(cursor)
	if mark := l.mark(i); mark != "" {
		put(&th.Warn, mark)
	}
	if l.leads {
		put(&th.Dim, align(l.ink.cut(r.Lead, 1), 1, false))
	}
	b.WriteString(" ")
	between, x := "", l.gutter()
	for j, form := range forms {
		width, right := widths[j], l.cols[j].Right
		if j == len(forms)-1 && j < len(widths)-1 {
			width, right = w-x-len(between), false
		}
		if width < 0 {
			continue
		}
		x += len(between) + width
		style := &r.Cells[j].Style
		if r.Dim {
			style = &th.Dim
		}
		b.WriteString(between)
		put(style, align(l.ink.trim(form, width), width, right))
		between = blank(gap)
	}
	line := Clip(b.String(), w)
	switch {
	case !whole:
		return line
	case focused:
		return l.ink.paint(th.Selected, line)
	}
	return l.ink.paint(th.Chosen, line)
}

// mark returns the glyph that says whether a row is marked, "" in a list whose
// rows cannot be.
func (l *List) mark(i int) string {
	switch {
	case l.bare:
		return ""
	case l.count > 0 && l.IsMarked(l.key(i)):
		return l.ink.th.Mark
	}
	return " "
}

// align fills a display form up to w cells.
func align(form string, w int, right bool) string {
	if right {
		return blank(w-text.Width(form)) + form
	}
	return text.Pad(form, w)
}

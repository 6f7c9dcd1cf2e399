package form

import (
	"strings"
	"time"

	"aivault/ui/tui/text"
)

// A row is a line of a form, and what it belongs to.
type row struct {
	s     string
	field int // -1: none
	y     int // the line within the field's View; -1: around it
	x     int // where that begins
}

// Widths, in cells.
const (
	likedWidth  = 72 // of a form as a dialog
	besideWidth = 92 // from here on hints are beside the fields
	labelWidth  = 18 // of the longest label that has a column
	labelRoom   = 56 // from here on labels have a column, unless the form says otherwise
)

// Size is the size that the form likes within a window.
func (f *Form) Size(w, h int) (cw, ch int) {
	cw = f.Width
	if cw == 0 {
		cw = likedWidth
	}
	cw = min(cw, w)
	rows, beside := f.layout(cw)
	return cw, min(max(len(rows), len(beside))+len(f.status(cw)), h)
}

// View returns the fields, and below them how saving goes.
func (f *Form) View(w, h int) []string {
	status := f.status(w)
	if len(status) > h/2 {
		status = status[:h/2]
	}
	room := h - len(status)
	rows, beside := f.layout(w)
	wide := w
	if beside != nil {
		wide = fieldsWidth(w)
	} else if len(rows) > room && w > 2 { // a scroll bar takes a column, and one before it
		wide = w - 2
		rows, _ = f.layoutAt(wide, wide)
	}
	f.rows, f.wide = rows, wide
	f.window(room)
	out := make([]string, 0, h)
	for i := range room {
		line := ""
		if f.top+i < len(rows) {
			line = rows[f.top+i].s
		}
		line = fill(line, wide)
		switch {
		case beside != nil && i < len(beside):
			line += "  " + fill(beside[i], w-wide-2)
		case wide == w-2 && beside == nil:
			line += " " + bar(f.host.Theme, i, room, f.top, len(f.rows))
		}
		out = append(out, fill(line, w))
	}
	for _, line := range status {
		out = append(out, fill(line, w))
	}
	return out
}

// window moves the rows that show, so that those of the field with the focus
// do, its error with them; where there are too many of them, its beginning; and
// in any case the line with the cursor.
func (f *Form) window(room int) {
	f.top = max(min(f.top, len(f.rows)-room), 0)
	if !f.follow {
		return
	}
	y := 0
	if p, ok := f.fields[f.at].(pointer); ok {
		y = p.CursorLine()
	}
	first, last, cursor := -1, -1, -1
	for i, r := range f.rows {
		if r.field != f.at {
			continue
		}
		if first < 0 {
			first = i
		}
		if last = i; r.y == y {
			cursor = i
		}
	}
	if f.at == 0 && last < room {
		f.top = 0 // what stands before the fields belongs to the first one
	}
	for _, span := range [][2]int{{first, last}, {cursor, cursor}} {
		if span[1] >= f.top+room {
			f.top = span[1] - room + 1
		}
		f.top = max(min(f.top, span[0]), 0)
	}
}

// fieldsWidth is how much of w cells the fields take beside a hint.
func fieldsWidth(w int) int { return w * 3 / 5 }

// layout returns all rows, and the hint if that stands beside them.
func (f *Form) layout(w int) (rows []row, beside []string) {
	if f.Hint == nil || w < besideWidth {
		return f.layoutAt(w, w)
	}
	wide := fieldsWidth(w)
	if beside = f.Hint(w - wide - 2); len(beside) == 0 {
		return f.layoutAt(w, w)
	}
	rows, _ = f.layoutAt(wide, 0)
	return rows, beside
}

// layoutAt returns the rows w cells wide, with the hint below in a width of its
// own; 0: without it.
func (f *Form) layoutAt(w, hint int) ([]row, []string) {
	var rows []row
	add := func(lines ...string) {
		for _, line := range lines {
			rows = append(rows, row{s: line, field: -1, y: -1})
		}
	}
	if f.Intro != "" {
		add(wrapped(f.host.Theme.Dim, f.Intro, w)...)
		add("")
	}
	column := 0
	beside := f.Beside
	if beside == 0 {
		beside = labelRoom
	}
	if w >= beside {
		for _, field := range f.fields {
			column = max(column, min(text.Width(text.Line(field.Label())), labelWidth))
		}
	}
	for i := range f.fields {
		rows = append(rows, f.fieldRows(i, w, column)...)
	}
	if f.Hint != nil && hint > 0 {
		if lines := f.Hint(hint); len(lines) > 0 {
			add("")
			add(lines...)
		}
	}
	return rows, nil
}

// fieldRows returns the rows of a field: its label in a column of its own, or
// above; what is in it; and what there is to say about that.
func (f *Form) fieldRows(i, w, column int) []row {
	th, field := f.host.Theme, f.fields[i]
	focused := i == f.at && !f.sending && !f.Blurred
	lead, style := "  ", th.Text
	if i == f.at {
		lead = th.Cursor0 + " "
		if !f.Blurred {
			style = th.Strong
		}
	}
	var rows []row
	x := 2
	label := style.Render(text.Cut(lead+text.Line(field.Label()), w))
	if column > 0 {
		x = column + 4
		label = style.Render(text.Fit(lead+text.Line(field.Label()), column+2)) + "  "
	} else {
		rows = append(rows, row{label, i, -1, 0})
		label = ""
	}
	room := max(w-x, 1)
	indent := strings.Repeat(" ", x)
	for y, line := range field.View(room, focused) {
		before := indent
		if y == 0 && label != "" {
			before = label
		}
		rows = append(rows, row{before + line, i, y, x})
	}
	if err := field.Error(); err != "" {
		for _, line := range marked(th.Bad, th.Fail, err, room) {
			rows = append(rows, row{indent + line, i, -1, x})
		}
	}
	if h, ok := field.(helper); ok && focused && h.help() != "" {
		for _, line := range wrapped(th.Dim, h.help(), room) {
			rows = append(rows, row{indent + line, i, -1, x})
		}
	}
	return rows
}

// status is how saving goes.
func (f *Form) status(w int) []string {
	th := f.host.Theme
	switch {
	case f.sending:
		elapsed := f.host.Now().Sub(f.since)
		s := th.Spinner(int(elapsed/spinEvery)) + " under way"
		if elapsed >= time.Second {
			s += ", " + text.Number(int(elapsed/time.Second)) + " s"
		}
		return []string{"", th.Warn.Render(text.Cut(s, w))}
	case f.problem != "":
		return append([]string{""}, marked(th.Bad, th.Fail, f.problem, w)...)
	}
	return nil
}

// spinEvery is how long a step of the spinner takes.
const spinEvery = 100 * time.Millisecond

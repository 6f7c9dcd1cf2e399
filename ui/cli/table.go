package cli

import (
	"slices"
	"strings"

	"golang.org/x/text/width"

	"aivault/ui/neutral"
)

// A style is how a word shows on a terminal with colour.
type style string

const (
	plain  style = ""
	bold   style = "1"
	dim    style = "2"
	red    style = "31"
	green  style = "32"
	yellow style = "33"
)

// paint gives s a style, where there is colour. It comes after everything that
// measures or neutralises s.
func (o *output) paint(st style, s string) string {
	if !o.colour || st == plain || s == "" {
		return s
	}
	return "\x1b[" + string(st) + "m" + s + "\x1b[0m"
}

// styled is text that is harmless and painted already.
type styled string

// strong is a word to look at first.
func (o *output) strong(s string) styled { return styled(o.paint(bold, neutral.Text(s))) }

// A cell is a field of a table.
type cell struct {
	text  string
	style style
}

// cells makes a row of plain texts.
func cells(texts ...string) []cell {
	row := make([]cell, len(texts))
	for i, t := range texts {
		row[i].text = t
	}
	return row
}

// table prints rows in aligned columns. A row of one cell stands alone, and
// has no say in the width of the columns.
func (o *output) table(rows [][]cell) { o.tableFrom(nil, rows) }

// tableFrom goes on with a table whose columns have these widths, and returns
// what they are now.
func (o *output) tableFrom(widths []int, rows [][]cell) []int {
	widths = slices.Clone(widths)
	for _, row := range rows {
		if len(row) < 2 {
			continue
		}
		for i := range row {
			row[i].text = neutral.Text(row[i].text)
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], columns(row[i].text))
		}
	}
	var b strings.Builder
	for _, row := range rows {
		if len(row) == 1 {
			row[0].text = neutral.Text(row[0].text)
		}
		b.WriteString(o.tableRow(widths, row))
	}
	o.write([]byte(b.String()))
	return widths
}

// tableRow returns a row, in lines: on a terminal, what does not fit in the last
// column goes on below in it, or, where there is little room, all of it does at
// the left.
func (o *output) tableRow(widths []int, row []cell) string {
	last := len(row) - 1
	for last > 0 && row[last].text == "" {
		last--
	}
	var b strings.Builder
	start := 0
	for i, c := range row[:last] {
		b.WriteString(o.paint(c.style, c.text))
		b.WriteString(strings.Repeat(" ", widths[i]-columns(c.text)+2))
		start += widths[i] + 2
	}
	c, room := row[last], o.outWidth-start
	if o.outWidth > 0 && room < minFold && columns(c.text) > room {
		start, room = min(start, 4), o.outWidth-4
		before := strings.TrimRight(b.String(), " ")
		b.Reset()
		b.WriteString(before + "\n" + strings.Repeat(" ", start))
	}
	for i, line := range fold(c.text, room) {
		if i > 0 {
			b.WriteString(strings.Repeat(" ", start))
		}
		b.WriteString(o.paint(c.style, line))
		b.WriteByte('\n')
	}
	return b.String()
}

// heading makes a row of column titles.
func heading(titles ...string) []cell {
	row := cells(titles...)
	for i := range row {
		row[i].style = bold
	}
	return row
}

// columns returns how many columns of a terminal s takes.
func columns(s string) int {
	n := 0
	for _, r := range s {
		n++
		if r >= 0x1100 {
			if k := width.LookupRune(r).Kind(); k == width.EastAsianWide || k == width.EastAsianFullwidth {
				n++
			}
		}
	}
	return n
}

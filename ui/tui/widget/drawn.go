package widget

import (
	"sort"
	"strings"
	"unicode/utf8"

	"github.com/charmbracelet/lipgloss"

	"aivault/ui/tui/text"
)

// A drawn line is the display form of a line, with what is known of it.
type drawn struct {
	form  string
	runs  []run
	cells int // its width; -1: not known yet

	starts  []int // where its rows begin, wrapped at wrapped cells
	wrapped int
	stops   []stop // every so often, which cell a byte is at

	found [][2]int // the matches of the search with number gen
	gen   int
}

// A run is a part of a line, up to end, in one style.
type run struct {
	end   int
	style lipgloss.Style
}

// A stop says that the rune at off begins at a cell.
type stop struct{ off, cell int }

// What a viewer keeps of drawn lines before it forgets them all.
const (
	maxDrawn = 4096
	maxHeld  = 16 << 20 // bytes
)

// line returns a line, drawn.
func (v *Viewer) line(i int) *drawn {
	if d := v.cache[i]; d != nil {
		return d
	}
	d := v.make(i)
	if v.cache == nil || len(v.cache) >= maxDrawn || v.held+len(d.form) > maxHeld {
		v.cache, v.held = map[int]*drawn{}, 0
	}
	v.cache[i] = d
	v.held += len(d.form)
	return d
}

func (v *Viewer) make(i int) *drawn {
	d := &drawn{cells: -1}
	if v.styled == nil {
		d.form = v.ink.plain(one(v.raw[i]))
		return d
	}
	var b strings.Builder
	for _, span := range v.styled[i] {
		b.WriteString(v.ink.plain(one(span.Text)))
		d.runs = append(d.runs, run{b.Len(), span.Style})
	}
	d.form = b.String()
	return d
}

// one returns the display form of a line, with tabs expanded. Line breaks in it
// are escapes; the carriage return before the one that ended it is none.
func one(s string) string {
	s = strings.TrimSuffix(s, "\r")
	if strings.Contains(s, "\n") {
		return text.Line(s)
	}
	return text.Lines(s)[0]
}

func (d *drawn) width() int {
	if d.cells < 0 {
		d.cells = text.Width(d.form)
	}
	return d.cells
}

// rows returns how many rows of the screen a line takes.
func (v *Viewer) rows(i int) int {
	if !v.Wrap {
		return 1
	}
	return len(v.line(i).wrap(v.w))
}

// start returns where a row of a line begins.
func (v *Viewer) start(i, row int) int {
	if !v.Wrap || i >= v.Len() {
		return 0
	}
	starts := v.line(i).wrap(v.w)
	return starts[min(row, len(starts)-1)]
}

// rowOf returns the row of a line that a byte is in.
func (v *Viewer) rowOf(i, off int) int {
	if !v.Wrap || i >= v.Len() {
		return 0
	}
	starts := v.line(i).wrap(v.w)
	return max(sort.SearchInts(starts, off+1)-1, 0)
}

// wrap returns where the rows of a line begin, broken at spaces where there are
// any; spaces at the end of a row may hang over.
func (d *drawn) wrap(w int) []int {
	if d.wrapped == w {
		return d.starts
	}
	d.wrapped, d.starts = w, append(d.starts[:0], 0)
	start, cell := 0, 0   // of the row
	space, after := -1, 0 // behind the last space in it: byte, cell
	word := false         // there is something before that space
	for i, r := range d.form {
		n := 1
		if r >= 0x80 {
			n = text.Width(d.form[i : i+utf8.RuneLen(r)])
		}
		if r == ' ' {
			cell++
			if word {
				space, after = i+1, cell
			}
			continue
		}
		if (cell+n > w || i-start >= perCell*(w+16)) && i > start {
			next := i
			if space > start {
				next, cell = space, cell-after
			} else {
				cell = 0
			}
			d.starts = append(d.starts, next)
			start, space = next, -1
			if cell+n > w && i > start { // the word alone is too wide
				d.starts = append(d.starts, i)
				start, cell = i, 0
			}
		}
		word = true
		cell += n
	}
	return d.starts
}

// stopEvery is how many bytes of a line are between two stops.
const stopEvery = 4096

// mark sets the stops.
func (d *drawn) mark() {
	if d.stops != nil {
		return
	}
	d.stops = []stop{{}}
	if d.ascii() {
		return
	}
	cell, last := 0, 0
	for i, r := range d.form {
		if i-last >= stopEvery {
			d.stops = append(d.stops, stop{i, cell})
			last = i
		}
		cell += text.Width(d.form[i : i+utf8.RuneLen(r)])
	}
}

// ascii reports whether every byte is a cell.
func (d *drawn) ascii() bool { return d.width() == len(d.form) && isASCII(d.form) }

// seek returns the rune that a cell belongs to and the cell that it begins at.
func (d *drawn) seek(x int) (off, cell int) {
	if d.ascii() {
		x = min(x, len(d.form))
		return x, x
	}
	d.mark()
	i := sort.Search(len(d.stops), func(i int) bool { return d.stops[i].cell > x })
	from := d.stops[max(i-1, 0)]
	cell = from.cell
	for i, r := range d.form[from.off:] {
		n := text.Width(d.form[from.off+i : from.off+i+utf8.RuneLen(r)])
		if cell+n > x && n > 0 {
			return from.off + i, cell
		}
		cell += n
	}
	return len(d.form), cell
}

// cellOf returns the cell that a byte is at.
func (d *drawn) cellOf(off int) int {
	if d.ascii() {
		return off
	}
	d.mark()
	i := sort.Search(len(d.stops), func(i int) bool { return d.stops[i].off > off })
	from := d.stops[max(i-1, 0)]
	return from.cell + text.Width(d.form[from.off:off])
}

func isASCII(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}

// draw draws a row of a line, and reports whether it has the match that is gone
// to.
func (v *Viewer) draw(i, row int) (s string, current bool) {
	d := v.line(i)
	var b strings.Builder
	if v.Wrap {
		starts := d.wrap(v.w)
		from, to := starts[row], len(d.form)
		if row+1 < len(starts) {
			to = starts[row+1]
		}
		to = from + len(strings.TrimRight(d.form[from:to], " "))
		current = v.piece(&b, i, from, to)
		// A rune may be wider than a row.
		return Clip(b.String(), v.w), current
	}
	from, cell := d.seek(v.shift)
	if cell < v.shift && from < len(d.form) { // a wide rune is cut through
		_, size := utf8.DecodeRuneInString(d.form[from:])
		b.WriteString(blank(cell + text.Width(d.form[from:from+size]) - v.shift))
		from += size
	}
	to, next := d.seek(v.shift + v.w)
	if to < len(d.form) {
		to, next = d.seek(v.shift + v.w - 1)
	}
	from = min(from, to)
	if n := enough(d.form[from:to], v.w); from+n < to {
		to, next = from+n, v.shift+v.w-1
	}
	current = v.piece(&b, i, from, to)
	if to < len(d.form) {
		b.WriteString(blank(v.shift + v.w - 1 - next))
		v.ink.put(&b, v.ink.th.Dim, v.ink.th.Ellipsis)
	}
	return Clip(b.String(), v.w), current
}

// piece writes the bytes [from, to) of a line in their styles.
func (v *Viewer) piece(b *strings.Builder, i, from, to int) (current bool) {
	d := v.line(i)
	found := v.matches(i)
	m := sort.Search(len(found), func(m int) bool { return found[m][1] > from })
	r := sort.Search(len(d.runs), func(r int) bool { return d.runs[r].end > from })
	for from < to {
		end, style := to, v.ink.th.Text
		if r < len(d.runs) {
			end, style = min(end, d.runs[r].end), d.runs[r].style
		}
		if m < len(found) {
			switch {
			case found[m][0] > from:
				end = min(end, found[m][0])
			case v.isCurrent(i, m):
				end, style, current = min(end, found[m][1]), v.ink.th.Selected, true
			default:
				end, style = min(end, found[m][1]), v.ink.th.Match
			}
		}
		v.ink.put(b, style, d.form[from:end])
		from = end
		if r < len(d.runs) && d.runs[r].end <= from {
			r++
		}
		if m < len(found) && found[m][1] <= from {
			m++
		}
	}
	return current
}

package widget

import (
	"fmt"
	"slices"

	"aivault/ui/tui/text"
	"aivault/ui/tui/theme"
)

// A Viewer shows a text. Lines are made ready when they show, so a text may be
// long, and so may its lines.
type Viewer struct {
	// Wrap breaks lines that are wider than the pane; otherwise they are
	// scrolled sideways.
	Wrap bool

	ink     *ink
	raw     []string
	styled  []Styled // instead of raw, if not nil
	details *Details // what styled is made of, at another width
	shaped  int      // the width that it was made for
	shown   string   // the key of what ShowDetails showed last

	top    place // the first line that somebody scrolled to
	x      int   // the first cell that somebody scrolled to, of lines that are not wrapped
	shift  int   // the first one that shows, which is less where all lines end before
	w, h   int   // of the text in the last view
	stream bool  // lines come at the end
	tail   bool  // and the end is what shows

	cache map[int]*drawn
	held  int // bytes in cache
	search
}

// A place is a byte of the display form of a line: it stays where it is when
// lines are wrapped at another width.
type place struct{ line, off int }

// NewViewer returns an empty viewer. Until it is drawn, it is taken for one of
// the size of a small terminal.
func NewViewer(th *theme.Theme) *Viewer { return &Viewer{ink: newInk(th), w: 80, h: 24} }

// SetText replaces the text. What is scrolled to and searched for stays.
func (v *Viewer) SetText(lines []string) {
	v.raw, v.styled, v.details = slices.Clip(lines), nil, nil
	v.renew()
}

// SetStyled replaces the text by one with styles.
func (v *Viewer) SetStyled(lines []Styled) {
	v.raw, v.details = nil, nil
	v.style(lines)
}

// SetDetails shows details, which are shaped for the width of the pane.
func (v *Viewer) SetDetails(d *Details) {
	v.raw, v.details, v.shaped = nil, d, v.w
	v.style(d.Lines(v.w))
}

// ShowDetails shows the details of the thing with a key: from their beginning,
// unless they are those of what was shown so before.
func (v *Viewer) ShowDetails(key string, d *Details) {
	if key != v.shown {
		v.shown = key
		v.Top()
	}
	v.SetDetails(d)
}

func (v *Viewer) style(lines []Styled) {
	v.styled = slices.Clip(lines)
	if lines == nil {
		v.styled = []Styled{}
	}
	v.renew()
}

// Append adds lines without styles at the end.
func (v *Viewer) Append(lines ...string) {
	from := v.Len()
	if v.styled == nil {
		v.raw = append(v.raw, lines...)
	} else {
		v.details = nil
		for _, line := range lines {
			v.styled = append(v.styled, Styled{{Text: line, Style: v.ink.th.Text}})
		}
	}
	v.count(from)
}

// renew forgets what was made of the old text.
func (v *Viewer) renew() {
	v.cache, v.held = nil, 0
	v.hits, v.total = nil, 0
	v.count(0)
	v.clampMatch()
}

// Len returns how many lines there are.
func (v *Viewer) Len() int {
	if v.styled != nil {
		return len(v.styled)
	}
	return len(v.raw)
}

// Top scrolls to the beginning.
func (v *Viewer) Top() { v.top, v.x, v.tail = place{}, 0, false }

// Follow makes the end of the text what shows, also when lines are added; until
// somebody scrolls up, and again when they are back at the end. False ends that:
// what shows stays.
func (v *Viewer) Follow(on bool) {
	if v.tail && !on {
		v.goTo(v.first())
	}
	v.stream, v.tail = on, on
}

// Following reports whether the end is what shows as lines are added.
func (v *Viewer) Following() bool { return v.stream && v.tail }

// Say tells in words what shows: "line 12 of 340, match 3 of 17".
func (v *Viewer) Say() string {
	if v.Len() == 0 {
		return "no lines"
	}
	line, _ := v.first()
	s := fmt.Sprintf("line %s of %s", text.Number(line+1), text.Number(v.Len()))
	if n, of := v.Match(); of > 0 {
		s += fmt.Sprintf(", match %s of %s", text.Number(n), text.Number(of))
	} else if !v.needle.none() {
		s += ", no match"
	}
	if v.Following() {
		s += ", following"
	}
	return s
}

// withMargin is how wide a pane is, in cells, in which text keeps a distance
// from the frame.
const withMargin = 24

// View draws the text. The last column is for a scroll bar, where there is one.
func (v *Viewer) View(w, h int) []string {
	if w <= 0 || h <= 0 {
		return empty(w, h)
	}
	margin := ""
	if w >= withMargin {
		margin = " "
	}
	v.w, v.h = max(w-1-len(margin), 1), h
	if v.details != nil && v.shaped != v.w {
		v.SetDetails(v.details)
	}
	if v.shift = 0; !v.Wrap && v.x > 0 {
		v.shift = v.sideways(v.x)
	}
	line, row := v.first()
	out, at := make([]string, 0, h), make([]bool, h)
	begin, rest := line, row
	for ; line < v.Len() && len(out) < h; line, row = line+1, 0 {
		for ; row < v.rows(line) && len(out) < h; row++ {
			s, current := v.draw(line, row)
			at[len(out)] = current
			out = append(out, margin+s)
		}
	}
	for len(out) < h {
		out = append(out, blank(v.w+len(margin)))
	}
	if w > 1 {
		v.edge(out, at, begin, rest, begin > 0 || rest > 0 || !v.fits())
	}
	return out
}

// fits reports whether the whole text shows.
func (v *Viewer) fits() bool {
	n := 0
	for i := range v.Len() {
		if n += v.rows(i); n > v.h {
			return false
		}
	}
	return true
}

// edge draws the last column: a scroll bar, and a mark beside the match that is
// gone to, which not every terminal can show otherwise.
func (v *Viewer) edge(out []string, match []bool, line, row int, bar bool) {
	cells := empty(1, len(out))
	if bar {
		// In parts of a line, as one line may be all there is.
		const parts = 64
		shown, n := 0, v.Len()*parts
		l, r := line, row
		for range out {
			if l >= v.Len() {
				break
			}
			shown += max(parts/v.rows(l), 1)
			if r++; r >= v.rows(l) {
				l, r = l+1, 0
			}
		}
		endLine, endRow := v.last()
		end := endLine*parts + endRow*parts/v.rows(endLine)
		at := line*parts + row*parts/v.rows(line)
		shown = max(min(shown, n), 1)
		cells = v.ink.bar(len(out), at*max(n-shown, 1)/max(end, 1), shown, n)
	}
	for i := range out {
		if match[i] {
			cells[i] = v.ink.paint(v.ink.th.Warn, v.ink.th.Mark)
		}
		out[i] += cells[i]
	}
}

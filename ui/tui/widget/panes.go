package widget

import (
	"strings"

	"aivault/ui/tui/text"
)

// The widths of a screen, in cells, from which on it shows so many panes.
const (
	forTwo   = 60
	forThree = 100
)

// Panes say where the panes of a screen are, and which one has the focus: one
// to three, from the general to the detail. They hold no content.
type Panes struct {
	// Weights share the width out among panes that stand side by side; 1 each
	// if there are none.
	Weights []int
	// Max bounds the widths, in cells, where a pane would be wider than what it
	// shows; 0 or none is no bound. What is left goes to the panes without one.
	Max []int

	names []string
	focus int
	zoom  bool
	w     int
	rects []Rect
}

// NewPanes returns panes with these names; the first one has the focus.
func NewPanes(names ...string) *Panes {
	return &Panes{names: names, rects: make([]Rect, len(names)), w: forThree}
}

// Name renames a pane.
func (p *Panes) Name(i int, name string) { p.names[i] = name }

// Layout returns where the panes are on a screen of w by h cells, with their
// frames. Those that do not show are of size 0.
func (p *Panes) Layout(w, h int) []Rect {
	p.w = w
	p.rects = make([]Rect, len(p.names))
	shown := p.shown()
	x := 0
	for i, width := range p.share(shown, max(w, 0)) {
		p.rects[shown[i]] = Rect{X: x, W: width, H: max(h, 0)}
		x += width
	}
	return p.rects
}

// shown returns the panes that show, from left to right.
func (p *Panes) shown() []int {
	last := len(p.names) - 1
	switch {
	case p.zoom || p.w < forTwo || last == 0:
		return []int{p.focus}
	case last == 1:
		return []int{0, 1}
	case p.w >= forThree:
		return []int{0, 1, 2}
	case p.focus == last:
		return []int{0, last}
	}
	return []int{0, 1}
}

// share divides w among panes.
func (p *Panes) share(shown []int, w int) []int {
	out, total := make([]int, len(shown)), 0
	for _, i := range shown {
		total += p.weight(i)
	}
	left, free := w, -1
	for at, i := range shown {
		out[at] = w * p.weight(i) / total
		if most := p.most(i); most > 0 && len(shown) > 1 {
			out[at] = min(out[at], most)
		} else {
			free = at
		}
		left -= out[at]
	}
	if free < 0 {
		free = len(out) - 1
	}
	out[free] += left
	return out
}

func (p *Panes) weight(i int) int {
	if i < len(p.Weights) && p.Weights[i] > 0 {
		return p.Weights[i]
	}
	return 1
}

func (p *Panes) most(i int) int {
	if i < len(p.Max) {
		return p.Max[i]
	}
	return 0
}

// Focus returns the pane with the focus.
func (p *Panes) Focus() int { return p.focus }

// SetFocus gives the focus to a pane.
func (p *Panes) SetFocus(i int) { p.focus = max(min(i, len(p.names)-1), 0) }

// Next gives the focus to the next pane, after the last one to the first.
func (p *Panes) Next() { p.focus = (p.focus + 1) % len(p.names) }

// Prev gives the focus to the pane before.
func (p *Panes) Prev() { p.focus = (p.focus + len(p.names) - 1) % len(p.names) }

// Open goes one pane on, towards the detail.
func (p *Panes) Open() { p.SetFocus(p.focus + 1) }

// Back undoes a zoom, or goes from the detail to the pane before; where one
// pane shows at a time, from any but the first. It reports false if there is
// nothing to go back from.
func (p *Panes) Back() bool {
	last := len(p.names) - 1
	switch {
	case p.zoom:
		p.zoom = false
	case p.focus > 0 && (p.focus == last || p.w < forTwo):
		p.focus--
	default:
		return false
	}
	return true
}

// Zoom gives the pane with the focus the whole screen, or takes it back.
func (p *Panes) Zoom() { p.zoom = !p.zoom }

// Zoomed reports whether a pane was given the whole screen.
func (p *Panes) Zoomed() bool { return p.zoom }

// Crumb returns the way to the pane with the focus, where no other shows: as
// "Scopes › Secrets". Otherwise it is empty.
func (p *Panes) Crumb() string {
	if len(p.names) < 2 || len(p.shown()) > 1 {
		return ""
	}
	names := make([]string, p.focus+1)
	for i := range names {
		names[i] = text.Line(p.names[i])
	}
	return strings.Join(names, " › ")
}

// At returns the pane that shows at a cell of the screen, -1 for none, and the
// cell within its frame, for the content's Mouse; on the frame itself it is
// outside the content.
func (p *Panes) At(x, y int) (pane, px, py int) {
	for i, r := range p.rects {
		if x >= r.X && x < r.X+r.W && y >= r.Y && y < r.Y+r.H {
			return i, x - r.X - 1, y - r.Y - 1
		}
	}
	return -1, 0, 0
}

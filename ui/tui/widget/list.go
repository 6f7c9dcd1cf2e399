package widget

import (
	"fmt"

	tea "github.com/charmbracelet/bubbletea"

	// It puts back the TERM that the guard hides from bubbletea's init.
	_ "aivault/ui/guard/release"
	"aivault/ui/tui/text"
	"aivault/ui/tui/theme"
)

// A List shows rows of which only those are asked for that are visible. Rows
// have keys: what is selected and marked is so by key, whatever becomes of the
// order.
type List struct {
	// Header shows the titles of the columns.
	Header bool
	// Empty is shown where there are no rows: what would be here, and how to
	// make it.
	Empty []string
	// Before and After are how many rows there are around those of the list,
	// where it holds a part of something long: the scroll bar is that of all.
	Before, After int

	ink *ink
	columns
	window
	key func(i int) string
	row func(i int) Row

	// want is the key that was selected by somebody; where it is not among the
	// rows, have is the one under the cursor in its place.
	want, have string
	marks
	leads bool // some row had a lead
	bare  bool // rows cannot be marked
	body  int  // the line of the view at which rows begin
}

// NewList returns an empty list.
func NewList(th *theme.Theme, cols ...Column) *List {
	return &List{ink: newInk(th), columns: columns{cols: cols}}
}

// SetRows replaces the rows: there are n, and key and row say what they are.
// Both are called while the list shows them, so what they read must not change
// before the next SetRows. What was selected stays so; where it is gone, the
// row that has its place is selected, until it is back.
func (l *List) SetRows(n int, key func(i int) string, row func(i int) Row) {
	l.key, l.row = key, row
	l.resize(n, l.find(n))
	l.have = l.Key()
	l.marks.recount(n, key)
}

// find returns where the selected row is now.
func (l *List) find(n int) int {
	if l.want == "" && l.have == "" {
		return l.cur
	}
	if l.cur < n && l.key(l.cur) == l.want {
		return l.cur
	}
	at := l.cur
	for i := range n {
		switch l.key(i) {
		case l.want:
			return i
		case l.have:
			at = i
		}
	}
	return at
}

// Len returns how many rows there are.
func (l *List) Len() int { return l.n }

// Index returns the row under the cursor, -1 if there is none.
func (l *List) Index() int {
	if l.n == 0 {
		return -1
	}
	return l.cur
}

// Key returns the key of the row under the cursor, "" if there is none.
func (l *List) Key() string {
	if l.n == 0 {
		return ""
	}
	return l.key(l.cur)
}

// Select puts the cursor on the row with a key. If there is none, it goes there
// once there is.
func (l *List) Select(key string) bool {
	l.want = key
	if l.n == 0 {
		return false
	}
	if at := l.find(l.n); l.key(at) == key {
		l.SelectIndex(at)
		return true
	}
	return false
}

// SelectIndex puts the cursor on a row, the nearest one if i is out of range.
func (l *List) SelectIndex(i int) {
	l.move(i)
	l.chose()
}

// chose remembers what is under the cursor as somebody's choice.
func (l *List) chose() {
	if l.n > 0 {
		l.have = l.key(l.cur)
		l.want = l.have
	}
}

// KeyMsg takes a key that moves the cursor, and reports whether it is one.
func (l *List) KeyMsg(k tea.KeyMsg) bool {
	to, ok := l.step(k)
	if ok {
		l.SelectIndex(to)
	}
	return ok
}

// Mouse takes a mouse event at a cell of the last view: the wheel scrolls, and
// a click selects. It reports whether something was there.
func (l *List) Mouse(x, y int, m tea.MouseMsg) bool {
	if by := turn(m); by != 0 {
		l.scroll(by)
		l.chose()
		return true
	}
	i := l.at + y - l.body
	if !clicked(m) || x < 0 || y < l.body || y >= l.body+l.h || i >= l.n {
		return false
	}
	l.SelectIndex(i)
	return true
}

// Say tells in words where the cursor is: "row 3 of 128, 2 marked".
func (l *List) Say() string {
	if l.n == 0 {
		return "no rows"
	}
	s := fmt.Sprintf("row %s of %s", text.Number(l.cur+1), text.Number(l.n))
	if l.count > 0 {
		s += fmt.Sprintf(", %s marked", text.Number(l.count))
	}
	return s
}

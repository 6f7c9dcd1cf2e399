// Package browse is what pages of a list have in common: a tree of what its rows
// are grouped by, where there is one, the list with its filter, and the detail
// of the row under the cursor, each in a pane; and the keys that go between
// them.
//
// A page holds the rows and says what is in the detail. It is told when
// somebody moved ([Browser.Moved]) or filtered ([Browser.Filtered]).
package browse

import (
	"time"

	tea "github.com/charmbracelet/bubbletea"

	// It puts back the TERM that the guard hides from bubbletea's init.
	_ "aivault/ui/guard/release"
	"aivault/ui/tui/action"
	"aivault/ui/tui/theme"
	"aivault/ui/tui/widget"
)

// Rest is how long the cursor rests on a row before it is worth reading more
// about it.
const Rest = 80 * time.Millisecond

// A Pane is one of the panes of a page.
type Pane int

// The panes.
const (
	Tree Pane = iota
	List
	Detail
)

// A Browser is the panes of a page.
type Browser struct {
	Tree   *widget.Tree // nil: there is none
	List   *widget.List
	Detail *widget.Viewer
	Filter *widget.FilterLine
	Panes  *widget.Panes

	Chose    func() tea.Cmd // the cursor of the tree moved
	Moved    func() tea.Cmd // the cursor of the list moved
	Filtered func() tea.Cmd // the filter is another one
	Opened   func() tea.Cmd // somebody went to the detail
	// Head names a pane, and says how much is in it.
	Head func(Pane) (title, note string)
	// Waiting says what has been under way for a while; empty: nothing.
	Waiting func() string

	th *theme.Theme
}

// New returns the panes of a page with the list's columns. The filter knows
// fields. The names are those of the list and, unless it is empty, of the tree.
func New(th *theme.Theme, tree, list string, fields []string, cols ...widget.Column) *Browser {
	b := &Browser{
		List: widget.NewList(th, cols...), Detail: widget.NewViewer(th), Filter: widget.NewFilterLine(th, fields...), th: th,
	}
	if tree == "" {
		b.Panes = widget.NewPanes(list, "Detail")
		return b
	}
	b.Tree = widget.NewTree(th)
	b.Panes = widget.NewPanes(tree, list, "Detail")
	b.Focus(List)
	return b
}

// index is where a pane is among the panes of this page.
func (b *Browser) index(p Pane) int {
	if b.Tree == nil {
		return int(p) - 1
	}
	return int(p)
}

// pane is the pane at an index.
func (b *Browser) pane(i int) Pane {
	if b.Tree == nil {
		return Pane(i + 1)
	}
	return Pane(i)
}

// Focused returns the pane with the focus.
func (b *Browser) Focused() Pane { return b.pane(b.Panes.Focus()) }

// Focus gives the focus to a pane.
func (b *Browser) Focus(p Pane) { b.Panes.SetFocus(b.index(p)) }

// Captures reports whether what is typed is a filter.
func (b *Browser) Captures() bool { return b.Filter.Typing() }

// Key takes a key that is no action.
func (b *Browser) Key(k tea.KeyMsg) tea.Cmd {
	if b.Filter.Typing() {
		took, changed := b.Filter.KeyMsg(k)
		switch {
		case changed:
			return b.Filtered()
		case !took && b.List.KeyMsg(k):
			return b.Moved()
		}
		return nil
	}
	switch b.Focused() {
	case Tree:
		if b.Tree.KeyMsg(k) {
			return b.Chose()
		}
	case List:
		if b.List.KeyMsg(k) {
			return b.Moved()
		}
	case Detail:
		b.Detail.KeyMsg(k)
	}
	return nil
}

// Mouse gives a pane the focus that is clicked on, and the event to what is
// there.
func (b *Browser) Mouse(m tea.MouseMsg) tea.Cmd {
	i, x, y := b.Panes.At(m.X, m.Y)
	if i < 0 {
		return nil
	}
	if m.Action == tea.MouseActionPress && m.Button == tea.MouseButtonLeft {
		b.Panes.SetFocus(i)
	}
	switch b.pane(i) {
	case Tree:
		if b.Tree.Mouse(x, y, m) {
			return b.Chose()
		}
	case List:
		if b.List.Mouse(x, y-b.filterLines(), m) {
			return b.Moved()
		}
	case Detail:
		b.Detail.Mouse(x, y, m)
	}
	return nil
}

// Actions are the ways around the page; while a filter is typed, what ends that
// and nothing else.
func (b *Browser) Actions() []action.Bound {
	if b.Filter.Typing() {
		return []action.Bound{
			{ID: action.Open, Short: "keep the filter", Run: b.keep},
			{ID: action.Back, Short: "clear it", Run: b.clear},
		}
	}
	open := action.Bound{ID: action.Open, Run: b.open}
	if b.Focused() == Detail {
		open.Off = "the detail is open"
	}
	do := func(f func()) func() tea.Cmd { return func() tea.Cmd { f(); return nil } }
	out := []action.Bound{
		{ID: action.Filter, Run: b.filter},
		open,
		{ID: action.NextPane, Run: do(b.Panes.Next)},
		{ID: action.PrevPane, Hidden: true, Run: do(b.Panes.Prev)},
		{ID: action.Zoom, Run: do(b.Panes.Zoom)},
	}
	if b.canGoBack() {
		out = append(out, action.Bound{ID: action.Back, Hidden: true, Run: b.back})
	}
	return out
}

func (b *Browser) filter() tea.Cmd {
	b.Focus(List)
	b.Filter.Open()
	return nil
}

func (b *Browser) keep() tea.Cmd {
	b.Filter.KeyMsg(tea.KeyMsg{Type: tea.KeyEnter})
	return nil
}

func (b *Browser) clear() tea.Cmd {
	b.Filter.Clear()
	return b.Filtered()
}

// open goes one pane on.
func (b *Browser) open() tea.Cmd {
	b.Panes.Open()
	if b.Focused() == Detail && b.Opened != nil {
		return b.Opened()
	}
	return nil
}

// canGoBack reports whether there is something to go back from on this page.
func (b *Browser) canGoBack() bool {
	return b.Panes.Zoomed() || b.Filter.Shows() || b.Focused() == Detail || b.Panes.Focus() > 0 && b.Panes.Crumb() != ""
}

// back goes one step back: from a zoom and the detail, then from a filter.
func (b *Browser) back() tea.Cmd {
	if b.Filter.Shows() && !b.Panes.Zoomed() && b.Focused() != Detail {
		return b.clear()
	}
	b.Panes.Back()
	return nil
}

package widget

import (
	"strings"

	tea "github.com/charmbracelet/bubbletea"

	"aivault/ui/tui/text"
	"aivault/ui/tui/theme"
)

// A Node of a tree.
type Node struct {
	Key   string
	Label string
	Count string // shown at the right
	Depth int    // 0 is a root; a child is one deeper than its parent
	Kids  bool   // it has nodes below it
	Dim   bool
}

// A Tree shows nodes of which some can be folded: then what is below them is
// not shown. Folds and the selection stay with the keys.
type Tree struct {
	list  *List
	nodes []Node
	shut  map[string]bool
	shown []int // the nodes that no fold hides
}

// NewTree returns an empty tree.
func NewTree(th *theme.Theme) *Tree {
	l := NewList(th, Column{Grow: true}, Column{Right: true})
	l.bare = true
	return &Tree{list: l, shut: map[string]bool{}}
}

// SetNodes replaces the nodes; each comes before those below it.
func (t *Tree) SetNodes(nodes []Node) {
	t.nodes = nodes
	t.unfold()
}

// unfold works out what shows, after the nodes or a fold changed.
func (t *Tree) unfold() {
	t.shown = t.shown[:0]
	hidden := -1 // the depth of the fold that we are in
	for i, n := range t.nodes {
		if hidden >= 0 && n.Depth > hidden {
			continue
		}
		hidden = -1
		if n.Kids && t.shut[n.Key] {
			hidden = n.Depth
		}
		t.shown = append(t.shown, i)
	}
	t.list.SetRows(len(t.shown), func(i int) string { return t.nodes[t.shown[i]].Key }, t.row)
}

func (t *Tree) row(i int) Row {
	n := t.nodes[t.shown[i]]
	th := t.list.ink.th
	fold := " "
	switch {
	case n.Kids && t.shut[n.Key]:
		fold = th.Shut
	case n.Kids:
		fold = th.Open
	}
	return Row{
		Cells: []Cell{{Text: blank(t.indent(n)) + fold + " " + n.Label, Style: th.Text}, {Text: n.Count, Style: th.Dim}},
		Dim:   n.Dim,
	}
}

// indent is how far a node's fold mark is from the left of its cell.
func (*Tree) indent(n Node) int { return 2 * min(max(n.Depth, 0), 16) }

// Len returns how many nodes show.
func (t *Tree) Len() int { return t.list.Len() }

// Key returns the key of the node under the cursor, "" if there is none.
func (t *Tree) Key() string { return t.list.Key() }

// Select puts the cursor on the node with a key, and opens the folds that hide
// it. If there is none, the cursor goes there once there is.
func (t *Tree) Select(key string) bool {
	for i, n := range t.nodes {
		if n.Key != key {
			continue
		}
		for up := t.parent(i); up >= 0; up = t.parent(up) {
			delete(t.shut, t.nodes[up].Key)
		}
		t.unfold()
		break
	}
	return t.list.Select(key)
}

// parent returns the node above one, -1 if there is none.
func (t *Tree) parent(i int) int {
	for j := i - 1; j >= 0; j-- {
		if t.nodes[j].Depth < t.nodes[i].Depth {
			return j
		}
	}
	return -1
}

// fold hides what is below a node, or shows it. The cursor goes to the node if
// it was among what is hidden now.
func (t *Tree) fold(node int, shut bool) {
	key := t.nodes[node].Key
	if !shut {
		delete(t.shut, key)
		t.unfold()
		return
	}
	for at := t.shown[t.list.cur]; at >= 0; at = t.parent(at) {
		if at == node {
			t.list.Select(key)
			break
		}
	}
	t.shut[key] = true
	t.unfold()
}

// KeyMsg takes a key that moves the cursor or folds, and reports whether it is
// one: to the left folds, or goes to the node above; to the right unfolds, or
// goes to the first node below.
func (t *Tree) KeyMsg(k tea.KeyMsg) bool {
	left := k.String() == "h" || k.String() == "left"
	right := k.String() == "l" || k.String() == "right"
	if !left && !right {
		return t.list.KeyMsg(k)
	}
	if t.Len() == 0 {
		return true
	}
	i := t.shown[t.list.cur]
	n := t.nodes[i]
	shut := t.shut[n.Key]
	switch {
	case left && n.Kids && !shut:
		t.fold(i, true)
	case left:
		if up := t.parent(i); up >= 0 {
			t.list.Select(t.nodes[up].Key)
		}
	case n.Kids && shut:
		t.fold(i, false)
	case n.Kids:
		t.list.SelectIndex(t.list.cur + 1)
	}
	return true
}

// Mouse takes a mouse event at a cell of the last view: the wheel scrolls, a
// click selects, and one on a fold mark folds or unfolds.
func (t *Tree) Mouse(x, y int, m tea.MouseMsg) bool {
	i := t.list.at + y - t.list.body
	if clicked(m) && y >= 0 && y < t.list.h && i < t.Len() {
		n := t.nodes[t.shown[i]]
		if mark := t.list.gutter() + t.indent(n); n.Kids && (x == mark || x == mark+1) {
			t.fold(t.shown[i], !t.shut[n.Key])
			return true
		}
	}
	return t.list.Mouse(x, y, m)
}

// Say tells in words where the cursor is: "row 3 of 14, folded".
func (t *Tree) Say() string {
	var b strings.Builder
	b.WriteString(t.list.Say())
	if t.Len() > 0 {
		n := t.nodes[t.shown[t.list.cur]]
		switch {
		case n.Kids && t.shut[n.Key]:
			b.WriteString(", folded")
		case n.Kids:
			b.WriteString(", open")
		}
	}
	return b.String()
}

// View draws the tree.
func (t *Tree) View(w, h int, focused bool) []string { return t.list.View(w, h, focused) }

// Path returns the labels from a root to the node under the cursor, in their
// display forms.
func (t *Tree) Path() []string {
	if t.Len() == 0 {
		return nil
	}
	var out []string
	for at := t.shown[t.list.cur]; at >= 0; at = t.parent(at) {
		out = append([]string{text.Line(t.nodes[at].Label)}, out...)
	}
	return out
}

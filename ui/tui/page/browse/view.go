package browse

import (
	"aivault/ui/tui/widget"
)

// headerFrom is the height of a list from which on it has titles over its
// columns, in lines.
const headerFrom = 8

// View draws the panes that there is room for.
func (b *Browser) View(w, h int) []string {
	rects := b.Panes.Layout(w, h)
	crumb := b.Panes.Crumb()
	var panes [][]string
	for i, r := range rects {
		if r.W <= 0 {
			continue
		}
		title, note := b.Head(b.pane(i))
		if crumb != "" {
			title = crumb
		}
		iw, ih := r.Inner()
		panes = append(panes, widget.Box(b.th, title, note, b.Panes.Focus() == i, r.W, r.H, b.body(b.pane(i), iw, ih)))
	}
	return widget.Join(panes...)
}

// filterLines is how many lines of the list the filter takes.
func (b *Browser) filterLines() int {
	if b.Filter.Shows() {
		return 1
	}
	return 0
}

// body draws what is in a pane.
func (b *Browser) body(p Pane, w, h int) []string {
	focused := b.Focused() == p
	switch p {
	case Tree:
		return b.Tree.View(w, h, focused)
	case Detail:
		return b.Detail.View(w, h)
	}
	var out []string
	if b.filterLines() > 0 {
		out = append(out, b.Filter.View(w))
	}
	room, wait := h-len(out), b.Waiting()
	if wait != "" {
		room--
	}
	b.List.Header = h >= headerFrom && b.List.Len() > 0
	out = append(out, b.List.View(w, max(room, 0), focused)...)
	if wait != "" {
		out = append(out, " "+wait)
	}
	return out
}

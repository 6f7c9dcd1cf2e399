package secrets

import (
	"aivault/ui/tui/text"
	"aivault/ui/tui/widget"
)

// headerFrom is the height of the list from which on it has titles over its
// columns, in lines.
const headerFrom = 8

// frameCells is what the edge of a box takes beside its title and its note.
const frameCells = 9

// View implements view.Screen.
func (p *page) View(w, h int) []string {
	p.nameCrumbs()
	p.panes.Weights = weights(w)
	rects := p.panes.Layout(w, h)
	crumb := p.panes.Crumb()
	var panes [][]string
	for i, r := range rects {
		if r.W <= 0 {
			continue
		}
		title, note := p.paneTitle(i)
		if crumb != "" {
			if title = crumb; text.Width(title)+text.Width(note)+frameCells > r.W {
				note = ""
			}
		}
		iw, ih := r.Inner()
		panes = append(panes, widget.Box(p.host.Theme, title, note, p.panes.Focus() == i, r.W, r.H, p.paneBody(i, iw, ih)))
	}
	return widget.Join(panes...)
}

// weights share the width out so that an id has a line of its own in the detail,
// or, where it is too narrow for that, a time.
func weights(w int) []int {
	if w < 120 {
		return []int{22, 44, 34}
	}
	return []int{6, 14, 10}
}

// nameCrumbs names the panes after what they show, for when only one of them
// does.
func (p *page) nameCrumbs() {
	p.panes.Name(paneList, p.of.title())
	if r := p.current(); r != nil {
		p.panes.Name(paneDetail, r.Name)
	} else {
		p.panes.Name(paneDetail, "Detail")
	}
}

func (p *page) paneTitle(i int) (title, note string) {
	switch i {
	case paneScopes:
		return "Scopes", ""
	case paneList:
		return p.listTitle()
	}
	return "Detail", ""
}

// paneBody draws what is in a pane.
func (p *page) paneBody(i, w, h int) []string {
	focused := p.panes.Focus() == i
	switch i {
	case paneScopes:
		return p.tree.View(w, h, focused)
	case paneDetail:
		return p.detail.View(w, h)
	}
	var out []string
	if p.filterLines() > 0 {
		out = append(out, p.filter.View(w))
	}
	wait := p.waiting()
	room := h - len(out)
	if wait != "" {
		room--
	}
	p.list.Header = h >= headerFrom && p.list.Len() > 0
	out = append(out, p.list.View(w, max(room, 0), focused)...)
	if wait != "" {
		out = append(out, " "+wait)
	}
	return out
}

// waiting says what has been under way for a while.
func (p *page) waiting() string {
	for _, slot := range []struct{ name, what string }{
		{"list", "reading the secrets"}, {"delete", "reading what depends on it"}, {"show", "looking for the secret"},
	} {
		if since, busy := p.tasks.Busy(slot.name); busy {
			if s := widget.Waiting(p.host.Theme, slot.what, since, p.host.Now()); s != "" {
				return s
			}
		}
	}
	return ""
}

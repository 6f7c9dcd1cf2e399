package attach

import (
	tea "github.com/charmbracelet/bubbletea"

	"aivault/ui/tui/action"
	"aivault/ui/tui/text"
)

// Actions are checking, applying and finding.
func (p *Page) Actions() []action.Bound {
	all := action.Bound{ID: action.Cancel, Short: "show all", Run: func() tea.Cmd { p.list.Escape(); return nil }}
	if p.list.Captures() { // enter and space are the filter's
		keep := action.Bound{ID: action.Open, Short: "keep the filter", Run: func() tea.Cmd { return p.listKey(tea.KeyMsg{Type: tea.KeyEnter}) }}
		if p.list.Offers() {
			keep.Short = "new group"
		}
		return []action.Bound{keep, all}
	}
	out := []action.Bound{
		{ID: action.Check, Off: p.cannotCheck(), Run: func() tea.Cmd { return p.listKey(tea.KeyMsg{Type: tea.KeySpace, Runes: []rune{' '}}) }},
		{ID: action.Share, Off: p.cannotApply(), Run: p.apply},
		{ID: action.Filter, Run: p.filter},
		{ID: action.NextPane, Short: "preview", Run: func() tea.Cmd { p.panes.Next(); return nil }},
		{ID: action.PrevPane, Hidden: true, Run: func() tea.Cmd { p.panes.Prev(); return nil }},
		{ID: action.Zoom, Hidden: true, Run: func() tea.Cmd { p.panes.Zoom(); return nil }},
	}
	if p.panes.Focus() == previewPane {
		out[3].Short = "list"
	}
	switch {
	case p.list.Filtered():
		return append(out, all)
	case p.panes.Zoomed():
		out = append(out, action.Bound{ID: action.Cancel, Short: "unzoom", Run: func() tea.Cmd { p.panes.Back(); return nil }})
	}
	return out
}

func (p *Page) filter() tea.Cmd {
	p.panes.SetFocus(listPane)
	return p.list.Filter()
}

// cannotCheck says why no row can be checked.
func (p *Page) cannotCheck() string {
	switch {
	case p.sheet == nil:
		return "it is still being read"
	case p.panes.Focus() != listPane:
		return "go back to the list first: tab"
	case p.list.Len() == 0 && !p.list.Offers():
		return "there is nothing to check"
	case p.saving:
		return "the changes are being made"
	}
	return ""
}

// cannotApply says why there is nothing to apply.
func (p *Page) cannotApply() string {
	switch {
	case p.saving:
		return "the changes are being made"
	case !p.list.Dirty() && !p.list.Offers():
		return "nothing is changed yet: space attaches or detaches"
	}
	return ""
}

// Key moves, and types the filter.
func (p *Page) Key(k tea.KeyMsg) tea.Cmd {
	if p.panes.Focus() == previewPane && !p.list.Captures() {
		p.preview.viewer.KeyMsg(k)
		return nil
	}
	return p.listKey(k)
}

func (p *Page) listKey(k tea.KeyMsg) tea.Cmd {
	if p.saving || p.sheet == nil {
		return nil
	}
	cmd, _ := p.list.Key(k)
	return cmd
}

// Mouse gives the pane that was clicked the focus, and the click.
func (p *Page) Mouse(m tea.MouseMsg) tea.Cmd {
	for i, r := range p.rects {
		x, y := m.X-r.X, m.Y-r.Y
		if x < 0 || y < 0 || x >= r.W || y >= r.H {
			continue
		}
		if m.Action == tea.MouseActionPress && m.Button == tea.MouseButtonLeft {
			p.panes.SetFocus(i)
		}
		if i == previewPane {
			p.preview.viewer.Mouse(x, y, m)
		} else if !p.saving && p.sheet != nil {
			return p.list.Mouse(x, y, m)
		}
	}
	return nil
}

// Say is the row under the cursor, and what is about to change.
func (p *Page) Say() string {
	switch {
	case p.sheet == nil && p.failed != "":
		return "could not be read; R reads it again"
	case p.sheet == nil:
		return "being read"
	case p.panes.Focus() == previewPane:
		return "what changes, " + p.preview.viewer.Say()
	}
	s := p.list.Say()
	if n := len(p.pending); n > 0 {
		s += ", " + text.Plural(n, "change") + " to apply"
	}
	return s
}

package secrets

import (
	"fmt"

	tea "github.com/charmbracelet/bubbletea"

	"aivault/ui/tui/action"
	"aivault/vault"
)

// Captures implements view.Screen.
func (p *page) Captures() bool { return p.filter.Typing() }

// Actions implements view.Screen.
func (p *page) Actions() []action.Bound {
	if p.filter.Typing() {
		return []action.Bound{
			{ID: action.Open, Run: p.keepFilter, Short: "keep"},
			{ID: action.Back, Run: p.clearFilter, Short: "clear"},
		}
	}
	one, many, here := p.offReasons()
	out := []action.Bound{
		{ID: action.NewSecret, Run: p.create},
		{ID: action.Rotate, Off: one, Run: p.rotate},
		{ID: action.EditSecret, Off: one, Run: p.edit},
		{ID: action.AttachTo, Off: p.attachOff(many), Run: p.attach},
		{ID: action.Detach, Off: p.detachOff(many), Run: p.detach},
		{ID: action.RunTest, Off: here, Run: p.test},
		{ID: action.AskWhy, Off: here, Run: p.why},
		{ID: action.DelSecret, Off: many, Run: p.remove},
		{ID: action.Filter, Run: p.openFilter},
		{ID: action.Open, Off: p.openOff(), Run: p.open},
		{ID: action.Mark, Off: one, Run: p.mark},
		{ID: action.MarkAll, Off: one, Hidden: true, Run: p.markAll},
		{ID: action.OwnOnly, Off: p.ownOff(), Short: p.ownWord(), Run: p.toggleOwn},
		{ID: action.Log, Off: one, Run: p.log},
		{ID: action.NextPane, Run: func() tea.Cmd { p.panes.Next(); return nil }},
		{ID: action.PrevPane, Hidden: true, Run: func() tea.Cmd { p.panes.Prev(); return nil }},
		{ID: action.Zoom, Run: func() tea.Cmd { p.panes.Zoom(); return nil }},
	}
	if p.canGoBack() {
		out = append(out, action.Bound{ID: action.Back, Hidden: true, Run: p.back})
	}
	return out
}

// offReasons says why there is nothing to do with the secret under the cursor,
// with the marked ones, and with the node or the secret in it.
func (p *page) offReasons() (one, many, here string) {
	switch {
	case p.panes.Focus() == paneScopes:
		return "go to a secret first: tab", "go to a secret first: tab", p.allOff()
	case p.stale():
		why := "the list is being read: press it again"
		if p.failed {
			why = "the list could not be read: R reads it again"
		}
		return why, why, why
	case p.current() == nil:
		return "there is no secret here", "there is no secret here", p.allOff()
	}
	return "", "", ""
}

// allOff is why the list of all secrets is no place to look from.
func (p *page) allOff() string {
	if p.node.all {
		return "select a scope or a secret first"
	}
	return ""
}

func (p *page) openOff() string {
	if p.panes.Focus() == paneDetail {
		return "the detail is open"
	}
	return ""
}

func (p *page) ownOff() string {
	if p.of.all {
		return "all secrets are shown, each with its scope"
	}
	return ""
}

func (p *page) ownWord() string {
	if p.own {
		return "all effective"
	}
	return "own only"
}

// attachOff says why nothing can be attached. In the tree and in an empty list,
// it is the group that secrets are attached to.
func (p *page) attachOff(many string) string {
	if many == "" {
		return ""
	}
	if _, ok := p.node.group(); ok && (p.panes.Focus() == paneScopes || !p.stale()) {
		return ""
	}
	return "select a group, or a secret, first"
}

// detachOff says why the secrets cannot be detached.
func (p *page) detachOff(many string) string {
	g, ok := p.of.group()
	switch {
	case many != "":
		return many
	case !ok:
		return "select a group first: it is a group that secrets are detached from"
	}
	for _, r := range p.targets() {
		if r.attached {
			return ""
		}
	}
	if n := p.list.MarkCount(); n > 0 {
		return fmt.Sprintf("none of the %d marked ones is attached to %s", n, g)
	}
	return fmt.Sprintf("%s is not attached to %s", p.current().Name, g)
}

// Key implements view.Screen.
func (p *page) Key(k tea.KeyMsg) tea.Cmd {
	if p.filter.Typing() {
		took, changed := p.filter.KeyMsg(k)
		if changed {
			p.refilter()
		}
		if changed || !took && p.list.KeyMsg(k) {
			return p.rest()
		}
		return nil
	}
	switch p.panes.Focus() {
	case paneScopes:
		if p.tree.KeyMsg(k) {
			return p.treeMoved()
		}
	case paneList:
		if p.list.KeyMsg(k) {
			return p.rest()
		}
	case paneDetail:
		p.detail.KeyMsg(k)
	}
	return nil
}

// treeMoved selects the node under the cursor of the tree.
func (p *page) treeMoved() tea.Cmd {
	n, ok := p.nodes[p.tree.Key()]
	if !ok {
		return nil
	}
	p.want = vault.ID{} // somebody looks elsewhere
	return p.choose(n)
}

// Mouse implements view.Screen.
func (p *page) Mouse(m tea.MouseMsg) tea.Cmd {
	pane, x, y := p.panes.At(m.X, m.Y)
	if pane < 0 {
		return nil
	}
	if m.Action == tea.MouseActionPress && m.Button == tea.MouseButtonLeft {
		p.panes.SetFocus(pane)
	}
	switch pane {
	case paneScopes:
		if p.tree.Mouse(x, y, m) {
			return p.treeMoved()
		}
	case paneList:
		if p.list.Mouse(x, y-p.filterLines(), m) {
			return p.rest()
		}
	case paneDetail:
		p.detail.Mouse(x, y, m)
	}
	return nil
}

// The filter.

func (p *page) openFilter() tea.Cmd {
	p.panes.SetFocus(paneList)
	p.filter.Open()
	return nil
}

func (p *page) keepFilter() tea.Cmd {
	p.filter.KeyMsg(tea.KeyMsg{Type: tea.KeyEnter})
	return nil
}

func (p *page) clearFilter() tea.Cmd {
	p.filter.Clear()
	p.refilter()
	return p.rest()
}

// filterLines is how many lines of the list the filter takes.
func (p *page) filterLines() int {
	if p.filter.Shows() {
		return 1
	}
	return 0
}

// canGoBack reports whether there is something to go back from on this page.
func (p *page) canGoBack() bool {
	at := p.panes.Focus()
	return p.panes.Zoomed() || p.list.MarkCount() > 0 || p.filter.Shows() || at == paneDetail || at == paneList && p.panes.Crumb() != ""
}

// back goes one step back: from the detail, then from a filter, then
// from marks.
func (p *page) back() tea.Cmd {
	switch {
	case p.panes.Zoomed() || p.panes.Focus() == paneDetail:
		p.panes.Back()
	case p.filter.Shows():
		return p.clearFilter()
	case p.list.MarkCount() > 0:
		p.list.ClearMarks()
	default:
		p.panes.Back()
	}
	return nil
}

// Moving and marking.

func (p *page) open() tea.Cmd {
	p.panes.Open()
	return nil
}

func (p *page) mark() tea.Cmd {
	p.list.Toggle()
	p.list.SelectIndex(p.list.Index() + 1)
	return p.rest()
}

func (p *page) markAll() tea.Cmd {
	p.list.ToggleAll()
	return nil
}

func (p *page) toggleOwn() tea.Cmd {
	p.own = !p.own
	p.refilter()
	return p.rest()
}

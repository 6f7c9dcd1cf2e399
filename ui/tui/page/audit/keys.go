package audit

import (
	"slices"

	tea "github.com/charmbracelet/bubbletea"

	"aivault/ui/tui/action"
	"aivault/ui/tui/view"
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
	secret, capability := p.offReasons()
	verifying := ""
	if _, busy := p.tasks.Busy("verify"); busy {
		verifying = "the chain is being verified"
	}
	detail := ""
	if p.panes.Focus() == paneDetail {
		detail = "the detail is open"
	}
	out := []action.Bound{
		{ID: action.AuditFilter, Run: p.edit},
		{ID: action.Filter, Run: p.openFilter},
		{ID: action.Follow, Short: p.followWord(), Run: p.toggleFollow},
		{ID: action.VerifyChain, Off: verifying, Run: p.verify},
		{ID: action.ToSecret, Off: secret, Run: p.toSecret},
		{ID: action.Open, Off: detail, Run: func() tea.Cmd { p.panes.Open(); return nil }},
		{ID: action.ToCapability, Off: capability, Run: p.toCapability},
		{ID: action.RunTest, Off: capability, Run: p.test},
		{ID: action.AskWhy, Off: capability, Run: p.why},
		{ID: action.NextPane, Run: func() tea.Cmd { p.panes.Next(); return nil }},
		{ID: action.PrevPane, Hidden: true, Run: func() tea.Cmd { p.panes.Prev(); return nil }},
		{ID: action.Zoom, Run: func() tea.Cmd { p.panes.Zoom(); return nil }},
	}
	if word := p.backWord(); word != "" {
		out = slices.Insert(out, 0, action.Bound{ID: action.Back, Short: word, Run: p.back})
	}
	return out
}

// offReasons says why there is no secret and no capability to go to.
func (p *page) offReasons() (secret, capability string) {
	r := p.current()
	if r == nil {
		return "select an event first", "select an event first"
	}
	if r.Secret == (vault.ID{}) {
		secret = "this event is about no secret"
	}
	if r.Capability == "" {
		capability = "this event is about no capability"
	}
	return secret, capability
}

func (p *page) toSecret() tea.Cmd { return view.Send(view.ShowSecret{ID: p.current().Secret}) }
func (p *page) toCapability() tea.Cmd {
	return view.Send(view.ShowCapability{ID: p.current().Capability})
}

func (p *page) test() tea.Cmd {
	r := p.current()
	return view.Send(view.OpenTest{Capability: r.Capability, Context: r.context()})
}

func (p *page) why() tea.Cmd {
	r := p.current()
	return view.Send(view.OpenWhy{Capability: r.Capability, Context: r.context()})
}

// context is the one that the caller stated.
func (r *row) context() vault.Context {
	return vault.Context{Workspace: r.Workspace, Group: r.Group, Consumer: r.Consumer}
}

func (p *page) followWord() string {
	if p.follow {
		return "hold"
	}
	return "follow"
}

// toggleFollow goes to the newest event and follows, or holds the list still.
func (p *page) toggleFollow() tea.Cmd {
	p.hold(p.follow)
	if !p.follow {
		return nil
	}
	p.filter.Clear()
	return p.top()
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
	if p.panes.Focus() == paneDetail {
		p.detail.KeyMsg(k)
		return nil
	}
	switch k.String() {
	case "g", "home":
		if p.log.hi < p.ceiling() && !p.filter.Shows() {
			return p.home()
		}
	case "G", "end":
		if p.log.lo > 1 && !p.filter.Shows() {
			return p.bottom()
		}
	}
	if p.list.KeyMsg(k) {
		if p.stopped && p.log.hi == 0 { // before anything was found
			return p.home()
		}
		p.stopped = false
		return p.moved()
	}
	return nil
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
	if pane == paneDetail {
		p.detail.Mouse(x, y, m)
		return nil
	}
	if p.list.Mouse(x, y-p.listTop, m) {
		return p.moved()
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
	return p.moved()
}

// backWord says what there is to go back from; empty: nothing on this page.
func (p *page) backWord() string {
	_, reading := p.tasks.Busy("read")
	_, verifying := p.tasks.Busy("verify")
	switch {
	case p.panes.Zoomed(), p.panes.Focus() == paneDetail:
		return "back"
	case reading && searches(p.query), verifying:
		return "stop"
	case p.filter.Shows():
		return "clear"
	case searches(p.query):
		return "all events"
	}
	return ""
}

// back goes one step back: from the detail, from what is under way, from the
// filter, and to all events.
func (p *page) back() tea.Cmd {
	_, reading := p.tasks.Busy("read")
	_, verifying := p.tasks.Busy("verify")
	switch {
	case p.panes.Zoomed() || p.panes.Focus() == paneDetail:
		p.panes.Back()
	case reading && searches(p.query):
		return p.stop()
	case verifying:
		p.tasks.Cancel("verify")
		return view.Note("the chain was not verified: stopped")
	case p.filter.Shows():
		return p.clearFilter()
	default:
		return p.choose(terms{}, vault.AuditQuery{})
	}
	return nil
}

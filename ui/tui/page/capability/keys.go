package capability

import (
	tea "github.com/charmbracelet/bubbletea"

	"aivault/ui/tui/action"
	"aivault/ui/tui/page/browse"
	"aivault/ui/tui/view"
	"aivault/vault"
)

// Actions implements view.Screen.
func (p *page) Actions() []action.Bound {
	around := p.Browser.Actions()
	if p.Captures() {
		return around
	}
	one := p.oneOff()
	off := func(more string) string {
		if one != "" {
			return one
		}
		return more
	}
	out := []action.Bound{
		{ID: action.RunTest, Off: one, Run: p.test},
		{ID: action.AskWhy, Off: one, Run: p.why},
		{ID: action.Bind, Off: one, Run: p.bind},
		{ID: action.Unbind, Off: off(p.unbindOff()), Run: p.unbind},
		{ID: action.SetPolicy, Off: one, Run: p.setPolicy},
		{ID: action.NewCapability, Run: p.create},
		{ID: action.Log, Off: one, Run: p.log},
		{ID: action.DelCapability, Off: off(p.deleteOff()), Run: p.remove},
	}
	return append(out, around...)
}

// oneOff says why there is nothing to do with a capability.
func (p *page) oneOff() string {
	switch {
	case p.Focused() == browse.Tree:
		return "go to a capability first: tab"
	case p.current() == nil:
		return "select a capability first"
	}
	return ""
}

func (p *page) unbindOff() string {
	if r := p.current(); r != nil && p.about.id == r.ID && p.about.known && len(p.about.chosen()) == 0 {
		return "nobody bound a secret to " + r.ID + "; what is auto cannot be taken away"
	}
	return ""
}

func (p *page) deleteOff() string {
	switch r := p.current(); {
	case r == nil || !r.Builtin:
	case r.Own:
		return r.ID + " belongs to a provider of your own, and goes with that"
	default:
		return r.ID + " is built in, and cannot be deleted"
	}
	return ""
}

func (p *page) test() tea.Cmd {
	return view.Send(view.OpenTest{Capability: p.current().ID, Context: p.context()})
}

func (p *page) why() tea.Cmd {
	return view.Send(view.OpenWhy{Capability: p.current().ID, Context: p.context()})
}

func (p *page) bind() tea.Cmd {
	scope := p.context().Scope()
	return view.Send(view.OpenBind{Capability: p.current().ID, Scope: &scope})
}

func (p *page) unbind() tea.Cmd { return view.Send(view.OpenUnbind{Capability: p.current().ID}) }

func (p *page) log() tea.Cmd {
	return view.Send(view.ShowAudit{Query: vault.AuditQuery{Capability: p.current().ID}})
}

func (p *page) create() tea.Cmd { return view.Send(view.OpenCapability{}) }

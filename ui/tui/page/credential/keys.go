package credential

import (
	"context"

	tea "github.com/charmbracelet/bubbletea"

	"aivault/broker"
	"aivault/ui/tui/action"
	"aivault/ui/tui/ops"
	"aivault/ui/tui/task"
	"aivault/ui/tui/view"
	"aivault/vault"
)

// Actions implements view.Screen.
func (p *page) Actions() []action.Bound {
	around := p.Browser.Actions()
	if p.Captures() {
		return around
	}
	one := ""
	if p.current() == nil {
		one = "select a credential first"
	}
	works, enable, remove := one, one, one
	if r := p.current(); r != nil {
		works, enable, remove = r.worksOff(), r.enableOff(), r.deleteOff()
	}
	out := []action.Bound{
		{ID: action.NewCredential, Run: p.create},
		{ID: action.RunTest, Off: works, Run: p.test},
		{ID: action.AskWhy, Off: one, Run: p.why},
		{ID: action.CapabilityOf, Off: works, Run: p.capability},
		{ID: action.EnableCredential, Off: enable, Run: p.enable},
		{ID: action.Log, Off: one, Run: p.log},
		{ID: action.DelCredential, Off: remove, Run: p.remove},
	}
	return append(out, around...)
}

func (r *row) worksOff() string {
	switch {
	case r.Disabled:
		return r.ID + " is disabled; e brings it back"
	case !r.Works():
		return r.ID + " waits for " + r.lack()
	}
	return ""
}

// lack is what a credential that is not there waits for, in a word.
func (r *row) lack() string {
	if len(r.Missing) > 0 {
		return "a secret"
	}
	return "a host"
}

func (r *row) enableOff() string {
	if !r.Disabled {
		return "only a disabled credential can be brought back"
	}
	return ""
}

func (r *row) deleteOff() string {
	switch {
	case r.Disabled:
		return r.ID + " is disabled already"
	case !r.Works():
		return r.ID + " is not made yet: it waits for " + r.lack()
	}
	return ""
}

// in is the context that sees the credential: that of its scope.
func (r *row) in() vault.Context {
	return vault.Context{Workspace: r.Scope.Workspace, Group: r.Scope.Group}
}

func (p *page) create() tea.Cmd { return view.Send(view.OpenCredential{}) }

func (p *page) test() tea.Cmd {
	r := p.current()
	return view.Send(view.OpenTest{Secret: r.Secret, Credential: r.ID, Context: r.in()})
}

func (p *page) why() tea.Cmd {
	r := p.current()
	return view.Send(view.OpenWhy{Secret: r.Secret, Context: r.in()})
}

func (p *page) capability() tea.Cmd {
	return view.Send(view.OpenCapability{Credential: p.current().ID})
}

// log shows the events of its secret: those of its calls are among them.
func (p *page) log() tea.Cmd {
	return view.Send(view.ShowAudit{Query: vault.AuditQuery{Secret: p.current().Secret}})
}

// enable brings a disabled credential back.
func (p *page) enable() tea.Cmd {
	be, id := p.host.Backend, p.current().ID
	return task.Write(p.tasks, "bringing back "+id, func(ctx context.Context) (ops.Done, error) {
		d, _, err := ops.CreateCredential(ctx, be, broker.NewCredential{ID: id}, "")
		return d, err
	}, func(d ops.Done, err error) tea.Cmd {
		if err != nil {
			return view.Fail("bringing back "+id, err, nil)
		}
		return view.Finish(d)
	})
}

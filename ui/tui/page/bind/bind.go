// Package bind are the dialogs about an operator's choice of a secret for a
// capability: the form that binds one at a scope, and the list of those that can
// be taken back. Both say first what changes for calls.
package bind

import (
	"context"

	tea "github.com/charmbracelet/bubbletea"

	"aivault/broker"
	"aivault/keys/fault"
	// It puts back the TERM that the guard hides from bubbletea's init.
	_ "aivault/ui/guard/release"
	"aivault/ui/tui/form"
	"aivault/ui/tui/ops"
	"aivault/ui/tui/task"
	"aivault/ui/tui/view"
)

// A Page is the form that binds.
type Page struct {
	*form.Form
	host  *view.Host
	tasks *task.Group
	ask   view.OpenBind

	known  *known // what there is; nil: it was not read yet
	failed string // why it was not

	capability, secret, scope, consumer *form.Text
	// proof is the value of the secret, which the vault asks for before it sends
	// an unpinned secret to another host than so far; nil: it did not.
	proof *form.Secret

	outlook outlook
}

// New returns the form that a message asks for.
func New(host *view.Host, ask view.OpenBind) view.Screen {
	p := &Page{host: host, tasks: host.Tasks.Group(), ask: ask}
	scope := host.Context.Scope()
	if ask.Scope != nil {
		scope = *ask.Scope
	}
	th := host.Theme
	p.capability = form.NewText(th, "Capability", ask.Capability)
	p.capability.Help = "type a part of it; down and enter take what is suggested"
	p.secret = form.NewText(th, "Secret", "")
	p.secret.Help = "its name; which one, where several scopes have it"
	p.scope = form.NewText(th, "Scope", ops.Place(scope))
	p.scope.Help = "where it counts: global, a workspace, or workspace/group"
	p.consumer = form.NewText(th, "Consumer", "")
	p.consumer.Placeholder = "any"
	p.consumer.Help = "for the calls of one consumer only; empty for any"
	p.capability.Suggest = func(typed string) []string { return p.known.orNone().capabilities.like(typed) }
	p.secret.Suggest = func(typed string) []string { return p.known.orNone().labels.like(typed) }
	p.scope.Suggest = func(typed string) []string { return p.known.orNone().places.like(typed) }
	p.capability.Validate = func(s string) error { return p.known.checkCapability(s) }
	p.secret.Validate = func(s string) error { _, err := p.known.find(s); return err }
	p.scope.Validate = func(s string) error { _, err := ops.ParsePlace(s); return err }
	p.consumer.Validate = checkConsumer
	for _, f := range []*form.Text{p.capability, p.secret, p.scope, p.consumer} {
		f.OnChange = p.changed
	}
	p.Form = form.New(host, "Bind a secret to a capability", p.capability, p.secret, p.scope, p.consumer)
	p.Owner, p.Verb, p.Submit, p.Hint = p, "bind", p.submit, p.hint
	if ask.Capability != "" {
		p.Focus(p.secret)
	}
	return p
}

// Load reads what there is to choose from. What is typed stays.
func (p *Page) Load() tea.Cmd {
	be := p.host.Backend
	return task.Go(p.tasks, "load", func(ctx context.Context) (*known, error) {
		return read(ctx, be)
	}, func(k *known, err error) tea.Cmd {
		if err != nil {
			p.failed = err.Error()
			return view.Fail("reading what can be bound", err, p.Load)
		}
		first := p.known == nil
		p.known, p.failed = k, ""
		if s := k.secret(p.ask.Secret); first && s != nil && p.secret.Value() == "" {
			p.secret.SetValue(label(s))
		}
		return p.look(0)
	})
}

// Close wipes the proof and ends what is under way.
func (p *Page) Close() {
	p.tasks.Close()
	p.Form.Close()
}

// filled returns the binding that the fields describe; false: they do not yet.
func (p *Page) filled() (broker.NewBinding, bool) {
	for _, f := range []*form.Text{p.capability, p.secret, p.scope, p.consumer} {
		if f.Check() != nil {
			return broker.NewBinding{}, false
		}
	}
	s, err := p.known.find(p.secret.Value())
	if err != nil {
		return broker.NewBinding{}, false
	}
	scope, err := ops.ParsePlace(p.scope.Value())
	return broker.NewBinding{Capability: trim(p.capability), Secret: s.ID, Scope: scope, Consumer: trim(p.consumer)}, err == nil
}

// submit binds.
func (p *Page) submit() tea.Cmd {
	n, ok := p.filled()
	if !ok {
		return nil
	}
	if p.proof != nil && !p.proof.Empty() {
		n.Proof = p.proof.Value()
	}
	be := p.host.Backend
	return task.Write(p.tasks, "binding to "+n.Capability, func(ctx context.Context) (ops.Done, error) {
		defer n.Proof.Clear()
		d, _, err := ops.Bind(ctx, be, n)
		return d, err
	}, func(d ops.Done, err error) tea.Cmd {
		if err != nil {
			p.refused(err)
			return nil
		}
		p.Done()
		return tea.Batch(view.Close(p), view.Finish(d))
	})
}

// refused says at the field that it is about why nothing was bound. Where the
// value is needed, there is a field for it from then on.
func (p *Page) refused(err error) {
	switch fault.CodeOf(err) {
	case fault.OperatorAuthRequired:
		if p.proof == nil {
			p.proof = form.NewSecret(p.host.Theme, "Its value")
			p.proof.Optional = true // another secret may be chosen yet
			p.proof.Help = "as proof that it may be sent there; it is compared, and nothing is stored"
			p.SetFields(p.capability, p.secret, p.scope, p.consumer, p.proof)
		}
		p.Failed(inForm(err), p.proof)
	case fault.CapabilityNotFound:
		p.Failed(err, p.capability)
	case fault.SecretNotFound, fault.PolicyViolation:
		p.Failed(err, p.secret)
	default:
		p.Failed(err, nil)
	}
}

// inForm is the refusal of a secret without proof, with the hint of a form and
// not of a command line.
func inForm(err error) error {
	return fault.New(fault.OperatorAuthRequired, "%s", err.Error()).WithHint("give its value here, to show that it may be sent there")
}

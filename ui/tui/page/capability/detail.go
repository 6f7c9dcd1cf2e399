package capability

import (
	"context"
	"slices"
	"strings"

	tea "github.com/charmbracelet/bubbletea"

	"aivault/broker"
	"aivault/keys/fault"
	"aivault/ui/app"
	"aivault/ui/tui/ops"
	"aivault/ui/tui/page/browse"
	"aivault/ui/tui/task"
	"aivault/ui/tui/text"
	"aivault/ui/tui/widget"
	"aivault/vault"
)

// about is what is known of a capability beyond its row.
type about struct {
	id     string
	known  bool
	failed string // why it is not known, in words

	description broker.Description
	bindings    []broker.Binding
	names       map[vault.ID]string // of the secrets of bindings
	in          vault.Context       // where the ladder is from
	ladder      broker.Ladder
}

// maxBindings is of how many bindings the detail tells.
const maxBindings = 30

// rest shows the capability under the cursor, and reads more about it once the
// cursor rests there.
func (p *page) rest() tea.Cmd {
	r := p.current()
	if r == nil {
		p.tasks.Cancel("about")
		p.showDetail()
		return nil
	}
	if p.about.id != r.ID {
		p.about = about{id: r.ID}
	}
	p.showDetail()
	id := r.ID
	return task.After(p.tasks, "about", browse.Rest, func() tea.Cmd { return p.loadAbout(id) })
}

func (p *page) loadAbout(id string) tea.Cmd {
	be, in := p.host.Backend, p.context()
	return task.Go(p.tasks, "about", func(ctx context.Context) (about, error) {
		return learn(ctx, be, id, in)
	}, func(a about, err error) tea.Cmd {
		a.id, a.known = id, err == nil
		if err != nil {
			a.failed = err.Error()
		}
		p.about = a
		p.showDetail()
		return nil
	})
}

// learn reads what there is to know about a capability.
func learn(ctx context.Context, be app.Backend, id string, in vault.Context) (about, error) {
	a := about{in: in, names: map[vault.ID]string{}}
	d, err := be.Describe(ctx, id)
	if err != nil {
		return a, err
	}
	a.description = *d
	if a.bindings, err = be.Bindings(ctx, id); err != nil {
		return a, err
	}
	slices.SortStableFunc(a.bindings, func(x, y broker.Binding) int {
		switch {
		case x.Auto == y.Auto:
			return 0
		case y.Auto:
			return -1 // what somebody chose comes first
		}
		return 1
	})
	for i, b := range a.bindings {
		if _, named := a.names[b.Secret]; named || i >= maxBindings {
			continue
		}
		s, err := be.FindSecret(ctx, b.Secret.String())
		switch {
		case fault.CodeOf(err) == fault.SecretNotFound: // deleted just now
		case err != nil:
			return a, err
		}
		a.names[b.Secret] = s.Name
	}
	l, err := be.Explain(ctx, id, in, "")
	if err == nil {
		a.ladder = *l
	}
	return a, err
}

// chosen are the bindings that somebody made.
func (a *about) chosen() []broker.Binding {
	return slices.DeleteFunc(slices.Clone(a.bindings), func(b broker.Binding) bool { return b.Auto })
}

// showDetail shows what there is to know about the capability under the cursor.
func (p *page) showDetail() {
	d := widget.NewDetails(p.host.Theme)
	r := p.current()
	id := ""
	if r == nil {
		d.Text("No capability is selected.")
	} else {
		id = r.ID
		p.describe(d, r)
	}
	p.Detail.ShowDetails(id, d)
}

// describe says what a capability allows.
func (p *page) describe(d *widget.Details, r *row) {
	th, a := p.host.Theme, &p.about
	d.Title(r.ID)
	if r.Description != "" {
		d.Text(r.Description)
	}
	kind := "built in"
	switch {
	case r.Own:
		kind = "of a provider of your own"
	case !r.Builtin:
		kind = "custom"
	}
	provider := r.Provider
	if a.known && a.description.ProviderName != provider {
		provider += ", " + a.description.ProviderName
	}
	d.Row("Provider", provider)
	d.Row("Kind", kind)
	switch {
	case !r.Ready:
		d.Styled("Ready", "no: no credential carries it", th.Warn)
	case a.known && a.ladder.Err != nil:
		d.Styled("Ready", th.OK+" in some scopes, not in "+where(a.in), th.Good)
	default:
		d.Styled("Ready", th.OK+" yes", th.Good)
	}
	p.wanted(d)
	d.Head("Allowed")
	d.Row("Host", strings.Join(r.Allow.Hosts, ", "))
	d.Row("Methods", strings.Join(r.Allow.Methods, ", "))
	label := "Paths"
	for _, path := range r.Allow.Paths {
		if slices.Contains(r.RawPaths, path) {
			path += th.Ellipsis + "  (raw: may end within a segment)"
		}
		d.Row(label, path)
		label = " "
	}
	label = "But not"
	for _, path := range r.Except {
		d.Row(label, path)
		label = " "
	}
	if len(r.Allow.Headers) > 0 {
		d.Row("Headers", "only "+strings.Join(r.Allow.Headers, ", "))
	}
	p.beyond(d)
	d.Head("Limits")
	limits := ops.Limits(r.limits)
	if len(limits) == 0 {
		limits = []string{"none of its own; p sets some"}
	}
	for _, s := range limits {
		d.Text(s)
	}
	switch {
	case a.failed != "":
		d.Head("Use").Text("could not be read: " + a.failed)
	case !a.known:
		d.Head("Use").Text(th.Ellipsis)
	default:
		p.use(d)
	}
}

// wanted says which secrets make the capability ready.
func (p *page) wanted(d *widget.Details) {
	if !p.about.known {
		return
	}
	label := "Needs"
	for _, names := range p.about.description.SecretNames {
		d.Row(label, strings.Join(names, " and "))
		label = "or"
	}
}

// beyond says what the broker adds, and what paths do not tell.
func (p *page) beyond(d *widget.Details) {
	if !p.about.known {
		return
	}
	label := "Added"
	for _, h := range p.about.description.Headers {
		d.Row(label, h.Name+": "+h.Value)
		label = " "
	}
	if p.about.description.OpaqueBody {
		part := "Body"
		if slices.Equal(p.about.description.Allow.Methods, []string{"GET"}) {
			part = "Query"
		}
		d.Styled(part, "says itself what is done: the paths do not limit that", p.host.Theme.Warn)
	}
	if about := &p.about.description; about.NeedsHost != "" {
		d.Row("Tenant", "a credential names a host of its own under "+about.NeedsHost)
	}
	label = "Or at"
	for _, o := range p.about.description.OtherHosts {
		d.Row(label, o.Host+", "+o.Description)
		label = " "
	}
	if u := p.about.description.DocsURL; u != "" {
		d.Row("Docs", u)
	}
}

// use says which secret is used, what is bound, and how to call it.
func (p *page) use(d *widget.Details) {
	th, a := p.host.Theme, &p.about
	d.Head("Use in " + where(a.in))
	if l := a.ladder; l.Err != nil {
		d.Styled("Secret", th.Fail+" none: "+l.Err.Error(), th.Warn)
	} else {
		d.Row("Secret", l.SecretName)
		by := "credential " + l.Credential
		if l.Credential == "" {
			by = "binding"
		} else if l.Via == "binding" {
			by = "binding, by way of credential " + l.Credential
		}
		d.Row("By", by)
	}
	d.Head("Bindings")
	if len(a.bindings) == 0 {
		d.Text("none; b binds a secret")
	}
	for i, b := range a.bindings {
		if i == maxBindings {
			d.Text("and " + text.Number(len(a.bindings)-i) + " more")
			break
		}
		s := a.names[b.Secret] + " in " + ops.Place(b.Scope)
		if b.Consumer != "" {
			s += " for consumer " + b.Consumer
		}
		if b.Auto {
			s += " (auto)"
		}
		d.Text(s)
	}
	d.Head("On a command line")
	call := a.description.ExampleCall()
	call.Context = a.in
	d.Text(ops.InvokeLine(call).String())
}

// where names a context.
func where(c vault.Context) string {
	s := ops.Place(c.Scope())
	if c.Scope().Level == vault.Global {
		s = "the global scope"
	}
	if c.Consumer != "" {
		s += " for consumer " + c.Consumer
	}
	return s
}

package flat

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"aivault/broker"
	"aivault/keys/fault"
	"aivault/ui/tui/ops"
	"aivault/ui/tui/text"
	"aivault/vault"
)

// A provider is a service with its capabilities.
type provider struct {
	id    string
	list  []broker.Capability
	ready int
}

// providers lists services, those first that something can be called of.
func (t *talk) providers(ctx context.Context) (menu, error) {
	all, err := t.be.Capabilities(ctx)
	if err != nil {
		return menu{}, err
	}
	m := menu{title: "Capabilities, by provider.", more: []choice{{"n make a custom capability", t.newCapability}}}
	byID := map[string]*provider{}
	var list []*provider
	for _, c := range all {
		p := byID[c.Provider]
		if p == nil {
			p = &provider{id: c.Provider}
			byID[c.Provider], list = p, append(list, p)
		}
		p.list = append(p.list, c)
		if c.Ready {
			p.ready++
		}
	}
	slices.SortStableFunc(list, func(a, b *provider) int { return cmp.Compare(min(b.ready, 1), min(a.ready, 1)) })
	for _, p := range list {
		label := fmt.Sprintf("%s, %d of %s ready", p.id, p.ready, text.Plural(len(p.list), "capability"))
		if p.ready == 0 {
			label = fmt.Sprintf("%s, %s, once there is a credential", p.id, text.Plural(len(p.list), "capability"))
		}
		m.items = append(m.items, choice{label, t.loopOf(t.capabilitiesOf(p.id))})
	}
	return m, nil
}

// capabilitiesOf lists the capabilities of a provider.
func (t *talk) capabilitiesOf(provider string) func(context.Context) (menu, error) {
	return func(ctx context.Context) (menu, error) {
		all, err := t.be.Capabilities(ctx)
		m := menu{title: "Capabilities of " + provider + "."}
		for _, c := range all {
			if c.Provider != provider {
				continue
			}
			label := c.ID + ", " + strings.Join(c.Allow.Methods, " ")
			if !c.Ready {
				label += ", not ready"
			}
			m.items = append(m.items, choice{label, t.capabilityMenu(c.ID)})
		}
		return m, err
	}
}

// capabilityMenu is what can be done with a capability.
func (t *talk) capabilityMenu(id string) func(context.Context) error {
	return t.loopOf(func(ctx context.Context) (menu, error) {
		d, err := t.be.Describe(ctx, id)
		if fault.CodeOf(err) == fault.CapabilityNotFound {
			t.say("The capability is there no more.")
			return menu{}, gone
		}
		if err != nil {
			return menu{}, err
		}
		policy, err := t.be.Policy(ctx, id)
		if err != nil {
			return menu{}, err
		}
		bindings, err := t.bindingsOf(ctx, id)
		if err != nil {
			return menu{}, err
		}
		m := menu{title: id + ".", notes: capabilityNotes(d, policy, t.boundTexts(ctx, bindings)), items: []choice{
			{"test call", func(ctx context.Context) error { return t.test(ctx, id) }},
			{"why: which secret a call uses", func(ctx context.Context) error { return t.why(ctx, id) }},
			{"bind a secret to it", func(ctx context.Context) error { return t.bind(ctx, &d.Capability) }},
			{"take a binding away", func(ctx context.Context) error { return t.unbind(ctx, id) }},
			{"limit its calls", func(ctx context.Context) error { return t.limit(ctx, policy) }},
			{"its events in the audit log", func(ctx context.Context) error { return t.events(ctx, vault.AuditQuery{Capability: id}) }},
		}}
		if !d.Builtin {
			m.items = append(m.items, choice{"delete it", func(ctx context.Context) error { return t.deleteCapability(ctx, id, bindings) }})
		}
		return m, nil
	})
}

// capabilityNotes says what a capability allows.
func capabilityNotes(d *broker.Description, p vault.Policy, bindings []string) []string {
	var notes []string
	add := func(format string, args ...any) { notes = append(notes, fmt.Sprintf(format, args...)) }
	if d.Description != "" {
		add("%s.", strings.TrimSuffix(d.Description, "."))
	}
	add("Of %s, at %s.", d.ProviderName, strings.Join(d.Allow.Hosts, ", "))
	add("Methods: %s. Paths: %s.", strings.Join(d.Allow.Methods, ", "), strings.Join(d.Allow.Paths, ", "))
	if len(d.Allow.Headers) > 0 {
		add("Headers that may pass: %s.", strings.Join(d.Allow.Headers, ", "))
	}
	limits := "none"
	if !p.Empty() {
		limits = strings.Join(ops.Limits(p), "; ")
	}
	add("Limits: %s.", limits)
	add("Bindings: %s.", orNone(bindings))
	if len(d.Except) > 0 {
		add("But not: %s.", strings.Join(d.Except, ", "))
	}
	if d.NeedsHost != "" {
		add("A credential names a host of its own under %s.", d.NeedsHost)
	}
	for _, o := range d.OtherHosts {
		add("A credential may name %s instead: %s.", o.Host, o.Description)
	}
	if d.OpaqueBody {
		add("Its body says itself what is done; the paths do not limit that.")
	}
	if d.Ready {
		add("Ready: yes, in some scope.")
		return notes
	}
	ways := make([]string, len(d.SecretNames))
	for i, names := range d.SecretNames {
		ways[i] = strings.Join(names, " and ")
	}
	if len(ways) > 0 {
		add("Ready: no. Store %s to make it so.", strings.Join(ways, ", or "))
	} else {
		add("Ready: no. Make a credential of %s for its host.", d.Provider)
	}
	return notes
}

// newCapability allows an operation.
func (t *talk) newCapability(ctx context.Context) error {
	creds, err := t.be.Credentials(ctx)
	if err != nil {
		return err
	}
	if len(creds) == 0 {
		t.say("There is no credential yet. Make one first; it says which host is called.")
		return same
	}
	items := make([]string, len(creds))
	for i, c := range creds {
		items[i] = c.ID + " of " + c.Provider + " at " + some(c.Hosts)
	}
	k, err := t.one(ctx, "Which credential says the provider and the host?", items, -1)
	if err != nil {
		return err
	}
	n := broker.NewCapability{FromCred: creds[k].ID}
	if hosts := creds[k].Hosts; len(hosts) > 1 {
		h, err := t.one(ctx, "Which of its hosts?", hosts, 0)
		if err != nil {
			return err
		}
		n.Hosts = hosts[h : h+1]
	}
	id, err := t.askText(ctx, "Id, such as "+creds[k].Provider+"/items", "", false)
	if err != nil {
		return err
	}
	n.ID = id
	for _, list := range []struct {
		what, ret string
		to        *[]string
	}{
		{"Methods, with spaces between them", "GET", &n.Methods},
		{"Path prefixes, with spaces between them, such as /v1/items", "", &n.Paths},
	} {
		s, err := t.askText(ctx, list.what, list.ret, false)
		if err != nil {
			return err
		}
		*list.to = strings.Fields(s)
	}
	heads, err := t.askText(ctx, "The only headers that may pass, with spaces between them; none: all that are harmless", "", true)
	if err != nil {
		return err
	}
	n.AllowHeads = strings.Fields(heads)
	if err := t.agree(ctx, "Make capability "+n.ID+"?"); err != nil {
		return err
	}
	d, _, err := ops.CreateCapability(ctx, t.be, n)
	if err == nil {
		t.done(d)
	}
	return err
}

// deleteCapability deletes a custom capability, once its id was typed.
func (t *talk) deleteCapability(ctx context.Context, id string, bindings []broker.Binding) error {
	t.say("Calls of %s stop working, and that cannot be taken back.", id)
	if len(bindings) > 0 {
		t.say("With it go its limits and %s.", text.Plural(len(bindings), "binding"))
	}
	typed, err := t.askText(ctx, "To delete it, type its id", "", true)
	if err != nil {
		return err
	}
	if typed != id {
		t.say("That is not its id. Nothing was deleted.")
		return back
	}
	d, _, err := ops.DeleteCapability(ctx, t.be, id)
	if err == nil {
		t.done(d)
	}
	return err
}

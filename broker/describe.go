package broker

import (
	"context"
	"slices"
	"strings"
	"unicode"

	"aivault/broker/registry"
	"aivault/vault"
)

// Describe implements Service.
func (b *Broker) Describe(ctx context.Context, id string) (*Description, error) {
	var d Description
	var reg *registry.Registry
	err := b.view(ctx, func(r look) error {
		reg = r.reg
		c, err := b.capability(r, id)
		if err != nil {
			return err
		}
		d.Capability = *c
		creds, err := b.credentials(r)
		d.Ready = isReady(c, creds)
		return err
	})
	if err != nil {
		return nil, err
	}
	d.ProviderName, d.OpaqueBody = d.Provider, opaqueBody(&d.Allow)
	if len(d.Allow.Methods) == 1 {
		d.Method = d.Allow.Methods[0]
	}
	if len(d.Allow.Paths) == 1 && len(d.RawPaths) == 0 {
		d.Path = d.Allow.Paths[0]
	}
	p, ok := reg.Provider(d.Provider)
	if !ok {
		return &d, nil
	}
	d.ProviderName, d.DocsURL = p.Name, p.DocsURL
	if c, _, ok := reg.Capability(id); ok && d.Builtin {
		d.fromRegistry(c, p)
	}
	for i := range p.Credentials {
		t := &p.Credentials[i]
		if !t.Carries(d.ID) || !t.At(d.Allow.Hosts) {
			continue
		}
		var names []string
		for _, slot := range t.Secrets {
			names = append(names, slot.Name)
			if !slices.ContainsFunc(d.Slots, func(s Slot) bool { return s.Name == slot.Name }) {
				d.Slots = append(d.Slots, Slot{slot.Name, slot.Placeholder, t.Login != nil})
			}
		}
		d.SecretNames = append(d.SecretNames, names)
	}
	for _, h := range p.Headers {
		d.Headers = append(d.Headers, Header{h.Name, h.Value})
	}
	return &d, nil
}

// fromRegistry adds what the registry knows of a capability beyond what it
// allows.
func (d *Description) fromRegistry(c *registry.Capability, p *registry.Provider) {
	d.OpaqueBody = c.OpaqueBody
	d.Example, d.ExampleBody, d.ExampleParts = c.Example, c.ExampleBody, c.ExampleParts
	if c.NeedsHost() {
		d.NeedsHost = c.Hosts[0]
	}
	for _, o := range p.OtherHosts {
		if o.InsteadOf == c.Hosts[0] {
			d.OtherHosts = append(d.OtherHosts, OtherHost{o.Host, o.Description})
		}
	}
}

// opaqueBody reports whether bodies may name operations or addresses of their
// own, as those of GraphQL, RPC, batches and webhooks do. A path that covers
// the whole host covers such ones too.
func opaqueBody(a *vault.Allow) bool {
	if !slices.ContainsFunc(a.Methods, func(m string) bool { return m == "POST" || m == "PUT" || m == "PATCH" }) {
		return false
	}
	notLetter := func(r rune) bool { return !unicode.IsLetter(r) }
	for _, path := range a.Paths {
		for _, word := range strings.FieldsFunc(strings.ToLower(path), notLetter) {
			for _, kind := range [...]string{"graphql", "gql", "rpc", "jsonrpc", "batch", "bulk", "hook", "webhook", "callback"} {
				if strings.HasPrefix(word, kind) {
					return true
				}
			}
		}
		if path == "/" {
			return true
		}
	}
	return false
}

package broker

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"aivault/broker/internal/resolve"
	"aivault/keys/fault"
	"aivault/vault"
)

// Bind implements Service. The secret may then be sent to the hosts of the
// capability: for an unpinned one that has other hosts already, the vault asks
// for its value as proof.
func (b *Broker) Bind(ctx context.Context, n NewBinding) (Binding, error) {
	var binding vault.Binding
	err := b.view(ctx, func(r look) (err error) {
		binding, _, err = b.newBinding(r, n)
		return err
	})
	if err != nil {
		return Binding{}, err
	}
	binding, err = b.store.PutBinding(ctx, binding, n.Proof)
	return Binding{Binding: binding}, err
}

// newBinding returns what is to be stored of a binding, once it was checked, and
// its capability.
func (b *Broker) newBinding(r look, n NewBinding) (vault.Binding, *Capability, error) {
	binding := vault.Binding{Capability: n.Capability, Secret: n.Secret, Scope: n.Scope, Consumer: n.Consumer}
	if err := n.Scope.Validate(); err != nil {
		return binding, nil, err
	}
	in := vault.Context{Workspace: n.Scope.Workspace, Group: n.Scope.Group, Consumer: n.Consumer}
	if err := in.Validate(); err != nil {
		return binding, nil, err
	}
	c, err := b.capability(r, n.Capability)
	if err != nil {
		return binding, nil, err
	}
	sec, err := r.Secret(n.Secret)
	if err != nil {
		return binding, nil, err
	}
	if pin := sec.PinnedProvider; pin != "" && pin != c.Provider {
		return binding, nil, fault.New(fault.PolicyViolation, "secret %s is pinned to %s, and %s is a capability of %s", sec.Name, pin, c.ID, c.Provider).
			WithHint("bind it to a capability of %s, or store the value under a name of your own", pin)
	}
	hosts, by, err := resolve.Destinations(r, r.question(c, in, ""), sec)
	if err != nil {
		return binding, nil, err
	}
	if endpoint := tokenHost(by); endpoint != "" {
		at := hosts[0]
		at.Name = endpoint
		hosts = append(hosts, at)
	}
	binding.Hosts = hosts
	return binding, c, nil
}

// Unbind implements Service.
func (b *Broker) Unbind(ctx context.Context, capability string, scope vault.Scope, consumer string) (bool, error) {
	return b.store.DeleteBinding(ctx, capability, scope, consumer)
}

// Bindings implements Service.
func (b *Broker) Bindings(ctx context.Context, capability string) ([]Binding, error) {
	var out []Binding
	err := b.view(ctx, func(r look) error {
		stored, err := r.Bindings(capability)
		if err != nil {
			return err
		}
		for _, x := range stored {
			out = append(out, Binding{Binding: *x})
		}
		made, err := b.made(r)
		for _, m := range made {
			if m.Ready() {
				out = append(out, provisioned(m, capability)...)
			}
		}
		return err
	})
	slices.SortStableFunc(out, func(a, b Binding) int {
		return cmp.Or(
			strings.Compare(a.Capability, b.Capability),
			strings.Compare(a.Scope.Workspace, b.Scope.Workspace),
			strings.Compare(a.Scope.Group, b.Scope.Group),
			strings.Compare(a.Consumer, b.Consumer))
	})
	return out, err
}

// provisioned lists what a registry-made credential gives to the capabilities
// of its provider, one row for each secret; to one only, unless it is empty.
func provisioned(m *resolve.Made, capability string) []Binding {
	var out []Binding
	for i := range m.Provider.Capabilities {
		c := &m.Provider.Capabilities[i]
		if capability != "" && capability != c.ID || !m.Carries(c) {
			continue
		}
		for _, p := range m.Parts {
			out = append(out, Binding{Auto: true, Binding: vault.Binding{
				Capability: c.ID, Secret: p.Secret.ID, Scope: m.Scope, UpdatedAt: p.Secret.CreatedAt,
			}})
		}
	}
	return out
}

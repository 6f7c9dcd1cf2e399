package broker

import (
	"context"
	"slices"
	"strings"

	"aivault/broker/internal/resolve"
	"aivault/vault"
)

// Uses is what there is of a secret's.
type Uses struct {
	Credentials []Credential // stored ones, and those that the registry makes with it, by id
	Bindings    []Binding    // the operator's, by capability, scope and consumer
	// Capabilities are the ids of those that one of the credentials carries, or
	// one of the bindings is for; sorted.
	Capabilities []string
}

// Uses implements Service. It looks things up by the secret, so that its cost
// grows with what the secret has, and with the custom capabilities.
func (b *Broker) Uses(ctx context.Context, secret vault.ID) (Uses, error) {
	var out Uses
	err := b.view(ctx, func(r look) error {
		s, err := r.Secret(secret)
		if err != nil {
			return err
		}
		if out.Credentials, err = b.credentialsWith(r, s); err != nil {
			return err
		}
		bindings, err := r.BindingsWith(secret)
		if err != nil {
			return err
		}
		for _, x := range bindings {
			out.Bindings = append(out.Bindings, Binding{Binding: *x})
			out.Capabilities = append(out.Capabilities, x.Capability)
		}
		carried, err := b.carriedBy(r, out.Credentials)
		out.Capabilities = append(out.Capabilities, carried...)
		return err
	})
	slices.Sort(out.Capabilities)
	out.Capabilities = slices.Compact(out.Capabilities)
	return out, err
}

// credentialsWith lists the credentials that need a secret, by id.
func (b *Broker) credentialsWith(r look, s *vault.Secret) ([]Credential, error) {
	var out []Credential
	stored, err := r.CredentialsWith(s.ID)
	if err != nil {
		return nil, err
	}
	for _, c := range stored {
		out = append(out, Credential{Credential: *c, Secrets: []vault.ID{c.Secret}})
	}
	p, ok := r.reg.Provider(s.PinnedProvider)
	if !ok {
		return out, nil
	}
	made, err := resolve.MadeOf(r, p, []*vault.Secret{s})
	if err != nil {
		return nil, err
	}
	for _, m := range made {
		if c := fromMade(m); m.Ready() && slices.Contains(c.Secrets, s.ID) {
			out = append(out, c)
		}
	}
	slices.SortFunc(out, func(a, b Credential) int { return strings.Compare(a.ID, b.ID) })
	return out, nil
}

// carriedBy lists the ids of the capabilities that credentials carry.
func (b *Broker) carriedBy(r look, creds []Credential) ([]string, error) {
	var providers, out []string
	for _, c := range creds {
		providers = append(providers, c.Provider)
	}
	all, err := b.capabilitiesOf(r, providers)
	for _, c := range all {
		if isReady(c, creds) {
			out = append(out, c.ID)
		}
	}
	return out, err
}

// capabilitiesOf lists the capabilities of providers, built-in and stored, each
// once.
func (b *Broker) capabilitiesOf(r look, providers []string) ([]*Capability, error) {
	if len(providers) == 0 {
		return nil, nil
	}
	providers = slices.Compact(slices.Sorted(slices.Values(providers)))
	var out []*Capability
	for _, id := range providers {
		p, ok := r.reg.Provider(id)
		if !ok {
			continue
		}
		for i := range p.Capabilities {
			out = append(out, r.listed(&p.Capabilities[i], p))
		}
	}
	stored, err := r.Capabilities()
	if err != nil {
		return nil, err
	}
	for _, c := range stored {
		if _, _, taken := r.reg.Capability(c.ID); !taken && slices.Contains(providers, c.Provider) {
			out = append(out, custom(c))
		}
	}
	return out, nil
}

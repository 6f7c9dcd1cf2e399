package broker

import (
	"bytes"
	"context"
	"slices"

	"aivault/broker/internal/resolve"
	"aivault/broker/registry"
	"aivault/keys/fault"
	"aivault/vault"
)

// A Provision is what the registry makes of a secret.
type Provision struct {
	Provider     string
	Credential   string   // id of the credential that it completes; empty while names are missing
	Capabilities int      // how many the credential carries
	Missing      []string // names of further secrets that the credential waits for, in the same scope
	Disabled     bool     // the credential would be made, but was deleted before
	NeedsHost    string   // a pattern: there is a credential when an operator makes one for a host under it
	LooksLike    []string // how values of the name begin; none: not known
}

// A Claim is what storing a secret of a name in a scope would come to.
type Claim struct {
	Provider     string // that claims the name, to which the secret would be pinned; empty: none does
	ProviderName string
	Credential   string   // id of the credential that it would complete; empty while names are missing
	Capabilities int      // how many the credential carries
	Missing      []string // names of further secrets that the credential waits for, in the same scope
	Disabled     bool     // the credential was deleted before, and would stay so
	NeedsHost    string   // a pattern: there is a credential when an operator makes one for a host under it
	LooksLike    []string // how values of the name begin; none: not known

	Taken bool // a secret of the scope has the name, or has it for an alias: it cannot be stored
	// Shadows are the wider scopes, the narrowest first, that have a secret of
	// the name: in the scope itself the new one stands before it.
	Shadows []vault.Scope
}

// Provisioned implements Service.
func (b *Broker) Provisioned(ctx context.Context, s vault.Secret) (*Provision, error) {
	if s.PinnedProvider == "" { // nothing claims it, which takes no look at the vault
		return nil, nil
	}
	var out *Provision
	err := b.view(ctx, func(r look) error {
		p, err := r.claimer(s.Name)
		if p == nil || err != nil || s.PinnedProvider != p.ID {
			return err
		}
		out, err = provision(r, p, &s)
		return err
	})
	return out, err
}

// Claim implements Service.
func (b *Broker) Claim(ctx context.Context, name string, scope vault.Scope) (Claim, error) {
	name, err := vault.ParseName(name)
	if err != nil {
		return Claim{}, err
	}
	if err := scope.Validate(); err != nil {
		return Claim{}, err
	}
	var out Claim
	err = b.view(ctx, func(r look) error {
		p, err := r.claimer(name)
		if err != nil {
			return err
		}
		if out.Taken, err = r.NameTaken(scope, name); err != nil {
			return err
		}
		if out.Shadows, err = shadows(r, name, scope); err != nil || p == nil {
			return err
		}
		s := &vault.Secret{Name: name, Scope: scope, PinnedProvider: p.ID}
		made, err := provision(supposed{r, s}, p, s)
		if err != nil {
			return err
		}
		out.Provider, out.ProviderName = p.ID, p.Name
		out.Credential, out.Capabilities, out.Missing, out.Disabled = made.Credential, made.Capabilities, made.Missing, made.Disabled
		out.NeedsHost, out.LooksLike = made.NeedsHost, made.LooksLike
		return nil
	})
	return out, err
}

// A supposed reader sees a secret that is not stored, in its scope.
type supposed struct {
	vault.Reader
	secret *vault.Secret
}

func (r supposed) SecretNamed(scope vault.Scope, name string) (*vault.Secret, error) {
	if scope == r.secret.Scope && name == r.secret.Name {
		return r.secret, nil
	}
	return r.Reader.SecretNamed(scope, name)
}

// claimer returns the provider that claims a name, or nil.
func (r look) claimer(name string) (*registry.Provider, error) {
	id, claimed := r.reg.Claim(name)
	if !claimed {
		return nil, nil
	}
	p, ok := r.reg.Provider(id)
	if !ok {
		return nil, fault.New(fault.Conflict, "provider %s, whose definition claims %s, cannot be read", id, name).
			WithHint("add it again: `aivault provider add`")
	}
	return p, nil
}

// provision tells what a provider makes of a secret that is pinned to it: the
// first credential that it completes, else what the first one waits for.
func provision(r vault.Reader, p *registry.Provider, s *vault.Secret) (*Provision, error) {
	out := &Provision{Provider: p.ID, LooksLike: p.LooksLike(s.Name)}
	for order := range p.Credentials {
		m, err := resolve.MadeAt(r, p, order, s.Scope)
		if err != nil {
			return nil, err
		}
		if m == nil || !slices.ContainsFunc(m.Parts, func(p resolve.Part) bool { return p.Secret.ID == s.ID }) {
			continue
		}
		if len(m.Missing) > 0 {
			if out.Missing == nil {
				out.Missing = m.Missing
			}
			continue
		}
		if out.NeedsHost = m.NeedsHost(); out.NeedsHost != "" {
			continue
		}
		out.Credential, out.Disabled, out.Missing = m.ID, m.Disabled, nil
		for i := range p.Capabilities {
			if m.Carries(&p.Capabilities[i]) {
				out.Capabilities++
			}
		}
		return out, nil
	}
	return out, nil
}

// LooksLike reports whether a value begins in one of the ways that are known for
// its name; it does where none is known.
func LooksLike(value vault.Value, beginnings []string) bool {
	if len(beginnings) == 0 {
		return true
	}
	return slices.ContainsFunc(beginnings, func(s string) bool { return bytes.HasPrefix(value.Reveal(), []byte(s)) })
}

// shadows lists the wider scopes whose secret of a name is seen from a scope.
func shadows(r vault.Reader, name string, scope vault.Scope) ([]vault.Scope, error) {
	in := vault.Context{Workspace: scope.Workspace, Group: scope.Group}
	var out []vault.Scope
	for _, wider := range in.Scopes()[1:] {
		s, err := r.SecretNamed(wider, name)
		if err != nil {
			return nil, err
		}
		if s == nil {
			continue
		}
		if tier, _ := s.SeenFrom(in); tier > 0 {
			out = append(out, wider)
		}
	}
	return out, nil
}

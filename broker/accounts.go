package broker

import (
	"context"
	"slices"
	"strings"

	"aivault/broker/internal/resolve"
	"aivault/keys/fault"
	"aivault/vault"
)

// Credentials implements Service.
func (b *Broker) Credentials(ctx context.Context) ([]Credential, error) {
	var out []Credential
	err := b.view(ctx, func(r look) (err error) {
		out, err = b.credentials(r)
		return err
	})
	return out, err
}

// credentials lists stored and registry-made credentials by id.
func (b *Broker) credentials(r look) ([]Credential, error) {
	made, err := b.made(r)
	if err != nil {
		return nil, err
	}
	var out []Credential
	taken := map[string]bool{}
	for _, m := range made {
		if m.Ready() {
			taken[m.ID] = true
			out = append(out, fromMade(m))
		}
	}
	stored, err := r.Credentials()
	if err != nil {
		return nil, err
	}
	for _, c := range stored {
		if !taken[c.ID] {
			out = append(out, Credential{Credential: *c, Secrets: []vault.ID{c.Secret}})
		}
	}
	slices.SortFunc(out, func(a, b Credential) int { return strings.Compare(a.ID, b.ID) })
	return out, nil
}

// An Account is a credential with what people ask about it; also one that the
// registry would make, but for a reason.
type Account struct {
	Credential
	Names    []string // of the secrets, in the order of Secrets
	Missing  []string // names of secrets that it waits for, in its scope
	Disabled bool     // somebody deleted it: it stays away until it is brought back
	// NeedsHost is a pattern of hosts: nothing is made of the secrets until an
	// operator makes a credential for a host under it.
	NeedsHost string
}

// Works reports whether the credential is there to be used.
func (a *Account) Works() bool { return len(a.Missing) == 0 && a.NeedsHost == "" && !a.Disabled }

// Accounts implements Service.
func (b *Broker) Accounts(ctx context.Context) ([]Account, error) {
	var out []Account
	err := b.view(ctx, func(r look) error {
		made, err := b.made(r)
		if err != nil {
			return err
		}
		taken := map[string]bool{}
		for _, m := range made {
			if used, err := r.CredentialsWith(m.Parts[0].Secret.ID); err != nil {
				return err
			} else if m.NeedsHost() != "" && len(used) > 0 {
				continue // an operator named the host
			}
			a := Account{Credential: fromMade(m), Missing: m.Missing, Disabled: m.Disabled, NeedsHost: m.NeedsHost()}
			for _, p := range m.Parts {
				a.Names = append(a.Names, p.Secret.Name)
			}
			taken[a.ID] = m.Ready()
			out = append(out, a)
		}
		stored, err := r.Credentials()
		if err != nil {
			return err
		}
		for _, c := range stored {
			if taken[c.ID] {
				continue
			}
			s, err := r.Secret(c.Secret)
			if err != nil {
				return err
			}
			out = append(out, Account{Credential: Credential{Credential: *c, Secrets: []vault.ID{c.Secret}}, Names: []string{s.Name}})
		}
		return nil
	})
	slices.SortStableFunc(out, func(a, b Account) int { return strings.Compare(a.ID, b.ID) })
	return out, err
}

// made lists what the registry makes of the vault's secrets, in every scope;
// what is disabled or waits for a secret too. A provider without secrets is
// not even decoded.
func (b *Broker) made(r look) ([]*resolve.Made, error) {
	var out []*resolve.Made
	for _, id := range r.reg.Providers() {
		pinned, err := r.Pinned(id)
		if err != nil {
			return nil, err
		}
		if len(pinned) == 0 {
			continue
		}
		p, ok := r.reg.Provider(id)
		if !ok {
			continue
		}
		of, err := resolve.MadeOf(r, p, pinned)
		if err != nil {
			return nil, err
		}
		out = append(out, of...)
	}
	return out, nil
}

// fromMade returns a registry-made credential as a Credential.
func fromMade(m *resolve.Made) Credential {
	c := Credential{Auto: true, Credential: vault.Credential{
		ID: m.ID, Provider: m.Provider.ID, Scope: m.Scope, Auth: resolve.Auth(m.Template),
		Hosts: m.Template.DefaultHosts(m.Provider), Capabilities: m.Template.Capabilities,
	}}
	for _, p := range m.Parts {
		c.Secrets = append(c.Secrets, p.Secret.ID)
		if p.Secret.CreatedAt.After(c.CreatedAt) {
			c.CreatedAt = p.Secret.CreatedAt // it exists since its last part does
		}
	}
	if len(c.Secrets) > 0 {
		c.Secret = c.Secrets[0]
	}
	return c
}

// credential returns a credential by id, stored or registry-made, or nil.
func (b *Broker) credential(r look, id string) (*Credential, error) {
	if p, order, scope, ok := resolve.ParseMadeID(r.reg, id); ok {
		m, err := resolve.MadeAt(r, p, order, scope)
		if err != nil {
			return nil, err
		}
		if m != nil && m.Ready() {
			return new(fromMade(m)), nil
		}
	}
	c, err := r.Credential(id)
	if c == nil || err != nil {
		return nil, err
	}
	return &Credential{Credential: *c, Secrets: []vault.ID{c.Secret}}, nil
}

// DeleteCredential implements Service.
func (b *Broker) DeleteCredential(ctx context.Context, id string) (bool, error) {
	var c *Credential
	err := b.view(ctx, func(r look) (err error) {
		c, err = b.credential(r, id)
		return err
	})
	switch {
	case err != nil || c == nil:
		return false, err
	case c.Auto:
		return b.store.DisableCredential(ctx, id)
	}
	return b.store.DeleteCredential(ctx, id)
}

// checkID checks the id of a credential or capability that an operator makes.
// A capability's has at least one slash: provider/name.
func checkID(what, id string, slash bool) error {
	valid := id != "" && len(id) <= maxID
	for i := range len(id) {
		c := id[i]
		valid = valid && ('a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.IndexByte("._-@/", c) >= 0)
	}
	valid = valid && !strings.HasPrefix(id, "/") && !strings.HasSuffix(id, "/") && !strings.HasPrefix(id, "-")
	switch {
	case !valid:
		return fault.New(fault.InvalidRequest, "%.140q is no %s id", id, what).
			WithHint("an id is 1 to %d letters, digits and . _ - @ /, and begins with none of - and /", maxID)
	case slash && !strings.Contains(id, "/"):
		return fault.New(fault.InvalidRequest, "the %s id %s names no provider", what, id).
			WithHint("an id is provider/name, such as acme/%s", id)
	}
	return nil
}

// checkProvider checks the name of a provider: lower case, as in the registry,
// so that no two differ by case alone.
func checkProvider(name string) error {
	valid := name != "" && len(name) <= 64
	for i := range len(name) {
		c := name[i]
		valid = valid && ('a' <= c && c <= 'z' || '0' <= c && c <= '9' || i > 0 && strings.IndexByte("._-", c) >= 0)
	}
	if !valid {
		return fault.New(fault.InvalidRequest, "%.80q is no provider's name", name).
			WithHint("a name is 1 to 64 lower-case letters, digits and . _ -, such as acme")
	}
	return nil
}

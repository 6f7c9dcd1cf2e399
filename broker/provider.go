package broker

import (
	"bytes"
	"context"
	"slices"

	"aivault/broker/registry"
	"aivault/keys/fault"
	"aivault/vault"
)

// A Provider is a service that capabilities are of: a built-in one, or one that an
// operator defined.
type Provider struct {
	ID           string
	Name         string
	DocsURL      string
	Own          bool     // an operator's
	Unreadable   bool     // this version cannot read its definition, and nothing goes to it
	Capabilities []string // ids of those that it lists
	Ready        int      // how many of these a credential carries, in whatever scope
	SecretNames  []string // that it claims, sorted
	Hosts        []string // names, and patterns such as *.example.com
}

// A ProviderChange is what adding a definition does.
type ProviderChange struct {
	Provider
	Replaces bool // there is another definition of the id
	Same     bool // there is this one, and nothing changes
}

// Providers implements Service.
func (b *Broker) Providers(ctx context.Context) ([]Provider, error) {
	var out []Provider
	err := b.view(ctx, func(r look) error {
		creds, err := b.credentials(r)
		if err != nil {
			return err
		}
		for _, id := range r.reg.Providers() {
			p, ok := r.reg.Provider(id)
			if !ok {
				out = append(out, Provider{ID: id, Name: id, Own: true, Unreadable: true})
				continue
			}
			shown := showProvider(p)
			shown.Own = r.reg.IsOwn(id)
			for i := range p.Capabilities {
				if isReady(builtin(&p.Capabilities[i], p), creds) {
					shown.Ready++
				}
			}
			out = append(out, shown)
		}
		return nil
	})
	return out, err
}

func showProvider(p *registry.Provider) Provider {
	out := Provider{ID: p.ID, Name: p.Name, DocsURL: p.DocsURL, SecretNames: p.Claims(), Hosts: p.AllHosts()}
	for i := range p.Capabilities {
		out.Capabilities = append(out.Capabilities, p.Capabilities[i].ID)
	}
	return out
}

// CheckProvider implements Service.
func (b *Broker) CheckProvider(ctx context.Context, definition []byte) (ProviderChange, error) {
	p, err := decodeOwn(definition)
	if err != nil {
		return ProviderChange{}, err
	}
	out := ProviderChange{Provider: showProvider(p)}
	out.Own = true
	err = b.view(ctx, func(r look) error {
		if err := b.mayAdd(r, p); err != nil {
			return err
		}
		old, err := ownNamed(r, p.ID)
		if err != nil {
			return err
		}
		if old != nil {
			out.Same = bytes.Equal(old.Definition, definition)
			out.Replaces = !out.Same
		}
		fresh := toStore(p, definition)
		further := fresh.Further(old)
		if len(further) == 0 {
			return nil
		}
		pinned, err := r.Pinned(p.ID)
		if err == nil && len(pinned) > 0 {
			err = fault.New(fault.Conflict, "%s is a further host, and %s is pinned to %s as it was stored for", further[0], pinned[0].Name, p.ID).
				WithHint("leave the host out, or delete the secrets first and store them again")
		}
		return err
	})
	if err != nil {
		return ProviderChange{}, err
	}
	return out, nil
}

// AddProvider implements Service.
func (b *Broker) AddProvider(ctx context.Context, definition []byte) (ProviderChange, error) {
	out, err := b.CheckProvider(ctx, definition)
	if err != nil || out.Same {
		return out, err
	}
	p, err := decodeOwn(definition)
	if err != nil {
		return ProviderChange{}, err
	}
	// The vault checks names and hosts again, in the transaction.
	if _, err := b.store.PutProvider(ctx, toStore(p, definition)); err != nil {
		return ProviderChange{}, err
	}
	return out, nil
}

// RemoveProvider implements Service.
func (b *Broker) RemoveProvider(ctx context.Context, id string) (bool, error) {
	removed, err := b.store.DeleteProvider(ctx, id)
	if err == nil && !removed && slices.Contains(b.reg.Providers(), id) {
		err = fault.New(fault.InvalidRequest, "provider %s is built in, and stays", id).
			WithHint("`aivault provider list` shows which are your own")
	}
	return removed, err
}

func toStore(p *registry.Provider, definition []byte) vault.Provider {
	return vault.Provider{ID: p.ID, Definition: definition, Claims: p.Claims(), Hosts: p.AllHosts()}
}

// ownNamed returns a provider of the vault's own by id, or nil.
func ownNamed(r look, id string) (*vault.Provider, error) {
	records, err := r.ProviderRecords()
	for i := 0; i < len(records) && err == nil; i++ {
		var p *vault.Provider
		if p, err = r.Provider(records[i]); err == nil && p.ID == id {
			return p, nil
		}
	}
	return nil, err
}

// mayAdd refuses a provider that would change what something means: a built-in id,
// a name that another provider claims, and ids that an operator gave already.
func (b *Broker) mayAdd(r look, p *registry.Provider) error {
	if slices.Contains(b.reg.Providers(), p.ID) {
		return fault.New(fault.AlreadyExists, "provider %s is built in, and cannot be made to mean something else", p.ID).
			WithHint("choose another id, such as my-%s", p.ID)
	}
	for _, name := range p.Claims() {
		if by, taken := r.reg.Claim(name); taken && by != p.ID {
			return fault.New(fault.Conflict, "the secret name %s belongs to provider %s", name, by).WithHint("choose another name")
		}
	}
	for i := range p.Capabilities {
		c, err := r.Capability(p.Capabilities[i].ID)
		if err != nil {
			return err
		}
		if c != nil {
			return fault.New(fault.Conflict, "there is a capability %s already, which was made by hand", c.ID).
				WithHint("choose another id, or delete it with `aivault capability delete %s`", c.ID)
		}
	}
	c, err := r.Credential(p.ID)
	if err == nil && c != nil {
		err = fault.New(fault.Conflict, "there is a credential %s already, and the provider's own would have that id", c.ID).
			WithHint("choose another id, or delete it with `aivault credential delete %s`", c.ID)
	}
	return err
}

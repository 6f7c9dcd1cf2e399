package vault

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"aivault/keys/fault"
)

// A Provider is an operator's own definition of a provider. The definition is for
// the broker to read; of what it says the vault has what it keeps to itself: which
// secret names pin a secret to the provider, and where such a secret may go.
type Provider struct {
	ID         string
	Definition []byte   // as it was given; 1 byte to [MaxDefinition]
	Claims     []string // secret names, each once
	Hosts      []string // names, and patterns of names such as *.example.com
	CreatedAt  time.Time
	UpdatedAt  time.Time
}

const (
	// MaxDefinition is the length of the longest definition of a provider, in bytes.
	MaxDefinition = 256 << 10
	// MaxProviders is how many providers of its own a vault has at the most.
	MaxProviders = 256
	// maxClaims is how many names, and how many hosts, a provider has at the most.
	maxClaims = 256
)

// PutProvider implements Store.
func (l *Local) PutProvider(ctx context.Context, p Provider) (Provider, error) {
	if err := p.check(); err != nil {
		return Provider{}, err
	}
	for _, name := range p.Claims {
		if other, taken := l.claim(name); taken {
			return Provider{}, errClaimed(name, "the built-in provider "+other)
		}
	}
	err := l.update(ctx, func(t *txn) error {
		rec, old, err := t.findProvider(p.ID)
		if err != nil {
			return err
		}
		if old != nil && bytes.Equal(old.Definition, p.Definition) {
			p = *old
			return nil
		}
		return t.putProvider(rec, old, &p)
	})
	if err != nil {
		return Provider{}, err
	}
	return p, nil
}

// check refuses what no provider can be.
func (p *Provider) check() error {
	if err := checkText("provider", p.ID); err != nil {
		return err
	}
	switch {
	case len(p.Definition) == 0 || len(p.Definition) > MaxDefinition:
		return fault.New(fault.InvalidRequest, "the definition of provider %s is not 1 byte to %d KiB long", p.ID, MaxDefinition>>10)
	case len(p.Claims) == 0 || len(p.Claims) > maxClaims || len(p.Hosts) == 0 || len(p.Hosts) > maxClaims:
		return fault.New(fault.InvalidRequest, "provider %s does not have 1 to %d secret names, and as many hosts", p.ID, maxClaims)
	}
	for i, name := range p.Claims {
		if err := checkText("name", name); err != nil {
			return err
		}
		if slices.Contains(p.Claims[:i], name) {
			return fault.New(fault.InvalidRequest, "provider %s claims %s twice", p.ID, name)
		}
	}
	for _, host := range p.Hosts {
		if err := checkText("host", host); err != nil {
			return err
		}
	}
	return nil
}

// putProvider stores a provider in the place of the old one, if there is one. It
// gets a record of its own, whose id therefore stands for what is in it.
func (t *txn) putProvider(rec ID, old, p *Provider) error {
	if err := t.checkClaims(rec, old, p); err != nil {
		return err
	}
	if err := t.keepHosts(old, p); err != nil {
		return err
	}
	p.UpdatedAt = t.time()
	p.CreatedAt = p.UpdatedAt
	var before []entry
	note := p.note()
	if old != nil {
		p.CreatedAt = old.CreatedAt
		before = t.providerEntries(rec, old)
		note += ", in the place of another definition"
		if err := t.drop(kindProvider, rec); err != nil {
			return err
		}
	} else if err := t.roomForProvider(); err != nil {
		return err
	}
	rec = uuid.New()
	if err := t.reindex(before, t.providerEntries(rec, p)); err != nil {
		return err
	}
	if err := t.save(kindProvider, rec, 1, encodeProvider(p)); err != nil {
		return err
	}
	return t.record(&Event{Kind: KindProviderAdd, Outcome: OutcomeOK, Host: strings.Join(p.Hosts, ", "), Note: note})
}

// checkClaims refuses a name that another provider of the vault's own claims.
func (t *txn) checkClaims(rec ID, old, p *Provider) error {
	for _, name := range p.Claims {
		other, taken, err := t.find(ixClaim, name)
		if err != nil {
			return err
		}
		if !taken || old != nil && other == rec {
			continue
		}
		has, err := t.provider(other)
		if err != nil {
			return err
		}
		return errClaimed(name, "provider "+has.ID)
	}
	return nil
}

func errClaimed(name, by string) error {
	return fault.New(fault.Conflict, "the secret name %s belongs to %s", name, by).WithHint("choose another name")
}

// keepHosts keeps the secrets that are pinned to a provider from any host that
// they were not stored for.
func (t *txn) keepHosts(old, p *Provider) error {
	further := p.Further(old)
	if len(further) == 0 {
		return nil
	}
	pinned, err := reader{t}.Pinned(p.ID)
	if err != nil || len(pinned) == 0 {
		return err
	}
	return fault.New(fault.Conflict, "%s is a further host, and %s is pinned to %s as it was stored for", further[0], named(pinned), p.ID).
		WithHint("leave the host out, or delete the secrets first and store them again")
}

// Further lists the hosts that a provider has and the one in whose place it would be,
// or nil, does not mean. A secret that is pinned to that one never goes there.
func (p *Provider) Further(old *Provider) []string {
	return slices.DeleteFunc(slices.Clone(p.Hosts), func(host string) bool { return old != nil && covered(old.Hosts, host) })
}

// covered reports whether a list of hosts has a host or a pattern, or means it by
// a pattern of one label more.
func covered(list []string, host string) bool {
	_, domain, _ := strings.Cut(host, ".")
	return slices.Contains(list, host) || slices.Contains(list, "*."+domain)
}

func (t *txn) roomForProvider() error {
	all, err := t.all(kindProvider)
	if err == nil && len(all) >= MaxProviders {
		err = fault.New(fault.Conflict, "the vault has %d providers of its own, and that is the most", len(all)).
			WithHint("remove one with `aivault provider remove`")
	}
	return err
}

// DeleteProvider implements Store.
func (l *Local) DeleteProvider(ctx context.Context, id string) (bool, error) {
	if err := checkText("provider", id); err != nil {
		return false, err
	}
	return l.removal(ctx, func(t *txn) (*Event, error) {
		rec, p, err := t.findProvider(id)
		if p == nil || err != nil {
			return nil, err
		}
		if err := t.checkUnusedProvider(id); err != nil {
			return nil, err
		}
		if err := t.dropOf(id); err != nil {
			return nil, err
		}
		if err := t.reindex(t.providerEntries(rec, p), nil); err != nil {
			return nil, err
		}
		e := &Event{Kind: KindProviderRemove, Outcome: OutcomeOK, Host: strings.Join(p.Hosts, ", "), Note: p.note()}
		return e, t.drop(kindProvider, rec)
	})
}

// maxNamed is how many things an error lists.
const maxNamed = 5

// checkUnusedProvider refuses to remove a provider that something is of.
func (t *txn) checkUnusedProvider(id string) error {
	r := reader{t}
	pinned, err := r.Pinned(id)
	if err != nil {
		return err
	}
	creds, err := r.Credentials()
	if err != nil {
		return err
	}
	capabilities, err := r.Capabilities()
	if err != nil {
		return err
	}
	bindings, err := r.Bindings("")
	if err != nil {
		return err
	}
	var uses []string
	for _, s := range pinned {
		uses = append(uses, "secret "+s.Name+" in scope "+s.Scope.String())
	}
	for _, c := range creds {
		if c.Provider == id {
			uses = append(uses, "credential "+c.ID)
		}
	}
	for _, c := range capabilities {
		if c.Provider == id {
			uses = append(uses, "capability "+c.ID)
		}
	}
	for _, b := range bindings {
		if strings.HasPrefix(b.Capability, id+"/") {
			uses = append(uses, "a binding of "+b.Capability+" in scope "+b.Scope.String())
		}
	}
	if len(uses) == 0 {
		return nil
	}
	return fault.New(fault.Conflict, "provider %s is in use: %s", id, listed(uses)).
		WithHint("delete what uses it first")
}

// listed joins the first of some texts.
func listed(texts []string) string {
	if len(texts) > maxNamed {
		texts = append(slices.Clip(texts[:maxNamed]), fmt.Sprintf("and %d more", len(texts)-maxNamed))
	}
	return strings.Join(texts, ", ")
}

// named lists secrets by their names.
func named(secrets []*Secret) string {
	var names []string
	for _, s := range secrets {
		names = append(names, s.Name)
	}
	slices.Sort(names)
	return listed(slices.Compact(names))
}

// dropOf deletes what was set for a provider's capabilities and credentials, so
// that another provider of its id does not come to it.
func (t *txn) dropOf(id string) error {
	r := reader{t}
	policies, err := r.Policies()
	if err != nil {
		return err
	}
	for _, p := range policies {
		if !strings.HasPrefix(p.Capability, id+"/") {
			continue
		}
		_, stored, err := t.findCapability(p.Capability)
		if err != nil {
			return err
		}
		if stored != nil {
			continue // one of another provider, whose id looks like one of this
		}
		if _, err := t.deletePolicy(p.Capability); err != nil {
			return err
		}
		if err := t.dropRate(p.Capability); err != nil {
			return err
		}
	}
	disabled, err := r.Disabled()
	for i := 0; i < len(disabled) && err == nil; i++ {
		if disabled[i] == id || strings.HasPrefix(disabled[i], id+":") {
			_, err = t.enable(disabled[i])
		}
	}
	return err
}

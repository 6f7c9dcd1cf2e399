package vault

import (
	"context"
	"slices"

	"github.com/google/uuid"

	"aivault/keys/fault"
)

// CreateCapability implements Store.
func (l *Local) CreateCapability(ctx context.Context, c Capability) (Capability, error) {
	if err := checkText("capability id", c.ID); err != nil {
		return Capability{}, err
	}
	if err := checkText("provider", c.Provider); err != nil {
		return Capability{}, err
	}
	if len(c.Allow.Hosts) != 1 || len(c.Allow.Methods) == 0 || len(c.Allow.Paths) == 0 {
		return Capability{}, fault.New(fault.InvalidRequest, "capability %s needs one host, and at least one method and one path", c.ID)
	}
	if err := checkUTF8("capability "+c.ID, slices.Concat(c.Allow.Hosts, c.Allow.Methods, c.Allow.Paths, c.Allow.Headers)); err != nil {
		return Capability{}, err
	}
	err := l.update(ctx, func(t *txn) error {
		if _, taken, err := t.findCapability(c.ID); err != nil {
			return err
		} else if taken != nil {
			return fault.New(fault.AlreadyExists, "there is a capability %s already", c.ID).
				WithHint("choose another id, or delete it with `aivault capability delete %s`", c.ID)
		}
		c.CreatedAt, c.Revision = t.time(), 1
		rec := uuid.New()
		if err := t.reindex(nil, t.capabilityEntries(rec, &c)); err != nil {
			return err
		}
		if err := t.save(kindCapability, rec, c.Revision, encodeCapability(&c)); err != nil {
			return err
		}
		return t.record(&Event{Kind: KindCapabilityCreate, Outcome: OutcomeOK, Capability: c.ID, Host: c.Allow.Hosts[0], Note: c.note()})
	})
	return c, err
}

// DeleteCapability implements Store.
func (l *Local) DeleteCapability(ctx context.Context, id string) (RemovedCapability, error) {
	policy := false
	removed, err := l.removal(ctx, func(t *txn) (*Event, error) {
		rec, c, err := t.findCapability(id)
		if c == nil || err != nil {
			return nil, err
		}
		if err := t.reindex(t.capabilityEntries(rec, c), nil); err != nil {
			return nil, err
		}
		if err := t.drop(kindCapability, rec); err != nil {
			return nil, err
		}
		if err := t.dropRate(id); err != nil {
			return nil, err
		}
		bindings, err := t.deleteBindings(func(b *Binding) bool { return b.Capability == id }, ixBindingsOf, id)
		for i := 0; i < len(bindings) && err == nil; i++ {
			err = t.forgetHosts(bindings[i].Secret)
		}
		if err == nil {
			policy, err = t.deletePolicy(id)
		}
		return &Event{Kind: KindCapabilityDelete, Outcome: OutcomeOK, Capability: id, Host: c.Allow.Hosts[0], Note: c.note()}, err
	})
	if !removed {
		return RemovedCapability{}, err
	}
	return RemovedCapability{Capability: true, Policy: policy}, err
}

// findCapability returns a capability and the id of its record: nil if there
// is none.
func (t *txn) findCapability(id string) (rec ID, c *Capability, err error) {
	rec, ok, err := t.find(ixCapability, id)
	if !ok || err != nil {
		return rec, nil, err
	}
	if c, err = t.capability(rec); err == nil && c.ID != id {
		err = errCorrupt("an index of the vault")
	}
	return rec, c, err
}

// capability loads a capability that an index names.
func (t *txn) capability(rec ID) (*Capability, error) {
	b, rev, err := t.load(kindCapability, rec)
	if err != nil {
		return nil, err
	}
	if b == nil {
		return nil, errCorrupt("an index of the vault")
	}
	c, err := decodeCapability(rev, b)
	if err != nil {
		return nil, errCorrupt("a capability")
	}
	return c, nil
}

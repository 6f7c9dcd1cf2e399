package vault

import (
	"context"

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
	err := l.update(ctx, func(t *txn) error {
		if _, taken, err := t.find(ixCapability, c.ID); err != nil {
			return err
		} else if taken {
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
		return t.record(&Event{Kind: KindCapabilityCreate, Outcome: OutcomeOK, Capability: c.ID, Host: c.Allow.Hosts[0], Note: c.Provider})
	})
	return c, err
}

// DeleteCapability implements Store.
func (l *Local) DeleteCapability(ctx context.Context, id string) (bool, error) {
	return l.removal(ctx, func(t *txn) (*Event, error) {
		rec, ok, err := t.find(ixCapability, id)
		if !ok || err != nil {
			return nil, err
		}
		c, err := t.capability(rec)
		if err != nil {
			return nil, err
		}
		if err := t.reindex(t.capabilityEntries(rec, c), nil); err != nil {
			return nil, err
		}
		if err := t.drop(kindCapability, rec); err != nil {
			return nil, err
		}
		return &Event{Kind: KindCapabilityDelete, Outcome: OutcomeOK, Capability: id}, t.deleteBindingsOf(id)
	})
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

func (t *txn) deleteBindingsOf(capability string) error {
	recs, err := t.row(ixBindingsOf, capability)
	if err != nil {
		return err
	}
	for _, rec := range recs {
		b, err := t.binding(rec)
		if err != nil {
			return err
		}
		if err := t.deleteBinding(rec, b); err != nil {
			return err
		}
	}
	return nil
}

// PutBinding implements Store.
func (l *Local) PutBinding(ctx context.Context, b Binding, hosts []Host, proof Value) (Binding, error) {
	if err := checkText("capability id", b.Capability); err != nil {
		return Binding{}, err
	}
	if err := b.Scope.Validate(); err != nil {
		return Binding{}, err
	}
	if err := checkScopeID("consumer", b.Consumer); err != nil {
		return Binding{}, err
	}
	err := l.update(ctx, func(t *txn) error {
		s, err := t.needSecret(b.Secret, 0)
		if err != nil {
			return err
		}
		if err := t.sealHosts(s, hosts, proof); err != nil {
			return err
		}
		if err := t.putBinding(&b); err != nil {
			return err
		}
		return t.record(bindingEvent(KindCapabilityBind, &b))
	})
	if err != nil {
		return Binding{}, l.noteDenial(ctx, err, bindingEvent(KindCapabilityBind, &b))
	}
	return b, nil
}

func (t *txn) putBinding(b *Binding) error {
	level, ws, group := b.Scope.names()
	rec, exists, err := t.find(ixBinding, b.Capability, level, ws, group, b.Consumer)
	if err != nil {
		return err
	}
	var before []entry
	b.Revision = 1
	if exists {
		old, err := t.binding(rec)
		if err != nil {
			return err
		}
		before = t.bindingEntries(rec, old)
		b.Revision = old.Revision + 1
	} else {
		rec = uuid.New()
	}
	b.UpdatedAt = t.time()
	if err := t.reindex(before, t.bindingEntries(rec, b)); err != nil {
		return err
	}
	return t.save(kindBinding, rec, b.Revision, encodeBinding(b))
}

// DeleteBinding implements Store.
func (l *Local) DeleteBinding(ctx context.Context, capability string, scope Scope, consumer string) (bool, error) {
	if err := scope.Validate(); err != nil {
		return false, err
	}
	return l.removal(ctx, func(t *txn) (*Event, error) {
		level, ws, group := scope.names()
		rec, ok, err := t.find(ixBinding, capability, level, ws, group, consumer)
		if !ok || err != nil {
			return nil, err
		}
		b, err := t.binding(rec)
		if err != nil {
			return nil, err
		}
		return bindingEvent(KindCapabilityUnbind, b), t.deleteBinding(rec, b)
	})
}

// binding loads a binding that an index names.
func (t *txn) binding(rec ID) (*Binding, error) {
	data, rev, err := t.load(kindBinding, rec)
	if err != nil {
		return nil, err
	}
	if data == nil {
		return nil, errCorrupt("an index of the vault")
	}
	b, err := decodeBinding(rev, data)
	if err != nil {
		return nil, errCorrupt("a binding")
	}
	return b, nil
}

func (t *txn) deleteBinding(rec ID, b *Binding) error {
	if err := t.reindex(t.bindingEntries(rec, b), nil); err != nil {
		return err
	}
	return t.drop(kindBinding, rec)
}

func bindingEvent(kind string, b *Binding) *Event {
	return &Event{Kind: kind, Outcome: OutcomeOK, Capability: b.Capability, Secret: b.Secret, Consumer: b.Consumer, Scope: b.Scope.String()}
}

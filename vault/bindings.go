package vault

import (
	"context"

	"github.com/google/uuid"
)

// PutBinding implements Store.
func (l *Local) PutBinding(ctx context.Context, b Binding, proof Value) (Binding, error) {
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
		if err := t.sealHosts(s, b.Hosts, proof); err != nil {
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
	rec, old, err := t.findBinding(b.Capability, b.Scope, b.Consumer)
	if err != nil {
		return err
	}
	var before []entry
	b.Revision = 1
	if old != nil {
		before = t.bindingEntries(rec, old)
		b.Revision = old.Revision + 1
	} else {
		rec = uuid.New()
	}
	b.UpdatedAt = t.time()
	if err := t.reindex(before, t.bindingEntries(rec, b)); err != nil {
		return err
	}
	if err := t.save(kindBinding, rec, b.Revision, encodeBinding(b)); err != nil || old == nil {
		return err
	}
	return t.forgetHosts(old.Secret)
}

// DeleteBinding implements Store.
func (l *Local) DeleteBinding(ctx context.Context, capability string, scope Scope, consumer string) (bool, error) {
	if err := scope.Validate(); err != nil {
		return false, err
	}
	return l.removal(ctx, func(t *txn) (*Event, error) {
		rec, b, err := t.findBinding(capability, scope, consumer)
		if b == nil || err != nil {
			return nil, err
		}
		if err := t.deleteBinding(rec, b); err != nil {
			return nil, err
		}
		return bindingEvent(KindCapabilityUnbind, b), t.forgetHosts(b.Secret)
	})
}

// findBinding returns a binding and the id of its record: nil if there is none.
func (t *txn) findBinding(capability string, scope Scope, consumer string) (rec ID, b *Binding, err error) {
	level, ws, group := scope.names()
	rec, ok, err := t.find(ixBinding, capability, level, ws, group, consumer)
	if !ok || err != nil {
		return rec, nil, err
	}
	b, err = t.binding(rec)
	if err == nil && (b.Capability != capability || b.Scope != scope || b.Consumer != consumer) {
		err = errCorrupt("an index of the vault")
	}
	return rec, b, err
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

// deleteBindings deletes the bindings of an index row, which must be what the
// row says, and returns them.
func (t *txn) deleteBindings(fits func(*Binding) bool, ix uint8, field string) ([]Binding, error) {
	recs, err := t.row(ix, field)
	if err != nil {
		return nil, err
	}
	var out []Binding
	for _, rec := range recs {
		b, err := t.binding(rec)
		if err == nil && !fits(b) {
			err = errCorrupt("an index of the vault")
		}
		if err == nil {
			err = t.deleteBinding(rec, b)
		}
		if err != nil {
			return nil, err
		}
		out = append(out, *b)
	}
	return out, nil
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

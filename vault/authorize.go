package vault

import (
	"context"

	"aivault/keys/fault"
	"aivault/keys/opaque"
	"aivault/vault/internal/seal"
)

// A pending value is sealed still: it is opened once the intent is durable.
type pending struct {
	secret *Secret
	sealed []byte
}

// Authorize implements Store.
func (l *Local) Authorize(ctx context.Context, decide func(Reader) (Decision, error)) (Grant, error) {
	exists, err := l.db.Exists()
	if err != nil {
		return Grant{}, l.explain(err, "looking at")
	}
	if !exists { // nothing can be granted, and there is no log to record it in
		if err := l.checkAbsent(); err != nil {
			return Grant{}, err
		}
		if _, err := decide(reader{}); err != nil {
			return Grant{}, err
		}
		return Grant{}, fault.New(fault.Internal, "a call was granted without a vault")
	}
	var (
		refusal error // of decide; the transaction commits all the same
		grant   Grant
		waiting []pending
		ring    *seal.Ring // held until the values are there
	)
	err = l.update(ctx, func(t *txn) error {
		ring = t.ring
		ring.Hold()
		d, err := decide(reader{t})
		if err == nil {
			waiting, err = t.uses(&d)
		}
		if err != nil {
			refusal = err
			return t.deny(&d.Event, err)
		}
		d.Event.Kind, d.Event.Outcome = KindInvokeIntent, ""
		if err := t.record(&d.Event); err != nil {
			return err
		}
		grant.Intent = d.Event.Seq
		return nil
	})
	if ring != nil {
		defer ring.Release()
	}
	switch {
	case err != nil:
		return Grant{}, unrecorded(err)
	case refusal != nil:
		return Grant{}, refusal
	}
	values, err := release(ring, waiting)
	if err != nil { // no call will be made: that is its outcome, or unknown if it cannot be recorded
		_ = l.Finish(ctx, grant.Intent, Event{Outcome: OutcomeError, Code: fault.CodeOf(err)})
		return Grant{}, err
	}
	grant.Values = values
	return grant, nil
}

// release decrypts the values of a call whose intent is durable.
func release(ring *seal.Ring, waiting []pending) ([]Value, error) {
	var values []Value
	for _, p := range waiting {
		b, err := openValue(ring, p.secret, p.sealed)
		if err != nil {
			for _, v := range values {
				v.Clear()
			}
			return nil, err
		}
		values = append(values, opaque.New(b))
	}
	return values, nil
}

// uses checks that the secrets of a call may be used for it, notes that they
// were, and returns their sealed values.
func (t *txn) uses(d *Decision) ([]pending, error) {
	var out []pending
	for i, u := range d.Uses {
		s, err := t.needSecret(u.Secret, 0)
		if err != nil {
			return nil, err
		}
		if err := s.Serves(u); err != nil {
			return nil, err
		}
		sealed, err := t.sealedValue(s)
		if err != nil {
			return nil, err
		}
		if i == 0 {
			d.Event.Secret, d.Event.SecretVersion, d.Event.Scope = s.ID, s.Version, s.Scope.String()
		}
		out = append(out, pending{s, sealed})
	}
	for _, p := range out {
		if err := t.markUsed(p.secret); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// markUsed notes the time of a secret's use, apart from the secret itself: a
// use is no change, and must not undo one.
func (t *txn) markUsed(s *Secret) error {
	_, rev, err := t.load(kindUsage, s.ID)
	if err != nil {
		return err
	}
	return t.save(kindUsage, s.ID, rev+1, encodeUsage(t.time()))
}

// deny records a refusal.
func (t *txn) deny(e *Event, refusal error) error {
	e.Kind, e.Outcome, e.Code = KindInvokeDenied, OutcomeDenied, fault.CodeOf(refusal)
	return t.record(e)
}

// unrecorded is the error of a call that could not be written into the log,
// for want of a disk that takes it. Other errors speak for themselves.
func unrecorded(err error) error {
	switch fault.CodeOf(err) {
	case fault.IO, fault.DiskFull, fault.OutcomeUnknown:
		return fault.Wrap(fault.AuditUnavailable, err, "the call was not made, as it could not be recorded").
			WithHint("%s", fault.HintOf(err))
	}
	return err
}

// Finish implements Store.
func (l *Local) Finish(ctx context.Context, intent uint64, outcome Event) error {
	return l.update(ctx, func(t *txn) error {
		outcome.Kind, outcome.Intent = KindInvokeOutcome, intent
		return t.record(&outcome)
	})
}

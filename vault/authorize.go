package vault

import (
	"context"
	"errors"

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
		if _, err := decide(reader{}); err != nil {
			return Grant{}, err
		}
		return Grant{}, fault.New(fault.Internal, "a call was granted without a vault")
	}
	var (
		refusal error // of decide; the transaction commits all the same
		grant   Grant
		waiting []pending
		ring    *seal.Ring
		began   bool
	)
	err = l.update(ctx, func(t *txn) error {
		began = true
		ring = t.ring
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
	switch {
	case refusal != nil:
		return Grant{}, refusal
	case err != nil && began:
		return Grant{}, unrecorded(err)
	case err != nil:
		return Grant{}, err
	}
	return l.release(ring, grant, waiting)
}

// release decrypts the values of a call whose intent is durable.
func (l *Local) release(ring *seal.Ring, grant Grant, waiting []pending) (Grant, error) {
	for _, p := range waiting {
		b, err := openValue(ring, p.secret, p.sealed)
		if err != nil {
			for _, v := range grant.Values {
				v.Clear()
			}
			return Grant{}, err
		}
		grant.Values = append(grant.Values, opaque.New(b))
	}
	return grant, nil
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
		switch {
		case s.PinnedProvider != "" && s.PinnedProvider != u.Provider:
			return nil, fault.New(fault.PolicyViolation, "secret %s is pinned to %s and serves no other provider", s.Name, s.PinnedProvider)
		case s.PinnedProvider != "" && u.Private:
			return nil, fault.New(fault.PolicyViolation, "secret %s is pinned to %s and never goes to a private host", s.Name, s.PinnedProvider)
		case s.PinnedProvider == "" && !s.mayGoTo(u.Host, u.Private):
			return nil, fault.New(fault.PolicyViolation, "secret %s was not meant for host %s", s.Name, u.Host).
				WithHint("make a credential of it for that host: `aivault credential create`")
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

// unrecorded is the error of a call that could not be written into the log.
func unrecorded(err error) error {
	if code := fault.CodeOf(err); code == fault.VaultCorrupt || code == fault.AuditBroken || errors.Is(err, context.Canceled) {
		return err
	}
	return fault.Wrap(fault.AuditUnavailable, err, "the call was not made, as it could not be recorded").
		WithHint("%s", fault.HintOf(err))
}

// Finish implements Store.
func (l *Local) Finish(ctx context.Context, intent uint64, outcome Event) error {
	return l.update(ctx, func(t *txn) error {
		outcome.Kind, outcome.Intent = KindInvokeOutcome, intent
		return t.record(&outcome)
	})
}

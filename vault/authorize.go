package vault

import (
	"context"
	"errors"

	"aivault/keys/fault"
	"aivault/keys/opaque"
	"aivault/vault/internal/seal"
	"aivault/vault/internal/store"
)

// A pending value is sealed still: it is opened once the intent is durable.
type pending struct {
	secret *Secret
	sealed []byte
}

// Authorize implements Store.
func (l *Local) Authorize(ctx context.Context, decide func(Reader) (Decision, error)) (Permit, error) {
	exists, err := l.Exists()
	switch {
	case err != nil:
		return Permit{}, err
	case !exists:
		return Permit{}, l.authorizeAbsent(decide)
	}
	c := newCall(l.callerOf(ctx), decide)
	err = l.withKeys(ctx, func(ring *seal.Ring) (err error) {
		if err := l.join(ctx, c, ring); err != nil || c.refusal != nil {
			return err
		}
		c.permit.Values, c.refusal = release(ring, c.waiting)
		return nil
	})
	switch {
	case errors.Is(err, store.ErrAbsent): // it went away just now
		return Permit{}, l.authorizeAbsent(decide)
	case err != nil:
		return Permit{}, unrecorded(l.explain(err, "writing"))
	case c.refusal == nil:
		return c.permit, nil
	}
	if c.permit.Intent > 0 { // no call will be made: that is its outcome, or unknown if it cannot be recorded
		_ = l.Finish(ctx, c.permit.Intent, Event{Outcome: OutcomeError, Code: fault.CodeOf(c.refusal)})
	}
	return Permit{}, c.refusal
}

// authorizeAbsent is Authorize where there is no vault: nothing can be granted,
// and there is no log to record it in.
func (l *Local) authorizeAbsent(decide func(Reader) (Decision, error)) error {
	if err := l.checkAbsent(); err != nil {
		return err
	}
	if _, err := decide(reader{}); err != nil {
		return err
	}
	return fault.New(fault.Internal, "a call was granted without a vault")
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

// uses checks that the secrets of a call may be used for it, and returns their
// sealed values.
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
	return out, nil
}

// judge records a call that was decided upon: its intent, with all that it
// counts for, or that it was refused. A refusal has changed nothing. The error
// is that of a call about which nothing could be recorded.
func (t *txn) judge(c *call, d *Decision, refusal error) (err error) {
	c.permit, c.waiting, c.refusal = Permit{}, nil, nil
	var waiting []pending
	if refusal == nil {
		waiting, refusal = t.uses(d)
	}
	if refusal == nil {
		refusal = t.withinRate(d.Event.Capability, d.Rate)
	}
	if refusal != nil {
		c.refusal, err = t.deny(&d.Event, refusal)
		return err
	}
	for _, p := range waiting {
		t.used[p.secret.ID] = true
	}
	d.Event.Kind, d.Event.Outcome = KindInvokeIntent, ""
	if err := t.record(&d.Event); err != nil {
		return err
	}
	c.permit.Intent, c.waiting = d.Event.Seq, waiting
	return nil
}

// beginCalls prepares a transaction of calls.
func (t *txn) beginCalls() error {
	t.used, t.windows = map[ID]bool{}, map[ID]*window{}
	return t.beginDenials()
}

// endCalls stores what the calls of the transaction count for.
func (t *txn) endCalls() error {
	for id := range t.used {
		if err := t.markUsed(id); err != nil {
			return err
		}
	}
	if err := t.saveWindows(); err != nil {
		return err
	}
	return t.endDenials()
}

// markUsed notes the time of a secret's use, apart from the secret itself: a
// use is no change, and must not undo one.
func (t *txn) markUsed(id ID) error {
	_, rev, err := t.load(kindUsage, id)
	if err != nil {
		return err
	}
	return t.save(kindUsage, id, rev+1, encodeUsage(t.time()))
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

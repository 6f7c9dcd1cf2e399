package vault

import (
	"context"
	"math"

	"aivault/keys/fault"
	"aivault/keys/opaque"
	"aivault/vault/internal/codec"
	"aivault/vault/internal/store"
)

// Reopen implements Store.
func (l *Local) Reopen(ctx context.Context, intent uint64, use Use) (value Value, r Renewal, err error) {
	err = l.view(ctx, func(t *txn) error {
		if t == nil {
			return errNoSecret(use.Secret.String())
		}
		if _, err := t.intent(intent); err != nil {
			return err
		}
		s, err := t.needSecret(use.Secret, 0)
		if err != nil {
			return err
		}
		if err := s.Serves(use); err != nil {
			return err
		}
		if r, _, err = t.renewal(s); err != nil {
			return err
		}
		b, err := t.value(s)
		if err != nil {
			return err
		}
		value = opaque.New(b)
		return nil
	})
	if err != nil {
		return nil, Renewal{}, err
	}
	return value, r, nil
}

// BeginRenewal implements Store.
func (l *Local) BeginRenewal(ctx context.Context, intent uint64, use Use, version uint64) error {
	err := l.exchange(ctx, intent, use, OutcomeDenied, func(t *txn, s *Secret, e *Event) (refusal, err error) {
		if refusal := s.Serves(use); refusal != nil {
			return refusal, nil
		}
		if s.Version != version {
			return fault.New(fault.Conflict, "secret %s has another value than the one to be renewed", s.Name).
				WithHint("try again with the value that it has now"), nil
		}
		r, rev, err := t.renewal(s)
		if err != nil {
			return nil, err
		}
		r.Begun++
		e.Outcome = ""
		return nil, t.save(kindRenewal, s.ID, rev+1, encodeRenewal(&r))
	})
	return unrecorded(err)
}

// EndRenewal implements Store. It does not end with its context: what came back
// from an exchange cannot be had again.
func (l *Local) EndRenewal(ctx context.Context, intent uint64, use Use, end RenewalEnd) error {
	var (
		value   []byte
		useless error // why what came back cannot be a value
	)
	if end.Value != nil {
		value, useless = cleanValue(end.Value)
	}
	return l.exchange(context.WithoutCancel(ctx), intent, use, OutcomeError, func(t *txn, s *Secret, e *Event) (refusal, err error) {
		e.SecretVersion, e.Code = end.Version, end.Code
		switch {
		case s.Version != end.Version && end.Value == nil:
			return nil, nil // of a value that is gone
		case s.Version != end.Version:
			return fault.New(fault.Conflict, "secret %s got another value while it was being renewed, which stays", s.Name).
				WithHint("try again with the value that it has now"), nil
		}
		r, rev, err := t.renewal(s)
		switch {
		case err != nil:
			return nil, err
		case r.Begun == 0:
			return fault.New(fault.InvalidRequest, "no renewal of secret %s has begun", s.Name), nil
		}
		r.Begun--
		r.LastAt = t.time()
		switch {
		case useless != nil:
			refusal = useless
		case value != nil:
			before := clone(s)
			if err := t.rotate(s, value); err != nil {
				return nil, err
			}
			if err := t.putSecret(before, s); err != nil {
				return nil, err
			}
			r, rev = Renewal{Version: s.Version, LastAt: r.LastAt}, 0 // rotate dropped the record
			e.SecretVersion, e.Outcome, e.Code = s.Version, OutcomeOK, ""
		case end.Refused:
			r.Refused = true
		case end.Code == "":
			e.Outcome = OutcomeOK
		}
		return refusal, t.save(kindRenewal, s.ID, rev+1, encodeRenewal(&r))
	})
}

// exchange runs a step of an exchange for a recorded call in a transaction, and
// records its event: with the given outcome, unless f changes it, also where f
// refuses the step or the secret is gone.
func (l *Local) exchange(ctx context.Context, intent uint64, use Use, outcome string, f func(t *txn, s *Secret, e *Event) (refusal, err error)) error {
	if err := l.needVault(); err != nil {
		return err
	}
	var refusal error
	err := l.update(ctx, func(t *txn) error {
		call, err := t.intent(intent)
		if err != nil {
			return err
		}
		e := &Event{
			Kind: KindOAuthRefresh, Outcome: outcome, Intent: intent, Secret: use.Secret, Host: use.Host.Name,
			Workspace: call.Workspace, Group: call.Group, Consumer: call.Consumer,
			Capability: call.Capability, Credential: call.Credential,
		}
		s, err := t.secret(use.Secret)
		switch {
		case err != nil:
			return err
		case s == nil:
			refusal = errNoSecret(use.Secret.String())
		default:
			e.SecretVersion, e.Scope = s.Version, s.Scope.String()
			if refusal, err = f(t, s, e); err != nil {
				return err
			}
		}
		if refusal != nil {
			e.Code = fault.CodeOf(refusal)
		}
		return t.record(e)
	})
	if err != nil {
		return err
	}
	return refusal
}

// intent returns the event by which a call was granted.
func (t *txn) intent(seq uint64) (*Event, error) {
	key := seqKey(seq)
	entry := t.tx.Get(store.Audit, key)
	if entry == nil {
		return nil, errNoIntent(seq)
	}
	e, _, err := t.openEvent(key, entry)
	if err == nil && e.Kind != KindInvokeIntent {
		err = errNoIntent(seq)
	}
	return e, err
}

func errNoIntent(seq uint64) error {
	return fault.New(fault.PolicyViolation, "no call was granted by event %d of the audit log", seq)
}

// renewal loads what is known of a secret's renewals, with the revision of the
// record: zero if there is none.
func (t *txn) renewal(s *Secret) (r Renewal, rev uint64, err error) {
	b, rev, err := t.load(kindRenewal, s.ID)
	switch {
	case err != nil:
		return Renewal{}, 0, err
	case b == nil:
		return Renewal{Version: s.Version}, 0, nil
	}
	r, err = decodeRenewal(b)
	if err != nil || r.Version != s.Version { // a new value takes the record along, or replaces it
		return Renewal{}, 0, errCorrupt("what is known of the renewals of secret " + s.Name)
	}
	return r, rev, nil
}

// examineRenewal verifies the record of a secret's renewals.
func (t *txn) examineRenewal(id ID) error {
	s, err := t.secret(id)
	if err != nil {
		return err
	}
	if s == nil {
		return errCorrupt("what is known of the renewals of a secret that is not there")
	}
	_, _, err = t.renewal(s)
	return err
}

func encodeRenewal(r *Renewal) []byte {
	var w codec.Writer
	w.Uint64(r.Version)
	w.Uint32(uint32(min(r.Begun, math.MaxInt32)))
	w.Bool(r.Refused)
	writeTime(&w, r.LastAt)
	return w.Bytes()
}

func decodeRenewal(b []byte) (Renewal, error) {
	rd := codec.NewReader(b)
	r := Renewal{Version: rd.Uint64()}
	begun := rd.Uint32()
	if begun > math.MaxInt32 {
		rd.Fail()
	}
	r.Begun, r.Refused, r.LastAt = int(begun), rd.Bool(), readTime(rd)
	return r, rd.Close()
}

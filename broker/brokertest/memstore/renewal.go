package memstore

import (
	"context"
	"sync"
	"time"

	"aivault/keys/fault"
	"aivault/keys/opaque"
	"aivault/vault"
)

// turnWait is how long Exclusive waits for its turn.
const turnWait = time.Minute

// Exclusive implements vault.Store, among goroutines.
func (s *Store) Exclusive(ctx context.Context, name string) (release func(), err error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s.mu.Lock()
	turn, ok := s.turns[name]
	if !ok {
		turn = make(chan struct{}, 1)
		s.turns[name] = turn
	}
	s.mu.Unlock()
	timer := time.NewTimer(turnWait)
	defer timer.Stop()
	select {
	case turn <- struct{}{}:
		return sync.OnceFunc(func() { <-turn }), nil
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-timer.C:
		return nil, fault.New(fault.VaultBusy, "others have been at work on %s for %s", name, turnWait)
	}
}

// granted returns the intent of a call, if seq is that of one.
func (s *Store) granted(seq uint64) (*vault.Event, error) {
	if seq == 0 || seq > uint64(len(s.events)) || s.events[seq-1].Kind != vault.KindInvokeIntent {
		return nil, fault.New(fault.PolicyViolation, "no call was granted by event %d of the audit log", seq)
	}
	return &s.events[seq-1], nil
}

// renewal returns what is known of a secret's renewals.
func (s *Store) renewal(sec *vault.Secret) vault.Renewal {
	if r := s.renewals[sec.ID]; r != nil {
		return *r
	}
	return vault.Renewal{Version: sec.Version}
}

// Reopen implements vault.Store. Decrypted tells of its values, too.
func (s *Store) Reopen(ctx context.Context, intent uint64, use vault.Use) (vault.Value, vault.Renewal, error) {
	if err := ctx.Err(); err != nil {
		return nil, vault.Renewal{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, err := s.granted(intent); err != nil {
		return nil, vault.Renewal{}, err
	}
	sec, ok := s.secrets[use.Secret]
	if !ok {
		return nil, vault.Renewal{}, errNoSecret(use.Secret)
	}
	if err := sec.Serves(use); err != nil {
		return nil, vault.Renewal{}, err
	}
	value := opaque.Clone(s.values[sec.ID])
	s.decrypted = append(s.decrypted, value)
	return value, s.renewal(sec), nil
}

// BeginRenewal implements vault.Store.
func (s *Store) BeginRenewal(ctx context.Context, intent uint64, use vault.Use, version uint64) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return s.exchange(intent, use, vault.OutcomeDenied, func(sec *vault.Secret, e *vault.Event) error {
		if err := sec.Serves(use); err != nil {
			return err
		}
		if sec.Version != version {
			return fault.New(fault.Conflict, "secret %s has another value than the one to be renewed", sec.Name)
		}
		e.Outcome = ""
		r := s.renewal(sec)
		r.Begun++
		s.renewals[sec.ID] = &r
		return nil
	})
}

// EndRenewal implements vault.Store.
func (s *Store) EndRenewal(_ context.Context, intent uint64, use vault.Use, end vault.RenewalEnd) error {
	return s.exchange(intent, use, vault.OutcomeError, func(sec *vault.Secret, e *vault.Event) error {
		e.SecretVersion, e.Code = end.Version, end.Code
		switch {
		case sec.Version != end.Version && end.Value == nil:
			return nil
		case sec.Version != end.Version:
			return fault.New(fault.Conflict, "secret %s got another value while it was being renewed, which stays", sec.Name)
		}
		r := s.renewal(sec)
		if r.Begun == 0 {
			return fault.New(fault.InvalidRequest, "no renewal of secret %s has begun", sec.Name)
		}
		r.Begun--
		r.LastAt = s.time()
		var useless error
		switch {
		case end.Value != nil:
			if useless = checkValue(end.Value); useless == nil {
				s.rotate(sec, end.Value)
				r = vault.Renewal{Version: sec.Version, LastAt: r.LastAt}
				e.SecretVersion, e.Outcome, e.Code = sec.Version, vault.OutcomeOK, ""
			}
		case end.Refused:
			r.Refused = true
		case end.Code == "":
			e.Outcome = vault.OutcomeOK
		}
		s.renewals[sec.ID] = &r
		return useless
	})
}

// exchange runs a step of an exchange for a recorded call, and records its
// event, with the outcome unless f changes it.
func (s *Store) exchange(intent uint64, use vault.Use, outcome string, f func(*vault.Secret, *vault.Event) error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	call, err := s.granted(intent)
	if err != nil {
		return err
	}
	e := vault.Event{
		Kind: vault.KindOAuthRefresh, Outcome: outcome, Intent: intent, Secret: use.Secret, Host: use.Host.Name,
		Workspace: call.Workspace, Group: call.Group, Consumer: call.Consumer,
		Capability: call.Capability, Credential: call.Credential,
	}
	if s.auditFailure != nil {
		_, err := s.record(e) // which fails, before anything changes
		return err
	}
	refusal := errNoSecret(use.Secret)
	if sec, ok := s.secrets[use.Secret]; ok {
		e.SecretVersion, e.Scope = sec.Version, sec.Scope.String()
		refusal = f(sec, &e)
	}
	if refusal != nil {
		e.Code = fault.CodeOf(refusal)
	}
	if _, err := s.record(e); err != nil {
		return err
	}
	return refusal
}

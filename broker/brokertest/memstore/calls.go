package memstore

import (
	"context"
	"slices"
	"time"

	"aivault/keys/fault"
	"aivault/keys/opaque"
	"aivault/vault"
)

const (
	window      = time.Minute // of limits, and of denials that are one event
	maxRefusals = 300         // in a window, that are told their reason
	maxDenials  = 64          // kinds of denials that go on
)

// Authorize implements vault.Store.
func (s *Store) Authorize(ctx context.Context, decide func(vault.Reader) (vault.Decision, error)) (vault.Permit, error) {
	if err := ctx.Err(); err != nil {
		return vault.Permit{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.endDenials(s.time()); err != nil {
		return vault.Permit{}, err
	}
	d, err := decide(reader{s})
	if err == nil {
		err = s.checkUses(&d)
	}
	if err == nil {
		err = s.checkRate(&d)
	}
	if err != nil {
		return vault.Permit{}, s.refuse(d.Event, err)
	}
	d.Event.Kind, d.Event.Outcome = vault.KindInvokeIntent, ""
	seq, err := s.record(d.Event)
	if err != nil {
		return vault.Permit{}, err
	}
	now := s.time()
	if d.Rate != nil {
		s.permits[d.Event.Capability] = append(s.permits[d.Event.Capability], now)
	}
	permit := vault.Permit{Intent: seq}
	for _, u := range d.Uses {
		s.secrets[u.Secret].LastUsedAt = now
		permit.Values = append(permit.Values, opaque.Clone(s.values[u.Secret]))
	}
	s.decrypted = append(s.decrypted, permit.Values...)
	return permit, nil
}

func (s *Store) checkUses(d *vault.Decision) error {
	for i, u := range d.Uses {
		sec, ok := s.secrets[u.Secret]
		if !ok {
			return errNoSecret(u.Secret)
		}
		if err := sec.Serves(u); err != nil {
			return err
		}
		if i == 0 {
			d.Event.Secret, d.Event.SecretVersion, d.Event.Scope = sec.ID, sec.Version, sec.Scope.String()
		}
	}
	return nil
}

// checkRate refuses a call over the limit. A time that is still to come, as the
// clock was set back, counts.
func (s *Store) checkRate(d *vault.Decision) error {
	if d.Rate == nil {
		return nil
	}
	now := s.time()
	granted := recent(s.permits[d.Event.Capability], now)
	s.permits[d.Event.Capability] = granted
	if int64(len(granted)) < *d.Rate {
		return nil
	}
	err := fault.New(fault.RateLimited, "capability %s may be called %d times in %v", d.Event.Capability, *d.Rate, window)
	if *d.Rate > 0 {
		wait := granted[int64(len(granted))-*d.Rate].Add(window).Sub(now)
		return err.WithHint("try again in %d s", (wait+time.Second-1)/time.Second)
	}
	return err
}

// recent returns the times, in order, that are less than a window ago.
func recent(times []time.Time, now time.Time) []time.Time {
	return slices.DeleteFunc(times, func(t time.Time) bool { return now.Sub(t) >= window })
}

// refuse records a denial, and returns its error: the reason, unless there
// were too many.
func (s *Store) refuse(e vault.Event, reason error) error {
	now := s.time()
	s.refusals = recent(s.refusals, now)
	if len(s.refusals) >= maxRefusals { // what is recorded then does not depend on the call
		reason = fault.New(fault.RateLimited, "too many refused calls in the last minute; this one is refused, too").WithHint("wait a minute")
		e = vault.Event{}
	} else {
		s.refusals = append(s.refusals, now)
	}
	e.Kind, e.Outcome, e.Code, e.Note = vault.KindInvokeDenied, vault.OutcomeDenied, fault.CodeOf(reason), reason.Error()
	if err := s.deny(e, now); err != nil {
		return err
	}
	return reason
}

// A denialKey is what makes denials the same.
type denialKey struct {
	code                 fault.Code
	capability           string
	workspace, group     string
	consumer, credential string
	method, host, path   string
}

// A denial is one that goes on: its first event is in the log.
type denial struct {
	seq   uint64
	event vault.Event
	first time.Time
	again uint64    // after the first
	last  time.Time // of these
}

// deny records a denial: the first of its kind at once, those of the next
// minute together.
func (s *Store) deny(e vault.Event, now time.Time) error {
	key := denialKey{e.Code, e.Capability, e.Workspace, e.Group, e.Consumer, e.Credential, e.Method, e.Host, e.Path}
	if d := s.denials[key]; d != nil {
		if s.auditFailure != nil {
			_, err := s.record(e) // which fails
			return err
		}
		d.again++
		d.last = now
		return nil
	}
	if len(s.denials) >= maxDenials {
		oldest := denialKey{}
		for k, d := range s.denials {
			if o := s.denials[oldest]; o == nil || d.seq < o.seq {
				oldest = k
			}
		}
		if err := s.endDenial(oldest); err != nil {
			return err
		}
	}
	seq, err := s.record(e)
	if err == nil {
		s.denials[key] = &denial{seq: seq, event: e, first: now}
	}
	return err
}

// endDenials records those whose minute is over.
func (s *Store) endDenials(now time.Time) error {
	var over []denialKey
	for k, d := range s.denials {
		if now.Sub(d.first) >= window {
			over = append(over, k)
		}
	}
	slices.SortFunc(over, func(a, b denialKey) int { return int(s.denials[a].seq) - int(s.denials[b].seq) })
	for _, k := range over {
		if err := s.endDenial(k); err != nil {
			return err
		}
	}
	return nil
}

// endDenial records how often there was a denial, unless it was just once.
func (s *Store) endDenial(key denialKey) error {
	d := s.denials[key]
	if d.again > 0 {
		e := d.event
		e.Count, e.Last = 1+d.again, d.last
		if _, err := s.record(e); err != nil {
			return err
		}
	}
	delete(s.denials, key)
	return nil
}

// Finish implements vault.Store.
func (s *Store) Finish(ctx context.Context, intent uint64, outcome vault.Event) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	outcome.Kind, outcome.Intent = vault.KindInvokeOutcome, intent
	s.outcomes = append(s.outcomes, outcome)
	return s.recordOutcomes()
}

// recordOutcomes records the outcomes that wait for it, as far as it can.
func (s *Store) recordOutcomes() error {
	for len(s.outcomes) > 0 {
		if _, err := s.record(s.outcomes[0]); err != nil {
			return err
		}
		s.outcomes = s.outcomes[1:]
	}
	return nil
}

// Flush implements vault.Store.
func (s *Store) Flush(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.endDenials(s.time()); err != nil {
		return err
	}
	return s.recordOutcomes()
}

// Package memstore is a [vault.Store] in memory, for tests and benchmarks of
// the broker: it keeps the promises of the real one about scopes, pins, sealed
// hosts, limits, renewals and the audit log of calls, remembers the values that
// it hands out, and can be told what time it is, and to fail. It encrypts
// nothing and survives nothing.
package memstore

import (
	"slices"
	"sync"
	"time"

	"aivault/keys/fault"
	"aivault/vault"
)

// A Store holds secrets and what an operator made of them. It is safe for
// concurrent use.
type Store struct {
	claims vault.Claims

	mu           sync.Mutex
	secrets      map[vault.ID]*vault.Secret
	values       map[vault.ID][]byte
	named        map[nameKey]vault.ID
	attached     map[attachKey][]vault.ID
	pinned       map[string][]vault.ID
	credentials  map[string]*vault.Credential
	ofProvider   map[providerKey][]string
	capabilities map[string]*vault.Capability
	policies     map[string]*vault.Policy
	bindings     map[bindingKey]*vault.Binding
	disabled     map[string]bool
	renewals     map[vault.ID]*vault.Renewal
	turns        map[string]chan struct{} // of Exclusive: full while somebody holds it
	events       []vault.Event
	outcomes     []vault.Event          // that could not be recorded so far
	permits      map[string][]time.Time // by capability, of calls with a limit
	grants       map[grantKey]bool
	providers    map[vault.ID]*vault.Provider // by record
	refusals     []time.Time
	denials      map[denialKey]*denial // that go on
	now          func() time.Time
	decrypted    []vault.Value
	lookups      int
	auditFailure error
}

type (
	nameKey struct {
		scope vault.Scope
		name  string
	}
	attachKey struct {
		group    vault.GroupRef
		provider string
	}
	providerKey struct {
		provider string
		scope    vault.Scope
	}
	grantKey struct {
		uid   int
		scope vault.Scope
	}
	bindingKey struct {
		capability string
		scope      vault.Scope
		consumer   string
	}
)

var _ vault.Store = (*Store)(nil)

// New returns an empty store. A nil claims claims no name.
func New(claims vault.Claims) *Store {
	return &Store{
		claims:       claims,
		secrets:      map[vault.ID]*vault.Secret{},
		values:       map[vault.ID][]byte{},
		named:        map[nameKey]vault.ID{},
		attached:     map[attachKey][]vault.ID{},
		pinned:       map[string][]vault.ID{},
		credentials:  map[string]*vault.Credential{},
		ofProvider:   map[providerKey][]string{},
		capabilities: map[string]*vault.Capability{},
		policies:     map[string]*vault.Policy{},
		bindings:     map[bindingKey]*vault.Binding{},
		disabled:     map[string]bool{},
		renewals:     map[vault.ID]*vault.Renewal{},
		turns:        map[string]chan struct{}{},
		permits:      map[string][]time.Time{},
		grants:       map[grantKey]bool{},
		providers:    map[vault.ID]*vault.Provider{},
		denials:      map[denialKey]*denial{},
		now:          time.Now,
	}
}

// SetClock has the store tell the time by now, instead of time.Now.
func (s *Store) SetClock(now func() time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.now = now
}

// time is the time, as precise as the real store keeps it.
func (s *Store) time() time.Time { return s.now().UTC().Truncate(time.Millisecond) }

// Decrypted returns the values that Authorize has handed out: those that the
// broker was to clear after use, not copies.
func (s *Store) Decrypted() []vault.Value {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.decrypted)
}

// Lookups returns how many things Readers have looked up or listed.
func (s *Store) Lookups() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.lookups
}

// Events returns the audit log, oldest first. It holds calls, changes of
// policies, and renewals. A denial that goes on shows how often, so far.
func (s *Store) Events() []vault.Event {
	s.mu.Lock()
	defer s.mu.Unlock()
	events := slices.Clone(s.events)
	for _, d := range s.denials {
		if d.again > 0 {
			events[d.seq-1].Count, events[d.seq-1].Last = 1+d.again, d.last
		}
	}
	return events
}

// FailAudit makes every later event fail with err; nil ends that.
func (s *Store) FailAudit(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.auditFailure = err
}

// record appends an event to the log.
func (s *Store) record(e vault.Event) (seq uint64, err error) {
	if s.auditFailure != nil {
		return 0, fault.Wrap(fault.AuditUnavailable, s.auditFailure, "the call was not made, as it could not be recorded")
	}
	e.Seq, e.Time = uint64(len(s.events)+1), s.time()
	s.events = append(s.events, e)
	return e.Seq, nil
}

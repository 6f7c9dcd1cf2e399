// Package memstore is a [vault.Store] in memory, for tests and benchmarks of
// the broker: it keeps the promises of the real one about scopes, pins, sealed
// hosts and the audit log, remembers the values that it hands out, and can be
// told to fail. It encrypts nothing and survives nothing.
package memstore

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"

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
	bindings     map[bindingKey]*vault.Binding
	disabled     map[string]bool
	events       []vault.Event
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
		bindings:     map[bindingKey]*vault.Binding{},
		disabled:     map[string]bool{},
	}
}

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

// Events returns the audit log, oldest first.
func (s *Store) Events() []vault.Event {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.events)
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
	e.Seq, e.Time = uint64(len(s.events)+1), time.Unix(1_700_000_000, 0).UTC()
	s.events = append(s.events, e)
	return e.Seq, nil
}

// CreateSecret stores a secret, as [vault.Vault] does.
func (s *Store) CreateSecret(_ context.Context, n vault.NewSecret) (vault.Secret, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := n.Scope.Validate(); err != nil {
		return vault.Secret{}, err
	}
	if _, taken := s.named[nameKey{n.Scope, n.Name}]; taken {
		return vault.Secret{}, fault.New(fault.AlreadyExists, "there is a secret named %s in scope %s already", n.Name, n.Scope)
	}
	sec := &vault.Secret{
		ID: uuid.New(), Name: n.Name, Aliases: n.Aliases, Scope: n.Scope, AttachedOnly: n.AttachedOnly,
		CreatedAt: time.Unix(1_700_000_000, 0).UTC(), Version: 1, Revision: 1,
	}
	if s.claims != nil {
		sec.PinnedProvider, _ = s.claims.Claim(n.Name)
	}
	s.secrets[sec.ID] = sec
	s.values[sec.ID] = slices.Clone(n.Value.Reveal())
	s.named[nameKey{n.Scope, n.Name}] = sec.ID
	if sec.PinnedProvider != "" {
		s.pinned[sec.PinnedProvider] = append(s.pinned[sec.PinnedProvider], sec.ID)
	}
	return *clone(sec), nil
}

// AttachGroup shares a secret with a group, as [vault.Vault] does.
func (s *Store) AttachGroup(_ context.Context, id vault.ID, g vault.GroupRef, _ vault.IfRevision) (vault.Secret, bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	sec, ok := s.secrets[id]
	if !ok {
		return vault.Secret{}, false, errNoSecret(id)
	}
	if slices.Contains(sec.Attached, g) || sec.Scope == g.Scope() {
		return *clone(sec), false, nil
	}
	sec.Attached = append(sec.Attached, g)
	slices.SortFunc(sec.Attached, func(a, b vault.GroupRef) int { return strings.Compare(a.String(), b.String()) })
	key := attachKey{g, sec.PinnedProvider}
	s.attached[key] = append(s.attached[key], id)
	return *clone(sec), true, nil
}

// DetachGroup takes that back.
func (s *Store) DetachGroup(_ context.Context, id vault.ID, g vault.GroupRef, _ vault.IfRevision) (vault.Secret, bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	sec, ok := s.secrets[id]
	if !ok {
		return vault.Secret{}, false, errNoSecret(id)
	}
	had := slices.Contains(sec.Attached, g)
	sec.Attached = without(sec.Attached, g)
	key := attachKey{g, sec.PinnedProvider}
	s.attached[key] = without(s.attached[key], id)
	return *clone(sec), had, nil
}

// DeleteSecret removes a secret with its credentials, attachments and bindings.
func (s *Store) DeleteSecret(_ context.Context, id vault.ID, _ vault.IfRevision) (vault.Removed, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	sec, ok := s.secrets[id]
	if !ok {
		return vault.Removed{}, errNoSecret(id)
	}
	out := vault.Removed{Secret: *clone(sec)}
	for _, c := range s.credentials {
		if c.Secret == id {
			out.Credentials = append(out.Credentials, c.ID)
			s.dropCredential(c)
		}
	}
	for key, b := range s.bindings {
		if b.Secret == id {
			out.Bindings = append(out.Bindings, *b)
			delete(s.bindings, key)
		}
	}
	for _, g := range sec.Attached {
		key := attachKey{g, sec.PinnedProvider}
		s.attached[key] = without(s.attached[key], id)
	}
	s.pinned[sec.PinnedProvider] = without(s.pinned[sec.PinnedProvider], id)
	delete(s.named, nameKey{sec.Scope, sec.Name})
	delete(s.secrets, id)
	delete(s.values, id)
	slices.Sort(out.Credentials)
	return out, nil
}

func errNoSecret(id vault.ID) error {
	return fault.New(fault.SecretNotFound, "there is no secret %s", id)
}

// without returns list without the elements equal to x, in a new slice.
func without[T comparable](list []T, x T) []T {
	return slices.DeleteFunc(slices.Clone(list), func(y T) bool { return x == y })
}

func clone(s *vault.Secret) *vault.Secret {
	c := *s
	c.Aliases, c.Hosts, c.Attached = slices.Clone(s.Aliases), slices.Clone(s.Hosts), slices.Clone(s.Attached)
	return &c
}

package memstore

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/google/uuid"

	"aivault/keys/fault"
	"aivault/vault"
)

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
	now := s.time()
	sec := &vault.Secret{
		ID: uuid.New(), Name: n.Name, Aliases: n.Aliases, Scope: n.Scope, AttachedOnly: n.AttachedOnly,
		CreatedAt: now, UpdatedAt: now, RotatedAt: now, Version: 1, Revision: 1,
	}
	sec.PinnedProvider = s.claimer(n.Name)
	s.secrets[sec.ID] = sec
	s.values[sec.ID] = slices.Clone(n.Value.Reveal())
	s.named[nameKey{n.Scope, n.Name}] = sec.ID
	if sec.PinnedProvider != "" {
		s.pinned[sec.PinnedProvider] = append(s.pinned[sec.PinnedProvider], sec.ID)
	}
	return *clone(sec), nil
}

// RotateSecret gives a secret a new value, as [vault.Vault] does.
func (s *Store) RotateSecret(_ context.Context, id vault.ID, value vault.Value, rev vault.IfRevision) (vault.Secret, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := checkValue(value); err != nil {
		return vault.Secret{}, err
	}
	sec, ok := s.secrets[id]
	switch {
	case !ok:
		return vault.Secret{}, errNoSecret(id)
	case rev != 0 && uint64(rev) != sec.Revision:
		return vault.Secret{}, fault.New(fault.Conflict, "secret %s has revision %d, not %d: it was changed meanwhile", sec.Name, sec.Revision, rev)
	}
	s.rotate(sec, value)
	return *clone(sec), nil
}

// rotate gives a secret a new value, and forgets the renewals of the old one.
func (s *Store) rotate(sec *vault.Secret, value vault.Value) {
	s.values[sec.ID] = slices.Clone(value.Reveal())
	sec.Version++
	sec.Revision++
	sec.RotatedAt = s.time()
	sec.UpdatedAt = sec.RotatedAt
	delete(s.renewals, sec.ID)
}

func checkValue(value vault.Value) error {
	if n := value.Len(); n == 0 || n > vault.MaxValue {
		return fault.New(fault.InvalidRequest, "a value is 1 to %d KiB long", vault.MaxValue>>10)
	}
	return nil
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
	slices.SortFunc(sec.Attached, func(a, b vault.GroupRef) int {
		return cmp.Or(strings.Compare(a.Workspace, b.Workspace), strings.Compare(a.Group, b.Group))
	})
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
	delete(s.renewals, id)
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

package memstore

import (
	"context"

	"aivault/vault"
)

// Grant allows a user to make calls in a context, as [vault.Vault] does.
func (s *Store) Grant(_ context.Context, uid int, c vault.Context) (vault.Grant, bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	key := grantKey{uid, c.Scope()}
	had := s.grants[key]
	s.grants[key] = true
	return vault.Grant{UID: uid, Context: c, CreatedAt: s.time()}, !had, nil
}

// Revoke takes that back.
func (s *Store) Revoke(_ context.Context, uid int, c vault.Context) (bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	key := grantKey{uid, c.Scope()}
	had := s.grants[key]
	delete(s.grants, key)
	return had, nil
}

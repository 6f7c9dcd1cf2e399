package memstore

import (
	"bytes"
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/google/uuid"

	"aivault/keys/fault"
	"aivault/vault"
)

// claimer returns the provider that claims a name, or "".
func (s *Store) claimer(name string) string {
	if s.claims != nil {
		if id, ok := s.claims.Claim(name); ok {
			return id
		}
	}
	for _, p := range s.providers {
		if slices.Contains(p.Claims, name) {
			return p.ID
		}
	}
	return ""
}

// PutProvider implements vault.Store.
func (s *Store) PutProvider(_ context.Context, p vault.Provider) (vault.Provider, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var old *vault.Provider
	var rec vault.ID
	for id, has := range s.providers {
		if has.ID == p.ID {
			rec, old = id, has
		}
	}
	if old != nil && bytes.Equal(old.Definition, p.Definition) {
		return *old, nil
	}
	for _, name := range p.Claims {
		if by := s.claimer(name); by != "" && by != p.ID {
			return vault.Provider{}, fault.New(fault.Conflict, "the secret name %s belongs to %s", name, by)
		}
	}
	for _, host := range p.Hosts {
		_, domain, _ := strings.Cut(host, ".")
		if old != nil && (slices.Contains(old.Hosts, host) || slices.Contains(old.Hosts, "*."+domain)) {
			continue
		}
		if len(s.pinned[p.ID]) > 0 {
			return vault.Provider{}, fault.New(fault.Conflict, "%s is a further host, and secrets are pinned to %s", host, p.ID)
		}
	}
	p.UpdatedAt = s.time()
	if p.CreatedAt = p.UpdatedAt; old != nil {
		p.CreatedAt = old.CreatedAt
		delete(s.providers, rec)
	}
	s.providers[uuid.New()] = &p
	return p, nil
}

// DeleteProvider implements vault.Store.
func (s *Store) DeleteProvider(_ context.Context, id string) (bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	uses := len(s.pinned[id])
	for _, c := range s.credentials {
		if c.Provider == id {
			uses++
		}
	}
	for _, c := range s.capabilities {
		if c.Provider == id {
			uses++
		}
	}
	for key := range s.bindings {
		if strings.HasPrefix(key.capability, id+"/") {
			uses++
		}
	}
	for rec, p := range s.providers {
		if p.ID != id {
			continue
		}
		if uses > 0 {
			return false, fault.New(fault.Conflict, "provider %s is in use", id)
		}
		delete(s.providers, rec)
		maps.DeleteFunc(s.policies, func(capability string, _ *vault.Policy) bool {
			return strings.HasPrefix(capability, id+"/") && s.capabilities[capability] == nil
		})
		maps.DeleteFunc(s.disabled, func(credential string, _ bool) bool {
			return credential == id || strings.HasPrefix(credential, id+":")
		})
		return true, nil
	}
	return false, nil
}

func (r reader) ProviderRecords() ([]vault.ID, error) {
	return slices.Collect(maps.Keys(r.s.providers)), nil
}

func (r reader) Provider(record vault.ID) (*vault.Provider, error) {
	r.s.lookups++
	return new(*r.s.providers[record]), nil
}

package memstore

import (
	"context"
	"slices"

	"aivault/keys/fault"
	"aivault/keys/opaque"
	"aivault/vault"
)

// View implements vault.Store.
func (s *Store) View(ctx context.Context, f func(vault.Reader) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return f(reader{s})
}

// CreateCredential implements vault.Store.
func (s *Store) CreateCredential(_ context.Context, c vault.Credential, proof vault.Value) (vault.Credential, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.credentials[c.ID] != nil {
		return vault.Credential{}, fault.New(fault.AlreadyExists, "there is a credential %s already", c.ID)
	}
	sec, ok := s.secrets[c.Secret]
	if !ok {
		return vault.Credential{}, errNoSecret(c.Secret)
	}
	if sec.PinnedProvider != "" && sec.PinnedProvider != c.Provider {
		return vault.Credential{}, errPinned(sec)
	}
	if err := s.sealHosts(sec, c.Destinations(), proof); err != nil {
		return vault.Credential{}, err
	}
	delete(s.disabled, c.ID)
	c.CreatedAt, c.Revision = s.time(), 1
	s.credentials[c.ID] = &c
	key := providerKey{c.Provider, c.Scope}
	s.ofProvider[key] = append(s.ofProvider[key], c.ID)
	slices.Sort(s.ofProvider[key])
	return c, nil
}

func errPinned(sec *vault.Secret) error {
	return fault.New(fault.PolicyViolation, "secret %s is pinned to %s and serves no other provider", sec.Name, sec.PinnedProvider)
}

// sealHosts keeps the rule of vault.Store.CreateCredential about hosts.
func (s *Store) sealHosts(sec *vault.Secret, want []vault.Host, proof vault.Value) error {
	if sec.PinnedProvider != "" {
		return nil
	}
	needProof := sec.Chosen
	var missing []vault.Host
	for _, h := range want {
		if !sec.MayGoTo(h) {
			missing = append(missing, h)
			needProof = needProof || h.Private
		}
	}
	if len(missing) > 0 && needProof && !(proof != nil && proof.Equal(opaque.New(s.values[sec.ID]))) {
		return fault.New(fault.OperatorAuthRequired, "the value is needed: secret %s was not meant for %s so far", sec.Name, missing[0].Name)
	}
	sec.Hosts, sec.Chosen = append(sec.Hosts, missing...), sec.Chosen || len(missing) > 0
	return nil
}

// forgetHosts keeps the rule of vault.Store.CreateCredential about hosts that
// nothing uses any more.
func (s *Store) forgetHosts(id vault.ID) {
	var used []vault.Host
	for _, c := range s.credentials {
		if c.Secret == id {
			used = append(used, c.Destinations()...)
		}
	}
	for _, b := range s.bindings {
		if b.Secret == id {
			used = append(used, b.Hosts...)
		}
	}
	if sec, ok := s.secrets[id]; ok {
		sec.Hosts = slices.DeleteFunc(slices.Clone(sec.Hosts), func(h vault.Host) bool { return !slices.Contains(used, h) })
	}
}

// DeleteCredential implements vault.Store.
func (s *Store) DeleteCredential(_ context.Context, id string) (bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c, ok := s.credentials[id]
	if ok {
		s.dropCredential(c)
		s.forgetHosts(c.Secret)
	}
	return ok, nil
}

func (s *Store) dropCredential(c *vault.Credential) {
	key := providerKey{c.Provider, c.Scope}
	s.ofProvider[key] = without(s.ofProvider[key], c.ID)
	delete(s.credentials, c.ID)
}

// DisableCredential implements vault.Store.
func (s *Store) DisableCredential(_ context.Context, id string) (bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	was := s.disabled[id]
	s.disabled[id] = true
	return !was, nil
}

// EnableCredential implements vault.Store.
func (s *Store) EnableCredential(_ context.Context, id string) (bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	was := s.disabled[id]
	delete(s.disabled, id)
	return was, nil
}

// CreateCapability implements vault.Store.
func (s *Store) CreateCapability(_ context.Context, c vault.Capability) (vault.Capability, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.capabilities[c.ID] != nil {
		return vault.Capability{}, fault.New(fault.AlreadyExists, "there is a capability %s already", c.ID)
	}
	c.CreatedAt, c.Revision = s.time(), 1
	s.capabilities[c.ID] = &c
	return c, nil
}

// DeleteCapability implements vault.Store.
func (s *Store) DeleteCapability(_ context.Context, id string) (vault.RemovedCapability, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.capabilities[id] == nil {
		return vault.RemovedCapability{}, nil
	}
	removed := vault.RemovedCapability{Capability: true, Policy: s.policies[id] != nil}
	delete(s.capabilities, id)
	delete(s.policies, id)
	delete(s.permits, id)
	for key, b := range s.bindings {
		if key.capability == id {
			delete(s.bindings, key)
			s.forgetHosts(b.Secret)
		}
	}
	return removed, nil
}

// PutBinding implements vault.Store.
func (s *Store) PutBinding(_ context.Context, b vault.Binding, proof vault.Value) (vault.Binding, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	sec, ok := s.secrets[b.Secret]
	if !ok {
		return vault.Binding{}, errNoSecret(b.Secret)
	}
	if err := s.sealHosts(sec, b.Hosts, proof); err != nil {
		return vault.Binding{}, err
	}
	key := bindingKey{b.Capability, b.Scope, b.Consumer}
	old := s.bindings[key]
	b.UpdatedAt, b.Revision = s.time(), 1
	if old != nil {
		b.Revision = old.Revision + 1
	}
	s.bindings[key] = &b
	if old != nil {
		s.forgetHosts(old.Secret)
	}
	return b, nil
}

// DeleteBinding implements vault.Store.
func (s *Store) DeleteBinding(_ context.Context, capability string, scope vault.Scope, consumer string) (bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	key := bindingKey{capability, scope, consumer}
	b, ok := s.bindings[key]
	if ok {
		delete(s.bindings, key)
		s.forgetHosts(b.Secret)
	}
	return ok, nil
}

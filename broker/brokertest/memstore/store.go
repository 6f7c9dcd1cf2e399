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
	c.Revision = 1
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

// DeleteCredential implements vault.Store.
func (s *Store) DeleteCredential(_ context.Context, id string) (bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c, ok := s.credentials[id]
	if ok {
		s.dropCredential(c)
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
	c.Revision = 1
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
	delete(s.capabilities, id)
	for key := range s.bindings {
		if key.capability == id {
			delete(s.bindings, key)
		}
	}
	return vault.RemovedCapability{Capability: true}, nil
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
	b.Revision = 1
	if old := s.bindings[key]; old != nil {
		b.Revision = old.Revision + 1
	}
	s.bindings[key] = &b
	return b, nil
}

// DeleteBinding implements vault.Store.
func (s *Store) DeleteBinding(_ context.Context, capability string, scope vault.Scope, consumer string) (bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	key := bindingKey{capability, scope, consumer}
	_, ok := s.bindings[key]
	delete(s.bindings, key)
	return ok, nil
}

// Authorize implements vault.Store.
func (s *Store) Authorize(ctx context.Context, decide func(vault.Reader) (vault.Decision, error)) (vault.Grant, error) {
	if err := ctx.Err(); err != nil {
		return vault.Grant{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	d, err := decide(reader{s})
	if err == nil {
		err = s.checkUses(&d)
	}
	if err != nil {
		d.Event.Kind, d.Event.Outcome, d.Event.Code = vault.KindInvokeDenied, vault.OutcomeDenied, fault.CodeOf(err)
		if _, failed := s.record(d.Event); failed != nil {
			return vault.Grant{}, failed
		}
		return vault.Grant{}, err
	}
	d.Event.Kind = vault.KindInvokeIntent
	seq, err := s.record(d.Event)
	if err != nil {
		return vault.Grant{}, err
	}
	grant := vault.Grant{Intent: seq}
	for _, u := range d.Uses {
		grant.Values = append(grant.Values, opaque.Clone(s.values[u.Secret]))
	}
	s.decrypted = append(s.decrypted, grant.Values...)
	return grant, nil
}

func (s *Store) checkUses(d *vault.Decision) error {
	for i, u := range d.Uses {
		sec, ok := s.secrets[u.Secret]
		switch {
		case !ok:
			return errNoSecret(u.Secret)
		case sec.PinnedProvider != "" && sec.PinnedProvider != u.Provider:
			return errPinned(sec)
		case sec.PinnedProvider != "" && u.Host.Private:
			return fault.New(fault.PolicyViolation, "secret %s is pinned to %s and never goes to a private host", sec.Name, sec.PinnedProvider)
		case sec.PinnedProvider == "" && !sec.MayGoTo(u.Host):
			return fault.New(fault.PolicyViolation, "secret %s was not meant for host %s", sec.Name, u.Host.Name)
		}
		if i == 0 {
			d.Event.Secret, d.Event.SecretVersion, d.Event.Scope = sec.ID, sec.Version, sec.Scope.String()
		}
	}
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
	_, err := s.record(outcome)
	return err
}

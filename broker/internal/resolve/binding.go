package resolve

import (
	"slices"

	"aivault/broker/internal/auth"
	"aivault/broker/registry"
	"aivault/keys/fault"
	"aivault/vault"
)

// findBinding returns the narrowest binding of the capability that covers the
// context; within a scope, the consumer's own before the one for all.
func (s *search) findBinding() (*vault.Binding, error) {
	for _, scope := range s.Context.Scopes() {
		consumers := []string{s.Context.Consumer, ""}
		for _, consumer := range slices.Compact(consumers) {
			b, err := s.r.Binding(s.Capability, scope, consumer)
			if b != nil || err != nil {
				return b, err
			}
		}
	}
	return nil, nil
}

// bindingApplies reports whether the binding found comes before the best
// candidate: a wider one does not. No other binding could, as they are wider.
func (s *search) bindingApplies() bool {
	return s.binding != nil && s.binding.Scope.Tier(s.Context) >= s.bestTier()
}

// chooseBound takes the secret of a binding. It never falls back: an operator
// who bound a secret wants that one or none.
func (s *search) chooseBound(b *vault.Binding) (*Choice, error) {
	sec, err := s.r.Secret(b.Secret)
	if err != nil {
		return nil, err
	}
	if tier, _ := sec.SeenFrom(s.Context); tier == 0 {
		if s.Reticent {
			return nil, s.errNotAccessible("what is bound to %s is not visible from %s", s.Capability, describe(s.Context))
		}
		return nil, s.errNotAccessible("the binding of %s at %s names secret %s, which is not visible from %s", s.Capability, b.Scope, sec.Name, describe(s.Context))
	}
	choice, err := s.borrow(sec)
	if err != nil {
		return nil, err
	}
	choice.Via, choice.Tier, choice.Headers = ViaBinding, b.Scope.Tier(s.Context), s.headers()
	return choice, nil
}

// borrow returns the choice of a secret with the auth and the host of the
// provider's narrowest credential, or of the registry.
func (s *search) borrow(sec *vault.Secret) (*Choice, error) {
	lenders := s.lenders(sec.ID)
	var (
		c     Choice
		hosts []string
		ok    bool
	)
	switch {
	case len(lenders) > 1:
		return nil, s.errAmbiguous("could lend to a binding of", lenders)
	case len(lenders) == 1:
		a := lenders[0]
		c = Choice{Credential: a.id, Lender: a.id, AllowPrivate: a.private, CACert: a.caCert}
		c.Auth, c.Parts, ok = asOne(a.auth, a.parts, sec)
		hosts = a.hosts
	default:
		i := s.lendingTemplate(sec.Name)
		if i >= 0 {
			hosts = s.provider.Credentials[i].DefaultHosts(s.provider)
		}
		if len(s.matchHosts(hosts)) == 0 {
			return nil, fault.New(fault.CredentialNotFound, "a binding gives %s its secret, and no credential of %s in %s gives it a host", s.Capability, s.Provider, describe(s.Context)).
				WithHint("make one with `aivault credential create`, which says how and where %s is to be called", s.Provider)
		}
		t := &s.provider.Credentials[i]
		parts := make([]Part, len(t.Secrets))
		for i, slot := range t.Secrets {
			parts[i].Placeholder = slot.Placeholder
		}
		c = Choice{Lender: "registry:" + s.Provider}
		c.Auth, c.Parts, ok = asOne(Auth(t), parts, sec)
	}
	if !ok {
		return nil, fault.New(fault.PolicyViolation, "%s authenticates with several secrets, and a binding gives one", c.Lender)
	}
	var err error
	c.Hosts = hosts
	c.Host, err = s.hostFor(hosts, c.AllowPrivate, c.Parts)
	return &c, err
}

// lenders returns the narrowest credentials whose scope covers the context and
// that could make the call with another secret; among several, that of the
// secret itself.
func (s *search) lenders(id vault.ID) []*account {
	var list []*account
	for _, a := range s.accounts {
		if a.reach == 0 || a.state == stateAbsent || !carries(a.capabilities, s.Capability) || len(s.matchHosts(a.hosts)) != 1 {
			continue
		}
		if len(list) > 0 && a.reach != list[0].reach {
			if a.reach < list[0].reach {
				continue
			}
			list = list[:0]
		}
		list = append(list, a)
	}
	var own []*account
	for _, a := range list {
		if slices.ContainsFunc(a.parts, func(p Part) bool { return p.Secret.ID == id }) {
			own = append(own, a)
		}
	}
	if len(own) > 0 {
		return own
	}
	return list
}

// lendingTemplate returns the position of the template for a secret: the one
// that claims its name, else the first that carries the capability; -1 if the
// registry has none.
func (s *search) lendingTemplate(name string) int {
	if s.provider == nil {
		return -1
	}
	first := -1
	for i := range s.provider.Credentials {
		t := &s.provider.Credentials[i]
		if !t.Carries(s.Capability) || !t.At(s.Hosts) {
			continue
		}
		if len(t.Secrets) == 1 && t.Secrets[0].Name == name {
			return i
		}
		if first < 0 {
			first = i
		}
	}
	return first
}

// asOne puts one secret in the place of a credential's own; false where that has
// several, and one cannot stand for them.
func asOne(a vault.Auth, parts []Part, sec *vault.Secret) (vault.Auth, []Part, bool) {
	if len(parts) == 1 {
		return a, []Part{{parts[0].Placeholder, sec}}, true
	}
	one, ok := inOne(a)
	return one, []Part{{auth.Placeholder, sec}}, ok
}

// Destinations returns where a binding of the secret, in the context of the
// question, sends it: the hosts that the capability admits, as the credential
// from which the binding would borrow knows them, and how that authenticates.
// Where nothing lends yet, they are public ones; where several do equally,
// fault.CredentialAmbiguous.
func Destinations(r vault.Reader, q Question, sec *vault.Secret) ([]vault.Host, vault.Auth, error) {
	s, err := look(r, q)
	if err != nil {
		return nil, vault.Auth{}, err
	}
	var (
		as vault.Host
		by vault.Auth
	)
	names := slices.DeleteFunc(slices.Clone(q.Hosts), registry.IsPattern)
	switch lenders := s.lenders(sec.ID); len(lenders) {
	case 0:
		if s.provider != nil && len(names) > 1 { // of a region and the like; the registry lends the usual one
			names = s.matchHosts(s.provider.DefaultHosts())
		}
	case 1:
		names = s.matchHosts(lenders[0].hosts)
		as, by = vault.Host{Private: lenders[0].private, CA: vault.CADigest(lenders[0].caCert)}, lenders[0].auth
	default:
		return nil, vault.Auth{}, s.errAmbiguous("could lend to a binding of", lenders)
	}
	var hosts []vault.Host
	for _, name := range names {
		hosts = append(hosts, vault.Host{Name: name, Private: as.Private, CA: as.CA})
	}
	return hosts, by, nil
}

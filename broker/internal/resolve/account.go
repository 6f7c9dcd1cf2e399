package resolve

import (
	"cmp"
	"slices"

	"aivault/broker/internal/auth"
	"aivault/keys/fault"
	"aivault/vault"
)

// A state says why an account is no candidate.
type state uint8

const (
	stateCandidate state = iota
	stateUnseen          // its secret is not visible in the context
	stateUnfit           // it does not carry the capability, or has no host for it
	stateAbsent          // registry-made, and disabled or incomplete: it does not exist
	stateOutside         // its own scope does not cover the context
)

// An account is a credential of the provider, stored or registry-made, as the
// context sees it.
type account struct {
	id           string
	made         bool
	order        int         // of a made one: the position of its template
	scope        vault.Scope // its own; of a made one its secrets'
	auth         vault.Auth
	hosts        []string
	capabilities []string
	private      bool
	caCert       []byte
	parts        []Part

	reach vault.Level // tier at which it may lend auth and hosts
	tier  vault.Level // tier as a candidate
	own   bool        // reaches that tier by a scope of its own, not by attachment
	host  string      // the one to call, unless stateUnfit
	state state
	why   string // unless stateCandidate
}

func (a *account) isCandidate() bool { return a.state == stateCandidate }

func (a *account) reject(st state, why string) {
	if a.state == stateCandidate {
		a.state, a.why = st, why
	}
}

// findStored finds the provider's stored credentials whose own scope covers
// the context.
func (s *search) findStored() error {
	for _, scope := range s.Context.Scopes() {
		creds, err := s.r.CredentialsOf(s.Provider, scope)
		if err != nil {
			return err
		}
		for _, c := range creds {
			a, err := s.stored(c)
			if err != nil {
				return err
			}
			s.accounts = append(s.accounts, a)
		}
	}
	return nil
}

// stored weighs a stored credential.
func (s *search) stored(c *vault.Credential) (*account, error) {
	sec, err := s.r.Secret(c.Secret)
	if err != nil {
		return nil, err
	}
	a := &account{
		id: c.ID, scope: c.Scope, auth: c.Auth, hosts: c.Hosts, capabilities: c.Capabilities,
		private: c.AllowPrivate, caCert: c.CACert, parts: []Part{{auth.Placeholder, sec}},
		reach: c.Scope.Tier(s.Context),
	}
	seen, attached := sec.SeenFrom(s.Context)
	a.tier = max(a.reach, seen)
	a.own = a.tier < vault.Group || a.reach == vault.Group || !attached
	switch {
	case a.reach == 0:
		a.reject(stateOutside, "its scope "+c.Scope.String()+" does not cover "+describe(s.Context))
	case seen == 0:
		a.reject(stateUnseen, "its secret "+sec.Name+" is not visible from "+describe(s.Context))
	}
	s.fit(a)
	return a, nil
}

// findMade finds the registry-made credentials that the context reaches: those
// of its scopes, and those of secrets that are attached to its group.
func (s *search) findMade() error {
	if s.provider == nil {
		return nil
	}
	scopes := s.Context.Scopes()
	if s.Context.Group != "" {
		attached, err := s.r.Attached(vault.GroupRef{Workspace: s.Context.Workspace, Group: s.Context.Group}, s.Provider)
		if err != nil {
			return err
		}
		for _, sec := range attached {
			if !slices.Contains(scopes, sec.Scope) {
				scopes = append(scopes, sec.Scope)
			}
		}
	}
	for order := range s.provider.Credentials {
		for _, scope := range scopes {
			m, err := MadeAt(s.r, s.provider, order, scope)
			if err != nil {
				return err
			}
			if m != nil {
				s.accounts = append(s.accounts, s.made(m))
			}
		}
	}
	return nil
}

// made weighs a registry-made credential.
func (s *search) made(m *Made) *account {
	a := &account{
		id: m.ID, made: true, order: m.Order, scope: m.Scope, auth: Auth(m.Template),
		hosts: m.Template.DefaultHosts(m.Provider), capabilities: m.Template.Capabilities, parts: m.Parts,
	}
	seen, attached := m.seenFrom(s.Context)
	a.reach, a.tier = seen, seen
	a.own = a.tier < vault.Group || !attached
	switch {
	case len(m.Missing) > 0:
		a.reject(stateAbsent, "it waits for "+joinNames(m.Missing)+" in scope "+m.Scope.String())
	case m.NeedsHost() != "":
		a.reject(stateAbsent, "it needs a host under "+m.NeedsHost()+": `aivault credential create` with --host makes one that names it")
	case m.Disabled:
		a.reject(stateAbsent, "it was deleted: `aivault credential create` with its id takes that back")
	case seen == 0:
		a.reject(stateUnseen, "its secret is not visible from "+describe(s.Context))
	}
	s.fit(a)
	return a
}

// fit checks that an account carries the capability, and finds its host.
func (s *search) fit(a *account) {
	if !carries(a.capabilities, s.Capability) {
		a.reject(stateUnfit, "it is not for "+s.Capability)
		return
	}
	host, err := s.hostFor(a.hosts, a.private, a.parts)
	if err != nil {
		a.reject(stateUnfit, err.Error())
		return
	}
	a.host = host
}

// hostFor returns the one host that the capability admits and that secrets may
// be sent to: a pinned one goes to its provider's own hosts, never to a private
// one.
func (s *search) hostFor(hosts []string, private bool, parts []Part) (string, error) {
	match := s.matchHosts(hosts)
	switch len(match) {
	case 0:
		return "", fault.New(fault.PolicyViolation, "none of its hosts is one that %s allows", s.Capability)
	case 1:
	default:
		return "", fault.New(fault.PolicyViolation, "several of its hosts are ones that %s allows", s.Capability)
	}
	for _, p := range parts {
		pin := p.Secret.PinnedProvider
		switch {
		case pin == "":
		case pin != s.Provider:
			return "", fault.New(fault.PolicyViolation, "secret %s is pinned to %s and serves no other provider", p.Secret.Name, pin)
		case private:
			return "", fault.New(fault.PolicyViolation, "secret %s is pinned to %s and never goes to a private host", p.Secret.Name, pin)
		case s.provider == nil || !s.provider.Has(match[0]):
			return "", fault.New(fault.PolicyViolation, "secret %s is pinned to %s, and %s is none of its hosts", p.Secret.Name, pin, match[0])
		}
	}
	return match[0], nil
}

// highest returns the candidates that nothing comes before: one, or several
// that nothing tells apart.
func highest(accounts []*account) []*account {
	var top []*account
	for _, a := range accounts {
		if !a.isCandidate() {
			continue
		}
		if len(top) > 0 {
			switch c := compareRank(a, top[0]); {
			case c < 0:
				continue
			case c > 0:
				top = top[:0]
			}
		}
		top = append(top, a)
	}
	// Among registry-made ones of one scope the registry's order decides.
	return slices.DeleteFunc(slices.Clone(top), func(a *account) bool {
		return a.made && slices.ContainsFunc(top, func(b *account) bool { return b.scope == a.scope && b.order < a.order })
	})
}

// compareRank compares by tier, then scope before attachment, then
// registry-made before stored.
func compareRank(a, b *account) int {
	return cmp.Or(cmp.Compare(a.tier, b.tier), compareBool(a.own, b.own), compareBool(a.made, b.made))
}

func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return 1
	}
	return -1
}

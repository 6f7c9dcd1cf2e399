// Package resolve finds the credential for a call: which secret, sent how and
// where, a context gets for a capability. It decides nothing else, does no I/O
// of its own, and looks things up by index only, so that its cost does not
// grow with the number of secrets.
//
// # The rule
//
// In a context, a scope has a tier: group 3, workspace 2, global 1, or none if
// it does not cover the context. A credential is a candidate where its own
// scope covers the context and its secret is visible there; its tier is the
// higher of the two. At tier 3, a scope of its own goes before an attachment.
//
// The highest candidate wins, unless an operator bound a secret to the
// capability at that tier or above: the narrowest such binding wins, and
// borrows authentication and hosts from the narrowest credential of the
// provider. What is equally good is an error, never a pick.
//
// A credential is either stored (an operator made it) or registry-made, see
// [Made]: the provider's default, which a second account never displaces.
//
// Every way to a secret ends in the same check of the secret's own scope.
package resolve

import (
	"aivault/broker/registry"
	"aivault/keys/fault"
	"aivault/vault"
)

// A Question asks for the credential of a call.
type Question struct {
	Registry   *registry.Registry
	Capability string
	Provider   string   // of the capability
	Hosts      []string // canonical; those that the capability admits
	Context    vault.Context
	Credential string // id of the one to use; empty: the rule decides
	Reticent   bool   // errors say nothing of what the context does not see
}

// A Choice is the answer: everything of a credential that a call needs.
type Choice struct {
	Via          string // ViaCredential or ViaBinding
	Credential   string // id of the credential taken, or that lends; empty if the registry lends
	Lender       string // Credential, or registry:PROVIDER
	Tier         vault.Level
	Auth         vault.Auth
	Host         string   // the one that both the credential and the capability name
	Hosts        []string // all of the credential
	AllowPrivate bool
	CACert       []byte
	Headers      []registry.Header // static ones of the provider
	Parts        []Part            // the secrets to use
}

// How a choice came about.
const (
	ViaCredential = "credential"
	ViaBinding    = "binding"
)

// Resolve answers a question. Its errors are fault.InvalidRequest (a context
// that is none), CredentialNotFound, CredentialAmbiguous, SecretNotAccessible
// and PolicyViolation, or those of the reader.
func Resolve(r vault.Reader, q Question) (*Choice, error) {
	s, err := look(r, q)
	if err != nil {
		return nil, err
	}
	return s.choose()
}

// A search is a question with what was found for it.
type search struct {
	Question
	r        vault.Reader
	provider *registry.Provider // nil: not one of the registry's
	accounts []*account
	best     []*account     // the highest candidates: more than one if nothing tells them apart
	binding  *vault.Binding // the narrowest that covers the context and is for the consumer
}

// look finds the accounts that the context reaches, and the binding.
func look(r vault.Reader, q Question) (*search, error) {
	if err := q.Context.Validate(); err != nil {
		return nil, err
	}
	s := &search{Question: q, r: r}
	s.provider, _ = q.Registry.Provider(q.Provider)
	if err := s.findStored(); err != nil {
		return nil, err
	}
	if err := s.findMade(); err != nil {
		return nil, err
	}
	s.best = highest(s.accounts)
	var err error
	s.binding, err = s.findBinding()
	return s, err
}

// choose applies the rule to what was found.
func (s *search) choose() (*Choice, error) {
	if s.Credential != "" {
		return s.chooseNamed()
	}
	if s.bindingApplies() {
		return s.chooseBound(s.binding)
	}
	switch len(s.best) {
	case 0:
		return nil, s.errNone()
	case 1:
		return s.take(s.best[0]), nil
	}
	return nil, s.errAmbiguous("serve", s.best)
}

// bestTier returns the tier of the best candidates, or 0 if there are none.
func (s *search) bestTier() vault.Level {
	if len(s.best) == 0 {
		return 0
	}
	return s.best[0].tier
}

// take makes an account the choice.
func (s *search) take(a *account) *Choice {
	return &Choice{
		Via: ViaCredential, Credential: a.id, Lender: a.id, Tier: a.tier,
		Auth: a.auth, Host: a.host, Hosts: a.hosts, AllowPrivate: a.private, CACert: a.caCert,
		Headers: s.headers(), Parts: a.parts,
	}
}

// headers returns the provider's static headers.
func (s *search) headers() []registry.Header {
	if s.provider == nil {
		return nil
	}
	return s.provider.Headers
}

// chooseNamed takes the credential that the caller named, if it may.
func (s *search) chooseNamed() (*Choice, error) {
	for _, a := range s.accounts {
		if a.id != s.Credential || a.state == stateAbsent || s.Reticent && a.state == stateUnseen {
			continue
		}
		if a.isCandidate() {
			return s.take(a), nil
		}
		return nil, s.errNotAccessible("credential %s cannot be used for %s: %s", a.id, s.Capability, a.why)
	}
	if s.Reticent {
		return nil, fault.New(fault.CredentialNotFound, "there is no credential %.140q for %s in %s", s.Credential, s.Capability, describe(s.Context)).
			WithHint("leave --credential out, or name one that you were told of")
	}
	provider, err := s.providerOf(s.Credential)
	switch {
	case err != nil:
		return nil, err
	case provider == "":
		return nil, fault.New(fault.CredentialNotFound, "there is no credential %s", s.Credential).
			WithHint("`aivault credential list` shows the ids")
	case provider != s.Provider:
		return nil, fault.New(fault.PolicyViolation, "credential %s is for %s, and %s is a capability of %s", s.Credential, provider, s.Capability, s.Provider).
			WithHint("leave --credential out, or name one of %s", s.Provider)
	}
	return nil, s.errNotAccessible("credential %s is not for %s", s.Credential, describe(s.Context))
}

// providerOf returns the provider of a credential in whatever scope, or the
// empty string if there is none of that id.
func (s *search) providerOf(id string) (string, error) {
	if p, order, scope, ok := ParseMadeID(s.Registry, id); ok {
		m, err := MadeAt(s.r, p, order, scope)
		if err != nil {
			return "", err
		}
		if m != nil && m.Ready() {
			return p.ID, nil
		}
	}
	c, err := s.r.Credential(id)
	if c == nil || err != nil {
		return "", err
	}
	return c.Provider, nil
}

// matchHosts returns the hosts of a credential that the capability admits.
func (s *search) matchHosts(hosts []string) []string {
	var out []string
	for _, h := range hosts {
		if registry.AnyHost(s.Hosts, h) {
			out = append(out, h)
		}
	}
	return out
}

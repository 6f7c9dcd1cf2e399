package broker

import (
	"slices"

	"aivault/broker/internal/resolve"
	"aivault/broker/policy"
	"aivault/broker/registry"
	"aivault/keys/fault"
	"aivault/vault"
)

// A secret that is pinned to a provider serves that one only: at its hosts, for
// what the registry lists of it, whatever capability, credential or binding an
// operator makes.

// checkPinned keeps a pinned secret to its provider's own hosts.
func checkPinned(c *vault.Credential, sec *vault.Secret, provider *registry.Provider) error {
	if sec.PinnedProvider == "" {
		return nil
	}
	hint := "store the value under a name of your own to send it elsewhere"
	if c.AllowPrivate {
		return fault.New(fault.PolicyViolation, "secret %s is pinned to %s and never goes to a private host", sec.Name, sec.PinnedProvider).WithHint("%s", hint)
	}
	for _, h := range c.Hosts {
		if provider == nil || !provider.Has(h) {
			return fault.New(fault.PolicyViolation, "secret %s is pinned to %s, and %s is none of its hosts", sec.Name, sec.PinnedProvider, h).WithHint("%s", hint)
		}
	}
	return nil
}

// mayReach keeps a secret that is pinned to a provider to what the registry
// lists for it: a capability that an operator made may be narrower, or put
// together otherwise, but is no way to the rest of the provider's API.
func (p *plan) mayReach(request policy.Canonical) bool {
	if p.capability.Builtin || !anyPinned(p.choice.Parts) {
		return true
	}
	return lists(p.registry, p.capability.Provider, p.choice.Host, func(known policy.Rule) bool {
		return admits(known, request.Method, request.Path)
	})
}

// isBeyond reports whether a pinned secret may do nothing that a capability
// allows: whether mayReach would refuse all of it.
func (r look) isBeyond(c *Capability, choice *resolve.Choice) bool {
	if c.Builtin || !anyPinned(choice.Parts) {
		return false
	}
	own := c.rule()
	return !lists(r.reg, c.Provider, choice.Host, func(known policy.Rule) bool {
		return slices.ContainsFunc(own.Methods, func(m string) bool {
			within := func(path string) bool { return admits(known, m, path) }
			around := func(path string) bool { return admits(own, m, path) }
			return slices.ContainsFunc(own.Paths, within) ||
				slices.Contains(known.Methods, m) && slices.ContainsFunc(slices.Concat(known.Paths, known.RawPaths), around)
		})
	})
}

// lists reports whether the registry lists a capability of a provider at one of
// its hosts whose rule f takes.
func lists(r *registry.Registry, provider, host string, f func(policy.Rule) bool) bool {
	p, ok := r.Provider(provider)
	if !ok {
		return false
	}
	for i := range p.Capabilities {
		c := builtin(&p.Capabilities[i], p)
		if registry.AnyHost(c.Allow.Hosts, host) && f(c.rule()) {
			return true
		}
	}
	return false
}

// admits reports whether a rule allows a method and a path.
func admits(rule policy.Rule, method, path string) bool {
	_, err := policy.Decide(rule, policy.Request{Method: method, Target: path})
	return err == nil
}

func anyPinned(parts []resolve.Part) bool {
	return slices.ContainsFunc(parts, func(p resolve.Part) bool { return p.Secret.PinnedProvider != "" })
}

// errBeyond refuses a pinned secret for what the registry does not list.
func errBeyond(provider string) error {
	return fault.New(fault.PolicyViolation, "the secret is pinned to %s, and nothing that aivault knows of %s allows this method and path", provider, provider).
		WithHint("store the value under a name of your own, with a credential and a provider of your own, to call more of it")
}

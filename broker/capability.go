package broker

import (
	"context"
	"slices"
	"strings"

	"aivault/broker/internal/resolve"
	"aivault/broker/policy"
	"aivault/broker/registry"
	"aivault/keys/fault"
	"aivault/vault"
)

// capability returns a capability by id. The registry's comes first: a stored
// one cannot change what a built-in id means.
func (b *Broker) capability(r look, id string) (*Capability, error) {
	if c, p, ok := r.reg.Capability(id); ok {
		return r.listed(c, p), nil
	}
	c, err := r.Capability(id)
	if err != nil {
		return nil, err
	}
	if c == nil {
		return nil, fault.New(fault.CapabilityNotFound, "there is no capability %.140q", id).
			WithHint("`aivault capability list` shows them; make one with `aivault capability create`")
	}
	return custom(c), nil
}

// listed returns a capability that its provider lists.
func (r look) listed(c *registry.Capability, p *registry.Provider) *Capability {
	out := builtin(c, p)
	out.Own = r.reg.IsOwn(p.ID)
	return out
}

func builtin(c *registry.Capability, p *registry.Provider) *Capability {
	hosts := c.Hosts
	if len(hosts) == 0 {
		hosts = p.Hosts
	}
	return &Capability{
		ID: c.ID, Provider: p.ID, Description: c.Description, Builtin: true,
		RawPaths: c.RawPaths, Except: c.Except, EncodedSlash: c.EncodedSlash,
		Allow: vault.Allow{Hosts: hosts, Methods: c.Methods, Paths: slices.Concat(c.Paths, c.RawPaths), Headers: c.Headers},
	}
}

func custom(c *vault.Capability) *Capability {
	return &Capability{ID: c.ID, Provider: c.Provider, Allow: c.Allow}
}

// rule returns what the capability allows, in policy's words.
func (c *Capability) rule() policy.Rule {
	rule := policy.Rule{
		Methods: c.Allow.Methods, Paths: c.Allow.Paths, RawPaths: c.RawPaths, Except: c.Except,
		Headers: c.Allow.Headers, EncodedSlash: c.EncodedSlash,
	}
	if len(c.RawPaths) > 0 {
		rule.Paths = slices.DeleteFunc(slices.Clone(c.Allow.Paths), func(p string) bool { return slices.Contains(c.RawPaths, p) })
	}
	return rule
}

// Capabilities implements Service.
func (b *Broker) Capabilities(ctx context.Context) ([]Capability, error) {
	var out []Capability
	err := b.view(ctx, func(r look) error {
		for _, id := range r.reg.Providers() {
			p, ok := r.reg.Provider(id)
			if !ok {
				continue
			}
			for i := range p.Capabilities {
				out = append(out, *r.listed(&p.Capabilities[i], p))
			}
		}
		stored, err := r.Capabilities()
		if err != nil {
			return err
		}
		for _, c := range stored {
			if _, _, taken := r.reg.Capability(c.ID); !taken {
				out = append(out, *custom(c))
			}
		}
		creds, err := b.credentials(r)
		for i := range out {
			out[i].Ready = isReady(&out[i], creds)
		}
		return err
	})
	slices.SortFunc(out, func(a, b Capability) int { return strings.Compare(a.ID, b.ID) })
	return out, err
}

// isReady reports whether a credential carries the capability, in whatever
// scope.
func isReady(c *Capability, creds []Credential) bool {
	return slices.ContainsFunc(creds, func(k Credential) bool { return k.Carries(c) })
}

// Carries reports whether the credential is for a capability: it is of its
// provider, and may be sent to its host.
func (c *Credential) Carries(what *Capability) bool {
	return c.Provider == what.Provider &&
		(c.Capabilities == nil || slices.Contains(c.Capabilities, what.ID)) &&
		slices.ContainsFunc(c.Hosts, func(h string) bool { return registry.AnyHost(what.Allow.Hosts, h) })
}

// CreateCapability implements Service. A capability of a provider that the
// registry knows may allow more than the built-in ones do; a pinned secret does
// not go there by it, see plan.mayReach.
func (b *Broker) CreateCapability(ctx context.Context, n NewCapability) (Capability, error) {
	c, err := b.newCapability(ctx, n)
	if err != nil {
		return Capability{}, err
	}
	if c, err = b.store.CreateCapability(ctx, c); err != nil {
		return Capability{}, err
	}
	return *custom(&c), nil
}

// newCapability returns what is to be stored of a custom capability, once it was
// checked.
func (b *Broker) newCapability(ctx context.Context, n NewCapability) (vault.Capability, error) {
	c := vault.Capability{ID: n.ID, Provider: n.Provider}
	if err := checkID("capability", n.ID, true); err != nil {
		return c, err
	}
	var err error
	if c.Allow.Methods, c.Allow.Paths, c.Allow.Headers, err = parseAllow(n); err != nil {
		return c, err
	}
	err = b.view(ctx, func(r look) error {
		if _, p, taken := r.reg.Capability(n.ID); taken {
			what := "built in"
			if r.reg.IsOwn(p.ID) {
				what = "that of a provider of your own"
			}
			return fault.New(fault.AlreadyExists, "capability %s is %s, and cannot be made to mean something else", n.ID, what).
				WithHint("choose another id; `aivault capability describe %s` shows what it allows", n.ID)
		}
		return b.place(r, &c, n)
	})
	return c, err
}

// parseAllow returns the canonical forms of what a capability is to allow.
func parseAllow(n NewCapability) (methods, paths, headers []string, err error) {
	lists := []struct {
		in    []string
		out   *[]string
		parse func(string) (string, error)
	}{
		{n.Methods, &methods, policy.ParseMethod},
		{n.Paths, &paths, policy.ParsePrefix},
		{n.AllowHeads, &headers, policy.ParseHeaderName},
	}
	for _, l := range lists {
		for _, s := range l.in {
			canonical, err := l.parse(s)
			if err != nil {
				return nil, nil, nil, err
			}
			if !slices.Contains(*l.out, canonical) {
				*l.out = append(*l.out, canonical)
			}
		}
	}
	switch {
	case len(methods) == 0:
		err = fault.New(fault.InvalidRequest, "capability %s has no method", n.ID).WithHint("add --method, such as --method GET")
	case len(paths) == 0:
		err = fault.New(fault.InvalidRequest, "capability %s has no path", n.ID).WithHint("add --path, such as --path /v1/items")
	}
	return methods, paths, headers, err
}

// place finds provider and host of a new capability.
func (b *Broker) place(r look, c *vault.Capability, n NewCapability) error {
	first, _, _ := strings.Cut(n.ID, "/")
	hosts := n.Hosts
	if n.FromCred != "" {
		from, err := b.credential(r, n.FromCred)
		switch {
		case err != nil:
			return err
		case from == nil:
			return fault.New(fault.CredentialNotFound, "there is no credential %.140q", n.FromCred).WithHint("`aivault credential list` shows the ids")
		case c.Provider == "":
			c.Provider = from.Provider
		case c.Provider != from.Provider:
			return fault.New(fault.InvalidRequest, "credential %s is for %s, not for %s", from.ID, from.Provider, c.Provider).
				WithHint("leave --provider or --credential out")
		}
		if len(hosts) == 0 {
			hosts = calledHosts(from)
		}
	}
	if c.Provider == "" {
		c.Provider = first
	}
	if err := checkProvider(c.Provider); err != nil {
		return err
	}
	provider, known := r.reg.Provider(c.Provider)
	if _, named := r.reg.Provider(first); (named || known) && c.Provider != first {
		return fault.New(fault.InvalidRequest, "capability %s reads as one of %s, and its provider is %s", n.ID, first, c.Provider).
			WithHint("choose an id that begins with %s/", c.Provider)
	}
	if len(hosts) == 0 && known {
		t := &provider.Credentials[0]
		hosts = withoutEndpoint(t.DefaultHosts(provider), resolve.Auth(t))
	}
	switch len(hosts) {
	case 0:
		return fault.New(fault.InvalidRequest, "capability %s has no host", n.ID).
			WithHint("add --host, or --credential ID to take that of a credential")
	case 1:
	default:
		return fault.New(fault.InvalidRequest, "a capability is for one host, not for %d", len(hosts)).
			WithHint("give --host with one of %s", strings.Join(hosts, ", "))
	}
	host, err := capabilityHost(r, c.Provider, hosts[0])
	c.Allow.Hosts = []string{host}
	return err
}

// calledHosts returns the hosts of a credential that calls are for: of an OAuth
// one, not that of its token endpoint, unless there is no other.
func calledHosts(c *Credential) []string {
	return withoutEndpoint(c.Hosts, c.Auth)
}

func withoutEndpoint(hosts []string, a vault.Auth) []string {
	endpoint := tokenHost(a)
	if len(hosts) == 1 || endpoint == "" {
		return hosts
	}
	return slices.DeleteFunc(slices.Clone(hosts), func(h string) bool { return h == endpoint })
}

// capabilityHost returns the canonical form of a capability's host. A private
// one must be that of a credential which may go there.
func capabilityHost(r vault.Reader, provider, s string) (string, error) {
	host, refusal := policy.ParseHost(s, false)
	if refusal == nil {
		return host, nil
	}
	host, err := policy.ParseHost(s, true)
	if err != nil {
		return "", err
	}
	creds, err := r.Credentials()
	if err != nil {
		return "", err
	}
	for _, c := range creds {
		if c.Provider == provider && c.AllowPrivate && slices.Contains(c.Hosts, host) {
			return host, nil
		}
	}
	return "", fault.New(fault.PolicyViolation, "%s is a private host, and no credential of %s may go there", host, provider).
		WithHint("make one first: `aivault credential create ... --host %s --allow-private --ca-cert PATH`", host)
}

// DeleteCapability implements Service.
func (b *Broker) DeleteCapability(ctx context.Context, id string) (vault.RemovedCapability, error) {
	return b.store.DeleteCapability(ctx, id)
}

// question asks package resolve for the credential of a capability.
func (r look) question(c *Capability, context vault.Context, credential string) resolve.Question {
	return resolve.Question{
		Registry: r.reg, Capability: c.ID, Provider: c.Provider, Hosts: c.Allow.Hosts,
		Context: context, Credential: credential,
	}
}

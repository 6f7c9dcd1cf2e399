package broker

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"slices"
	"strings"

	"aivault/broker/internal/auth"
	"aivault/broker/internal/resolve"
	"aivault/broker/policy"
	"aivault/broker/registry"
	"aivault/keys/fault"
	"aivault/vault"
)

// maxID is the length of the longest credential or capability id, in bytes.
const maxID = 128

// maxCACert is the length of the longest CA certificate file, in bytes.
const maxCACert = 64 << 10

// CreateCredential implements Service. The id of a registry-made credential
// that was deleted makes it again.
func (b *Broker) CreateCredential(ctx context.Context, n NewCredential) (Credential, error) {
	var c vault.Credential
	reserved := false
	err := b.view(ctx, func(r look) error {
		if reserved = resolve.Reserved(r.reg, n.ID); reserved {
			return nil
		}
		sec, err := r.Secret(n.Secret)
		if err == nil {
			c, err = r.newCredential(n, sec)
		}
		return err
	})
	switch {
	case err != nil:
		return Credential{}, err
	case reserved:
		return b.enableCredential(ctx, n)
	}
	// The vault checks the secret and its pin again, in the transaction.
	c, err = b.store.CreateCredential(ctx, c, n.Proof)
	return Credential{Credential: c, Secrets: []vault.ID{c.Secret}}, err
}

// newCredential returns what is to be stored of a hand-made credential, once it
// was checked.
func (r look) newCredential(n NewCredential, sec *vault.Secret) (vault.Credential, error) {
	c := vault.Credential{
		ID: n.ID, Provider: n.Provider, Scope: n.Scope, Secret: n.Secret,
		AllowPrivate: n.AllowPrivate, CACert: n.CACert,
	}
	if err := checkID("credential", n.ID, false); err != nil {
		return c, err
	}
	if err := checkProvider(n.Provider); err != nil {
		return c, err
	}
	if err := n.Scope.Validate(); err != nil {
		return c, err
	}
	err := r.complete(&c, n, sec)
	return c, err
}

// complete fills in what the registry knows of the provider, and checks all.
func (r look) complete(c *vault.Credential, n NewCredential, sec *vault.Secret) (err error) {
	provider, known := r.reg.Provider(n.Provider)
	if pin := sec.PinnedProvider; pin != "" && pin != n.Provider {
		return fault.New(fault.PolicyViolation, "secret %s is pinned to %s and serves no other provider", sec.Name, pin).
			WithHint("store the value under a name of your own to use it for %s", n.Provider)
	}
	if c.Hosts, err = parseHosts(n.Hosts, n.AllowPrivate); err != nil {
		return err
	}
	switch {
	case n.Auth != nil:
		c.Auth = *n.Auth
	case known:
		if c.Auth, err = defaultAuth(provider, sec.Name); err != nil {
			return err
		}
		addressed(c, provider)
	default:
		return fault.New(fault.InvalidRequest, "how to authenticate at %s is not known", n.Provider).
			WithHint("say it with --auth, such as --auth header")
	}
	if err := auth.CheckConfig(c.Auth, []string{auth.Placeholder}); err != nil {
		return err
	}
	if known {
		if err := atProvider(c, provider, sec.Name); err != nil {
			return err
		}
	}
	if len(c.Hosts) == 0 {
		return fault.New(fault.InvalidRequest, "credential %s has no host", n.ID).WithHint("add --host, such as --host api.example.com")
	}
	if err := checkCACert(n.AllowPrivate, n.CACert); err != nil {
		return err
	}
	if err := checkTokenEndpoint(c); err != nil {
		return err
	}
	return checkPinned(c, sec, provider)
}

// addressed fits the registry's authentication and the hosts that an operator
// named to each other: the host of the tokens belongs to every credential, and a
// signature is made for the region of the host.
func addressed(c *vault.Credential, p *registry.Provider) {
	if len(c.Hosts) == 0 {
		return
	}
	if host := tokenHost(c.Auth); host != "" && !slices.Contains(c.Hosts, host) {
		c.Hosts = append(c.Hosts, host)
	}
	if c.Auth.Kind != auth.KindSigV4 {
		return
	}
	for i := range c.Auth.Params {
		if region := &c.Auth.Params[i]; region.Name == "region" {
			region.Value = p.Region(c.Hosts[0], region.Value)
		}
	}
}

// atProvider gives a credential of a provider that the registry knows its usual
// hosts, unless it has its own, and refuses two of which each stands for the
// other: nobody could tell where a call goes.
func atProvider(c *vault.Credential, p *registry.Provider, secretName string) error {
	if len(c.Hosts) == 0 {
		t := templateFor(p, secretName)
		if pattern := t.NeedsHost(p); pattern != "" {
			return fault.New(fault.InvalidRequest, "credential %s needs its own host at %s, under %s", c.ID, p.Name, pattern).
				WithHint("add --host, such as --host %s", strings.Replace(pattern, "*", "acme", 1))
		}
		c.Hosts = slices.Clone(t.DefaultHosts(p))
		return nil
	}
	for i := range p.Capabilities {
		var at []string
		for _, h := range c.Hosts {
			if registry.AnyHost(p.Capabilities[i].Hosts, h) {
				at = append(at, h)
			}
		}
		if len(at) > 1 {
			return fault.New(fault.InvalidRequest, "credential %s has %s and %s for the same calls", c.ID, at[0], at[1]).
				WithHint("make a credential for each of them")
		}
	}
	return nil
}

// templateFor returns the template that claims a secret's name by itself, else
// the provider's first.
func templateFor(p *registry.Provider, name string) *registry.Credential {
	for i := range p.Credentials {
		if slots := p.Credentials[i].Secrets; len(slots) == 1 && slots[0].Name == name {
			return &p.Credentials[i]
		}
	}
	return &p.Credentials[0]
}

// defaultAuth returns how the registry authenticates with one secret: as for
// the template that claims its name, else as for the provider's first.
func defaultAuth(p *registry.Provider, name string) (vault.Auth, error) {
	a, ok := resolve.AuthForOne(templateFor(p, name))
	if !ok {
		return a, fault.New(fault.InvalidRequest, "%s authenticates with several secrets, and a credential has one", p.ID).
			WithHint("store each under the name that %s claims, or say how with --auth", p.ID)
	}
	return a, nil
}

// parseHosts returns the canonical hosts, without repetition.
func parseHosts(hosts []string, allowPrivate bool) ([]string, error) {
	var out []string
	for _, h := range hosts {
		canonical, err := policy.ParseHost(h, allowPrivate)
		if err != nil {
			return nil, err
		}
		if !slices.Contains(out, canonical) {
			out = append(out, canonical)
		}
	}
	return out, nil
}

// checkCACert keeps private hosts and own certificates together: whoever may
// answer under a private name must be told apart by a certificate of the
// operator's choice, and for a public host the system's roots decide.
func checkCACert(allowPrivate bool, text []byte) error {
	switch {
	case !allowPrivate && len(text) == 0:
		return nil
	case !allowPrivate:
		return fault.New(fault.InvalidRequest, "a CA certificate of its own is for a credential that may go to private hosts").
			WithHint("leave --ca-cert out, or add --allow-private")
	case len(text) == 0:
		return fault.New(fault.InvalidRequest, "a credential for private hosts needs the CA certificate that they are known by").
			WithHint("add --ca-cert PATH, a PEM file")
	case len(text) > maxCACert:
		return fault.New(fault.InvalidRequest, "the CA certificate is longer than %d KiB", maxCACert>>10).
			WithHint("give the certificate of the one authority that signs for these hosts")
	}
	rest := text
	for found := 0; ; found++ {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			if found > 0 && strings.TrimSpace(string(rest)) == "" {
				return nil
			}
			return errNoCert
		}
		if block.Type != "CERTIFICATE" {
			return errNoCert // most likely somebody's private key
		}
		if _, err := x509.ParseCertificate(block.Bytes); err != nil {
			return errNoCert
		}
	}
}

var errNoCert = fault.New(fault.InvalidRequest, "the CA certificate is not a PEM file of certificates, and nothing else").
	WithHint("give the certificate of the authority: -----BEGIN CERTIFICATE----- ...")

// enableCredential takes back the deletion of a registry-made credential.
func (b *Broker) enableCredential(ctx context.Context, n NewCredential) (Credential, error) {
	var made *resolve.Made
	err := b.view(ctx, func(r look) (err error) {
		made, err = b.toEnable(r, n)
		return err
	})
	if err != nil {
		return Credential{}, err
	}
	enabled, err := b.store.EnableCredential(ctx, n.ID)
	if err == nil && !enabled {
		err = errMadeAlready(made)
	}
	return fromMade(made), err
}

func errMadeAlready(m *resolve.Made) error {
	return fault.New(fault.AlreadyExists, "there is a credential %s already: the registry made it", m.ID).
		WithHint("choose another id, such as %s-work", m.Provider.ID)
}

// toEnable returns the registry-made credential that is meant, disabled or not,
// once it was checked.
func (b *Broker) toEnable(r look, n NewCredential) (*resolve.Made, error) {
	p, order, scope, ok := resolve.ParseMadeID(r.reg, n.ID)
	if !ok {
		return nil, fault.New(fault.InvalidRequest, "the id %q is reserved for what the registry makes", n.ID).
			WithHint("choose one without a colon that is no provider's name, such as %s-work", strings.SplitN(n.ID, ":", 2)[0])
	}
	if n.Auth != nil || len(n.Hosts) > 0 || n.AllowPrivate || len(n.CACert) > 0 || n.Provider != "" && n.Provider != p.ID {
		return nil, fault.New(fault.InvalidRequest, "credential %s is the registry's, which knows how and where to use it", n.ID).
			WithHint("choose another id, such as %s-work, or give nothing but the secret", p.ID)
	}
	made, err := resolve.MadeAt(r, p, order, scope)
	switch {
	case err != nil:
		return nil, err
	case made != nil && made.NeedsHost() != "":
		return nil, fault.New(fault.InvalidRequest, "the registry makes no credential %s, as each needs its own host under %s", n.ID, made.NeedsHost()).
			WithHint("choose another id, such as %s-work, and add --host", p.ID)
	case made == nil || len(made.Missing) > 0:
		return nil, fault.New(fault.InvalidRequest, "the registry makes credential %s when %s is stored in scope %s", n.ID, slotNames(&p.Credentials[order]), scope).
			WithHint("store it with `aivault secrets create`")
	case n.Secret != vault.ID{} && !slices.ContainsFunc(made.Parts, func(p resolve.Part) bool { return p.Secret.ID == n.Secret }):
		return nil, fault.New(fault.InvalidRequest, "credential %s is made of %s in scope %s, not of that secret", n.ID, slotNames(made.Template), scope).
			WithHint("choose another id, such as %s-work", p.ID)
	}
	return made, nil
}

func slotNames(t *registry.Credential) string {
	names := make([]string, len(t.Secrets))
	for i, slot := range t.Secrets {
		names[i] = slot.Name
	}
	return strings.Join(names, " with ")
}

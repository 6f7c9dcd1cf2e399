package resolve

import (
	"slices"
	"strings"

	"aivault/broker/internal/auth"
	"aivault/broker/registry"
	"aivault/vault"
)

// A Made is a registry-made credential: what a template of a provider gives
// together with the secrets of one scope whose names the template claims. It
// is stored nowhere. It covers the contexts that its secrets cover.
type Made struct {
	ID       string
	Provider *registry.Provider
	Template *registry.Credential
	Order    int // position of Template among the provider's: the first is preferred
	Scope    vault.Scope
	Parts    []Part   // the secrets that are there, in the template's order
	Missing  []string // names of those that are not: it is not made until they are
	Disabled bool     // an operator deleted it
}

// A Part is a secret in its place in a credential.
type Part struct {
	Placeholder string
	Secret      *vault.Secret
}

// MadeID returns the id of the credential that a template gives at a scope:
// PROVIDER[:TEMPLATE], then nothing, :ws:W or :group:W:G.
func MadeID(provider, template string, scope vault.Scope) string {
	id := provider
	if template != "" {
		id += ":" + template
	}
	switch scope.Level {
	case vault.Workspace:
		id += ":ws:" + scope.Workspace
	case vault.Group:
		id += ":group:" + scope.Workspace + ":" + scope.Group
	}
	return id
}

// ParseMadeID takes such an id apart; ok is false for an id that no template
// of the registry could give.
func ParseMadeID(reg *registry.Registry, id string) (p *registry.Provider, order int, scope vault.Scope, ok bool) {
	fields := strings.Split(id, ":")
	if p, ok = reg.Provider(fields[0]); !ok {
		return nil, 0, scope, false
	}
	rest, template := fields[1:], ""
	if n := len(rest); n == 1 || n == 3 && rest[0] != "group" || n == 4 {
		if template, rest = rest[0], rest[1:]; template == "" {
			return nil, 0, scope, false
		}
	}
	scope = vault.GlobalScope()
	switch {
	case len(rest) == 0:
	case len(rest) == 2 && rest[0] == "ws":
		scope = vault.Scope{Level: vault.Workspace, Workspace: rest[1]}
	case len(rest) == 3 && rest[0] == "group":
		scope = vault.Scope{Level: vault.Group, Workspace: rest[1], Group: rest[2]}
	default:
		return nil, 0, scope, false
	}
	order = slices.IndexFunc(p.Credentials, func(c registry.Credential) bool { return c.ID == template })
	return p, order, scope, order >= 0 && scope.Validate() == nil
}

// Reserved reports whether an id is one that only the registry may give.
func Reserved(reg *registry.Registry, id string) bool {
	_, isProvider := reg.Provider(id)
	return isProvider || strings.Contains(id, ":")
}

// MadeAt looks at what a provider's template gives at a scope. It is nil if
// none of the template's secrets is there.
func MadeAt(r vault.Reader, p *registry.Provider, order int, scope vault.Scope) (*Made, error) {
	t := &p.Credentials[order]
	m := &Made{Provider: p, Template: t, Order: order, Scope: scope}
	for _, slot := range t.Secrets {
		s, err := r.SecretNamed(scope, slot.Name)
		if err != nil {
			return nil, err
		}
		// A secret that got its name before the registry claimed it is not
		// pinned, and stays its owner's alone.
		if s == nil || s.PinnedProvider != p.ID {
			m.Missing = append(m.Missing, slot.Name)
			continue
		}
		m.Parts = append(m.Parts, Part{slot.Placeholder, s})
	}
	if len(m.Parts) == 0 {
		return nil, nil
	}
	m.ID = MadeID(p.ID, t.ID, scope)
	if len(m.Missing) > 0 {
		return m, nil
	}
	var err error
	m.Disabled, err = r.IsDisabled(m.ID)
	return m, err
}

// MadeOf lists everything that a provider's templates give in the scopes of the
// secrets that are pinned to it.
func MadeOf(r vault.Reader, p *registry.Provider, pinned []*vault.Secret) ([]*Made, error) {
	var scopes []vault.Scope
	seen := map[vault.Scope]bool{}
	for _, s := range pinned {
		if !seen[s.Scope] {
			seen[s.Scope] = true
			scopes = append(scopes, s.Scope)
		}
	}
	var out []*Made
	for order := range p.Credentials {
		for _, scope := range scopes {
			m, err := MadeAt(r, p, order, scope)
			if err != nil {
				return nil, err
			}
			if m != nil {
				out = append(out, m)
			}
		}
	}
	return out, nil
}

// Ready reports whether the credential exists: all its secrets are there, it
// has a host, and nobody deleted it.
func (m *Made) Ready() bool { return len(m.Missing) == 0 && m.NeedsHost() == "" && !m.Disabled }

// NeedsHost returns the pattern of hosts under which an operator has to name one
// before there is a credential, as with a shop of one's own; else it is empty.
func (m *Made) NeedsHost() string { return m.Template.NeedsHost(m.Provider) }

// Carries reports whether the credential is for a capability of its provider.
func (m *Made) Carries(c *registry.Capability) bool {
	return m.Template.Serves(c) && !c.NeedsHost()
}

// carries reports whether a list of capabilities, of which none means all,
// holds one.
func carries(list []string, capability string) bool {
	return list == nil || slices.Contains(list, capability)
}

// seenFrom tells how a context sees the credential: at the lowest of its
// secrets' tiers, and not at all unless it sees them all.
func (m *Made) seenFrom(c vault.Context) (tier vault.Level, attached bool) {
	tier = vault.Group
	for _, p := range m.Parts {
		t, a := p.Secret.SeenFrom(c)
		tier, attached = min(tier, t), attached || a
	}
	return tier, attached
}

// Auth returns how a template authenticates, in the vault's words.
func Auth(t *registry.Credential) vault.Auth {
	a := vault.Auth{Kind: t.Auth.Kind}
	for _, p := range t.Auth.Params {
		a.Params = append(a.Params, vault.Param{Name: p.Name, Value: p.Value})
	}
	return a
}

// AuthForOne returns how a template authenticates with one secret that an
// operator chose, whose placeholder is `secret`. It may have to hold what the
// template takes from several: as user:password or, for the templates that
// keep their placeholders, as a JSON object with these for its fields. ok is
// false where one secret cannot stand for several.
func AuthForOne(t *registry.Credential) (a vault.Auth, ok bool) {
	a = Auth(t)
	if len(t.Secrets) == 1 {
		from, to := "{{"+t.Secrets[0].Placeholder+"}}", "{{"+auth.Placeholder+"}}"
		for i := range a.Params {
			a.Params[i].Value = strings.ReplaceAll(a.Params[i].Value, from, to)
		}
		return a, true
	}
	return inOne(a)
}

// inOne returns how an authentication that takes several secrets does with one,
// see [AuthForOne].
func inOne(a vault.Auth) (one vault.Auth, ok bool) {
	switch a.Kind {
	case auth.KindBasic:
		// The value of a basic credential without parameters is user:password.
		return vault.Auth{Kind: a.Kind}, true
	case auth.KindMultiHeader, auth.KindMultiQuery:
		return a, true
	}
	return vault.Auth{}, false
}

package memstore

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"aivault/vault"
)

// A reader looks into a store whose lock is held.
type reader struct{ s *Store }

func (r reader) Secret(id vault.ID) (*vault.Secret, error) {
	r.s.lookups++
	sec, ok := r.s.secrets[id]
	if !ok {
		return nil, errNoSecret(id)
	}
	return clone(sec), nil
}

func (r reader) SecretNamed(scope vault.Scope, name string) (*vault.Secret, error) {
	r.s.lookups++
	id, ok := r.s.named[nameKey{scope, name}]
	if !ok {
		return nil, nil
	}
	return clone(r.s.secrets[id]), nil
}

func (r reader) NameTaken(scope vault.Scope, name string) (bool, error) {
	r.s.lookups++
	if _, taken := r.s.named[nameKey{scope, name}]; taken {
		return true, nil
	}
	for _, sec := range r.s.secrets {
		if sec.Scope == scope && slices.Contains(sec.Aliases, name) {
			return true, nil
		}
	}
	return false, nil
}

func (r reader) Attached(g vault.GroupRef, provider string) ([]*vault.Secret, error) {
	return r.list(r.s.attached[attachKey{g, provider}]), nil
}

func (r reader) Pinned(provider string) ([]*vault.Secret, error) {
	return r.list(r.s.pinned[provider]), nil
}

func (r reader) list(ids []vault.ID) []*vault.Secret {
	var out []*vault.Secret
	for _, id := range ids {
		r.s.lookups++
		out = append(out, clone(r.s.secrets[id]))
	}
	return out
}

func (r reader) Credential(id string) (*vault.Credential, error) {
	r.s.lookups++
	c, ok := r.s.credentials[id]
	if !ok {
		return nil, nil
	}
	return new(*c), nil
}

func (r reader) CredentialsOf(provider string, scope vault.Scope) ([]*vault.Credential, error) {
	r.s.lookups++
	var out []*vault.Credential
	for _, id := range r.s.ofProvider[providerKey{provider, scope}] {
		out = append(out, new(*r.s.credentials[id]))
	}
	return out, nil
}

func (r reader) CredentialsWith(secret vault.ID) ([]*vault.Credential, error) {
	all, err := r.Credentials()
	return slices.DeleteFunc(all, func(c *vault.Credential) bool { return c.Secret != secret }), err
}

func (r reader) Credentials() ([]*vault.Credential, error) {
	return sorted(r, r.s.credentials, func(a, b *vault.Credential) int { return strings.Compare(a.ID, b.ID) }), nil
}

func (r reader) Disabled() ([]string, error) {
	return slices.Sorted(maps.Keys(r.s.disabled)), nil
}

func (r reader) IsDisabled(id string) (bool, error) {
	r.s.lookups++
	return r.s.disabled[id], nil
}

func (r reader) Granted(uid int, c vault.Context) (bool, error) {
	r.s.lookups++
	return c.Workspace != "" && r.s.grants[grantKey{uid, c.Scope()}], nil
}

func (r reader) Capability(id string) (*vault.Capability, error) {
	r.s.lookups++
	c, ok := r.s.capabilities[id]
	if !ok {
		return nil, nil
	}
	return new(*c), nil
}

func (r reader) Capabilities() ([]*vault.Capability, error) {
	return sorted(r, r.s.capabilities, func(a, b *vault.Capability) int { return strings.Compare(a.ID, b.ID) }), nil
}

func (r reader) Binding(capability string, scope vault.Scope, consumer string) (*vault.Binding, error) {
	r.s.lookups++
	b, ok := r.s.bindings[bindingKey{capability, scope, consumer}]
	if !ok {
		return nil, nil
	}
	return new(*b), nil
}

func (r reader) Bindings(capability string) ([]*vault.Binding, error) {
	all := sorted(r, r.s.bindings, func(a, b *vault.Binding) int {
		return cmp.Or(
			strings.Compare(a.Capability, b.Capability),
			strings.Compare(a.Scope.Workspace, b.Scope.Workspace),
			strings.Compare(a.Scope.Group, b.Scope.Group),
			strings.Compare(a.Consumer, b.Consumer))
	})
	return slices.DeleteFunc(all, func(b *vault.Binding) bool { return capability != "" && b.Capability != capability }), nil
}

func (r reader) BindingsWith(secret vault.ID) ([]*vault.Binding, error) {
	all, err := r.Bindings("")
	return slices.DeleteFunc(all, func(b *vault.Binding) bool { return b.Secret != secret }), err
}

// sorted returns copies of the values of a map, in order.
func sorted[K comparable, V any](r reader, m map[K]*V, compare func(a, b *V) int) []*V {
	var out []*V
	for _, v := range m {
		r.s.lookups++
		out = append(out, new(*v))
	}
	slices.SortFunc(out, compare)
	return out
}

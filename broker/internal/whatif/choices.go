package whatif

import (
	"cmp"
	"slices"
	"strings"

	"aivault/vault"
)

// Credential implements vault.Reader.
func (r *Reader) Credential(id string) (*vault.Credential, error) {
	c, err := r.Reader.Credential(id)
	if c != nil && (r.gone[c.Secret] || r.lost[c.ID]) {
		return nil, err
	}
	return c, err
}

// CredentialsOf implements vault.Reader.
func (r *Reader) CredentialsOf(provider string, scope vault.Scope) ([]*vault.Credential, error) {
	return r.remaining(r.Reader.CredentialsOf(provider, scope))
}

// CredentialsWith implements vault.Reader.
func (r *Reader) CredentialsWith(secret vault.ID) ([]*vault.Credential, error) {
	return r.remaining(r.Reader.CredentialsWith(secret))
}

// Credentials implements vault.Reader.
func (r *Reader) Credentials() ([]*vault.Credential, error) {
	return r.remaining(r.Reader.Credentials())
}

// remaining leaves those out that are gone, or whose secret is.
func (r *Reader) remaining(creds []*vault.Credential, err error) ([]*vault.Credential, error) {
	return slices.DeleteFunc(creds, func(c *vault.Credential) bool { return r.gone[c.Secret] || r.lost[c.ID] }), err
}

// Disabled implements vault.Reader.
func (r *Reader) Disabled() ([]string, error) {
	ids, err := r.Reader.Disabled()
	for id := range r.off {
		if !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids, err
}

// IsDisabled implements vault.Reader.
func (r *Reader) IsDisabled(id string) (bool, error) {
	if r.off[id] {
		return true, nil
	}
	return r.Reader.IsDisabled(id)
}

// Binding implements vault.Reader.
func (r *Reader) Binding(capability string, scope vault.Scope, consumer string) (*vault.Binding, error) {
	b, changed := r.bound[place{capability, scope, consumer}]
	if !changed {
		var err error
		if b, err = r.Reader.Binding(capability, scope, consumer); err != nil {
			return nil, err
		}
	}
	if b == nil || r.gone[b.Secret] {
		return nil, nil
	}
	return new(*b), nil
}

// Bindings implements vault.Reader.
func (r *Reader) Bindings(capability string) ([]*vault.Binding, error) {
	stored, err := r.Reader.Bindings(capability)
	return r.rebound(stored, func(b *vault.Binding) bool { return capability == "" || b.Capability == capability }), err
}

// BindingsWith implements vault.Reader.
func (r *Reader) BindingsWith(secret vault.ID) ([]*vault.Binding, error) {
	stored, err := r.Reader.BindingsWith(secret)
	return r.rebound(stored, func(b *vault.Binding) bool { return b.Secret == secret }), err
}

// rebound leaves out what is gone or replaced, and adds what was made that fits.
func (r *Reader) rebound(stored []*vault.Binding, fits func(*vault.Binding) bool) []*vault.Binding {
	out := slices.DeleteFunc(stored, func(b *vault.Binding) bool {
		_, changed := r.bound[placeOf(b)]
		return changed || r.gone[b.Secret]
	})
	for _, b := range r.bound {
		if b != nil && fits(b) && !r.gone[b.Secret] {
			out = append(out, new(*b))
		}
	}
	slices.SortFunc(out, func(a, b *vault.Binding) int {
		return cmp.Or(
			strings.Compare(a.Capability, b.Capability),
			strings.Compare(a.Scope.Workspace, b.Scope.Workspace),
			strings.Compare(a.Scope.Group, b.Scope.Group),
			strings.Compare(a.Consumer, b.Consumer))
	})
	return out
}

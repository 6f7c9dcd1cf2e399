package vault

import (
	"cmp"
	"context"
	"slices"
	"strings"
)

// View implements Store.
func (l *Local) View(ctx context.Context, f func(Reader) error) error {
	return l.view(ctx, func(t *txn) error { return f(reader{t}) })
}

// A reader is a Reader in a transaction, or of a vault that does not exist.
type reader struct{ t *txn }

func (r reader) Secret(id ID) (*Secret, error) {
	if r.t == nil {
		return nil, errNoSecret(id.String())
	}
	return r.t.needSecret(id, 0)
}

func (r reader) SecretNamed(scope Scope, name string) (*Secret, error) {
	if r.t == nil {
		return nil, nil
	}
	id, alias, ok, err := r.t.named(scope, name)
	if !ok || alias || err != nil {
		return nil, err
	}
	s, err := r.t.indexed(id)
	if err == nil && (s.Name != name || s.Scope != scope) {
		err = errCorrupt("an index of the vault")
	}
	return s, err
}

func (r reader) NameTaken(scope Scope, name string) (bool, error) {
	if r.t == nil {
		return false, nil
	}
	id, _, taken, err := r.t.named(scope, name)
	if !taken || err != nil {
		return false, err
	}
	s, err := r.t.indexed(id)
	if err == nil && (s.Scope != scope || s.Name != name && !slices.Contains(s.Aliases, name)) {
		err = errCorrupt("an index of the vault")
	}
	return err == nil, err
}

func (r reader) Attached(g GroupRef, provider string) ([]*Secret, error) {
	return r.row(func(s *Secret) bool {
		return s.PinnedProvider == provider && slices.Contains(s.Attached, g)
	}, ixAttachedPinned, g.Workspace, g.Group, provider)
}

func (r reader) Pinned(provider string) ([]*Secret, error) {
	return r.row(func(s *Secret) bool { return s.PinnedProvider == provider }, ixPinned, provider)
}

// row loads the secrets of an index row, which must be what the row says.
func (r reader) row(fits func(*Secret) bool, ix uint8, fields ...string) ([]*Secret, error) {
	if r.t == nil {
		return nil, nil
	}
	ids, err := r.t.row(ix, fields...)
	if err != nil {
		return nil, err
	}
	var out []*Secret
	for _, id := range ids {
		s, err := r.t.indexed(id)
		if err != nil {
			return nil, err
		}
		if !fits(s) {
			return nil, errCorrupt("an index of the vault")
		}
		out = append(out, s)
	}
	return out, nil
}

func (r reader) Credential(id string) (*Credential, error) {
	if r.t == nil {
		return nil, nil
	}
	_, c, err := r.t.findCredential(id)
	return c, err
}

func (r reader) CredentialsOf(provider string, scope Scope) ([]*Credential, error) {
	if r.t == nil {
		return nil, nil
	}
	level, ws, group := scope.names()
	recs, err := r.t.row(ixCredentialsOf, provider, level, ws, group)
	if err != nil {
		return nil, err
	}
	creds, err := r.t.credentialsIn(recs, func(c *Credential) bool { return c.Provider == provider && c.Scope == scope })
	sortCredentials(creds)
	return creds, err
}

func (r reader) CredentialsWith(secret ID) ([]*Credential, error) {
	if r.t == nil {
		return nil, nil
	}
	creds, err := r.t.credentialsOfSecret(secret)
	sortCredentials(creds)
	return creds, err
}

func (r reader) Credentials() ([]*Credential, error) {
	if r.t == nil {
		return nil, nil
	}
	recs, err := r.t.all(kindCredential)
	if err != nil {
		return nil, err
	}
	creds, err := r.t.credentialsIn(recs, func(*Credential) bool { return true })
	sortCredentials(creds)
	return creds, err
}

func sortCredentials(creds []*Credential) {
	slices.SortFunc(creds, func(a, b *Credential) int { return strings.Compare(a.ID, b.ID) })
}

func (r reader) Disabled() ([]string, error) {
	if r.t == nil {
		return nil, nil
	}
	recs, err := r.t.all(kindDisabled)
	if err != nil {
		return nil, err
	}
	var ids []string
	for _, rec := range recs {
		id, err := r.t.disabled(rec)
		if err != nil {
			return nil, err
		}
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return ids, nil
}

func (r reader) IsDisabled(id string) (bool, error) {
	if r.t == nil {
		return false, nil
	}
	_, off, err := r.t.findDisabled(id)
	return off, err
}

func (r reader) Capability(id string) (*Capability, error) {
	if r.t == nil {
		return nil, nil
	}
	_, c, err := r.t.findCapability(id)
	return c, err
}

func (r reader) Capabilities() ([]*Capability, error) {
	if r.t == nil {
		return nil, nil
	}
	recs, err := r.t.all(kindCapability)
	if err != nil {
		return nil, err
	}
	var out []*Capability
	for _, rec := range recs {
		c, err := r.t.capability(rec)
		if err != nil {
			return nil, err
		}
		out = append(out, c)
	}
	slices.SortFunc(out, func(a, b *Capability) int { return strings.Compare(a.ID, b.ID) })
	return out, nil
}

func (r reader) Binding(capability string, scope Scope, consumer string) (*Binding, error) {
	if r.t == nil {
		return nil, nil
	}
	_, b, err := r.t.findBinding(capability, scope, consumer)
	return b, err
}

func (r reader) Bindings(capability string) ([]*Binding, error) {
	if r.t == nil {
		return nil, nil
	}
	recs, err := r.bindingIDs(capability)
	if err != nil {
		return nil, err
	}
	return r.bindings(recs, func(b *Binding) bool { return capability == "" || b.Capability == capability })
}

func (r reader) bindingIDs(capability string) ([]ID, error) {
	if capability == "" {
		return r.t.all(kindBinding)
	}
	return r.t.row(ixBindingsOf, capability)
}

func (r reader) BindingsWith(secret ID) ([]*Binding, error) {
	if r.t == nil {
		return nil, nil
	}
	recs, err := r.t.row(ixBindSecret, secret.String())
	if err != nil {
		return nil, err
	}
	return r.bindings(recs, func(b *Binding) bool { return b.Secret == secret })
}

// bindings loads bindings, which must be what their index row says, in order.
func (r reader) bindings(recs []ID, fits func(*Binding) bool) ([]*Binding, error) {
	var out []*Binding
	for _, rec := range recs {
		b, err := r.t.binding(rec)
		if err == nil && !fits(b) {
			err = errCorrupt("an index of the vault")
		}
		if err != nil {
			return nil, err
		}
		out = append(out, b)
	}
	slices.SortFunc(out, func(a, b *Binding) int {
		return cmp.Or(strings.Compare(a.Capability, b.Capability), compareScopes(a.Scope, b.Scope), strings.Compare(a.Consumer, b.Consumer))
	})
	return out, nil
}

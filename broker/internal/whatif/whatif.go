// Package whatif looks at a vault as it would be after a change. A [Reader]
// stands before the vault's own and answers as that would: what asks it cannot
// tell that nothing was changed. Nothing is written, and what is not touched
// costs what it costs anyway.
package whatif

import (
	"cmp"
	"slices"
	"strings"

	"aivault/keys/fault"
	"aivault/vault"
)

// A Reader is a vault.Reader of a vault after changes, made by its methods in
// the order in which they are called. It is valid for as long as the Reader
// that it stands before, and for one goroutine.
type Reader struct {
	vault.Reader
	gone   map[vault.ID]bool
	lost   map[string]bool               // ids of stored credentials that were deleted
	off    map[string]bool               // ids of others that were disabled
	groups map[vault.ID][]vault.GroupRef // of secrets whose groups changed: all that they have
	bound  map[place]*vault.Binding      // of places that changed; nil: none there
}

// A place is where a binding is.
type place struct {
	capability string
	scope      vault.Scope
	consumer   string
}

func placeOf(b *vault.Binding) place { return place{b.Capability, b.Scope, b.Consumer} }

// New returns a Reader of the vault as r sees it.
func New(r vault.Reader) *Reader {
	return &Reader{
		Reader: r, gone: map[vault.ID]bool{}, lost: map[string]bool{}, off: map[string]bool{}, groups: map[vault.ID][]vault.GroupRef{}, bound: map[place]*vault.Binding{},
	}
}

// Share attaches a secret to a group or detaches it, whatever its revision.
func (r *Reader) Share(s vault.Sharing) error {
	sec, err := r.Secret(s.Secret)
	if err != nil {
		return err
	}
	i := slices.Index(sec.Attached, s.Group)
	switch {
	case s.Detach && i >= 0:
		r.groups[sec.ID] = slices.Delete(sec.Attached, i, i+1)
	case !s.Detach && i < 0 && sec.Scope != s.Group.Scope():
		r.groups[sec.ID] = append(sec.Attached, s.Group)
	}
	return nil
}

// Delete removes a secret with its credentials, attachments and bindings.
func (r *Reader) Delete(id vault.ID) error {
	_, err := r.Secret(id)
	r.gone[id] = true
	return err
}

// DeleteCredential removes a stored credential, if there is one.
func (r *Reader) DeleteCredential(id string) { r.lost[id] = true }

// DisableCredential disables a credential that a registry makes.
func (r *Reader) DisableCredential(id string) { r.off[id] = true }

// Bind makes or replaces a binding, which was checked.
func (r *Reader) Bind(b vault.Binding) { r.bound[placeOf(&b)] = &b }

// Unbind removes a binding, if there is one.
func (r *Reader) Unbind(capability string, scope vault.Scope, consumer string) {
	r.bound[place{capability, scope, consumer}] = nil
}

// Secret implements vault.Reader.
func (r *Reader) Secret(id vault.ID) (*vault.Secret, error) {
	if r.gone[id] {
		return nil, fault.New(fault.SecretNotFound, "there is no secret %s", id)
	}
	s, err := r.Reader.Secret(id)
	return r.changed(s), err
}

// changed returns a secret as it is after the changes; nil if it is gone.
func (r *Reader) changed(s *vault.Secret) *vault.Secret {
	if s == nil || r.gone[s.ID] {
		return nil
	}
	if groups, ok := r.groups[s.ID]; ok {
		s.Attached = slices.Clone(groups)
		slices.SortFunc(s.Attached, func(a, b vault.GroupRef) int {
			return cmp.Or(strings.Compare(a.Workspace, b.Workspace), strings.Compare(a.Group, b.Group))
		})
	}
	return s
}

// SecretNamed implements vault.Reader.
func (r *Reader) SecretNamed(scope vault.Scope, name string) (*vault.Secret, error) {
	s, err := r.Reader.SecretNamed(scope, name)
	return r.changed(s), err
}

// NameTaken implements vault.Reader. A name or alias whose secret is gone is
// free, and no other secret of the scope can have it.
func (r *Reader) NameTaken(scope vault.Scope, name string) (bool, error) {
	for id := range r.gone {
		s, err := r.Reader.Secret(id)
		if err != nil {
			return false, err
		}
		if s.Scope == scope && (s.Name == name || slices.Contains(s.Aliases, name)) {
			return false, nil
		}
	}
	return r.Reader.NameTaken(scope, name)
}

// Attached implements vault.Reader.
func (r *Reader) Attached(g vault.GroupRef, provider string) ([]*vault.Secret, error) {
	stored, err := r.Reader.Attached(g, provider)
	if err != nil {
		return nil, err
	}
	var out []*vault.Secret
	for _, s := range stored {
		if _, shared := r.groups[s.ID]; !shared && !r.gone[s.ID] {
			out = append(out, s)
		}
	}
	for id, groups := range r.groups {
		if r.gone[id] || !slices.Contains(groups, g) {
			continue
		}
		s, err := r.Secret(id)
		if err != nil {
			return nil, err
		}
		if s.PinnedProvider == provider {
			out = append(out, s)
		}
	}
	slices.SortFunc(out, func(a, b *vault.Secret) int { return slices.Compare(a.ID[:], b.ID[:]) })
	return out, nil
}

// Pinned implements vault.Reader.
func (r *Reader) Pinned(provider string) ([]*vault.Secret, error) {
	stored, err := r.Reader.Pinned(provider)
	var out []*vault.Secret
	for _, s := range stored {
		if s = r.changed(s); s != nil {
			out = append(out, s)
		}
	}
	return out, err
}

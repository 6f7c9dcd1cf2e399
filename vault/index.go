package vault

import (
	"bytes"

	"aivault/vault/internal/store"
)

// Kinds of index entries; see the package comment.
const (
	ixName           = 1
	ixScope          = 2
	ixAttached       = 3
	ixAttachedPinned = 4
	ixPinned         = 5
	ixCredential     = 6
	ixCredentialsOf  = 7
	ixCredSecret     = 8
	ixCapability     = 9
	ixBinding        = 10
	ixBindingsOf     = 11
	ixBindSecret     = 12
	ixDisabled       = 13
	ixPolicy         = 14
	ixGrant          = 15
	ixProvider       = 16
	ixClaim          = 17
)

// An entry is one entry of the index.
type entry struct{ key, value []byte }

// slot is the key of an index entry, or the prefix of a row of them.
func (t *txn) slot(ix uint8, fields ...string) []byte {
	h := t.ring.Index(ix, fields...)
	return append([]byte{ix}, h[:]...)
}

// unique is an entry that leads to one record.
func (t *txn) unique(id ID, ix uint8, fields ...string) entry {
	return entry{t.slot(ix, fields...), id[:]}
}

// member is an entry that puts a record into a row.
func (t *txn) member(id ID, ix uint8, fields ...string) entry {
	return entry{append(t.slot(ix, fields...), id[:]...), []byte{}}
}

// names are the fields of a scope in an index key.
func (s Scope) names() (level, workspace, group string) {
	return s.Level.String(), s.Workspace, s.Group
}

// Flags of an ixName entry, behind the id.
const (
	isName  = 0
	isAlias = 1
)

func (t *txn) nameEntry(s Scope, name string, id ID, flag byte) entry {
	level, ws, group := s.names()
	return entry{t.slot(ixName, level, ws, group, name), append(bytes.Clone(id[:]), flag)}
}

func (t *txn) secretEntries(s *Secret) []entry {
	level, ws, group := s.Scope.names()
	entries := []entry{
		t.nameEntry(s.Scope, s.Name, s.ID, isName),
		t.member(s.ID, ixScope, level, ws, group),
	}
	for _, alias := range s.Aliases {
		entries = append(entries, t.nameEntry(s.Scope, alias, s.ID, isAlias))
	}
	for _, g := range s.Attached {
		entries = append(entries, t.member(s.ID, ixAttached, g.Workspace, g.Group))
		if s.PinnedProvider != "" {
			entries = append(entries, t.member(s.ID, ixAttachedPinned, g.Workspace, g.Group, s.PinnedProvider))
		}
	}
	if s.PinnedProvider != "" {
		entries = append(entries, t.member(s.ID, ixPinned, s.PinnedProvider))
	}
	return entries
}

func (t *txn) credentialEntries(rec ID, c *Credential) []entry {
	level, ws, group := c.Scope.names()
	return []entry{
		t.unique(rec, ixCredential, c.ID),
		t.member(rec, ixCredentialsOf, c.Provider, level, ws, group),
		t.member(rec, ixCredSecret, c.Secret.String()),
	}
}

func (t *txn) capabilityEntries(rec ID, c *Capability) []entry {
	return []entry{t.unique(rec, ixCapability, c.ID)}
}

func (t *txn) policyEntries(rec ID, p *Policy) []entry {
	return []entry{t.unique(rec, ixPolicy, p.Capability)}
}

func (t *txn) bindingEntries(rec ID, b *Binding) []entry {
	level, ws, group := b.Scope.names()
	return []entry{
		t.unique(rec, ixBinding, b.Capability, level, ws, group, b.Consumer),
		t.member(rec, ixBindingsOf, b.Capability),
		t.member(rec, ixBindSecret, b.Secret.String()),
	}
}

func (t *txn) disabledEntries(rec ID, id string) []entry {
	return []entry{t.unique(rec, ixDisabled, id)}
}

// named returns the secret of a scope that has a name, and whether it has it
// as an alias only.
func (t *txn) named(scope Scope, name string) (id ID, alias, ok bool, err error) {
	level, ws, group := scope.names()
	v := t.tx.Get(store.Index, t.slot(ixName, level, ws, group, name))
	switch {
	case v == nil:
		return id, false, false, nil
	case len(v) != len(id)+1:
		return id, false, false, errCorrupt("an index of the vault")
	}
	return ID(v[:len(id)]), v[len(id)] == isAlias, true, nil
}

// find returns the record that a unique entry leads to.
func (t *txn) find(ix uint8, fields ...string) (id ID, ok bool, err error) {
	v := t.tx.Get(store.Index, t.slot(ix, fields...))
	if v == nil {
		return id, false, nil
	}
	if len(v) != len(id) {
		return id, false, errCorrupt("an index of the vault")
	}
	return ID(v), true, nil
}

// row returns the records of a row.
func (t *txn) row(ix uint8, fields ...string) ([]ID, error) {
	prefix := t.slot(ix, fields...)
	var ids []ID
	err := t.tx.Range(store.Index, store.Span{Prefix: prefix}, func(k, _ []byte) error {
		if len(k) != len(prefix)+len(ID{}) {
			return errCorrupt("an index of the vault")
		}
		ids = append(ids, ID(k[len(prefix):]))
		return nil
	})
	return ids, err
}

// all returns the ids of every record of a kind.
func (t *txn) all(k kind) ([]ID, error) {
	var ids []ID
	err := t.each(k, func(id ID, _ []byte) error {
		ids = append(ids, id)
		return nil
	})
	return ids, err
}

// each calls f for every record of a kind, which is sealed.
func (t *txn) each(k kind, f func(id ID, rec []byte) error) error {
	return t.tx.Range(store.Records, store.Span{Prefix: []byte{byte(k)}}, func(key, rec []byte) error {
		if len(key) != 1+len(ID{}) {
			return errCorrupt("a record of the vault")
		}
		return f(ID(key[1:]), rec)
	})
}

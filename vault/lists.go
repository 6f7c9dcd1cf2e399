package vault

import (
	"cmp"
	"context"
	"encoding/hex"
	"slices"
	"strings"
	"time"

	"aivault/keys/fault"
	"aivault/vault/internal/store"
)

// minPrefix is how many hex digits of an id name a secret at the least.
const minPrefix = 6

// FindSecret implements Vault.
func (l *Local) FindSecret(ctx context.Context, ref string) (Secret, error) {
	var out Secret
	err := l.view(ctx, func(t *txn) error {
		id, err := ParseSecretRef(ref)
		if err != nil {
			if id, err = t.findPrefix(ref); err != nil {
				return err
			}
		}
		if t == nil {
			return errNoSecret(ref)
		}
		s, err := t.needSecret(id, 0)
		if err == nil {
			out = *s
		}
		return err
	})
	return out, err
}

// findPrefix returns the one secret whose id starts with the given digits.
func (t *txn) findPrefix(ref string) (id ID, err error) {
	digits := strings.ToLower(strings.ReplaceAll(strings.TrimPrefix(ref, "vault:secret:"), "-", ""))
	padded, err := hex.DecodeString(digits + "0"[:len(digits)%2])
	if err != nil || len(digits) < minPrefix || len(digits) > 2*len(id) {
		return id, fault.New(fault.InvalidRequest, "%q is no secret id", ref).
			WithHint("give an id, vault:secret:ID, or at least the first %d digits of an id; `aivault secrets list` shows the ids", minPrefix)
	}
	if t == nil {
		return id, errNoSecret(ref)
	}
	found := 0
	prefix := append([]byte{byte(kindSecret)}, padded[:len(digits)/2]...)
	err = t.tx.Range(store.Records, store.Span{Prefix: prefix}, func(k, _ []byte) error {
		if len(k) != 1+len(id) {
			return errCorrupt("a record of the vault")
		}
		if strings.HasPrefix(hex.EncodeToString(k[1:]), digits) {
			id = ID(k[1:])
			found++
		}
		if found > 1 {
			return store.ErrStop
		}
		return nil
	})
	switch {
	case err != nil:
		return id, err
	case found == 0:
		return id, errNoSecret(ref)
	case found > 1:
		return id, fault.New(fault.InvalidRequest, "more than one secret id starts with %s", ref).WithHint("give more digits of the id")
	}
	return id, nil
}

// Secrets implements Vault.
func (l *Local) Secrets(ctx context.Context, scope *Scope) ([]Secret, error) {
	var out []Secret
	err := l.view(ctx, func(t *txn) (err error) {
		switch {
		case t == nil:
		case scope == nil:
			out, err = t.allSecrets()
		default:
			out, err = t.secretsOf(*scope)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	sortSecrets(out)
	return out, nil
}

func (t *txn) secretsOf(scope Scope) ([]Secret, error) {
	if err := scope.Validate(); err != nil {
		return nil, err
	}
	level, ws, group := scope.names()
	ids, err := t.row(ixScope, level, ws, group)
	if err != nil {
		return nil, err
	}
	return t.secrets(ids, scope)
}

// allSecrets walks the records of all secrets, and those of their last uses.
// With many of them, one lookup of each would be most of the work.
func (t *txn) allSecrets() ([]Secret, error) {
	used := map[ID]time.Time{}
	n := 0
	err := t.each(kindUsage, func(id ID, rec []byte) error {
		b, _, err := t.ring.OpenMeta(uint8(kindUsage), id, rec)
		if err == nil {
			used[id], err = decodeUsage(b)
		}
		if err != nil {
			return errCorrupt("a record of the vault")
		}
		return nil
	})
	if err == nil {
		err = t.each(kindSecret, func(ID, []byte) error { n++; return nil })
	}
	if err != nil {
		return nil, err
	}
	out := make([]Secret, 0, n)
	err = t.each(kindSecret, func(id ID, rec []byte) error {
		b, rev, err := t.ring.OpenMeta(uint8(kindSecret), id, rec)
		if err != nil {
			return errCorrupt("a record of the vault")
		}
		out = append(out, Secret{})
		s := &out[len(out)-1]
		if err := s.decode(id, rev, b); err != nil {
			return errCorrupt("a secret")
		}
		s.LastUsedAt = used[id]
		return nil
	})
	return out, err
}

// sortSecrets sorts by scope and name. It moves each secret once, as they are
// large.
func sortSecrets(list []Secret) {
	order := make([]int, len(list))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(i, j int) int {
		a, b := &list[i], &list[j]
		return cmp.Or(compareScopes(a.Scope, b.Scope), strings.Compare(a.Name, b.Name))
	})
	for start := range order {
		if order[start] == start {
			continue
		}
		first := list[start] // of a cycle of places that exchange what they hold
		for to := start; ; {
			from := order[to]
			order[to] = to
			if from == start {
				list[to] = first
				break
			}
			list[to] = list[from]
			to = from
		}
	}
}

// secrets loads secrets that an index names as those of a scope: one that is
// missing, or is another's, is damage.
func (t *txn) secrets(ids []ID, scope Scope) ([]Secret, error) {
	out := make([]Secret, 0, len(ids))
	for _, id := range ids {
		s, err := t.indexed(id)
		if err == nil && s.Scope != scope {
			err = errCorrupt("an index of the vault")
		}
		if err != nil {
			return nil, err
		}
		out = append(out, *s)
	}
	return out, nil
}

// indexed loads a secret that an index names.
func (t *txn) indexed(id ID) (*Secret, error) {
	s, err := t.secret(id)
	if err == nil && s == nil {
		err = errCorrupt("an index of the vault")
	}
	return s, err
}

func compareScopes(a, b Scope) int {
	return cmp.Or(strings.Compare(a.Workspace, b.Workspace), strings.Compare(a.Group, b.Group))
}

// Effective implements Vault.
func (l *Local) Effective(ctx context.Context, c Context) ([]Effective, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	var out []Effective
	err := l.view(ctx, func(t *txn) error {
		if t == nil {
			return nil
		}
		var err error
		out, err = t.effective(c)
		return err
	})
	return out, err
}

func (t *txn) effective(c Context) ([]Effective, error) {
	var ids []ID
	for _, scope := range c.Scopes() {
		level, ws, group := scope.names()
		more, err := t.row(ixScope, level, ws, group)
		if err != nil {
			return nil, err
		}
		ids = append(ids, more...)
	}
	if c.Group != "" {
		more, err := t.row(ixAttached, c.Workspace, c.Group)
		if err != nil {
			return nil, err
		}
		ids = append(ids, more...)
	}
	var out []Effective
	seen := map[ID]bool{}
	for _, id := range ids {
		if seen[id] {
			continue
		}
		seen[id] = true
		s, err := t.indexed(id)
		if err != nil {
			return nil, err
		}
		if tier, attached := s.SeenFrom(c); tier > 0 {
			out = append(out, Effective{Secret: *s, Tier: tier, Attached: attached})
		}
	}
	shadow(out)
	return out, nil
}

// shadow sorts by name and rank, and marks what stands behind another of its
// name. Two of the same rank do not shadow each other: using them is ambiguous.
func shadow(list []Effective) {
	rank := func(e *Effective) int {
		r := 2 * int(e.Tier)
		if e.Attached {
			r--
		}
		return r
	}
	slices.SortFunc(list, func(a, b Effective) int {
		return cmp.Or(strings.Compare(a.Name, b.Name), cmp.Compare(rank(&b), rank(&a)), slices.Compare(a.ID[:], b.ID[:]))
	})
	for i := range list {
		winner := &list[i]
		for j := i; j > 0 && list[j-1].Name == winner.Name; j-- {
			if rank(&list[j-1]) > rank(&list[i]) {
				id := list[j-1].ID
				list[i].ShadowedBy = &id
			}
		}
	}
}

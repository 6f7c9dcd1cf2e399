package vault

import (
	"bytes"
	"context"
	"slices"

	"aivault/vault/internal/store"
)

// A ScopeCount is a scope with the number of secrets that are its own, and of
// those of other scopes that are attached to it (only to groups).
type ScopeCount struct {
	Scope         Scope
	Own, Attached int
}

// Scopes implements Vault. It counts the entries of index rows, and opens one
// record of a row to learn which scope the row is for.
func (l *Local) Scopes(ctx context.Context) ([]ScopeCount, error) {
	counts := scopeCounts{}
	counts.at(GlobalScope())
	err := l.view(ctx, func(t *txn) error {
		if t == nil {
			return nil
		}
		if err := t.countOwn(counts); err != nil {
			return err
		}
		return t.countAttached(counts)
	})
	if err != nil {
		return nil, err
	}
	list := make([]ScopeCount, 0, len(counts))
	for _, c := range counts {
		list = append(list, *c)
	}
	slices.SortFunc(list, func(a, b ScopeCount) int { return compareScopes(a.Scope, b.Scope) })
	return list, nil
}

// scopeCounts are counts by scope.
type scopeCounts map[Scope]*ScopeCount

// at returns the count of a scope, which exists from now on, and so does the
// workspace of a group.
func (c scopeCounts) at(s Scope) *ScopeCount {
	n := c[s]
	if n == nil {
		n = &ScopeCount{Scope: s}
		c[s] = n
	}
	if s.Level == Group {
		c.at(Scope{Level: Workspace, Workspace: s.Workspace})
	}
	return n
}

// countOwn counts the secrets of each scope.
func (t *txn) countOwn(counts scopeCounts) error {
	return t.eachRow(ixScope, func(row []byte, first ID, n int) error {
		s, err := t.indexed(first)
		if err != nil {
			return err
		}
		level, ws, group := s.Scope.names()
		if !bytes.Equal(row, t.slot(ixScope, level, ws, group)) {
			return errCorrupt("an index of the vault")
		}
		counts.at(s.Scope).Own = n
		return nil
	})
}

// countAttached counts the secrets that are attached to each group. A secret
// tells the rows of all its groups: one that was shared with every group is
// opened once.
func (t *txn) countAttached(counts scopeCounts) error {
	rows := map[string]GroupRef{}
	known := map[GroupRef]bool{}
	learn := func(id ID) error {
		s, err := t.indexed(id)
		if err != nil {
			return err
		}
		for _, g := range s.Attached {
			if !known[g] {
				known[g] = true
				rows[string(t.slot(ixAttached, g.Workspace, g.Group))] = g
			}
		}
		return nil
	}
	return t.eachRow(ixAttached, func(row []byte, first ID, n int) error {
		g, ok := rows[string(row)]
		if !ok {
			if err := learn(first); err != nil {
				return err
			}
			if g, ok = rows[string(row)]; !ok {
				return errCorrupt("an index of the vault")
			}
		}
		counts.at(g.Scope()).Attached = n
		return nil
	})
}

// eachRow calls f for every row of an index whose entries are members, with the
// row's key, its first record, and how many it has.
func (t *txn) eachRow(ix uint8, f func(row []byte, first ID, n int) error) error {
	const length = 1 + 16 // of a row's key: see slot
	var (
		row   []byte // a key of the transaction: valid as long as it runs
		first ID
		n     int
	)
	flush := func() error {
		if n == 0 {
			return nil
		}
		return f(row, first, n)
	}
	err := t.tx.Range(store.Index, store.Span{Prefix: []byte{ix}}, func(k, _ []byte) error {
		if len(k) != length+len(first) {
			return errCorrupt("an index of the vault")
		}
		if n > 0 && bytes.Equal(row, k[:length]) {
			n++
			return nil
		}
		if err := flush(); err != nil {
			return err
		}
		row, first, n = k[:length], ID(k[length:]), 1
		return nil
	})
	if err != nil {
		return err
	}
	return flush()
}

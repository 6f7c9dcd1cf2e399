package secrets

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"aivault/ui/tui/widget"
	"aivault/vault"
)

// overdue is the age at which a value should have been rotated.
const overdue = 90 * 24 * time.Hour

// A row is one secret of the list, as the selected node sees it.
type row struct {
	*vault.Secret
	key      string
	attached bool   // reached by attachment to the group
	from     string // where it comes from, for people
	winner   string // what overrides it here, for people; empty: nothing does
	twin     bool   // another one of its name has the same rank: which one is meant is ambiguous
	search   string // what the filter looks through, in lower case
}

// The ranks of rows: what is nearest to the node comes first.
func (r *row) rank(c vault.Context) int {
	switch {
	case r.Scope == c.Scope():
		return 0
	case r.attached:
		return 1
	case r.Scope.Level == vault.Workspace:
		return 2
	}
	return 3
}

// effective makes the rows of what a context sees: what is nearest first, then
// by name.
func effective(list []vault.Effective, c vault.Context) []row {
	at := make(map[vault.ID]int, len(list))
	for i := range list {
		at[list[i].ID] = i
	}
	rows := make([]row, len(list))
	for i := range list {
		e := &list[i]
		r := row{Secret: &e.Secret, key: keyOf(e.ID), attached: e.Attached, from: from(e, c)}
		if e.ShadowedBy != nil {
			r.winner = "another one"
			if w, ok := at[*e.ShadowedBy]; ok {
				r.winner = winner(&list[w], c)
			}
		}
		// The list is by name and rank: a twin is a neighbour.
		for _, j := range []int{i - 1, i + 1} {
			if j >= 0 && j < len(list) && list[j].Name == e.Name && list[j].Tier == e.Tier && list[j].Attached == e.Attached {
				r.twin = e.ShadowedBy == nil
			}
		}
		r.search = searchable(r.Secret)
		rows[i] = r
	}
	slices.SortStableFunc(rows, func(a, b row) int {
		return cmp.Or(cmp.Compare(a.rank(c), b.rank(c)), strings.Compare(a.Name, b.Name))
	})
	return rows
}

// everything makes the rows of all secrets, in the order of the list.
func everything(list []vault.Secret) []row {
	rows := make([]row, len(list))
	for i := range list {
		s := &list[i]
		rows[i] = row{Secret: s, key: keyOf(s.ID), from: scopePath(s.Scope), search: searchable(s)}
	}
	return rows
}

// keyOf is the key of a secret in the list.
func keyOf(id vault.ID) string { return string(id[:]) }

// from says where a secret comes from: own, attached, the name of the
// workspace, or global.
func from(e *vault.Effective, c vault.Context) string {
	switch word := e.From(c); word {
	case vault.Workspace.String():
		return e.Scope.Workspace
	default:
		return word
	}
}

// winner names a secret that overrides another one.
func winner(e *vault.Effective, c vault.Context) string {
	switch {
	case e.Attached:
		return "the attached one of " + scopePath(e.Scope)
	case e.Scope == c.Scope() && e.Scope.Level == vault.Group:
		return e.Scope.Group
	}
	return scopePath(e.Scope)
}

// searchable is what the filter looks through for words.
func searchable(s *vault.Secret) string {
	return strings.ToLower(strings.Join(append([]string{s.Name, scopePath(s.Scope), s.PinnedProvider}, s.Aliases...), "\n"))
}

// isOverdue reports whether the value should have been rotated.
func (r *row) isOverdue(now time.Time) bool { return now.Sub(r.RotatedAt) >= overdue }

// fields are what the filter knows besides words.
func fields() []string {
	return []string{"ws:", "group:", "provider:", "pinned", "shadowed", "unused", "attached", "overdue"}
}

// is answers the filter: whether a field of the row has a value, which is in
// lower case. A secret is of the groups that it is attached to, too.
func (r *row) is(name, value string, now time.Time) bool {
	has := func(s string) bool { return strings.Contains(strings.ToLower(s), value) }
	switch name {
	case "ws":
		return has(r.Scope.Workspace) || slices.ContainsFunc(r.Attached, func(g vault.GroupRef) bool { return has(g.Workspace) })
	case "group":
		return has(r.Scope.Group) || slices.ContainsFunc(r.Attached, func(g vault.GroupRef) bool { return has(g.Group) })
	case "provider":
		return has(r.PinnedProvider)
	case "pinned":
		return r.PinnedProvider != ""
	case "shadowed":
		return r.winner != ""
	case "unused":
		return r.LastUsedAt.IsZero()
	case "attached":
		return r.attached || len(r.Attached) > 0
	case "overdue":
		return r.isOverdue(now)
	}
	return false
}

// filtered returns which rows show: those of the scope's own, if only these are
// wanted, that the filter lets through.
func filtered(rows []row, f widget.Filter, own bool, c vault.Context, now time.Time) []int {
	shown := make([]int, 0, len(rows))
	for i := range rows {
		r := &rows[i]
		if own && r.Scope != c.Scope() {
			continue
		}
		if f.Match(r.search, func(name, value string) bool { return r.is(name, value, now) }) {
			shown = append(shown, i)
		}
	}
	return shown
}

// scopePath names a scope as people type it: global, web-shop,
// web-shop/payments.
func scopePath(s vault.Scope) string {
	switch {
	case s.Level == vault.Group:
		return s.GroupRef().String()
	case s.Level == vault.Workspace && s.Workspace == vault.Global.String():
		return s.String() // which a bare word would take for the global scope
	case s.Level == vault.Workspace:
		return s.Workspace
	}
	return s.Level.String()
}

// scopeWords says whose a secret of a scope is: "secret of group payments in
// web-shop".
func scopeWords(s vault.Scope) string {
	switch s.Level {
	case vault.Group:
		return "group " + s.Group + " in " + s.Workspace
	case vault.Workspace:
		return "workspace " + s.Workspace
	}
	return "the global scope"
}

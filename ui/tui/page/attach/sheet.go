package attach

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"aivault/keys/fault"
	"aivault/ui/app"
	"aivault/ui/tui/form"
	"aivault/ui/tui/ops"
	"aivault/ui/tui/text"
	"aivault/ui/tui/view"
	"aivault/vault"
)

// A sheet is what the checklist is made from, as it was read.
type sheet struct {
	secrets []vault.Secret // those that are asked for, or all where it is for a group
	byID    map[vault.ID]*vault.Secret
	scopes  []vault.ScopeCount // where it is for secrets
	items   []form.Item        // the rows of the checklist
}

func read(ctx context.Context, be app.Backend, ask view.OpenAttach) (*sheet, error) {
	s := &sheet{byID: map[vault.ID]*vault.Secret{}}
	var err error
	if len(ask.Secrets) == 0 {
		s.secrets, err = be.Secrets(ctx, nil)
	} else {
		for _, id := range ask.Secrets {
			one, err := be.FindSecret(ctx, id.String())
			if err != nil {
				return nil, err
			}
			s.secrets = append(s.secrets, one)
		}
		s.scopes, err = be.Scopes(ctx)
	}
	if err != nil {
		return nil, err
	}
	for i := range s.secrets {
		s.byID[s.secrets[i].ID] = &s.secrets[i]
	}
	s.items = s.rows(ask)
	return s, nil
}

// outdates reports whether one of the secrets is not what it was any more.
func (s *sheet) outdates(changes []vault.Sharing) bool {
	return slices.ContainsFunc(changes, func(c vault.Sharing) bool {
		now := s.byID[c.Secret]
		return now == nil || vault.IfRevision(now.Revision) != c.Revision
	})
}

// rows makes the rows of the checklist.
func (s *sheet) rows(ask view.OpenAttach) []form.Item {
	if len(ask.Secrets) == 0 {
		return s.secretItems(ask.Group)
	}
	var items []form.Item
	for _, c := range s.scopes {
		if c.Scope.Level == vault.Group {
			items = append(items, s.groupItem(c))
		}
	}
	return items
}

// groupItem is the row of a group: attached to all of the secrets, to some, or
// to none. Those whose own scope it is have it anyway, and do not count.
func (s *sheet) groupItem(c vault.ScopeCount) form.Item {
	g := c.Scope.GroupRef()
	item := form.Item{Key: g.String(), Label: g.String(), Note: counted(c)}
	attached, own := 0, 0
	for _, sec := range s.secrets {
		switch {
		case sec.Scope == c.Scope:
			own++
		case isAttached(&sec, g):
			attached++
		}
	}
	free := len(s.secrets) - own
	switch {
	case free == 0:
		item.On, item.Note, item.Fixed = true, "own scope", ownScope
	case attached == free:
		item.On = true
	case attached > 0:
		item.Some = true
		item.Note = text.Number(attached) + " of " + text.Number(free)
	}
	return item
}

// ownScope is why a secret is not detached from the scope that it was stored in.
const ownScope = "its own scope: it stays there"

// counted says what a group has.
func counted(c vault.ScopeCount) string {
	var parts []string
	if c.Own > 0 {
		parts = append(parts, text.Number(c.Own)+" own")
	}
	if c.Attached > 0 {
		parts = append(parts, text.Number(c.Attached)+" attached")
	}
	return strings.Join(parts, ", ")
}

// secretItems are the rows of all secrets: those of the group first, then by
// name.
func (s *sheet) secretItems(g vault.GroupRef) []form.Item {
	order := make([]*vault.Secret, len(s.secrets))
	for i := range s.secrets {
		order[i] = &s.secrets[i]
	}
	rank := func(sec *vault.Secret) int {
		if sec.Scope == g.Scope() || isAttached(sec, g) {
			return 0
		}
		return 1
	}
	slices.SortStableFunc(order, func(a, b *vault.Secret) int {
		return cmp.Or(rank(a)-rank(b), strings.Compare(a.Name, b.Name), cmp.Compare(a.Scope.Level, b.Scope.Level))
	})
	called := map[string]int{}
	for _, sec := range order {
		called[sec.Name]++
	}
	items := make([]form.Item, len(order))
	for i, sec := range order {
		items[i] = form.Item{Key: sec.ID.String(), Label: sec.Name, Note: ops.Place(sec.Scope), On: isAttached(sec, g)}
		if called[sec.Name] > 1 { // the place is part of what it is called
			items[i].Label, items[i].Note = sec.Name+" ("+items[i].Note+")", ""
		}
		if sec.Scope == g.Scope() {
			items[i].On, items[i].Note, items[i].Fixed = true, "own scope", ownScope
		}
	}
	return items
}

func isAttached(s *vault.Secret, g vault.GroupRef) bool { return slices.Contains(s.Attached, g) }

// newGroup makes a row of what was typed, if it is a group.
func (p *Page) newGroup(typed string) (form.Item, error) {
	scope, err := ops.ParsePlace(typed)
	switch {
	case err != nil:
		return form.Item{}, err
	case scope.Level != vault.Group:
		return form.Item{}, fault.New(fault.InvalidRequest, "secrets are attached to groups").WithHint("type workspace/group")
	}
	g := scope.GroupRef().String()
	return form.Item{Key: g, Label: g, Note: "new"}, nil
}

// changes are the rows that were checked or not, as changes to secrets as they
// were read: what is attached first.
func (s *sheet) changes(ask view.OpenAttach, on, off []string) []vault.Sharing {
	var out []vault.Sharing
	for _, key := range on {
		out = append(out, s.row(ask, key, false)...)
	}
	for _, key := range off {
		out = append(out, s.row(ask, key, true)...)
	}
	return out
}

// row are the changes of one row.
func (s *sheet) row(ask view.OpenAttach, key string, detach bool) []vault.Sharing {
	change := func(sec *vault.Secret, g vault.GroupRef) vault.Sharing {
		return vault.Sharing{Secret: sec.ID, Group: g, Detach: detach, Revision: vault.IfRevision(sec.Revision)}
	}
	if len(ask.Secrets) == 0 {
		id, err := vault.ParseSecretRef(key)
		if sec := s.byID[id]; err == nil && sec != nil {
			return []vault.Sharing{change(sec, ask.Group)}
		}
		return nil
	}
	workspace, group, _ := strings.Cut(key, "/")
	g := vault.GroupRef{Workspace: workspace, Group: group}
	var out []vault.Sharing
	for i := range s.secrets {
		if sec := &s.secrets[i]; sec.Scope != g.Scope() && isAttached(sec, g) == detach {
			out = append(out, change(sec, g))
		}
	}
	return out
}

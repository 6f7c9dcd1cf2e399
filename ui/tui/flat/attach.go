package flat

import (
	"context"
	"slices"

	"aivault/broker"
	"aivault/keys/fault"
	"aivault/ui/tui/ops"
	"aivault/vault"
)

// attach shares a secret with groups.
func (t *talk) attach(ctx context.Context, s vault.Secret) error {
	counts, err := t.be.Scopes(ctx)
	if err != nil {
		return err
	}
	q := question{text: "To which groups?", many: true, free: "workspace/group"}
	var groups []vault.GroupRef
	for _, c := range counts {
		g := c.Scope.GroupRef()
		if c.Scope.Level == vault.Group && c.Scope != s.Scope && !slices.Contains(s.Attached, g) {
			groups = append(groups, g)
			q.items = append(q.items, countText(c))
		}
	}
	a, err := t.put(ctx, q)
	if err != nil {
		return err
	}
	if a.text != "" {
		scope, err := parseScope(a.text)
		if err == nil && scope.Level != vault.Group {
			err = fault.New(fault.InvalidRequest, "%q is no group", a.text).WithHint("type the workspace, a slash, and the group")
		}
		if err != nil {
			return err
		}
		groups, a.numbers = []vault.GroupRef{scope.GroupRef()}, []int{0}
	}
	var changes []vault.Sharing
	for _, n := range a.numbers {
		changes = append(changes, vault.Sharing{Secret: s.ID, Group: groups[n], Revision: vault.IfRevision(s.Revision)})
	}
	return t.share(ctx, changes)
}

// detach ends the sharing of a secret with groups.
func (t *talk) detach(ctx context.Context, s vault.Secret) error {
	if len(s.Attached) == 0 {
		t.say("%s is attached to no group.", s.Name)
		return same
	}
	q := question{text: "From which groups?", many: true}
	for _, g := range s.Attached {
		q.items = append(q.items, g.String())
	}
	a, err := t.put(ctx, q)
	if err != nil {
		return err
	}
	var changes []vault.Sharing
	for _, n := range a.numbers {
		changes = append(changes, vault.Sharing{Secret: s.ID, Group: s.Attached[n], Detach: true, Revision: vault.IfRevision(s.Revision)})
	}
	return t.share(ctx, changes)
}

// attachHere shares secrets with the group that people look from.
func (t *talk) attachHere(ctx context.Context) error {
	group := t.at.Scope().GroupRef()
	all, err := t.be.Secrets(ctx, nil)
	if err != nil {
		return err
	}
	list := slices.DeleteFunc(all, func(s vault.Secret) bool {
		return s.Scope == group.Scope() || slices.Contains(s.Attached, group)
	})
	if len(list) == 0 {
		t.say("There is no secret that could be attached to %s.", group)
		return same
	}
	q := question{text: "Which secrets are to be attached to " + group.String() + "?", many: true}
	for _, s := range list {
		q.items = append(q.items, s.Name+", "+ops.Place(s.Scope)+t.rest(&s))
	}
	a, err := t.put(ctx, q)
	if err != nil {
		return err
	}
	var changes []vault.Sharing
	for _, n := range a.numbers {
		changes = append(changes, vault.Sharing{Secret: list[n].ID, Group: group, Revision: vault.IfRevision(list[n].Revision)})
	}
	return t.share(ctx, changes)
}

// share says what changes would do, and makes them.
func (t *talk) share(ctx context.Context, changes []vault.Sharing) error {
	effects, err := t.be.Effects(ctx, broker.Change{Share: changes})
	if err != nil {
		return err
	}
	t.print("")
	t.effects(effects)
	if err := t.agree(ctx, "Do it?"); err != nil {
		return err
	}
	d, _, err := ops.Share(ctx, t.be, changes...)
	if err == nil {
		t.done(d)
	}
	return err
}

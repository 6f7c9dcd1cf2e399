package ops

import (
	"context"
	"fmt"
	"slices"

	"aivault/ui/app"
	"aivault/ui/tui/text"
	"aivault/vault"
)

// Share attaches and detaches groups, all in one transaction or none. It
// returns the secrets as they are then. What changes nothing is left out of the
// lines and of what can be taken back.
func Share(ctx context.Context, be app.Backend, changes ...vault.Sharing) (Done, []vault.Secret, error) {
	list := slices.Clone(changes)
	was := map[vault.ID]vault.Secret{}
	for i := range list {
		c := &list[i]
		s, known := was[c.Secret]
		if !known {
			var err error
			if s, err = be.FindSecret(ctx, c.Secret.String()); err != nil {
				return Done{}, nil, err
			}
			was[c.Secret] = s
		}
		if c.Revision == 0 {
			c.Revision = vault.IfRevision(s.Revision) // what is taken back must be what was there
		}
	}
	now, err := be.Share(ctx, list)
	if err != nil {
		return Done{}, nil, err
	}
	made := effective(list, was)
	if len(made) == 0 {
		return Done{Text: nothingShared(list, was)}, now, nil
	}
	refs := map[vault.ID]string{}
	var d Done
	for _, c := range made {
		if refs[c.Secret] == "" {
			refs[c.Secret] = ref(ctx, be, c.Secret)
		}
		command := "attach-group"
		if c.Detach {
			command = "detach-group"
		}
		d.Lines = append(d.Lines, line("secrets", command, "--id", refs[c.Secret]).scope(c.Group.Scope()))
	}
	d.Text = sharing(made, was, "attached", "detached")
	d.Undo = &Undo{Text: sharing(made, was, "attach", "detach"), Run: func(ctx context.Context) (Done, error) {
		d, _, err := Share(ctx, be, inverse(made, now)...)
		return d, refused(err)
	}}
	return d, now, nil
}

// effective returns those of the changes that change something, one after the
// other.
func effective(changes []vault.Sharing, was map[vault.ID]vault.Secret) []vault.Sharing {
	type pair struct {
		secret vault.ID
		group  vault.GroupRef
	}
	attached := map[pair]bool{}
	for id, s := range was {
		for _, g := range s.Attached {
			attached[pair{id, g}] = true
		}
	}
	var out []vault.Sharing
	for _, c := range changes {
		p := pair{c.Secret, c.Group}
		own := was[c.Secret].Scope == c.Group.Scope()
		if attached[p] == c.Detach && (c.Detach || !own) {
			attached[p] = !c.Detach
			out = append(out, c)
		}
	}
	return out
}

// inverse returns what takes changes back, of secrets as they were left.
func inverse(made []vault.Sharing, now []vault.Secret) []vault.Sharing {
	out := make([]vault.Sharing, 0, len(made))
	for _, c := range slices.Backward(made) {
		c.Detach = !c.Detach
		for _, s := range now {
			if s.ID == c.Secret {
				c.Revision = vault.IfRevision(s.Revision)
			}
		}
		out = append(out, c)
	}
	return out
}

// nothingShared says why nothing changed.
func nothingShared(list []vault.Sharing, was map[vault.ID]vault.Secret) string {
	if len(list) != 1 {
		return "nothing changed: everything was so before"
	}
	s, g := was[list[0].Secret], list[0].Group
	switch {
	case s.Scope == g.Scope():
		return fmt.Sprintf("nothing changed: %s is the scope of %s itself", g, s.Name)
	case list[0].Detach:
		return fmt.Sprintf("nothing changed: %s was not attached to %s", s.Name, g)
	}
	return fmt.Sprintf("nothing changed: %s was attached to %s before", s.Name, g)
}

// sharing says in a line what changes are: "attached 3 secrets to
// web-shop/payments", "STRIPE_KEY: 2 attached, 1 detached".
func sharing(made []vault.Sharing, was map[vault.ID]vault.Secret, attach, detach string) string {
	secrets, groups, detached := map[vault.ID]bool{}, map[vault.GroupRef]bool{}, 0
	for _, c := range made {
		secrets[c.Secret], groups[c.Group] = true, true
		if c.Detach {
			detached++
		}
	}
	what, where := text.Plural(len(secrets), "secret"), text.Plural(len(groups), "group")
	if len(secrets) == 1 {
		what = was[made[0].Secret].Name
	}
	if len(groups) == 1 {
		where = made[0].Group.String()
	}
	switch {
	case detached == 0:
		return attach + " " + what + " to " + where
	case detached == len(made):
		return detach + " " + what + " from " + where
	}
	counts := fmt.Sprintf("%d %s, %d %s", len(made)-detached, attach, detached, detach)
	switch {
	case len(secrets) == 1:
		return what + ": " + counts
	case len(groups) == 1:
		return where + ": " + counts
	}
	return counts
}

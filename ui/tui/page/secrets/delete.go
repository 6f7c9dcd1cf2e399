package secrets

import (
	"context"
	"slices"

	tea "github.com/charmbracelet/bubbletea"

	"aivault/broker"
	"aivault/keys/fault"
	"aivault/ui/tui/form"
	"aivault/ui/tui/ops"
	"aivault/ui/tui/page/browse"
	"aivault/ui/tui/task"
	"aivault/ui/tui/text"
	"aivault/ui/tui/view"
	"aivault/vault"
)

// foreseen is of how many secrets at once it is worked out what depends on
// them: it is more than anybody reads.
const foreseen = 100

// A toll is what a deletion takes along.
type toll struct {
	credentials, bindings []string
	effects               []broker.Effect
	unknown               bool // there are too many secrets to tell
}

func (t *toll) none() bool {
	return !t.unknown && len(t.credentials)+len(t.bindings)+len(t.effects) == 0
}

// remove asks whether the marked secrets, or the one under the cursor, are to
// be deleted.
func (p *page) remove() tea.Cmd { return p.askRemove(p.targets()) }

// askRemove asks once it is known what the secrets take along. If that cannot be
// read, it is tried again for the same ones, wherever the cursor is by then.
func (p *page) askRemove(rows []*row) tea.Cmd {
	which := make([]vault.SecretAt, len(rows))
	for i, r := range rows {
		which[i] = vault.SecretAt{ID: r.ID, Revision: vault.IfRevision(r.Revision)}
	}
	what, ask := names(rows), "Delete "+text.Plural(len(rows), "secret")+": "+names(rows)+"?"
	if len(rows) == 1 {
		ask = "Delete " + rows[0].Name + ", secret of " + scopeWords(rows[0].Scope) + "?"
	}
	be := p.host.Backend
	return task.Go(p.tasks, "delete", func(ctx context.Context) (toll, error) {
		return foresee(ctx, be, which)
	}, func(t toll, err error) tea.Cmd {
		if err != nil {
			return view.Fail("reading what depends on "+what, err, func() tea.Cmd { return p.askRemove(rows) })
		}
		q := form.Question{
			Title: "Delete", Ask: ask, Consequences: t.words(rows), Yes: "Delete", Danger: true,
			Do: func() tea.Cmd { return p.removeNow(what, which) },
		}
		switch {
		case len(which) > 1:
			return view.Dialog(form.NewTypedConfirm(p.host, q, "delete"))
		case t.none():
			return view.Dialog(form.NewConfirm(p.host, q))
		}
		return view.Dialog(form.NewTypedConfirm(p.host, q, what))
	})
}

// foresee works out what deleting secrets takes along.
func foresee(ctx context.Context, be interface {
	Uses(ctx context.Context, secret vault.ID) (broker.Uses, error)
	Effects(ctx context.Context, c broker.Change) ([]broker.Effect, error)
}, which []vault.SecretAt,
) (toll, error) {
	if len(which) > foreseen {
		return toll{unknown: true}, nil
	}
	var t toll
	var change broker.Change
	for _, w := range which {
		u, err := be.Uses(ctx, w.ID)
		if err != nil {
			return t, err
		}
		for _, c := range u.Credentials {
			t.credentials = append(t.credentials, c.ID)
		}
		for _, b := range u.Bindings {
			t.bindings = append(t.bindings, b.Capability+" in "+scopePath(b.Scope))
		}
		change.Delete = append(change.Delete, w.ID)
	}
	var err error
	t.effects, err = be.Effects(ctx, change)
	return t, err
}

// told is how many effects are told one by one.
const told = 8

// words are the consequences, one sentence each.
func (t *toll) words(rows []*row) []string {
	out := []string{"the value is lost: this cannot be undone"}
	if len(rows) > 1 {
		out = []string{"the values are lost: this cannot be undone"}
	}
	if t.unknown {
		return append(out, "what depends on so many was not looked up: their credentials and bindings go too")
	}
	effects := effectWords(t.effects)
	if n := len(effects); n > told {
		effects = append(effects[:told], "and "+text.Number(n-told)+" more of this kind")
	}
	out = append(out, effects...)
	out = append(out, losers(rows)...)
	if len(t.credentials) > 0 {
		out = append(out, "goes too: credential "+browse.Some(t.credentials, listed))
	}
	if len(t.bindings) > 0 {
		out = append(out, "goes too: binding of "+browse.Some(t.bindings, listed))
	}
	return out
}

// losers says who will not see the secrets any more, one sentence each.
func losers(rows []*row) []string {
	if len(rows) > 1 {
		return []string{"workspaces and groups that see them lose them"}
	}
	var out []string
	s := rows[0]
	switch {
	case s.Scope.Level == vault.Global && !s.AttachedOnly:
		out = append(out, "workspaces and groups that have none of the name lose it")
	case s.Scope.Level == vault.Workspace:
		out = append(out, "groups of "+s.Scope.Workspace+" that have none of the name lose it")
	}
	if len(s.Attached) > 0 {
		out = append(out, "attached to "+browse.Some(groupNames(s.Secret), listed)+", which will not have it any more")
	}
	return out
}

// listed is how many things of a kind are named; the others are counted.
const listed = 3

// effectWords says what becomes of calls, what stops working first. Contexts in
// which the same happens share a sentence.
func effectWords(list []broker.Effect) []string {
	where := map[string][]string{}
	var stop, other []string
	for _, e := range list {
		what := e.Capabilities[0]
		if n := len(e.Capabilities); n > 1 {
			what = text.Plural(n, "capability") + " of " + e.Provider
		}
		into := &stop
		if e.After.Err == nil {
			into = &other
			what += " will use " + e.After.Name + " of " + scopeWords(e.After.Scope) + " instead"
		} else {
			what += " will not work any more"
		}
		if where[what] == nil {
			*into = append(*into, what)
		}
		where[what] = append(where[what], contextWords(e.Context))
	}
	out := slices.Concat(stop, other)
	for i, what := range out {
		out[i] = what + " in " + browse.Some(where[what], listed)
	}
	return out
}

// contextWords names a context: "web-shop/payments".
func contextWords(c vault.Context) string {
	s := scopeWords(c.Scope())
	if c.Consumer != "" {
		s += " for " + c.Consumer
	}
	return s
}

// removeNow deletes secrets.
func (p *page) removeNow(what string, which []vault.SecretAt) tea.Cmd {
	be := p.host.Backend
	return task.Write(p.tasks, "deleting "+what, func(ctx context.Context) (ops.Done, error) {
		d, _, err := ops.DeleteSecrets(ctx, be, which...)
		return d, err
	}, func(d ops.Done, err error) tea.Cmd {
		switch {
		case fault.CodeOf(err) == fault.Conflict:
			return view.Dialog(p.askAgain(what, which))
		case err != nil:
			return view.Fail("deleting "+what, err, nil)
		}
		p.list.ClearMarks()
		return view.Finish(d)
	})
}

// askAgain asks what to do about a deletion of what somebody changed since it
// was looked at.
func (p *page) askAgain(what string, which []vault.SecretAt) view.Screen {
	return form.NewChoose(
		p.host, "Changed meanwhile", "Somebody changed "+what+" since you looked. Nothing was deleted.",
		form.Button{Label: "Cancel"},
		form.Button{Label: "Reload", Do: p.Load},
		form.Button{Label: "Delete all the same", Danger: true, Do: func() tea.Cmd {
			now := make([]vault.SecretAt, len(which)) // whichever revision they have
			for i, w := range which {
				now[i].ID = w.ID
			}
			return p.removeNow(what, now)
		}},
	)
}

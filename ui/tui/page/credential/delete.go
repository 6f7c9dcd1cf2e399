package credential

import (
	"context"
	"slices"

	tea "github.com/charmbracelet/bubbletea"

	"aivault/broker"
	"aivault/ui/tui/form"
	"aivault/ui/tui/ops"
	"aivault/ui/tui/task"
	"aivault/ui/tui/text"
	"aivault/ui/tui/view"
)

// told is how many effects are told one by one.
const told = 8

// remove asks whether the credential under the cursor is to be deleted.
func (p *page) remove() tea.Cmd { return p.askRemove(*p.current()) }

// askRemove asks once it is known which calls stop. If that cannot be read, it is
// tried again for the same one, wherever the cursor is by then.
func (p *page) askRemove(r row) tea.Cmd {
	be := p.host.Backend
	return task.Go(p.tasks, "delete", func(ctx context.Context) ([]broker.Effect, error) {
		return be.Effects(ctx, broker.Change{DeleteCredentials: []string{r.ID}})
	}, func(effects []broker.Effect, err error) tea.Cmd {
		if err != nil {
			return view.Fail("reading what depends on "+r.ID, err, func() tea.Cmd { return p.askRemove(r) })
		}
		q := form.Question{
			Title: "Delete", Ask: "Delete the credential " + r.ID + "?", Yes: "Delete", Danger: true,
			Consequences: consequences(&r, effects), Do: func() tea.Cmd { return p.removeNow(r.ID) },
		}
		if r.Auto {
			q.Title, q.Yes, q.Ask = "Disable", "Disable", "Disable the credential "+r.ID+"?"
		}
		if len(effects) == 0 {
			return view.Dialog(form.NewConfirm(p.host, q))
		}
		return view.Dialog(form.NewTypedConfirm(p.host, q, r.ID))
	})
}

// consequences say what will be so, what stops working first.
func consequences(r *row, effects []broker.Effect) []string {
	var out []string
	if r.Auto {
		out = append(out, "The registry made it: it stays away until you bring it back, with e. Its secret stays.")
	} else {
		out = append(out, "This cannot be undone. Its secret stays; another credential of it may need its value.")
	}
	slices.SortStableFunc(effects, func(a, b broker.Effect) int {
		switch x, y := ops.Stops(a), ops.Stops(b); {
		case x == y:
			return 0
		case x:
			return -1
		}
		return 1
	})
	for i, e := range effects {
		if i == told {
			out = append(out, "and "+text.Number(len(effects)-told)+" more changes of this kind")
			break
		}
		out = append(out, ops.EffectText(e))
	}
	switch {
	case len(effects) == 0:
		out = append(out, ops.NoEffects)
	case r.Scope.Group == "":
		out = append(out, "scopes within that use it fare the same")
	}
	return out
}

func (p *page) removeNow(id string) tea.Cmd {
	be := p.host.Backend
	return task.Write(p.tasks, "deleting "+id, func(ctx context.Context) (ops.Done, error) {
		d, _, err := ops.DeleteCredential(ctx, be, id)
		return d, err
	}, func(d ops.Done, err error) tea.Cmd {
		if err != nil {
			return view.Fail("deleting "+id, err, nil)
		}
		return view.Finish(d)
	})
}

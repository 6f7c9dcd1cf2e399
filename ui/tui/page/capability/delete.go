package capability

import (
	"context"

	tea "github.com/charmbracelet/bubbletea"

	"aivault/ui/tui/form"
	"aivault/ui/tui/ops"
	"aivault/ui/tui/page/browse"
	"aivault/ui/tui/task"
	"aivault/ui/tui/text"
	"aivault/ui/tui/view"
)

// remove asks whether the custom capability under the cursor is to be deleted.
func (p *page) remove() tea.Cmd { return p.askRemove(p.current()) }

// askRemove asks once it is known what goes with it. If that cannot be read, it
// is tried again for the same one, wherever the cursor is by then.
func (p *page) askRemove(r *row) tea.Cmd {
	be, in := p.host.Backend, p.context()
	id, limits := r.ID, ops.Limits(r.limits)
	return task.Go(p.tasks, "delete", func(ctx context.Context) (about, error) {
		return learn(ctx, be, id, in)
	}, func(a about, err error) tea.Cmd {
		if err != nil {
			return view.Fail("reading what depends on "+id, err, func() tea.Cmd { return p.askRemove(r) })
		}
		q := form.Question{
			Title: "Delete", Ask: "Delete the capability " + id + "?", Yes: "Delete", Danger: true,
			Consequences: []string{"This cannot be undone.", "Code that calls it is told that there is no such capability."},
			Do:           func() tea.Cmd { return p.removeNow(id) },
		}
		chosen := a.chosen()
		if len(limits) > 0 {
			q.Consequences = append(q.Consequences, "Its limits go too: "+browse.Some(limits, 4))
		}
		if len(chosen) > 0 {
			places := make([]string, len(chosen))
			for i, b := range chosen {
				places[i] = ops.Place(b.Scope)
			}
			q.Consequences = append(q.Consequences, text.Plural(len(chosen), "binding")+" of it goes too: "+browse.Some(places, 3))
		}
		if len(limits)+len(chosen) == 0 {
			return view.Dialog(form.NewConfirm(p.host, q))
		}
		return view.Dialog(form.NewTypedConfirm(p.host, q, id))
	})
}

func (p *page) removeNow(id string) tea.Cmd {
	be := p.host.Backend
	return task.Write(p.tasks, "deleting "+id, func(ctx context.Context) (ops.Done, error) {
		d, _, err := ops.DeleteCapability(ctx, be, id)
		return d, err
	}, func(d ops.Done, err error) tea.Cmd {
		if err != nil {
			return view.Fail("deleting "+id, err, nil)
		}
		return view.Finish(d)
	})
}

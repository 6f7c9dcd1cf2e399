package secrets

import (
	"context"

	tea "github.com/charmbracelet/bubbletea"

	"aivault/ui/tui/ops"
	"aivault/ui/tui/task"
	"aivault/ui/tui/view"
	"aivault/vault"
)

// detach takes the marked secrets, or the one under the cursor, away from the
// group that is selected. Those that are not attached to it stay as they are.
func (p *page) detach() tea.Cmd {
	g, _ := p.of.group()
	var changes []vault.Sharing
	for _, r := range p.targets() {
		if r.attached {
			changes = append(changes, vault.Sharing{Secret: r.ID, Group: g, Detach: true})
		}
	}
	be := p.host.Backend
	return task.Write(p.tasks, "detaching from "+g.String(), func(ctx context.Context) (ops.Done, error) {
		d, _, err := ops.Share(ctx, be, changes...)
		return d, err
	}, func(d ops.Done, err error) tea.Cmd {
		if err != nil {
			return view.Fail("detaching from "+g.String(), err, nil)
		}
		p.list.ClearMarks()
		return view.Finish(d)
	})
}

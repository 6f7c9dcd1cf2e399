package why

import (
	tea "github.com/charmbracelet/bubbletea"

	"aivault/broker"
	"aivault/ui/tui/task"
	"aivault/ui/tui/view"
	"aivault/ui/tui/widget"
	"aivault/vault"
)

// pick asks which capability is to be explained.
func (p *Page) pick() tea.Cmd {
	be := p.host.Backend
	return task.Go(p.tasks, "pick", be.Capabilities, func(list []broker.Capability, err error) tea.Cmd {
		if err != nil {
			return view.Fail("listing the capabilities", err, p.pick)
		}
		var ready, others []widget.Choice
		for _, c := range list {
			choice := widget.Choice{Key: c.ID, Title: c.ID, Note: c.Description, Hint: "ready"}
			if c.Ready {
				ready = append(ready, choice)
			} else {
				choice.Hint = "no credential"
				others = append(others, choice)
			}
		}
		return view.Dialog(widget.NewPicker(p.host.Theme, "Explain which capability?", append(ready, others...), func(id string) tea.Cmd {
			p.asked.capability, p.asked.secret, p.facts = id, vault.ID{}, nil
			p.panes.SetFocus(ladderPane)
			return p.Load()
		}))
	})
}

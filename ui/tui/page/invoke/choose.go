package invoke

import (
	"context"
	"slices"

	tea "github.com/charmbracelet/bubbletea"

	"aivault/broker"
	"aivault/ui/tui/task"
	"aivault/ui/tui/view"
	"aivault/ui/tui/widget"
	"aivault/vault"
)

// loadChoices reads which capabilities there are, to choose one.
func (p *page) loadChoices() tea.Cmd {
	be, secret := p.host.Backend, p.open.Secret
	type loaded struct {
		all  []broker.Capability
		uses []string // those that the secret serves
	}
	return task.Go(p.tasks, "load", func(ctx context.Context) (l loaded, err error) {
		if l.all, err = be.Capabilities(ctx); err != nil || secret == (vault.ID{}) {
			return l, err
		}
		u, err := be.Uses(ctx, secret)
		l.uses = u.Capabilities
		return l, err
	}, func(l loaded, err error) tea.Cmd {
		if err != nil {
			p.failed = err
			return view.Fail("reading the capabilities", err, p.Load)
		}
		p.failed = nil
		choices := capabilityChoices(l.all, l.uses)
		if p.pick == nil {
			p.pick = widget.NewPicker(p.host.Theme, "Which capability?", choices, p.choose)
		} else {
			p.pick.SetChoices(choices)
		}
		return nil
	})
}

// choose begins the test of a capability.
func (p *page) choose(id string) tea.Cmd {
	p.pick = nil
	p.capability, p.call.Capability = id, id
	return p.Load()
}

// capabilityChoices lists capabilities: those that a secret serves first, then
// others that are ready.
func capabilityChoices(all []broker.Capability, uses []string) []widget.Choice {
	rank := func(c broker.Capability) int {
		switch {
		case slices.Contains(uses, c.ID):
			return 0
		case c.Ready:
			return 1
		}
		return 2
	}
	all = slices.Clone(all)
	slices.SortStableFunc(all, func(a, b broker.Capability) int { return rank(a) - rank(b) })
	choices := make([]widget.Choice, len(all))
	for i, c := range all {
		choices[i] = widget.Choice{Key: c.ID, Title: c.ID, Note: c.Description, Hint: "ready"}
		switch {
		case slices.Contains(uses, c.ID):
			choices[i].Hint = "uses it"
		case !c.Ready:
			choices[i].Hint = "no secret yet"
		}
	}
	return choices
}

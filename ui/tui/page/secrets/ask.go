package secrets

import (
	"fmt"
	"strings"

	tea "github.com/charmbracelet/bubbletea"

	"aivault/ui/tui/view"
	"aivault/vault"
)

// where returns the context of the node, or, among all secrets, the one of the
// secret.
func (p *page) where() vault.Context {
	if r := p.current(); p.node.all && r != nil {
		return scopeNode(r.Scope).context()
	}
	c := p.node.context()
	c.Consumer = p.host.Context.Consumer
	return c
}

// secret returns the secret under the cursor, none where the focus is in the
// tree.
func (p *page) secret() (id vault.ID) {
	if r := p.current(); r != nil && p.panes.Focus() != paneScopes {
		return r.ID
	}
	return id
}

func (p *page) test() tea.Cmd {
	return view.Send(view.OpenTest{Secret: p.secret(), Context: p.where()})
}

func (p *page) why() tea.Cmd {
	return view.Send(view.OpenWhy{Secret: p.secret(), Context: p.where()})
}

func (p *page) log() tea.Cmd {
	return view.Send(view.ShowAudit{Query: vault.AuditQuery{Secret: p.current().ID}})
}

// attach opens the checklist of groups for secrets, or, of a group, that of
// secrets for it.
func (p *page) attach() tea.Cmd {
	if g, ok := p.node.group(); ok && (p.panes.Focus() == paneScopes || p.current() == nil) {
		return view.Send(view.OpenAttach{Group: g})
	}
	return view.Send(view.OpenAttach{Secrets: ids(p.targets())})
}

func ids(rows []*row) []vault.ID {
	out := make([]vault.ID, len(rows))
	for i, r := range rows {
		out[i] = r.ID
	}
	return out
}

// names lists a few secrets by name, and counts the others.
func names(rows []*row) string {
	const most = 5
	var out []string
	for i, r := range rows {
		if i == most {
			out = append(out, fmt.Sprintf("%d more", len(rows)-most))
			break
		}
		out = append(out, r.Name)
	}
	return strings.Join(out, ", ")
}

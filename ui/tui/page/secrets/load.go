package secrets

import (
	"context"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"aivault/ui/tui/task"
	"aivault/ui/tui/view"
	"aivault/vault"
)

// A load is what is known of reading the list.
type load struct {
	of           node // what is being read
	began, ended time.Time
	took         time.Duration
	again        bool // it was changed while it was read
}

// A list that takes long to read is not read all the time, however often
// somebody changes the vault.
const (
	slow    = 100 * time.Millisecond
	restMax = time.Second
)

// rest is how long to wait before the list is read again.
func (l *load) rest(now time.Time) time.Duration {
	if l.took < slow {
		return 0
	}
	return min(2*l.took, restMax) - now.Sub(l.ended)
}

// Load reads the scopes, the list, and who uses the secret under the cursor. If
// another page chose another context, it is the one that is selected here.
func (p *page) Load() tea.Cmd {
	if c := p.host.Context; c != p.told {
		p.told = c
		if n := contextNode(c); c != p.sent && !p.node.all && n != p.node {
			return tea.Batch(p.loadScopes(), p.choose(n))
		}
	}
	return tea.Batch(p.loadScopes(), p.reloadList())
}

// failing is what could not be done when something could not be read: the same
// for all, so that it is told once.
const failing = "reading the secrets"

func (p *page) loadScopes() tea.Cmd {
	be := p.host.Backend
	return task.Go(p.tasks, "scopes", be.Scopes, func(list []vault.ScopeCount, err error) tea.Cmd {
		if err != nil {
			return view.Fail(failing, err, p.Load)
		}
		p.setScopes(list)
		return nil
	})
}

// reloadList reads the list once more. If that is under way, it is brought to
// its end first: otherwise a busy vault would keep it from ever getting there.
func (p *page) reloadList() tea.Cmd {
	if _, busy := p.tasks.Busy("list"); busy && p.load.of == p.node {
		p.load.again = true
		return nil
	}
	if d := p.load.rest(p.host.Now()); d > 0 && p.of == p.node {
		return task.After(p.tasks, "later", d, p.loadList)
	}
	return p.loadList()
}

func (p *page) loadList() tea.Cmd {
	be, n := p.host.Backend, p.node
	p.tasks.Cancel("later")
	p.load.of, p.load.began, p.load.again = n, p.host.Now(), false
	return task.Go(p.tasks, "list", func(ctx context.Context) ([]row, error) {
		if n.all {
			list, err := be.Secrets(ctx, nil)
			return everything(list), err
		}
		c := n.context()
		list, err := be.Effective(ctx, c)
		return effective(list, c), err
	}, func(rows []row, err error) tea.Cmd {
		p.load.ended = p.host.Now()
		p.load.took = p.load.ended.Sub(p.load.began)
		p.failed = err != nil
		if err != nil {
			p.refilter()
			return view.Fail(failing, err, p.Load)
		}
		cmd := p.setRows(n, rows)
		if p.load.again {
			cmd = tea.Batch(cmd, p.reloadList())
		}
		return cmd
	})
}

// Package credential is the page of credentials: the accounts at providers, those
// that were made by hand and those that the registry makes of secrets whose
// names it claims, also such as are disabled or wait for a secret; and how each
// authenticates, where its secret may go, and which capabilities it carries.
package credential

import (
	"context"

	tea "github.com/charmbracelet/bubbletea"

	"aivault/broker"
	// It puts back the TERM that the guard hides from bubbletea's init.
	_ "aivault/ui/guard/release"
	"aivault/ui/tui/ops"
	"aivault/ui/tui/page/browse"
	"aivault/ui/tui/task"
	"aivault/ui/tui/text"
	"aivault/ui/tui/view"
	"aivault/ui/tui/widget"
)

// page is the page of credentials.
type page struct {
	*browse.Browser
	host  *view.Host
	tasks *task.Group

	loaded bool // the rows are known
	failed bool // they could not be read
	rows   []row
	shown  []int // those that the filter lets through
	caps   []broker.Capability
	want   string // the id that is to be selected as soon as it is there
}

// New returns the page.
func New(host *view.Host) view.Screen {
	p := &page{host: host, tasks: host.Tasks.Group()}
	p.Browser = browse.New(
		host.Theme, "", "Credentials", []string{"provider:", "ws:", "group:", "registry", "hand", "disabled", "private"},
		widget.Column{Title: "ID", Min: 22, Max: 48},
		widget.Column{Title: "MADE", Min: 8, Max: 8},
		widget.Column{Title: "SECRET", Min: 13, Max: 40, Drop: 1},
		widget.Column{Title: "SCOPE", Min: 17, Max: 32, Drop: 2},
		widget.Column{Title: "AUTH", Min: 11, Max: 12, Drop: 3},
		widget.Column{Title: "PROVIDER", Min: 8, Max: 16, Drop: 5},
		widget.Column{Title: "HOSTS", Min: 14, Grow: true, Drop: 4},
	)
	p.Panes.Weights, p.Panes.Max = []int{13, 9}, []int{120, 0}
	p.Moved, p.Filtered, p.Opened = p.rest, p.refilter, p.opened
	p.Head, p.Waiting = p.head, p.waiting
	p.refilter()
	return p
}

// Title implements view.Screen.
func (p *page) Title() string { return "Credentials" }

// Close implements view.Screen.
func (p *page) Close() { p.tasks.Close() }

// known is what the page reads.
type known struct {
	accounts []broker.Account
	caps     []broker.Capability
}

// Load reads the credentials, and the capabilities that they may carry.
func (p *page) Load() tea.Cmd {
	be := p.host.Backend
	return task.Go(p.tasks, "list", func(ctx context.Context) (k known, err error) {
		if k.accounts, err = be.Accounts(ctx); err != nil {
			return k, err
		}
		k.caps, err = be.Capabilities(ctx)
		return k, err
	}, func(k known, err error) tea.Cmd {
		if err != nil {
			p.failed = true
			p.refilter()
			return view.Fail("reading the credentials", err, p.Load)
		}
		p.failed, p.loaded, p.rows, p.caps = false, true, rowsOf(k.accounts), k.caps
		p.refilter()
		p.found()
		return nil
	})
}

// refilter works out which rows show.
func (p *page) refilter() tea.Cmd {
	p.shown = make([]int, 0, len(p.rows)) // the list keeps the old one until it has the new one
	for i := range p.rows {
		if p.Filter.Filter().Match(p.rows[i].search, p.rows[i].is) {
			p.shown = append(p.shown, i)
		}
	}
	p.Filter.SetCount(len(p.shown), len(p.rows))
	p.List.Empty = p.emptiness()
	p.List.SetRows(len(p.shown), func(i int) string { return p.rows[p.shown[i]].key }, p.listRow)
	return p.rest()
}

// found puts the cursor on a credential that was to be selected. A filter that
// hides it goes.
func (p *page) found() {
	for i := range p.rows {
		if p.want == "" || p.rows[i].ID != p.want {
			continue
		}
		p.want = ""
		if !p.List.Select(p.rows[i].key) {
			p.Filter.Clear()
			p.refilter()
			p.List.Select(p.rows[i].key)
		}
		p.rest()
	}
}

// Show selects a credential.
func (p *page) Show(m tea.Msg) tea.Cmd {
	if msg, ok := m.(view.ShowCredential); ok {
		p.Focus(browse.List)
		p.want = msg.ID
		p.found()
	}
	return nil
}

// current returns the row under the cursor; nil if there is none.
func (p *page) current() *row {
	i := p.List.Index()
	if i < 0 || i >= len(p.shown) {
		return nil
	}
	return &p.rows[p.shown[i]]
}

// opened is after somebody went to the detail.
func (p *page) opened() tea.Cmd { return view.Send(view.LineMsg{Line: ops.CredentialsLine()}) }

// waiting says what has been under way for a while.
func (p *page) waiting() string {
	for _, slot := range []struct{ name, what string }{
		{"list", "reading the credentials"}, {"delete", "reading what depends on it"},
	} {
		if since, busy := p.tasks.Busy(slot.name); busy {
			if s := widget.Waiting(p.host.Theme, slot.what, since, p.host.Now()); s != "" {
				return s
			}
		}
	}
	return ""
}

// View implements view.Screen. Where one pane shows, the way to it is told by what
// the other shows.
func (p *page) View(w, h int) []string {
	p.Panes.Name(1, "Detail")
	if r := p.current(); r != nil {
		p.Panes.Name(1, r.ID)
	}
	return p.Browser.View(w, h)
}

// head names the panes.
func (p *page) head(pane browse.Pane) (title, note string) {
	if pane == browse.Detail {
		return "Detail", ""
	}
	if p.loaded {
		note = tally(p.rows)
	}
	return "Credentials", note
}

// Say implements view.Screen.
func (p *page) Say() string {
	if p.Filter.Typing() {
		return p.Filter.Say()
	}
	switch r := p.current(); {
	case r == nil:
		return "credentials, " + p.List.Say()
	case p.Focused() == browse.Detail:
		return "detail of " + text.Line(r.ID) + ", " + p.Detail.Say()
	default:
		return r.words() + ", " + p.List.Say()
	}
}

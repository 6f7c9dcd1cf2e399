// Package capability is the page of capabilities: the providers at the left, what
// may be called of the one that is selected, those that work first, and how it
// is called, within which limits and with which secrets.
//
// Limits and custom capabilities are made here; other screens bind, explain and
// test.
package capability

import (
	"context"

	tea "github.com/charmbracelet/bubbletea"

	"aivault/ui/app"
	// It puts back the TERM that the guard hides from bubbletea's init.
	_ "aivault/ui/guard/release"
	"aivault/ui/tui/ops"
	"aivault/ui/tui/page/browse"
	"aivault/ui/tui/task"
	"aivault/ui/tui/text"
	"aivault/ui/tui/view"
	"aivault/ui/tui/widget"
	"aivault/vault"
)

// page is the page of capabilities.
type page struct {
	*browse.Browser
	host  *view.Host
	tasks *task.Group

	node   node
	loaded bool // the rows are known
	failed bool // they could not be read
	rows   []row
	shown  []int           // the rows of the node that the filter lets through
	places map[node]string // what was selected in a node
	counts map[node]tally  // of the nodes
	want   string          // the id that is to be selected as soon as it is there
	about  about           // what is known of the capability under the cursor
}

// New returns the page.
func New(host *view.Host) view.Screen {
	p := &page{host: host, tasks: host.Tasks.Group(), places: map[node]string{}}
	p.Browser = browse.New(
		host.Theme, "Providers", "Capabilities", []string{"provider:", "ready", "custom", "limited"},
		widget.Column{Title: "NAME", Min: 20, Max: 56},
		widget.Column{Title: "READY", Min: 7, Max: 9},
		widget.Column{Title: "LIMITS", Min: 9, Max: 12, Drop: 1},
		widget.Column{Title: "METHODS", Min: 12, Max: 22, Drop: 2},
		widget.Column{Title: "PATHS", Min: 16, Grow: true, Drop: 3},
	)
	p.Panes.Weights, p.Panes.Max = []int{8, 14, 11}, []int{26, 110, 0}
	p.Chose, p.Moved, p.Filtered, p.Opened = p.treeMoved, p.rest, p.refilter, p.opened
	p.Head, p.Waiting = p.head, p.waiting
	p.setTree()
	p.refilter()
	return p
}

// Title implements view.Screen.
func (p *page) Title() string { return "Capabilities" }

// Close implements view.Screen.
func (p *page) Close() { p.tasks.Close() }

// Load reads the capabilities, and what there is to know about the one under the
// cursor.
func (p *page) Load() tea.Cmd {
	be := p.host.Backend
	return task.Go(p.tasks, "list", func(ctx context.Context) ([]row, error) {
		return read(ctx, be)
	}, func(rows []row, err error) tea.Cmd {
		if err != nil {
			p.failed = true
			p.refilter()
			return view.Fail("reading the capabilities", err, p.Load)
		}
		p.failed, p.loaded, p.rows = false, true, rows
		p.setTree()
		p.refilter()
		p.found()
		if r := p.current(); r != nil {
			return p.loadAbout(r.ID) // at once: what it says may be old
		}
		return nil
	})
}

// read reads all capabilities with their limits.
func read(ctx context.Context, be app.Backend) ([]row, error) {
	list, err := be.Capabilities(ctx)
	if err != nil {
		return nil, err
	}
	policies, err := be.Policies(ctx)
	if err != nil {
		return nil, err
	}
	return rowsOf(list, policies), nil
}

// setTree makes the nodes: all, the custom ones, and the providers.
func (p *page) setTree() {
	var order []node
	order, p.counts = nodesOf(p.rows)
	nodes := make([]widget.Node, len(order))
	for i, n := range order {
		c := p.counts[n]
		nodes[i] = widget.Node{Key: string(n), Label: n.label(), Count: c.String(), Dim: n != all && c.ready == 0}
	}
	p.Tree.SetNodes(nodes)
	p.Tree.Select(string(p.node))
}

// treeMoved selects the node under the cursor of the tree.
func (p *page) treeMoved() tea.Cmd {
	n := node(p.Tree.Key())
	if n == p.node {
		return nil
	}
	p.places[p.node] = p.listKey()
	p.node = n
	cmd := p.refilter()
	if at := p.places[n]; at != "" {
		p.List.Select(at)
	} else {
		p.List.SelectIndex(0)
	}
	return tea.Batch(cmd, p.rest(), view.Send(view.LineMsg{Line: ops.CapabilitiesLine()}))
}

func (p *page) listKey() string {
	if p.List.Len() == 0 {
		return ""
	}
	return p.List.Key()
}

// refilter works out which rows show.
func (p *page) refilter() tea.Cmd {
	p.shown = p.shown[:0:0]
	total := 0
	for i := range p.rows {
		r := &p.rows[i]
		if !p.node.has(r) {
			continue
		}
		total++
		if p.Filter.Filter().Match(r.search, r.is) {
			p.shown = append(p.shown, i)
		}
	}
	p.Filter.SetCount(len(p.shown), total)
	p.List.Empty = p.emptiness()
	p.List.SetRows(len(p.shown), func(i int) string { return p.rows[p.shown[i]].ID }, p.listRow)
	return p.rest()
}

// found puts the cursor on a capability that was to be selected. A filter that
// hides it goes, and so does the node.
func (p *page) found() {
	if p.want == "" {
		return
	}
	for i := range p.rows {
		if p.rows[i].ID != p.want {
			continue
		}
		id := p.want
		p.want = ""
		if !p.List.Select(id) {
			p.node = all
			p.Tree.Select(string(all))
			p.Filter.Clear()
			p.refilter()
			p.List.Select(id)
		}
		return
	}
}

// Show selects a capability.
func (p *page) Show(m tea.Msg) tea.Cmd {
	msg, ok := m.(view.ShowCapability)
	if !ok {
		return nil
	}
	p.Focus(browse.List)
	p.want = msg.ID
	p.found()
	return p.rest()
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
func (p *page) opened() tea.Cmd {
	if r := p.current(); r != nil {
		return view.Send(view.LineMsg{Line: ops.DescribeLine(r.ID)})
	}
	return nil
}

// waiting says what has been under way for a while.
func (p *page) waiting() string {
	for _, slot := range []struct{ name, what string }{
		{"list", "reading the capabilities"}, {"policy", "reading the limits"}, {"delete", "reading what depends on it"},
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
// the others show.
func (p *page) View(w, h int) []string {
	p.Panes.Name(1, p.node.title())
	if r := p.current(); r != nil {
		p.Panes.Name(2, r.ID)
	} else {
		p.Panes.Name(2, "Detail")
	}
	return p.Browser.View(w, h)
}

// head names the panes.
func (p *page) head(pane browse.Pane) (title, note string) {
	switch pane {
	case browse.Tree:
		return "Providers", "ready"
	case browse.Detail:
		return "Detail", ""
	}
	if p.loaded {
		note = p.counts[p.node].words()
	}
	return p.node.title(), note
}

// Say implements view.Screen.
func (p *page) Say() string {
	if p.Filter.Typing() {
		return p.Filter.Say()
	}
	switch r := p.current(); {
	case p.Focused() == browse.Tree:
		n := node(p.Tree.Key())
		return n.title() + ", " + p.counts[n].words() + ", " + p.Tree.Say()
	case r == nil:
		return p.node.title() + ", " + p.List.Say()
	case p.Focused() == browse.Detail:
		return "detail of " + text.Line(r.ID) + ", " + p.Detail.Say()
	default:
		return r.words() + ", " + p.List.Say()
	}
}

// context is where the page looks from.
func (p *page) context() vault.Context { return p.host.Context }

// Package secrets is the page of secrets: the scopes at the left, what is
// effective in the one that is selected, and what there is to know about the
// secret under the cursor, its value aside.
//
// What can be done with a secret is done here too: storing, rotating, renaming,
// deleting, and detaching one; other screens attach, explain and test.
package secrets

import (
	"context"

	tea "github.com/charmbracelet/bubbletea"

	// It puts back the TERM that the guard hides from bubbletea's init.
	_ "aivault/ui/guard/release"
	"aivault/ui/tui/ops"
	"aivault/ui/tui/task"
	"aivault/ui/tui/text"
	"aivault/ui/tui/view"
	"aivault/ui/tui/widget"
	"aivault/vault"
)

// The panes.
const (
	paneScopes = iota
	paneList
	paneDetail
)

// page is the page of secrets.
type page struct {
	host  *view.Host
	tasks *task.Group

	panes  *widget.Panes
	tree   *widget.Tree
	list   *widget.List
	detail *widget.Viewer
	filter *widget.FilterLine

	scopes []vault.ScopeCount
	nodes  map[string]node // of the tree, by key
	node   node            // selected in the tree
	told   vault.Context   // the host's context when it was last looked at
	sent   vault.Context   // the context that this page last told of
	places map[string]string

	of     node // whose rows these are
	loaded bool // there are rows, or it is known that there are none
	failed bool // they could not be read
	rows   []row
	shown  []int    // the rows that the filter lets through
	own    bool     // only what belongs to the scope itself
	want   vault.ID // to be selected as soon as it is in the list
	load   load

	uses uses
}

// New returns the page.
func New(host *view.Host) view.Screen {
	th := host.Theme
	p := &page{
		host: host, tasks: host.Tasks.Group(),
		panes:  widget.NewPanes("Scopes", "Secrets", "Detail"),
		tree:   widget.NewTree(th),
		detail: widget.NewViewer(th),
		filter: widget.NewFilterLine(th, fields()...),
		node:   contextNode(host.Context), told: host.Context, sent: host.Context,
		places: map[string]string{},
	}
	p.panes.Max = []int{34, 0, 60}
	p.panes.SetFocus(paneList)
	p.of = p.node
	p.newList()
	p.setScopes(nil)
	return p
}

// Title implements view.Screen.
func (p *page) Title() string { return "Secrets" }

// Close implements view.Screen.
func (p *page) Close() { p.tasks.Close() }

// Leave implements view.Leaver: what was asked for here does not come up
// elsewhere.
func (p *page) Leave() {
	p.tasks.Cancel("delete")
	p.tasks.Cancel("show")
}

// Enter implements view.Leaver.
func (p *page) Enter() tea.Cmd { return nil }

// setRows shows the rows of a node.
func (p *page) setRows(n node, rows []row) tea.Cmd {
	if !p.loaded || n != p.of {
		p.newList()
		p.list.Select(p.places[n.key()])
	}
	p.of, p.rows, p.loaded = n, rows, true
	p.refilter()
	p.found()
	cmds := []tea.Cmd{p.rest()}
	c := n.context()
	if c.Consumer = p.host.Context.Consumer; c != p.sent {
		p.sent = c
		cmds = append(cmds, view.Send(view.ContextMsg{Context: c}))
	}
	return tea.Batch(cmds...)
}

// found puts the cursor on a secret that was to be selected, as soon as it is
// in the list. A filter that hides it goes.
func (p *page) found() {
	if p.want == (vault.ID{}) {
		return
	}
	key := keyOf(p.want)
	for i := range p.rows {
		if p.rows[i].key != key {
			continue
		}
		p.want = vault.ID{}
		if !p.list.Select(key) {
			p.own = false
			p.filter.Clear()
			p.refilter()
			p.list.Select(key)
		}
		return
	}
}

// refilter works out which rows show.
func (p *page) refilter() {
	p.shown = filtered(p.rows, p.filter.Filter(), p.own && !p.of.all, p.of.context(), p.host.Now())
	p.filter.SetCount(len(p.shown), len(p.rows))
	p.list.Empty = p.emptiness()
	p.list.SetRows(len(p.shown), func(i int) string { return p.rows[p.shown[i]].key }, p.listRow)
	p.showDetail()
}

// choose selects a node of the tree.
func (p *page) choose(n node) tea.Cmd {
	if n == p.node && n == p.of {
		return nil
	}
	p.places[p.of.key()] = p.list.Key()
	p.node = n
	if _, known := p.nodes[n.key()]; !known {
		p.setScopes(p.scopes)
	}
	p.tree.Select(n.key())
	cmds := []tea.Cmd{p.loadList()}
	if !n.all {
		cmds = append(cmds, view.Send(view.LineMsg{Line: ops.ListLine(n.context())}))
	}
	return tea.Batch(cmds...)
}

// Show selects a secret, in the scope that it belongs to.
func (p *page) Show(m tea.Msg) tea.Cmd {
	msg, ok := m.(view.ShowSecret)
	if !ok {
		return nil
	}
	be := p.host.Backend
	return task.Go(p.tasks, "show", func(ctx context.Context) (vault.Secret, error) {
		return be.FindSecret(ctx, msg.ID.String())
	}, func(s vault.Secret, err error) tea.Cmd {
		if err != nil {
			return view.Fail("looking for the secret", err, nil)
		}
		p.panes.SetFocus(paneList)
		return p.goTo(s)
	})
}

// goTo selects a secret, in the scope that it belongs to.
func (p *page) goTo(s vault.Secret) tea.Cmd {
	p.want = s.ID
	if n := scopeNode(s.Scope); !p.node.all && n != p.node {
		return p.choose(n)
	}
	p.found()
	return p.rest()
}

// stale reports whether the list is that of another node than the one that is
// selected, which is being read. Nothing is done to what is in it: whoever
// presses a key quickly means the other one.
func (p *page) stale() bool { return p.of != p.node }

// current returns the row under the cursor; nil if there is none.
func (p *page) current() *row {
	i := p.list.Index()
	if i < 0 || i >= len(p.shown) {
		return nil
	}
	return &p.rows[p.shown[i]]
}

// targets are the rows that an action on many is for: the marked ones, or else
// the one under the cursor.
func (p *page) targets() []*row {
	if p.list.MarkCount() == 0 {
		if r := p.current(); r != nil {
			return []*row{r}
		}
		return nil
	}
	var out []*row
	for _, i := range p.shown {
		if r := &p.rows[i]; p.list.IsMarked(r.key) {
			out = append(out, r)
		}
	}
	return out
}

// Say implements view.Screen.
func (p *page) Say() string {
	if p.filter.Typing() {
		return p.filter.Say()
	}
	switch p.panes.Focus() {
	case paneScopes:
		s := p.node.words()
		if n, ok := p.nodes[p.tree.Key()]; ok {
			s = n.words()
			for _, c := range p.scopes {
				if !n.all && c.Scope == n.scope {
					s += ", " + text.Number(c.Own) + " own and " + text.Number(c.Attached) + " attached"
				}
			}
		}
		return s + ", " + p.tree.Say()
	case paneDetail:
		if r := p.current(); r != nil {
			return "detail of " + r.Name + ", value masked, " + p.detail.Say()
		}
		return "detail, nothing is selected"
	}
	return p.sayRow()
}

// sayRow says what is under the cursor of the list.
func (p *page) sayRow() string {
	r := p.current()
	if r == nil {
		return p.of.title() + ", " + p.list.Say()
	}
	return r.words(p.of) + p.marked(r) + ", " + p.list.Say()
}

func (p *page) marked(r *row) string {
	if p.list.IsMarked(r.key) {
		return ", marked"
	}
	return ""
}

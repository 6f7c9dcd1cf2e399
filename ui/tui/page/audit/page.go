// Package audit is the page of the audit log: who did what, newest first. A call
// is one row, its beginning with its end. The log may be long, so what is near
// the cursor is read, and no more.
package audit

import (
	tea "github.com/charmbracelet/bubbletea"

	// It puts back the TERM that the guard hides from bubbletea's init.
	"aivault/ui/auditrow"
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
	paneList = iota
	paneDetail
)

// page is the page of the audit log.
type page struct {
	host  *view.Host
	tasks *task.Group

	panes   *widget.Panes
	list    *widget.List
	detail  *widget.Viewer
	filter  *widget.FilterLine
	listTop int // the lines above it

	query vault.AuditQuery       // which events are asked for
	keep  func(vault.Event) bool // and which of their rows
	typed terms                  // the query, as somebody typed it
	log   part
	rows  []row
	shown []int // the rows that the filter lets through

	newest  uint64 // event of the log, as far as it is known
	follow  bool   // new events show as they come
	frozen  uint64 // the newest event to show while people do not follow
	loaded  bool
	failed  bool   // the log could not be read
	told    string // what was said about that
	stopped bool   // somebody stopped a search
	again   bool   // the log grew while it was read

	chain chain
	names names
}

// New returns the page.
func New(host *view.Host) view.Screen {
	th := host.Theme
	p := &page{
		host: host, tasks: host.Tasks.Group(),
		panes:  widget.NewPanes("Audit", "Event"),
		detail: widget.NewViewer(th),
		filter: widget.NewFilterLine(th, fields()...),
		follow: true,
	}
	p.panes.Weights, p.panes.Max = []int{13, 8}, []int{0, 64}
	p.newList()
	p.setTerms(terms{}, vault.AuditQuery{})
	p.refresh()
	return p
}

// Title implements view.Screen.
func (p *page) Title() string { return "Audit" }

// Close implements view.Screen.
func (p *page) Close() { p.tasks.Close() }

// Leave implements view.Leaver: a search does not go on where nobody sees it.
func (p *page) Leave() {
	if _, busy := p.tasks.Busy("read"); busy && searches(p.query) {
		p.stop()
	}
}

// Enter implements view.Leaver.
func (p *page) Enter() tea.Cmd { return nil }

// Show selects an event, or shows those of a query.
func (p *page) Show(m tea.Msg) tea.Cmd {
	msg, ok := m.(view.ShowAudit)
	if !ok {
		return nil
	}
	p.filter.Clear()
	p.panes.SetFocus(paneList)
	if msg.Seq == 0 {
		return p.choose(termsOf(msg.Query), msg.Query)
	}
	p.setTerms(terms{}, vault.AuditQuery{})
	return tea.Batch(view.Send(view.LineMsg{Line: ops.AuditLine(vault.AuditQuery{})}), p.around(msg.Seq))
}

// choose shows the events of a query.
func (p *page) choose(t terms, q vault.AuditQuery) tea.Cmd {
	q.Limit, q.UpTo, q.After = 0, 0, 0
	line := ops.AuditLine(q)
	p.setTerms(t, q)
	return tea.Batch(view.Send(view.LineMsg{Line: line}), p.top())
}

// setTerms changes the query. What shows of another one goes.
func (p *page) setTerms(t terms, q vault.AuditQuery) {
	p.typed = t
	p.query, p.keep = auditrow.ForRows(q)
	p.log, p.loaded, p.stopped = part{}, false, false
	p.list.Select("")
	p.refresh()
}

// refresh works out which rows there are.
func (p *page) refresh() {
	events := p.log.rows(p.log.hi >= p.newest)
	p.rows = make([]row, 0, len(events))
	for _, e := range events {
		if p.keep(e) {
			p.rows = append(p.rows, row{Event: e, key: keyOf(e.Seq)})
		}
	}
	p.refilter()
}

// refilter works out which rows show.
func (p *page) refilter() {
	p.shown = p.shown[:0]
	f := p.filter.Filter()
	for i := range p.rows {
		if f.Any() || p.rows[i].matches(f) {
			p.shown = append(p.shown, i)
		}
	}
	p.filter.SetCount(len(p.shown), len(p.rows))
	p.list.Empty = p.emptiness()
	p.list.SetRows(len(p.shown), func(i int) string { return p.rows[p.shown[i]].key }, p.listRow)
	p.list.Before, p.list.After = p.beside()
	p.showDetail()
}

// current returns the row under the cursor; nil if there is none.
func (p *page) current() *row {
	i := p.list.Index()
	if i < 0 || i >= len(p.shown) {
		return nil
	}
	return &p.rows[p.shown[i]]
}

// Say implements view.Screen.
func (p *page) Say() string {
	if p.filter.Typing() {
		return p.filter.Say()
	}
	r := p.current()
	if r == nil {
		return "audit log, " + p.list.Say()
	}
	if p.panes.Focus() == paneDetail {
		return "detail of event " + r.key + ", " + p.detail.Say()
	}
	s := r.words(p.host.Now())
	if p.filter.Shows() || searches(p.query) {
		return s + ", event " + text.Number(int(r.Seq)) + ", " + p.list.Say()
	}
	return s + ", event " + text.Number(int(r.Seq)) + " of " + text.Number(int(p.newest))
}

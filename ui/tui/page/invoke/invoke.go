// Package invoke is the page on which people try a call: an editor of the
// request, what would become of it before anything is sent, and the answer. It
// is what `aivault invoke` does, with the same broker behind it; a value of a
// secret is no more to be seen here than there.
package invoke

import (
	"context"

	tea "github.com/charmbracelet/bubbletea"

	"aivault/broker"
	"aivault/keys/fault"
	// It puts back the TERM that the guard hides from bubbletea's init.
	_ "aivault/ui/guard/release"
	"aivault/ui/tui/form"
	"aivault/ui/tui/ops"
	"aivault/ui/tui/task"
	"aivault/ui/tui/view"
	"aivault/ui/tui/widget"
	"aivault/vault"
)

// The panes.
const (
	paneRequest = iota
	paneAnswer
)

// What the pane of the answer shows.
type showing int

const (
	showVerdict showing = iota // nothing was sent or tried yet
	showDry                    // the request of a dry run
	showRun                    // a call
)

// A page is one test of calls.
type page struct {
	host    *view.Host
	tasks   *task.Group
	history *History
	open    view.OpenTest

	pick       *widget.Picker // while a capability is to be chosen
	capability string         // empty: none was chosen yet
	desc       *broker.Description
	failed     error // the capability could not be read
	call       broker.Call
	filled     bool // call is whole, not only where to begin
	offer      suggestions
	req        *request // nil until there is a description

	verdict *verdict
	stale   bool            // the verdict is about an older call
	details *widget.Details // which say it
	before  *widget.Viewer

	shows     showing
	dry       *broker.Preview
	run       *run
	raw       bool
	text      *widget.Viewer
	textWidth int
	find      *form.Text // what is searched for, while it is typed

	panes *widget.Panes
	spots spots
}

// New returns a page for the call that open names. History is that of all such
// pages.
func New(host *view.Host, history *History, open view.OpenTest) view.Screen {
	c := open.Context
	if c == (vault.Context{}) {
		c = host.Context
	}
	p := &page{
		host: host, tasks: host.Tasks.Group(), history: history, open: open, capability: open.Capability,
		call:    broker.Call{Capability: open.Capability, Credential: open.Credential, Context: c},
		details: widget.NewDetails(host.Theme), before: widget.NewViewer(host.Theme), text: widget.NewViewer(host.Theme),
		panes: widget.NewPanes("Request", "Answer"),
	}
	p.text.Wrap, p.before.Wrap = true, true
	p.panes.Weights, p.panes.Max = []int{1, 1}, []int{84, 0}
	return p
}

// Title names the page.
func (p *page) Title() string {
	if p.capability == "" {
		return "Test"
	}
	return "Test " + p.capability
}

// Load reads what the capability is, or which there are, and has the call judged
// again. What was typed stays.
func (p *page) Load() tea.Cmd {
	if p.capability == "" {
		return p.loadChoices()
	}
	be, id := p.host.Backend, p.capability
	type loaded struct {
		desc  *broker.Description
		offer suggestions
	}
	return task.Go(p.tasks, "load", func(ctx context.Context) (loaded, error) {
		d, err := be.Describe(ctx, id)
		if err != nil {
			return loaded{}, err
		}
		l := loaded{desc: d}
		// What can be offered is a help only: without it the rest works.
		if list, err := be.Credentials(ctx); err == nil {
			for _, c := range list {
				if c.Provider == d.Provider {
					l.offer.credentials = append(l.offer.credentials, c.ID)
				}
			}
		}
		if counts, err := be.Scopes(ctx); err == nil {
			for _, c := range counts {
				l.offer.scopes = append(l.offer.scopes, c.Scope)
			}
		}
		return l, nil
	}, func(l loaded, err error) tea.Cmd {
		if err != nil {
			if fault.CodeOf(err) == fault.CapabilityNotFound && (p.req != nil || p.filled) {
				return p.gone()
			}
			p.failed = err
			return view.Fail("reading capability "+id, err, p.Load)
		}
		p.failed, p.desc, p.offer = nil, l.desc, l.offer
		if p.req == nil {
			p.edit()
		}
		return p.check()
	})
}

// gone shows what there is of a call whose capability went away; that it did,
// the verdict says.
func (p *page) gone() tea.Cmd {
	if p.req == nil {
		p.desc = &broker.Description{Capability: broker.Capability{ID: p.capability, Allow: vault.Allow{Methods: []string{p.call.Method}}}}
		p.edit()
	}
	return p.check()
}

// edit begins to edit the call, filled in as far as the capability says how.
func (p *page) edit() {
	if !p.filled {
		first := p.desc.ExampleCall()
		p.call.Method, p.call.Path, p.call.Headers, p.call.Body = first.Method, first.Path, first.Headers, first.Body
	}
	p.call.Capability = p.desc.ID
	p.req = newRequest(p.host, p.desc, p.call, &p.offer, p.changed)
	p.req.Owner = p
	p.panes.Name(paneRequest, p.desc.ID)
}

// wrong shows what is wrong with a field, which has the focus then.
func (p *page) wrong(field form.Field, err error) tea.Cmd {
	p.focus(paneRequest)
	p.req.Failed(err, field)
	return nil
}

// dryRun shows the request that would be sent, and sends nothing.
func (p *page) dryRun() tea.Cmd {
	call, field, err := p.req.parse()
	if field != nil {
		return p.wrong(field, err)
	}
	be := p.host.Backend
	return tea.Batch(task.Go(p.tasks, "dry", func(ctx context.Context) (*broker.Preview, error) {
		return be.Preview(ctx, call)
	}, func(v *broker.Preview, err error) tea.Cmd {
		if err != nil {
			p.show(&run{call: call, begun: p.host.Now(), over: true, err: err, dry: true})
		} else {
			p.shows, p.dry = showDry, v
			p.afresh()
		}
		p.focus(paneAnswer)
		return nil
	}), view.Send(view.LineMsg{Line: ops.PreviewLine(call)}))
}

// show shows a call, from its beginning.
func (p *page) show(r *run) {
	if p.run != nil && p.run != r {
		p.run.indent = nil // it is made again when it shows again
	}
	if r.kind == kindJSON && r.indent == nil {
		r.indent, _ = pretty(r.news.body)
	}
	p.shows, p.run, p.raw = showRun, r, false
	p.afresh()
}

// afresh shows another text, from its beginning.
func (p *page) afresh() {
	p.find = nil
	p.text.Follow(false)
	p.text.Search("")
	p.text.Top()
	p.fill()
}

// toAudit shows the call in the audit log; where nothing says which event it is,
// those of its capability.
func (p *page) toAudit() tea.Cmd {
	r := p.run
	if r.answer != nil && r.answer.Intent != 0 {
		return view.Send(view.ShowAudit{Seq: r.answer.Intent})
	}
	return view.Send(view.ShowAudit{Query: vault.AuditQuery{Capability: r.call.Capability}})
}

// Dirty reports whether the request was changed since it was filled in, or sent.
func (p *page) Dirty() bool { return p.req != nil && p.req.changed() }

// leave closes the page, after asking where something is typed.
func (p *page) leave() tea.Cmd {
	if p.req != nil && p.req.escape() {
		return nil
	}
	if !p.Dirty() {
		return view.Close(p)
	}
	return p.askDiscard(func() tea.Cmd { return view.Close(p) })
}

// askDiscard asks whether what was typed may go, and then does something.
func (p *page) askDiscard(then func() tea.Cmd) tea.Cmd {
	return view.Dialog(form.NewConfirm(p.host, form.Question{
		Title: p.Title(), Ask: "Throw away the request?", Consequences: []string{"It was changed and not sent."},
		Yes: "Throw away", No: "Go on typing", Do: then,
	}))
}

// Close ends what is under way.
func (p *page) Close() {
	if p.running() {
		p.stop()
	}
	p.tasks.Close()
	if p.run != nil {
		p.run.indent = nil
	}
	if p.req != nil {
		p.req.Close()
	}
}

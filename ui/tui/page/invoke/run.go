package invoke

import (
	"context"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"aivault/broker"
	"aivault/keys/fault"
	"aivault/ui/tui/ops"
	"aivault/ui/tui/task"
	"aivault/ui/tui/view"
)

// A run is one call that was sent, or tried to: how far it is, and what came of
// it. It is used in the event loop only.
type run struct {
	call  broker.Call
	begun time.Time
	took  time.Duration // once it is over
	stop  context.CancelFunc
	feed  *feed
	news  news

	sent     bool // the request was on its way, or its token's renewal
	stopped  bool // somebody pressed the key
	over     bool
	answer   *broker.Answer // without its body; nil: there is none
	err      error          // why there is none, or why it is not whole
	kind     kind           // of the body, once it is over
	indent   []byte         // the body, indented; nil: as it came
	followed bool           // its end was what shows
	dry      bool           // nothing was to be sent: a dry run that was refused
}

// An outcome is what the goroutine of a call makes ready for the event loop.
type outcome struct {
	answer *broker.Answer
	kind   kind
	indent []byte
}

// send makes the call that the request says.
func (p *page) send() tea.Cmd {
	if p.running() || p.req == nil {
		return nil
	}
	call, field, err := p.req.parse()
	if field != nil {
		return p.wrong(field, err)
	}
	p.req.clean = call
	return p.begin(call)
}

// begin makes a call.
func (p *page) begin(call broker.Call) tea.Cmd {
	ctx, stop := context.WithCancel(context.Background())
	r := &run{call: call, begun: p.host.Now(), stop: stop, feed: &feed{now: p.host.Now}}
	r.news.since = r.begun
	p.tasks.Cancel("dry")
	p.history.add(r)
	p.show(r)
	p.focus(paneAnswer)
	p.touched()
	be := p.host.Backend
	stream := task.Stream(p.tasks, "call", func(group context.Context, emit func(struct{})) (outcome, error) {
		group, cancel := context.WithCancel(group)
		defer cancel()
		defer context.AfterFunc(ctx, cancel)()
		r.feed.tell = func() { emit(struct{}{}) }
		answer, err := be.Stream(group, call, r.feed)
		return finish(r.feed.take(), answer), err
	}, func([]struct{}) tea.Cmd {
		p.came(r, r.feed.take())
		return nil
	}, func(o outcome, err error) tea.Cmd {
		return p.ended(r, o, err)
	})
	return tea.Batch(stream, view.Send(view.LineMsg{Line: ops.InvokeLine(call)}))
}

// finish looks at a body, which may take a while.
func finish(n news, answer *broker.Answer) outcome {
	o := outcome{answer: answer}
	if answer == nil {
		return o
	}
	o.kind = kindOf(answer.MediaType, n.body, int64(len(n.body)) == n.total)
	if o.kind == kindJSON {
		o.indent, _ = pretty(n.body)
	}
	return o
}

// came notes how far a call is.
func (p *page) came(r *run, n news) {
	if r.over {
		return
	}
	grew := len(n.body) > len(r.news.body) || n.head != nil && r.news.head == nil
	r.news = n
	switch n.stage {
	case broker.StageRenewing, broker.StageSending, broker.StageWaiting, broker.StageReceiving:
		r.sent = true
	}
	if grew && p.run == r && p.shows == showRun {
		p.fill()
	}
}

// ended notes what came of a call.
func (p *page) ended(r *run, o outcome, err error) tea.Cmd {
	p.came(r, r.feed.take())
	r.stop()
	r.stopped = r.stopped && err != nil // it may have been over by then
	r.over, r.took = true, p.host.Now().Sub(r.begun)
	r.answer, r.err, r.kind, r.indent = o.answer, err, o.kind, o.indent
	if r.answer != nil && r.answer.Duration > 0 {
		r.took = r.answer.Duration
	}
	p.touched()
	if p.run == r && p.shows == showRun {
		p.fill()
	}
	switch fault.CodeOf(err) {
	case fault.VaultLocked, fault.KeyUnavailable, fault.WrongKey, fault.VaultCorrupt, fault.VaultNewer:
		return view.Fail("a test of "+r.call.Capability, err, nil) // the root's to show
	}
	return nil
}

// stop ends the call that is under way. That it was stopped shows at once, what
// had come of it by then a moment later.
func (p *page) stop() tea.Cmd {
	if !p.running() {
		return nil
	}
	r := p.run
	p.came(r, r.feed.take())
	r.stop()
	r.stopped, r.took = true, p.host.Now().Sub(r.begun)
	p.fill()
	return nil
}

// running reports whether a call is under way that nobody stopped.
func (p *page) running() bool { return p.run != nil && !p.run.over && !p.run.stopped }

// touched notes that a call changes the vault: it is recorded.
func (p *page) touched() {
	if p.host.Touched != nil {
		p.host.Touched()
	}
}

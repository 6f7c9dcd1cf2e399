package vault

import (
	"context"
	"errors"
	"slices"
	"sync"

	"aivault/vault/internal/seal"
	"aivault/vault/internal/store"
)

// maxBatch is how many calls share a transaction at the most: nobody waits for
// longer than it takes to decide on so many.
const maxBatch = 128

// A queue is where calls wait for a transaction, which records all that wait,
// and the outcomes of earlier ones, at the cost of one durable commit. It runs
// in a goroutine of its own, which ends when nobody waits; what is decided is
// decided in the goroutine of each caller, whose panic is nobody else's.
type queue struct {
	mu       sync.Mutex
	running  bool    // a goroutine serves the queue
	waiting  []*call // first come, first served
	outcomes outcomes
	flushers []chan<- error // each told once whether all outcomes are recorded
	open     bool           // denials are counted that are no events yet
}

// A call is one of Authorize.
type call struct {
	by     Caller
	decide func(Reader) (Decision, error)
	ring   *seal.Ring // held by the caller while it waits

	turn chan *txn    // the transaction, for the time of decide
	back chan verdict // what came of that
	done chan error   // what became of the transaction: then what follows is set

	permit  Permit    // without its values
	waiting []pending // these
	refusal error     // if it was refused, which is recorded
}

// A verdict is what a caller decided.
type verdict struct {
	decision Decision
	err      error
	left     bool // the caller went away instead; err is to be its error, if it waits for one
}

func newCall(by Caller, decide func(Reader) (Decision, error)) *call {
	return &call{by: by, decide: decide, turn: make(chan *txn), back: make(chan verdict, 1), done: make(chan error, 1)}
}

// join waits until a transaction has recorded the call, or failed to.
func (l *Local) join(ctx context.Context, c *call, ring *seal.Ring) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	q := &l.calls
	q.mu.Lock()
	c.ring = ring
	q.waiting = append(q.waiting, c)
	l.serveLocked()
	q.mu.Unlock()
	leaving := ctx.Done()
	for {
		select {
		case t := <-c.turn:
			c.answer(ctx, t)
		case err := <-c.done:
			return err
		case <-leaving:
			if q.leave(c) {
				return ctx.Err()
			}
			leaving = nil // it is in a transaction, whose end it must know
		}
	}
}

// answer decides, in the caller's goroutine. Where that panics, the caller is
// gone and the transaction goes on.
func (c *call) answer(ctx context.Context, t *txn) {
	v := verdict{left: true}
	defer func() { c.back <- v }()
	if v.err = ctx.Err(); v.err != nil {
		return
	}
	var d Decision
	err := store.Guard(func() (err error) {
		d, err = c.decide(reader{t})
		return err
	})
	v = verdict{decision: d, err: err}
}

// leave takes a caller out of the queue, unless its turn has come.
func (q *queue) leave(c *call) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	i := slices.Index(q.waiting, c)
	if i >= 0 {
		q.waiting = slices.Delete(q.waiting, i, i+1)
	}
	return i >= 0
}

// A batch is what one transaction is about.
type batch struct {
	began    bool // it came so far as to take outcomes
	calls    []*call
	current  *call // whose turn it is; nil before and after
	outcomes []*outcome
	dropped  int // outcomes of another vault
	flushers []chan<- error
}

// errNothing ends a transaction without a commit: there is nothing to record.
var errNothing = errors.New("nothing to record")

// serveLocked has somebody serve the queue.
func (l *Local) serveLocked() {
	if !l.calls.running {
		l.calls.running = true
		go l.serve()
	}
}

// serve runs transactions until nobody waits. It has the time that they need:
// what callers have of it is their own matter.
func (l *Local) serve() {
	ctx := context.Background()
	for {
		ring, work := l.calls.next()
		if !work {
			return
		}
		var (
			b   batch
			err error
		)
		if ring != nil {
			err = l.transact(ctx, ring, func(t *txn) error { return l.calls.run(t, &b) })
			ring.Release()
		} else {
			err = l.commit(ctx, func(t *txn) error { return l.calls.run(t, &b) })
		}
		if errors.Is(err, errNothing) {
			err = nil
		}
		l.finish(&b, ring, err)
	}
}

// next returns whether there is something to do, and for whom: the keys of the
// first that waits, held, or nil if it is for outcomes only.
func (q *queue) next() (ring *seal.Ring, work bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.waiting) > 0 {
		ring = q.waiting[0].ring
		ring.Hold() // the caller may leave, and let go
		return ring, true
	}
	if q.outcomes.due && len(q.outcomes.list) > 0 || len(q.flushers) > 0 {
		return nil, true
	}
	q.running = false
	return nil, false
}

// run is the transaction: outcomes, then the calls that wait, and those that
// come in the meantime.
func (q *queue) run(t *txn, b *batch) error {
	before := t.man
	q.takeOutcomes(b)
	if err := t.beginCalls(); err != nil {
		return err
	}
	for _, o := range b.outcomes {
		if err := t.recordOutcome(o, b); err != nil {
			return err
		}
	}
	for len(b.calls) < maxBatch {
		c := q.pop(t.ring)
		if c == nil {
			break
		}
		b.current = c
		if err := t.attend(c, b); err != nil {
			return err
		}
		b.current = nil
	}
	if err := t.endCalls(); err != nil {
		return err
	}
	q.noteOpen(t.denials)
	if t.man == before {
		return errNothing
	}
	return nil
}

// noteOpen notes whether there is something for Flush to do later.
func (q *queue) noteOpen(d *denials) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.open = false
	for _, o := range d.open {
		q.open = q.open || o.more > 0
	}
}

// pop takes the first that waits out of the queue, if the keys are its own.
func (q *queue) pop(ring *seal.Ring) *call {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.waiting) == 0 || q.waiting[0].ring != ring {
		return nil
	}
	c := q.waiting[0]
	q.waiting[0] = nil
	q.waiting = q.waiting[1:]
	return c
}

// attend gives a caller its turn, and records what it decided.
func (t *txn) attend(c *call, b *batch) error {
	c.turn <- t
	switch v := <-c.back; {
	case v.left:
		c.done <- v.err
		return nil
	case errors.Is(v.err, store.ErrDamaged):
		return v.err
	default:
		b.calls = append(b.calls, c)
		t.by = c.by
		return t.judge(c, &v.decision, v.err)
	}
}

// finish tells everybody what became of the transaction. Where it failed on
// account of one call, that one is told, and the others have another one.
func (l *Local) finish(b *batch, ring *seal.Ring, err error) {
	q := &l.calls
	q.mu.Lock()
	defer q.mu.Unlock()
	if err != nil && b.current != nil {
		b.current.done <- err
		others := slices.DeleteFunc(b.calls, func(c *call) bool { return c == b.current })
		q.waiting = append(others, q.waiting...)
		q.flushers = append(b.flushers, q.flushers...)
		q.outcomes.due = true
		return
	}
	if err == nil && ring != nil {
		q.outcomes.vault = ring.Vault()
	}
	for _, c := range b.calls {
		c.done <- err
	}
	if err != nil && ring != nil && len(b.calls) == 0 { // it did not come so far as to take one
		q.waiting = slices.DeleteFunc(q.waiting, func(c *call) bool {
			own := c.ring == ring
			if own {
				c.done <- err // with other keys, it comes again at once
			}
			return own
		})
	}
	if !errors.Is(err, errReplaced) { // otherwise outcomes have another try, with other keys
		l.finishOutcomes(b, err)
	}
}

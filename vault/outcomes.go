package vault

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"time"

	"aivault/keys/fault"
	"aivault/vault/internal/seal"
	"aivault/vault/internal/store"
)

const (
	// outcomeDelay is how long an outcome waits for a transaction of calls.
	outcomeDelay = 50 * time.Millisecond
	// maxOutcomes is how many outcomes wait. Who brings another one waits, too.
	maxOutcomes = 1 << 10
	// closeWait is how long Close tries to record outcomes.
	closeWait = 15 * time.Second
)

// Outcomes wait in memory until they are recorded with the next calls, or alone
// when outcomeDelay is over. Those of a process that ends before read "unknown":
// its calls were made, and how they ended nobody knows.
type outcomes struct {
	list  []*outcome
	due   bool        // they wait for no call any more
	timer *time.Timer // makes them due; nil if it is not running
	vault [16]byte    // in which calls were last granted
	err   error       // of those in the list, if they were tried in vain
	lost  error       // of others, which never will be recorded
}

// tell returns what nobody was told yet.
func (o *outcomes) tell() (err error) {
	if err = o.lost; err == nil {
		err = o.err
	}
	o.lost, o.err = nil, nil
	return err
}

// An outcome is that of a call, and where it was written when that was tried.
type outcome struct {
	event Event
	by    Caller    // who brought it
	at    time.Time // since when it waits
	vault [16]byte  // in whose log it belongs; zero: it is not known
	link  [seal.LinkSize]byte
}

// Finish implements Store.
func (l *Local) Finish(ctx context.Context, intent uint64, e Event) error {
	e.Kind, e.Intent, e.Seq = KindInvokeOutcome, intent, 0
	q := &l.calls
	q.mu.Lock()
	defer q.mu.Unlock()
	for len(q.outcomes.list) >= maxOutcomes {
		q.mu.Unlock()
		err := l.Flush(ctx)
		q.mu.Lock()
		if err != nil {
			return errOutcomes(1, err)
		}
	}
	o := &q.outcomes
	o.list = append(o.list, &outcome{event: e, by: l.callerOf(ctx), at: time.Now(), vault: o.vault})
	if o.timer == nil {
		o.timer = time.AfterFunc(outcomeDelay, l.outcomesDue)
	}
	return o.tell()
}

// outcomesDue has the outcomes recorded that have waited long enough.
func (l *Local) outcomesDue() {
	l.calls.mu.Lock()
	defer l.calls.mu.Unlock()
	o := &l.calls.outcomes
	if o.timer == nil { // Close stopped it, a moment too late
		return
	}
	o.timer = nil
	if len(o.list) == 0 {
		return
	}
	if left := outcomeDelay - time.Since(o.list[0].at); left > 0 {
		o.timer = time.AfterFunc(left, l.outcomesDue)
		return
	}
	o.due = true
	l.serveLocked()
}

// Flush implements Store. It also writes the event of denials whose minute is
// over.
func (l *Local) Flush(ctx context.Context) error {
	q := &l.calls
	q.mu.Lock()
	if len(q.outcomes.list) == 0 && !q.open {
		defer q.mu.Unlock()
		return q.outcomes.tell()
	}
	done := make(chan error, 1)
	q.flushers = append(q.flushers, done)
	l.serveLocked()
	q.mu.Unlock()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// flushBeforeRead makes a reader of the log see how the calls of this process
// ended. Where they cannot be recorded, it sees the log as it is, and the next
// Finish tells.
func (l *Local) flushBeforeRead(ctx context.Context) {
	o := &l.calls.outcomes
	l.calls.mu.Lock()
	defer l.calls.mu.Unlock()
	if len(o.list) == 0 {
		return
	}
	l.calls.mu.Unlock()
	err := l.Flush(ctx)
	l.calls.mu.Lock()
	switch {
	case err == nil:
	case len(o.list) > 0:
		o.err = err
	default:
		o.lost = err
	}
}

// flushBeforeClose records what still waits. What cannot be recorded is kept,
// and does not ask for the key by itself.
func (l *Local) flushBeforeClose() {
	ctx, cancel := context.WithTimeout(context.Background(), closeWait)
	defer cancel()
	l.flushBeforeRead(ctx)
	l.calls.mu.Lock()
	defer l.calls.mu.Unlock()
	o := &l.calls.outcomes
	if o.timer != nil {
		o.timer.Stop()
		o.timer = nil
	}
	o.due = false
}

// takeOutcomes takes a look at what waits, which stays until it is recorded.
func (q *queue) takeOutcomes(b *batch) {
	q.mu.Lock()
	defer q.mu.Unlock()
	b.began = true
	b.outcomes = slices.Clone(q.outcomes.list)
	b.flushers, q.flushers = q.flushers, nil
	q.outcomes.due = false
}

// finishOutcomes tells those who wait for outcomes what became of them. The
// queue is locked.
func (l *Local) finishOutcomes(b *batch, err error) {
	q := &l.calls
	o := &q.outcomes
	if !b.began { // the transaction failed before
		b.flushers, q.flushers = q.flushers, nil
		o.due = false
	}
	if err == nil {
		if b.dropped > 0 {
			o.lost = errOutcomes(b.dropped, errReplaced)
		}
		o.list = slices.Delete(o.list, 0, len(b.outcomes))
		o.err = nil
	} else if err = l.explain(err, "writing"); len(o.list) > 0 {
		err = errOutcomes(len(o.list), err)
		o.err = err
	}
	if len(b.flushers) == 0 {
		return
	}
	if told := o.tell(); told != nil {
		err = told
	}
	for _, f := range b.flushers {
		f <- err
	}
}

// errOutcomes is the error of outcomes that could not be recorded.
func errOutcomes(n int, err error) error {
	what := "the outcome of a call"
	if n > 1 {
		what = fmt.Sprintf("outcomes of %d calls", n)
	}
	return fault.Wrap(fault.AuditUnavailable, err, "%s could not be recorded, and may read \"unknown\" in the audit log", what).
		WithHint("%s", fault.HintOf(err))
}

// recordOutcome records an outcome, unless an earlier transaction has done so
// that reported an error.
func (t *txn) recordOutcome(o *outcome, b *batch) error {
	switch {
	case o.vault != [16]byte{} && o.vault != t.ring.Vault():
		b.dropped++
		return nil
	case o.event.Seq > 0 && bytes.HasSuffix(t.tx.Get(store.Audit, seqKey(o.event.Seq)), o.link[:]):
		return nil
	}
	o.by.name(&o.event)
	if call, err := t.intent(o.event.Intent); err == nil { // whoever brings the outcome, it is of that caller's call
		o.event.Actor, o.event.UID, o.event.PID = call.Actor, call.UID, call.PID
	}
	err := t.append(&o.event)
	o.link = t.man.link
	return err
}

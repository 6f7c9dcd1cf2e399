package vault

import (
	"context"
	"math"
	"strings"

	"aivault/keys/fault"
	"aivault/vault/internal/seal"
	"aivault/vault/internal/store"
)

// Bounds of reading the audit log.
const (
	// defaultAuditLimit is how many events a query returns that does not say.
	defaultAuditLimit = 200
	// auditStride is how many events one transaction reads at the most, so
	// that who writes need not wait until a long log was read.
	auditStride = 10_000
	// auditPatience is after how many events in a row that are too old for
	// AuditQuery.Since the log is read no further, and among how many behind
	// AuditQuery.UpTo the ends of calls are looked for.
	auditPatience = 5_000
)

// Audit implements Vault. Each event that it reads is verified to be the one
// that the next one follows, and the newest to be the one of the manifest, if
// it is read. An error names the first event of the whole log that does not
// verify.
func (l *Local) Audit(ctx context.Context, q AuditQuery) ([]Event, error) {
	if q.Limit <= 0 {
		q.Limit = defaultAuditLimit
	}
	l.flushBeforeRead(ctx)
	a := auditReading{q: q, ends: newEnds()}
	err := l.stride(ctx, a.stride)
	if fault.CodeOf(err) == fault.AuditBroken {
		if _, first := l.VerifyAudit(ctx); first != nil {
			return nil, first
		}
	}
	if err != nil {
		return nil, err
	}
	return a.found, nil
}

// stride calls f in one transaction after the other, until it is done or
// fails. The log only grows meanwhile.
func (l *Local) stride(ctx context.Context, f func(*txn) (done bool, err error)) error {
	var vault [16]byte
	for i := 0; ; i++ {
		if err := ctx.Err(); err != nil {
			return err
		}
		done := true
		err := l.view(ctx, func(t *txn) (err error) {
			if t == nil {
				return nil
			}
			if i > 0 && t.ring.Vault() != vault {
				return fault.New(fault.Conflict, "%s was replaced by another vault while its audit log was read", l.db.Path()).WithHint("try again")
			}
			vault = t.ring.Vault()
			if _, err := t.chainOf(t.man.seq); err != nil {
				return err
			}
			done, err = f(t)
			return err
		})
		if done || err != nil {
			return err
		}
	}
}

// An auditReading reads the log towards its beginning.
type auditReading struct {
	q       AuditQuery
	started bool
	next    uint64                 // the event to read now
	link    [seal.LinkSize]byte    // and its link
	old     int                    // events in a row that are too old for the query
	open    map[uint64]denialCount // denials that are counted and no events yet, by the first of their kind
	ends    ends
	found   []Event
}

// start finds the first event to read, and its link: the newest one, whose link
// the manifest holds, or the one that the query starts with.
func (a *auditReading) start(t *txn) error {
	a.started, a.next, a.link = true, t.man.seq, t.man.link
	from := a.q.UpTo
	if a.q.Outcome != "" && from > 0 {
		from += min(auditPatience, math.MaxUint64-from)
	}
	if from == 0 || from >= t.man.seq {
		return nil
	}
	entry := t.tx.Get(store.Audit, seqKey(from))
	if len(entry) < seal.LinkSize {
		return errAudit(from)
	}
	a.next, a.link = from, [seal.LinkSize]byte(entry[len(entry)-seal.LinkSize:])
	return nil
}

// stride reads a part of the log.
func (a *auditReading) stride(t *txn) (done bool, err error) {
	span := store.Span{Reverse: true}
	if !a.started {
		if err := a.start(t); err != nil {
			return false, err
		}
	}
	if a.next < t.man.seq { // otherwise also what is behind the newest, which must be nothing
		span.From = seqKey(a.next)
	}
	if a.open, err = t.openDenials(); err != nil {
		return false, err
	}
	n := 0
	err = t.tx.Range(store.Audit, span, func(k, v []byte) error {
		switch {
		case a.next == 0:
			return errAudit(1) // something is before it
		case n == auditStride, a.done():
			return store.ErrStop
		}
		n++
		return a.read(t, k, v)
	})
	switch {
	case err != nil:
		return false, err
	case n < auditStride && a.next > 0 && !a.done():
		return false, errAudit(a.next) // it is not there
	}
	return a.next == 0 || a.done(), nil
}

// done reports whether nothing of what is left can be what the query asks for.
func (a *auditReading) done() bool {
	return a.next <= a.q.After || len(a.found) == a.q.Limit || a.old > auditPatience
}

// read reads one event, and verifies that it follows the one before.
func (a *auditReading) read(t *txn, key, entry []byte) error {
	e, link, err := t.openEvent(key, entry)
	if err != nil || e.Seq != a.next || link != a.link {
		return errAudit(a.next)
	}
	a.link = [seal.LinkSize]byte{}
	if a.next > 1 {
		before := t.tx.Get(store.Audit, seqKey(a.next-1))
		if len(before) < seal.LinkSize {
			return errAudit(a.next - 1)
		}
		a.link = [seal.LinkSize]byte(before[len(before)-seal.LinkSize:])
	}
	if !t.follows(a.next, a.link, entry) {
		return errAudit(max(a.next-1, 1))
	}
	a.next--
	if c, ok := a.open[e.Seq]; ok {
		e.Count, e.Last = c.n, c.last
	}
	outcome, code := a.ends.of(e)
	if !a.q.Since.IsZero() && e.Time.Before(a.q.Since) {
		a.old++
		return nil
	}
	a.old = 0
	if a.q.selects(e) && a.q.cameTo(outcome, code) {
		a.found = append(a.found, *e)
	}
	return nil
}

// selects reports whether a query asks for an event, Since and After aside.
func (q *AuditQuery) selects(e *Event) bool {
	switch {
	case q.UpTo > 0 && e.Seq > q.UpTo:
		return false
	case !q.Before.IsZero() && !e.Time.Before(q.Before):
		return false
	case strings.HasSuffix(q.Kind, "."):
		if !strings.HasPrefix(e.Kind, q.Kind) {
			return false
		}
	case q.Kind != "" && e.Kind != q.Kind:
		return false
	}
	return (q.Actor == "" || e.Actor == q.Actor) && (q.Capability == "" || e.Capability == q.Capability) &&
		(q.Secret == ID{} || e.Secret == q.Secret) && q.within(e)
}

// within reports whether an event is of a query's workspace and group: those of
// its caller, or of the scope at which something was changed.
func (q *AuditQuery) within(e *Event) bool {
	workspace, group := e.Workspace, e.Group
	if workspace == "" {
		if scope, ok := strings.CutPrefix(e.Scope, "workspace:"); ok {
			workspace = scope
		} else if scope, ok := strings.CutPrefix(e.Scope, "group:"); ok {
			workspace, group, _ = strings.Cut(scope, ":")
		}
	}
	return (q.Workspace == "" || workspace == q.Workspace) && (q.Group == "" || group == q.Group)
}

func errAudit(seq uint64) error {
	return fault.New(fault.AuditBroken, "the audit log does not verify at event %d: it was changed, damaged or cut outside aivault", seq).
		WithHint("run `aivault doctor`; events before it are in order")
}

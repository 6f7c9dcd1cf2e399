package vault

import (
	"context"
	"encoding/binary"
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
	// AuditQuery.Since the log is read no further.
	auditPatience = 5_000
)

// Audit implements Vault. Each event that it reads is verified to be the one
// that the next one follows, and the newest to be the one of the manifest. An
// error names the first event of the whole log that does not verify.
func (l *Local) Audit(ctx context.Context, q AuditQuery) ([]Event, error) {
	if q.Limit <= 0 {
		q.Limit = defaultAuditLimit
	}
	l.flushBeforeRead(ctx)
	a := auditReading{q: q}
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
			if err := t.openChain(); err != nil {
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

// An auditReading reads the log from its end.
type auditReading struct {
	q       AuditQuery
	started bool
	next    uint64                 // the event to read now
	link    [seal.LinkSize]byte    // and its link
	old     int                    // events in a row that are too old for the query
	open    map[uint64]denialCount // denials that are counted and no events yet, by the first of their kind
	found   []Event
}

// stride reads a part of the log.
func (a *auditReading) stride(t *txn) (done bool, err error) {
	span := store.Span{Reverse: true}
	if a.started {
		span.From = seqKey(a.next)
	} else {
		a.started, a.next, a.link = true, t.man.seq, t.man.link
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
	e, link, err := openEvent(t.chain, key, entry)
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
	if !t.chain.Verify(a.next, a.link, entry) {
		return errAudit(max(a.next-1, 1))
	}
	a.next--
	if c, ok := a.open[e.Seq]; ok {
		e.Count, e.Last = c.n, c.last
	}
	if !a.q.Since.IsZero() && e.Time.Before(a.q.Since) {
		a.old++
		return nil
	}
	a.old = 0
	if a.q.selects(e) {
		a.found = append(a.found, *e)
	}
	return nil
}

// selects reports whether a query asks for an event, Since and After aside.
func (q *AuditQuery) selects(e *Event) bool {
	switch {
	case !q.Before.IsZero() && !e.Time.Before(q.Before):
		return false
	case strings.HasSuffix(q.Kind, "."):
		if !strings.HasPrefix(e.Kind, q.Kind) {
			return false
		}
	case q.Kind != "" && e.Kind != q.Kind:
		return false
	}
	return (q.Capability == "" || e.Capability == q.Capability) &&
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

// openEvent opens one entry of the log.
func openEvent(chain *seal.Chain, key, entry []byte) (*Event, [seal.LinkSize]byte, error) {
	var none [seal.LinkSize]byte
	if len(key) != 8 {
		return nil, none, errAudit(0)
	}
	seq := binary.BigEndian.Uint64(key)
	b, link, err := chain.Open(seq, entry)
	if err != nil {
		return nil, none, errAudit(seq)
	}
	e, err := decodeEvent(b)
	if err != nil || e.Seq != seq {
		return nil, none, errAudit(seq)
	}
	return e, link, nil
}

// VerifyAudit implements Vault.
func (l *Local) VerifyAudit(ctx context.Context) (AuditState, error) {
	var v auditVerification
	err := l.stride(ctx, v.stride)
	return v.state, err
}

// An auditVerification walks the chain from its beginning.
type auditVerification struct {
	state AuditState          // of what was verified
	link  [seal.LinkSize]byte // of the last event of that
}

// stride verifies a part of the log. The error names the first event that does
// not verify.
func (v *auditVerification) stride(t *txn) (done bool, err error) {
	var span store.Span
	if v.state.Events > 0 {
		span.From = append(seqKey(v.state.Events), 0) // the least key behind it, of whatever length
	}
	n := 0
	err = t.tx.Range(store.Audit, span, func(k, b []byte) error {
		if n++; n > auditStride {
			return store.ErrStop
		}
		seq := v.state.Events + 1
		if len(k) != 8 || binary.BigEndian.Uint64(k) != seq || seq > t.man.seq || !t.chain.Verify(seq, v.link, b) {
			return errAudit(seq)
		}
		e, link, err := openEvent(t.chain, k, b)
		if err != nil {
			return err
		}
		if seq == 1 {
			v.state.First = e.Time
		}
		v.state.Events, v.state.Last, v.link = seq, e.Time, link
		return nil
	})
	switch {
	case err != nil:
		return false, err
	case n > auditStride:
		return false, nil
	case v.state.Events != t.man.seq:
		return false, errAudit(v.state.Events + 1)
	case v.link != t.man.link:
		return false, errAudit(v.state.Events)
	}
	return true, nil
}

// verifyAudit verifies the whole chain in one transaction, and returns how many
// events it holds.
func (t *txn) verifyAudit() (uint64, error) {
	if err := t.openChain(); err != nil {
		return 0, err
	}
	var v auditVerification
	for {
		if done, err := v.stride(t); done || err != nil {
			return v.state.Events, err
		}
	}
}

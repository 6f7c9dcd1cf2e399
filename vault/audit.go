package vault

import (
	"context"
	"encoding/binary"

	"aivault/keys/fault"
	"aivault/vault/internal/seal"
	"aivault/vault/internal/store"
)

// defaultAuditLimit is how many events a query returns that does not say.
const defaultAuditLimit = 200

// Audit implements Vault.
func (l *Local) Audit(ctx context.Context, q AuditQuery) ([]Event, error) {
	limit := q.Limit
	if limit <= 0 {
		limit = defaultAuditLimit
	}
	l.flushBeforeRead(ctx)
	var out []Event
	err := l.view(ctx, func(t *txn) error {
		if t == nil {
			return nil
		}
		if err := t.openChain(); err != nil {
			return err
		}
		open, err := t.openDenials()
		if err != nil {
			return err
		}
		next := t.man.seq
		err = t.tx.Range(store.Audit, store.Span{Reverse: true}, func(k, v []byte) error {
			e, link, err := openEvent(t.chain, k, v)
			switch {
			case err != nil:
				return err
			case e.Seq != next:
				return errAudit(min(e.Seq, next) + 1)
			case next == t.man.seq && link != t.man.link:
				return errAudit(next)
			}
			next--
			if c, ok := open[e.Seq]; ok {
				e.Count, e.Last = c.n, c.last
			}
			if q.Before.IsZero() || e.Time.Before(q.Before) {
				out = append(out, *e)
			}
			if len(out) == limit {
				return store.ErrStop
			}
			return nil
		})
		if err == nil && next > 0 && len(out) < limit {
			err = errAudit(1) // the oldest are not there
		}
		return err
	})
	return out, err
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

// verifyAudit walks the whole chain and returns how many events it holds. The
// error names the first that does not verify.
func (t *txn) verifyAudit() (uint64, error) {
	if err := t.openChain(); err != nil {
		return 0, err
	}
	var (
		seq  uint64
		link [seal.LinkSize]byte
	)
	err := t.tx.Range(store.Audit, store.Span{}, func(k, v []byte) error {
		seq++
		if len(k) != 8 || binary.BigEndian.Uint64(k) != seq || !t.chain.Verify(seq, link, v) {
			return errAudit(seq)
		}
		_, next, err := openEvent(t.chain, k, v)
		link = next
		return err
	})
	switch {
	case err != nil:
		return seq, err
	case seq != t.man.seq:
		return seq, errAudit(min(seq, t.man.seq) + 1)
	case link != t.man.link:
		return seq, errAudit(seq)
	}
	return seq, nil
}

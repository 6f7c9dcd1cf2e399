package vault

import (
	"context"

	"aivault/vault/internal/seal"
	"aivault/vault/internal/store"
)

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
		if len(k) != 8 || be64(k) != seq || seq > t.man.seq || !t.follows(seq, v.link, b) {
			return errAudit(seq)
		}
		e, link, err := t.openEvent(k, b)
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
	if _, err := t.chainOf(t.man.seq); err != nil {
		return 0, err
	}
	var v auditVerification
	for {
		if done, err := v.stride(t); done || err != nil {
			return v.state.Events, err
		}
	}
}

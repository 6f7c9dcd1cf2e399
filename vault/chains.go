package vault

import (
	"aivault/keys/fault"
	"aivault/vault/internal/seal"
	"aivault/vault/internal/store"
)

// chainOf returns the keys of the event of a sequence number, of which that of
// the next event is one: they are those of the generation in which it was
// recorded. They are opened when first needed, the newest first, until the one
// that begins no later than the event.
func (t *txn) chainOf(seq uint64) (*seal.Chain, error) {
	for i := 0; seq > 0; i++ {
		if i == len(t.chains) {
			c, err := t.nextChain()
			if err != nil {
				return nil, err
			}
			t.chains = append(t.chains, c)
		}
		if c := t.chains[i]; c.From() <= seq {
			return c, nil
		}
	}
	return nil, errAudit(seq)
}

// nextChain opens the keys of the newest generation, or of the one before the last
// that was opened. A generation may have none: a file from before it went on.
func (t *txn) nextChain() (*seal.Chain, error) {
	gen, name := t.man.gen, chainName(t.man.gen)
	sealed := t.tx.Get(store.Meta, name)
	if n := len(t.chains); n > 0 {
		sealed = nil
		span := store.Span{Prefix: name[:len(name)-4], From: chainName(t.chains[n-1].Generation() - 1), Reverse: true}
		err := t.tx.Range(store.Meta, span, func(k, v []byte) error {
			if len(k) == len(name) {
				gen, sealed = be32(k[len(k)-4:]), v
			}
			return store.ErrStop
		})
		if err != nil {
			return nil, err
		}
	}
	c, err := t.ring.OpenChain(gen, sealed)
	if err != nil {
		return nil, fault.New(fault.AuditBroken, "the keys of the audit log were changed or damaged").
			WithHint("%s", "run `aivault doctor`; then "+restoreHint)
	}
	return c, nil
}

// openEvent opens an entry of the log, and returns the link that it claims.
func (t *txn) openEvent(key, entry []byte) (*Event, [seal.LinkSize]byte, error) {
	var none [seal.LinkSize]byte
	if len(key) != 8 {
		return nil, none, errAudit(0)
	}
	seq := be64(key)
	chain, err := t.chainOf(seq)
	if err != nil {
		return nil, none, err
	}
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

// follows reports whether the entry of an event follows the link of the one
// before it.
func (t *txn) follows(seq uint64, prev [seal.LinkSize]byte, entry []byte) bool {
	chain, err := t.chainOf(seq)
	return err == nil && chain.Verify(seq, prev, entry)
}

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
	for i := 0; seq > 0 && uint64(i) < uint64(t.man.gen); i++ {
		if i == len(t.chains) {
			c, err := t.openChain(t.man.gen - uint32(i))
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

// openChain opens the keys of a generation's events.
func (t *txn) openChain(gen uint32) (*seal.Chain, error) {
	c, err := t.ring.OpenChain(gen, t.tx.Get(store.Meta, chainName(gen)))
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

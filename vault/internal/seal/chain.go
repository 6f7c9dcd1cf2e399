package seal

import (
	"crypto/subtle"
	"encoding/binary"

	"aivault/vault/internal/codec"
)

// LinkSize is the size of a chain value, in bytes.
const LinkSize = 32

// A Chain seals the events of the audit log and links each to the one before:
//
//	link(n) = HMAC-SHA256(chain key, link(n-1) | n | sealed event n), link(0) = 0
//
// Who does not hold the keys can neither read an event nor change, insert,
// remove or reorder one; what was cut off at the end shows against the
// manifest. The keys are made once for each generation of the root key, which
// seals them: a new root key re-wraps the keys, not the events. The events of a
// generation end where those of the next one begin, and with an earlier root key
// none can be made for what comes after.
type Chain struct {
	vault     [16]byte
	gen       uint32
	from      uint64 // the sequence number of the first event
	seal, mac []byte
}

const (
	chainType = 0x83
	eventType = 0x84
)

// NewChain makes the keys of the ring's generation, whose first event has the
// sequence number from, at least 1.
func (r *Ring) NewChain(from uint64) *Chain {
	return &Chain{vault: r.vault, gen: r.gen, from: from, seal: NewRoot(), mac: NewRoot()}
}

// Generation returns the generation of the root key in which the chain's events
// are recorded.
func (c *Chain) Generation() uint32 { return c.gen }

// From returns the sequence number of the first event of the chain's generation.
func (c *Chain) From() uint64 { return c.from }

// Clear wipes the keys.
func (c *Chain) Clear() {
	clear(c.seal)
	clear(c.mac)
}

// SealChain seals the keys of a chain, of the ring's generation or an earlier one.
func (r *Ring) SealChain(c *Chain) []byte {
	var w codec.Writer
	w.Grow(2*KeySize + 8)
	w.Fixed(c.seal)
	w.Fixed(c.mac)
	if c.from > 1 { // since format 4
		w.Uint64(c.from)
	}
	defer clear(w.Bytes())
	return sealRecord(r.audit, r.vault, r.gen, &Place{Purpose: purposeAuditKey, Type: chainType, Rev: uint64(c.gen)}, w.Bytes())
}

// OpenChain opens the keys of a generation's chain.
func (r *Ring) OpenChain(gen uint32, rec []byte) (*Chain, error) {
	p := Place{Purpose: purposeAuditKey, Type: chainType, Rev: uint64(gen)}
	b, err := openRecord(r.audit, r.vault, r.gen, &p, rec)
	if err != nil {
		return nil, err
	}
	c := &Chain{vault: r.vault, gen: gen, from: 1}
	rd := codec.NewReader(b)
	c.seal, c.mac = rd.Fixed(KeySize), rd.Fixed(KeySize)
	if rd.More() {
		if c.from = rd.Uint64(); c.from <= 1 {
			rd.Fail()
		}
	}
	if rd.Close() != nil {
		c.Clear()
		return nil, ErrOpen
	}
	return c, nil
}

// Append seals event number seq behind the link of the one before it, and
// returns the entry and its link.
func (c *Chain) Append(seq uint64, prev [LinkSize]byte, event []byte) (entry []byte, link [LinkSize]byte) {
	entry = sealRecord(c.seal, c.vault, c.gen, &Place{Purpose: purposeEvent, Type: eventType, Rev: seq}, event)
	link = c.link(seq, prev, entry)
	return append(entry, link[:]...), link
}

func (c *Chain) link(seq uint64, prev [LinkSize]byte, sealed []byte) [LinkSize]byte {
	return [LinkSize]byte(mac(c.mac, prev[:], binary.BigEndian.AppendUint64(nil, seq), sealed))
}

// Open returns event number seq and the link that its entry claims.
func (c *Chain) Open(seq uint64, entry []byte) (event []byte, link [LinkSize]byte, err error) {
	if len(entry) < overhead+LinkSize {
		return nil, link, ErrOpen
	}
	sealed := entry[:len(entry)-LinkSize]
	link = [LinkSize]byte(entry[len(sealed):])
	event, err = openRecord(c.seal, c.vault, c.gen, &Place{Purpose: purposeEvent, Type: eventType, Rev: seq}, sealed)
	return event, link, err
}

// Verify reports whether the entry follows the link of the one before it.
func (c *Chain) Verify(seq uint64, prev [LinkSize]byte, entry []byte) bool {
	if len(entry) < overhead+LinkSize {
		return false
	}
	sealed := entry[:len(entry)-LinkSize]
	link := c.link(seq, prev, sealed)
	return subtle.ConstantTimeCompare(link[:], entry[len(sealed):]) == 1
}

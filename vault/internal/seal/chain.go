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
// seals them: a new root key re-wraps the keys, not the events.
type Chain struct {
	vault     [16]byte
	gen       uint32
	seal, mac []byte
}

const (
	chainType = 0x83
	eventType = 0x84
)

// NewChain makes the keys of the ring's generation.
func (r *Ring) NewChain() *Chain {
	return &Chain{vault: r.vault, gen: r.gen, seal: NewRoot(), mac: NewRoot()}
}

// Clear wipes the keys.
func (c *Chain) Clear() {
	clear(c.seal)
	clear(c.mac)
}

// SealChain seals the keys of a chain.
func (r *Ring) SealChain(c *Chain) []byte {
	var w codec.Writer
	w.Fixed(c.seal)
	w.Fixed(c.mac)
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
	if len(b) != 2*KeySize {
		return nil, ErrOpen
	}
	return &Chain{vault: r.vault, gen: gen, seal: b[:KeySize], mac: b[KeySize:]}, nil
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

package seal

import (
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"time"

	"aivault/vault/internal/codec"
)

// ErrGeneration is the error of an anchor that another root key of the vault
// made, so that this one cannot tell whether it was changed.
var ErrGeneration = errors.New("the anchor is of another generation of the root key")

// An Anchor is what is remembered of a vault outside its file: how far it had
// come when it was last seen. It tells an older copy of the file from the file.
//
//	"AVA1" | vault id [16] | generation u32 | epoch u64 | sequence u64 | time u64 | state [32] | MAC [32]
//
// It shows what a copy of the file shows, too, and the time.
type Anchor struct {
	Gen   uint32    // generation of the root key
	Epoch uint64    // number of the last transaction
	Seq   uint64    // of the last audit event
	Time  time.Time // of that transaction, in milliseconds
	State [sha256.Size]byte
}

const anchorMagic = "AVA1"

// AnchorSize is the size of an anchor, in bytes.
const AnchorSize = len(anchorMagic) + 16 + 4 + 8 + 8 + 8 + sha256.Size + sha256.Size

// StateOf returns what stands in an anchor for the content of a vault: a hash of
// the plaintext of its manifest, which holds keyed hashes of all the rest.
func StateOf(manifest []byte) [sha256.Size]byte { return sha256.Sum256(manifest) }

// SealAnchor returns the anchor as it is kept. It is authentic, not secret.
func (r *Ring) SealAnchor(a *Anchor) []byte {
	var w codec.Writer
	w.Grow(AnchorSize)
	w.Fixed([]byte(anchorMagic))
	w.Fixed(r.vault[:])
	w.Uint32(a.Gen)
	w.Uint64(a.Epoch)
	w.Uint64(a.Seq)
	w.Int64(a.Time.UnixMilli())
	w.Fixed(a.State[:])
	w.Fixed(mac(r.anchor, w.Bytes()))
	return w.Bytes()
}

// OpenAnchor reads an anchor of the ring's vault. ErrOpen: it is none, or was
// changed; ErrGeneration: it may be what it says.
func (r *Ring) OpenAnchor(b []byte) (Anchor, error) {
	vault, a, sum, err := ParseAnchor(b)
	switch {
	case err != nil || vault != r.vault:
		return Anchor{}, ErrOpen
	case a.Gen != r.gen:
		return a, ErrGeneration
	case subtle.ConstantTimeCompare(mac(r.anchor, b[:len(b)-len(sum)]), sum) != 1:
		return Anchor{}, ErrOpen
	}
	return a, nil
}

// ParseAnchor takes an anchor apart, whoever made it.
func ParseAnchor(b []byte) (vault [16]byte, a Anchor, sum []byte, err error) {
	r := codec.NewReader(b)
	if string(r.Fixed(len(anchorMagic))) != anchorMagic {
		r.Fail()
	}
	copy(vault[:], r.Fixed(len(vault)))
	a = Anchor{Gen: r.Uint32(), Epoch: r.Uint64(), Seq: r.Uint64(), Time: time.UnixMilli(r.Int64()).UTC()}
	copy(a.State[:], r.Fixed(len(a.State)))
	sum = r.Fixed(sha256.Size)
	if r.Close() != nil {
		return vault, Anchor{}, nil, ErrOpen
	}
	return vault, a, sum, nil
}

package seal

import (
	"crypto/rand"
	"encoding/binary"
	"errors"

	"golang.org/x/crypto/chacha20poly1305"

	"aivault/vault/internal/codec"
)

// ErrOpen is the error of a record that is not what was sealed: another key,
// another place, or other bytes. Which of them cannot be told.
var ErrOpen = errors.New("record does not authenticate")

const (
	magic      = "AVR1"
	algXChaCha = 1
	nonceSize  = chacha20poly1305.NonceSizeX
	headerLen  = len(magic) + 1 + 1 + 4 + 8
	overhead   = headerLen + nonceSize + chacha20poly1305.Overhead

	// block is what plaintexts are padded to, so that sizes tell little.
	block = 64
)

// A Place is where a record belongs. A sealed record opens in its own place
// only: not in that of another, nor in a later or earlier revision of itself.
type Place struct {
	Purpose string // role of the record; no two roles share one
	Type    uint8
	ID      [16]byte
	Rev     uint64
	Extra   []byte // what else it is bound to, injectively encoded
}

// aad is the associated data of a record in the vault.
func (p *Place) aad(vault [16]byte, gen uint32) []byte {
	const fixed = 96 // more than all but Extra takes
	var w codec.Writer
	w.Grow(fixed + len(p.Extra))
	w.Text("aivault/aad/v1")
	w.Text(p.Purpose)
	w.Uint8(p.Type)
	w.Fixed(vault[:])
	w.Fixed(p.ID[:])
	w.Uint32(gen)
	w.Uint64(p.Rev)
	w.Blob(p.Extra)
	return w.Bytes()
}

// sealRecord encrypts plaintext for its place.
func sealRecord(key []byte, vault [16]byte, gen uint32, p *Place, plaintext []byte) []byte {
	aead, err := chacha20poly1305.NewX(key)
	if err != nil {
		panic("seal: key of a wrong size") // keys are ours, and 32 bytes long
	}
	padded := pad(plaintext)
	defer clear(padded)
	rec := make([]byte, headerLen+nonceSize, headerLen+nonceSize+len(padded)+aead.Overhead())
	n := copy(rec, magic)
	rec[n] = p.Type
	rec[n+1] = algXChaCha
	binary.BigEndian.PutUint32(rec[n+2:], gen)
	binary.BigEndian.PutUint64(rec[n+6:], p.Rev)
	nonce := rec[headerLen:]
	_, _ = rand.Read(nonce) // never fails
	return aead.Seal(rec, nonce, padded, p.aad(vault, gen))
}

// openRecord decrypts a record that must have been sealed for this place. It
// takes the revision from the record's header, where p.Rev is zero.
func openRecord(key []byte, vault [16]byte, gen uint32, p *Place, rec []byte) ([]byte, error) {
	rev, ok := Revision(rec)
	if !ok || rec[len(magic)] != p.Type || binary.BigEndian.Uint32(rec[len(magic)+2:]) != gen {
		return nil, ErrOpen
	}
	if p.Rev == 0 {
		p.Rev = rev
	}
	if rev != p.Rev {
		return nil, ErrOpen
	}
	aead, err := chacha20poly1305.NewX(key)
	if err != nil {
		panic("seal: key of a wrong size")
	}
	nonce, ct := rec[headerLen:headerLen+nonceSize], rec[headerLen+nonceSize:]
	padded, err := aead.Open(nil, nonce, ct, p.aad(vault, gen))
	if err != nil {
		return nil, ErrOpen
	}
	return unpad(padded)
}

// Revision reads the revision from the header of a record that has the right
// form. It is authentic only once the record was opened.
func Revision(rec []byte) (uint64, bool) {
	if len(rec) < overhead || string(rec[:len(magic)]) != magic || rec[len(magic)+1] != algXChaCha {
		return 0, false
	}
	return binary.BigEndian.Uint64(rec[len(magic)+6:]), true
}

// pad returns the plaintext behind its length, filled up with zeros.
func pad(plaintext []byte) []byte {
	n := 4 + len(plaintext)
	padded := make([]byte, (n+block-1)/block*block)
	binary.BigEndian.PutUint32(padded, uint32(len(plaintext)))
	copy(padded[4:], plaintext)
	return padded
}

// unpad undoes pad, which is the only form that it accepts.
func unpad(padded []byte) ([]byte, error) {
	if len(padded) < block || len(padded)%block != 0 {
		return nil, ErrOpen
	}
	n := uint64(binary.BigEndian.Uint32(padded))
	if 4+n > uint64(len(padded)) || uint64(len(padded))-4-n >= block {
		return nil, ErrOpen
	}
	for _, b := range padded[4+n:] {
		if b != 0 {
			return nil, ErrOpen
		}
	}
	return padded[4 : 4+n : 4+n], nil
}

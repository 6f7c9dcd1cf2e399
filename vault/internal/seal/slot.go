package seal

import (
	"bytes"
	"crypto/ecdh"
	"crypto/hpke"
	"crypto/subtle"
	"errors"

	"aivault/keys"
	"aivault/vault/internal/codec"
)

// ErrWrongKey is the error of a key that is not the slot's.
var ErrWrongKey = errors.New("not the key of this slot")

// ErrSlot is the error of a slot that is malformed or was changed.
var ErrSlot = errors.New("slot does not verify")

// slotVersion is the version of a slot's encoding.
const slotVersion = 1

// A Slot is one way to the root key: where a KEK lives, and the root key
// sealed so that this KEK gives it back. It is kept in clear, as it must be
// read before there is a key; the root key authenticates it.
//
// The root key is sealed to the slot's public key, so that a new root key can
// be given to every slot while its KEK, a passphrase perhaps, is not at hand.
type Slot struct {
	ID     [16]byte
	Config keys.Config // where the KEK lives
	Gen    uint32      // generation of the root key
	Check  []byte      // tells a wrong KEK from a changed record; commits to the KEK
	Public []byte      // X25519
	Sealed []byte      // the root key, HPKE with DHKEM(X25519), HKDF-SHA256, ChaCha20Poly1305
	MAC    []byte      // over all of the above, by the root key
}

// suite is the HPKE suite of slots.
func suite() (hpke.KEM, hpke.KDF, hpke.AEAD) {
	return hpke.DHKEM(ecdh.X25519()), hpke.HKDFSHA256(), hpke.ChaCha20Poly1305()
}

// info binds a sealed root key to its vault, slot and generation.
func (s *Slot) info(vault [16]byte) []byte {
	var w codec.Writer
	w.Text("aivault/v1/slot/wrap")
	w.Fixed(vault[:])
	w.Fixed(s.ID[:])
	w.Uint32(s.Gen)
	return w.Bytes()
}

func slotCheck(kek []byte, vault, id [16]byte) []byte {
	return derive(kek, vault[:], "aivault/v1/slot/check"+string(id[:]))
}

func slotKey(kek []byte, vault, id [16]byte) (hpke.PrivateKey, error) {
	seed := derive(kek, vault[:], "aivault/v1/slot/key"+string(id[:]))
	defer clear(seed)
	kem, _, _ := suite()
	return kem.DeriveKeyPair(seed)
}

// NewSlot makes a slot through which kek opens the ring's vault.
func NewSlot(r *Ring, id [16]byte, cfg keys.Config, kek keys.Key) (*Slot, error) {
	private, err := slotKey(kek.Reveal(), r.vault, id)
	if err != nil {
		return nil, err
	}
	s := &Slot{
		ID: id, Config: cfg, Gen: r.gen,
		Check:  slotCheck(kek.Reveal(), r.vault, id),
		Public: private.PublicKey().Bytes(),
	}
	_, kdf, aead := suite()
	if s.Sealed, err = hpke.Seal(private.PublicKey(), kdf, aead, s.info(r.vault), r.root); err != nil {
		return nil, err
	}
	s.MAC = r.SlotMAC(s.body())
	return s, nil
}

// Open returns the ring of the vault. ErrWrongKey: kek is not the slot's;
// ErrSlot: it is, but the slot was changed.
func (s *Slot) Open(vault [16]byte, kek keys.Key) (*Ring, error) {
	private, err := slotKey(kek.Reveal(), vault, s.ID)
	if err != nil {
		return nil, ErrSlot
	}
	checks := subtle.ConstantTimeCompare(slotCheck(kek.Reveal(), vault, s.ID), s.Check) == 1
	fits := bytes.Equal(private.PublicKey().Bytes(), s.Public)
	switch {
	case !checks && !fits:
		return nil, ErrWrongKey
	case !checks || !fits: // the right key, so the slot is not what it was
		return nil, ErrSlot
	}
	_, kdf, aead := suite()
	root, err := hpke.Open(private, kdf, aead, s.info(vault), s.Sealed)
	if err != nil || len(root) != KeySize {
		return nil, ErrSlot
	}
	r := NewRing(root, vault, s.Gen)
	if err := s.Verify(r); err != nil {
		r.Clear()
		return nil, err
	}
	return r, nil
}

// Verify reports whether the slot is as the ring's owner made it.
func (s *Slot) Verify(r *Ring) error {
	if s.Gen != r.gen || subtle.ConstantTimeCompare(r.SlotMAC(s.body()), s.MAC) != 1 {
		return ErrSlot
	}
	return nil
}

// body is the encoding of all but the MAC.
func (s *Slot) body() []byte {
	var w codec.Writer
	w.Uint8(slotVersion)
	w.Fixed(s.ID[:])
	c := &s.Config
	w.Text(string(c.Kind))
	w.Text(c.Service)
	w.Text(c.Account)
	w.Text(c.Path)
	w.Text(c.Var)
	w.Uint32(c.KDF.Time)
	w.Uint32(c.KDF.MemoryKiB)
	w.Uint8(c.KDF.Threads)
	w.Blob(c.KDF.Salt)
	w.Uint32(s.Gen)
	w.Blob(s.Check)
	w.Blob(s.Public)
	w.Blob(s.Sealed)
	return w.Bytes()
}

// Encode returns the slot as it is kept.
func (s *Slot) Encode() []byte { return append(s.body(), s.MAC...) }

// DecodeSlot reads a slot. It is authentic only once Open or Verify said so;
// its configuration is within bounds that make it safe to use before that.
func DecodeSlot(b []byte) (*Slot, error) {
	r := codec.NewReader(bytes.Clone(b))
	if r.Uint8() != slotVersion {
		return nil, ErrSlot
	}
	var s Slot
	copy(s.ID[:], r.Fixed(16))
	s.Config = keys.Config{
		Kind: keys.Kind(r.Text()), Service: r.Text(), Account: r.Text(), Path: r.Text(), Var: r.Text(),
		KDF: keys.KDF{Time: r.Uint32(), MemoryKiB: r.Uint32(), Threads: r.Uint8(), Salt: r.Blob()},
	}
	if len(s.Config.KDF.Salt) == 0 {
		s.Config.KDF.Salt = nil
	}
	s.Gen = r.Uint32()
	s.Check, s.Public, s.Sealed = r.Blob(), r.Blob(), r.Blob()
	s.MAC = r.Fixed(32)
	if r.Close() != nil || s.Config.Validate() != nil {
		return nil, ErrSlot
	}
	return &s, nil
}

// Rekey returns the slot with the root key of another ring of the vault: the same
// KEK opens it, which need not be at hand. The slot must be one of the ring from,
// as otherwise its public key could be anybody's: ErrSlot.
func (s *Slot) Rekey(from, to *Ring) (*Slot, error) {
	if err := s.Verify(from); err != nil {
		return nil, err
	}
	kem, kdf, aead := suite()
	public, err := kem.NewPublicKey(s.Public)
	if err != nil || from.vault != to.vault {
		return nil, ErrSlot
	}
	next := &Slot{ID: s.ID, Config: s.Config, Gen: to.gen, Check: s.Check, Public: s.Public}
	if next.Sealed, err = hpke.Seal(public, kdf, aead, next.info(to.vault), to.root); err != nil {
		return nil, err
	}
	next.MAC = to.SlotMAC(next.body())
	return next, nil
}

// IsKey reports whether kek is the slot's, though the slot may have been changed.
func (s *Slot) IsKey(vault [16]byte, kek keys.Key) bool {
	return subtle.ConstantTimeCompare(slotCheck(kek.Reveal(), vault, s.ID), s.Check) == 1
}

// Configure says anew where the KEK of a slot lives, which stays the same.
func (s *Slot) Configure(r *Ring, cfg keys.Config) {
	s.Config = cfg
	s.MAC = r.SlotMAC(s.body())
}

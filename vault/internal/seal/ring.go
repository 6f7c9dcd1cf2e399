// Package seal is the cryptography of a vault: what key does what, how a
// record is sealed to its place, and how a slot gives back the root key.
//
// # Keys
//
//	KEK   32 bytes, from the keyring, a file, the environment, a passphrase or a recovery key
//	 └ slot key pair (X25519) = HKDF(KEK, vault id, "aivault/v1/slot/key" || slot id)
//	 └ slot check             = HKDF(KEK, vault id, "aivault/v1/slot/check" || slot id)
//	root  32 random bytes, sealed to the public key of each slot (HPKE, RFC 9180)
//	 ├ meta      seals names, scopes, credentials, ...: everything but values
//	 ├ dek-wrap  seals the data key of each value
//	 ├ manifest  seals the state of the whole
//	 ├ set       makes the set hash over all records
//	 ├ index     makes index keys: an index shows no name
//	 ├ audit     seals the keys of the audit log, one pair per key generation
//	 ├ anchor    authenticates what is remembered of the vault outside its file
//	 └ slot      authenticates the slots
//	DEK   32 random bytes for each version of a value, which it seals
//
// A root key is derived from nothing and used for nothing but deriving the
// keys below it (HKDF-SHA256, RFC 5869).
//
// # Records
//
//	"AVR1" | type u8 | alg u8 = 1 | generation u32 | revision u64 | nonce [24] | ciphertext and tag
//
// alg 1 is XChaCha20-Poly1305. The associated data name the format, the
// purpose, the vault, the record's id, generation and revision, and for values
// the scope, the pinned provider and the sealed hosts ([Place]). Plaintexts are
// padded to a multiple of 64 bytes.
package seal

import (
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"sync"

	"aivault/keys/locked"
	"aivault/vault/internal/codec"
)

// KeySize is the size of every symmetric key, in bytes.
const KeySize = 32

// A Ring holds the keys that follow from one root key, in locked memory. It is
// safe for concurrent use.
type Ring struct {
	mu    sync.Mutex
	users int  // calls of Hold without their Release
	gone  bool // Clear was called

	vault [16]byte
	gen   uint32

	root, meta, wrap, manifest, set, index, audit, anchor, slot []byte

	kept []kept // where these are
}

// A kept is the key that a field of the ring has.
type kept struct {
	field *[]byte
	key   *locked.Key
}

// NewRoot returns a fresh root key.
func NewRoot() []byte {
	root := make([]byte, KeySize)
	_, _ = rand.Read(root) // never fails
	return root
}

// NewRing derives the keys of a vault from its root key, which it takes over:
// root is wiped. gen is the generation of the root key: 1 for the first.
func NewRing(root []byte, vault [16]byte, gen uint32) *Ring {
	r := &Ring{vault: vault, gen: gen}
	r.keep(&r.root, root)
	for label, field := range map[string]*[]byte{
		"meta": &r.meta, "dek-wrap": &r.wrap, "manifest": &r.manifest, "set": &r.set, "index": &r.index,
		"audit": &r.audit, "anchor": &r.anchor, "slot": &r.slot,
	} {
		r.keep(field, derive(r.root, vault[:], "aivault/v1/"+label))
	}
	return r
}

// keep moves a key to locked memory, and has the field hold it.
func (r *Ring) keep(field *[]byte, key []byte) {
	k := locked.New(key)
	*field = k.Bytes()
	r.kept = append(r.kept, kept{field, k})
}

// derive is HKDF-SHA256 with a key of KeySize bytes.
func derive(secret, salt []byte, info string) []byte {
	key, err := hkdf.Key(sha256.New, secret, salt, info, KeySize)
	if err != nil {
		panic("seal: " + err.Error()) // only for lengths that we do not ask for
	}
	return key
}

// Vault returns the id of the vault whose keys these are.
func (r *Ring) Vault() [16]byte { return r.vault }

// Generation returns the generation of the root key.
func (r *Ring) Generation() uint32 { return r.gen }

// Hold keeps the keys from being wiped until Release: nobody must seal with
// keys that turn to zeros under their hands.
func (r *Ring) Hold() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.users++
}

// Release undoes one Hold.
func (r *Ring) Release() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.users--
	r.wipeLocked()
}

// Clear wipes the keys as soon as nobody holds the Ring, which must not be
// held anew.
func (r *Ring) Clear() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.gone = true
	r.wipeLocked()
}

func (r *Ring) wipeLocked() {
	if !r.gone || r.users > 0 {
		return
	}
	for _, k := range r.kept {
		k.key.Free()
		*k.field = k.key.Bytes() // zeros, and not what comes to the place next
	}
}

// Purposes of records; the role is part of what a record is bound to.
const (
	purposeMeta     = "meta"
	purposeWrap     = "dek-wrap"
	purposeValue    = "value"
	purposeManifest = "manifest"
	purposeAuditKey = "audit-key"
	purposeEvent    = "audit-event"
)

// SealMeta seals the metadata record of a type, id and revision.
func (r *Ring) SealMeta(typ uint8, id [16]byte, rev uint64, plaintext []byte) []byte {
	return sealRecord(r.meta, r.vault, r.gen, &Place{Purpose: purposeMeta, Type: typ, ID: id, Rev: rev}, plaintext)
}

// OpenMeta opens a metadata record and returns its plaintext and revision.
func (r *Ring) OpenMeta(typ uint8, id [16]byte, rec []byte) ([]byte, uint64, error) {
	p := Place{Purpose: purposeMeta, Type: typ, ID: id}
	plaintext, err := openRecord(r.meta, r.vault, r.gen, &p, rec)
	return plaintext, p.Rev, err
}

// manifestType is the type of the manifest's record. Types of metadata are
// below it.
const manifestType = 0x80

// SealManifest seals the manifest of an epoch.
func (r *Ring) SealManifest(epoch uint64, plaintext []byte) []byte {
	return sealRecord(r.manifest, r.vault, r.gen, &Place{Purpose: purposeManifest, Type: manifestType, Rev: epoch}, plaintext)
}

// OpenManifest opens the manifest and returns its plaintext and epoch.
func (r *Ring) OpenManifest(rec []byte) ([]byte, uint64, error) {
	p := Place{Purpose: purposeManifest, Type: manifestType}
	plaintext, err := openRecord(r.manifest, r.vault, r.gen, &p, rec)
	return plaintext, p.Rev, err
}

const (
	wrapType  = 0x81
	valueType = 0x82
)

// SealValue seals a version of a value under a fresh data key and binds it to
// what extra says of the secret. value is not kept.
func (r *Ring) SealValue(id [16]byte, version uint64, extra, value []byte) []byte {
	dek := NewRoot()
	defer clear(dek)
	var w codec.Writer
	w.Blob(sealRecord(r.wrap, r.vault, r.gen, &Place{Purpose: purposeWrap, Type: wrapType, ID: id, Rev: version, Extra: extra}, dek))
	w.Blob(sealRecord(dek, r.vault, r.gen, &Place{Purpose: purposeValue, Type: valueType, ID: id, Rev: version, Extra: extra}, value))
	return w.Bytes()
}

// OpenValue undoes SealValue. The caller clears the value.
func (r *Ring) OpenValue(id [16]byte, version uint64, extra, rec []byte) ([]byte, error) {
	rd := codec.NewReader(rec)
	wrapped, sealed := rd.Blob(), rd.Blob()
	if rd.Close() != nil || version == 0 {
		return nil, ErrOpen
	}
	dek, err := openRecord(r.wrap, r.vault, r.gen, &Place{Purpose: purposeWrap, Type: wrapType, ID: id, Rev: version, Extra: extra}, wrapped)
	if err != nil {
		return nil, err
	}
	defer clear(dek)
	if len(dek) != KeySize {
		return nil, ErrOpen
	}
	return openRecord(dek, r.vault, r.gen, &Place{Purpose: purposeValue, Type: valueType, ID: id, Rev: version, Extra: extra}, sealed)
}

// Index returns the key under which an index keeps what the fields name. It
// tells nothing about them without the ring.
func (r *Ring) Index(kind uint8, fields ...string) [16]byte {
	var w codec.Writer
	w.Uint8(kind)
	for _, f := range fields {
		w.Text(f)
	}
	return [16]byte(mac(r.index, w.Bytes())[:16])
}

// SlotMAC authenticates the encoding of a slot.
func (r *Ring) SlotMAC(encoded []byte) []byte { return mac(r.slot, encoded) }

// Digest returns the SHA-256 of public data, in hexadecimal.
func Digest(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

func mac(key []byte, parts ...[]byte) []byte {
	h := hmac.New(sha256.New, key)
	for _, p := range parts {
		h.Write(p)
	}
	return h.Sum(nil)
}

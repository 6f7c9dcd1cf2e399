// Package keys is about where the key that opens a vault lives.
//
// That key, the key-encryption key or KEK, is 32 random bytes (or what
// Argon2id makes of a passphrase) and lives outside the vault: in the keyring
// of the operating system, in a file, in an environment variable, on a sheet of
// paper (a recovery key), or in somebody's head. A [Config] says which, and holds nothing that is secret, as
// a vault records it in clear. With a [Source], the way to the outside world,
// a Config becomes a [Provider], which loads the key or makes a new one.
//
// Three rules hold for all of them. A key that is there is never overwritten.
// A key that is not to be had is an error and never a reason to look
// elsewhere: a keyring that is locked must not silently turn into a file. And
// neither a key nor a passphrase is ever part of an error or of printed text.
package keys

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"

	"aivault/keys/fault"
	"aivault/keys/opaque"
)

// A Kind says in what sort of place a KEK lives.
type Kind string

// The kinds, by the names that vaults record and command lines use.
const (
	KindKeyring    Kind = "keyring"    // the keyring of the operating system
	KindFile       Kind = "file"       // a file that only its owner may read
	KindEnv        Kind = "env"        // an environment variable
	KindPassphrase Kind = "passphrase" // nowhere: it is derived from a passphrase
	KindRecovery   Kind = "recovery"   // on paper: it is derived from a recovery key
)

// Typed reports whether somebody types what a key of this kind is made of:
// whoever loads it may have to ask.
func (k Kind) Typed() bool { return k == KindPassphrase || k == KindRecovery }

// ParseKind returns the kind that s names, of those that can be the only one of
// a vault. The documented macos-keychain is another name of keyring. Anything
// else is fault.Usage.
func ParseKind(s string) (Kind, error) {
	switch k := Kind(s); k {
	case KindKeyring, KindFile, KindEnv, KindPassphrase:
		return k, nil
	case "macos-keychain":
		return KindKeyring, nil
	}
	return "", fault.New(fault.Usage, "%q is no key provider", s).
		WithHint("choose keyring, file, env or passphrase")
}

// A Key is a KEK: KeySize bytes that do not print, in locked memory.
type Key = opaque.Bytes

// KeySize is the length of a KEK, in bytes.
const KeySize = 32

// encodedSize is the length of a KEK in base64.
const encodedSize = 44

// NewKey returns a random key.
func NewKey() (Key, error) {
	b := make([]byte, KeySize)
	if _, err := rand.Read(b); err != nil {
		return nil, fault.Wrap(fault.Internal, err, "making a key")
	}
	return opaque.NewKey(b), nil
}

// ParseKey reads a key as people and files hold it: 32 bytes in padded
// standard base64, or 64 hex digits; white space around it is dropped. Other
// text is fault.InvalidRequest, whose message does not show the text. The
// caller clears text.
func ParseKey(text []byte) (Key, error) {
	text = bytes.TrimSpace(text)
	b := make([]byte, base64.StdEncoding.DecodedLen(encodedSize))
	var n int
	var err error
	switch len(text) {
	case encodedSize:
		n, err = base64.StdEncoding.Strict().Decode(b, text)
	case hex.EncodedLen(KeySize):
		n, err = hex.Decode(b, text)
	}
	// Decoders quote the offending byte: their errors are not passed on.
	if err != nil || n != KeySize {
		clear(b)
		return nil, fault.New(fault.InvalidRequest, "the text is not a key: %d bytes that are neither the base64 of 32 bytes nor 64 hex digits", len(text)).
			WithHint("make one with: openssl rand -base64 32")
	}
	return opaque.NewKey(b[:KeySize]), nil
}

// encodeKey returns the base64 of key, which the caller clears after use.
func encodeKey(key Key) []byte {
	return base64.StdEncoding.AppendEncode(make([]byte, 0, encodedSize), key.Reveal())
}

package rpc

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"

	"aivault/keys/fault"
)

// Fingerprint stands for a table of methods: two that differ in a name, a field
// or the order of either have another one.
type Fingerprint [sha256.Size]byte

// magic begins every hello. What follows it up to the version stays as it is in
// all versions, so that each can tell what the other is.
const magic = "aivault\x01"

const (
	// maxVersion is the length of the longest version, in bytes.
	maxVersion = 64
	maxHello   = len(magic) + sha256.Size + 1 + maxVersion + 1 + 32
)

// A Wish is what a client came for.
type Wish uint8

// The wishes.
const (
	WishCall Wish = 1 // to ask for methods
	WishStop Wish = 2 // to have the daemon end, of whatever version both are
)

// A Greeting is the hello of a client.
type Greeting struct {
	Table   Fingerprint
	Version string
	Wish    Wish
}

// A Hello is the answer of a daemon. An agent learns no more than that it is
// there: the fields after Operator are zero then.
type Hello struct {
	Table    Fingerprint
	Version  string
	Shared   bool  // others than its owner may call
	Operator bool  // the client is its owner
	Open     bool  // the vault is open
	Kept     bool  // by a key that somebody handed over
	Until    int64 // when it will be forgotten, in milliseconds since 1970; 0: not by itself
	PID      int
}

func putIdentity(b []byte, table Fingerprint, version string) []byte {
	version = version[:min(len(version), maxVersion)]
	b = append(append(b, magic...), table[:]...)
	return append(append(b, byte(len(version))), version...)
}

func takeIdentity(in *input) (table Fingerprint, version string) {
	if !bytes.Equal(in.fixed(len(magic)), []byte(magic)) {
		in.fail()
	}
	copy(table[:], in.fixed(len(table)))
	n := int(in.uint8())
	if n > maxVersion {
		in.fail()
	}
	return table, string(in.fixed(n))
}

// Encode returns the payload of the frame.
func (g *Greeting) Encode() []byte {
	return append(putIdentity(nil, g.Table, g.Version), byte(g.Wish))
}

// DecodeGreeting reads the hello of a client.
func DecodeGreeting(b []byte) (g Greeting, err error) {
	in := input{rest: b}
	g.Table, g.Version = takeIdentity(&in)
	g.Wish = Wish(in.uint8())
	if in.bad || len(in.rest) > 0 || g.Wish != WishCall && g.Wish != WishStop {
		return Greeting{}, ErrProtocol
	}
	return g, nil
}

// Encode returns the payload of the frame.
func (h *Hello) Encode() []byte {
	b := putIdentity(nil, h.Table, h.Version)
	for _, v := range []bool{h.Shared, h.Operator, h.Open, h.Kept} {
		b = putBool(b, v)
	}
	b = binary.BigEndian.AppendUint64(b, uint64(h.Until))
	return binary.BigEndian.AppendUint64(b, uint64(h.PID))
}

// DecodeHello reads the answer of a daemon. Of one with another table it reads
// no more than the table and the version.
func DecodeHello(b []byte, table Fingerprint) (h Hello, err error) {
	in := input{rest: b}
	h.Table, h.Version = takeIdentity(&in)
	if !in.bad && h.Table != table {
		return h, nil
	}
	for _, v := range []*bool{&h.Shared, &h.Operator, &h.Open, &h.Kept} {
		*v = in.flag()
	}
	h.Until, h.PID = int64(in.uint64()), int(in.uint64())
	if in.bad || len(in.rest) > 0 || h.Until < 0 || h.PID < 0 {
		return Hello{}, ErrProtocol
	}
	return h, nil
}

// ErrVersion is the error of a daemon that was built by another table.
func ErrVersion(version string) error {
	return fault.New(fault.Conflict, "the daemon is of another aivault (version %q)", version).WithHint("aivault restart")
}

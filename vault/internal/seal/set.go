package seal

import (
	"encoding/binary"
	"math/bits"

	"aivault/vault/internal/codec"
)

// A SetHash is a keyed hash of a set of records that is cheap to update: the
// sum, modulo 2^256, of a pseudo-random number for each. Who does not know the
// key can neither compute a term nor tell which change of the set would leave
// the sum as it is.
type SetHash [4]uint64

// term is the number that stands for one record.
func (r *Ring) term(table uint8, key, value []byte) (t SetHash) {
	var w codec.Writer
	w.Uint8(table)
	w.Blob(key)
	w.Uint32(uint32(len(value)))
	sum := mac(r.set, w.Bytes(), value)
	for i := range t {
		t[i] = binary.BigEndian.Uint64(sum[8*i:])
	}
	return t
}

// Add takes a record into the set.
func (h *SetHash) Add(r *Ring, table uint8, key, value []byte) { h.Join(r.term(table, key, value)) }

// Join takes all records of another set into the set.
func (h *SetHash) Join(o SetHash) {
	var carry uint64
	for i := range h {
		h[i], carry = bits.Add64(h[i], o[i], carry)
	}
}

// Remove takes a record out of the set.
func (h *SetHash) Remove(r *Ring, table uint8, key, value []byte) {
	t := r.term(table, key, value)
	var borrow uint64
	for i := range h {
		h[i], borrow = bits.Sub64(h[i], t[i], borrow)
	}
}

// Write appends the hash to an encoding.
func (h *SetHash) Write(w *codec.Writer) {
	for _, v := range h {
		w.Uint64(v)
	}
}

// ReadSetHash takes a hash from an encoding.
func ReadSetHash(r *codec.Reader) (h SetHash) {
	for i := range h {
		h[i] = r.Uint64()
	}
	return h
}

package seal

import (
	"math/bits"

	"aivault/vault/internal/codec"
)

// Add takes a record into the set.
func (h *SetHash) Add(r *Ring, table uint8, key, value []byte) {
	t := r.term(table, key, value)
	var carry uint64
	for i := range h {
		h[i], carry = bits.Add64(h[i], t[i], carry)
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

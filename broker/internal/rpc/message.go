package rpc

import (
	"encoding/binary"
	"time"
)

// Message returns the message that begins with a frame's payload, and reads the
// frames of its rest; one longer than limit is ErrProtocol. It is valid until
// the next call of a method of r, before which the caller clears it.
func (r *Reader) Message(first []byte, limit int) ([]byte, error) {
	if len(first) < 4 {
		return nil, ErrProtocol
	}
	size := int64(binary.BigEndian.Uint32(first))
	first = first[4:]
	switch {
	case size > int64(limit), int64(len(first)) > size:
		return nil, ErrProtocol
	case int64(len(first)) == size:
		return first, nil
	case len(first) != maxFrame-4:
		return nil, ErrProtocol
	}
	r.until = after(maxArrival * r.stall)
	defer func() { r.until = time.Time{} }()
	whole := append(make([]byte, 0, 4*maxFrame), first...)
	for int64(len(whole)) < size {
		kind, part, err := r.Next(r.stall)
		if err == nil && (kind != KindData || int64(len(part)) != min(size-int64(len(whole)), maxFrame)) {
			err = ErrProtocol
		}
		if err != nil {
			clear(whole)
			return nil, cut(err)
		}
		whole = grow(whole, len(part))
		whole = append(whole, part...)
	}
	return whole, nil
}

// grow makes room for n bytes more, and clears what it leaves behind.
func grow(b []byte, n int) []byte {
	if len(b)+n <= cap(b) {
		return b
	}
	grown := make([]byte, len(b), 2*cap(b)+n)
	copy(grown, b)
	clear(b)
	return grown
}

// Size returns how long the message is that begins with a frame's payload.
func Size(first []byte) int64 {
	if len(first) < 4 {
		return 0
	}
	return int64(binary.BigEndian.Uint32(first))
}

// Content returns the beginning of that message.
func Content(first []byte) []byte { return first[min(4, len(first)):] }

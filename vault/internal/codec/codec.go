// Package codec is the encoding of everything that a vault seals: fields in a
// fixed order, integers big-endian and of fixed width, texts and lists behind
// their length. A value has exactly one encoding, so that what decodes encodes
// to the same bytes again; anything else is an error.
//
//	uint8, uint32, uint64, int64   1, 4, 8, 8 bytes
//	bool                           one byte, 0 or 1
//	bytes, text                    uint32 length, then the bytes
//	list                           uint32 count, then the items
package codec

import (
	"encoding/binary"
	"errors"
	"slices"
	"unicode/utf8"
)

// ErrMalformed is the error of bytes that are not the encoding of anything.
var ErrMalformed = errors.New("malformed encoding")

// maxItems bounds the count of a list before anything is allocated for it.
const maxItems = 1 << 20

// A Writer appends encoded fields. The zero Writer is ready to use.
type Writer struct{ buf []byte }

// Bytes returns what was written. It stays the Writer's.
func (w *Writer) Bytes() []byte { return w.buf }

// Grow makes room for n bytes more.
func (w *Writer) Grow(n int) { w.buf = slices.Grow(w.buf, n) }

func (w *Writer) Uint8(v uint8)   { w.buf = append(w.buf, v) }
func (w *Writer) Uint32(v uint32) { w.buf = binary.BigEndian.AppendUint32(w.buf, v) }
func (w *Writer) Uint64(v uint64) { w.buf = binary.BigEndian.AppendUint64(w.buf, v) }
func (w *Writer) Int64(v int64)   { w.Uint64(uint64(v)) }

// Fixed appends bytes whose number the reader knows.
func (w *Writer) Fixed(b []byte) { w.buf = append(w.buf, b...) }

func (w *Writer) Bool(v bool) {
	if v {
		w.Uint8(1)
		return
	}
	w.Uint8(0)
}

// Blob appends a byte string behind its length.
func (w *Writer) Blob(b []byte) {
	w.Uint32(uint32(len(b)))
	w.buf = append(w.buf, b...)
}

// Text appends a string behind its length.
func (w *Writer) Text(s string) {
	w.Uint32(uint32(len(s)))
	w.buf = append(w.buf, s...)
}

// List appends the count and then each item.
func List[T any](w *Writer, items []T, item func(T)) {
	w.Uint32(uint32(len(items)))
	for _, it := range items {
		item(it)
	}
}

// A Reader takes encoded fields from a byte string. After the first error
// every further field is zero; Close reports it.
type Reader struct {
	buf []byte
	err error
}

// NewReader returns a Reader of b, which must not change while it is read.
func NewReader(b []byte) *Reader { return &Reader{buf: b} }

// Fail makes Close report ErrMalformed: the caller found a value that no
// writer writes.
func (r *Reader) Fail() { r.err = ErrMalformed }

// More reports whether there is more to read, for what a later version added
// at the end.
func (r *Reader) More() bool { return r.err == nil && len(r.buf) > 0 }

// Close reports whether everything decoded and nothing is left over.
func (r *Reader) Close() error {
	if r.err == nil && len(r.buf) != 0 {
		r.Fail()
	}
	return r.err
}

// Fixed takes n bytes, which alias the input; nil after an error.
func (r *Reader) Fixed(n int) []byte {
	if r.err != nil || n < 0 || n > len(r.buf) {
		r.Fail()
		return nil
	}
	b := r.buf[:n:n]
	r.buf = r.buf[n:]
	return b
}

func (r *Reader) Uint8() uint8 {
	if b := r.Fixed(1); b != nil {
		return b[0]
	}
	return 0
}

func (r *Reader) Uint32() uint32 {
	if b := r.Fixed(4); b != nil {
		return binary.BigEndian.Uint32(b)
	}
	return 0
}

func (r *Reader) Uint64() uint64 {
	if b := r.Fixed(8); b != nil {
		return binary.BigEndian.Uint64(b)
	}
	return 0
}

func (r *Reader) Int64() int64 { return int64(r.Uint64()) }

func (r *Reader) Bool() bool {
	v := r.Uint8()
	if v > 1 {
		r.Fail()
	}
	return v == 1
}

// Blob takes a byte string, which aliases the input.
func (r *Reader) Blob() []byte {
	n := r.Uint32()
	if uint64(n) > uint64(len(r.buf)) {
		r.Fail()
		return nil
	}
	return r.Fixed(int(n))
}

// Text takes a string, which must be valid UTF-8.
func (r *Reader) Text() string {
	b := r.Blob()
	if !utf8.Valid(b) {
		r.Fail()
		return ""
	}
	return string(b)
}

// Items takes a list. An empty one is nil.
func Items[T any](r *Reader, item func() T) []T {
	n := r.Uint32()
	if n > maxItems || uint64(n) > uint64(len(r.buf)) {
		r.Fail()
	}
	var items []T
	for range n {
		if r.err != nil {
			return nil
		}
		items = append(items, item())
	}
	return items
}

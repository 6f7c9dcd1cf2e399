package keys

import (
	"encoding/binary"
	"errors"
	"io"
)

// A frame is a message between aivault and its keyring helper, one each way:
//
//	size u16 | kind u8 | fields, each: size u16 | bytes
//
// big-endian, the first size being that of all that follows it. Frames carry
// bytes, not JSON, so that what held a key can be cleared.
type frame struct {
	kind   byte
	fields [][]byte
}

// maxFrame is the size of the longest frame after its first size field. The
// largest entry of ours needs about 600 bytes.
const maxFrame = 8 << 10

var errFrame = errors.New("malformed message")

// encode returns the frame as it is sent; the caller clears it.
func (f frame) encode() ([]byte, error) {
	size := 1
	for _, field := range f.fields {
		size += 2 + len(field)
	}
	if size > maxFrame {
		return nil, errFrame
	}
	b := make([]byte, 0, 2+size)
	b = binary.BigEndian.AppendUint16(b, uint16(size))
	b = append(b, f.kind)
	for _, field := range f.fields {
		b = binary.BigEndian.AppendUint16(b, uint16(len(field)))
		b = append(b, field...)
	}
	return b, nil
}

// readFrame reads one frame with n fields, and nothing beyond it. The fields
// share one buffer, which clear overwrites.
func readFrame(r io.Reader, n int) (frame, error) {
	var head [2]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return frame{}, errFrame
	}
	size := int(binary.BigEndian.Uint16(head[:]))
	if size < 1 || size > maxFrame {
		return frame{}, errFrame
	}
	b := make([]byte, size)
	if _, err := io.ReadFull(r, b); err != nil {
		clear(b)
		return frame{}, errFrame
	}
	f := frame{kind: b[0]}
	rest := b[1:]
	for len(rest) >= 2 {
		end := 2 + int(binary.BigEndian.Uint16(rest))
		if end > len(rest) {
			break
		}
		f.fields = append(f.fields, rest[2:end:end])
		rest = rest[end:]
	}
	if len(rest) != 0 || len(f.fields) != n {
		clear(b)
		return frame{}, errFrame
	}
	return f, nil
}

// clear overwrites the fields with zeros.
func (f frame) clear() {
	for _, field := range f.fields {
		clear(field)
	}
}

package upstream

import (
	"encoding/binary"
	"io"
	"net"
)

// Types of frames (RFC 9113, section 6).
const (
	FrameData    = 0x0
	FrameHeaders = 0x1
	FrameReset   = 0x3
	FrameGoAway  = 0x7

	frameSettings = 0x4
	flagAck       = 0x1
)

// Flags of frames of headers and data.
const (
	FlagEndStream  = 0x1
	FlagEndHeaders = 0x4
)

// OK is the header block of an answer that has the status 200 and nothing more
// (RFC 7541, appendix A).
const OK = "\x88"

// HTTP2 returns an [Options.Raw] for a server that says each frame itself. It
// needs [Options.HTTP2].
func HTTP2(script func(*Frames)) func(net.Conn) {
	return func(c net.Conn) {
		preface := make([]byte, len("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"))
		if _, err := io.ReadFull(c, preface); err != nil {
			return
		}
		f := &Frames{c}
		if f.Write(frameSettings, 0, 0, nil) == nil {
			script(f)
		}
	}
}

// Frames is a connection of HTTP/2.
type Frames struct{ conn net.Conn }

// Request reads until the next request comes in, and returns its stream. What
// else the client sends is not looked at.
func (f *Frames) Request() (stream uint32, err error) {
	for {
		kind, flags, stream, err := f.read()
		switch {
		case err != nil:
			return 0, err
		case kind == FrameHeaders:
			return stream, nil
		case kind == frameSettings && flags&flagAck == 0:
			if err := f.Write(frameSettings, flagAck, 0, nil); err != nil {
				return 0, err
			}
		}
	}
}

// Reset reads until the client gives a stream up.
func (f *Frames) Reset() (stream uint32, err error) {
	for {
		kind, _, stream, err := f.read()
		if err != nil || kind == FrameReset {
			return stream, err
		}
	}
}

// read reads one frame, and drops what is in it.
func (f *Frames) read() (kind, flags byte, stream uint32, err error) {
	var head [9]byte
	if _, err = io.ReadFull(f.conn, head[:]); err != nil {
		return 0, 0, 0, err
	}
	length := int64(head[0])<<16 | int64(head[1])<<8 | int64(head[2])
	_, err = io.CopyN(io.Discard, f.conn, length)
	return head[3], head[4], binary.BigEndian.Uint32(head[5:]), err
}

// Write writes one frame, of at most 16384 bytes.
func (f *Frames) Write(kind, flags byte, stream uint32, payload []byte) error {
	n := len(payload)
	frame := append([]byte{byte(n >> 16), byte(n >> 8), byte(n), kind, flags}, binary.BigEndian.AppendUint32(nil, stream)...)
	_, err := f.conn.Write(append(frame, payload...))
	return err
}

// WriteReset ends a stream with an error code (RFC 9113, section 7).
func (f *Frames) WriteReset(stream, code uint32) error {
	return f.Write(FrameReset, 0, stream, binary.BigEndian.AppendUint32(nil, code))
}

// WriteGoAway says that no stream after last was, or will be, looked at.
func (f *Frames) WriteGoAway(last, code uint32) error {
	payload := binary.BigEndian.AppendUint32(nil, last)
	return f.Write(FrameGoAway, 0, 0, binary.BigEndian.AppendUint32(payload, code))
}

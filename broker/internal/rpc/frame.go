package rpc

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"time"
)

// A Kind says what a frame is.
type Kind uint8

// The kinds of frames.
const (
	KindHello    Kind = 1 + iota // the first of either side
	KindRequest                  // message: a method and its arguments
	KindData                     // the next part of a message, or piece of a body
	KindBegin                    // message: an answer without its body, which follows
	KindStage                    // how far a call is
	KindProgress                 // how far something long is: uint64 done, uint64 of how many
	KindAsk                      // message: an address that the client is to show somebody
	KindTold                     // message: what came of that
	KindCancel                   // the client does not want the reply any more
	KindReply                    // message: error and result; the end of a request
	KindRefusal                  // message: why the connection ends
)

const (
	frameHead = 5
	// maxFrame is the longest payload of a frame.
	maxFrame = 64 << 10
	// maxStage is the length of the longest name of a stage.
	maxStage = 32
)

// maxPayload returns the length of the longest payload of a kind; negative for
// what is none.
func (k Kind) maxPayload() int {
	switch k {
	case KindHello:
		return maxHello
	case KindRequest, KindData, KindBegin, KindAsk, KindTold, KindReply, KindRefusal:
		return maxFrame
	case KindStage:
		return maxStage
	case KindProgress:
		return 16
	case KindCancel:
		return 0
	}
	return -1
}

// ErrProtocol is the error of bytes that no peer of the same version sends.
var ErrProtocol = errors.New("the other side does not speak the protocol")

// ErrQuiet is the error of Next where no frame has begun in time. The connection
// is as it was.
var ErrQuiet = fmt.Errorf("nothing came: %w", os.ErrDeadlineExceeded)

const (
	// Stall is how long a peer may take for a frame that it has begun, and for
	// taking the next byte of what is sent to it.
	Stall = 30 * time.Second
	// maxArrival is how many times as long a message may take.
	maxArrival = 4
)

// A Reader reads frames from a connection. It is for one goroutine.
type Reader struct {
	conn  net.Conn
	stall time.Duration
	until time.Time // when the message that is read must be there; zero: none is
	buf   []byte
	r, w  int // what was read and not yet used is buf[r:w]
	used  int // the frame that was returned last ends here
}

// NewReader returns a Reader of a connection whose peer has so long for a frame
// that it has begun.
func NewReader(conn net.Conn, stall time.Duration) *Reader {
	return &Reader{conn: conn, stall: stall, buf: make([]byte, 4<<10)}
}

// Next reads a frame. The payload is valid, and stays in memory, until the next
// call of a method. At a connection that ends before a frame the error is
// io.EOF, within one io.ErrUnexpectedEOF. Wait is how long the frame may be in
// coming before it is ErrQuiet; 0: for ever.
func (r *Reader) Next(wait time.Duration) (Kind, []byte, error) {
	r.Clear()
	if err := r.fill(1, wait); err != nil {
		if errors.Is(err, os.ErrDeadlineExceeded) {
			err = ErrQuiet
		}
		return 0, nil, err
	}
	if err := r.fill(frameHead, r.stall); err != nil {
		return 0, nil, cut(err)
	}
	kind := Kind(r.buf[r.r])
	size := binary.BigEndian.Uint32(r.buf[r.r+1:])
	if limit := kind.maxPayload(); limit < 0 || size > uint32(limit) {
		return 0, nil, ErrProtocol
	}
	end := frameHead + int(size)
	if err := r.fill(end, r.stall); err != nil {
		return 0, nil, cut(err)
	}
	r.used = r.r + end
	return kind, r.buf[r.r+frameHead : r.used : r.used], nil
}

// cut is the error of a connection that ended where there should be more.
func cut(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// fill has n bytes at hand, within a time; 0: whenever they come.
func (r *Reader) fill(n int, wait time.Duration) error {
	if r.w-r.r >= n {
		return nil
	}
	deadline := after(wait)
	if !r.until.IsZero() && (deadline.IsZero() || r.until.Before(deadline)) {
		deadline = r.until
	}
	_ = r.conn.SetReadDeadline(deadline) // of a connection that is closed: reading tells
	for r.w-r.r < n {
		r.room(n)
		m, err := r.conn.Read(r.buf[r.w:])
		r.w += m
		if err != nil && r.w-r.r < n {
			return err
		}
	}
	return nil
}

// Clear overwrites the frame that was returned last.
func (r *Reader) Clear() {
	if r.used > r.r {
		clear(r.buf[r.r:r.used])
		r.r = r.used
	}
	if r.r == r.w {
		r.r, r.w, r.used = 0, 0, 0
	}
}

// room makes room for n bytes from r on: no more than twice what has come, so
// that memory costs the peer as many bytes.
func (r *Reader) room(n int) {
	if r.r+n <= len(r.buf) {
		return
	}
	have := r.w - r.r
	if n <= len(r.buf) || have < len(r.buf) && r.r > 0 {
		copy(r.buf, r.buf[r.r:r.w])
		clear(r.buf[have:r.w])
	} else if have == len(r.buf) {
		grown := make([]byte, min(2*len(r.buf), frameHead+maxFrame))
		copy(grown, r.buf[r.r:r.w])
		clear(r.buf)
		r.buf = grown
	} else {
		return
	}
	r.r, r.w = 0, have
	r.used = 0
}

// after returns when a time from now is over; 0: never.
func after(d time.Duration) time.Time {
	if d == 0 {
		return time.Time{}
	}
	return time.Now().Add(d)
}

// A Writer writes frames to a connection, many small ones at once. It is safe
// for concurrent use.
type Writer struct {
	conn  net.Conn
	stall time.Duration

	mu  sync.Mutex
	buf []byte
	err error // of the first write that failed, and of each one after it
}

// NewWriter returns a Writer to a connection whose peer may stall for so long.
func NewWriter(conn net.Conn, stall time.Duration) *Writer {
	return &Writer{conn: conn, stall: stall}
}

// Frame writes a frame. Unless now, it may wait for others, or for Flush.
func (w *Writer) Frame(kind Kind, payload []byte, now bool) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.add(kind, payload)
	return w.flush(now)
}

// Message writes a message that is encoded in b, as Frame does.
func (w *Writer) Message(kind Kind, b []byte, now bool) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.message(kind, b, now)
}

// Last writes a message after which nothing is written any more.
func (w *Writer) Last(kind Kind, b []byte) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	err := w.message(kind, b, true)
	if w.err == nil {
		w.err = net.ErrClosed
	}
	return err
}

func (w *Writer) message(kind Kind, b []byte, now bool) error {
	first := min(len(b), maxFrame-4)
	w.buf = append(w.buf, byte(kind))
	w.buf = binary.BigEndian.AppendUint32(w.buf, uint32(4+first))
	w.buf = binary.BigEndian.AppendUint32(w.buf, uint32(len(b)))
	w.buf = append(w.buf, b[:first]...)
	for rest := b[first:]; len(rest) > 0; {
		n := min(len(rest), maxFrame)
		if err := w.flush(false); err != nil {
			return err
		}
		w.add(KindData, rest[:n])
		rest = rest[n:]
	}
	return w.flush(now)
}

// Data writes a piece of a body, of whatever length.
func (w *Writer) Data(p []byte, now bool) error {
	for len(p) > maxFrame {
		if err := w.Frame(KindData, p[:maxFrame], now); err != nil {
			return err
		}
		p = p[maxFrame:]
	}
	return w.Frame(KindData, p, now)
}

// Flush writes what waits.
func (w *Writer) Flush() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.flush(true)
}

func (w *Writer) add(kind Kind, payload []byte) {
	w.buf = append(w.buf, byte(kind))
	w.buf = binary.BigEndian.AppendUint32(w.buf, uint32(len(payload)))
	w.buf = append(w.buf, payload...)
}

// flush writes what waits if it must, or if it is much. The peer has time for
// each byte that it takes.
func (w *Writer) flush(now bool) error {
	if w.err == nil && (now || len(w.buf) >= maxFrame) {
		for rest := w.buf; len(rest) > 0 && w.err == nil; {
			_ = w.conn.SetWriteDeadline(after(w.stall)) // of a connection that is closed: writing tells
			n, err := w.conn.Write(rest)
			rest = rest[n:]
			if n == 0 || !errors.Is(err, os.ErrDeadlineExceeded) {
				w.err = err
			}
		}
	} else if w.err == nil {
		return nil
	}
	clear(w.buf)
	w.buf = w.buf[:0]
	return w.err
}

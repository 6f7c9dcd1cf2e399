package term

import (
	"bytes"
	"io"
	"os"
	"sync"
	"sync/atomic"

	"aivault/keys/fault"
)

// Output is where frames go: one after the other, and not for ever. A terminal
// that stops reading (ctrl+s, a stalled link) blocks who writes to it, and with
// that the end of the program, until [Output.Abandon].
type Output struct {
	file   *os.File // the terminal, whose descriptor others use
	writer terminalWriter
	trace  *trace // nil: none

	mu        sync.Mutex // of one frame
	abandoned atomic.Bool
}

// A terminalWriter writes what the terminal takes now. It returns 0 and no
// error where that is nothing, after a while.
type terminalWriter interface {
	io.WriteCloser
}

// NewOutput returns the output to the terminal tty, which the caller keeps.
// Close it after use.
func NewOutput(tty *os.File) *Output { return &Output{file: tty, writer: openWriter(tty)} }

// Fd returns the descriptor of the terminal. With Read it makes the interface
// that Bubble Tea takes terminals by.
func (o *Output) Fd() uintptr { return o.file.Fd() }

// Read reads nothing: there is [Input].
func (o *Output) Read([]byte) (int, error) { return 0, io.EOF }

// Close lets go of the terminal.
func (o *Output) Close() error { return o.writer.Close() }

// Abandon ends a Write that waits for the terminal, and has later ones return at
// once, with an error.
func (o *Output) Abandon() { o.abandoned.Store(true) }

// Write writes a frame, or a change of the terminal's mode.
func (o *Output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	view, written := o.trace.count(), 0
	for written < len(p) {
		if o.abandoned.Load() {
			return written, fault.New(fault.IO, "the terminal does not take what is written")
		}
		n, err := o.writer.Write(p[written:])
		written += n
		if err != nil {
			return written, fault.Wrap(fault.IO, err, "writing to the terminal")
		}
	}
	if isFrame(p) {
		o.trace.painted(view)
	}
	return written, nil
}

// isFrame reports whether Bubble Tea wrote a frame: those on the alternate
// screen begin at its first cell, others with a line's beginning.
func isFrame(p []byte) bool {
	home := []byte("\x1b[H")
	return bytes.HasPrefix(p, home) && len(p) > len(home) || bytes.HasPrefix(p, []byte{'\r'}) && len(p) > 1
}

// A kept terminal is not closed with the output.
type kept struct{ *os.File }

func (kept) Close() error { return nil }

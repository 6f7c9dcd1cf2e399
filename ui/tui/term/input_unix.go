//go:build unix

package term

import (
	"errors"
	"io"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"aivault/keys/fault"
)

// How long a terminal must have been silent for something to be over.
const (
	silentSequence = 30 * time.Millisecond // an escape sequence: how long esc takes
	silentPaste    = time.Second           // a paste whose end mark got lost
	silentBurst    = 50 * time.Millisecond // a paste that has none
	silentRun      = 5 * time.Millisecond  // keys that may become one
	silentPerson   = 50 * time.Millisecond // before ctrl+c is a key, and not pasted
)

// Input is what a terminal sends, in pieces that Bubble Tea can read.
//
// It passes on at once what is complete, in its order, and never keeps anything
// back that is: Bubble Tea asks again only when the terminal has sent more. To
// that end it reads less than it is asked for, as marks may be added.
//
// A run of keys that nobody types becomes a paste: more than 20 text keys
// within 5 ms, until 50 ms of silence. A paste that has no end ends after 1 s of
// silence, or by ctrl+c. What is refused of pastes comes as a [PasteRefused].
type Input struct {
	file   *os.File
	filter filter
	raw    [96]byte
	out    []byte // passed on already, up to Read's caller
	last   time.Time
}

// NewInput returns the input of the terminal tty, which the caller keeps.
func NewInput(tty *os.File) *Input { return &Input{file: tty} }

// Fd returns the descriptor of the terminal, and Name its name: they are how
// Bubble Tea changes its mode, and stops a Read that waits.
func (in *Input) Fd() uintptr { return in.file.Fd() }

// Name returns the name of the terminal.
func (in *Input) Name() string { return in.file.Name() }

// Write is there for the interface that Bubble Tea takes terminals by.
func (in *Input) Write(p []byte) (int, error) { return in.file.Write(p) }

// Close does nothing: who opened the terminal closes it.
func (in *Input) Close() error { return nil }

// Read reads into p, which has 256 bytes or more. It may return 0 without an
// error: what came is dropped, or begins something.
func (in *Input) Read(p []byte) (int, error) {
	for len(in.out) == 0 {
		raw, err := in.gather()
		if err != nil {
			return 0, err
		}
		in.out = in.take(in.out, raw)
		clear(in.raw[:]) // it may be of a value
		pause := in.pause()
		if pause == 0 {
			break
		}
		if !in.ready(pause) {
			in.out = in.filter.silence(in.out)
			break
		}
	}
	n := copy(p, in.out)
	clear(p[n:]) // of what was read before, which is Bubble Tea's buffer for good
	rest := append(in.out[:0], in.out[n:]...)
	clear(in.out[len(rest):])
	in.out = rest
	return n, nil
}

// gather reads what has come, and waits a moment for the rest of what looks like
// the beginning of a paste.
func (in *Input) gather() ([]byte, error) {
	raw := in.raw[:0]
	for {
		n, err := in.file.Read(in.raw[len(raw):])
		raw = in.raw[:len(raw)+n]
		switch {
		case errors.Is(err, io.EOF), err == nil && n == 0:
			return nil, fault.New(fault.IO, "the terminal is gone")
		case err != nil:
			return nil, fault.Wrap(fault.IO, err, "reading from the terminal")
		}
		run := textRun(raw)
		if in.filter.mode != ground || len(raw) == len(in.raw) || run < burstMaybe || run > burstKeys || !in.ready(silentRun) {
			return raw, nil
		}
	}
}

// take passes raw on through the filter.
func (in *Input) take(out, raw []byte) []byte {
	now := time.Now()
	idle := now.Sub(in.last)
	in.last = now
	f := &in.filter
	switch {
	case f.mode == paste && idle >= silentPerson && string(raw) == "\x03":
		out = f.silence(out)
	case f.mode == ground && len(raw) > 1:
		if i := findBurst(raw, f.late); i >= 0 {
			out = f.feed(out, raw[:i])
			if f.mode == ground {
				out = f.beginPaste(out, burst)
			}
			return f.feed(out, raw[i:])
		}
	case f.mode == ground:
		f.late = false // one key: a person types
	}
	return f.feed(out, raw)
}

// pause returns how long to wait for more before what has come is taken for
// all, 0 if it is complete.
func (in *Input) pause() time.Duration {
	f := &in.filter
	switch {
	case f.mode == ground:
		return 0
	case f.mode == burst:
		return silentBurst
	case f.mode == paste, f.mode == reply && len(f.held) == 0:
		return silentPaste
	}
	return silentSequence
}

// ready waits until the terminal has sent something, but not longer than d.
func (in *Input) ready(d time.Duration) bool {
	deadline := time.Now().Add(d)
	for {
		left := max(time.Until(deadline), 0)
		fds := []unix.PollFd{{Fd: int32(in.file.Fd()), Events: unix.POLLIN}}
		n, err := unix.Poll(fds, int((left+time.Millisecond-1)/time.Millisecond))
		if errors.Is(err, unix.EINTR) {
			continue
		}
		return err == nil && n > 0 && fds[0].Revents&(unix.POLLIN|unix.POLLHUP|unix.POLLERR) != 0
	}
}

package app

import (
	"bufio"
	"context"
	"errors"
	"io"
	"strings"
	"time"

	"aivault/keys/fault"
)

// maxTyped is how long a line of Lines may be, in bytes.
const maxTyped = 64 << 10

// Lines reads what somebody types, line by line. It takes no more of a terminal
// than the line that it was asked for, so that others can ask there, too.
type Lines struct {
	// Idle is called once for each line that has not come after IdleAfter; nil:
	// nothing is.
	Idle      func()
	IdleAfter time.Duration

	r *bufio.Reader
}

// NewLines returns the lines of an input.
func NewLines(r io.Reader) *Lines { return &Lines{r: bufio.NewReaderSize(r, maxTyped)} }

// Next returns the next line, without its end. At the end of the input it is
// io.EOF; a line of more than 64 KiB is skipped, and fault.InvalidRequest. When
// ctx ends first it is fault.Canceled, and nothing more can be read.
func (l *Lines) Next(ctx context.Context) (string, error) {
	type result struct {
		line string
		err  error
	}
	done := make(chan result, 1)
	go func() {
		line, err := l.next()
		done <- result{line, err}
	}()
	var idle <-chan time.Time
	if l.Idle != nil {
		timer := time.NewTimer(l.IdleAfter)
		defer timer.Stop()
		idle = timer.C
	}
	for {
		select {
		case <-ctx.Done():
			return "", fault.Wrap(fault.Canceled, context.Cause(ctx), "nothing was entered")
		case r := <-done:
			return r.line, r.err
		case <-idle:
			l.Idle()
		}
	}
}

func (l *Lines) next() (string, error) {
	b, err := l.r.ReadSlice('\n')
	switch {
	case errors.Is(err, bufio.ErrBufferFull):
		for errors.Is(err, bufio.ErrBufferFull) {
			_, err = l.r.ReadSlice('\n')
		}
		return "", fault.New(fault.InvalidRequest, "the line is longer than %d KiB", maxTyped>>10).WithHint("put it into a file")
	case errors.Is(err, io.EOF) && len(b) > 0: // the last line has no end
	case errors.Is(err, io.EOF):
		return "", io.EOF
	case err != nil:
		return "", fault.Wrap(fault.IO, err, "reading the input")
	}
	return strings.TrimSuffix(strings.TrimSuffix(string(b), "\n"), "\r"), nil
}

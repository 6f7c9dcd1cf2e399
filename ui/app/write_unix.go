//go:build unix

package app

import (
	"context"
	"io"
	"os"

	"golang.org/x/sys/unix"
)

// atOnce is how much a pipe that takes something takes without waiting, in
// bytes: a page on Linux.
const atOnce = 4096

// WriteUntil writes b to an output, and gives up, with the context's error, when
// that has ended and the output takes nothing: a write to a pipe that is full
// and not read cannot be interrupted.
func WriteUntil(ctx context.Context, out io.Writer, b []byte) error {
	f, ok := out.(*os.File)
	if !ok || !mayStall(f) {
		_, err := out.Write(b)
		return err
	}
	for fd := int32(f.Fd()); len(b) > 0; {
		if err := awaitRoom(ctx, fd); err != nil {
			return err
		}
		n, err := f.Write(b[:min(len(b), atOnce)])
		if err != nil {
			return err
		}
		b = b[n:]
	}
	return nil
}

// mayStall reports whether somebody at the other end of a file must read it.
func mayStall(f *os.File) bool {
	fi, err := f.Stat()
	return err == nil && fi.Mode()&(os.ModeNamedPipe|os.ModeSocket|os.ModeCharDevice) != 0
}

// awaitRoom waits until a write does not wait. What else is wrong with the
// output is for the write to say.
func awaitRoom(ctx context.Context, fd int32) error {
	for {
		fds := []unix.PollFd{{Fd: fd, Events: unix.POLLOUT}}
		switch n, err := unix.Poll(fds, lookEvery); {
		case err == unix.EINTR: //nolint:errorlint // the kernel's own
		case err != nil, n > 0:
			return nil
		case ctx.Err() != nil:
			return ctx.Err()
		}
	}
}

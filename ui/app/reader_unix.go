//go:build unix

package app

import (
	"context"
	"errors"
	"io"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// lookEvery is how often WhileRead looks whether it is to end, in milliseconds.
const lookEvery = 200

// WhileRead returns a context that ends when nobody reads an output any more,
// with the cause syscall.EPIPE, and a function that ends it otherwise. Without
// it, who waits for something to print would only learn that by printing. It
// can be told of pipes and sockets; of other outputs the context does not end.
func WhileRead(parent context.Context, out io.Writer) (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(parent)
	stop := func() { cancel(nil) }
	f, ok := out.(*os.File)
	if !ok {
		return ctx, stop
	}
	fd := int32(f.Fd())
	go func() {
		for ctx.Err() == nil {
			// Asked for nothing, poll tells of the other end alone.
			fds := []unix.PollFd{{Fd: fd}}
			switch _, err := unix.Poll(fds, lookEvery); {
			case errors.Is(err, unix.EINTR):
			case err != nil, fds[0].Revents&unix.POLLNVAL != 0:
				return
			case fds[0].Revents&(unix.POLLERR|unix.POLLHUP) != 0:
				cancel(syscall.EPIPE)
				return
			}
		}
	}()
	return ctx, stop
}

package term

import (
	"errors"
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// patient is how long a write waits before it looks whether it still should.
const patient = 50 * time.Millisecond

// A nonblocking writes to a description of the terminal of its own. The one of
// the standard output is the shell's too, and must go on blocking.
type nonblocking struct{ fd int }

// openWriter opens the terminal again. Who has no right to, as after su, gets
// the file itself: then only the end of the process ends a write.
func openWriter(tty *os.File) terminalWriter {
	fd, err := unix.Open(fmt.Sprintf("/proc/self/fd/%d", tty.Fd()), unix.O_WRONLY|unix.O_NOCTTY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return kept{tty}
	}
	return nonblocking{fd}
}

func (w nonblocking) Write(p []byte) (int, error) {
	n, err := unix.Write(w.fd, p)
	switch {
	case errors.Is(err, unix.EAGAIN), errors.Is(err, unix.EINTR):
		_, _ = unix.Poll([]unix.PollFd{{Fd: int32(w.fd), Events: unix.POLLOUT}}, int(patient/time.Millisecond))
		return 0, nil
	case err != nil:
		return 0, err
	}
	return n, nil
}

func (w nonblocking) Close() error { return unix.Close(w.fd) }

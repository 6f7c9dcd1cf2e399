//go:build amd64 || arm64

package faultrun

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"slices"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// A Watch says what of a program is looked at, and decides.
type Watch struct {
	Dir  string // whose files count, absolute and without links
	Data bool   // calls say what is written
	// Decide says what becomes of a call, in the order in which they are made.
	// The program, or the thread that makes the call, waits meanwhile.
	Decide func(Call) Fate
}

// A Fate is what becomes of a call. The zero Fate lets it happen.
type Fate struct {
	Kill  bool          // the program dies, and the call is not made
	Errno syscall.Errno // the call is not made, and fails with it
}

// Run runs a command, and returns the error of its Run. An error of the watch
// itself is an *Error.
func (w Watch) Run(cmd *exec.Cmd) error {
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return &Error{err}
	}
	ours, theirs := os.NewFile(uintptr(pair[0]), "ours"), os.NewFile(uintptr(pair[1]), "theirs")
	fileConn, err := net.FileConn(ours)
	_ = ours.Close() // fileConn has a descriptor of its own
	if err != nil {
		_ = theirs.Close()
		return &Error{err}
	}
	conn := fileConn.(*net.UnixConn)
	defer func() { _ = conn.Close() }() // nothing more is said
	if cmd.Env == nil {
		cmd.Env = os.Environ()
	}
	cmd.Env = append(slices.Clone(cmd.Env), becomeVar+"="+cmd.Path)
	if cmd.Path, err = os.Executable(); err == nil {
		cmd.ExtraFiles = []*os.File{theirs}
		err = cmd.Start()
	}
	_ = theirs.Close() // it is the child's
	if err != nil {
		return &Error{err}
	}
	listener, err := receive(conn)
	if err == nil {
		err = w.serve(listener, cmd.Process)
		_ = unix.Close(listener) // from here on, a call that asks fails
	}
	if err != nil {
		_ = cmd.Process.Kill()
		return errors.Join(&Error{err}, cmd.Wait())
	}
	return cmd.Wait()
}

// An Error is one of the watch, not of the program.
type Error struct{ Err error }

func (e *Error) Error() string { return "faultrun: " + e.Err.Error() }
func (e *Error) Unwrap() error { return e.Err }

// A notification is struct seccomp_notif of seccomp_unotify(2).
type notification struct {
	id    uint64
	pid   uint32
	flags uint32
	call  int32
	arch  uint32
	ip    uint64
	args  [6]uint64
}

// A response is struct seccomp_notif_resp.
type response struct {
	id    uint64
	value int64
	errno int32
	flags uint32
}

func (n *notification) shape() shape {
	for _, s := range interesting() {
		if int32(s.number) == n.call {
			return s
		}
	}
	return shape{fd: -1}
}

// serve answers until no process is left that asks.
func (w Watch) serve(listener int, program *os.Process) error {
	counts := map[string]int{}
	total := 0
	for {
		n, err := next(listener)
		if n == nil || err != nil {
			return err
		}
		c, ours, err := n.describe(w.Dir, w.Data)
		if err != nil {
			if !alive(listener, n) { // it was killed meanwhile
				continue
			}
			return fmt.Errorf("looking at a %s: %w", c.Name, err)
		}
		var fate Fate
		if ours {
			total++
			counts[c.Name]++
			c.Index, c.N = total, counts[c.Name]
			fate = w.Decide(c)
		}
		if fate.Kill {
			_ = program.Kill() // unless it ended already
			continue
		}
		if err := reply(listener, n, fate.Errno); err != nil {
			return err
		}
	}
}

// next returns the next call; nil where nobody is left to make one.
func next(listener int) (*notification, error) {
	for {
		fds := []unix.PollFd{{Fd: int32(listener), Events: unix.POLLIN}}
		_, err := unix.Poll(fds, -1)
		switch {
		case errors.Is(err, unix.EINTR):
			continue
		case err != nil:
			return nil, err
		case fds[0].Revents&unix.POLLIN == 0:
			return nil, nil
		}
		var n notification
		_, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(listener), unix.SECCOMP_IOCTL_NOTIF_RECV, uintptr(unsafe.Pointer(&n)))
		switch errno {
		case 0:
			return &n, nil
		case unix.EINTR, unix.ENOENT: // it was killed before it could be looked at
		default:
			return nil, errno
		}
	}
}

// alive reports whether a call still waits for its answer.
func alive(listener int, n *notification) bool {
	_, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(listener), unix.SECCOMP_IOCTL_NOTIF_ID_VALID, uintptr(unsafe.Pointer(&n.id)))
	return errno == 0
}

// reply lets a call happen, or has it fail.
func reply(listener int, n *notification, errno syscall.Errno) error {
	r := response{id: n.id, flags: unix.SECCOMP_USER_NOTIF_FLAG_CONTINUE}
	if errno != 0 {
		r.flags, r.errno = 0, -int32(errno)
	}
	_, _, failed := unix.Syscall(unix.SYS_IOCTL, uintptr(listener), unix.SECCOMP_IOCTL_NOTIF_SEND, uintptr(unsafe.Pointer(&r)))
	if failed != 0 && failed != unix.ENOENT { // it was killed
		return failed
	}
	return nil
}

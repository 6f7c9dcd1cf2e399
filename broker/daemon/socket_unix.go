//go:build unix

package daemon

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"aivault/keys/fault"
)

// A socket is one that we listen on, with what the file system knew it as.
type socket struct {
	*net.UnixListener
	path   string
	shared bool // other users may connect
	made   fs.FileInfo
}

// maxPath is the longest path of a socket: 107 bytes on Linux, 103 on macOS.
// The address has room for it and a zero.
const maxPath = len(syscall.RawSockaddrUnix{}.Path) - 1

// bindDir is the pattern of the directory in which a socket is made, with up to
// ten digits of os.MkdirTemp, and bindName its name in there. They need no more
// room than the name that the socket has by default.
const (
	bindDir  = ".*"
	bindName = "s"
	bindRoom = len("/.0123456789/") + len(bindName)
)

func checkPath(path string) error {
	if !filepath.IsAbs(path) {
		return fault.New(fault.InvalidRequest, "the socket's path is not absolute: %q", path)
	}
	if need := max(len(path), len(filepath.Dir(path))+bindRoom); need > maxPath {
		return fault.New(fault.InvalidRequest, "the socket's path is too long by %d bytes: %q", need-maxPath, path).
			WithHint("choose a shorter AIVAULT_DIR or AIVAULTD_SOCKET")
	}
	return nil
}

// prepareDir makes the directory of a socket or a lock, or checks the one that
// is there: whoever can write in it could put a socket of their own in place of
// ours. What is there is never changed.
func prepareDir(dir string, shared bool) error {
	mode := fs.FileMode(0o700)
	if shared {
		mode = 0o750
	} else if err := os.MkdirAll(filepath.Dir(dir), 0o700); err != nil {
		return fault.Wrap(fault.IO, err, "making a directory for the daemon")
	}
	switch err := os.Mkdir(dir, mode); {
	case err == nil:
		if err := os.Chmod(dir, mode); err != nil { // the umask may have taken from it
			return fault.Wrap(fault.IO, err, "making a directory for the daemon")
		}
		return nil
	case errors.Is(err, fs.ErrNotExist):
		return fault.Wrap(fault.IO, err, "making a directory for the daemon").WithHint("make the directory above it, as its owner")
	case !errors.Is(err, fs.ErrExist):
		return fault.Wrap(fault.IO, err, "making a directory for the daemon")
	}
	info, err := os.Lstat(dir)
	if err != nil {
		return fault.Wrap(fault.IO, err, "looking at the daemon's directory")
	}
	switch mode := info.Mode(); {
	case mode&fs.ModeSymlink != 0:
		return refused(dir, "is a symbolic link", "put the directory itself there")
	case !mode.IsDir():
		return refused(dir, "is not a directory", "move it away")
	case mode.Perm()&0o022 != 0:
		return refused(dir, fmt.Sprintf("has mode %04o, so others can replace what is in it", mode.Perm()), "chmod go-w "+dir)
	}
	return ours(dir, info)
}

func ours(path string, info fs.FileInfo) error {
	st, ok := info.Sys().(*syscall.Stat_t)
	if me := os.Geteuid(); ok && int(st.Uid) != me {
		return refused(path, fmt.Sprintf("belongs to user %d, and you are user %d", st.Uid, me), "run the daemon as its owner, or choose another path")
	}
	return nil
}

func refused(path, why, hint string) error {
	return fault.New(fault.InvalidRequest, "%s %s", path, why).WithHint("%s", hint)
}

// clearStale removes the socket at path if nobody listens on it. The caller
// holds the daemon's lock.
func clearStale(ctx context.Context, path string) error {
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return fault.Wrap(fault.IO, err, "looking at the daemon's socket")
	case info.Mode().Type() != fs.ModeSocket:
		return refused(path, "is there, and is not a socket", "move it away, or choose another path")
	}
	dialer := net.Dialer{Timeout: probeTime}
	conn, err := dialer.DialContext(ctx, "unix", path)
	switch {
	case err == nil:
		_ = conn.Close()
		fallthrough
	case errors.Is(err, syscall.EAGAIN): // somebody listens, and is late with accepting
		return fault.New(fault.VaultBusy, "another process listens on %s", path).
			WithHint("end it, or choose another path")
	case errors.Is(err, syscall.ENOENT):
		return nil
	case !errors.Is(err, syscall.ECONNREFUSED):
		return fault.Wrap(fault.IO, err, "asking who listens on the daemon's socket")
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fault.Wrap(fault.IO, err, "removing the socket that a daemon left")
	}
	return nil
}

// listen binds the socket where nobody else can reach it, and puts it in place
// when its mode is right: bind(2) gives it what the umask leaves.
func listen(path string, shared bool) (*socket, error) {
	dir := filepath.Dir(path)
	temp, err := os.MkdirTemp(dir, bindDir) // 0700, less the umask
	if err != nil {
		return nil, fault.Wrap(fault.IO, err, "making the daemon's socket")
	}
	defer func() { _ = os.Remove(temp) }()
	bound := filepath.Join(temp, bindName)
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: bound, Net: "unix"})
	if err != nil {
		return nil, fault.Wrap(fault.IO, err, "making the daemon's socket")
	}
	l.SetUnlinkOnClose(false) // it would remove whatever is at the first path
	s := &socket{UnixListener: l, path: path, shared: shared}
	if err := s.place(bound, dir, shared); err != nil {
		_ = l.Close()
		_ = os.Remove(bound)
		return nil, err
	}
	return s, nil
}

func (s *socket) place(bound, dir string, shared bool) error {
	mode := fs.FileMode(0o600)
	if shared {
		mode = 0o660
		if err := shareGroup(bound, dir); err != nil {
			return err
		}
	}
	err := os.Chmod(bound, mode)
	if err == nil {
		s.made, err = os.Lstat(bound)
	}
	if err == nil {
		err = os.Rename(bound, s.path)
	}
	if err != nil {
		return fault.Wrap(fault.IO, err, "putting the daemon's socket in place")
	}
	return nil
}

// shareGroup gives the socket the group of its directory, which is the group of
// those who may connect.
func shareGroup(bound, dir string) error {
	info, err := os.Stat(dir)
	if err != nil {
		return fault.Wrap(fault.IO, err, "looking at the daemon's directory")
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return nil
	}
	if err := os.Lchown(bound, -1, int(st.Gid)); err != nil {
		return fault.Wrap(fault.IO, err, "giving the socket to group %d", st.Gid).
			WithHint("the daemon's user must be of the group of %s", dir)
	}
	return nil
}

// awaited reports whether a client is in the queue. Where no file is to be had
// accept(2) says so, whether or not there is one.
func (s *socket) awaited() bool {
	ready := false
	raw, err := s.SyscallConn()
	if err == nil {
		err = raw.Control(func(fd uintptr) {
			p := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
			n, err := unix.Poll(p, 0)
			ready = err == nil && n == 1
		})
	}
	return err == nil && ready
}

// inPlace reports whether the socket is still where clients look for it.
func (s *socket) inPlace() bool {
	at, err := os.Lstat(s.path)
	return err == nil && os.SameFile(s.made, at)
}

// remove takes the socket away, unless somebody put another there. It comes
// before Close: as long as we listen, no other file gets our inode's number.
func (s *socket) remove() {
	if s.inPlace() {
		_ = os.Remove(s.path)
	}
}

// answers reports whether somebody listens on the socket at path.
func answers(ctx context.Context, path string, within time.Duration) bool {
	dialer := net.Dialer{Timeout: within}
	conn, err := dialer.DialContext(ctx, "unix", path)
	if err != nil {
		return errors.Is(err, syscall.EAGAIN)
	}
	_ = conn.Close()
	return true
}

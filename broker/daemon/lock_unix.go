//go:build unix

package daemon

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"syscall"

	"aivault/keys/fault"
)

// lock takes the daemon's lock at once or not at all: vault_busy tells whose it
// is. To close the file is to let go of it.
func lock(path, version string) (*os.File, error) {
	for {
		f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0o600)
		if errors.Is(err, syscall.ELOOP) {
			return nil, refused(path, "is a symbolic link", "remove it")
		}
		if err != nil {
			return nil, fault.Wrap(fault.IO, err, "opening the daemon's lock")
		}
		current, err := lockFile(f, path)
		if err != nil {
			_ = f.Close()
			return nil, err
		}
		if current {
			sign(f, version)
			return f, nil
		}
		_ = f.Close()
	}
}

// lockFile locks f, and reports whether it is still the file at path: whoever
// locked one that was removed meanwhile keeps nobody away.
func lockFile(f *os.File, path string) (current bool, err error) {
	info, err := f.Stat()
	if err != nil {
		return false, fault.Wrap(fault.IO, err, "looking at the daemon's lock")
	}
	if !info.Mode().IsRegular() {
		return false, refused(path, "is not a regular file", "remove it")
	}
	if err := ours(path, info); err != nil {
		return false, err
	}
	for err = syscall.EINTR; errors.Is(err, syscall.EINTR); {
		err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	}
	switch {
	case errors.Is(err, syscall.EWOULDBLOCK):
		return false, busy(f)
	case err != nil:
		return false, fault.Wrap(fault.IO, err, "locking %s", path)
	}
	at, err := os.Lstat(path)
	return err == nil && os.SameFile(info, at), nil
}

// busy is the error for a lock that another daemon holds. The first word in it
// is that one's process, as long as it had time to write it.
func busy(f *os.File) error {
	head := make([]byte, 64)
	n, _ := f.ReadAt(head, 0)
	text, _, whole := strings.Cut(string(head[:n]), " ")
	who := ""
	if pid, err := strconv.Atoi(text); err == nil && whole && pid > 0 {
		who = fmt.Sprintf(" (process %d)", pid)
	}
	return fault.New(fault.VaultBusy, "a daemon serves this vault already%s", who).
		WithHint("aivault restart replaces it")
}

// sign writes who holds the lock, for people: the lock is what counts, so that
// a full disk does not matter.
func sign(f *os.File, version string) {
	if f.Truncate(0) != nil {
		return
	}
	_, _ = f.Seek(0, io.SeekStart)
	_, _ = fmt.Fprintf(f, "%d %s\n", os.Getpid(), version)
}

//go:build unix

package store

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"syscall"
)

// openFlags keep a link from leading elsewhere, and a FIFO from blocking.
const openFlags = syscall.O_NOFOLLOW | syscall.O_NONBLOCK

func how(exclusive bool) int {
	if exclusive {
		return syscall.LOCK_EX
	}
	return syscall.LOCK_SH
}

func tryLock(f *os.File, exclusive bool) error {
	return syscall.Flock(int(f.Fd()), how(exclusive)|syscall.LOCK_NB)
}

func blockLock(f *os.File, exclusive bool) error {
	for {
		if err := syscall.Flock(int(f.Fd()), how(exclusive)); !errors.Is(err, syscall.EINTR) {
			return err
		}
	}
}

// letGo gives up a file and bbolt's lock on it. To close it is not enough: a
// mapping that was left behind keeps the lock.
func letGo(f *os.File) {
	_ = syscall.Flock(int(f.Fd()), syscall.LOCK_UN)
	_ = f.Close()
}

// checkFile refuses a file that others could have made or could read.
func checkFile(path string) error {
	fi, err := os.Lstat(path)
	if err != nil {
		return err
	}
	switch mode := fi.Mode(); {
	case mode&fs.ModeSymlink != 0:
		return &UnsafeError{path, "is a symbolic link", "put the file itself there"}
	case !mode.IsRegular():
		return &UnsafeError{path, "is not a regular file", "move it away"}
	case mode.Perm()&0o077 != 0:
		return &UnsafeError{path, fmt.Sprintf("has mode %04o, so others can get at it", mode.Perm()), "chmod 600 " + path}
	}
	return checkOwner(path, fi)
}

// checkDir refuses a directory in which others could replace files.
func checkDir(path string) error {
	fi, err := os.Stat(path)
	if err != nil {
		return err
	}
	switch mode := fi.Mode(); {
	case !mode.IsDir():
		return &UnsafeError{path, "is not a directory", "choose another directory"}
	case mode.Perm()&0o022 != 0:
		return &UnsafeError{path, fmt.Sprintf("has mode %04o, so others can replace its files", mode.Perm()), "chmod 700 " + path}
	}
	return checkOwner(path, fi)
}

func checkOwner(path string, fi fs.FileInfo) error {
	st, ok := fi.Sys().(*syscall.Stat_t)
	if me := os.Geteuid(); ok && int(st.Uid) != me {
		return &UnsafeError{path, fmt.Sprintf("belongs to user %d, and you are user %d", st.Uid, me), "run aivault as its owner, or choose another directory"}
	}
	return nil
}

// IsFull reports whether err says that the disk, a quota, or the size that a
// file may have is used up.
func IsFull(err error) bool {
	for _, no := range []syscall.Errno{syscall.ENOSPC, syscall.EDQUOT, syscall.EFBIG} {
		// Where bbolt resizes the file it keeps the text of the error only.
		if errors.Is(err, no) || err != nil && strings.HasSuffix(err.Error(), ": "+no.Error()) {
			return true
		}
	}
	return false
}

package store

import (
	"errors"
	"io/fs"
	"os"

	"golang.org/x/sys/windows"
)

const openFlags = 0

func how(exclusive bool) uint32 {
	if exclusive {
		return windows.LOCKFILE_EXCLUSIVE_LOCK
	}
	return 0
}

func tryLock(f *os.File, exclusive bool) error {
	return windows.LockFileEx(windows.Handle(f.Fd()), how(exclusive)|windows.LOCKFILE_FAIL_IMMEDIATELY, 0, 1, 0, new(windows.Overlapped))
}

func blockLock(f *os.File, exclusive bool) error {
	return windows.LockFileEx(windows.Handle(f.Fd()), how(exclusive), 0, 1, 0, new(windows.Overlapped))
}

// letGo gives up a file and bbolt's lock on it.
func letGo(f *os.File) { _ = f.Close() }

// checkFile refuses what is no regular file. Who may read it is for the access
// list that it inherits from the user's profile.
func checkFile(path string) error {
	fi, err := os.Lstat(path)
	if err != nil {
		return err
	}
	if fi.Mode()&fs.ModeSymlink != 0 || !fi.Mode().IsRegular() {
		return &UnsafeError{path, "is not a regular file", "move it away"}
	}
	return nil
}

func checkDir(path string) error {
	fi, err := os.Stat(path)
	if err == nil && !fi.IsDir() {
		return &UnsafeError{path, "is not a directory", "choose another directory"}
	}
	return err
}

// IsFull reports whether err says that the disk, or a quota, is used up.
func IsFull(err error) bool {
	return errors.Is(err, windows.ERROR_DISK_FULL) || errors.Is(err, windows.ERROR_HANDLE_DISK_FULL)
}

package store

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// ReadNote reads a small file that stands outside the store, at most limit
// bytes and one more. fs.ErrNotExist: there is none.
func ReadNote(path string, limit int) ([]byte, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|openFlags, 0)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // it was read only
	buf := make([]byte, limit+1)
	n, err := io.ReadFull(f, buf)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, err
	}
	return buf[:n], nil
}

// WriteNote writes a note over the one that is there. It makes the directory of
// the file, but not those above. The note is less than a disk writes at once,
// and nothing waits until the disk has it: after a loss of power the one before
// may be there.
func WriteNote(path string, note []byte) error {
	const flags = os.O_WRONLY | os.O_CREATE | openFlags
	f, err := os.OpenFile(path, flags, 0o600)
	if errors.Is(err, fs.ErrNotExist) {
		if err := os.Mkdir(filepath.Dir(path), 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
			return err
		}
		f, err = os.OpenFile(path, flags, 0o600)
	}
	if err != nil {
		return err
	}
	_, err = f.WriteAt(note, 0)
	if fi, serr := f.Stat(); err == nil && serr == nil && fi.Size() > int64(len(note)) {
		err = f.Truncate(int64(len(note)))
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	return err
}

// CheckFile and CheckDir refuse what others could have made, could read, or in
// which they could replace files, with an UnsafeError.
func CheckFile(path string) error { return checkFile(path) }

// CheckDir is CheckFile for a directory.
func CheckDir(path string) error { return checkDir(path) }

// IsIdle reports whether nobody holds a lock of [Bolt.Lock] or waits for it.
func IsIdle(path string) bool {
	f, err := os.OpenFile(path, os.O_RDWR|openFlags, 0)
	if err != nil {
		return false
	}
	defer func() { _ = f.Close() }() // which gives the lock back
	return tryLock(f, true) == nil
}

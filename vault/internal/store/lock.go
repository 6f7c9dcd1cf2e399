package store

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// RunDir is the directory of the locks of [Bolt.Lock], in that of the file.
const RunDir = "run"

// Lock takes a lock that is independent of the file and its transactions, and
// holds it until unlock is called or the process ends. It waits for as long as
// it takes, and binds a thread meanwhile. Each call counts for itself, also
// within a process. name is that of a file.
func (b *Bolt) Lock(name string) (unlock func(), err error) {
	dir := filepath.Join(b.dir, RunDir)
	if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, err
	}
	if err := checkNoLink(dir); err != nil {
		return nil, err
	}
	if err := checkDir(dir); err != nil {
		return nil, err
	}
	f, err := openLock(filepath.Join(dir, name), true)
	if err != nil {
		return nil, err
	}
	if err := blockLock(f, true); err != nil {
		_ = f.Close()
		return nil, err
	}
	return func() { _ = f.Close() }, nil
}

// checkNoLink refuses a link, which would have the files below made elsewhere.
func checkNoLink(path string) error {
	fi, err := os.Lstat(path)
	if err == nil && fi.Mode()&fs.ModeSymlink != 0 {
		err = &UnsafeError{path, "is a symbolic link", "put the directory itself there"}
	}
	return err
}

// lock takes the lock file, shared or exclusive, within the given time. The
// kernel wakes the next waiter at once, and lets go when a process dies.
func lock(ctx context.Context, path string, exclusive bool, wait time.Duration) (unlock func(), err error) {
	f, err := openLock(path, exclusive)
	if err != nil {
		return nil, err
	}
	if f == nil {
		return func() {}, nil
	}
	if err := tryLock(f, exclusive); err == nil {
		return func() { _ = f.Close() }, nil
	}
	// A blocked call cannot be cancelled: it is left behind, and gives the
	// lock back if it comes too late.
	var lockErr error // of the goroutine until done is closed
	done := make(chan struct{})
	go func() {
		lockErr = blockLock(f, exclusive)
		close(done)
	}()
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-done:
		if lockErr != nil {
			_ = f.Close()
			return nil, lockErr
		}
		return func() { _ = f.Close() }, nil
	case <-ctx.Done():
		err = ctx.Err()
	case <-timer.C:
		err = ErrBusy
	}
	go func() {
		<-done
		_ = f.Close()
	}()
	return nil, err
}

// openLock opens the lock file. A reader of a directory that it may not write
// needs none where there is none: nil.
func openLock(path string, exclusive bool) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|openFlags, 0o600)
	if err == nil || exclusive {
		return f, err
	}
	f, err = os.OpenFile(path, os.O_RDONLY|openFlags, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return f, err
}

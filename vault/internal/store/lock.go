package store

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"time"
)

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

package store

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	bolt "go.etcd.io/bbolt"
)

// Names of the files that replacing the vault by another one leaves.
const (
	IncomingFile = File + ".restoring"      // the other one, while it is checked
	ReplacedFile = File + ".before-restore" // the one that was replaced
)

// RebuiltFile is the file that is to take the place of the vault's, while it is made.
const RebuiltFile = File + ".rotating"

// NewCopy returns the store in one file, which stands for itself: nobody else
// changes it, so no lock is taken, and nothing is asked of its directory. It is
// never compacted.
func NewCopy(path string, wait time.Duration) *Bolt {
	return &Bolt{dir: filepath.Dir(path), name: filepath.Base(path), alone: true, wait: wait}
}

// WriteTo writes a copy of the file as one transaction sees it. Others can read
// meanwhile, and not write.
func (b *Bolt) WriteTo(ctx context.Context, w io.Writer) (n int64, err error) {
	unlock, err := b.prepare(ctx, false)
	if err != nil {
		return 0, err
	}
	defer unlock()
	err = b.use(true, func(db *bolt.DB, _ *opened) error {
		return db.View(func(tx *bolt.Tx) (err error) {
			n, err = tx.WriteTo(w)
			if errors.Is(err, io.EOF) {
				err = fmt.Errorf("%w: its end is missing", ErrDamaged)
			}
			return err
		})
	})
	return n, err
}

// Replace puts another file in the place of the store's, whatever is there now,
// or nothing. fill makes the file at the path that it is given, durably; where
// it fails, nothing is replaced. A CommitError says that it was, and may be lost
// with the power. Nobody uses the store meanwhile. The replaced
// file stays as ReplacedFile, in the place of an earlier one.
//
// At every moment one of the two files is there, whole.
func (b *Bolt) Replace(ctx context.Context, fill func(path string) error) error {
	return b.supplant(ctx, IncomingFile, ReplacedFile, fill)
}

// Rebuild is Replace by a file that holds all that the store's holds, of which
// nothing stays.
func (b *Bolt) Rebuild(ctx context.Context, fill func(path string) error) error {
	if exists, err := b.Exists(); err != nil {
		return err
	} else if !exists {
		return ErrAbsent
	}
	return b.supplant(ctx, RebuiltFile, "", fill)
}

// supplant puts the file that fill makes beside the store's in its place, and gives
// what it replaces another name, unless that is empty.
func (b *Bolt) supplant(ctx context.Context, name, replaced string, fill func(path string) error) (err error) {
	unlock, err := b.lockDir(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	exists, err := b.Exists()
	if err == nil && exists {
		err = checkFile(b.Path())
	}
	if err != nil {
		return err
	}
	incoming := filepath.Join(b.dir, name)
	if err := removeOld(incoming); err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(incoming)
		}
	}()
	if err := fill(incoming); err != nil {
		if failed, ok := errors.AsType[*CommitError](err); ok {
			return failed.Err // it was of the file beside: here nothing was changed
		}
		return err
	}
	if exists && replaced != "" {
		if err := keep(b.Path(), filepath.Join(b.dir, replaced)); err != nil {
			return err
		}
	}
	if err := os.Rename(incoming, b.Path()); err != nil {
		return err
	}
	if err := syncDir(b.dir); err != nil {
		return &CommitError{err}
	}
	return nil
}

// keep gives a file a second name, or its content where the file system knows
// no second names.
func keep(path, second string) error {
	if err := removeOld(second); err != nil {
		return err
	}
	if os.Link(path, second) == nil {
		return nil
	}
	src, err := os.OpenFile(path, os.O_RDONLY|openFlags, 0)
	if err != nil {
		return err
	}
	defer func() { _ = src.Close() }() // it was read only
	return WriteFile(second, func(w io.Writer) error {
		_, err := io.Copy(w, src)
		return err
	})
}

// removeOld removes a file, if there is one.
func removeOld(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// WriteFile makes a file that was not there, for its owner alone, and durable
// but for its name. Where write fails, there is none.
func WriteFile(path string, write func(io.Writer) error) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	// Not f itself, into which the kernel could copy by sharing the blocks of
	// another file: one bad block would then be in both.
	if err = write(struct{ io.Writer }{f}); err == nil {
		err = f.Sync()
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		_ = os.Remove(path)
	}
	return err
}

// SyncDir makes what was done to names in a directory durable.
func SyncDir(dir string) error { return syncDir(dir) }

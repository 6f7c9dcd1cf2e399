package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	bolt "go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"
)

// Names of the files in a vault's directory.
const (
	File     = "vault.db"
	LockFile = "vault.lock"
	TempFile = File + ".tmp" // the file while it is being made
)

// Bolt is a Store in one bbolt file. Nobody holds the file open: each
// transaction takes the lock beside it, opens, runs and closes. The lock
// blocks, where bbolt's own is polled and unfair.
type Bolt struct {
	dir   string
	name  string // of the file
	alone bool   // see NewCopy
	wait  time.Duration
}

var _ Store = (*Bolt)(nil)

// NewBolt returns the store in a directory. Transactions wait for each other
// for at most so long.
func NewBolt(dir string, wait time.Duration) *Bolt { return &Bolt{dir: dir, name: File, wait: wait} }

// Path returns the path of the file.
func (b *Bolt) Path() string { return filepath.Join(b.dir, b.name) }

// Exists reports whether there is a file at the path, of whatever kind.
func (b *Bolt) Exists() (bool, error) {
	_, err := os.Lstat(b.Path())
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}

// View implements Store.
func (b *Bolt) View(ctx context.Context, f func(Tx) error) error {
	unlock, err := b.prepare(ctx, false)
	if err != nil {
		return err
	}
	defer unlock()
	return b.use(true, func(db *bolt.DB, file *opened) error {
		return db.View(func(tx *bolt.Tx) error { return run(tx, file, f) })
	})
}

// Update implements Store.
func (b *Bolt) Update(ctx context.Context, f func(Tx) error) error {
	unlock, err := b.prepare(ctx, true)
	if err != nil {
		return err
	}
	defer unlock()
	shrink := false
	err = b.use(false, func(db *bolt.DB, file *opened) error {
		err := b.commit(db, file, f)
		shrink = err == nil && !b.alone && wasteful(db)
		return err
	})
	if err == nil && shrink {
		// The transaction is durable: a failure to compact loses nothing.
		_ = guard(b.compact)
	}
	return err
}

// commit runs f in a transaction and commits it.
func (b *Bolt) commit(db *bolt.DB, file *opened, f func(Tx) error) error {
	tx, err := db.Begin(true)
	if err != nil {
		return err
	}
	defer func() {
		if file.noWay {
			_ = tx.Rollback() // as bbolt does after a panic in a View
		}
	}()
	if err = run(tx, file, f); err == nil {
		err = sameFile(b.Path(), file.File)
	}
	if err != nil {
		_ = tx.Rollback() // the error that matters is err
		return err
	}
	if err := tx.Commit(); err != nil {
		return &CommitError{err}
	}
	return nil
}

// An opened file is the one under a database.
type opened struct {
	*os.File
	noWay bool // somebody was stopped on the way to a key, before bbolt went there
}

// use opens the file for f. After a panic in bbolt the database cannot be closed,
// as it may hold its own locks: then the file alone is let go.
func (b *Bolt) use(readOnly bool, f func(*bolt.DB, *opened) error) error {
	return guard(func() error {
		db, file, err := b.open(b.Path(), readOnly)
		if err != nil {
			return err
		}
		panicked, handle := true, &opened{File: file}
		defer func() {
			switch {
			case panicked && handle.noWay:
				_ = db.Close() // the error that matters is what stopped it
			case panicked:
				letGo(file)
			}
		}()
		err = f(db, handle)
		panicked = false
		if cerr := db.Close(); cerr != nil && err == nil && !readOnly {
			err = &CommitError{cerr}
		}
		return err
	})
}

// prepare checks the directory and the file and takes the lock.
func (b *Bolt) prepare(ctx context.Context, write bool) (unlock func(), err error) {
	exists, err := b.Exists()
	switch {
	case err != nil:
		return nil, err
	case !exists:
		return nil, ErrAbsent
	case b.alone:
		return func() {}, nil
	}
	if err := checkDir(b.dir); err != nil {
		return nil, err
	}
	if err := checkFile(b.Path()); err != nil {
		return nil, err
	}
	return lock(ctx, filepath.Join(b.dir, LockFile), write, b.wait)
}

// lockDir makes the directory, if need be, and locks it for who puts a file there.
func (b *Bolt) lockDir(ctx context.Context) (unlock func(), err error) {
	if err := os.MkdirAll(b.dir, 0o700); err != nil {
		return nil, err
	}
	if err := checkDir(b.dir); err != nil {
		return nil, err
	}
	return lock(ctx, filepath.Join(b.dir, LockFile), true, b.wait)
}

// Create implements Store. The file is built beside its place and renamed into
// it, as bbolt's own initialisation does not survive a loss of power. A
// CommitError says that it is there, and may be lost with the power.
func (b *Bolt) Create(ctx context.Context, f func(Tx) error) error {
	unlock, err := b.lockDir(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	exists, err := b.Exists()
	switch {
	case err != nil:
		return err
	case exists:
		return ErrExists
	}
	return b.replace(func(db *bolt.DB) error {
		return db.Update(func(tx *bolt.Tx) error {
			for _, t := range Tables() {
				if _, err := tx.CreateBucket(bucket(t)); err != nil {
					return err
				}
			}
			return run(tx, nil, f)
		})
	})
}

// replace puts a new file, built by f, in the place of the old one, if any.
// The lock is held.
func (b *Bolt) replace(f func(*bolt.DB) error) error {
	temp := filepath.Join(b.dir, TempFile)
	if err := os.Remove(temp); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	err := guard(func() error {
		db, err := bolt.Open(temp, 0o600, &bolt.Options{Timeout: b.wait})
		if err != nil {
			return err
		}
		if err := f(db); err != nil {
			_ = db.Close()
			return err
		}
		if err := db.Sync(); err != nil {
			_ = db.Close()
			return err
		}
		return db.Close()
	})
	if err != nil {
		_ = os.Remove(temp)
		return err
	}
	if err := os.Rename(temp, b.Path()); err != nil {
		_ = os.Remove(temp)
		return err
	}
	if err := syncDir(b.dir); err != nil {
		return &CommitError{err}
	}
	return nil
}

// wasteThreshold is the size, in bytes, from which a file is compacted.
const wasteThreshold = 1 << 20

// wasteful reports whether more than a quarter of the file is free pages.
func wasteful(db *bolt.DB) bool {
	stats := db.Stats()
	free := int64(stats.FreePageN+stats.PendingPageN) * int64(db.Info().PageSize)
	fi, err := os.Stat(db.Path())
	return err == nil && fi.Size() >= wasteThreshold && free > fi.Size()/4
}

// compact writes the records into a new file, without the free pages.
func (b *Bolt) compact() error {
	src, file, err := b.open(b.Path(), true)
	if err != nil {
		return err
	}
	defer func() { _ = src.Close() }()
	if err := checkPages(file); err != nil {
		return err
	}
	return b.replace(func(dst *bolt.DB) error { return bolt.Compact(dst, src, 4<<20) })
}

// open opens the file, and returns the handle that bbolt holds beside it.
func (b *Bolt) open(path string, readOnly bool) (db *bolt.DB, file *os.File, err error) {
	defer func() {
		if db == nil && file != nil {
			letGo(file) // bbolt does so too, but not when it panics
		}
	}()
	db, err = bolt.Open(path, 0o600, &bolt.Options{
		ReadOnly: readOnly,
		Timeout:  b.wait,
		OpenFile: func(name string, flag int, mode fs.FileMode) (*os.File, error) {
			if file, err = os.OpenFile(name, flag&^os.O_CREATE|openFlags, mode); err != nil {
				return nil, err
			}
			if err = notEmpty(file); err == nil && !readOnly {
				err = hasFreeList(file)
			}
			return file, err
		},
	})
	switch {
	case err == nil:
		return db, file, nil
	case errors.Is(err, berrors.ErrTimeout):
		return nil, nil, ErrBusy
	case errors.Is(err, berrors.ErrInvalid), errors.Is(err, berrors.ErrChecksum), errors.Is(err, berrors.ErrVersionMismatch),
		strings.Contains(err.Error(), "file size too small"):
		return nil, nil, fmt.Errorf("%w: %v", ErrDamaged, err)
	}
	return nil, nil, err
}

// notEmpty refuses an empty file, which bbolt would make a database of.
func notEmpty(file *os.File) error {
	fi, err := file.Stat()
	if err == nil && fi.Size() == 0 {
		err = fmt.Errorf("%w: it is empty", ErrDamaged)
	}
	return err
}

// bucket is the name of a table's bucket.
func bucket(t Table) []byte { return []byte{byte(t)} }

// run calls f with the transaction of a file, or of one that is being made.
func run(tx *bolt.Tx, file *opened, f func(Tx) error) error {
	t := boltTx{tx: tx, paths: paths{file: file, size: int64(tx.DB().Info().PageSize)}}
	top := uint64(tx.Cursor().Bucket().Root())
	for _, table := range Tables() {
		t.paths.need(top, bucket(table))
		if t.buckets[table] = tx.Bucket(bucket(table)); t.buckets[table] == nil {
			return fmt.Errorf("%w: a table is missing", ErrDamaged)
		}
	}
	return f(&t)
}

type boltTx struct {
	tx      *bolt.Tx
	buckets [Audit + 1]*bolt.Bucket
	paths   paths
}

// at returns the bucket of a table, once the way to a key in it was looked at.
func (t *boltTx) at(table Table, key []byte) *bolt.Bucket {
	b := t.buckets[table]
	t.paths.need(uint64(b.Root()), key)
	return b
}

func (t *boltTx) Get(table Table, key []byte) []byte       { return t.at(table, key).Get(key) }
func (t *boltTx) Put(table Table, key, value []byte) error { return t.at(table, key).Put(key, value) }
func (t *boltTx) Delete(table Table, key []byte) error     { return t.at(table, key).Delete(key) }

func (t *boltTx) OnCommit(f func()) { t.tx.OnCommit(f) }

func (t *boltTx) Range(table Table, s Span, f func(key, value []byte) error) error {
	c := t.buckets[table].Cursor()
	way, err := t.paths.start(uint64(t.buckets[table].Root()), s.start(), s.Reverse)
	if err != nil {
		return err
	}
	step := c.Next
	if s.Reverse {
		step = c.Prev
	}
	var last []byte
	for k, v := first(c, s); k != nil && bytes.HasPrefix(k, s.Prefix); k, v = step() {
		if err := way.arrive(k); err != nil {
			return err
		}
		// In a damaged tree, pages may be out of order, or lead back to
		// themselves: without this check for ever.
		if last != nil && (bytes.Compare(last, k) < 0) == s.Reverse {
			return fmt.Errorf("%w: its keys are out of order", ErrDamaged)
		}
		last = k
		if err := f(k, v); err != nil {
			if errors.Is(err, ErrStop) {
				return nil
			}
			return err
		}
		if err := way.leave(k); err != nil {
			return err
		}
	}
	return nil
}

// start is the key at which the span is looked for; nil: at the end.
func (s Span) start() []byte {
	if !s.Reverse {
		return []byte(max(string(s.Prefix), string(s.From)))
	}
	if s.From != nil {
		return s.From
	}
	return after(s.Prefix)
}

// first positions the cursor on the first key of the span.
func first(c *bolt.Cursor, s Span) (key, value []byte) {
	end := s.start()
	if !s.Reverse {
		return c.Seek(end)
	}
	if end == nil {
		return c.Last()
	}
	switch key, value = c.Seek(end); {
	case key == nil:
		return c.Last()
	case bytes.Equal(key, s.From):
		return key, value
	}
	return c.Prev()
}

// after returns the least key that is greater than every key with the prefix,
// or nil if there is none.
func after(prefix []byte) []byte {
	for i := len(prefix) - 1; i >= 0; i-- {
		if prefix[i] != 0xff {
			end := bytes.Clone(prefix[:i+1])
			end[i]++
			return end
		}
	}
	return nil
}

// sameFile checks that the path still names the open file: if somebody
// replaced or deleted it, what is written to it would be lost.
func sameFile(path string, file *os.File) error {
	open, err := file.Stat()
	if err != nil {
		return err
	}
	named, err := os.Lstat(path)
	if err != nil || !os.SameFile(open, named) {
		return ErrReplaced
	}
	return nil
}

// syncDir makes a rename in the directory durable.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	err = d.Sync()
	if cerr := d.Close(); err == nil {
		err = cerr
	}
	if runtime.GOOS == "windows" {
		return nil // directories cannot be synced there
	}
	return err
}

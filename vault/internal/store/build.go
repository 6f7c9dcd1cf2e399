package store

import (
	"errors"
	"io/fs"
	"os"

	bolt "go.etcd.io/bbolt"
)

// buildSize is how much one transaction of a Builder holds, in bytes.
const buildSize = 4 << 20

// fillPercent is how full the pages of a file are that is written in the order of
// its keys. As much as bbolt's own compaction leaves.
const fillPercent = 0.9

// A Builder fills a new file, which nobody else can see, in transactions of a
// bounded size. It is fast where the keys of each table come in their order.
type Builder struct {
	db      *bolt.DB
	tx      *bolt.Tx
	buckets [Audit + 1]*bolt.Bucket
	size    int
}

// Build makes the file of a store that was not there, for its owner alone, with
// what f puts into it. Where f fails, there is none. It is durable but for its name.
func Build(path string, f func(*Builder) error) error {
	made, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	if err = made.Close(); err == nil {
		err = guard(func() error { return build(path, f) })
	}
	if err != nil {
		if rerr := os.Remove(path); rerr != nil && !errors.Is(rerr, fs.ErrNotExist) {
			err = errors.Join(err, rerr)
		}
	}
	return err
}

func build(path string, f func(*Builder) error) (err error) {
	// What a loss of power leaves of it nobody uses: to sync once, at its end, is
	// enough.
	db, err := bolt.Open(path, 0o600, &bolt.Options{NoSync: true, NoGrowSync: true, OpenFile: openBuilt})
	if err != nil {
		return err
	}
	b := &Builder{db: db}
	defer func() {
		if b.tx != nil {
			_ = b.tx.Rollback() // the error that matters is err
		}
		if cerr := db.Close(); err == nil {
			err = cerr
		}
	}()
	if err := b.begin(); err != nil {
		return err
	}
	if err := f(b); err != nil {
		return err
	}
	if err := b.commit(); err != nil {
		return err
	}
	return db.Sync()
}

// openBuilt opens the file that was just made.
func openBuilt(name string, flag int, mode fs.FileMode) (*os.File, error) {
	return os.OpenFile(name, flag&^os.O_CREATE|openFlags, mode)
}

// begin begins the next transaction, the first one with the tables.
func (b *Builder) begin() (err error) {
	if b.tx, err = b.db.Begin(true); err != nil {
		return err
	}
	b.size = 0
	for _, t := range Tables() {
		if b.buckets[t], err = b.tx.CreateBucketIfNotExists(bucket(t)); err != nil {
			return err
		}
		b.buckets[t].FillPercent = fillPercent
	}
	return nil
}

func (b *Builder) commit() error {
	tx := b.tx
	b.tx = nil
	return tx.Commit()
}

// Put adds a record, which is kept until Build returns and must not change.
func (b *Builder) Put(t Table, key, value []byte) error {
	if b.size > buildSize {
		if err := b.commit(); err != nil {
			return err
		}
		if err := b.begin(); err != nil {
			return err
		}
	}
	b.size += len(key) + len(value)
	return b.buckets[t].Put(key, value)
}

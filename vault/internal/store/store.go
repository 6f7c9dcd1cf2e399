// Package store keeps a vault's records: tables of keys and values, read and
// written in transactions. It knows nothing of what the bytes mean.
//
// The vault needs little of it (see [Store] and [Tx]): get, put, delete, an
// ordered range, one transaction. [Bolt] is the engine for one machine; one
// that many share can stand in its place.
package store

import (
	"context"
	"errors"
)

// A Table is one of the store's ordered tables.
type Table uint8

// The tables of a vault. Their numbers are part of the file format; package
// vault documents what they hold.
const (
	Meta    Table = 1
	Slots   Table = 2
	Records Table = 3
	Values  Table = 4
	Index   Table = 5
	Audit   Table = 6
)

// Tables returns all tables.
func Tables() []Table { return []Table{Meta, Slots, Records, Values, Index, Audit} }

// ErrAbsent is the error of a store that was never created.
var ErrAbsent = errors.New("there is no store")

// ErrExists is the error of creating a store that is there.
var ErrExists = errors.New("the store exists")

// ErrBusy is the error of a store that somebody else held for too long.
var ErrBusy = errors.New("the store is in use")

// ErrDamaged is the error of a file that is no store, or no longer one.
var ErrDamaged = errors.New("the file is damaged")

// ErrReplaced is the error of a transaction whose file was deleted or replaced
// by other means while it ran. Nothing was committed.
var ErrReplaced = errors.New("the file was replaced while it was open")

// An UnsafeError is a file or directory that others could read or replace.
type UnsafeError struct {
	Path   string
	Reason string // what is wrong with it
	Fix    string // what to do about it
}

func (e *UnsafeError) Error() string { return e.Path + " " + e.Reason }

// A CommitError is the error of a commit that failed, and may have happened
// all the same: a look at the store tells.
type CommitError struct{ Err error }

func (e *CommitError) Error() string { return "committing: " + e.Err.Error() }
func (e *CommitError) Unwrap() error { return e.Err }

// A Store runs transactions. Several processes may use one store at a time.
type Store interface {
	// View runs f in a transaction that sees one consistent state. ErrAbsent
	// if there is no store.
	View(ctx context.Context, f func(Tx) error) error
	// Update runs f in a transaction that no other overlaps, and commits it
	// durably unless f fails. ErrAbsent if there is no store.
	Update(ctx context.Context, f func(Tx) error) error
	// Create makes the store with what f puts into it, all or nothing.
	// ErrExists if there is one.
	Create(ctx context.Context, f func(Tx) error) error
}

// A Tx is a transaction. Slices that it returns are valid until it ends and
// must not be changed.
type Tx interface {
	// Get returns the value of a key, or nil if there is none.
	Get(t Table, key []byte) []byte
	// Put and Delete fail in a View.
	Put(t Table, key, value []byte) error
	Delete(t Table, key []byte) error
	// Range calls f for each key of the span in order, until f fails. f must
	// not change the table.
	Range(t Table, s Span, f func(key, value []byte) error) error
	// OnCommit has f called once the transaction is durable, and before any
	// other one begins. In a View f is never called.
	OnCommit(f func())
}

// A Span is a part of a table.
type Span struct {
	Prefix []byte // only keys with this prefix
	From   []byte // start here: the first key not before it, or in Reverse not after it
	// Reverse goes from the last key to the first.
	Reverse bool
}

// ErrStop ends a Range without an error, where its function returns it.
var ErrStop = errors.New("stop")

package vault

import (
	"context"
	"errors"
	"io/fs"
	"path/filepath"

	"aivault/keys/fault"
	"aivault/vault/internal/store"
)

// explain gives an error of the store its code.
func (l *Local) explain(err error, doing string) error {
	if err == nil {
		return nil
	}
	if _, ok := errors.AsType[*fault.Error](err); ok {
		return err
	}
	if unsafe, ok := errors.AsType[*store.UnsafeError](err); ok {
		return fault.New(fault.IO, "%s", unsafe.Error()).WithHint("%s", unsafe.Fix)
	}
	path := l.db.Path()
	switch {
	case errors.Is(err, store.ErrAbsent), errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return err
	case errors.Is(err, store.ErrBusy):
		return fault.New(fault.VaultBusy, "another process has held the vault for %s", lockWait).
			WithHint("try again; `fuser %s` shows who holds it", filepath.Join(l.opts.Root, store.LockFile))
	case errors.Is(err, store.ErrReplaced):
		return fault.New(fault.Conflict, "%s was deleted or replaced while it was open; nothing was changed", path).
			WithHint("look what became of it, then try again")
	case errors.Is(err, store.ErrDamaged):
		return fault.Wrap(fault.VaultCorrupt, err, "%s", path).
			WithHint("%s", restoreHint)
	case store.IsFull(err):
		return fault.Wrap(fault.DiskFull, err, "%s %s; nothing was changed", doing, path).
			WithHint("free some space, then try again")
	case errors.Is(err, fs.ErrPermission):
		return fault.Wrap(fault.IO, err, "%s %s", doing, path).WithHint("check who may write to %s", l.opts.Root)
	}
	return fault.Wrap(fault.IO, err, "%s %s", doing, path).WithHint("check the disk")
}

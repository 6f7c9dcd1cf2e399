package vault

import (
	"context"
	"crypto/rand"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"aivault/keys/fault"
	"aivault/vault/internal/seal"
	"aivault/vault/internal/store"
)

// A Backup is what a copy of the vault's file holds.
type Backup struct {
	File    string
	VaultID string
	Bytes   int64
	Events  uint64    // the sequence number of its last event
	Last    time.Time // of that event
}

// Names of a backup while it is written, beside its place.
const (
	backupPrefix = ".aivault-backup-"
	backupSuffix = ".tmp"
	// backupStale is the age from which such a file is nobody's any more.
	backupStale = 10 * time.Minute
)

// Backup implements Vault.
func (l *Local) Backup(ctx context.Context, file string, replace bool) (Backup, error) {
	path, err := l.backupPath(file, replace)
	if err != nil {
		return Backup{}, err
	}
	return l.backup(ctx, filepath.Dir(path), path, func(temp string) error {
		err := publish(temp, path, replace)
		if errors.Is(err, fs.ErrExist) {
			return errBackupExists(path)
		}
		return l.explainCopy(err, path)
	})
}

// CopyTo is Backup for a file that another process writes: name is what the
// audit log says of it. The copy was verified before w gets its first byte, and
// lies beside the vault until w has its last one.
func (l *Local) CopyTo(ctx context.Context, name string, w io.Writer) (Backup, error) {
	if name == "" {
		return Backup{}, fault.New(fault.InvalidRequest, "a backup needs a name")
	}
	return l.backup(ctx, l.opts.Root, name, func(temp string) error {
		f, err := os.Open(temp)
		if err != nil {
			return l.explainCopy(err, name)
		}
		defer func() { _ = f.Close() }() // it was read only
		_, err = io.Copy(w, contextReader{ctx, f})
		return l.explainCopy(err, name)
	})
}

// A contextReader reads until its context ends.
type contextReader struct {
	ctx context.Context
	io.Reader
}

func (r contextReader) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.Reader.Read(p)
}

// backup makes a verified copy in a directory, under a temporary name, and hands
// it to deliver. The event comes first, so that the copy holds it; a copy that
// then fails is a second event.
func (l *Local) backup(ctx context.Context, dir, name string, deliver func(temp string) error) (Backup, error) {
	if err := l.needVault(); err != nil {
		return Backup{}, err
	}
	event := Event{Kind: KindVaultBackup, Outcome: OutcomeOK, Note: name}
	if err := l.commit(ctx, func(t *txn) error { return t.record(&event) }); err != nil {
		return Backup{}, l.explain(err, "writing")
	}
	sweepBackups(dir, l.opts.Now())
	temp := filepath.Join(dir, backupPrefix+rand.Text()+backupSuffix)
	defer func() { _ = os.Remove(temp) }() // unless it has another name by then
	made := Backup{File: name}
	var at *seal.Anchor
	err := l.withKeys(ctx, func(ring *seal.Ring) (err error) {
		at, err = l.copyTo(ctx, ring, temp, &made)
		return err
	})
	if err == nil {
		err = deliver(temp) // which may take its time, and needs no key
	}
	if err != nil {
		failed := Event{Kind: KindVaultBackup, Outcome: OutcomeError, Code: fault.CodeOf(err), Note: name}
		_ = l.commit(context.WithoutCancel(ctx), func(t *txn) error { return t.record(&failed) }) // the error that matters is err
		return Backup{}, err
	}
	l.rememberInKeyring(ctx, at)
	return made, nil
}

// backupPath returns where a backup goes, which must be a place for a file.
func (l *Local) backupPath(file string, replace bool) (string, error) {
	path, err := filepath.Abs(file)
	if err != nil || file == "" || file == "-" {
		return "", fault.New(fault.InvalidRequest, "a backup needs the name of a file")
	}
	dir, err := os.Stat(filepath.Dir(path))
	if err != nil {
		return "", fault.Wrap(fault.InvalidRequest, fault.WithoutPath(err), "looking at the directory of %q", path).WithHint("make the directory first")
	}
	if root, err := os.Stat(l.opts.Root); err == nil && os.SameFile(root, dir) {
		return "", fault.New(fault.InvalidRequest, "%q is in the directory of the vault, with which it would be lost", path).
			WithHint("name a file somewhere else, best on another disk")
	}
	fi, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist) && !os.IsPathSeparator(file[len(file)-1]):
		return path, nil
	case err != nil:
		return "", fault.Wrap(fault.InvalidRequest, fault.WithoutPath(err), "looking at %q", path)
	case !fi.Mode().IsRegular():
		return "", fault.New(fault.InvalidRequest, "%q is not a regular file", path).WithHint("name a file, not a directory, link, pipe or device")
	case !replace:
		return "", errBackupExists(path)
	}
	return path, nil
}

func errBackupExists(path string) error {
	return fault.New(fault.AlreadyExists, "there is %q already", path).WithHint("name another file, or replace it with --force")
}

// copyTo writes the backup, and verifies what was written.
func (l *Local) copyTo(ctx context.Context, ring *seal.Ring, temp string, b *Backup) (*seal.Anchor, error) {
	_ = os.Remove(temp) // of another vault, which was replaced meanwhile
	err := store.WriteFile(temp, func(w io.Writer) (err error) {
		b.Bytes, err = l.db.WriteTo(ctx, w)
		return err
	})
	if err != nil {
		return nil, l.explainCopy(err, b.File)
	}
	c, err := l.verify(ctx, store.NewCopy(temp, lockWait), ring)
	if err != nil {
		return nil, l.explain(err, "verifying the copy of")
	}
	b.VaultID, b.Events, b.Last = uuidText(ring.Vault()), c.at.Seq, c.at.Time
	return &c.at, nil
}

// publish gives a file its name. One that is there is replaced or stays: a link
// never takes the place of another file, where a rename does.
func publish(temp, path string, replace bool) error {
	if !replace {
		err := os.Link(temp, path)
		if err == nil || errors.Is(err, fs.ErrExist) {
			return errors.Join(err, store.SyncDir(filepath.Dir(path)))
		}
		if _, err := os.Lstat(path); err == nil { // links are unknown there
			return fs.ErrExist
		}
	}
	if err := os.Rename(temp, path); err != nil {
		return err
	}
	return store.SyncDir(filepath.Dir(path))
}

// sweepBackups removes what backups that were cut off left in a directory.
func sweepBackups(dir string, now time.Time) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return // the next step tells
	}
	for _, e := range entries {
		if !isBackupTemp(e.Name()) {
			continue
		}
		if fi, err := e.Info(); err == nil && fi.Mode().IsRegular() && now.Sub(fi.ModTime()) > backupStale {
			_ = os.Remove(filepath.Join(dir, e.Name()))
		}
	}
}

// isBackupTemp reports whether a file is a backup that is being written, or was
// cut off.
func isBackupTemp(name string) bool {
	return strings.HasPrefix(name, backupPrefix) && strings.HasSuffix(name, backupSuffix)
}

// explainCopy is the error of a file that could not be written.
func (l *Local) explainCopy(err error, path string) error {
	if _, ok := errors.AsType[*fault.Error](err); ok || err == nil {
		return err
	}
	switch {
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return err
	case errors.Is(err, store.ErrDamaged), errors.Is(err, store.ErrBusy), errors.Is(err, store.ErrAbsent):
		return l.explain(err, "copying")
	case store.IsFull(err):
		return fault.Wrap(fault.DiskFull, fault.WithoutPath(err), "writing %q", path).WithHint("free some space, or name a file on another disk")
	}
	return fault.Wrap(fault.IO, fault.WithoutPath(err), "writing %q", path)
}

// content is what a vault's file was found to hold.
type content struct {
	at seal.Anchor // its state; the time is that of the last event
}

// verify verifies everything in a file, as Doctor does.
func (l *Local) verify(ctx context.Context, db *store.Bolt, ring *seal.Ring) (c content, err error) {
	var r Report
	err = db.View(ctx, func(tx store.Tx) error {
		t, err := l.beginAny(ctx, tx, ring)
		if err != nil {
			return err
		}
		defer t.close()
		t.examine(&r)
		if err := r.Err(); err != nil {
			return err
		}
		c.at, err = t.state()
		return err
	})
	return c, err
}

// state is the anchor of what the file holds, as of its last event.
func (t *txn) state() (seal.Anchor, error) {
	a := *t.anchorOf()
	e, err := t.event(t.man.seq)
	if err != nil {
		return a, err
	}
	a.Time = e.Time
	return a, nil
}

// event reads an event of the log, without verifying which one follows it.
func (t *txn) event(seq uint64) (*Event, error) {
	e, _, err := t.openEvent(seqKey(seq), t.tx.Get(store.Audit, seqKey(seq)))
	return e, err
}

// size is how long a file is, in bytes.
func size(path string) int64 {
	fi, err := os.Stat(path)
	if err != nil {
		return 0
	}
	return fi.Size()
}

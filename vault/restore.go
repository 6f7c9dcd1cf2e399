package vault

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"aivault/keys/fault"
	"aivault/vault/internal/seal"
	"aivault/vault/internal/store"
)

// RestoreOptions say what a restore may cost.
type RestoreOptions struct {
	// Back allows a backup that does not hold all that the vault holds now, or
	// that takes the place of a vault which cannot be read.
	Back bool
	// UpTo is the last event of the vault that may be lost with Back: a later
	// one, which whoever agreed did not know of, is fault.Conflict. 0: any.
	UpTo uint64
}

// Restored says what a restore did.
type Restored struct {
	Comparison
	Seq      uint64 // of the event that says so
	Replaced string // the file that was replaced; empty if there was none
}

// Restore implements Vault. Everything is checked in a copy that is made beside
// the vault's file and locked with it, and gets the event that says so; to
// rename it is the one step that counts. A backup from before the root key was
// changed is sealed anew, with another one: what opened it opens it still, and a
// root key that was given up does not come back.
func (l *Local) Restore(ctx context.Context, file string, opts RestoreOptions) (Restored, error) {
	path, err := backupFile(file)
	if err != nil {
		return Restored{}, err
	}
	ring, here, err := l.ringOf(ctx, path)
	if err != nil {
		return Restored{}, err
	}
	defer l.letGo(ring)
	defer here.release()
	r, used := Restored{}, ring
	defer func() { l.wipeUnused(used) }()
	var at seal.Anchor
	keyring := l.keyringAnchorOf(ctx, path)
	err = l.db.Replace(ctx, func(incoming string) (err error) {
		if err := copyVault(ctx, path, incoming); err != nil {
			return explainBackup(l.explainCopy(err, l.db.Path()), path)
		}
		now := store.NewCopy(l.db.Path(), lockWait) // the lock is ours
		if r.Comparison, err = l.compare(ctx, ring, here, incoming, now, keyring); err != nil {
			return err
		}
		r.Backup.File = path
		if err := r.allowed(opts); err != nil {
			return err
		}
		if r.gen > ring.Generation() {
			used = seal.NewRing(seal.NewRoot(), ring.Vault(), r.gen+1)
			at, err = l.adoptAnew(ctx, ring, used, incoming, &r)
		} else {
			at, err = l.adopt(ctx, ring, incoming, &r)
		}
		return err
	})
	if failed, ok := errors.AsType[*store.CommitError](err); ok {
		return Restored{}, fault.Wrap(fault.OutcomeUnknown, failed.Err, "the disk reported an error after the backup was put in its place").
			WithHint("check the disk, then run `aivault doctor`")
	}
	if err != nil {
		return Restored{}, l.explain(err, "replacing")
	}
	if r.Exists {
		r.Replaced = filepath.Join(l.opts.Root, store.ReplacedFile)
	}
	l.useRing(used)
	l.rememberAs(used, &at)
	l.rememberInKeyring(ctx, &at)
	return r, nil
}

// Compare implements Vault.
func (l *Local) Compare(ctx context.Context, file string) (Comparison, error) {
	path, err := backupFile(file)
	if err != nil {
		return Comparison{}, err
	}
	ring, here, err := l.ringOf(ctx, path)
	if err != nil {
		return Comparison{}, err
	}
	defer l.letGo(ring)
	defer here.release()
	return l.compare(ctx, ring, here, path, l.db, l.keyringAnchorOf(ctx, path))
}

// backupFile returns the path of a file that is to be restored. A link may lead
// to it.
func backupFile(file string) (string, error) {
	path, err := filepath.Abs(file)
	if err == nil {
		path, err = filepath.EvalSymlinks(path)
	}
	if err != nil || file == "" {
		return "", fault.Wrap(fault.InvalidRequest, fault.WithoutPath(err), "opening %q", file)
	}
	switch fi, err := os.Stat(path); {
	case err != nil:
		return "", fault.Wrap(fault.InvalidRequest, fault.WithoutPath(err), "opening %q", file)
	case !fi.Mode().IsRegular():
		return "", fault.New(fault.InvalidRequest, "%q is not a regular file", file).WithHint("name a file that `aivault backup` made")
	}
	return path, nil
}

// A held is a ring that is held, or nothing.
type held struct{ ring *seal.Ring }

func (h held) release() {
	if h.ring != nil {
		h.ring.Release()
	}
}

// ringOf returns the keys of the vault in a file, held: those of the vault here
// if they fit, so that nobody is asked twice. Where that vault is the same with
// another root key, here has it.
func (l *Local) ringOf(ctx context.Context, path string) (ring *seal.Ring, here held, err error) {
	h, err := l.headOf(ctx, store.NewCopy(path, lockWait))
	if err != nil {
		return nil, held{}, explainBackup(err, path)
	}
	if ring, err := l.open(ctx); err == nil {
		if ring.Vault() == h.vault && h.slots[0].Verify(ring) == nil {
			return ring, held{}, nil
		}
		here = held{ring}
	} else if code := fault.CodeOf(err); code == fault.Canceled {
		return nil, held{}, err
	}
	ring, slot, err := l.unlock(ctx, h, true)
	if err != nil {
		here.release()
		return nil, held{}, err
	}
	ring.Hold()
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.ring == nil { // for what comes next; if it is for another vault, they are forgotten
		l.ring, l.opener = ring, slot
	}
	return ring, here, nil
}

// letGo releases keys, and wipes those that the vault does not use.
func (l *Local) letGo(ring *seal.Ring) {
	ring.Release()
	l.wipeUnused(ring)
}

// wipeUnused wipes keys that the vault does not use, once nobody holds them.
func (l *Local) wipeUnused(ring *seal.Ring) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.ring != ring {
		ring.Clear()
	}
}

// useRing has the vault use the keys of what was restored.
func (l *Local) useRing(ring *seal.Ring) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.ring == ring {
		return
	}
	if l.ring != nil {
		l.ring.Clear()
	}
	l.ring, l.opener = ring, nil
}

// keyringAnchorOf reads the anchor in the keyring of the vault in a file.
func (l *Local) keyringAnchorOf(ctx context.Context, path string) []byte {
	h, err := l.headOf(ctx, store.NewCopy(path, lockWait))
	if err != nil {
		return nil
	}
	return l.readKeyringAnchor(ctx, h)
}

// explainBackup is the error of a file that is no vault, or a damaged one.
func explainBackup(err error, path string) error {
	code := fault.CodeOf(err)
	if code != fault.VaultCorrupt && code != fault.AuditBroken {
		return err
	}
	what := errors.New(err.Error()) // without its hint
	if errors.Is(err, store.ErrDamaged) {
		what = nil // it names the vault
	}
	return fault.Wrap(code, what, "%q is no vault, or a damaged one", path).WithHint("restore another backup; nothing was changed")
}

// copyVault copies the part of a file that is a vault.
func copyVault(ctx context.Context, from, to string) error {
	return store.WriteFile(to, func(w io.Writer) error {
		_, err := store.NewCopy(from, lockWait).WriteTo(ctx, w)
		return err
	})
}

func copyFile(from, to string) error {
	src, err := os.Open(from)
	if err != nil {
		return err
	}
	defer func() { _ = src.Close() }() // it was read only
	return store.WriteFile(to, func(w io.Writer) error {
		_, err := io.Copy(w, src)
		return err
	})
}

// allowed refuses what would be lost without leave.
func (c *Comparison) allowed(opts RestoreOptions) error {
	switch {
	case !c.Back():
		return nil
	case !opts.Back:
		return fault.New(fault.Conflict, "%s", c.losses()).WithHint("to restore it all the same, say so with --yes; nothing was changed")
	case opts.UpTo > 0 && c.Events > opts.UpTo:
		return fault.New(fault.Conflict, "the vault has changed since: it has %d events now, and had %d", c.Events, opts.UpTo).
			WithHint("look at it again; nothing was changed")
	}
	return nil
}

// losses says in a sentence what restoring would lose.
func (c *Comparison) losses() string {
	if c.Damage != nil && c.Lost == 0 {
		return "the vault that is there cannot be read, so that nobody can tell what the backup does not hold"
	}
	return fmt.Sprintf("the backup does not hold the last %d of the %d events of the vault, of which %d are changes", c.Lost, c.Events, c.LostChanges)
}

// adopt makes a copy the vault: it goes on where whatever was seen of the vault
// ends, so that it is no older copy of it.
func (l *Local) adopt(ctx context.Context, ring *seal.Ring, path string, r *Restored) (at seal.Anchor, err error) {
	err = store.NewCopy(path, lockWait).Update(ctx, func(tx store.Tx) error {
		t, err := l.beginAny(ctx, tx, ring)
		if err != nil {
			return err
		}
		defer t.close()
		if err := r.record(t); err != nil {
			return err
		}
		if err := t.end(); err != nil {
			return err
		}
		at = *t.anchorOf()
		return nil
	})
	return at, err
}

// adoptAnew is adopt for a copy that is sealed anew first.
func (l *Local) adoptAnew(ctx context.Context, ring, fresh *seal.Ring, path string, r *Restored) (at seal.Anchor, err error) {
	old := filepath.Join(l.opts.Root, store.RebuiltFile)
	if err := os.Rename(path, old); err != nil {
		return at, err
	}
	defer func() { _ = os.Remove(old) }() // what is left of it, Doctor names
	return l.resealed(ctx, old, path, ring, fresh, &rekeying{change: r.record})
}

// record records that a copy is the vault from now on, behind all that is known of
// the vault.
func (r *Restored) record(t *txn) error {
	note := fmt.Sprintf("the backup had %d events", r.Backup.Events)
	if r.Exists {
		note += fmt.Sprintf(", the vault %d, of which %d are lost", r.Events, r.Lost)
	}
	t.man.epoch = max(t.man.epoch, r.epoch)
	err := t.record(&Event{Kind: KindVaultRestore, Outcome: OutcomeOK, Note: note})
	r.Seq = t.man.seq
	return err
}

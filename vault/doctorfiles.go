package vault

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"aivault/keys"
	"aivault/keys/fault"
	"aivault/vault/internal/seal"
	"aivault/vault/internal/store"
)

// examineFiles looks at who may get at the files of the vault, and at what lies
// beside them. The vault's file and its directory were looked at by whoever
// read the head.
func (l *Local) examineFiles(ctx context.Context, r *Report, h *head) {
	dirs := []string{filepath.Join(l.opts.Root, store.RunDir), l.opts.State}
	files := []string{filepath.Join(l.opts.Root, store.LockFile), filepath.Join(l.opts.Root, store.ReplacedFile), l.anchorPath(h.vault)}
	for _, s := range h.slots {
		if s.Config.Kind == keys.KindFile {
			files = append(files, s.Config.In(l.opts.Root).Path)
		}
	}
	ok := true
	for _, path := range dirs {
		ok = r.safe(store.CheckDir, path, l) && ok
	}
	for _, path := range files {
		ok = r.safe(store.CheckFile, path, l) && ok
	}
	if ok {
		r.pass("permissions", "the files, their directories and their owner are safe")
	}
	l.examineLeftovers(ctx, r, h)
}

// safe adds a failed check where others can get at a file or directory. One that
// is not there is safe.
func (r *Report) safe(check func(string) error, path string, l *Local) bool {
	if !exists(path) {
		return true
	}
	if err := check(path); err != nil {
		r.fail("permissions", l.explain(err, "looking at"))
		return false
	}
	return true
}

// examineLeftovers tells of files that nothing needs any more. They do no harm,
// but for the room that they take, and what was in the vault when they were made.
func (l *Local) examineLeftovers(ctx context.Context, r *Report, h *head) {
	var found []string
	entries, _ := os.ReadDir(l.opts.Root) // it was read a moment ago
	for _, e := range entries {
		name := e.Name()
		if name == store.TempFile || name == store.IncomingFile || name == store.RebuiltFile || name == store.ReplacedFile || keys.IsLeftover(name) || isBackupTemp(name) {
			found = append(found, name)
		}
	}
	locks, _ := filepath.Glob(filepath.Join(l.opts.Root, store.RunDir, "*.lock"))
	idle := 0
	for _, path := range locks {
		if store.IsIdle(path) {
			idle++
		}
	}
	unused := l.unusedKeys(ctx, h)
	if len(unused) > 0 {
		r.Checks = append(r.Checks, Check{
			Name: "leftovers", OK: true,
			Detail: "keys of no slot of this file, of a rotation that was cut off or of another copy of the vault: " + strings.Join(unused, ", "),
			Remedy: "a backup may open with one of them, and so may a newer vault.db if this is an older one: delete them when everything opens that you need",
		})
	}
	if len(found) == 0 && len(unused) > 0 {
		return
	}
	if len(found) == 0 {
		r.pass("leftovers", "none; %d of %d locks in %s are free", idle, len(locks), store.RunDir)
		return
	}
	r.Checks = append(r.Checks, Check{
		Name: "leftovers", OK: true,
		Detail: fmt.Sprintf("%s beside the vault; %d of %d locks in %s are free", strings.Join(found, ", "), idle, len(locks), store.RunDir),
		Remedy: "no aivault needs them: delete them when you do not, either",
	})
}

// examineKeyring asks the keyring whether it is there, where it has a key of the
// vault. Where another slot opened the vault, it may be away.
func (l *Local) examineKeyring(ctx context.Context, r *Report, h *head, opened bool) {
	if _, _, ok := l.keyringAnchor(h); !ok {
		return
	}
	present, err := l.opts.Keys.Keyring.Present(ctx)
	if err == nil && !present {
		err = fault.New(fault.KeyUnavailable, "this session has no keyring, and a key of the vault is in one").
			WithHint("start it, or log in where it is")
	}
	switch {
	case err == nil:
		r.pass("keyring", "it answers")
	case opened:
		r.Checks = append(r.Checks, Check{
			Name: "keyring", OK: true,
			Detail: err.Error() + "; the vault was opened without it", Remedy: fault.HintOf(err),
		})
	default:
		r.fail("keyring", err)
	}
}

// examineAnchor compares the file with all that is remembered of it, and returns
// its state.
func (l *Local) examineAnchor(r *Report, t *txn, inKeyring []byte) *seal.Anchor {
	now, err := t.state()
	if err != nil {
		return nil // the check of the log says why
	}
	beside, err := l.readAnchor(t.ring)
	kept, kerr := openNote(t.ring, inKeyring)
	if err != nil || kerr != nil {
		where := l.anchorPath(t.ring.Vault())
		if err == nil {
			where = "its entry in the keyring"
		}
		r.Checks = append(r.Checks, Check{
			Name: "anchor", Code: fault.VaultCorrupt,
			Detail: "what was remembered of the vault was changed or damaged, in " + where + ": that this is no older copy of the vault, nothing here can tell",
			Remedy: "look whether everything is as you left it; if so, delete it, and the next change to the vault makes another one",
		})
		return nil
	}
	var last *seal.Anchor
	for _, seen := range []*seal.Anchor{l.memory.latest(t.ring.Vault()), beside, kept} {
		switch {
		case seen == nil:
		case olderThan(&now, seen):
			r.fail("anchor", l.errRollback(&now, seen))
			return nil
		case last == nil || seen.Epoch > last.Epoch:
			last = seen
		}
	}
	if last == nil {
		r.pass("anchor", "nothing is remembered of this vault yet; from now on an older copy of it is found")
	} else {
		r.pass("anchor", "the vault is no older than it was seen last, at event %d", last.Seq)
	}
	return &now
}

// openNote opens the anchor that a keyring has, if any.
func openNote(ring *seal.Ring, b []byte) (*seal.Anchor, error) {
	if b == nil {
		return nil, nil
	}
	return openAnchor(ring, b)
}

// rememberHealthy remembers a state that everything was verified of.
func (l *Local) rememberHealthy(ctx context.Context, at *seal.Anchor) {
	_ = l.withKeys(ctx, func(ring *seal.Ring) error { // which only tells less later
		seen, err := l.readAnchor(ring)
		if err == nil && (seen == nil || seen.Epoch < at.Epoch) {
			err = store.WriteNote(l.anchorPath(ring.Vault()), ring.SealAnchor(at))
		}
		return err
	})
	l.rememberInKeyring(ctx, at)
}

// AcceptOlder implements Vault.
func (l *Local) AcceptOlder(ctx context.Context) (seq uint64, err error) {
	if err := l.needVault(); err != nil {
		return 0, err
	}
	h, err := l.readHead(ctx)
	if err != nil {
		return 0, err
	}
	inKeyring := l.readKeyringAnchor(ctx, h)
	err = l.withKeys(ctx, func(ring *seal.Ring) error {
		var at *seal.Anchor
		var before, after manifest
		gen := uint32(0) // that of a root key that was here before
		err := l.db.Update(ctx, func(tx store.Tx) error {
			t, err := l.beginAny(ctx, tx, ring)
			if err != nil {
				return err
			}
			defer t.close()
			before = t.man
			if gen, err = l.acceptOlder(t, inKeyring); err != nil {
				return err
			}
			if gen > ring.Generation() {
				return errOlderRoot
			}
			if err := t.end(); err != nil {
				return err
			}
			at, seq, after = t.anchorOf(), t.man.seq, t.man
			tx.OnCommit(func() { l.rememberAs(ring, at) })
			return nil
		})
		if errors.Is(err, errOlderRoot) {
			seq, err = l.acceptAnew(ctx, ring, gen+1, inKeyring)
			return err
		}
		if failed, ok := errors.AsType[*store.CommitError](err); ok {
			return l.settle(ctx, &before, &after, failed)
		}
		if err == nil {
			l.rememberInKeyring(ctx, at)
		}
		return err
	})
	if err != nil {
		return 0, l.explain(err, "writing")
	}
	return seq, nil
}

// errOlderRoot is the error of a file from before the root key was changed, which
// is not enough to write into.
var errOlderRoot = errors.New("the vault had another root key before")

// acceptAnew is acceptOlder for a file from before the root key was changed: it
// gets another root key, of a generation that is behind all that is remembered.
func (l *Local) acceptAnew(ctx context.Context, ring *seal.Ring, gen uint32, inKeyring []byte) (seq uint64, err error) {
	at, err := l.rekey(ctx, ring, &rekeying{gen: gen, older: true, change: func(t *txn) error {
		return t.accept(l.remembered(ring, inKeyring), true)
	}})
	return at.Seq, err
}

// remembered returns all that is remembered of a vault.
func (l *Local) remembered(ring *seal.Ring, inKeyring []byte) []*seal.Anchor {
	beside, _ := l.readAnchor(ring)
	kept, _ := openNote(ring, inKeyring)
	all := []*seal.Anchor{l.memory.latest(ring.Vault()), beside, kept}
	return slices.DeleteFunc(all, func(a *seal.Anchor) bool { return a == nil })
}

// acceptOlder has the file go on behind all that is remembered of the vault, so
// that no memory of it, in whatever process, calls it older. It returns the latest
// generation of the root key that is remembered.
func (l *Local) acceptOlder(t *txn, inKeyring []byte) (gen uint32, err error) {
	now, older := t.anchorOf(), false
	all := l.remembered(t.ring, inKeyring)
	for _, seen := range all {
		older, gen = older || olderThan(now, seen), max(gen, seen.Gen)
	}
	if !older {
		return 0, fault.New(fault.Conflict, "the vault is no older than it was seen before").WithHint("there is nothing to accept; nothing was changed")
	}
	return gen, t.accept(all, false)
}

// accept records that the file is the vault, though another state was seen, perhaps
// with another root key.
func (t *txn) accept(all []*seal.Anchor, rekeyed bool) error {
	was := t.man.seq
	ends := was
	for _, seen := range all {
		t.man.epoch, ends = max(t.man.epoch, seen.Epoch), max(ends, seen.Seq)
	}
	note := fmt.Sprintf("it ended with event %d, and event %d was here before", was, ends)
	if rekeyed {
		note = fmt.Sprintf("it ended with event %d, and is from before the root key was changed", was)
	}
	return t.record(&Event{Kind: KindVaultAccept, Outcome: OutcomeOK, Note: note})
}

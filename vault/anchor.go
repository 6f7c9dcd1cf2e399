package vault

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"path/filepath"
	"sync"

	"aivault/keys"
	"aivault/keys/fault"
	"aivault/vault/internal/seal"
	"aivault/vault/internal/store"
)

// A memory is how far vaults had come that this process saw, which holds where
// nobody can write. It is about the last one.
type memory struct {
	mu    sync.Mutex
	vault [16]byte
	seen  seal.Anchor
}

// latest returns what is remembered of a vault: nil if nothing is.
func (m *memory) latest(vault [16]byte) *seal.Anchor {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.vault != vault || m.seen.Epoch == 0 {
		return nil
	}
	return new(m.seen)
}

// note takes a sighting down.
func (m *memory) note(vault [16]byte, a *seal.Anchor) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.vault != vault || !olderThan(a, &m.seen) {
		m.vault, m.seen = vault, *a
	}
}

// set takes down what counts from now on.
func (m *memory) set(vault [16]byte, a *seal.Anchor) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.vault, m.seen = vault, *a
}

// olderThan reports whether a vault in the state now is not one to which the
// state that was seen can have come: it is an older one, or another branch.
func olderThan(now, seen *seal.Anchor) bool {
	switch {
	case now.Gen != seen.Gen:
		return now.Gen < seen.Gen
	case now.Epoch != seen.Epoch:
		return now.Epoch < seen.Epoch
	}
	return now.State != seen.State
}

// anchorSuffix is the end of an anchor's name, which begins with the vault's id.
const anchorSuffix = ".anchor"

// anchorPath is where the anchor of a vault is kept.
func (l *Local) anchorPath(vault [16]byte) string {
	return filepath.Join(l.opts.State, uuidText(vault)+anchorSuffix)
}

// anchorOf is the anchor of the transaction's state.
func (t *txn) anchorOf() *seal.Anchor {
	return &seal.Anchor{Gen: t.man.gen, Epoch: t.man.epoch, Seq: t.man.seq, Time: t.time(), State: seal.StateOf(t.man.encode())}
}

// readAnchor reads the anchor beside the vault: nil if there is none.
func (l *Local) readAnchor(ring *seal.Ring) (*seal.Anchor, error) {
	b, err := store.ReadNote(l.anchorPath(ring.Vault()), seal.AnchorSize)
	if err != nil || len(bytes.Trim(b, "\x00")) == 0 {
		// Lost, out of reach, or never written, as where the disk was full or lost
		// its power: the next change makes another one.
		return nil, nil
	}
	return openAnchor(ring, b)
}

// maxAhead is how many generations behind one another two files of a vault can be.
// Who forges a later one cannot use the generations up.
const maxAhead = 1 << 16

// openAnchor opens an anchor, wherever it was kept. seal.ErrOpen: it says nothing.
func openAnchor(ring *seal.Ring, b []byte) (*seal.Anchor, error) {
	a, err := ring.OpenAnchor(b)
	switch {
	case errors.Is(err, seal.ErrGeneration):
		// It cannot be verified. An earlier one says nothing; a later one must
		// count, or who has a file from before a change of the root key could
		// put that back. Nothing else in it is believed.
		if a.Gen < ring.Generation() {
			return nil, nil
		}
		if a.Gen-ring.Generation() > maxAhead { // which no vault comes to
			return nil, seal.ErrOpen
		}
		return &seal.Anchor{Gen: a.Gen}, nil
	case err != nil:
		return nil, err
	}
	return &a, nil
}

// checkAnchor refuses a file that is older than what is remembered of it. An
// anchor that was lost or changed keeps nobody out.
func (l *Local) checkAnchor(t *txn) error {
	now := t.anchorOf()
	beside, _ := l.readAnchor(t.ring)
	for _, seen := range []*seal.Anchor{l.memory.latest(t.ring.Vault()), beside} {
		if seen != nil && olderThan(now, seen) {
			return l.errRollback(now, seen)
		}
	}
	l.memory.note(t.ring.Vault(), now)
	return nil
}

// errRollback is the error of a file that is older than what was seen of it.
func (l *Local) errRollback(now, seen *seal.Anchor) error {
	when := seen.Time.Format("2006-01-02 15:04 UTC")
	if seen.Gen > now.Gen {
		return fault.New(fault.VaultRollback, "%s is an older copy of the vault, from before its root key was changed", l.db.Path()).WithHint("%s", rollbackRemedy)
	}
	err := fault.New(fault.VaultRollback, "%s is an older copy of the vault: it ends with event %d, and event %d of %s was here before", l.db.Path(), now.Seq, seen.Seq, when)
	if now.Seq >= seen.Seq {
		err = fault.New(fault.VaultRollback, "%s is another copy of the vault than the one that was here on %s", l.db.Path(), when)
	}
	return err.WithHint("%s", rollbackRemedy)
}

const rollbackRemedy = "put the newer vault.db back, or restore a backup: `aivault restore FILE`; to go on with this one: `aivault doctor --accept-rollback`"

// remember has the state in which the transaction leaves the vault remembered,
// once it is durable. A process that is killed in between leaves an older
// anchor, and so does a disk that is full: both only tell less.
func (l *Local) remember(t *txn) {
	a, ring := t.anchorOf(), t.ring
	t.tx.OnCommit(func() {
		l.memory.note(ring.Vault(), a)
		_ = store.WriteNote(l.anchorPath(ring.Vault()), ring.SealAnchor(a))
	})
}

// rememberAs remembers a state that was verified: at once, whatever was
// remembered before, as it stands for what the operator has decided to use.
func (l *Local) rememberAs(ring *seal.Ring, a *seal.Anchor) {
	l.memory.set(ring.Vault(), a)
	_ = store.WriteNote(l.anchorPath(ring.Vault()), ring.SealAnchor(a))
}

// keyringAnchor names the entry of a vault's anchor in the keyring: false where
// none of its keys is in the keyring.
func (l *Local) keyringAnchor(h *head) (service, account string, ok bool) {
	for _, s := range h.slots {
		if s.Config.Kind == keys.KindKeyring && l.opts.Keys.Keyring != nil {
			return s.Config.Service, uuidText(h.vault) + anchorSuffix, true
		}
	}
	return "", "", false
}

// readKeyringAnchor reads the anchor in the keyring: nil if there is none, or
// it cannot be had.
func (l *Local) readKeyringAnchor(ctx context.Context, h *head) []byte {
	service, account, ok := l.keyringAnchor(h)
	if !ok {
		return nil
	}
	text, err := l.opts.Keys.Keyring.Get(ctx, service, account)
	if err != nil {
		return nil
	}
	b, err := base64.StdEncoding.DecodeString(string(text))
	if err != nil {
		return []byte{} // there is one, and it says nothing
	}
	return b
}

// rememberInKeyring puts an anchor into the keyring, where the key of the vault
// is there. As that takes milliseconds, it is not done at each change.
func (l *Local) rememberInKeyring(ctx context.Context, a *seal.Anchor) {
	h, err := l.readHead(ctx)
	if err != nil {
		return
	}
	service, account, ok := l.keyringAnchor(h)
	if !ok {
		return
	}
	_ = l.withKeys(ctx, func(ring *seal.Ring) error {
		text := base64.StdEncoding.EncodeToString(ring.SealAnchor(a))
		return l.opts.Keys.Keyring.Set(ctx, service, account, []byte(text))
	}) // without it, an older copy is found by the file alone
}

// rememberNew remembers a vault that was just made in the keyring, if its key is
// there.
func (l *Local) rememberNew(ctx context.Context, cfg keys.Config) {
	if cfg.Kind != keys.KindKeyring {
		return
	}
	var at *seal.Anchor
	err := l.view(ctx, func(t *txn) error {
		if t != nil {
			at = t.anchorOf()
		}
		return nil
	})
	if err == nil && at != nil {
		l.rememberInKeyring(ctx, at)
	}
}

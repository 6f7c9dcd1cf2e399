package vault

import (
	"context"
	"errors"

	"aivault/keys"
	"aivault/keys/fault"
	"aivault/vault/internal/seal"
	"aivault/vault/internal/store"
)

// A rekeying says how a vault gets another root key.
type rekeying struct {
	gen  uint32 // of the new root key
	drop ID     // a slot that goes; zero: none
	// change is the last transaction, of the new file, before it is verified. It
	// records an event.
	change func(t *txn) error
	older  bool // the vault may be an older copy of itself
	// opens returns the slot by which the vault is open from then on, which it
	// found to open the new file. Nil: the same as before.
	opens    func(h *head) (*seal.Slot, error)
	progress func(done, total int)
}

// rekey puts a file with another root key in the place of the vault's, which the
// ring opens. Everything is made and verified beside it, while the vault is locked;
// to rename it is the one step that counts. What this process remembers of the
// vault, and what it opens it with, is that of the new file then.
func (l *Local) rekey(ctx context.Context, ring *seal.Ring, k *rekeying) (at seal.Anchor, err error) {
	fresh := seal.NewRing(seal.NewRoot(), ring.Vault(), k.gen)
	var opener *seal.Slot
	by, mine := l.openedBy(), false // the keys of this process are locked, too
	err = l.db.Rebuild(ctx, func(path string) (err error) {
		if at, err = l.resealed(ctx, l.db.Path(), path, ring, fresh, k); err != nil {
			return err
		}
		h, err := l.headOf(ctx, store.NewCopy(path, lockWait))
		if err != nil {
			return err
		}
		if opener, err = k.opener(h, by); err != nil {
			return err
		}
		// Others in this process are to find the new keys when they find the new
		// file. Who holds the lock now waits for that of the vault: they open it
		// anew, as other processes do.
		mine = l.mu.TryLock()
		return ctx.Err()
	})
	failed, renamed := errors.AsType[*store.CommitError](err)
	renamed = renamed || err == nil
	if !mine && renamed {
		l.mu.Lock()
		mine = true
	}
	if renamed {
		if l.ring != nil && l.ring != fresh {
			l.ring.Clear()
		}
		l.ring, l.opener = fresh, opener
	} else {
		fresh.Clear()
	}
	if mine {
		l.mu.Unlock()
	}
	if !renamed {
		return at, err
	}
	l.rememberAs(fresh, &at)
	l.rememberInKeyring(context.WithoutCancel(ctx), &at)
	if failed != nil {
		return at, fault.Wrap(fault.OutcomeUnknown, failed.Err, "the disk reported an error after the new root key was put in its place").
			WithHint("check the disk, then run `aivault doctor`")
	}
	return at, nil
}

// resealed seals the vault in one file anew into another, and verifies that.
func (l *Local) resealed(ctx context.Context, from, to string, ring, fresh *seal.Ring, k *rekeying) (at seal.Anchor, err error) {
	err = store.NewCopy(from, lockWait).View(ctx, func(tx store.Tx) error {
		src, err := l.beginAny(ctx, tx, ring)
		if err != nil {
			return err
		}
		defer src.close()
		if from == l.db.Path() && !k.older {
			if err := l.checkAnchor(src); err != nil {
				return err
			}
		}
		s := resealing{ctx: ctx, src: src, to: src.anew(fresh), drop: k.drop, progress: k.progress}
		err = store.Build(to, func(b *store.Builder) error {
			s.out = b
			return s.all()
		})
		if err != nil {
			return err
		}
		return store.NewCopy(to, lockWait).Update(ctx, func(tx store.Tx) error {
			t := s.to
			t.tx = tx
			defer t.close()
			if err := k.change(t); err != nil {
				return err
			}
			if err := t.end(); err != nil {
				return err
			}
			at = *t.anchorOf()
			return nil
		})
	})
	if err == nil {
		_, err = l.verify(ctx, store.NewCopy(to, lockWait), fresh)
	}
	return at, err
}

// opener returns the slot by which a vault with another root key is open, which was
// opened by another one before, if that is known.
func (k *rekeying) opener(h *head, by *seal.Slot) (*seal.Slot, error) {
	switch {
	case k.opens != nil:
		return k.opens(h)
	case by == nil:
		return nil, nil
	}
	return h.slotOf(by.ID), nil
}

// slotOf returns a slot of a head; nil if there is none.
func (h *head) slotOf(id ID) *seal.Slot {
	for _, s := range h.slots {
		if s.ID == id {
			return s
		}
	}
	return nil
}

// opensBy reports whether a key opens a vault by one of its slots, down to the
// manifest. The error says of it that it does not.
func (h *head) opensBy(id ID, kek keys.Key) (*seal.Slot, error) {
	slot := h.slotOf(id)
	if slot == nil {
		return nil, fault.New(fault.Conflict, "the new key slot is not there").WithHint("`aivault key list` shows the slots")
	}
	ring, err := slot.Open(h.vault, kek)
	if err == nil {
		_, _, err = ring.OpenManifest(h.manifest)
		ring.Clear()
	}
	if err != nil {
		return nil, fault.New(fault.WrongKey, "the new key does not open the vault").WithHint("nothing was removed; `aivault doctor` tells more")
	}
	return slot, nil
}

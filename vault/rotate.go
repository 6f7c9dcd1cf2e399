package vault

import (
	"context"
	"fmt"
	"slices"

	"aivault/keys"
	"aivault/keys/fault"
	"aivault/vault/internal/seal"
	"aivault/vault/internal/store"
)

// RotationTurn is the name for [Local.Exclusive] that whoever makes a new key for
// the vault holds from [Local.NewRotationKey] to [Local.DropOldKey].
const RotationTurn = "rotate-master"

// RotateOptions say which key takes the place of the one that opened the vault.
type RotateOptions struct {
	// Key is where the new key lives: a passphrase, or zero for the same sort of
	// place as that of the slot by which the vault was opened.
	Key keys.Config
	// NewKey is the new key of a slot in a file or a variable; nil: one is made. It
	// is not cleared.
	NewKey keys.Key
	// Progress is told how many of the records are sealed anew, at most every
	// 100 ms, and once all are. Nil: nobody is.
	Progress func(done, total int)
}

// A Rotation says what a new root key changed.
type Rotation struct {
	Generation uint32 // of the root key; 1 is the first
	Seq        uint64 // of the event that says so
	Slot       Slot   // the one with the new key; after FinishRotation, the one that stays
	Old        Slot   // whose place it has, or takes when the rotation is finished
	// Unfinished tells that Old still opens the vault, until FinishRotation.
	Unfinished bool
	// Left is why the old key is still where it was, though it opens nothing any
	// more; nil: it is gone, or was nobody's to remove.
	Left error
}

// RotateMaster implements Vault. The order of its steps decides what is left where
// it is cut off, by a kill or a loss of power:
//
//  1. The new key is stored where nothing was before, and read back. Cut off here,
//     the old key opens the vault, and the new one opens nothing: Doctor names a
//     file of that sort. The next rotation uses another place.
//  2. A new file is made beside the vault's, with a new root key, sealed anew, and
//     verified; the new key opens it. Cut off here, the vault is as it was, and the
//     next rotation, or restore, removes the file, which Doctor names until then.
//  3. It is renamed into the place of the vault's. From here on the new key opens
//     the vault, and the old one does not.
//  4. How far the vault has come is remembered, in state/ and in the keyring. Cut
//     off before, an older copy is found by its root key alone.
//  5. The vault is opened by the new key as it was stored, and then the old key is
//     removed. Cut off before, it stays and opens nothing but older copies; Doctor
//     names a file of that sort.
//
// The halves of this for two processes are NewRotationKey, RotateTo, DropOldKey.
func (l *Local) RotateMaster(ctx context.Context, opts RotateOptions) (Rotation, error) {
	release, err := l.Exclusive(ctx, RotationTurn)
	if err != nil {
		return Rotation{}, err
	}
	defer release()
	slots, err := l.slotsOpened(ctx)
	if err != nil {
		return Rotation{}, err
	}
	k, err := l.NewRotationKey(ctx, slots, opts)
	if err != nil {
		return Rotation{}, err
	}
	defer k.Key.Clear()
	r, err := l.RotateTo(ctx, k, opts.Progress)
	if err != nil {
		l.DiscardRotationKey(context.WithoutCancel(ctx), k)
		return Rotation{}, err
	}
	r.Left = l.DropOldKey(context.WithoutCancel(ctx), r, k)
	return r, nil
}

// slotsOpened returns the slots of the vault, one of which has opened it.
func (l *Local) slotsOpened(ctx context.Context) ([]Slot, error) {
	for again := range 2 {
		slots, err := l.Slots(ctx)
		if err != nil || again > 0 || slices.ContainsFunc(slots, func(s Slot) bool { return s.Opened }) {
			return slots, err
		}
		l.forgetAll() // it was restored, and nobody knows which slot opens it
	}
	return nil, nil // not reached
}

// forgetAll wipes the keys of this process, once those who are using them are done.
func (l *Local) forgetAll() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.ring != nil {
		l.ring.Clear()
		l.ring, l.opener = nil, nil
	}
}

// RotateTo gives the vault a new root key, and has the key that NewRotationKey made,
// in whatever process, open it. fault.Conflict: the vault has had another root key
// since. It does not clear the key.
func (l *Local) RotateTo(ctx context.Context, k RotationKey, progress func(done, total int)) (Rotation, error) {
	r := Rotation{Unfinished: k.Keep}
	stored := k.Config
	l.makeMovable(&stored)
	plan := rekeying{gen: k.Generation + 1, progress: progress}
	if !k.Keep {
		plan.drop = k.For
	}
	plan.change = func(t *txn) error {
		slot, err := seal.NewSlot(t.ring, k.Slot, stored, k.Key)
		if err != nil {
			return fault.Wrap(fault.Internal, err, "sealing the root key")
		}
		note := fmt.Sprintf("generation %d: %s %s in the place of %s %s", plan.gen, slot.Config.Kind, shortID(slot.ID), r.Old.Key.Kind, shortID(k.For))
		if k.Keep {
			note += ", which stays until the rotation is finished"
			if err := t.retire(k.For); err != nil {
				return err
			}
		}
		if err := t.putSlot(slot); err != nil {
			return err
		}
		r.Slot = Slot{ID: k.Slot, Key: k.Config, CreatedAt: t.time(), Opened: !k.Keep}
		return t.rotated(&r, note)
	}
	plan.opens = func(h *head) (*seal.Slot, error) {
		slot, err := h.opensBy(k.Slot, k.Key)
		if k.Keep {
			slot = h.slotOf(k.For) // the new key is not in its place yet
		}
		return slot, err
	}
	err := l.withKeys(ctx, func(ring *seal.Ring) (err error) {
		if r.Old, err = l.replaceable(ctx, ring, &k); err != nil {
			return err
		}
		_, err = l.rekey(ctx, ring, &plan)
		return err
	})
	return r, l.explain(err, "sealing anew")
}

// rotated records a new root key.
func (t *txn) rotated(r *Rotation, note string) error {
	if err := t.record(&Event{Kind: KindVaultRotate, Outcome: OutcomeOK, Note: note}); err != nil {
		return err
	}
	r.Generation, r.Seq = t.man.gen, t.man.seq
	return nil
}

// replaceable checks that a key was made for the vault as it is, and returns the
// slot whose place it is to have.
func (l *Local) replaceable(ctx context.Context, ring *seal.Ring, k *RotationKey) (old Slot, err error) {
	err = l.db.View(ctx, func(tx store.Tx) error {
		t, err := l.begin(ctx, tx, ring)
		if err != nil {
			return err
		}
		defer t.close()
		slots, err := t.listSlots(l.opts.Root)
		if err != nil {
			return err
		}
		i := slices.IndexFunc(slots, func(s Slot) bool { return s.ID == k.For })
		if i < 0 || ring.Generation() != k.Generation || len(k.Key.Reveal()) != keys.KeySize {
			return errRotated
		}
		if old = slots[i]; k.Keep && len(slots) >= maxSlots {
			return errTooManySlots(len(slots))
		}
		if slices.ContainsFunc(slots, func(s Slot) bool { return s.Retiring }) {
			return errUnfinished
		}
		sealed, err := t.slots()
		if err != nil {
			return err
		}
		for _, s := range sealed {
			if s.IsKey(ring.Vault(), k.Key) {
				return errSameKey(s.ID)
			}
		}
		return nil
	})
	return old, err
}

var (
	errRotated = fault.New(fault.Conflict, "the vault has another root key, or other slots, than when the new key was made; nothing was changed").
			WithHint("try again")
	errUnfinished = fault.New(fault.Conflict, "a rotation is unfinished: two keys of one place open the vault").
			WithHint("put the new key in its place and run `aivault rotate-master --finish`; or remove one of them, which `aivault key list` shows, with `aivault key remove`")
)

// FinishRotation implements Vault. As the old key was of use until now, it makes
// another root key, which the old key does not open.
func (l *Local) FinishRotation(ctx context.Context) (Rotation, error) {
	release, err := l.Exclusive(ctx, RotationTurn)
	if err != nil {
		return Rotation{}, err
	}
	defer release()
	var r Rotation
	for range 2 { // the new key may have been put in its place since the vault was opened
		var slots []Slot
		if slots, err = l.slotsOpened(ctx); err != nil {
			return Rotation{}, err
		}
		if r, err = finishable(slots); err == nil || !r.Old.Opened {
			break
		}
		l.forgetAll()
	}
	if err != nil {
		return Rotation{}, err
	}
	err = l.withKeys(ctx, func(ring *seal.Ring) error {
		gen := ring.Generation() + 1
		_, err := l.rekey(ctx, ring, &rekeying{gen: gen, drop: r.Old.ID, change: func(t *txn) error {
			return t.rotated(&r, fmt.Sprintf("generation %d: %s %s is gone", gen, r.Old.Key.Kind, shortID(r.Old.ID)))
		}})
		return err
	})
	if err != nil {
		return Rotation{}, l.explain(err, "sealing anew")
	}
	return r, nil
}

// finishable returns the slots of a rotation that can be finished.
func finishable(slots []Slot) (r Rotation, err error) {
	i := slices.IndexFunc(slots, func(s Slot) bool { return s.Retiring })
	if i < 0 {
		return r, fault.New(fault.Conflict, "no rotation is unfinished").WithHint("`aivault key list` shows the slots")
	}
	r.Old = slots[i]
	for _, s := range slots {
		if s.Opened && !s.Retiring && samePlace(s.Key, r.Old.Key) {
			r.Slot = s
			return r, nil
		}
	}
	return r, fault.New(fault.Conflict, "the vault was not opened by the new key, of which the %s is the place", r.Old.Key).
		WithHint("put the new key there, and try again; if the daemon keeps another one, run `aivault lock` first")
}

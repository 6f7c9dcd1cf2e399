package vault

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"aivault/keys"
	"aivault/keys/fault"
	"aivault/vault/internal/seal"
	"aivault/vault/internal/store"
)

// A Slot is one way to unlock the vault.
type Slot struct {
	ID        ID
	Key       keys.Config // where its key lives
	CreatedAt time.Time   // zero if it is not known: Status does not, and neither did formats 1 and 2
	Opened    bool        // this process opened the vault by it
	Retiring  bool        // it stays until FinishRotation; false also where that is not known: see CreatedAt
}

// Slots implements Vault.
func (l *Local) Slots(ctx context.Context) ([]Slot, error) {
	var out []Slot
	err := l.view(ctx, func(t *txn) (err error) {
		if t == nil {
			return nil
		}
		out, err = t.listSlots(l.opts.Root)
		return err
	})
	if err != nil {
		return nil, err
	}
	if by := l.openedBy(); by != nil {
		for i := range out {
			out[i].Opened = out[i].ID == by.ID
		}
	}
	return out, nil
}

// openedBy returns the slot by which the vault was opened; nil if it is not open.
func (l *Local) openedBy() *seal.Slot {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.ring == nil {
		return nil
	}
	return l.opener
}

// AddSlot implements Vault.
func (l *Local) AddSlot(ctx context.Context, cfg keys.Config) (Slot, error) {
	ring, err := l.open(ctx) // before somebody is asked for a new passphrase
	if errors.Is(err, store.ErrAbsent) {
		err = l.errNoVault()
	}
	if err != nil {
		return Slot{}, err
	}
	ring.Release()
	cfg, kek, err := l.NewKey(ctx, cfg)
	if err != nil {
		return Slot{}, err
	}
	defer kek.Clear()
	out, err := l.AddSlotKey(ctx, cfg, kek)
	if err != nil && fault.CodeOf(err) != fault.OutcomeUnknown {
		l.DiscardKey(ctx, cfg)
	}
	return out, err
}

// addSlot makes a slot of a new key.
func (t *txn) addSlot(id ID, cfg keys.Config, kek keys.Key) error {
	slots, err := t.slots()
	if err != nil {
		return err
	}
	if len(slots) >= maxSlots {
		return errTooManySlots(len(slots))
	}
	for _, s := range slots {
		if same, err := s.Open(t.ring.Vault(), kek); err == nil {
			same.Clear()
			return errSameKey(s.ID)
		}
		// The place holds the new key now, so what was there opens nothing more.
		if !cfg.Kind.Typed() && samePlace(s.Config, cfg) {
			if err := t.dropSlot(s); err != nil {
				return err
			}
			if err := t.record(slotEvent(KindKeyRemove, s)); err != nil {
				return err
			}
		}
	}
	slot, err := seal.NewSlot(t.ring, id, cfg, kek)
	if err != nil {
		return fault.Wrap(fault.Internal, err, "sealing the root key")
	}
	if err := t.putSlot(slot); err != nil {
		return err
	}
	return t.record(slotEvent(KindKeyAdd, slot))
}

func errTooManySlots(n int) error {
	return fault.New(fault.Conflict, "the vault has %d key slots, and that is the most", n).
		WithHint("remove one with `aivault key remove`")
}

func errSameKey(id ID) error {
	return fault.New(fault.AlreadyExists, "this key opens the vault already, by slot %s", shortID(id)).
		WithHint("`aivault key list` shows the slots")
}

// maxSlots is how many slots a vault has at the most: every opening reads them.
const maxSlots = 32

// samePlace reports whether two keys that are stored live in the same place.
func samePlace(a, b keys.Config) bool {
	return a.Kind == b.Kind && a.Service == b.Service && a.Account == b.Account && a.Path == b.Path &&
		a.Variable() == b.Variable()
}

// RemoveSlot implements Vault.
func (l *Local) RemoveSlot(ctx context.Context, id ID) (bool, error) {
	err := l.Unlock(ctx)
	if err == nil {
		err = l.checkRest(ctx, id)
	}
	if err != nil {
		return false, err
	}
	return l.removal(ctx, func(t *txn) (*Event, error) {
		slots, err := t.slots()
		if err != nil {
			return nil, err
		}
		i := slices.IndexFunc(slots, func(s *seal.Slot) bool { return s.ID == id })
		switch {
		case i < 0:
			return nil, nil
		case len(slots) == 1:
			return nil, errLastSlot
		}
		return slotEvent(KindKeyRemove, slots[i]), t.dropSlot(slots[i])
	})
}

var errLastSlot = fault.New(fault.Conflict, "it is the only slot: without it nothing opens the vault").
	WithHint("add another one first, with `aivault key add`")

// checkRest sees to it that somebody can still get in without the slot by which
// this process did: by what can be typed, or by a key that is to be had.
func (l *Local) checkRest(ctx context.Context, id ID) error {
	if by := l.openedBy(); by == nil || by.ID != id {
		return nil
	}
	h, err := l.readHead(ctx)
	if err != nil {
		return err
	}
	h.slots = slices.DeleteFunc(h.slots, func(s *seal.Slot) bool { return s.ID == id })
	silent, _, q := sortOut(h.slots)
	if len(h.slots) == 0 || q.Any() {
		return nil
	}
	o, err := l.tryAll(ctx, l.opts.Keys, h.vault, silent)
	if err != nil {
		return fault.Wrap(fault.Conflict, err, "without it nothing would open the vault now").
			WithHint("see that another slot works, or add one with `aivault key add`; then try again")
	}
	o.kek.Clear()
	o.ring.Clear()
	return nil
}

// slots returns the slots, which must be those that the manifest knows.
func (t *txn) slots() ([]*seal.Slot, error) {
	slots, err := readSlots(t.tx)
	if err != nil {
		return nil, err
	}
	return slots, verifySlots(t.ring, &t.man, slots)
}

// readSlots reads the slots, in the order in which they are tried.
func readSlots(tx store.Tx) ([]*seal.Slot, error) {
	var slots []*seal.Slot
	err := tx.Range(store.Slots, store.Span{}, func(k, v []byte) error {
		s, err := seal.DecodeSlot(v)
		if err != nil || !bytes.Equal(k, s.ID[:]) {
			return errDamagedSlot
		}
		slots = append(slots, s)
		return nil
	})
	slices.SortStableFunc(slots, func(a, b *seal.Slot) int { return cmp.Compare(turn(a), turn(b)) })
	return slots, err
}

// turn is when a slot is tried. Those come first that ask nobody; of the others,
// a recovery key tells at once that it is none, and a passphrase takes a second.
func turn(s *seal.Slot) int {
	return slices.Index([]keys.Kind{keys.KindEnv, keys.KindFile, keys.KindKeyring, keys.KindRecovery, keys.KindPassphrase}, s.Config.Kind)
}

// sortOut tells the slots that ask nobody from the others, and what the others
// ask for.
func sortOut(slots []*seal.Slot) (silent, asking []*seal.Slot, q keys.Question) {
	for _, s := range slots {
		if !s.Config.Kind.Typed() {
			silent = append(silent, s)
			continue
		}
		asking = append(asking, s)
		q.Add(s.Config.Kind)
	}
	return silent, asking, q
}

// verify reports whether the slots are those that the vault left.
func (h *head) verify(ring *seal.Ring) error {
	var man manifest
	b, epoch, err := ring.OpenManifest(h.manifest)
	if err == nil {
		man, err = decodeManifest(epoch, b)
	}
	if err != nil {
		return nil // which every transaction tells, with what it means
	}
	return verifySlots(ring, &man, h.slots)
}

// verifySlots reports whether slots are those that the manifest knows: that none
// was added, changed, taken away or put back. Before format 3 it knows of none.
func verifySlots(ring *seal.Ring, man *manifest, slots []*seal.Slot) error {
	for _, s := range slots {
		if s.Verify(ring) != nil {
			return errSlots
		}
	}
	if man.counted && hashSlots(ring, slots) != man.slots {
		return errSlots
	}
	return nil
}

var errSlots = fault.New(fault.VaultCorrupt, "the key slots of the vault were changed outside aivault: one was added, changed or taken away").
	WithHint("%s", restoreHint+"; `aivault doctor` verifies the rest")

// hashSlots is what a manifest holds of slots.
func hashSlots(ring *seal.Ring, slots []*seal.Slot) (h seal.SetHash) {
	for _, s := range slots {
		h.Add(ring, uint8(store.Slots), s.ID[:], s.Encode())
	}
	return h
}

// putSlot stores a new slot, and when that was.
func (t *txn) putSlot(s *seal.Slot) error {
	t.man.counted = false // they are counted anew at the end
	if err := t.put(store.Slots, s.ID[:], s.Encode()); err != nil {
		return err
	}
	return t.save(kindSlot, s.ID, 1, encodeSlotNote(slotNote{created: t.time()}))
}

// dropSlot removes a slot.
func (t *txn) dropSlot(s *seal.Slot) error {
	t.man.counted = false
	if err := t.remove(store.Slots, s.ID[:]); err != nil {
		return err
	}
	return t.drop(kindSlot, s.ID)
}

func slotEvent(kind string, s *seal.Slot) *Event {
	return &Event{Kind: kind, Outcome: OutcomeOK, Note: string(s.Config.Kind) + " " + shortID(s.ID)}
}

// shortID is the beginning of an id, as commands show and take it.
func shortID(id ID) string { return id.String()[:8] }

package vault

import (
	"context"
	"errors"
	"slices"

	"github.com/google/uuid"

	"aivault/keys"
	"aivault/keys/fault"
	"aivault/vault/internal/seal"
	"aivault/vault/internal/store"
)

// What a process does that has the vault open for others is done in halves: the
// one that asks people, and reads and writes where keys live, in the process of
// whoever wants it; the other where the vault is open. A key goes from the first
// to the second, and none comes back.

// needHead is readHead for what only a vault that exists can do.
func (l *Local) needHead(ctx context.Context) (*head, error) {
	h, err := l.readHead(ctx)
	if errors.Is(err, store.ErrAbsent) {
		err = l.errNoVault()
	}
	return h, err
}

// FetchKey returns the key of the first slot that opens the vault, and the id of
// that slot, for UnlockWith in another process. It asks as Unlock does, however
// open this vault is, and does not open it. The caller clears the key.
func (l *Local) FetchKey(ctx context.Context) (slot ID, key keys.Key, err error) {
	l.mu.Lock() // as only one is to ask at a time
	defer l.mu.Unlock()
	h, err := l.needHead(ctx)
	if err != nil {
		return ID{}, nil, err
	}
	o, err := l.unlockBy(ctx, h, true)
	if err != nil {
		return ID{}, nil, err
	}
	defer o.ring.Clear()
	if err := h.verify(o.ring); err != nil {
		o.kek.Clear()
		return ID{}, nil, err
	}
	return o.slot.ID, o.kek, nil
}

// UnlockWith opens the vault by the key of a slot that somebody else loaded. The
// key is checked though the vault is open. fault.WrongKey: it is not that
// slot's; fault.KeyUnavailable: there is no such slot. Like that of Unlock its
// error also tells of a vault that cannot be used. The key stays the caller's.
func (l *Local) UnlockWith(ctx context.Context, slot ID, key keys.Key) error {
	if err := l.openWith(ctx, slot, key); err != nil {
		return err
	}
	return l.explain(l.commit(ctx, func(t *txn) error {
		return t.record(&Event{Kind: KindVaultUnlock, Outcome: OutcomeOK, Note: "slot " + shortID(slot)})
	}), "writing")
}

// openWith is UnlockWith without a look at what it opened.
func (l *Local) openWith(ctx context.Context, slot ID, key keys.Key) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	h, err := l.needHead(ctx)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(h.slots, func(s *seal.Slot) bool { return s.ID == slot })
	if i < 0 {
		return fault.New(fault.KeyUnavailable, "the vault has no slot %s any more", shortID(slot)).
			WithHint("`aivault key list` shows the slots; try again with one that is there")
	}
	ring, err := l.openSlot(h.vault, h.slots[i], key)
	if err != nil {
		return err
	}
	if err := h.verify(ring); err != nil {
		ring.Clear()
		return err
	}
	if old := l.ring; old != nil && old.Vault() == ring.Vault() && old.Generation() == ring.Generation() {
		ring.Clear() // those who wait go on with what they hold
	} else {
		if old != nil {
			old.Clear()
		}
		l.ring = ring
	}
	l.opener = h.slots[i]
	return nil
}

// NewKey makes the key of a new slot where cfg says, as the first half of
// AddSlot, and returns where that is: a keyring entry without an account has one
// then. It needs a vault, which may be locked. The caller clears the key, and
// calls DiscardKey if no slot comes of it.
func (l *Local) NewKey(ctx context.Context, cfg keys.Config) (keys.Config, keys.Key, error) {
	h, err := l.needHead(ctx)
	if err != nil {
		return keys.Config{}, nil, err
	}
	if cfg.Kind == keys.KindKeyring && cfg.Account == "" {
		cfg.Account = uuidText(h.vault) + "." + shortID(uuid.New())
	}
	key, err := l.newKEK(ctx, cfg)
	return cfg, key, err
}

// DiscardKey removes what NewKey made, where that is of no use to anybody: see
// [keys.Source.Discard].
func (l *Local) DiscardKey(ctx context.Context, cfg keys.Config) {
	l.opts.Keys.Discard(context.WithoutCancel(ctx), cfg)
}

// AddSlotKey adds a slot for a key that NewKey made, here or elsewhere, as the
// second half of AddSlot. The key stays the caller's.
func (l *Local) AddSlotKey(ctx context.Context, cfg keys.Config, key keys.Key) (Slot, error) {
	if err := cfg.Validate(); err != nil {
		return Slot{}, err
	}
	if key.Len() != keys.KeySize {
		return Slot{}, fault.New(fault.InvalidRequest, "a key of %d bytes, and keys have %d", key.Len(), keys.KeySize)
	}
	stored := cfg
	l.makeMovable(&stored)
	out := Slot{ID: uuid.New(), Key: cfg}
	err := l.commit(ctx, func(t *txn) error {
		out.CreatedAt = t.time()
		return t.addSlot(out.ID, stored, key)
	})
	if errors.Is(err, store.ErrAbsent) {
		err = l.errNoVault()
	}
	if err != nil {
		return Slot{}, l.explain(err, "writing")
	}
	return out, nil
}

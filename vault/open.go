package vault

import (
	"context"
	"errors"

	"aivault/keys"
	"aivault/keys/fault"
	"aivault/vault/internal/seal"
	"aivault/vault/internal/store"
)

// open returns the ring of the vault, fetching the key if that was not done
// yet. The caller releases it. store.ErrAbsent: there is no vault.
func (l *Local) open(ctx context.Context) (*seal.Ring, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.ring != nil {
		l.ring.Hold()
		return l.ring, nil
	}
	head, err := l.readHead(ctx)
	if err != nil {
		return nil, err
	}
	ring, err := l.unlock(ctx, head)
	if err != nil {
		return nil, err
	}
	l.ring = ring
	ring.Hold()
	return ring, nil
}

// A head is what a vault says before it is opened.
type head struct {
	vault [16]byte
	slots []*seal.Slot
}

// readHead reads what is needed to open the vault.
func (l *Local) readHead(ctx context.Context) (*head, error) { return l.headOf(ctx, l.db) }

// headOf is readHead for whatever file.
func (l *Local) headOf(ctx context.Context, db *store.Bolt) (*head, error) {
	var h head
	err := db.View(ctx, func(tx store.Tx) error {
		var err error
		if _, h.vault, err = checkFormat(tx); err != nil {
			return err
		}
		h.slots, err = readSlots(tx)
		return err
	})
	if err == nil && len(h.slots) == 0 {
		err = errDamagedSlot
	}
	if err != nil {
		return nil, l.explain(err, "reading")
	}
	return &h, nil
}

// readSlots reads the slots, which are authentic once a ring says so.
func readSlots(tx store.Tx) (slots []*seal.Slot, err error) {
	err = tx.Range(store.Slots, store.Span{}, func(_, v []byte) error {
		slot, err := seal.DecodeSlot(v)
		if err != nil {
			return errDamagedSlot
		}
		slots = append(slots, slot)
		return nil
	})
	return slots, err
}

var errDamagedSlot = fault.New(fault.VaultCorrupt, "the vault's key slot was changed or damaged").
	WithHint("%s", restoreHint)

// unlock tries the slots in turn.
func (l *Local) unlock(ctx context.Context, h *head) (*seal.Ring, error) {
	var errs []error
	for _, slot := range h.slots {
		ring, err := l.unlockSlot(ctx, h.vault, slot)
		if err == nil {
			return ring, nil
		}
		errs = append(errs, err)
	}
	return nil, errs[0]
}

func (l *Local) unlockSlot(ctx context.Context, vault [16]byte, slot *seal.Slot) (*seal.Ring, error) {
	cfg := slot.Config.In(l.opts.Root)
	provider, err := l.opts.Keys.Provider(cfg)
	if err != nil {
		return nil, err
	}
	kek, err := provider.Load(ctx)
	if err != nil {
		return nil, err
	}
	defer kek.Clear()
	ring, err := slot.Open(vault, kek)
	switch {
	case errors.Is(err, seal.ErrWrongKey):
		return nil, fault.New(fault.WrongKey, "the %s does not open this vault", cfg).
			WithHint("%s", wrongKeyHint(slot.Config))
	case err != nil:
		return nil, errDamagedSlot
	}
	return ring, nil
}

func wrongKeyHint(c keys.Config) string {
	if c.Kind == keys.KindPassphrase {
		return "type the passphrase again; nothing was changed"
	}
	return "put the right key back, or point AIVAULT_DIR at the vault that this key belongs to; nothing was changed"
}

// checkFormat checks that the file is a vault of a version that we know.
func checkFormat(tx store.Tx) (format uint32, vault [16]byte, err error) {
	version, id := tx.Get(store.Meta, keyFormat), tx.Get(store.Meta, keyVault)
	if len(version) != 4 || be32(version) == 0 || len(id) != 16 {
		return 0, vault, store.ErrDamaged
	}
	format = be32(version)
	if format > formatVersion {
		return 0, vault, fault.New(fault.VaultNewer, "the vault has format %d, this aivault reads formats up to %d", format, formatVersion).
			WithHint("use the aivault that wrote it, or a later one")
	}
	return format, [16]byte(id), nil
}

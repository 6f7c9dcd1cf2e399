package vault

import (
	"context"
	"encoding/binary"
	"errors"

	"github.com/google/uuid"

	"aivault/keys"
	"aivault/keys/fault"
	"aivault/vault/internal/seal"
	"aivault/vault/internal/store"
)

// Keys of the meta table.
var (
	keyFormat   = []byte("format")
	keyVault    = []byte("vault")
	keyManifest = []byte("manifest")
)

// chainName is the key of a generation's audit keys in the meta table.
func chainName(gen uint32) []byte { return binary.BigEndian.AppendUint32([]byte("chain"), gen) }

// create makes the vault: first its key, which is read back, then the file,
// whose last step is a rename. A crash between the two leaves a key that
// nothing uses.
func (l *Local) create(ctx context.Context, cfg keys.Config) (*seal.Ring, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	vault, slotID := uuid.New(), uuid.New()
	if cfg.Kind == keys.KindKeyring && cfg.Account == "" {
		cfg.Account = vault.String()
	}
	kek, err := l.newKEK(ctx, cfg)
	if err != nil {
		return nil, err
	}
	defer kek.Clear()
	ring := seal.NewRing(seal.NewRoot(), vault, 1)
	slot, err := seal.NewSlot(ring, slotID, cfg, kek)
	if err != nil {
		ring.Clear()
		return nil, fault.Wrap(fault.Internal, err, "sealing the root key")
	}
	err = l.db.Create(ctx, func(tx store.Tx) error { return l.fill(tx, ring, slot) })
	if err != nil {
		ring.Clear()
		if errors.Is(err, store.ErrExists) {
			return nil, l.errInitialized()
		}
		return nil, l.explain(err, "making")
	}
	l.ring = ring
	return ring, nil
}

func (l *Local) newKEK(ctx context.Context, cfg keys.Config) (keys.Key, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	provider, err := l.opts.Keys.Provider(cfg)
	if err != nil {
		return nil, err
	}
	return provider.Create(ctx)
}

// fill writes the first state of a vault.
func (l *Local) fill(tx store.Tx, ring *seal.Ring, slot *seal.Slot) error {
	vault := ring.Vault()
	if err := tx.Put(store.Meta, keyFormat, binary.BigEndian.AppendUint32(nil, formatVersion)); err != nil {
		return err
	}
	if err := tx.Put(store.Meta, keyVault, vault[:]); err != nil {
		return err
	}
	if err := tx.Put(store.Slots, slot.ID[:], slot.Encode()); err != nil {
		return err
	}
	chain := ring.NewChain()
	t := &txn{tx: tx, ring: ring, now: l.opts.Now(), actor: l.opts.Actor, man: manifest{gen: ring.Generation()}, chain: chain}
	if err := tx.Put(store.Meta, chainName(ring.Generation()), ring.SealChain(chain)); err != nil {
		return err
	}
	if err := t.record(&Event{Kind: KindVaultInit, Outcome: OutcomeOK, Note: string(slot.Config.Kind)}); err != nil {
		return err
	}
	return t.end()
}

func be32(b []byte) uint32 { return binary.BigEndian.Uint32(b) }

func uuidText(id [16]byte) string { return uuid.UUID(id).String() }

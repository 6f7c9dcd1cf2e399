package view

import (
	"context"
	"sync"

	"aivault/keys/fault"
	"aivault/keys/opaque"
)

// A Keyhole hands a passphrase that somebody typed to whoever opens the vault,
// once.
type Keyhole struct {
	mu    sync.Mutex
	value opaque.Bytes
}

// Put leaves a passphrase, which the keyhole owns from then on.
func (k *Keyhole) Put(passphrase opaque.Bytes) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.value.Clear()
	k.value = passphrase
}

// Ask returns the passphrase that was left and forgets it. Where there is none
// the vault is locked: the error is fault.VaultLocked.
func (k *Keyhole) Ask(context.Context, bool) (opaque.Bytes, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.value == nil {
		return nil, fault.New(fault.VaultLocked, "the vault is locked with a passphrase").WithHint("type the passphrase")
	}
	v := k.value
	k.value = nil
	return v, nil
}

package view

import (
	"context"
	"sync"

	"aivault/keys"
	"aivault/keys/fault"
	"aivault/keys/opaque"
)

// A Keyhole hands a passphrase or a recovery key that somebody typed to whoever
// opens the vault, once.
type Keyhole struct {
	mu    sync.Mutex
	value opaque.Bytes
}

// Put leaves what was typed, which the keyhole owns from then on.
func (k *Keyhole) Put(passphrase opaque.Bytes) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.value.Clear()
	k.value = passphrase
}

// Given reports whether something was left.
func (k *Keyhole) Given() bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.value != nil
}

// Ask returns what was left and forgets it. Where there is nothing the vault is
// locked: the error is fault.VaultLocked.
func (k *Keyhole) Ask(_ context.Context, q keys.Question) (opaque.Bytes, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.value == nil {
		return nil, fault.New(fault.VaultLocked, "the vault is locked with a %s", q.Typed).WithHint("type the %s", q.Typed)
	}
	v := k.value
	k.value = nil
	return v, nil
}

// Package keystest stands in for the places where keys live, in tests: a
// keyring in memory that can be made to fail in the ways in which real ones
// do, a passphrase that is always at hand, and a key derivation that is fast.
package keystest

import (
	"bytes"
	"context"
	"sync"

	"aivault/keys"
	"aivault/keys/fault"
	"aivault/keys/opaque"
)

// A Mode is how a Keyring behaves.
type Mode int

// The modes.
const (
	Working   Mode = iota
	Absent         // there is no keyring
	Locked         // it answers that it is locked
	Hanging        // it answers nothing until the caller gives up
	Forgetful      // it takes entries and keeps none
)

// A Keyring is a keyring in memory. The zero Keyring is empty and works. It
// may be used by many goroutines at once.
type Keyring struct {
	mu      sync.Mutex
	mode    Mode
	entries map[[2]string][]byte
	calls   int
}

var _ keys.Keyring = (*Keyring)(nil)

// SetMode changes how the keyring behaves; its entries stay.
func (k *Keyring) SetMode(m Mode) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.mode = m
}

// Put makes an entry whatever the mode, with any content.
func (k *Keyring) Put(service, account string, content []byte) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.entries == nil {
		k.entries = make(map[[2]string][]byte)
	}
	k.entries[[2]string{service, account}] = bytes.Clone(content)
}

// Entry returns a copy of what an entry holds, whatever the mode; nil if there
// is none.
func (k *Keyring) Entry(service, account string) []byte {
	k.mu.Lock()
	defer k.mu.Unlock()
	return bytes.Clone(k.entries[[2]string{service, account}])
}

// Accounts returns the number of entries of a service.
func (k *Keyring) Accounts(service string) int {
	k.mu.Lock()
	defer k.mu.Unlock()
	n := 0
	for name := range k.entries {
		if name[0] == service {
			n++
		}
	}
	return n
}

// Calls returns how often the keyring was called.
func (k *Keyring) Calls() int {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.calls
}

// call counts a call and fails as the mode says.
func (k *Keyring) call(ctx context.Context) (Mode, error) {
	k.mu.Lock()
	k.calls++
	mode := k.mode
	k.mu.Unlock()
	switch mode {
	case Absent:
		return mode, fault.New(fault.KeyUnavailable, "there is no keyring").WithHint("aivault init --provider file")
	case Locked:
		return mode, fault.New(fault.KeyUnavailable, "the keyring is locked").WithHint("unlock it")
	case Hanging:
		<-ctx.Done()
	}
	return mode, ctx.Err()
}

// Present implements keys.Keyring.
func (k *Keyring) Present(ctx context.Context) (bool, error) {
	mode, err := k.call(ctx)
	if mode == Absent {
		return false, nil
	}
	return err == nil, coded(err)
}

// Get implements keys.Keyring.
func (k *Keyring) Get(ctx context.Context, service, account string) ([]byte, error) {
	if _, err := k.call(ctx); err != nil {
		return nil, coded(err)
	}
	if content := k.Entry(service, account); content != nil {
		return content, nil
	}
	return nil, keys.ErrNoEntry
}

// Set implements keys.Keyring, but for its promise that the entry is there,
// which a forgetful one breaks.
func (k *Keyring) Set(ctx context.Context, service, account string, secret []byte) error {
	mode, err := k.call(ctx)
	if err == nil && mode != Forgetful {
		k.Put(service, account, secret)
	}
	return coded(err)
}

// Delete implements keys.Keyring.
func (k *Keyring) Delete(ctx context.Context, service, account string) error {
	if _, err := k.call(ctx); err != nil {
		return coded(err)
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	name := [2]string{service, account}
	if _, ok := k.entries[name]; !ok {
		return keys.ErrNoEntry
	}
	delete(k.entries, name)
	return nil
}

// coded gives the error of a context the code that the real keyring gives it.
func coded(err error) error {
	switch err {
	case context.Canceled:
		return fault.Wrap(fault.Canceled, err, "waiting for the keyring")
	case context.DeadlineExceeded:
		return fault.Wrap(fault.KeyUnavailable, err, "the keyring did not answer in time")
	}
	return err
}

// Answer returns a keys.Source.Ask that always answers text.
func Answer(text string) func(ctx context.Context, q keys.Question) (opaque.Bytes, error) {
	return func(context.Context, keys.Question) (opaque.Bytes, error) { return opaque.New([]byte(text)), nil }
}

// FastKDF returns the cheapest key derivation that is accepted, with a fixed
// salt: some 10 ms.
func FastKDF() keys.KDF {
	return keys.KDF{Time: 1, MemoryKiB: 19 << 10, Threads: 1, Salt: []byte("keystest-salt-16")}
}

// PassphraseConfig returns a configuration of kind passphrase with FastKDF.
func PassphraseConfig() keys.Config {
	return keys.Config{Kind: keys.KindPassphrase, KDF: FastKDF()}
}

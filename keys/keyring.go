package keys

import (
	"context"
	"errors"
	"time"

	"aivault/keys/fault"
)

// A Keyring is the keyring of the operating system: named entries that hold a
// few bytes each. [HelperKeyring] is the real one.
//
// Calls may take as long as a person needs to answer a prompt; they end when
// ctx does. Their errors are fault.KeyUnavailable and name the entry, but for
// ErrNoEntry and, where the caller went away, fault.Canceled.
type Keyring interface {
	// Present reports whether there is a keyring at all, and whether it can
	// be used. False without an error is said only where none exists: one
	// that is locked or does not answer is an error.
	Present(ctx context.Context) (bool, error)

	// Get returns what an entry holds, or ErrNoEntry. The caller clears it.
	Get(ctx context.Context, service, account string) ([]byte, error)

	// Set makes or replaces an entry. Once it returned nil, Get finds it.
	Set(ctx context.Context, service, account string, secret []byte) error

	// Delete removes an entry, or returns ErrNoEntry.
	Delete(ctx context.Context, service, account string) error
}

// ErrNoEntry is the error of a keyring that answers, and has no such entry.
var ErrNoEntry = errors.New("the keyring has no such entry")

// noticeAfter is how long a keyring may take before people are told why they
// wait: longer than any keyring needs that does not ask.
const noticeAfter = time.Second

// keyringProvider keeps the key in the keyring, as base64.
type keyringProvider struct {
	config  Config
	keyring Keyring
	notify  func(msg string)
}

func (p keyringProvider) Load(ctx context.Context) (Key, error) {
	defer p.watch()()
	return p.load(ctx)
}

// Create makes an entry. Two processes that do so for one account at the same
// moment may both believe that theirs is kept: accounts are ids of vaults, and
// whoever makes a vault holds its lock.
func (p keyringProvider) Create(ctx context.Context) (Key, error) {
	defer p.watch()()
	if p.keyring == nil {
		return nil, noKeyring()
	}
	key, err := NewKey()
	if err != nil {
		return nil, err
	}
	if err := p.store(ctx, key); err != nil {
		key.Clear()
		return nil, err
	}
	return key, nil
}

// store makes an entry of a key, and reads it back.
func (p keyringProvider) store(ctx context.Context, key Key) error {
	there, err := p.keyring.Get(ctx, p.config.Service, p.config.Account)
	clear(there)
	switch {
	case err == nil:
		return fault.New(fault.AlreadyExists, "the %s exists", p.config).
			WithHint("it is left as it is; if no vault needs it any more, remove it with the tool of your keyring")
	case !errors.Is(err, ErrNoEntry):
		return p.fault(ctx, err)
	}
	text := encodeKey(key)
	defer clear(text)
	if err := p.keyring.Set(ctx, p.config.Service, p.config.Account, text); err != nil {
		return p.fault(ctx, err)
	}
	// A keyring that says yes and keeps nothing would lock the vault for good.
	kept, err := p.load(ctx)
	if err == nil && !kept.Equal(key) {
		err = fault.New(fault.KeyUnavailable, "the %s does not hold the key that was stored", p.config).
			WithHint("try again; if it persists, use another provider: aivault init --provider file")
	}
	kept.Clear()
	return err
}

func (p keyringProvider) load(ctx context.Context) (Key, error) {
	if p.keyring == nil {
		return nil, noKeyring()
	}
	text, err := p.keyring.Get(ctx, p.config.Service, p.config.Account)
	if err != nil {
		return nil, p.fault(ctx, err)
	}
	defer clear(text)
	key, err := ParseKey(text)
	if err != nil {
		return nil, fault.New(fault.KeyUnavailable, "the %s does not hold a key", p.config).
			WithHint("restore the entry")
	}
	return key, nil
}

// fault turns an error of the keyring into one with a code.
func (p keyringProvider) fault(ctx context.Context, err error) error {
	if e, ok := errors.AsType[*fault.Error](err); ok {
		return e
	}
	if errors.Is(err, ErrNoEntry) {
		return fault.New(fault.KeyUnavailable, "there is no %s", p.config).
			WithHint("restore the entry")
	}
	if err := canceled(ctx, "waiting for the "+p.config.String()); err != nil {
		return err
	}
	return fault.Wrap(fault.KeyUnavailable, err, "using the %s", p.config)
}

// watch tells people after a while why they wait, until the function that it
// returns is called.
func (p keyringProvider) watch() (stop func()) {
	if p.notify == nil || p.keyring == nil {
		return func() {}
	}
	t := time.AfterFunc(noticeAfter, func() { p.notify("waiting for the keyring; a prompt may be open") })
	return func() { t.Stop() }
}

func noKeyring() error {
	return fault.New(fault.KeyUnavailable, "this session has no keyring").
		WithHint("start one (GNOME Keyring, KWallet, KeePassXC), or keep the key of a new vault in a file: aivault init --provider file")
}

package keys

import (
	"context"

	"aivault/keys/fault"
	"aivault/keys/opaque"
)

// A Provider is one place where a KEK can live.
type Provider interface {
	// Load returns the key that is there; the caller clears it after use.
	// fault.KeyUnavailable: there is none, or none that can be reached or
	// read; fault.VaultLocked: it takes a passphrase, and nobody was there to
	// give it; fault.WrongKey: what was given cannot be the key.
	Load(ctx context.Context) (Key, error)

	// Create makes a key, stores it, reads it back and compares. It never
	// overwrites: a file or variable that holds a key is used as it is, a
	// keyring entry that exists is fault.AlreadyExists. A recovery key is not
	// stored but handed to somebody: Source.Keep. The caller clears the key
	// after use.
	Create(ctx context.Context) (Key, error)
}

// A Source is how providers reach the outside world.
type Source struct {
	// Getenv returns the value of an environment variable. Nil: there are none.
	Getenv func(name string) string

	// Keyring is the keyring of the operating system. Nil: there is none.
	Keyring Keyring

	// Ask asks for what somebody knows, or has on paper. The provider clears
	// what it returns. Nil: nobody can be asked, which is fault.VaultLocked.
	Ask func(ctx context.Context, q Question) (opaque.Bytes, error)

	// Given reports whether Ask has its answer already, and asks nobody. Nil:
	// it never has.
	Given func() bool

	// Keep takes a new recovery key, in the form in which people read and type
	// it, and owns it. It returns an error if nobody can be shown it; the key is
	// then of no use. Nil: nobody can, which is fault.Usage.
	Keep func(text opaque.Bytes) error

	// Turn waits until a key may be derived from a passphrase, which takes a
	// quarter of a gibibyte: many processes that do so at once would take the
	// memory of the machine. release lets the next one do it. Nil: nobody waits.
	Turn func(ctx context.Context) (release func(), err error)

	// Notify tells whoever waits why it takes so long. It is called from
	// another goroutine, at most once per Load or Create. Nil: nobody waits.
	Notify func(msg string)
}

// Provider returns the provider of the place that c names. The error is that
// of Config.Validate, or that a relative path was not made absolute by Config.In.
func (s Source) Provider(c Config) (Provider, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	if c.Kind == KindFile && isRelative(c.Path) {
		return nil, fault.New(fault.InvalidRequest, "the path of the key file, %q, is not absolute", c.Path).
			WithHint("give the whole path, from the root of the file system")
	}
	switch c.Kind {
	case KindKeyring:
		return keyringProvider{config: c, keyring: s.Keyring, notify: s.Notify}, nil
	case KindFile:
		return fileProvider{config: c}, nil
	case KindEnv:
		return envProvider{config: c, getenv: s.Getenv}, nil
	case KindPassphrase:
		return passphraseProvider{kdf: c.KDF, ask: s.Ask, turn: s.Turn}, nil
	case KindRecovery:
		return recoveryProvider{ask: s.Ask, keep: s.Keep}, nil
	}
	return nil, fault.New(fault.Internal, "kind %q is valid and has no provider", string(c.Kind))
}

// Discard removes the key that Create has just made for c, where that is in an
// entry of its own, for a caller who finds no use for it. Files and variables may
// have been there before, and stay.
func (s Source) Discard(ctx context.Context, c Config) {
	if c.Kind == KindKeyring && s.Keyring != nil {
		_ = s.Keyring.Delete(ctx, c.Service, c.Account) // what is left opens nothing
	}
}

// canceled returns ctx's error as a fault, or nil if ctx goes on.
func canceled(ctx context.Context, doing string) error {
	switch ctx.Err() {
	case nil:
		return nil
	case context.DeadlineExceeded:
		return fault.Wrap(fault.KeyUnavailable, ctx.Err(), "%s", doing)
	}
	return fault.Wrap(fault.Canceled, ctx.Err(), "%s", doing)
}

package keys

import (
	"context"

	"golang.org/x/text/unicode/norm"

	"aivault/keys/fault"
	"aivault/keys/opaque"
)

// maxPassphrase is the length of the longest passphrase, in bytes and in
// normal form.
const maxPassphrase = 1024

// passphraseProvider derives the key from a passphrase, and stores nothing.
type passphraseProvider struct {
	kdf  KDF
	ask  func(ctx context.Context, q Question) (opaque.Bytes, error)
	turn func(ctx context.Context) (release func(), err error)
}

func (p passphraseProvider) Load(ctx context.Context) (Key, error)   { return p.key(ctx, false) }
func (p passphraseProvider) Create(ctx context.Context) (Key, error) { return p.key(ctx, true) }

func (p passphraseProvider) key(ctx context.Context, fresh bool) (Key, error) {
	typed, err := askWith(ctx, p.ask, Question{Typed: Typed{Passphrase: true}, New: fresh})
	if err != nil {
		return nil, err
	}
	defer typed.Clear()
	if err := canceled(ctx, "deriving the key"); err != nil {
		return nil, err
	}
	normal, err := normalize(typed)
	if err != nil {
		return nil, err
	}
	defer clear(normal)
	if p.turn != nil {
		release, err := p.turn(ctx)
		if err != nil {
			return nil, err
		}
		defer release()
	}
	return p.kdf.derive(normal)
}

// normalize returns the passphrase in Unicode normal form C, in which it is
// the same whatever keyboard it was typed on. Nothing is trimmed: a space at
// its end is part of it. The caller clears the result.
func normalize(typed opaque.Bytes) ([]byte, error) {
	// The form may be shorter than what was typed, threefold at most (Hangul
	// in letters); what is longer still is not looked at.
	if n := typed.Len(); n == 0 || n > 4*maxPassphrase {
		return nil, badPassphrase()
	}
	// Append, unlike Bytes, never returns its argument; the room suffices, as
	// no text grows more than threefold (UAX #15), so that no copy is left.
	normal := norm.NFC.Append(make([]byte, 0, 3*typed.Len()), typed.Reveal()...)
	if len(normal) > maxPassphrase {
		clear(normal)
		return nil, badPassphrase()
	}
	return normal, nil
}

func badPassphrase() error {
	return fault.New(fault.InvalidRequest, "a passphrase is 1 to %d bytes long", maxPassphrase)
}

package keys

import (
	"context"

	"aivault/keys/fault"
	"aivault/keys/opaque"
)

// Typed says which of the things that people type would do.
type Typed struct {
	Passphrase, Recovery bool
}

// Add has t also stand for kind k.
func (t *Typed) Add(k Kind) {
	t.Passphrase = t.Passphrase || k == KindPassphrase
	t.Recovery = t.Recovery || k == KindRecovery
}

// Any reports whether anything that people type would do.
func (t Typed) Any() bool { return t.Passphrase || t.Recovery }

// String names them in a sentence: passphrase, recovery key, or both.
func (t Typed) String() string {
	switch {
	case t.Passphrase && t.Recovery:
		return "passphrase or recovery key"
	case t.Recovery:
		return "recovery key"
	}
	return "passphrase"
}

// A Question is what somebody is asked.
type Question struct {
	Typed
	New bool  // a new passphrase, which is asked for twice
	Why error // why the keys that ask nobody did not do; nil if there is none
}

// Once returns a Source whose providers share one answer: the question q is
// asked when the first of them asks, and not again. done clears the answer.
func (s Source) Once(q Question) (once Source, done func()) {
	var answer opaque.Bytes
	var failed error
	once = s
	if s.Ask == nil {
		return once, func() {}
	}
	once.Ask = func(ctx context.Context, _ Question) (opaque.Bytes, error) {
		if answer == nil && failed == nil {
			answer, failed = s.Ask(ctx, q)
		}
		if failed != nil {
			return nil, failed
		}
		return opaque.Clone(answer.Reveal()), nil
	}
	return once, func() { answer.Clear() }
}

// askWith asks q, if anybody can be asked.
func askWith(ctx context.Context, f func(context.Context, Question) (opaque.Bytes, error), q Question) (opaque.Bytes, error) {
	if f == nil {
		return nil, fault.New(fault.VaultLocked, "the vault is locked by a %s, and there is no terminal to ask for it", q.Typed).
			WithHint("run the command on a terminal, or give the %s with --passphrase-file or --passphrase-fd", q.Typed)
	}
	return f(ctx, q)
}

package vault

import (
	"bytes"
	"context"
	"errors"
	"path/filepath"
	"sync"
	"time"

	"aivault/keys"
	"aivault/keys/fault"
	"aivault/vault/internal/seal"
	"aivault/vault/internal/store"
)

// formatVersion is the version of the schema in the package comment.
const formatVersion = 4

// stateDir is the name of the directory for anchors, in that of the vault.
const stateDir = "state"

// lockWait is how long a transaction waits for those of other processes.
const lockWait = 10 * time.Second

// Claims tells which secret names belong to a provider.
type Claims interface {
	// Claim returns the provider that claims a secret's name.
	Claim(name string) (provider string, ok bool)
}

// Options say where a vault is and what it works with.
type Options struct {
	Root string // its directory
	Base string // the directory with which Root moves, and a key file below it; empty: Root
	// State is the directory where it is remembered how far the vault had come,
	// so that an older copy of its file is found. Empty: "state" in Root.
	State string
	Keys  keys.Source
	// FirstUse chooses where the key of a new vault goes, when something is
	// to be written and there is no vault yet. Nil: nothing is made unasked.
	FirstUse func(context.Context) (keys.Config, error)
	Claims   Claims // nil: no name is claimed
	// CheckValue refuses a value that could not be sent in one of these ways,
	// or in those that its name implies, before it is stored. Nil: any value
	// will do. Own is the provider that it is pinned to, where the vault has its
	// definition.
	CheckValue func(s *Secret, own *Provider, auths []Auth, value Value) error
	Now        func() time.Time // nil: time.Now
	Clock      Clock            // by which a minute of calls is measured; nil: the machine's
	Actor      string           // who the audit log says acted; empty: operator
}

// Local is a vault in a directory of this machine, used from this process. It
// is safe for concurrent use.
type Local struct {
	opts Options
	db   *store.Bolt

	turns sync.Map // chan struct{} by name, for Exclusive; full while its lock is held or waited for

	mu     sync.Mutex // held while the key is fetched, so that it is asked for once
	ring   *seal.Ring // nil until the vault was opened
	opener *seal.Slot // by which it was

	memory memory
	calls  queue
}

var (
	_ Vault = (*Local)(nil)
	_ Store = (*Local)(nil)
)

// New returns the vault in opts.Root, without looking at it.
func New(opts Options) *Local {
	if opts.Now == nil {
		opts.Now = time.Now
	}
	if opts.Base == "" {
		opts.Base = opts.Root
	}
	if opts.State == "" {
		opts.State = filepath.Join(opts.Root, stateDir)
	}
	if opts.Actor == "" {
		opts.Actor = "operator"
	}
	if opts.Clock == nil {
		opts.Clock = systemClock()
	}
	l := &Local{opts: opts, db: store.NewBolt(opts.Root, lockWait)}
	if opts.Keys.Turn == nil {
		l.opts.Keys.Turn = l.derivationTurn
	}
	return l
}

// Close flushes the outcomes of calls, whose error Flush would have told, and
// wipes the keys, once those who are using them are done. The vault can be used
// again, and asks for its key.
func (l *Local) Close() {
	l.flushBeforeClose()
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.ring != nil {
		l.ring.Clear()
		l.ring = nil
	}
}

// view runs f with a consistent view. A vault that does not exist is an empty
// one: f gets nil.
func (l *Local) view(ctx context.Context, f func(*txn) error) error {
	err := l.withKeys(ctx, func(ring *seal.Ring) error {
		return l.db.View(ctx, func(tx store.Tx) error {
			t, err := l.begin(ctx, tx, ring)
			if err != nil {
				return err
			}
			defer t.close()
			return f(t)
		})
	})
	if errors.Is(err, store.ErrAbsent) {
		if err := l.checkAbsent(); err != nil {
			return err
		}
		return f(nil)
	}
	return l.explain(err, "reading")
}

// update runs f in a transaction and commits what it changed. A vault that
// does not exist is made first. f is called once at the most.
func (l *Local) update(ctx context.Context, f func(*txn) error) error {
	err := l.commit(ctx, f)
	if errors.Is(err, store.ErrAbsent) {
		if err = l.firstUse(ctx); err == nil {
			err = l.commit(ctx, f)
		}
	}
	return l.explain(err, "writing")
}

// commit is update for a vault that exists; otherwise store.ErrAbsent.
func (l *Local) commit(ctx context.Context, f func(*txn) error) error {
	return l.withKeys(ctx, func(ring *seal.Ring) error { return l.transact(ctx, ring, f) })
}

// transact runs f in a transaction of the ring's vault, and commits it.
func (l *Local) transact(ctx context.Context, ring *seal.Ring, f func(*txn) error) error {
	var before, after manifest
	err := l.db.Update(ctx, func(tx store.Tx) error {
		t, err := l.begin(ctx, tx, ring)
		if err != nil {
			return err
		}
		defer t.close()
		before = t.man
		if err := f(t); err != nil {
			return err
		}
		after = t.man
		if err := t.end(); err != nil {
			return err
		}
		l.remember(t)
		return nil
	})
	if failed, ok := errors.AsType[*store.CommitError](err); ok {
		return l.settle(ctx, &before, &after, failed)
	}
	return err
}

// settle tells what became of a commit that reported an error, by looking
// whether its last audit event is there. One that has none has only counted
// refusals, which does not matter: the call that it was for is not made.
func (l *Local) settle(ctx context.Context, before, after *manifest, failed *store.CommitError) error {
	if after.seq == before.seq {
		return failed.Err
	}
	happened := false
	err := l.db.View(context.WithoutCancel(ctx), func(tx store.Tx) error {
		happened = bytes.HasSuffix(tx.Get(store.Audit, seqKey(after.seq)), after.link[:])
		return nil
	})
	switch {
	case err != nil:
		return fault.Wrap(fault.OutcomeUnknown, failed.Err, "the disk reported an error, and the vault cannot be read to tell whether the change was made").
			WithHint("check the disk, then run `aivault doctor`")
	case happened:
		return fault.Wrap(fault.OutcomeUnknown, failed.Err, "the disk reported an error after the change was made: it is there now, and may be lost if the machine stops").
			WithHint("check the disk, then look whether the change is there")
	}
	return failed.Err
}

// errReplaced is the error of a transaction in another vault than the one
// whose keys were at hand.
var errReplaced = errors.New("another vault is in the place of the one that was open")

// maxReplaced is how often in a row another vault, or another root key, may be found
// in the place of the one that was just opened.
const maxReplaced = 16

// withKeys runs f with the keys of the vault. Where f finds another vault than
// theirs, or none, they are forgotten, and another one is opened.
func (l *Local) withKeys(ctx context.Context, f func(*seal.Ring) error) error {
	for range maxReplaced {
		ring, err := l.open(ctx)
		if err != nil {
			return err
		}
		err = f(ring)
		gone := errors.Is(err, store.ErrAbsent)
		if gone || errors.Is(err, errReplaced) {
			l.forget(ring)
		}
		ring.Release()
		if gone || !errors.Is(err, errReplaced) {
			return err
		}
	}
	return fault.New(fault.Conflict, "%s is being replaced by other vaults", l.db.Path()).WithHint("try again")
}

// forget wipes keys that are of no use any more.
func (l *Local) forget(ring *seal.Ring) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.ring == ring {
		l.ring = nil
		ring.Clear()
	}
}

// Status implements Vault.
func (l *Local) Status(ctx context.Context) (Status, error) {
	st := Status{Root: l.opts.Root, File: l.db.Path()}
	h, err := l.readHead(ctx)
	switch {
	case errors.Is(err, store.ErrAbsent):
		return st, l.checkAbsent()
	case err != nil:
		return st, err
	}
	st.Initialized = true
	st.VaultID = uuidText(h.vault)
	slot := h.slots[0]
	ring, err := l.openAny(ctx, false)
	if ring != nil {
		ring.Release()
	}
	retiring := map[ID]bool{}
	if err == nil {
		err = l.view(ctx, func(t *txn) error { return t.noteRetiring(retiring) }) // can it be used?
	}
	if err != nil {
		st.Locked, st.KeyError = true, err
	}
	by := l.openedBy()
	for _, s := range h.slots {
		known := Slot{ID: s.ID, Key: s.Config.In(l.opts.Root), Opened: by != nil && by.ID == s.ID, Retiring: retiring[s.ID]}
		if st.Slots = append(st.Slots, known); known.Opened {
			slot = s
		}
	}
	st.Provider = slot.Config.Kind
	st.Key = slot.Config.In(l.opts.Root)
	st.KeyID = uuidText(slot.ID)
	return st, nil
}

// Unlock implements Vault. A vault that its key opens and that cannot be used all
// the same, as it is damaged or an older copy, is an error here, too.
func (l *Local) Unlock(ctx context.Context) error {
	switch err := l.fetchKey(ctx); {
	case errors.Is(err, store.ErrAbsent):
		return nil
	case err != nil:
		return err
	}
	return l.view(ctx, func(*txn) error { return nil })
}

// fetchKey has the key at hand.
func (l *Local) fetchKey(ctx context.Context) error {
	ring, err := l.open(ctx)
	if err == nil {
		ring.Release()
	}
	return err
}

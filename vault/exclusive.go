package vault

import (
	"context"
	"errors"
	"sync"
	"time"

	"aivault/keys/fault"
	"aivault/vault/internal/seal"
)

// turnWait is how long Exclusive waits for its turn.
const turnWait = time.Minute

// Exclusive implements Store.
func (l *Local) Exclusive(ctx context.Context, name string) (release func(), err error) {
	return l.turn(ctx, name, turnWait)
}

// turn is Exclusive with a wait of its own. Among the goroutines of a process
// one at a time waits for the lock on the file: a wait for it cannot be
// cancelled and binds a thread, and callers that give up must not pile them up.
func (l *Local) turn(ctx context.Context, name string, wait time.Duration) (release func(), err error) {
	if err := l.needVault(); err != nil {
		return nil, err
	}
	waiting, cancel := context.WithTimeoutCause(ctx, wait, errTurn)
	defer cancel()
	if waiting.Err() != nil { // also where the turn could be had at once
		return nil, l.explainTurn(waiting, name, wait)
	}
	turn := l.turnOf(name)
	select {
	case turn <- struct{}{}:
	case <-waiting.Done():
		return nil, l.explainTurn(waiting, name, wait)
	}
	type locked struct {
		unlock func()
		err    error
	}
	done := make(chan locked, 1)
	go func() {
		unlock, err := l.db.Lock(lockName(name))
		done <- locked{unlock, err}
	}()
	select {
	case got := <-done:
		if got.err != nil {
			<-turn
			return nil, l.explain(got.err, "taking a lock beside")
		}
		return sync.OnceFunc(func() { got.unlock(); <-turn }), nil
	case <-waiting.Done():
		go func() { // the lock comes too late, and goes back
			if got := <-done; got.err == nil {
				got.unlock()
			}
			<-turn
		}()
		return nil, l.explainTurn(waiting, name, wait)
	}
}

// derivationTurn is the turn of who derives a key from a passphrase: one process
// at a time, however many there are. Each takes a second or so, and who types the
// passphrase of a vault that is just being made holds the lock of that anyway.
// Where no lock can be had, as in a directory that is read only, nobody waits.
func (l *Local) derivationTurn(ctx context.Context) (release func(), err error) {
	const wait = 10 * time.Minute
	release, err = l.turn(ctx, "derivation", wait)
	switch fault.CodeOf(err) {
	case "", fault.Canceled, fault.Timeout, fault.VaultBusy:
		return release, err
	}
	return func() {}, nil
}

// turnOf returns the channel whose one place is for whoever in this process
// holds the lock or waits for it.
func (l *Local) turnOf(name string) chan struct{} {
	turn, _ := l.turns.LoadOrStore(name, make(chan struct{}, 1))
	return turn.(chan struct{})
}

// lockName is the name of the file of a lock. It shows nothing of the name,
// which may be that of a secret, unless one knows it.
func lockName(name string) string {
	return seal.Digest([]byte("aivault/lock/v1\x00" + name))[:32] + ".lock"
}

var errTurn = errors.New("the wait for a turn is over")

// explainTurn is the error of a wait that ended without its turn.
func (l *Local) explainTurn(waiting context.Context, name string, wait time.Duration) error {
	if cause := context.Cause(waiting); !errors.Is(cause, errTurn) {
		return waiting.Err()
	}
	return fault.New(fault.VaultBusy, "others have been at work on %s for %s", name, wait).
		WithHint("try again; the process that holds it up can be ended")
}

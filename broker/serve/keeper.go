package serve

import (
	"context"
	"io"
	"sync"
	"time"

	"aivault/keys"
	"aivault/keys/fault"
	"aivault/vault"
)

// A keeper has the vault open by a key that a client handed over, until it is
// locked, or its time is over.
type keeper struct {
	cfg Config

	mu    sync.Mutex
	kept  bool
	since time.Time          // with the clock that stands still while the machine sleeps
	until time.Time          // by the wall clock, which goes on; zero: without end
	limit time.Duration      // from since; 0: without end
	end   context.CancelFunc // of the watch
}

// watchEvery is how often it is looked whether the time is over: a timer alone
// does not count while the machine sleeps.
const watchEvery = 5 * time.Second

func newKeeper(cfg Config) *keeper { return &keeper{cfg: cfg, end: func() {}} }

// HandOver implements rpc.Keeper.
func (k *keeper) HandOver(ctx context.Context, slot vault.ID, key vault.Value, limit time.Duration) error {
	if limit < 0 {
		return fault.New(fault.InvalidRequest, "the time for which the vault is to be open is negative")
	}
	if err := k.cfg.Vault.UnlockWith(ctx, slot, key); err != nil {
		return err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.end() // of a key that was handed over before
	k.kept, k.since, k.until, k.limit, k.end = true, time.Now(), time.Time{}, limit, func() {}
	if limit > 0 {
		k.until = k.cfg.Now().Round(0).Add(limit)
		var watch context.Context
		watch, k.end = context.WithCancel(context.WithoutCancel(ctx))
		go k.watch(watch, limit)
	}
	return nil
}

// watch locks the vault when its time is over.
func (k *keeper) watch(ctx context.Context, limit time.Duration) {
	for start := time.Now(); ; {
		timer := time.NewTimer(min(watchEvery, limit-time.Since(start)))
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-timer.C:
		}
		if k.expire(context.WithoutCancel(ctx)) {
			return
		}
	}
}

// expire locks the vault if its time is over by either clock. It is asked before
// each request, too: the first one after the machine slept may be faster than
// the watch.
func (k *keeper) expire(ctx context.Context) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	over := k.kept && k.limit > 0 && (time.Since(k.since) >= k.limit || !k.cfg.Now().Before(k.until))
	if over {
		_ = k.lockLocked(ctx, "its time was over") // what could not be recorded, the log says is unknown
	}
	return over
}

// lock has the vault and the broker forget what they were opened with.
func (k *keeper) lock(ctx context.Context) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.lockLocked(ctx, "")
}

func (k *keeper) lockLocked(ctx context.Context, why string) error {
	if k.kept {
		_ = k.cfg.Vault.NoteLock(ctx, why) // a full disk keeps nobody from locking
	}
	k.end()
	k.kept, k.limit, k.end = false, 0, func() {}
	k.cfg.Broker.Close()
	return k.cfg.Vault.Lock(ctx)
}

// state reports whether the vault is open by a key that was handed over, and when
// that will be forgotten, in milliseconds since 1970; 0: not by itself.
func (k *keeper) state() (kept bool, until int64) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if !k.kept || !k.cfg.Vault.IsOpen() {
		return false, 0
	}
	if k.limit > 0 {
		until = k.until.UnixMilli()
	}
	return true, until
}

// AddSlotKey implements rpc.Keeper.
func (k *keeper) AddSlotKey(ctx context.Context, cfg keys.Config, key vault.Value) (vault.Slot, error) {
	return k.cfg.Vault.AddSlotKey(ctx, cfg, key)
}

// RotateTo implements rpc.Keeper.
func (k *keeper) RotateTo(ctx context.Context, key vault.RotationKey, progress func(done, total int)) (vault.Rotation, error) {
	return k.cfg.Vault.RotateTo(ctx, key, progress)
}

// CopyTo implements rpc.Keeper.
func (k *keeper) CopyTo(ctx context.Context, name string, w io.Writer) (vault.Backup, error) {
	return k.cfg.Vault.CopyTo(ctx, name, w)
}

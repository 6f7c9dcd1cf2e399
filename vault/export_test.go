package vault

import (
	"context"
	"strconv"

	"aivault/vault/internal/seal"
)

// Epoch is the number of the transactions that changed the vault.
func Epoch(ctx context.Context, l *Local) (epoch uint64, err error) {
	err = l.view(ctx, func(t *txn) error {
		epoch = t.man.epoch
		return nil
	})
	return epoch, err
}

// Record appends n events that differ in nothing but their note, which is their
// number from 0, in as few transactions as a disk of a test takes well.
func Record(ctx context.Context, l *Local, e Event, n int) error {
	const atOnce = 50_000
	for i := 0; i < n; i += atOnce {
		err := l.update(ctx, func(t *txn) error {
			for j := i; j < min(i+atOnce, n); j++ {
				next := e
				next.Note = strconv.Itoa(j)
				if err := t.append(&next); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// FillGrants grants so many users, from 1 on, a workspace, in one transaction.
func FillGrants(ctx context.Context, l *Local, n int) error {
	return l.update(ctx, func(t *txn) error {
		for i := range n {
			if _, _, err := t.addGrant(&Grant{UID: i + 1, Context: Context{Workspace: "w"}}); err != nil {
				return err
			}
		}
		return nil
	})
}

// Forget has the process forget how far the vault had come.
func Forget(l *Local) {
	l.memory.mu.Lock()
	defer l.memory.mu.Unlock()
	l.memory.seen = seal.Anchor{}
}

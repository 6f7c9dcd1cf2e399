package vault

import "context"

// Lock implements Vault.
func (l *Local) Lock(ctx context.Context) error {
	err := l.Flush(ctx)
	l.Close()
	return err
}

// NoteLock has the audit log tell that a key is forgotten which somebody handed
// over, before Lock forgets it.
func (l *Local) NoteLock(ctx context.Context, why string) error {
	return l.explain(l.commit(ctx, func(t *txn) error {
		return t.record(&Event{Kind: KindVaultLock, Outcome: OutcomeOK, Note: why})
	}), "writing")
}

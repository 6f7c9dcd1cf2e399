package vault

import "context"

// IsOpen reports whether this process has the key of the vault at hand. It waits
// for nobody: while the key is being fetched the vault is not open yet.
func (l *Local) IsOpen() bool {
	if !l.mu.TryLock() {
		return false
	}
	defer l.mu.Unlock()
	return l.ring != nil
}

// File returns the path of the vault's file.
func (l *Local) File() string { return l.db.Path() }

// Exists reports whether there is such a file, without a look into it.
func (l *Local) Exists() (bool, error) {
	exists, err := l.db.Exists()
	return exists, l.explain(err, "looking at")
}

// NoteLock has the audit log tell that a key is forgotten which somebody handed
// over, before Lock forgets it.
func (l *Local) NoteLock(ctx context.Context, why string) error {
	return l.explain(l.commit(ctx, func(t *txn) error {
		return t.record(&Event{Kind: KindVaultLock, Outcome: OutcomeOK, Note: why})
	}), "writing")
}

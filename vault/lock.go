package vault

import "context"

// Lock implements Vault.
func (l *Local) Lock(ctx context.Context) error {
	err := l.Flush(ctx)
	l.Close()
	return err
}

package vault

import "context"

// Epoch is the number of the transactions that changed the vault.
func Epoch(ctx context.Context, l *Local) (epoch uint64, err error) {
	err = l.view(ctx, func(t *txn) error {
		epoch = t.man.epoch
		return nil
	})
	return epoch, err
}

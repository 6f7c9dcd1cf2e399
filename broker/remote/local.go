package remote

import (
	"context"
	"io"

	"aivault/broker/internal/rpc"
	"aivault/keys"
	"aivault/keys/fault"
	"aivault/vault"
)

// The methods of vault.Vault that are done here, or begin here.

// local returns the vault of this process.
func (c *Client) local() (*vault.Local, error) {
	if c.opts.Local == nil {
		return nil, fault.New(fault.OperatorAuthRequired, "only the owner of the vault may do this")
	}
	return c.opts.Local, nil
}

// State implements vault.Vault: it looks at the file.
func (c *Client) State(ctx context.Context) (vault.State, error) {
	l, err := c.local()
	if err != nil {
		return vault.State{}, err
	}
	return l.State(ctx)
}

// Init implements vault.Vault.
func (c *Client) Init(ctx context.Context, cfg keys.Config) (vault.Status, error) {
	l, err := c.local()
	if err != nil {
		return vault.Status{}, err
	}
	return l.Init(ctx, cfg)
}

// AddSlot implements vault.Vault: the key is made here, and its slot there.
func (c *Client) AddSlot(ctx context.Context, cfg keys.Config) (vault.Slot, error) {
	l, err := c.local()
	if err == nil {
		err = c.Unlock(ctx) // before somebody is asked for a new passphrase
	}
	if err != nil {
		return vault.Slot{}, err
	}
	cfg, key, err := l.NewKey(ctx, cfg)
	if err != nil {
		return vault.Slot{}, err
	}
	defer key.Clear()
	slot, err := ask(ctx, c, c.table.AddSlotKey, rpc.Two[keys.Config, vault.Value]{A: cfg, B: key})
	if err != nil && fault.CodeOf(err) != fault.OutcomeUnknown {
		l.DiscardKey(ctx, cfg)
	}
	return slot, err
}

// RotateMaster implements vault.Vault: the key is made here, and what it is to
// open is sealed anew there.
func (c *Client) RotateMaster(ctx context.Context, opts vault.RotateOptions) (vault.Rotation, error) {
	l, err := c.local()
	if err != nil {
		return vault.Rotation{}, err
	}
	release, err := l.Exclusive(ctx, vault.RotationTurn)
	if err != nil {
		return vault.Rotation{}, err
	}
	defer release()
	slots, err := c.Slots(ctx)
	if err != nil {
		return vault.Rotation{}, err
	}
	k, err := l.NewRotationKey(ctx, slots, opts)
	if err != nil {
		return vault.Rotation{}, err
	}
	defer k.Key.Clear()
	r, err := have(ctx, c, c.table.RotateTo, k, &listener{progress: func(done, total int) {
		if opts.Progress != nil {
			opts.Progress(done, total)
		}
	}})
	if err != nil {
		if fault.CodeOf(err) != fault.OutcomeUnknown {
			l.DiscardRotationKey(context.WithoutCancel(ctx), k)
		}
		return vault.Rotation{}, err
	}
	r.Left = l.DropOldKey(context.WithoutCancel(ctx), r, k)
	return r, nil
}

// Backup implements vault.Vault: the daemon copies, and this process writes.
func (c *Client) Backup(ctx context.Context, file string, replace bool) (vault.Backup, error) {
	l, err := c.local()
	if err != nil {
		return vault.Backup{}, err
	}
	return l.BackupFrom(ctx, file, replace, func(ctx context.Context, name string, w io.Writer) (vault.Backup, error) {
		on := &listener{data: func(p []byte) error { _, err := w.Write(p); return err }}
		made, err := have(ctx, c, c.table.CopyTo, name, on)
		if on.err != nil {
			err = on.err
		}
		return made, err
	})
}

// Compare implements vault.Vault.
func (c *Client) Compare(ctx context.Context, file string) (vault.Comparison, error) {
	l, err := c.local()
	if err != nil {
		return vault.Comparison{}, err
	}
	return l.Compare(ctx, file)
}

// Restore implements vault.Vault. The daemon notices that another vault is in
// the place of the one that it had open.
func (c *Client) Restore(ctx context.Context, file string, opts vault.RestoreOptions) (vault.Restored, error) {
	l, err := c.local()
	if err != nil {
		return vault.Restored{}, err
	}
	return l.Restore(ctx, file, opts)
}

// Salvage implements vault.Vault.
func (c *Client) Salvage(ctx context.Context, dir string) (vault.Salvaged, error) {
	l, err := c.local()
	if err != nil {
		return vault.Salvaged{}, err
	}
	return l.Salvage(ctx, dir)
}

package remote

import (
	"context"

	"aivault/broker/internal/rpc"
	"aivault/vault"
)

// The methods of vault.Vault that the daemon does.

// Status implements vault.Vault.
func (c *Client) Status(ctx context.Context) (vault.Status, error) {
	return ask(ctx, c, c.table.Status, rpc.None{})
}

// Unlock implements vault.Vault: the daemon opens the vault by a key that it can
// get without asking anybody. Where it cannot, HandOver opens it.
func (c *Client) Unlock(ctx context.Context) error {
	_, err := ask(ctx, c, c.table.Unlock, rpc.None{})
	return err
}

// Lock implements vault.Vault: the daemon forgets the key, and closes its
// connections to upstreams.
func (c *Client) Lock(ctx context.Context) error {
	c.kept.Store(false)
	_, err := ask(ctx, c, c.table.Lock, rpc.None{})
	return err
}

// FinishRotation implements vault.Vault.
func (c *Client) FinishRotation(ctx context.Context) (vault.Rotation, error) {
	return ask(ctx, c, c.table.FinishRotation, rpc.None{})
}

// Slots implements vault.Vault.
func (c *Client) Slots(ctx context.Context) ([]vault.Slot, error) {
	return ask(ctx, c, c.table.Slots, rpc.None{})
}

// RemoveSlot implements vault.Vault.
func (c *Client) RemoveSlot(ctx context.Context, id vault.ID) (bool, error) {
	return ask(ctx, c, c.table.RemoveSlot, id)
}

// CreateSecret implements vault.Vault.
func (c *Client) CreateSecret(ctx context.Context, s vault.NewSecret) (vault.Secret, error) {
	return ask(ctx, c, c.table.CreateSecret, s)
}

// FindSecret implements vault.Vault.
func (c *Client) FindSecret(ctx context.Context, ref string) (vault.Secret, error) {
	return ask(ctx, c, c.table.FindSecret, ref)
}

// Secrets implements vault.Vault.
func (c *Client) Secrets(ctx context.Context, scope *vault.Scope) ([]vault.Secret, error) {
	return ask(ctx, c, c.table.Secrets, scope)
}

// Scopes implements vault.Vault.
func (c *Client) Scopes(ctx context.Context) ([]vault.ScopeCount, error) {
	return ask(ctx, c, c.table.Scopes, rpc.None{})
}

// Effective implements vault.Vault.
func (c *Client) Effective(ctx context.Context, in vault.Context) ([]vault.Effective, error) {
	return ask(ctx, c, c.table.Effective, in)
}

// UpdateSecret implements vault.Vault.
func (c *Client) UpdateSecret(ctx context.Context, id vault.ID, change vault.SecretChange, rev vault.IfRevision) (vault.Secret, error) {
	return ask(ctx, c, c.table.UpdateSecret, rpc.Three[vault.ID, vault.SecretChange, vault.IfRevision]{A: id, B: change, C: rev})
}

// RotateSecret implements vault.Vault.
func (c *Client) RotateSecret(ctx context.Context, id vault.ID, value vault.Value, rev vault.IfRevision) (vault.Secret, error) {
	return ask(ctx, c, c.table.RotateSecret, rpc.Three[vault.ID, vault.Value, vault.IfRevision]{A: id, B: value, C: rev})
}

// DeleteSecret implements vault.Vault.
func (c *Client) DeleteSecret(ctx context.Context, id vault.ID, rev vault.IfRevision) (vault.Removed, error) {
	return ask(ctx, c, c.table.DeleteSecret, rpc.Two[vault.ID, vault.IfRevision]{A: id, B: rev})
}

// DeleteSecrets implements vault.Vault.
func (c *Client) DeleteSecrets(ctx context.Context, which []vault.SecretAt) ([]vault.Removed, error) {
	return ask(ctx, c, c.table.DeleteSecrets, which)
}

// AttachGroup implements vault.Vault.
func (c *Client) AttachGroup(ctx context.Context, id vault.ID, g vault.GroupRef, rev vault.IfRevision) (vault.Secret, bool, error) {
	r, err := ask(ctx, c, c.table.AttachGroup, rpc.Three[vault.ID, vault.GroupRef, vault.IfRevision]{A: id, B: g, C: rev})
	return r.A, r.B, err
}

// DetachGroup implements vault.Vault.
func (c *Client) DetachGroup(ctx context.Context, id vault.ID, g vault.GroupRef, rev vault.IfRevision) (vault.Secret, bool, error) {
	r, err := ask(ctx, c, c.table.DetachGroup, rpc.Three[vault.ID, vault.GroupRef, vault.IfRevision]{A: id, B: g, C: rev})
	return r.A, r.B, err
}

// Share implements vault.Vault.
func (c *Client) Share(ctx context.Context, changes []vault.Sharing) ([]vault.Secret, error) {
	return ask(ctx, c, c.table.Share, changes)
}

// ImportSecrets implements vault.Vault.
func (c *Client) ImportSecrets(ctx context.Context, scope vault.Scope, entries []vault.ImportEntry, rotateExisting bool) (vault.ImportResult, error) {
	return ask(ctx, c, c.table.ImportSecrets, rpc.Three[vault.Scope, []vault.ImportEntry, bool]{A: scope, B: entries, C: rotateExisting})
}

// Audit implements vault.Vault.
func (c *Client) Audit(ctx context.Context, q vault.AuditQuery) ([]vault.Event, error) {
	return ask(ctx, c, c.table.Audit, q)
}

// VerifyAudit implements vault.Vault.
func (c *Client) VerifyAudit(ctx context.Context) (vault.AuditState, error) {
	return ask(ctx, c, c.table.VerifyAudit, rpc.None{})
}

// Doctor implements vault.Vault.
func (c *Client) Doctor(ctx context.Context) (vault.Report, error) {
	return ask(ctx, c, c.table.Doctor, rpc.None{})
}

// AcceptOlder implements vault.Vault.
func (c *Client) AcceptOlder(ctx context.Context) (uint64, error) {
	return ask(ctx, c, c.table.AcceptOlder, rpc.None{})
}

// Grants implements vault.Vault.
func (c *Client) Grants(ctx context.Context) ([]vault.Grant, error) {
	return ask(ctx, c, c.table.Grants, rpc.None{})
}

// Grant implements vault.Vault.
func (c *Client) Grant(ctx context.Context, uid int, in vault.Context) (vault.Grant, bool, error) {
	r, err := ask(ctx, c, c.table.Grant, rpc.Two[int, vault.Context]{A: uid, B: in})
	return r.A, r.B, err
}

// Revoke implements vault.Vault.
func (c *Client) Revoke(ctx context.Context, uid int, in vault.Context) (bool, error) {
	return ask(ctx, c, c.table.Revoke, rpc.Two[int, vault.Context]{A: uid, B: in})
}

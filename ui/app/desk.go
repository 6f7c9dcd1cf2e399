package app

import (
	"context"

	"aivault/broker"
	"aivault/keys"
	"aivault/vault"
)

// A desk is the Backend of a session: each operation goes to the daemon, if that
// keeps the key of the vault, and else to this process. Which of them it is can
// change in between, as when somebody unlocks the vault elsewhere.
type desk struct {
	s     *Session
	local Backend
}

var _ Backend = (*desk)(nil)

// at returns where an operation goes.
func (d *desk) at(ctx context.Context) Backend {
	if c := d.s.keeper(ctx); c != nil {
		return c
	}
	return d.local
}

// What follows is one line for each operation.

func (d *desk) Status(ctx context.Context) (vault.Status, error) { return d.at(ctx).Status(ctx) }

func (d *desk) State(ctx context.Context) (vault.State, error) { return d.at(ctx).State(ctx) }

func (d *desk) Unlock(ctx context.Context) error { return d.at(ctx).Unlock(ctx) }

func (d *desk) Lock(ctx context.Context) error { return d.at(ctx).Lock(ctx) }

func (d *desk) Init(ctx context.Context, cfg keys.Config) (vault.Status, error) {
	return d.at(ctx).Init(ctx, cfg)
}

func (d *desk) Slots(ctx context.Context) ([]vault.Slot, error) { return d.at(ctx).Slots(ctx) }

func (d *desk) AddSlot(ctx context.Context, cfg keys.Config) (vault.Slot, error) {
	return d.at(ctx).AddSlot(ctx, cfg)
}

func (d *desk) RemoveSlot(ctx context.Context, id vault.ID) (bool, error) {
	return d.at(ctx).RemoveSlot(ctx, id)
}

func (d *desk) RotateMaster(ctx context.Context, opts vault.RotateOptions) (vault.Rotation, error) {
	return d.at(ctx).RotateMaster(ctx, opts)
}

func (d *desk) FinishRotation(ctx context.Context) (vault.Rotation, error) {
	return d.at(ctx).FinishRotation(ctx)
}

func (d *desk) CreateSecret(ctx context.Context, s vault.NewSecret) (vault.Secret, error) {
	return d.at(ctx).CreateSecret(ctx, s)
}

func (d *desk) FindSecret(ctx context.Context, ref string) (vault.Secret, error) {
	return d.at(ctx).FindSecret(ctx, ref)
}

func (d *desk) Secrets(ctx context.Context, scope *vault.Scope) ([]vault.Secret, error) {
	return d.at(ctx).Secrets(ctx, scope)
}

func (d *desk) Scopes(ctx context.Context) ([]vault.ScopeCount, error) { return d.at(ctx).Scopes(ctx) }

func (d *desk) Effective(ctx context.Context, c vault.Context) ([]vault.Effective, error) {
	return d.at(ctx).Effective(ctx, c)
}

func (d *desk) UpdateSecret(ctx context.Context, id vault.ID, change vault.SecretChange, rev vault.IfRevision) (vault.Secret, error) {
	return d.at(ctx).UpdateSecret(ctx, id, change, rev)
}

func (d *desk) RotateSecret(ctx context.Context, id vault.ID, value vault.Value, rev vault.IfRevision) (vault.Secret, error) {
	return d.at(ctx).RotateSecret(ctx, id, value, rev)
}

func (d *desk) DeleteSecret(ctx context.Context, id vault.ID, rev vault.IfRevision) (vault.Removed, error) {
	return d.at(ctx).DeleteSecret(ctx, id, rev)
}

func (d *desk) DeleteSecrets(ctx context.Context, which []vault.SecretAt) ([]vault.Removed, error) {
	return d.at(ctx).DeleteSecrets(ctx, which)
}

func (d *desk) AttachGroup(ctx context.Context, id vault.ID, g vault.GroupRef, rev vault.IfRevision) (vault.Secret, bool, error) {
	return d.at(ctx).AttachGroup(ctx, id, g, rev)
}

func (d *desk) DetachGroup(ctx context.Context, id vault.ID, g vault.GroupRef, rev vault.IfRevision) (vault.Secret, bool, error) {
	return d.at(ctx).DetachGroup(ctx, id, g, rev)
}

func (d *desk) Share(ctx context.Context, changes []vault.Sharing) ([]vault.Secret, error) {
	return d.at(ctx).Share(ctx, changes)
}

func (d *desk) ImportSecrets(ctx context.Context, scope vault.Scope, entries []vault.ImportEntry, rotateExisting bool) (vault.ImportResult, error) {
	return d.at(ctx).ImportSecrets(ctx, scope, entries, rotateExisting)
}

func (d *desk) Grants(ctx context.Context) ([]vault.Grant, error) { return d.at(ctx).Grants(ctx) }

func (d *desk) Grant(ctx context.Context, uid int, c vault.Context) (vault.Grant, bool, error) {
	return d.at(ctx).Grant(ctx, uid, c)
}

func (d *desk) Revoke(ctx context.Context, uid int, c vault.Context) (bool, error) {
	return d.at(ctx).Revoke(ctx, uid, c)
}

func (d *desk) Audit(ctx context.Context, q vault.AuditQuery) ([]vault.Event, error) {
	return d.at(ctx).Audit(ctx, q)
}

func (d *desk) VerifyAudit(ctx context.Context) (vault.AuditState, error) {
	return d.at(ctx).VerifyAudit(ctx)
}

func (d *desk) Doctor(ctx context.Context) (vault.Report, error) { return d.at(ctx).Doctor(ctx) }

func (d *desk) AcceptOlder(ctx context.Context) (uint64, error) { return d.at(ctx).AcceptOlder(ctx) }

func (d *desk) Salvage(ctx context.Context, dir string) (vault.Salvaged, error) {
	return d.at(ctx).Salvage(ctx, dir)
}

func (d *desk) Backup(ctx context.Context, file string, replace bool) (vault.Backup, error) {
	return d.at(ctx).Backup(ctx, file, replace)
}

func (d *desk) Compare(ctx context.Context, file string) (vault.Comparison, error) {
	return d.at(ctx).Compare(ctx, file)
}

func (d *desk) Restore(ctx context.Context, file string, opts vault.RestoreOptions) (vault.Restored, error) {
	return d.at(ctx).Restore(ctx, file, opts)
}

func (d *desk) Invoke(ctx context.Context, call broker.Call) (*broker.Answer, error) {
	return d.at(ctx).Invoke(ctx, call)
}

func (d *desk) Stream(ctx context.Context, call broker.Call, to broker.Sink) (*broker.Answer, error) {
	return d.at(ctx).Stream(ctx, call, to)
}

func (d *desk) Preview(ctx context.Context, call broker.Call) (*broker.Preview, error) {
	return d.at(ctx).Preview(ctx, call)
}

func (d *desk) Login(ctx context.Context, l broker.Login) (vault.Secret, error) {
	return d.at(ctx).Login(ctx, l)
}

func (d *desk) Explain(ctx context.Context, capability string, c vault.Context, credential string) (*broker.Ladder, error) {
	return d.at(ctx).Explain(ctx, capability, c, credential)
}

func (d *desk) CreateCredential(ctx context.Context, c broker.NewCredential) (broker.Credential, error) {
	return d.at(ctx).CreateCredential(ctx, c)
}

func (d *desk) CheckCredential(ctx context.Context, c broker.NewCredential) (broker.Draft, error) {
	return d.at(ctx).CheckCredential(ctx, c)
}

func (d *desk) Credentials(ctx context.Context) ([]broker.Credential, error) {
	return d.at(ctx).Credentials(ctx)
}

func (d *desk) Accounts(ctx context.Context) ([]broker.Account, error) {
	return d.at(ctx).Accounts(ctx)
}

func (d *desk) DeleteCredential(ctx context.Context, id string) (bool, error) {
	return d.at(ctx).DeleteCredential(ctx, id)
}

func (d *desk) CreateCapability(ctx context.Context, c broker.NewCapability) (broker.Capability, error) {
	return d.at(ctx).CreateCapability(ctx, c)
}

func (d *desk) CheckCapability(ctx context.Context, c broker.NewCapability) (broker.Capability, error) {
	return d.at(ctx).CheckCapability(ctx, c)
}

func (d *desk) Capabilities(ctx context.Context) ([]broker.Capability, error) {
	return d.at(ctx).Capabilities(ctx)
}

func (d *desk) Describe(ctx context.Context, id string) (*broker.Description, error) {
	return d.at(ctx).Describe(ctx, id)
}

func (d *desk) DeleteCapability(ctx context.Context, id string) (vault.RemovedCapability, error) {
	return d.at(ctx).DeleteCapability(ctx, id)
}

func (d *desk) SetPolicy(ctx context.Context, p vault.Policy, rev vault.IfRevision) (vault.Policy, error) {
	return d.at(ctx).SetPolicy(ctx, p, rev)
}

func (d *desk) Policy(ctx context.Context, capability string) (vault.Policy, error) {
	return d.at(ctx).Policy(ctx, capability)
}

func (d *desk) Policies(ctx context.Context) ([]vault.Policy, error) { return d.at(ctx).Policies(ctx) }

func (d *desk) Bind(ctx context.Context, b broker.NewBinding) (broker.Binding, error) {
	return d.at(ctx).Bind(ctx, b)
}

func (d *desk) Unbind(ctx context.Context, capability string, scope vault.Scope, consumer string) (bool, error) {
	return d.at(ctx).Unbind(ctx, capability, scope, consumer)
}

func (d *desk) Bindings(ctx context.Context, capability string) ([]broker.Binding, error) {
	return d.at(ctx).Bindings(ctx, capability)
}

func (d *desk) Providers(ctx context.Context) ([]broker.Provider, error) {
	return d.at(ctx).Providers(ctx)
}

func (d *desk) CheckProvider(ctx context.Context, definition []byte) (broker.ProviderChange, error) {
	return d.at(ctx).CheckProvider(ctx, definition)
}

func (d *desk) AddProvider(ctx context.Context, definition []byte) (broker.ProviderChange, error) {
	return d.at(ctx).AddProvider(ctx, definition)
}

func (d *desk) RemoveProvider(ctx context.Context, id string) (bool, error) {
	return d.at(ctx).RemoveProvider(ctx, id)
}

func (d *desk) Provisioned(ctx context.Context, s vault.Secret) (*broker.Provision, error) {
	return d.at(ctx).Provisioned(ctx, s)
}

func (d *desk) Claim(ctx context.Context, name string, scope vault.Scope) (broker.Claim, error) {
	return d.at(ctx).Claim(ctx, name, scope)
}

func (d *desk) Uses(ctx context.Context, secret vault.ID) (broker.Uses, error) {
	return d.at(ctx).Uses(ctx, secret)
}

func (d *desk) Effects(ctx context.Context, c broker.Change) ([]broker.Effect, error) {
	return d.at(ctx).Effects(ctx, c)
}

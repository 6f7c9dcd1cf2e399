package rpc

import (
	"context"

	"aivault/vault"
)

// vaultMethods are those of vault.Vault but for what needs no key, or a file of
// the client's: State, Init, Compare, Restore, Salvage, and the halves of AddSlot,
// RotateMaster and Backup that are the client's.
type vaultMethods struct {
	Status         *Method[None, vault.Status]
	Unlock         *Method[None, None]
	Lock           *Method[None, None]
	Slots          *Method[None, []vault.Slot]
	RemoveSlot     *Method[vault.ID, bool]
	FinishRotation *Method[None, vault.Rotation]
	CreateSecret   *Method[vault.NewSecret, vault.Secret]
	FindSecret     *Method[string, vault.Secret]
	Secrets        *Method[*vault.Scope, []vault.Secret]
	Scopes         *Method[None, []vault.ScopeCount]
	Effective      *Method[vault.Context, []vault.Effective]
	UpdateSecret   *Method[Three[vault.ID, vault.SecretChange, vault.IfRevision], vault.Secret]
	RotateSecret   *Method[Three[vault.ID, vault.Value, vault.IfRevision], vault.Secret]
	DeleteSecret   *Method[Two[vault.ID, vault.IfRevision], vault.Removed]
	DeleteSecrets  *Method[[]vault.SecretAt, []vault.Removed]
	AttachGroup    *Method[Three[vault.ID, vault.GroupRef, vault.IfRevision], Two[vault.Secret, bool]]
	DetachGroup    *Method[Three[vault.ID, vault.GroupRef, vault.IfRevision], Two[vault.Secret, bool]]
	Share          *Method[[]vault.Sharing, []vault.Secret]
	ImportSecrets  *Method[Three[vault.Scope, []vault.ImportEntry, bool], vault.ImportResult]
	Audit          *Method[vault.AuditQuery, []vault.Event]
	VerifyAudit    *Method[None, vault.AuditState]
	Doctor         *Method[None, vault.Report]
	AcceptOlder    *Method[None, uint64]
	Grants         *Method[None, []vault.Grant]
	Grant          *Method[Two[int, vault.Context], Two[vault.Grant, bool]]
	Revoke         *Method[Two[int, vault.Context], bool]
}

func newVaultMethods(b *builder) vaultMethods {
	return vaultMethods{
		Status:         add0(b, Reads, "Status", Backend.Status),
		Unlock:         add0(b, Reads, "Unlock", silent(Backend.Unlock)),
		Lock:           add0(b, Reads, "Lock", silent(Backend.Lock)),
		Slots:          add0(b, Reads, "Slots", Backend.Slots),
		FinishRotation: add0(b, Writes, "FinishRotation", Backend.FinishRotation),
		RemoveSlot:     add1(b, Writes, "RemoveSlot", Backend.RemoveSlot),
		CreateSecret:   add1(b, Writes, "CreateSecret", Backend.CreateSecret),
		FindSecret:     add1(b, Reads, "FindSecret", Backend.FindSecret),
		Secrets:        add1(b, Reads, "Secrets", Backend.Secrets),
		Scopes:         add0(b, Reads, "Scopes", Backend.Scopes),
		Effective:      add1(b, Reads, "Effective", Backend.Effective),
		UpdateSecret:   add3(b, Writes, "UpdateSecret", Backend.UpdateSecret),
		RotateSecret:   add3(b, Writes, "RotateSecret", Backend.RotateSecret),
		DeleteSecret:   add2(b, Writes, "DeleteSecret", Backend.DeleteSecret),
		DeleteSecrets:  add1(b, Writes, "DeleteSecrets", Backend.DeleteSecrets).large(),
		AttachGroup:    add3(b, Writes, "AttachGroup", sharing(Backend.AttachGroup)),
		DetachGroup:    add3(b, Writes, "DetachGroup", sharing(Backend.DetachGroup)),
		Share:          add1(b, Writes, "Share", Backend.Share).large(),
		ImportSecrets:  add3(b, Writes, "ImportSecrets", Backend.ImportSecrets).large(),
		Audit:          add1(b, Reads, "Audit", Backend.Audit),
		VerifyAudit:    add0(b, Reads, "VerifyAudit", Backend.VerifyAudit),
		Doctor:         add0(b, Reads, "Doctor", Backend.Doctor),
		AcceptOlder:    add0(b, Writes, "AcceptOlder", Backend.AcceptOlder),
		Grants:         add0(b, Reads, "Grants", Backend.Grants),
		Grant:          add(b, Writes, "Grant", grant),
		Revoke:         add2(b, Writes, "Revoke", Backend.Revoke),
	}
}

// silent is for a method without a result.
func silent(f func(Backend, context.Context) error) func(Backend, context.Context) (None, error) {
	return func(b Backend, ctx context.Context) (None, error) { return None{}, f(b, ctx) }
}

// sharing joins the two results of AttachGroup and DetachGroup.
func sharing(f func(Backend, context.Context, vault.ID, vault.GroupRef, vault.IfRevision) (vault.Secret, bool, error)) func(Backend, context.Context, vault.ID, vault.GroupRef, vault.IfRevision) (Two[vault.Secret, bool], error) {
	return func(b Backend, ctx context.Context, id vault.ID, g vault.GroupRef, rev vault.IfRevision) (out Two[vault.Secret, bool], err error) {
		out.A, out.B, err = f(b, ctx, id, g, rev)
		return out, err
	}
}

func grant(ctx context.Context, b Backend, a Two[int, vault.Context], _ Out) (out Two[vault.Grant, bool], err error) {
	out.A, out.B, err = b.Grant(ctx, a.A, a.B)
	return out, err
}

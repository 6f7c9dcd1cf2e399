package rpc

import (
	"context"
	"io"
	"time"

	"aivault/keys"
	"aivault/vault"
)

// keyMethods are those of a Keeper.
type keyMethods struct {
	HandOver   *Method[Three[vault.ID, vault.Value, time.Duration], None]
	AddSlotKey *Method[Two[keys.Config, vault.Value], vault.Slot]
	RotateTo   *Method[vault.RotationKey, vault.Rotation]
	CopyTo     *Method[string, vault.Backup]
}

func newKeyMethods(b *builder) keyMethods {
	return keyMethods{
		HandOver:   add(b, Reads, "HandOver", handOver),
		AddSlotKey: add2(b, Writes, "AddSlotKey", Backend.AddSlotKey),
		RotateTo:   add(b, Writes, "RotateTo", rotateTo),
		CopyTo:     add(b, Reads, "CopyTo", copyTo),
	}
}

func handOver(ctx context.Context, b Backend, a Three[vault.ID, vault.Value, time.Duration], _ Out) (None, error) {
	return None{}, b.HandOver(ctx, a.A, a.B, a.C)
}

func copyTo(ctx context.Context, b Backend, name string, out Out) (vault.Backup, error) {
	return b.CopyTo(ctx, name, struct{ io.Writer }{out})
}

func rotateTo(ctx context.Context, b Backend, k vault.RotationKey, out Out) (vault.Rotation, error) {
	return b.RotateTo(ctx, k, out.Progress)
}

//go:build unix

package vault_test

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"syscall"
	"testing"

	"aivault/keys/fault"
	"aivault/vault"
	"aivault/vault/vaulttest"
)

// workNarrow rotates where no file can be longer than so many bytes, and prints how
// that ended.
func workNarrow(ctx context.Context, l *vault.Local, args []string, out io.Writer) error {
	limit, err := strconv.ParseUint(args[0], 10, 64)
	if err != nil {
		return err
	}
	if err := l.Unlock(ctx); err != nil {
		return err
	}
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: limit, Max: limit}); err != nil {
		return err
	}
	_, err = l.RotateMaster(ctx, vault.RotateOptions{})
	_, err = fmt.Fprintf(out, "%s %t", fault.CodeOf(err), fault.HintOf(err) != "")
	return err
}

// TestRotateWithoutSpace: where the disk takes no more, be it the new key or the new
// file, everything is as before, and nothing is left behind.
//
// Fault F3.
func TestRotateWithoutSpace(t *testing.T) {
	t.Parallel()
	l, dir := crowded(t, 500)
	_, err := l.RotateMaster(t.Context(), vault.RotateOptions{})
	must(t, err)
	before := read(t, vaultFile(dir))
	// The last of them suffices for all but the transaction that is the last step.
	for _, limit := range []int{10, 5_000, 20_000, 100_000, 300_000, len(before) - 1} {
		out, err := worker(t, "narrow", dir, strconv.Itoa(limit)).Output()
		if string(out) != string(fault.DiskFull)+" true" && (limit > 40 || string(out) != string(fault.IO)+" true") || err != nil {
			t.Errorf("with %d bytes it ended so: %s (%v)", limit, out, err)
		}
		if read(t, vaultFile(dir)) != before {
			t.Fatalf("with %d bytes the file was changed", limit)
		}
		if left := leftBehind(t, l, dir); len(left) > 0 {
			t.Errorf("with %d bytes it left %v", limit, left)
		}
		vaulttest.Healthy(t, open(t, dir))
	}
	_, err = l.RotateMaster(t.Context(), vault.RotateOptions{})
	must(t, err)
	vaulttest.Healthy(t, open(t, dir))
}

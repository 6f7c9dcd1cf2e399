//go:build unix

package vault_test

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"aivault/keys/fault"
	"aivault/vault"
	"aivault/vault/vaulttest"
)

// workShort makes a backup or restores one where no file can be as long as the
// one that is there, and prints how that ended.
func workShort(ctx context.Context, l *vault.Local, args []string, out io.Writer) error {
	fi, err := os.Stat(args[1])
	if err != nil {
		return err
	}
	limit := uint64(fi.Size() - 4096)
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: limit, Max: limit}); err != nil {
		return err
	}
	if args[0] == "backup" {
		_, err = l.Backup(ctx, args[1], true)
	} else {
		_, err = l.Restore(ctx, args[1], vault.RestoreOptions{Back: true})
	}
	_, err = fmt.Fprintf(out, "%s %t\n", fault.CodeOf(err), fault.HintOf(err) != "")
	return err
}

// TestBackupOnAFullDisk: the earlier backup stays, and so does the vault where
// one cannot be restored for want of space; nothing half lies around.
// Fault F3.
func TestBackupOnAFullDisk(t *testing.T) {
	t.Parallel()
	l, dir := fresh(t)
	s := vaulttest.Create(t, l, vault.GlobalScope(), "large", strings.Repeat("v", 60_000))
	vaulttest.Create(t, l, vault.GlobalScope(), "n", strings.Repeat("v", 60_000))
	_, err := l.DeleteSecret(t.Context(), s.ID, 0) // room for the event
	must(t, err)
	file := filepath.Join(t.TempDir(), "backup")
	_, err = l.Backup(t.Context(), file, false)
	must(t, err)
	before := read(t, file)
	vaulttest.Create(t, l, vault.GlobalScope(), "late", "made-up")
	for _, what := range []string{"backup", "restore"} {
		out, err := worker(t, "short", dir, what, file).Output()
		if err != nil || string(out) != string(fault.DiskFull)+" true\n" {
			t.Errorf("%s ended so: %s(%v)", what, out, err)
		}
		if read(t, file) != before || len(list(t, filepath.Dir(file))) != 1 {
			t.Errorf("%s leaves %v", what, list(t, filepath.Dir(file)))
		}
		if got := names(t, l); got != "late n" {
			t.Errorf("%s leaves secrets %s", what, got)
		}
		vaulttest.Healthy(t, l)
	}
	if got := strings.Join(list(t, dir), " "); got != "kek.key state vault.db vault.lock" {
		t.Errorf("beside the vault: %s", got)
	}
	e := lastEvents(t, l, 1)[0]
	if e.Kind != vault.KindVaultBackup || e.Code != fault.DiskFull {
		t.Errorf("the log ends with %+v", e)
	}
}

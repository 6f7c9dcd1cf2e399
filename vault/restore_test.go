package vault_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aivault/keys/fault"
	"aivault/vault"
	"aivault/vault/internal/store"
	"aivault/vault/vaulttest"
)

// damage changes the record of a secret in the file.
func damage(t testing.TB, dir string, id vault.ID) {
	t.Helper()
	edit(t, dir, func(tx store.Tx) {
		key := append([]byte{1}, id[:]...)
		rec := bytes.Clone(tx.Get(store.Records, key))
		rec[len(rec)-1] ^= 1
		must(t, tx.Put(store.Records, key, rec))
	})
}

// backedUp is a vault, a backup of it, and what came after that: two changes
// and a call.
func backedUp(t testing.TB) (l *vault.Local, dir, file string) {
	t.Helper()
	l, dir = fresh(t)
	vaulttest.Create(t, l, vault.GlobalScope(), "early", "made-up")
	file = filepath.Join(t.TempDir(), "backup")
	_, err := l.Backup(t.Context(), file, false)
	must(t, err)
	vaulttest.Create(t, l, vault.GlobalScope(), "late", "made-up")
	vaulttest.Create(t, l, vault.GlobalScope(), "later", "made-up")
	granted(t, l)
	return l, dir, file
}

// names are those of all secrets.
func names(t testing.TB, l *vault.Local) string {
	t.Helper()
	secrets, err := l.Secrets(t.Context(), nil)
	must(t, err)
	var all []string
	for _, s := range secrets {
		all = append(all, s.Name)
	}
	return strings.Join(all, " ")
}

// TestRestore goes back in time, with leave, and says what it cost: the log
// tells, the replaced file is kept, and every process goes on.
func TestRestore(t *testing.T) {
	t.Parallel()
	l, dir, file := backedUp(t)
	other := open(t, dir) // another process, which knows the newer state
	if got := names(t, other); got != "early late later" {
		t.Fatalf("secrets %s", got)
	}
	c, err := l.Compare(t.Context(), file)
	must(t, err)
	if !c.Exists || !c.Back() || c.Lost != 3 || c.LostChanges != 2 || c.Events != 6 || c.Backup.Events != 3 ||
		c.Newest == nil || c.Newest.Kind != vault.KindInvokeIntent || c.NewestChange == nil || c.NewestChange.Note != "later" {
		t.Errorf("%+v", c)
	}
	_, err = l.Restore(t.Context(), file, vault.RestoreOptions{})
	wantCode(t, err, fault.Conflict)
	vaulttest.Create(t, l, vault.GlobalScope(), "meanwhile", "made-up")
	_, err = l.Restore(t.Context(), file, vault.RestoreOptions{Back: true, UpTo: c.Events})
	wantCode(t, err, fault.Conflict)
	if got := names(t, l); got != "early late later meanwhile" {
		t.Errorf("a restore that was refused leaves %s", got)
	}
	before := read(t, vaultFile(dir))
	r, err := l.Restore(t.Context(), file, vault.RestoreOptions{Back: true})
	must(t, err)
	if read(t, r.Replaced) != before || r.Lost != 4 || r.LostChanges != 3 || r.Seq != 4 {
		t.Errorf("%+v", r)
	}
	for name, l := range map[string]*vault.Local{"the same process": l, "another one": other, "a new one": open(t, dir)} {
		if got := names(t, l); got != "early" {
			t.Errorf("%s: secrets %s", name, got)
		}
		if e := lastEvents(t, l, 1)[0]; e.Kind != vault.KindVaultRestore || e.Note != "the backup had 3 events, the vault 7, of which 4 are lost" {
			t.Errorf("%s: the log ends with %+v", name, e)
		}
	}
	vaulttest.Create(t, l, vault.GlobalScope(), "new", "made-up")
	vaulttest.Healthy(t, other)

	// What was replaced is an older copy now.
	must(t, os.WriteFile(vaultFile(dir), []byte(before), 0o600))
	_, err = open(t, dir).Secrets(t.Context(), nil)
	wantCode(t, err, fault.VaultRollback)
}

// TestRestoreOfTheLatest needs no leave, and neither does the first one where
// the vault is gone.
func TestRestoreOfTheLatest(t *testing.T) {
	t.Parallel()
	l, dir := fresh(t)
	vaulttest.Create(t, l, vault.GlobalScope(), "one", "made-up")
	file := filepath.Join(t.TempDir(), "backup")
	_, err := l.Backup(t.Context(), file, false)
	must(t, err)
	for _, prepare := range []func(){
		func() {},
		func() { must(t, os.Remove(vaultFile(dir))) },
	} {
		prepare()
		r, err := l.Restore(t.Context(), file, vault.RestoreOptions{})
		if err != nil || r.Lost > 1 {
			t.Errorf("%+v, %v", r, err)
		}
		vaulttest.Healthy(t, l)
		_, err = l.Backup(t.Context(), file, true)
		must(t, err)
	}
	elsewhere := vaulttest.Dir(t)
	must(t, os.WriteFile(keyFile(elsewhere).Path, []byte(read(t, keyFile(dir).Path)), 0o600))
	second := open(t, elsewhere)
	r, err := second.Restore(t.Context(), file, vault.RestoreOptions{})
	if err != nil || r.Exists || r.Replaced != "" || names(t, second) != "one" {
		t.Errorf("%+v, %v", r, err)
	}
	vaulttest.Healthy(t, second)
}

// TestRestoreOverDamage: where the vault cannot be read, leave is needed, and
// then it works.
func TestRestoreOverDamage(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func(string) string{
		"empty":   func(string) string { return "" },
		"cut":     func(whole string) string { return whole[:9000] },
		"garbage": func(whole string) string { return strings.Repeat("garbage ", len(whole)/8) },
		"manifest": func(whole string) string {
			return whole[:2*4096] + strings.Repeat("\x00", 4096) + whole[3*4096:]
		},
	} {
		l, dir, file := backedUp(t)
		spoiled := spoil(read(t, vaultFile(dir)))
		must(t, os.WriteFile(vaultFile(dir), []byte(spoiled), 0o600))
		for _, l := range []*vault.Local{open(t, dir), l} {
			_, err := l.Restore(t.Context(), file, vault.RestoreOptions{})
			wantCode(t, err, fault.Conflict)
			if read(t, vaultFile(dir)) != spoiled {
				t.Errorf("%s: it was replaced without leave", name)
			}
		}
		l = open(t, dir)
		r, err := l.Restore(t.Context(), file, vault.RestoreOptions{Back: true})
		if err != nil || r.Damage == nil || r.Lost != 3 || names(t, l) != "early" || read(t, r.Replaced) != spoiled {
			t.Errorf("%s: %+v, %v", name, r, err)
		}
		vaulttest.Healthy(t, l)
	}
}

// TestWhatIsNotRestored: what is no backup of this vault, or not all of one. The
// vault stays as it is, to the byte.
// Case 119.
func TestWhatIsNotRestored(t *testing.T) {
	t.Parallel()
	l, dir, file := backedUp(t)
	whole := read(t, file)
	other, otherDir := fresh(t)
	vaulttest.Create(t, other, vault.GlobalScope(), "one", "made-up")
	write := func(content string) string {
		path := filepath.Join(t.TempDir(), "b")
		must(t, os.WriteFile(path, []byte(content), 0o600))
		return path
	}
	edited := filepath.Join(t.TempDir(), "vault.db")
	must(t, os.WriteFile(edited, []byte(whole), 0o600))
	secrets, err := l.Secrets(t.Context(), nil)
	must(t, err)
	for _, s := range secrets {
		if s.Name == "early" {
			damage(t, filepath.Dir(edited), s.ID)
		}
	}
	tests := map[string]struct {
		path string
		code fault.Code
	}{
		"nothing":          {filepath.Join(t.TempDir(), "none"), fault.InvalidRequest},
		"no name":          {"", fault.InvalidRequest},
		"a directory":      {t.TempDir(), fault.InvalidRequest},
		"a device":         {os.DevNull, fault.InvalidRequest},
		"an empty file":    {write(""), fault.VaultCorrupt},
		"a text":           {write("no vault"), fault.VaultCorrupt},
		"half of one":      {write(whole[:len(whole)/2]), fault.VaultCorrupt},
		"an edited record": {edited, fault.VaultCorrupt},
		"another vault's":  {vaultFile(otherDir), fault.WrongKey},
	}
	before := read(t, vaultFile(dir))
	for name, test := range tests {
		for how, try := range map[string]func() error{
			"compare": func() error { _, err := l.Compare(t.Context(), test.path); return err },
			"restore": func() error {
				_, err := l.Restore(t.Context(), test.path, vault.RestoreOptions{Back: true})
				return err
			},
		} {
			if err := try(); fault.CodeOf(err) != test.code {
				t.Errorf("%s: %s: %q (%v), want %q", how, name, fault.CodeOf(err), err, test.code)
			}
		}
	}
	// With its key at hand, it is still another vault.
	must(t, os.WriteFile(keyFile(dir).Path, []byte(read(t, keyFile(otherDir).Path)), 0o600))
	_, err = l.Restore(t.Context(), vaultFile(otherDir), vault.RestoreOptions{Back: true})
	wantCode(t, err, fault.Conflict)
	if read(t, vaultFile(dir)) != before {
		t.Error("the vault was changed")
	}
	if diff := cmp.Diff(list(t, dir), []string{"kek.key", "state", "vault.db", "vault.lock"}); diff != "" {
		t.Errorf("files (-got +want):\n%s", diff)
	}
}

// TestDamagedBackups: whatever happened to a backup, it is restored as it was
// made, or not at all.
func TestDamagedBackups(t *testing.T) {
	t.Parallel()
	l, dir, file := backedUp(t)
	whole := []byte(read(t, file))
	before := read(t, vaultFile(dir))
	rng := rand.New(rand.NewPCG(20, 21))
	n := 150
	if testing.Short() {
		n = 30
	}
	refused := 0
	for i := range n {
		b := bytes.Clone(whole)
		switch i % 3 {
		case 0:
			b = b[:rng.IntN(len(b))]
		case 1:
			b[rng.IntN(len(b))] ^= 1 << rng.IntN(8)
		case 2:
			at := rng.IntN(len(b)/512) * 512
			clear(b[at : at+512])
		}
		must(t, os.WriteFile(file, b, 0o600))
		_, err := l.Restore(t.Context(), file, vault.RestoreOptions{Back: true})
		if err != nil {
			refused++
			if code := fault.CodeOf(err); code != fault.VaultCorrupt && code != fault.AuditBroken && code != fault.WrongKey && code != fault.VaultNewer && code != fault.KeyUnavailable {
				t.Errorf("damage %d: %v", i, err)
			}
			if read(t, vaultFile(dir)) != before {
				t.Fatalf("damage %d: refused, and the vault is another one", i)
			}
			continue
		}
		if got := names(t, l); got != "early" {
			t.Errorf("damage %d: secrets %s", i, got)
		}
		vaulttest.Healthy(t, l)
		putBack(t, l, dir, before)
	}
	if refused < n/5 || refused == n {
		t.Errorf("%d of %d were refused; the test shows little", refused, n)
	}
}

// workRestore restores a backup.
func workRestore(ctx context.Context, l *vault.Local, args []string, out io.Writer) error {
	_, err := l.Restore(ctx, args[0], vault.RestoreOptions{Back: true})
	if err == nil {
		_, err = fmt.Fprintln(out, "done")
	}
	return err
}

// TestRestoreKilled: whenever it is killed, the vault is the one before or the
// backup, whole.
// Fault F1.
func TestRestoreKilled(t *testing.T) {
	t.Parallel()
	l, dir := fresh(t)
	for i := range 40 {
		vaulttest.Create(t, l, vault.GlobalScope(), fmt.Sprint("n", i), strings.Repeat("v", 30_000))
	}
	file := filepath.Join(t.TempDir(), "backup")
	_, err := l.Backup(t.Context(), file, false)
	must(t, err)
	n := 24
	if testing.Short() {
		n = 8
	}
	found := map[string]int{}
	for i := range n {
		mark := fmt.Sprint("mark", i)
		vaulttest.Create(t, l, vault.GlobalScope(), mark, "made-up")
		done := killed(t, worker(t, "restore", dir, file), time.Duration(2+i*4)*time.Millisecond)
		vaulttest.Healthy(t, open(t, dir))
		old := strings.Contains(names(t, l), mark)
		found[fmt.Sprint("old: ", old)]++
		if done && old {
			t.Errorf("run %d: it said that it was done, and the vault is the one before", i)
		}
	}
	t.Log(found)
	if _, err := os.Lstat(filepath.Join(dir, store.File)); errors.Is(err, fs.ErrNotExist) {
		t.Error("there is no vault")
	}
}

// TestAcceptOlder: the operator takes an older copy for the vault; whoever knew
// the newer one goes on with it, and the log says so.
func TestAcceptOlder(t *testing.T) {
	t.Parallel()
	l, dir := fresh(t)
	_, err := l.AcceptOlder(t.Context())
	wantCode(t, err, fault.Conflict)
	old := read(t, vaultFile(dir))
	vaulttest.Create(t, l, vault.GlobalScope(), "late", "made-up")
	newer := read(t, vaultFile(dir))
	other := open(t, dir)
	if got := names(t, other); got != "late" {
		t.Fatalf("secrets %s", got)
	}
	must(t, os.WriteFile(vaultFile(dir), []byte(old), 0o600))
	seq, err := l.AcceptOlder(t.Context())
	must(t, err)
	for name, l := range map[string]*vault.Local{"the same process": l, "another one": other, "a new one": open(t, dir)} {
		if got := names(t, l); got != "" {
			t.Errorf("%s: secrets %s", name, got)
		}
		if e := lastEvents(t, l, 1)[0]; e.Kind != vault.KindVaultAccept || e.Seq != seq || e.Note != "it ended with event 1, and event 2 was here before" {
			t.Errorf("%s: the log ends with %+v", name, e)
		}
		vaulttest.Healthy(t, l)
	}
	must(t, os.WriteFile(vaultFile(dir), []byte(newer), 0o600))
	_, err = open(t, dir).Secrets(t.Context(), nil)
	wantCode(t, err, fault.VaultRollback)
}

package vault_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aivault/keys"
	"aivault/keys/fault"
	"aivault/keys/keystest"
	"aivault/vault"
	"aivault/vault/internal/store"
	"aivault/vault/vaulttest"
)

func keyFile(dir string) keys.Config {
	return keys.Config{Kind: keys.KindFile, Path: filepath.Join(dir, "kek.key")}
}

// list names the files of a directory.
func list(t testing.TB, dir string) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

// Case 154.
func TestInit(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "deep", "down") // made as needed
	l := open(t, dir)
	st, err := l.Init(t.Context(), keyFile(dir))
	if err != nil || !st.Initialized || st.Locked || st.Provider != keys.KindFile || len(st.VaultID) != 36 || len(st.KeyID) != 36 || st.File != vaultFile(dir) {
		t.Fatalf("status %+v, %v", st, err)
	}
	if diff := cmp.Diff(list(t, dir), []string{"kek.key", "state", "vault.db", "vault.lock"}); diff != "" {
		t.Errorf("files (-got +want):\n%s", diff)
	}
	for name, want := range map[string]os.FileMode{".": 0o700, "kek.key": 0o600, "vault.db": 0o600, "vault.lock": 0o600} {
		if fi, err := os.Stat(filepath.Join(dir, name)); err != nil || fi.Mode().Perm() != want {
			t.Errorf("%s has mode %v, %v", name, fi.Mode(), err)
		}
	}
	before := read(t, vaultFile(dir))
	for _, cfg := range []keys.Config{keyFile(dir), {Kind: keys.KindEnv, Var: "MADE_UP"}} {
		_, err := l.Init(t.Context(), cfg)
		wantCode(t, err, fault.AlreadyExists)
	}
	if read(t, vaultFile(dir)) != before {
		t.Error("a second init changed the vault")
	}
	again, err := open(t, dir).Status(t.Context())
	if diff := cmp.Diff(again, st); diff != "" || err != nil {
		t.Errorf("%v; another process sees (-got +want):\n%s", err, diff)
	}
	vaulttest.Healthy(t, l)
}

func read(t testing.TB, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func TestInitRefusesABadConfig(t *testing.T) {
	dir := vaulttest.Dir(t)
	l := open(t, dir)
	_, err := l.Init(t.Context(), keys.Config{Kind: keys.KindFile, Path: "relative"})
	wantCode(t, err, fault.InvalidRequest)
	_, err = l.Init(t.Context(), keys.Config{Kind: keys.KindEnv, Var: "MADE_UP"}) // which is not set
	wantCode(t, err, fault.KeyUnavailable)
	if st, err := l.Status(t.Context()); st.Initialized || err != nil {
		t.Errorf("there is a vault, %v", err)
	}
}

// TestFirstUse: only a directory that holds nothing is initialised unasked.
func TestFirstUse(t *testing.T) {
	tests := []struct {
		name  string
		files []string
		made  bool
	}{
		{"empty", nil, true},
		{"run and locks", []string{"run/x", "vault.lock", "other.lock"}, true},
		{"a crash while it was made", []string{"vault.db.tmp"}, true},
		{"a key", []string{"kek.key"}, false},
		{"another key", []string{"kek-1.key"}, false},
		{"a copy of a vault", []string{"vault.db.bak"}, false},
		{"anything", []string{"notes.txt"}, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			dir := vaulttest.Dir(t)
			for _, name := range test.files {
				path := filepath.Join(dir, name)
				must(t, os.MkdirAll(filepath.Dir(path), 0o700))
				must(t, os.WriteFile(path, []byte("made up"), 0o600))
			}
			l := open(t, dir)
			_, err := l.CreateSecret(t.Context(), newSecret(vault.GlobalScope(), "n", "made-up"))
			if test.made {
				wantCode(t, err, "")
				vaulttest.Healthy(t, l)
				return
			}
			wantCode(t, err, fault.VaultCorrupt)
			if err == nil || !strings.Contains(err.Error(), test.files[0]) {
				t.Errorf("the error does not name what is there: %v", err)
			}
			for _, name := range test.files {
				if read(t, filepath.Join(dir, name)) != "made up" {
					t.Errorf("%s was changed", name)
				}
			}
			if _, err := os.Lstat(vaultFile(dir)); !errors.Is(err, os.ErrNotExist) {
				t.Errorf("a vault was made: %v", err)
			}
		})
	}
}

func TestNothingIsMadeUnasked(t *testing.T) {
	dir := vaulttest.Dir(t)
	opts := vaulttest.Options(dir)
	opts.FirstUse = nil
	l := vault.New(opts)
	_, err := l.CreateSecret(t.Context(), newSecret(vault.GlobalScope(), "n", "made-up"))
	wantCode(t, err, fault.InvalidRequest)
	opts.FirstUse = func(context.Context) (keys.Config, error) {
		return keys.Config{}, fault.New(fault.KeyUnavailable, "the keyring is locked")
	}
	_, err = vault.New(opts).CreateSecret(t.Context(), newSecret(vault.GlobalScope(), "n", "made-up"))
	wantCode(t, err, fault.KeyUnavailable)
	if files := list(t, dir); len(files) != 0 {
		t.Errorf("there is %v", files)
	}
}

// TestInitTakesUpALeftoverKey: after a crash between key and vault, of which
// the half-made file tells, init goes on with the key that is there.
func TestInitTakesUpALeftoverKey(t *testing.T) {
	_, dir := fresh(t)
	key := read(t, filepath.Join(dir, "kek.key"))
	must(t, os.Remove(vaultFile(dir)))
	l := open(t, dir)
	_, err := l.Init(t.Context(), keyFile(dir)) // a vault that is gone is not one that never was
	wantCode(t, err, fault.VaultCorrupt)
	must(t, os.WriteFile(filepath.Join(dir, store.TempFile), []byte("half a file"), 0o600))
	if _, err := l.Init(t.Context(), keyFile(dir)); err != nil {
		t.Fatal(err)
	}
	if read(t, filepath.Join(dir, "kek.key")) != key {
		t.Error("the key was overwritten")
	}
	vaulttest.Healthy(t, l)
}

// TestManyFirstUsesAtOnce is within one process; for several see
// TestFirstUseOfManyProcesses.
func TestManyFirstUsesAtOnce(t *testing.T) {
	dir := vaulttest.Dir(t)
	var wg sync.WaitGroup
	shared := open(t, dir)
	for i := range 16 {
		l := shared
		if i%2 == 0 {
			l = open(t, dir)
		}
		wg.Go(func() {
			if _, err := l.CreateSecret(context.Background(), newSecret(vault.GlobalScope(), "n"+string(rune('a'+i)), "made-up")); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	secrets, err := shared.Secrets(t.Context(), nil)
	if len(secrets) != 16 || err != nil {
		t.Errorf("%d secrets, %v", len(secrets), err)
	}
	vaulttest.Healthy(t, shared)
}

// A keyring that is locked, absent or lost its entry leaves the vault shut, and
// its key is not made anew.
//
// Fault F10, F11.
func TestKeyring(t *testing.T) {
	ring := &keystest.Keyring{}
	dir := vaulttest.Dir(t)
	opts := vaulttest.Options(dir)
	opts.Keys.Keyring = ring
	opts.FirstUse = func(context.Context) (keys.Config, error) {
		return keys.Config{Kind: keys.KindKeyring, Service: keys.KeyringService}, nil
	}
	l := vault.New(opts)
	defer l.Close()
	vaulttest.Create(t, l, vault.GlobalScope(), "n", "made-up")
	st, err := l.Status(t.Context())
	if err != nil || st.Key.Account != st.VaultID || ring.Accounts(keys.KeyringService) != 2 { // key and anchor

		t.Errorf("the entry is %s of vault %s, %v", st.Key.Account, st.VaultID, err)
	}
	if diff := cmp.Diff(list(t, dir), []string{"state", "vault.db", "vault.lock"}); diff != "" {
		t.Errorf("files (-got +want):\n%s", diff)
	}
	before := read(t, vaultFile(dir))
	for mode, want := range map[keystest.Mode]fault.Code{keystest.Locked: fault.KeyUnavailable, keystest.Absent: fault.KeyUnavailable} {
		ring.SetMode(mode)
		locked := vault.New(opts)
		_, err := locked.CreateSecret(t.Context(), newSecret(vault.GlobalScope(), "m", "made-up"))
		wantCode(t, err, want)
		st, err := locked.Status(t.Context())
		if err != nil || !st.Locked || fault.CodeOf(st.KeyError) != want {
			t.Errorf("status %+v, %v", st, err)
		}
	}
	ring.SetMode(keystest.Working)
	must(t, ring.Delete(t.Context(), keys.KeyringService, st.VaultID))
	_, err = vault.New(opts).Secrets(t.Context(), nil)
	wantCode(t, err, fault.KeyUnavailable)
	if ring.Accounts(keys.KeyringService) != 1 || read(t, vaultFile(dir)) != before {
		t.Error("a key that is gone was made anew, or the vault was touched")
	}
}

func TestPassphrase(t *testing.T) {
	dir := vaulttest.Dir(t)
	with := func(passphrase string) *vault.Local {
		opts := vaulttest.Options(dir)
		if passphrase != "" {
			opts.Keys.Ask = keystest.Answer(passphrase)
		}
		l := vault.New(opts)
		t.Cleanup(l.Close)
		return l
	}
	if _, err := with("made up words").Init(t.Context(), keystest.PassphraseConfig()); err != nil {
		t.Fatal(err)
	}
	if _, err := with("made up words").Secrets(t.Context(), nil); err != nil {
		t.Error(err)
	}
	_, err := with("other words").Secrets(t.Context(), nil)
	wantCode(t, err, fault.WrongKey)
	_, err = with("").Secrets(t.Context(), nil)
	wantCode(t, err, fault.VaultLocked)
	st, err := with("made up words").Status(t.Context())
	if err != nil || !st.Locked || fault.CodeOf(st.KeyError) != fault.VaultLocked {
		t.Errorf("status asks for no passphrase: %+v, %v", st, err)
	}
}

// TestWrongKey: it is told before anything is written, and from damage.
// Case 113. Fault F9.
func TestWrongKey(t *testing.T) {
	l, dir := fresh(t)
	vaulttest.Create(t, l, vault.GlobalScope(), "n", "made-up")
	_, other := fresh(t)
	before := read(t, vaultFile(dir))
	must(t, os.WriteFile(filepath.Join(dir, "kek.key"), []byte(read(t, filepath.Join(other, "kek.key"))), 0o600))
	wrong := open(t, dir)
	ctx := t.Context()
	ops := map[string]func() error{
		"create": func() error {
			_, err := wrong.CreateSecret(ctx, newSecret(vault.GlobalScope(), "m", "made-up"))
			return err
		},
		"list":      func() error { _, err := wrong.Secrets(ctx, nil); return err },
		"authorize": func() error { _, err := wrong.Authorize(ctx, decideUse()); return err },
		"audit":     func() error { _, err := wrong.Audit(ctx, vault.AuditQuery{}); return err },
		"remove":    func() error { _, err := wrong.DeleteCredential(ctx, "c"); return err },
		"unlock":    func() error { return wrong.Unlock(ctx) },
		"doctor": func() error {
			report, err := wrong.Doctor(ctx)
			return errors.Join(report.Err(), err)
		},
		"status": func() error {
			st, err := wrong.Status(ctx)
			return errors.Join(st.KeyError, err)
		},
	}
	for name, op := range ops {
		if err := op(); fault.CodeOf(err) != fault.WrongKey {
			t.Errorf("%s: %v", name, err)
		}
	}
	if read(t, vaultFile(dir)) != before {
		t.Error("the file was written")
	}
	if _, err := wrong.Init(ctx, keyFile(dir)); fault.CodeOf(err) != fault.AlreadyExists {
		t.Errorf("init: %v", err)
	}
}

// TestAVaultThatWasReplaced: a long-lived process goes on with the vault that
// is there now, and is told when its file is gone.
func TestAVaultThatWasReplaced(t *testing.T) {
	l, dir := fresh(t)
	vaulttest.Create(t, l, vault.GlobalScope(), "old", "made-up")
	other, otherDir := fresh(t)
	vaulttest.Create(t, other, vault.GlobalScope(), "new", "made-up")
	for _, name := range []string{"vault.db", "kek.key"} { // a slot names its key's path
		must(t, os.Remove(filepath.Join(dir, name)))
		must(t, os.WriteFile(filepath.Join(dir, name), []byte(read(t, filepath.Join(otherDir, name))), 0o600))
	}
	secrets, err := l.Secrets(t.Context(), nil)
	if err != nil || len(secrets) != 1 || secrets[0].Name != "new" {
		t.Errorf("%d secrets, %v", len(secrets), err)
	}
	vaulttest.Create(t, l, vault.GlobalScope(), "more", "made-up")
	vaulttest.Healthy(t, l)

	must(t, os.Remove(vaultFile(dir)))
	_, err = l.Secrets(t.Context(), nil)
	wantCode(t, err, fault.VaultCorrupt)
	_, err = l.CreateSecret(t.Context(), newSecret(vault.GlobalScope(), "n", "made-up"))
	wantCode(t, err, fault.VaultCorrupt) // half of a vault is there: its key
}

// TestCloseWhileWriting: locking must wait for who is writing, and never let
// it seal with wiped keys.
func TestCloseWhileWriting(t *testing.T) {
	l, _ := fresh(t)
	var wg sync.WaitGroup
	stop := make(chan struct{})
	for w := range 4 {
		wg.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-stop:
					return
				default:
				}
				name := strings.Repeat(string(rune('a'+w)), i%50+1)
				_, err := l.CreateSecret(context.Background(), newSecret(vault.GlobalScope(), name, "made-up"))
				if code := fault.CodeOf(err); code != "" && code != fault.AlreadyExists {
					t.Error(err)
					return
				}
			}
		})
	}
	for end := time.Now().Add(300 * time.Millisecond); time.Now().Before(end); {
		l.Close()
	}
	close(stop)
	wg.Wait()
	vaulttest.Healthy(t, l)
}

// TestKeyWithoutItsVault: a key file that is kept elsewhere outlives its vault,
// and is not taken for that of a new one unasked.
// Case 153.
func TestKeyWithoutItsVault(t *testing.T) {
	dir, elsewhere := vaulttest.Dir(t), t.TempDir()
	opts := vaulttest.Options(dir)
	cfg := keyFile(elsewhere)
	opts.FirstUse = func(context.Context) (keys.Config, error) { return cfg, nil }
	l := vault.New(opts)
	t.Cleanup(l.Close)
	vaulttest.Create(t, l, vault.GlobalScope(), "n", "made-up")
	must(t, os.Remove(vaultFile(dir)))
	key := read(t, cfg.Path)
	_, err := l.CreateSecret(t.Context(), newSecret(vault.GlobalScope(), "n", "made-up"))
	wantCode(t, err, fault.VaultCorrupt)
	if _, err := os.Stat(vaultFile(dir)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a vault was made: %v", err)
	}
	if _, err := l.Init(t.Context(), cfg); err != nil { // asked for, it is
		t.Error(err)
	}
	if read(t, cfg.Path) != key {
		t.Error("the key was overwritten")
	}
}

// TestLeftoversAreRemoved: what a first use left behind when it was cut off may
// be a further copy of the key.
func TestLeftoversAreRemoved(t *testing.T) {
	dir := vaulttest.Dir(t)
	for _, name := range []string{".aivault-ABCDEF.tmp", store.TempFile} {
		must(t, os.WriteFile(filepath.Join(dir, name), []byte("made-up"), 0o600))
	}
	l := vault.New(vaulttest.Options(dir))
	t.Cleanup(l.Close)
	vaulttest.Create(t, l, vault.GlobalScope(), "n", "made-up")
	if diff := cmp.Diff(list(t, dir), []string{"kek.key", "state", "vault.db", "vault.lock"}); diff != "" {
		t.Errorf("files (-got +want):\n%s", diff)
	}
}

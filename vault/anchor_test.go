package vault_test

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"aivault/keys"
	"aivault/keys/fault"
	"aivault/keys/keystest"
	"aivault/vault"
	"aivault/vault/vaulttest"
)

// TestAnOlderCopyIsFound: whoever puts an older copy of the file back does not
// bring a deleted secret back with it, in no process, and nothing is written
// into that copy. The newer file, put back, is as good as before.
// Case 108.
func TestAnOlderCopyIsFound(t *testing.T) {
	t.Parallel()
	l, dir := fresh(t)
	s := vaulttest.Create(t, l, vault.GlobalScope(), "gone", "made-up")
	old := read(t, vaultFile(dir))
	_, err := l.DeleteSecret(t.Context(), s.ID, 0)
	must(t, err)
	newer := read(t, vaultFile(dir))
	must(t, os.WriteFile(vaultFile(dir), []byte(old), 0o600))
	for name, l := range map[string]*vault.Local{"the same process": l, "another one": open(t, dir)} {
		_, err := l.Secrets(t.Context(), nil)
		wantCode(t, err, fault.VaultRollback)
		_, err = l.CreateSecret(t.Context(), newSecret(vault.GlobalScope(), "n", "made-up"))
		wantCode(t, err, fault.VaultRollback)
		_, err = l.Authorize(t.Context(), decideUse(useOf(s.ID, "api.acme.test")))
		if err == nil || !errors.Is(err, fault.VaultRollback) {
			t.Errorf("%s: a call: %v", name, err)
		}
		if _, found := failed(t, l)["anchor"]; !found {
			t.Errorf("%s: Doctor does not find it", name)
		}
		if read(t, vaultFile(dir)) != old {
			t.Errorf("%s: the file was written", name)
		}
	}
	must(t, os.WriteFile(vaultFile(dir), []byte(newer), 0o600))
	vaulttest.Healthy(t, l)
	vaulttest.Create(t, l, vault.GlobalScope(), "n", "made-up")
}

// TestAnotherBranchIsFound: a copy that came as far, in another way.
func TestAnotherBranchIsFound(t *testing.T) {
	t.Parallel()
	l, dir := fresh(t)
	base := read(t, vaultFile(dir))
	vaulttest.Create(t, l, vault.GlobalScope(), "one", "made-up")
	elsewhere := vaulttest.Dir(t)
	must(t, os.WriteFile(vaultFile(elsewhere), []byte(base), 0o600))
	must(t, os.WriteFile(keyFile(elsewhere).Path, []byte(read(t, keyFile(dir).Path)), 0o600))
	vaulttest.Create(t, open(t, elsewhere), vault.GlobalScope(), "other", "made-up")
	must(t, os.WriteFile(vaultFile(dir), []byte(read(t, vaultFile(elsewhere))), 0o600))
	_, err := open(t, dir).Secrets(t.Context(), nil)
	wantCode(t, err, fault.VaultRollback)
}

// TestALostAnchorLocksNobodyOut: nor does one that is older, damaged, of another
// vault, out of reach, or where something else stands.
// Case 108.
func TestALostAnchorLocksNobodyOut(t *testing.T) {
	t.Parallel()
	l, dir := fresh(t)
	first := read(t, anchorFile(t, dir))
	vaulttest.Create(t, l, vault.GlobalScope(), "one", "made-up")
	path := anchorFile(t, dir)
	whole := read(t, path)
	other, otherDir := fresh(t)
	vaulttest.Create(t, other, vault.GlobalScope(), "one", "made-up")
	flipped := []byte(whole)
	flipped[30] ^= 1 // a higher epoch
	tests := map[string]func() error{
		"lost":             func() error { return os.RemoveAll(filepath.Dir(path)) },
		"older":            func() error { return os.WriteFile(path, []byte(first), 0o600) },
		"empty":            func() error { return os.WriteFile(path, nil, 0o600) },
		"cut":              func() error { return os.WriteFile(path, []byte(whole[:50]), 0o600) },
		"longer":           func() error { return os.WriteFile(path, []byte(whole+"x"), 0o600) },
		"edited":           func() error { return os.WriteFile(path, flipped, 0o600) },
		"of another vault": func() error { return os.WriteFile(path, []byte(read(t, anchorFile(t, otherDir))), 0o600) },
		"a directory":      func() error { return errors.Join(os.Remove(path), os.Mkdir(path, 0o700)) },
		"a dangling link":  func() error { return errors.Join(os.Remove(path), os.Symlink(filepath.Join(dir, "nowhere"), path)) },
	}
	for name, spoil := range tests {
		must(t, spoil())
		l := open(t, dir)
		if list, err := l.Secrets(t.Context(), nil); len(list) == 0 || err != nil {
			t.Errorf("%s: %d secrets, %v", name, len(list), err)
		}
		if _, err := l.CreateSecret(t.Context(), newSecret(vault.GlobalScope(), name, "made-up")); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := os.Lstat(filepath.Join(dir, "nowhere")); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: a link was followed", name)
		}
		must(t, os.RemoveAll(filepath.Dir(path)))
		vaulttest.Create(t, l, vault.GlobalScope(), name+" again", "made-up")
		vaulttest.Healthy(t, l)
	}
}

// TestTheAnchorFollowsEveryChange: what was durable is remembered, calls too,
// and a change that failed is not.
func TestTheAnchorFollowsEveryChange(t *testing.T) {
	t.Parallel()
	l, dir := fresh(t)
	seen := map[string]bool{read(t, anchorFile(t, dir)): true}
	look := func(what string, changed bool) {
		t.Helper()
		now := read(t, anchorFile(t, dir))
		if seen[now] == changed {
			t.Errorf("%s: the anchor changed: %t", what, !changed)
		}
		seen[now] = true
	}
	s := vaulttest.Create(t, l, vault.GlobalScope(), "one", "made-up")
	look("a secret", true)
	if _, err := l.CreateSecret(t.Context(), newSecret(vault.GlobalScope(), "one", "made-up")); err == nil {
		t.Fatal("a name was given twice")
	}
	look("a failure", false)
	if _, err := l.FindSecret(t.Context(), s.ID.String()); err != nil {
		t.Fatal(err)
	}
	look("a look", false)
	granted(t, l)
	look("a call", true)
}

// TestTheKeyringRemembers: who puts an older copy back, with what is remembered
// beside it, is found by Doctor, where the key is in the keyring.
func TestTheKeyringRemembers(t *testing.T) {
	t.Parallel()
	ring, dir := &keystest.Keyring{}, vaulttest.Dir(t)
	with := func() *vault.Local {
		opts := vaulttest.Options(dir)
		opts.Keys.Keyring = ring
		l := vault.New(opts)
		t.Cleanup(l.Close)
		return l
	}
	l := with()
	st, err := l.Init(t.Context(), keys.Config{Kind: keys.KindKeyring, Service: keys.KeyringService})
	must(t, err)
	old, anchor := read(t, vaultFile(dir)), anchorFile(t, dir)
	remembered := read(t, anchor)
	vaulttest.Create(t, l, vault.GlobalScope(), "late", "made-up")
	calls := ring.Calls()
	vaulttest.Create(t, l, vault.GlobalScope(), "later", "made-up")
	if ring.Calls() != calls {
		t.Error("a change asks the keyring")
	}
	vaulttest.Healthy(t, l) // which remembers
	putOld := func() {
		must(t, os.WriteFile(vaultFile(dir), []byte(old), 0o600))
		must(t, os.WriteFile(anchor, []byte(remembered), 0o600))
	}
	putOld()
	if got := names(t, with()); got != "" {
		t.Errorf("a new process sees %s", got)
	}
	if c := failed(t, with())["anchor"]; c.Code != fault.VaultRollback {
		t.Errorf("Doctor finds %+v", c)
	}
	_, err = with().AcceptOlder(t.Context())
	must(t, err)
	vaulttest.Healthy(t, with())
	putOld()
	if c := failed(t, with())["anchor"]; c.Code != fault.VaultRollback {
		t.Errorf("Doctor finds %+v", c)
	}

	// An entry that says nothing is told, and one that is lost is nothing.
	ring.Put(keys.KeyringService, st.VaultID+".anchor", []byte("something else"))
	if c := failed(t, with())["anchor"]; c.Code != fault.VaultCorrupt || !strings.Contains(c.Detail, "keyring") {
		t.Errorf("Doctor finds %+v", c)
	}
	must(t, ring.Delete(t.Context(), keys.KeyringService, st.VaultID+".anchor"))
	vaulttest.Healthy(t, with())

	ring.SetMode(keystest.Locked)
	if _, found := failed(t, with())["keyring"]; !found {
		t.Error("Doctor does not say that the keyring is locked")
	}
}

// TestDoctorLooksAround: who can get at the files, and what lies beside them.
func TestDoctorLooksAround(t *testing.T) {
	t.Parallel()
	l, dir := fresh(t)
	release, err := l.Exclusive(t.Context(), "turn")
	must(t, err)
	report, err := l.Doctor(t.Context())
	must(t, err)
	release()
	for _, c := range report.Checks {
		if c.Name == "leftovers" && (!c.OK || c.Remedy != "" || !strings.Contains(c.Detail, "0 of 1 locks")) {
			t.Errorf("%+v", c)
		}
	}
	must(t, os.WriteFile(filepath.Join(dir, "vault.db.tmp"), nil, 0o600))
	must(t, os.WriteFile(filepath.Join(dir, ".aivault-X.tmp"), nil, 0o600))
	report, err = l.Doctor(t.Context())
	must(t, err)
	must(t, report.Err())
	for _, c := range report.Checks {
		if c.Name == "leftovers" && (c.Remedy == "" || !strings.HasPrefix(c.Detail, ".aivault-X.tmp, vault.db.tmp beside the vault; 1 of 1 locks")) {
			t.Errorf("%+v", c)
		}
	}
	for _, path := range []string{
		filepath.Join(dir, "state"), filepath.Join(dir, "run"), filepath.Join(dir, "vault.lock"), keyFile(dir).Path, anchorFile(t, dir),
	} {
		fi, err := os.Stat(path)
		must(t, err)
		must(t, os.Chmod(path, 0o777))
		if c, found := failed(t, l)["permissions"]; !found || c.Code != fault.IO || !strings.Contains(c.Remedy, "chmod") {
			t.Errorf("%s of mode 0777: %+v", path, c)
		}
		must(t, os.Chmod(path, fi.Mode()))
	}
	must(t, os.WriteFile(anchorFile(t, dir), []byte("something else"), 0o600))
	if c := failed(t, l)["anchor"]; c.Code != fault.VaultCorrupt || !strings.Contains(c.Detail, "state") {
		t.Errorf("%+v", c)
	}
	if got := read(t, anchorFile(t, dir)); got != "something else" {
		t.Error("Doctor hides what it found")
	}
	must(t, os.Remove(anchorFile(t, dir)))
	vaulttest.Healthy(t, l)
	anchorFile(t, dir) // which was made again
}

// TestAForgedAnchor: who can write the anchor and has no key can pretend that the
// root key was changed since, and no more: the owner goes on, and nothing in the
// forgery counts.
func TestAForgedAnchor(t *testing.T) {
	t.Parallel()
	l, dir := fresh(t)
	before, err := vault.Epoch(t.Context(), l)
	must(t, err)
	forged := []byte(read(t, anchorFile(t, dir)))
	forged[23] = 2                                    // generation
	copy(forged[24:], bytes.Repeat([]byte{0xff}, 16)) // epoch, sequence
	must(t, os.WriteFile(anchorFile(t, dir), forged, 0o600))
	_, err = open(t, dir).Secrets(t.Context(), nil)
	wantCode(t, err, fault.VaultRollback)
	_, err = open(t, dir).AcceptOlder(t.Context())
	must(t, err)
	vaulttest.Healthy(t, open(t, dir))
	if after, err := vault.Epoch(t.Context(), open(t, dir)); after != before+1 || err != nil {
		t.Errorf("transaction %d was followed by %d, %v", before, after, err)
	}
	file := filepath.Join(t.TempDir(), "backup")
	_, err = l.Backup(t.Context(), file, false)
	must(t, err)
	must(t, os.WriteFile(anchorFile(t, dir), forged, 0o600))
	_, err = open(t, dir).Restore(t.Context(), file, vault.RestoreOptions{Back: true})
	must(t, err)
	vaulttest.Healthy(t, open(t, dir))
	if after, err := vault.Epoch(t.Context(), open(t, dir)); after != before+3 || err != nil {
		t.Errorf("transaction %d was followed by %d, %v", before, after, err)
	}
}

package vault_test

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"aivault/keys/fault"
	"aivault/vault"
	"aivault/vault/internal/store"
	"aivault/vault/vaulttest"
)

// salvaged salvages the vault in dir, and returns the new vault.
func salvaged(t *testing.T, dir string) (vault.Salvaged, *vault.Local) {
	t.Helper()
	whole := read(t, vaultFile(dir))
	to := filepath.Join(t.TempDir(), "new")
	s, err := open(t, dir).Salvage(t.Context(), to)
	must(t, err)
	l := open(t, to)
	vaulttest.Healthy(t, l)
	if read(t, vaultFile(dir)) != whole || s.Dir != to {
		t.Errorf("the damaged vault was changed; %+v", s)
	}
	return s, l
}

// lostKinds tells what of a vault was lost, with the names of what has one.
func lostKinds(s vault.Salvaged) string {
	var all []string
	for _, lost := range s.Lost {
		all = append(all, strings.TrimSpace(lost.Kind+" "+lost.Name))
	}
	slices.Sort(all)
	return strings.Join(all, ", ")
}

// TestSalvageOfAVaultInOrder keeps everything, which opens by itself.
func TestSalvageOfAVaultInOrder(t *testing.T) {
	t.Parallel()
	l, dir, secrets := furnished(t)
	want, err := take(t.Context(), l)
	must(t, err)
	s, salvage := salvaged(t, dir)
	got, err := take(t.Context(), salvage)
	must(t, err)
	if len(s.Lost) != 0 || s.LostEvents != 0 || int(s.Events) != len(want.Events) || s.Kept["secret"] != len(secrets) {
		t.Errorf("%+v", s)
	}
	if got.Events[0].Kind != vault.KindVaultSalvage {
		t.Errorf("the log ends with %+v", got.Events[0])
	}
	if len(got.Secrets) != len(want.Secrets) || len(got.Credentials) != len(want.Credentials) || len(got.Capabilities) != len(want.Capabilities) ||
		len(got.Bindings) != len(want.Bindings) || len(got.Policies) != len(want.Policies) || len(got.Disabled) != len(want.Disabled) || len(got.Grants) != len(want.Grants) {
		t.Errorf("it holds %+v", got)
	}
	value, err := reveal(t.Context(), salvage, secrets[1].ID, "host-furnished.test")
	if value != "made-up-value-1" || err != nil {
		t.Errorf("its value is %q, %v", value, err)
	}
	was, err := l.Slots(t.Context())
	must(t, err)
	if now, err := salvage.Slots(t.Context()); err != nil || len(now) != 1 || now[0].ID != was[0].ID || !now[0].CreatedAt.Equal(was[0].CreatedAt) {
		t.Errorf("its slots are %+v, %v; they were %+v", now, err, was)
	}
	// It can take the place of what it was made from.
	file := filepath.Join(s.Dir, store.File)
	salvage.Close()
	must(t, os.WriteFile(vaultFile(dir), []byte("lost"), 0o600))
	if _, err := open(t, dir).Restore(t.Context(), file, vault.RestoreOptions{Back: true}); err != nil {
		t.Error(err)
	}
	vaulttest.Healthy(t, open(t, dir))
}

// TestSalvageOfDamagedRecords: what is damaged is told, by name where that can
// be read, with what is nothing without it; the rest is kept.
func TestSalvageOfDamagedRecords(t *testing.T) {
	t.Parallel()
	flip := func(tx store.Tx, table store.Table, key []byte) {
		v := []byte(string(tx.Get(table, key)))
		v[len(v)-1] ^= 1
		must(t, tx.Put(table, key, v))
	}
	tests := map[string]struct {
		edit   func(tx store.Tx, id []byte) // id is that of the secret named mine
		lost   string
		events int64 // -1: all
	}{
		"a value":               {func(tx store.Tx, id []byte) { flip(tx, store.Values, id) }, "binding acme/cap-mine, credential cred-mine, secret mine", -1},
		"a value that is gone":  {func(tx store.Tx, id []byte) { must(t, tx.Delete(store.Values, id)) }, "binding acme/cap-mine, credential cred-mine, secret mine", -1},
		"a secret":              {func(tx store.Tx, id []byte) { flip(tx, store.Records, append([]byte{1}, id...)) }, "binding acme/cap-mine, credential cred-mine, secret", -1},
		"a secret that is gone": {func(tx store.Tx, id []byte) { must(t, tx.Delete(store.Records, append([]byte{1}, id...))) }, "binding acme/cap-mine, credential cred-mine", -1},
		"the manifest":          {func(tx store.Tx, _ []byte) { flip(tx, store.Meta, []byte(metaManifest)) }, "", -1},
		"the indexes": {func(tx store.Tx, _ []byte) {
			all, _ := rows(t, tx, store.Index)
			for _, key := range all {
				must(t, tx.Delete(store.Index, key))
			}
		}, "", -1},
		"an event":             {func(tx store.Tx, _ []byte) { flip(tx, store.Audit, []byte{0, 0, 0, 0, 0, 0, 0, 9}) }, "", 8},
		"the keys of the log":  {func(tx store.Tx, _ []byte) { flip(tx, store.Meta, []byte("chain\x00\x00\x00\x01")) }, "", 0},
		"a record of no kind":  {func(tx store.Tx, id []byte) { must(t, tx.Put(store.Records, append([]byte{99}, id...), []byte("x"))) }, "", -1},
		"a value of no secret": {func(tx store.Tx, _ []byte) { must(t, tx.Put(store.Values, make([]byte, 16), []byte("x"))) }, "", -1},
		"a further slot":       {func(tx store.Tx, _ []byte) { must(t, tx.Put(store.Slots, make([]byte, 16), []byte("x"))) }, "slot", -1},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			l, dir, secrets := furnished(t)
			events := len(lastEvents(t, l, 1000))
			l.Close()
			edit(t, dir, func(tx store.Tx) { test.edit(tx, secrets[1].ID[:]) })
			s, _ := salvaged(t, dir)
			if got := lostKinds(s); got != test.lost {
				t.Errorf("lost: %s; want %s", got, test.lost)
			}
			want := int64(events)
			if test.events >= 0 {
				want = test.events
			}
			if int64(s.Events) != want || int(s.Events+s.LostEvents) != events {
				t.Errorf("%d events kept and %d lost, of %d", s.Events, s.LostEvents, events)
			}
		})
	}
}

// TestSalvageOfDamagedPages: whatever is salvaged of a file that was damaged at
// random was in the vault, and is a vault in order.
func TestSalvageOfDamagedPages(t *testing.T) {
	t.Parallel()
	dir, whole, want, put := large(t)
	known := map[string]bool{}
	for _, s := range want.Secrets {
		known[s.Name] = true
	}
	rng := rand.New(rand.NewPCG(30, 31))
	n := 60
	if testing.Short() {
		n = 15
	}
	made, some := 0, 0
	for i := range n {
		b := []byte(string(whole))
		at := (2 + rng.IntN(len(b)/4096-2)) * 4096
		clear(b[at : at+4096])
		put(b)
		to := filepath.Join(t.TempDir(), "new")
		s, err := open(t, dir).Salvage(t.Context(), to)
		if err != nil {
			if code := fault.CodeOf(err); code != fault.VaultCorrupt && code != fault.WrongKey {
				t.Errorf("page %d of run %d: %v", at/4096, i, err)
			}
			continue
		}
		made++
		l := open(t, to)
		vaulttest.Healthy(t, l)
		secrets, err := l.Secrets(t.Context(), nil)
		must(t, err)
		for _, s := range secrets {
			if !known[s.Name] {
				t.Errorf("run %d: secret %s was never there", i, s.Name)
			}
		}
		if 0 < len(secrets) && len(secrets) < len(want.Secrets) && len(s.Lost) > 0 {
			some++
		}
		l.Close()
	}
	t.Logf("of %d damaged files, %d were salvaged, %d of them in part", n, made, some)
	if made < n/2 || some == 0 {
		t.Error("the test shows little")
	}
}

// TestWhereASalvagedVaultMayGo: into a directory that is its own.
func TestWhereASalvagedVaultMayGo(t *testing.T) {
	t.Parallel()
	l, dir := fresh(t)
	full := t.TempDir()
	must(t, os.WriteFile(filepath.Join(full, "x"), nil, 0o600))
	empty := filepath.Join(t.TempDir(), "empty")
	must(t, os.Mkdir(empty, 0o700))
	for _, test := range []struct {
		name, dir string
		code      fault.Code
	}{
		{"no name", "", fault.InvalidRequest},
		{"the vault's own", dir, fault.InvalidRequest},
		{"below it", filepath.Join(dir, "new"), fault.InvalidRequest},
		{"one that holds something", full, fault.AlreadyExists},
		{"a file", filepath.Join(full, "x"), fault.InvalidRequest},
		{"an empty one", empty, ""},
		{"again", empty, fault.AlreadyExists},
	} {
		if _, err := l.Salvage(t.Context(), test.dir); fault.CodeOf(err) != test.code {
			t.Errorf("%s: %q (%v), want %q", test.name, fault.CodeOf(err), err, test.code)
		}
	}
	_, err := open(t, vaulttest.Dir(t)).Salvage(t.Context(), filepath.Join(t.TempDir(), "new"))
	wantCode(t, err, fault.InvalidRequest)
}

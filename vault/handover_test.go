package vault_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aivault/keys"
	"aivault/keys/fault"
	"aivault/keys/keystest"
	"aivault/keys/opaque"
	"aivault/vault"
	"aivault/vault/internal/store"
	"aivault/vault/vaulttest"
)

// deaf is a process that reaches no key by itself.
func deaf(t testing.TB, dir string) *vault.Local {
	t.Helper()
	opts := vaulttest.Options(dir)
	opts.Keys = keys.Source{}
	l := vault.New(opts)
	t.Cleanup(l.Close)
	return l
}

// TestHandOver: a process without a way to any key opens the vault by the one
// that another process fetched, of whatever kind its slot is.
func TestHandOver(t *testing.T) {
	t.Parallel()
	for _, kind := range []keys.Kind{keys.KindFile, keys.KindKeyring, keys.KindEnv, keys.KindPassphrase, keys.KindRecovery} {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			first := keys.KindPassphrase
			if kind == first {
				first = keys.KindRecovery
			}
			h := settled(t, first, kind)
			s := vaulttest.Create(t, h.now, vault.GlobalScope(), "n", "made-up")
			if h.typed, h.given = "made-up words", kind.Typed(); kind == keys.KindRecovery {
				h.typed = h.paper
			}
			l := h.open()
			slot, key, err := l.FetchKey(t.Context())
			must(t, err)
			want := 0
			if kind.Typed() {
				want = 1
			}
			if slot != h.slots[string(kind)].ID || len(h.asked) != want {
				t.Errorf("slot %s, asked %v", slot, h.asked)
			}
			if kind == keys.KindFile {
				must(t, removeFile(h.dir, "kek.key"))
			}
			d := deaf(t, h.dir)
			if kind.Typed() || kind == keys.KindFile {
				if err := d.Unlock(t.Context()); err == nil {
					t.Fatal("it opens the vault by itself")
				}
			}
			for range 2 { // the second time it is open
				must(t, d.UnlockWith(t.Context(), slot, key))
			}
			key.Clear() // it was the caller's
			found, err := d.FindSecret(t.Context(), s.ID.String())
			if err != nil || found.Name != "n" {
				t.Errorf("%+v, %v", found, err)
			}
			slots, err := d.Slots(t.Context())
			must(t, err)
			for _, known := range slots {
				if known.Opened != (known.ID == slot) {
					t.Errorf("slot %+v", known)
				}
			}
			must(t, d.Lock(t.Context()))
			wantCode(t, d.UnlockWith(t.Context(), slot, key), fault.WrongKey) // it is cleared
		})
	}
}

// TestHandOverOfAWrongKey: what does not open the vault is refused, also where
// the vault is open, which it stays.
func TestHandOverOfAWrongKey(t *testing.T) {
	t.Parallel()
	h := settled(t, keys.KindKeyring, keys.KindEnv)
	ring, env := h.slots["keyring"].ID, h.slots["env"].ID
	slot, key, err := h.open().FetchKey(t.Context())
	must(t, err)
	if slot != env {
		t.Fatalf("fetched by slot %s", slot)
	}
	other, err := keys.NewKey()
	must(t, err)
	stranger, _ := fresh(t)
	_, foreign, err := stranger.FetchKey(t.Context())
	must(t, err)
	d := deaf(t, h.dir)
	for _, open := range []bool{false, true} {
		for name, try := range map[string]struct {
			slot vault.ID
			key  keys.Key
			code fault.Code
		}{
			"a random key":            {env, other, fault.WrongKey},
			"the key of another slot": {ring, key, fault.WrongKey},
			"that of another vault":   {env, foreign, fault.WrongKey},
			"a short one":             {env, opaque.New([]byte("made-up")), fault.WrongKey},
			"none":                    {env, nil, fault.WrongKey},
			"a slot that is not":      {vault.ID{1}, key, fault.KeyUnavailable},
			"no slot":                 {vault.ID{}, key, fault.KeyUnavailable},
		} {
			if err := d.UnlockWith(t.Context(), try.slot, try.key); fault.CodeOf(err) != try.code || fault.HintOf(err) == "" {
				t.Errorf("%s, open %t: %v", name, open, err)
			}
			if _, err := d.Secrets(t.Context(), nil); (err == nil) != open {
				t.Errorf("%s, open %t: then %v", name, open, err)
			}
		}
		must(t, d.UnlockWith(t.Context(), env, key))
	}
	none := deaf(t, vaulttest.Dir(t))
	wantCode(t, none.UnlockWith(t.Context(), env, key), fault.InvalidRequest)
	_, _, err = none.FetchKey(t.Context())
	wantCode(t, err, fault.InvalidRequest)
}

// TestHandOverOfADamagedVault tells what is wrong, as Unlock does.
func TestHandOverOfADamagedVault(t *testing.T) {
	t.Parallel()
	h := settled(t, keys.KindFile, keys.KindEnv)
	slot, key, err := h.now.FetchKey(t.Context())
	must(t, err)
	before := read(t, vaultFile(h.dir))
	flip := func(table store.Table, k []byte) {
		edit(t, h.dir, func(tx store.Tx) {
			v := bytes.Clone(tx.Get(table, k))
			v[len(v)-1] ^= 1
			must(t, tx.Put(table, k, v))
		})
	}
	flip(store.Meta, []byte(metaManifest))
	wantCode(t, deaf(t, h.dir).UnlockWith(t.Context(), slot, key), fault.VaultCorrupt)
	must(t, os.WriteFile(vaultFile(h.dir), []byte(before), 0o600))
	edit(t, h.dir, func(tx store.Tx) {
		file := h.slots["file"].ID
		must(t, tx.Delete(store.Slots, file[:]))
	})
	wantCode(t, deaf(t, h.dir).UnlockWith(t.Context(), slot, key), fault.VaultCorrupt)
	_, _, err = h.open().FetchKey(t.Context())
	wantCode(t, err, fault.VaultCorrupt)
	must(t, os.WriteFile(vaultFile(h.dir), []byte(before), 0o600))
	vaulttest.Create(t, h.now, vault.GlobalScope(), "n", "made-up")
	must(t, os.WriteFile(vaultFile(h.dir), []byte(before), 0o600))
	wantCode(t, deaf(t, h.dir).UnlockWith(t.Context(), slot, key), fault.VaultRollback)
}

// TestFetchKeyInVain: an answer that is wrong, and nobody who gives one.
func TestFetchKeyInVain(t *testing.T) {
	t.Parallel()
	h := settled(t, keys.KindPassphrase)
	_, _, err := h.open().FetchKey(t.Context())
	wantCode(t, err, fault.VaultLocked)
	h.typed = "other words"
	_, key, err := h.open().FetchKey(t.Context())
	wantCode(t, err, fault.WrongKey)
	if key != nil {
		t.Error("there is a key all the same")
	}
	h.typed = "made-up words"
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, _, err = h.open().FetchKey(ctx)
	wantCode(t, err, fault.Canceled)
}

// TestSlotInHalves: a process in which the vault is locked makes the key, and
// another one, which reaches no key, the slot.
func TestSlotInHalves(t *testing.T) {
	t.Parallel()
	h := settled(t, keys.KindPassphrase)
	h.typed = "made-up words"
	slot, key, err := h.open().FetchKey(t.Context())
	must(t, err)
	d := deaf(t, h.dir)
	must(t, d.UnlockWith(t.Context(), slot, key))
	h.asked = nil
	for _, kind := range []keys.Kind{keys.KindKeyring, keys.KindFile, keys.KindRecovery, keys.KindPassphrase} {
		if h.typed = ""; kind == keys.KindPassphrase {
			h.typed = "other words"
		}
		cfg, key, err := h.open().NewKey(t.Context(), h.config(kind))
		must(t, err)
		added, err := d.AddSlotKey(t.Context(), cfg, key)
		must(t, err)
		if added.Key.Kind != kind || added.CreatedAt.IsZero() || kind == keys.KindKeyring && added.Key.Account == "" {
			t.Errorf("%s: slot %+v", kind, added)
		}
		must(t, deaf(t, h.dir).UnlockWith(t.Context(), added.ID, key))
		_, err = d.AddSlotKey(t.Context(), cfg, key)
		wantCode(t, err, fault.AlreadyExists)
		key.Clear()
	}
	if len(h.asked) != 1 || !h.asked[0].New {
		t.Errorf("asked %v", h.asked)
	}
	if got, err := h.opener(); got != keys.KindFile {
		t.Errorf("it is opened by %q, %v", got, err)
	}
	vaulttest.Healthy(t, d)
}

// TestSlotOfNothing: what is no place for a key, or no key, makes no slot.
func TestSlotOfNothing(t *testing.T) {
	t.Parallel()
	h := settled(t, keys.KindKeyring)
	good, err := keys.NewKey()
	must(t, err)
	env := keys.Config{Kind: keys.KindEnv, Var: "MADE_UP"}
	for name, try := range map[string]struct {
		cfg keys.Config
		key keys.Key
	}{
		"no place":                {keys.Config{}, good},
		"two places":              {keys.Config{Kind: keys.KindEnv, Var: "A", Path: "/b"}, good},
		"an entry without a name": {keys.Config{Kind: keys.KindKeyring, Service: "aivault"}, good},
		"a short key":             {env, opaque.New([]byte("made-up"))},
		"a long key":              {env, opaque.New(make([]byte, 33))},
		"no key":                  {env, nil},
	} {
		_, err := h.now.AddSlotKey(t.Context(), try.cfg, try.key)
		if fault.CodeOf(err) != fault.InvalidRequest {
			t.Errorf("%s: %v", name, err)
		}
	}
	none := deaf(t, vaulttest.Dir(t))
	_, err = none.AddSlotKey(t.Context(), env, good)
	wantCode(t, err, fault.InvalidRequest)
	_, _, err = none.NewKey(t.Context(), env)
	wantCode(t, err, fault.InvalidRequest)
	_, err = deaf(t, h.dir).AddSlotKey(t.Context(), env, good) // it is not open
	wantCode(t, err, fault.KeyUnavailable)
	if slots, err := h.now.Slots(t.Context()); len(slots) != 1 || err != nil {
		t.Errorf("slots %v, %v", slots, err)
	}
}

// TestDiscardKey: what was made in vain does not stay in the keyring.
func TestDiscardKey(t *testing.T) {
	t.Parallel()
	h := settled(t, keys.KindFile)
	cfg, key, err := h.now.NewKey(t.Context(), h.config(keys.KindKeyring))
	must(t, err)
	key.Clear()
	if n := h.ring.Accounts(keys.KeyringService); n != 1 {
		t.Fatalf("%d entries", n)
	}
	h.now.DiscardKey(t.Context(), cfg)
	if n := h.ring.Accounts(keys.KeyringService); n != 0 {
		t.Errorf("%d entries stay", n)
	}
	h.ring.SetMode(keystest.Locked)
	_, _, err = h.now.NewKey(t.Context(), h.config(keys.KindKeyring))
	wantCode(t, err, fault.KeyUnavailable)
}

// TestCopyTo writes a backup that can be restored, and leaves nothing else.
func TestCopyTo(t *testing.T) {
	t.Parallel()
	l, dir, _ := furnished(t)
	elsewhere := t.TempDir()
	name := filepath.Join(elsewhere, "of-the-client") // which is a name, and no place
	var copied bytes.Buffer
	b, err := l.CopyTo(t.Context(), name, &copied)
	must(t, err)
	if b.File != name || b.Bytes != int64(copied.Len()) || len(list(t, elsewhere)) != 0 {
		t.Errorf("%+v; %d bytes, and %v", b, copied.Len(), list(t, elsewhere))
	}
	e := lastEvents(t, l, 1)[0]
	if e.Kind != vault.KindVaultBackup || e.Outcome != vault.OutcomeOK || e.Note != name || e.Seq != b.Events {
		t.Errorf("recorded as %+v", e)
	}
	if got := strings.Join(list(t, dir), " "); got != "kek.key state vault.db vault.lock" {
		t.Errorf("beside the vault: %s", got)
	}
	file := filepath.Join(elsewhere, "backup")
	must(t, os.WriteFile(file, copied.Bytes(), 0o600))
	again, _ := beside(t, dir, file)
	want, err := take(t.Context(), l)
	must(t, err)
	got, err := take(t.Context(), again)
	if diff := cmp.Diff(got, want); diff != "" || err != nil {
		t.Errorf("%v; it holds (-got +want):\n%s", err, diff)
	}
	_, err = l.CopyTo(t.Context(), "", &copied)
	wantCode(t, err, fault.InvalidRequest)
	_, err = deaf(t, vaulttest.Dir(t)).CopyTo(t.Context(), name, &copied)
	wantCode(t, err, fault.InvalidRequest)
}

// A writerFunc is a function that writes.
type writerFunc func(p []byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

// TestCopyToInVain: a copy that nobody took to its end is recorded as one that
// failed, and so is one of a damaged vault, of which nobody gets a byte.
func TestCopyToInVain(t *testing.T) {
	t.Parallel()
	l, dir, secrets := furnished(t)
	ctx, cancel := context.WithCancel(t.Context())
	written := 0
	tests := []struct {
		name    string
		prepare func()
		w       writerFunc
		code    fault.Code
	}{
		{"who reads goes away", func() {}, func([]byte) (int, error) { return 0, errors.New("made-up: gone") }, fault.IO},
		{"the request is over", func() {}, func(p []byte) (int, error) { cancel(); return len(p), nil }, fault.Canceled},
		{"it does not verify", func() { damage(t, dir, secrets[0].ID) }, func(p []byte) (int, error) { written += len(p); return len(p), nil }, fault.VaultCorrupt},
	}
	for i, test := range tests {
		test.prepare()
		in := t.Context()
		if i == 1 {
			in = ctx
		}
		_, err := l.CopyTo(in, "made-up-name", test.w)
		wantCode(t, err, test.code)
		e := lastEvents(t, l, 1)[0]
		if e.Kind != vault.KindVaultBackup || e.Outcome != vault.OutcomeError || e.Code != test.code || e.Note != "made-up-name" {
			t.Errorf("%s: the log ends with %+v", test.name, e)
		}
		if got := strings.Join(list(t, dir), " "); got != "kek.key state vault.db vault.lock" {
			t.Errorf("%s: beside the vault: %s", test.name, got)
		}
	}
	if written != 0 {
		t.Errorf("%d bytes of a copy that does not verify", written)
	}
}

// TestLockDuringACopy: whoever reads a copy slowly keeps no key from being
// forgotten, and no change from being made.
func TestLockDuringACopy(t *testing.T) {
	t.Parallel()
	h := settled(t, keys.KindPassphrase)
	h.typed = "made-up words"
	slot, key, err := h.open().FetchKey(t.Context())
	must(t, err)
	d := deaf(t, h.dir)
	must(t, d.UnlockWith(t.Context(), slot, key))
	calls := 0
	_, err = d.CopyTo(t.Context(), "slow", writerFunc(func(p []byte) (int, error) {
		if calls++; calls == 1 {
			vaulttest.Create(t, h.now, vault.GlobalScope(), "meanwhile", "made-up")
			must(t, d.Lock(t.Context()))
			_, err := d.Secrets(t.Context(), nil)
			wantCode(t, err, fault.VaultLocked)
		}
		return len(p), nil
	}))
	if err != nil || calls == 0 {
		t.Errorf("%d writes, %v", calls, err)
	}
}

// TestLeftoverOfACopy: what a copy that was killed left is named by doctor, and
// removed by the next one once it is nobody's.
func TestLeftoverOfACopy(t *testing.T) {
	t.Parallel()
	l, dir := fresh(t)
	left := filepath.Join(dir, ".aivault-backup-MADEUP.tmp")
	must(t, os.WriteFile(left, []byte("made-up"), 0o600))
	report, err := l.Doctor(t.Context())
	must(t, err)
	named := false
	for _, c := range report.Checks {
		named = named || c.Name == "leftovers" && strings.Contains(c.Detail, filepath.Base(left)) && c.Remedy != ""
	}
	if !named {
		t.Errorf("doctor says %+v", report.Checks)
	}
	var out bytes.Buffer
	_, err = l.CopyTo(t.Context(), "b", &out)
	must(t, err)
	if read(t, left) != "made-up" {
		t.Error("one that may still be written is gone")
	}
	old := time.Now().Add(-time.Hour)
	must(t, os.Chtimes(left, old, old))
	_, err = l.CopyTo(t.Context(), "b", &out)
	must(t, err)
	if _, err := os.Lstat(left); err == nil {
		t.Error("it is still there")
	}
}

package vault_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aivault/keys"
	"aivault/keys/fault"
	"aivault/vault"
	"aivault/vault/internal/store"
	"aivault/vault/vaulttest"
)

// sealedRows are what is sealed in a vault's file, with its place: records, values,
// slots, and keys of the log.
func sealedRows(t testing.TB, dir string) map[string][]byte {
	t.Helper()
	out := map[string][]byte{}
	edit(t, dir, func(tx store.Tx) {
		for _, table := range []store.Table{store.Meta, store.Slots, store.Records, store.Values} {
			ks, vs := rows(t, tx, table)
			for i, k := range ks {
				if len(vs[i]) > 16 { // not the format, or the vault's id
					out[string(rune(table))+string(k)] = vs[i]
				}
			}
		}
	})
	return out
}

// TestNothingOldIsLeft: what was sealed with the earlier root key is not in the
// file any more, and what is in it now does not open with that.
//
// Case 118, 120.
func TestNothingOldIsLeft(t *testing.T) {
	t.Parallel()
	l, dir := fresh(t)
	for i := range 50 {
		s := vaulttest.Create(t, l, vault.GlobalScope(), fmt.Sprint("n", i), fmt.Sprint("made-up-value-", i))
		_, err := l.RotateSecret(t.Context(), s.ID, val("another-value"), 0)
		must(t, err)
	}
	old, oldKey := read(t, vaultFile(dir)), read(t, keyFile(dir).Path)
	before := sealedRows(t, dir)
	_, err := l.RotateMaster(t.Context(), vault.RotateOptions{})
	must(t, err)
	file := read(t, vaultFile(dir))
	after := sealedRows(t, dir)
	const piece = 24 // bytes: of a nonce or ciphertext, never of two by chance
	pieces := 0
	for place, b := range before {
		for at := 24; at+piece <= len(b); at += piece { // behind the header
			if place[0] == byte(store.Slots) && bytes.Contains(after[place], b[at:at+piece]) {
				continue // the place and the public key of a slot stay
			}
			if pieces++; strings.Contains(file, string(b[at:at+piece])) {
				t.Fatalf("of the row %x of before, bytes %d to %d are in the file", place, at, at+piece)
			}
		}
	}
	if pieces < 50*10 {
		t.Errorf("only %d pieces were looked for", pieces)
	}
	for _, name := range list(t, dir) {
		if strings.HasPrefix(name, "vault.db.") {
			t.Errorf("there is %s", name)
		}
	}

	// With the old key and the old file, no record of now opens.
	elsewhere := vaulttest.Dir(t)
	must(t, os.WriteFile(keyFile(elsewhere).Path, []byte(oldKey), 0o600))
	for place, b := range after {
		table, key := store.Table(place[0]), []byte(place[1:])
		if table != store.Records && table != store.Values {
			continue
		}
		must(t, os.WriteFile(vaultFile(elsewhere), []byte(old), 0o600))
		edit(t, elsewhere, func(tx store.Tx) { must(t, tx.Put(table, key, b)) })
		if _, found := failed(t, open(t, elsewhere))["records"]; !found {
			t.Fatalf("row %x of now opens with the root key of before", place)
		}
	}
}

// TestRotateRefusesDamage: a vault that was changed or damaged is not sealed anew,
// which would hide it. The error tells what, and nothing is changed.
func TestRotateRefusesDamage(t *testing.T) {
	t.Parallel()
	attacks := map[string]struct {
		edit func(t *testing.T, tx store.Tx, id vault.ID)
		code fault.Code
		says string
	}{
		"a record": {func(t *testing.T, tx store.Tx, id vault.ID) {
			key := append([]byte{1}, id[:]...)
			rec := bytes.Clone(tx.Get(store.Records, key))
			rec[len(rec)-1] ^= 1
			must(t, tx.Put(store.Records, key, rec))
		}, fault.VaultCorrupt, "1 records do not open: record 01"},
		"a value": {func(t *testing.T, tx store.Tx, id vault.ID) {
			rec := bytes.Clone(tx.Get(store.Values, id[:]))
			rec[len(rec)-1] ^= 1
			must(t, tx.Put(store.Values, id[:], rec))
		}, fault.VaultCorrupt, "the value of secret two"},
		"a value that is gone": {func(t *testing.T, tx store.Tx, id vault.ID) {
			must(t, tx.Delete(store.Values, id[:]))
		}, fault.VaultCorrupt, "the value of secret two"},
		"a value of nothing": {func(t *testing.T, tx store.Tx, id vault.ID) {
			must(t, tx.Put(store.Values, make([]byte, 16), bytes.Clone(tx.Get(store.Values, id[:]))))
		}, fault.VaultCorrupt, "removed, added or put back"},
		"a secret that is gone": {func(t *testing.T, tx store.Tx, id vault.ID) {
			must(t, tx.Delete(store.Records, append([]byte{1}, id[:]...)))
			must(t, tx.Delete(store.Values, id[:]))
		}, fault.VaultCorrupt, "removed, added or put back"},
		"a record of no kind": {func(t *testing.T, tx store.Tx, id vault.ID) {
			must(t, tx.Put(store.Records, append([]byte{99}, id[:]...), bytes.Clone(tx.Get(store.Records, append([]byte{1}, id[:]...)))))
		}, fault.VaultCorrupt, "1 records do not open"},
		"a key of no length": {func(t *testing.T, tx store.Tx, _ vault.ID) {
			must(t, tx.Put(store.Records, []byte{1, 2}, []byte("x")))
		}, fault.VaultCorrupt, "its key"},
		"an event": {func(t *testing.T, tx store.Tx, _ vault.ID) {
			key := []byte{0, 0, 0, 0, 0, 0, 0, 2}
			b := bytes.Clone(tx.Get(store.Audit, key))
			b[50] ^= 1
			must(t, tx.Put(store.Audit, key, b))
		}, fault.AuditBroken, "event 2"},
		"the keys of the log": {func(t *testing.T, tx store.Tx, _ vault.ID) {
			key := []byte("chain\x00\x00\x00\x01")
			b := bytes.Clone(tx.Get(store.Meta, key))
			b[len(b)-1] ^= 1
			must(t, tx.Put(store.Meta, key, b))
		}, fault.AuditBroken, "the keys of the audit log"},
		"a slot": {func(t *testing.T, tx store.Tx, _ vault.ID) {
			ks, vs := rows(t, tx, store.Slots)
			b := bytes.Clone(vs[1])
			b[len(b)-1] ^= 1
			must(t, tx.Put(store.Slots, ks[1], b))
		}, fault.VaultCorrupt, "the key slots"},
	}
	for name, attack := range attacks {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l, dir := fresh(t)
			_, err := l.AddSlot(t.Context(), keys.Config{Kind: keys.KindFile, Path: filepath.Join(dir, "second.key")})
			must(t, err)
			vaulttest.Create(t, l, vault.GlobalScope(), "one", "made-up")
			two := vaulttest.Create(t, l, vault.GlobalScope(), "two", "made-up")
			edit(t, dir, func(tx store.Tx) { attack.edit(t, tx, two.ID) })
			before := read(t, vaultFile(dir))
			_, err = l.RotateMaster(t.Context(), vault.RotateOptions{})
			wantCode(t, err, attack.code)
			if err == nil || !strings.Contains(err.Error(), attack.says) {
				t.Errorf("%v", err)
			}
			if diff := cmp.Diff(list(t, dir), []string{"kek.key", "run", "second.key", "state", "vault.db", "vault.lock"}); diff != "" {
				t.Errorf("files (-got +want):\n%s", diff)
			}
			if read(t, vaultFile(dir)) != before {
				t.Error("the file was changed")
			}
		})
	}
}

// TestRotateRefusesAnOlderCopy: it would no longer be known as one.
func TestRotateRefusesAnOlderCopy(t *testing.T) {
	t.Parallel()
	l, dir := fresh(t)
	old := read(t, vaultFile(dir))
	vaulttest.Create(t, l, vault.GlobalScope(), "one", "made-up")
	must(t, os.WriteFile(vaultFile(dir), []byte(old), 0o600))
	for _, l := range []*vault.Local{l, open(t, dir)} {
		_, err := l.RotateMaster(t.Context(), vault.RotateOptions{})
		wantCode(t, err, fault.VaultRollback)
	}
}

// TestRotateProgress: somebody is told how far it is, not too often, and that it
// is done.
func TestRotateProgress(t *testing.T) {
	t.Parallel()
	l, _ := fresh(t)
	entries := make([]vault.ImportEntry, 1000)
	for i := range entries {
		entries[i] = vault.ImportEntry{Name: fmt.Sprint("n", i), Value: val("made-up")}
	}
	_, err := l.ImportSecrets(t.Context(), vault.GlobalScope(), entries, false)
	must(t, err)
	var told [][2]int
	start := time.Now()
	_, err = l.RotateMaster(t.Context(), vault.RotateOptions{Progress: func(done, total int) { told = append(told, [2]int{done, total}) }})
	must(t, err)
	most := 2 + int(time.Since(start)/(100*time.Millisecond))
	const all = 1001 // and what is known of the slot
	if len(told) == 0 || len(told) > most || told[len(told)-1] != [2]int{all, all} {
		t.Errorf("told %v", told)
	}
}

package vault_test

import (
	"bytes"
	"testing"
	"time"

	"aivault/keys/fault"
	"aivault/vault"
	"aivault/vault/internal/store"
	"aivault/vault/vaulttest"
)

// Kinds of the records that count calls.
const kindRate, kindDenials = 9, 10

// TestEditedCounts: a count that was edited is not one, and Doctor finds one
// that was removed or put back to an earlier state, as somebody would who wants
// more calls than there are.
func TestEditedCounts(t *testing.T) {
	l, dir := fresh(t)
	vaulttest.Create(t, l, vault.GlobalScope(), "n", "made-up")
	calls := func() (err error) {
		if err = limited(l, "acme/items", 100, vault.Event{}); err != nil {
			return err
		}
		if err = refuse(l, vault.Event{Path: "/a"}); fault.CodeOf(err) == fault.PolicyViolation {
			err = nil
		}
		return err
	}
	must(t, calls())
	older := map[string][]byte{}
	var keys [][]byte
	edit(t, dir, func(tx store.Tx) {
		for _, kind := range []byte{kindRate, kindDenials} {
			found, values := rows(t, tx, store.Records, kind)
			for i, key := range found {
				keys = append(keys, key)
				older[string(key)] = values[i]
			}
		}
	})
	if len(keys) != 3 { // calls, refusals, denials
		t.Fatalf("%d records", len(keys))
	}
	must(t, calls())
	vaulttest.Healthy(t, l)
	whole := read(t, vaultFile(dir))
	for _, key := range keys {
		edits := map[string]func(tx store.Tx) error{
			"removed":  func(tx store.Tx) error { return tx.Delete(store.Records, key) },
			"put back": func(tx store.Tx) error { return tx.Put(store.Records, key, older[string(key)]) },
			"moved": func(tx store.Tx) error {
				return tx.Put(store.Records, append(bytes.Clone(key[:16]), key[16]^1), tx.Get(store.Records, key))
			},
			"edited": func(tx store.Tx) error {
				v := bytes.Clone(tx.Get(store.Records, key))
				v[len(v)-1] ^= 1
				return tx.Put(store.Records, key, v)
			},
		}
		for name, change := range edits {
			edit(t, dir, func(tx store.Tx) { must(t, change(tx)) })
			if len(failed(t, l)) == 0 {
				t.Errorf("%x was %s, and Doctor finds nothing wrong", key, name)
			}
			if name == "edited" {
				wantCode(t, calls(), fault.VaultCorrupt)
			}
			putBack(t, l, dir, whole)
		}
	}
	vaulttest.Healthy(t, l)
}

// TestCountsTellNothing: the file shows neither names nor what was called.
func TestCountsTellNothing(t *testing.T) {
	l, dir := fresh(t)
	must(t, limited(l, "acme/telling", 100, vault.Event{Workspace: "w-telling"}))
	wantCode(t, refuse(l, vault.Event{Capability: "acme/telling", Path: "/telling", Host: "telling.test"}), fault.PolicyViolation)
	l.Close()
	if bytes.Contains([]byte(read(t, vaultFile(dir))), []byte("telling")) {
		t.Error("the file shows a name")
	}
}

// TestEventsOfDenialsThatAreGone: what was counted of a denial whose event was
// changed is not made up: the log is broken, and says so.
func TestEventsOfDenialsThatAreGone(t *testing.T) {
	l, dir, c, _ := ticking(t)
	for range 2 {
		wantCode(t, refuse(l, vault.Event{Path: "/a"}), fault.PolicyViolation)
	}
	edit(t, dir, func(tx store.Tx) {
		keys, values := rows(t, tx, store.Audit)
		last := len(keys) - 1
		values[last][40] ^= 1
		must(t, tx.Put(store.Audit, keys[last], values[last]))
	})
	c.pass(time.Hour)
	_, err := l.Authorize(t.Context(), decideUse())
	wantCode(t, err, fault.AuditBroken)
}

package vault_test

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/google/uuid"

	"aivault/keys/fault"
	"aivault/vault"
	"aivault/vault/internal/store"
	"aivault/vault/vaulttest"
)

// Keys of the meta table and kinds of records, as the package comment of vault
// documents them.
const (
	metaFormat, metaManifest = "format", "manifest"

	kindSecret, kindUsage, kindCredential, kindCapability, kindBinding, kindDisabled, kindPolicy, kindRenewal = 1, 2, 3, 4, 5, 6, 7, 8
)

// furnished returns a vault that holds something of everything.
func furnished(t testing.TB) (l *vault.Local, dir string, secrets []vault.Secret) {
	t.Helper()
	l, dir = fresh(t)
	ctx := t.Context()
	for i, name := range []string{"ACME_KEY", "mine", "other"} {
		n := newSecret(workspace("w-furnished"), name, fmt.Sprint("made-up-value-", i))
		n.Aliases = []string{"alias-" + name}
		s, err := l.CreateSecret(ctx, n)
		must(t, err)
		_, err = l.CreateCredential(ctx, credential("cred-"+name, s.ID, "host-furnished.test"), nil)
		must(t, err)
		_, err = l.CreateCapability(ctx, capability("acme/cap-"+name))
		must(t, err)
		b := vault.Binding{Capability: "acme/cap-" + name, Secret: s.ID, Scope: vault.GlobalScope(), Consumer: "consumer-x", Hosts: []vault.Host{{Name: "host-furnished.test"}}}
		_, err = l.PutBinding(ctx, b, nil)
		must(t, err)
		_, _, err = l.AttachGroup(ctx, s.ID, vault.GroupRef{Workspace: "w-furnished", Group: "g-furnished"}, 0)
		must(t, err)
		_, err = l.DisableCredential(ctx, "disabled-"+name)
		must(t, err)
		_, err = l.SetPolicy(ctx, vault.Policy{Capability: "acme/cap-" + name, Rate: new(int64(1000)), Block: []string{"field-furnished"}}, 0)
		must(t, err)
		_, _, err = l.Grant(ctx, 1000+i, vault.Context{Workspace: "w-furnished", Group: "g-furnished"})
		must(t, err)
		_, err = l.PutProvider(ctx, vault.Provider{
			ID: "provider-furnished-" + name, Definition: []byte(`{"id":"furnished"}`),
			Claims: []string{"CLAIMED_FURNISHED_" + name}, Hosts: []string{"host-furnished.test"},
		})
		must(t, err)
		use := useOf(s.ID, "host-furnished.test")
		must(t, l.BeginRenewal(ctx, granted(t, l, use), use, 1))
		s, err = l.FindSecret(ctx, s.ID.String())
		must(t, err)
		secrets = append(secrets, s)
	}
	vaulttest.Healthy(t, l)
	return l, dir, secrets
}

// readAll asks the vault for everything, values included, and returns the
// first error.
func readAll(t testing.TB, l *vault.Local, secrets []vault.Secret) error {
	ctx := t.Context()
	if _, err := l.Secrets(ctx, nil); err != nil {
		return err
	}
	if _, err := l.Slots(ctx); err != nil {
		return err
	}
	if _, err := l.Effective(ctx, vault.Context{Workspace: "w-furnished", Group: "g-furnished"}); err != nil {
		return err
	}
	err := l.View(ctx, func(r vault.Reader) error {
		recs, err := r.ProviderRecords()
		for i := 0; i < len(recs) && err == nil; i++ {
			_, err = r.Provider(recs[i])
		}
		return err
	})
	if err != nil {
		return err
	}
	if _, err := l.Grants(ctx); err != nil {
		return err
	}
	err = l.View(ctx, func(r vault.Reader) error {
		_, err1 := r.Credentials()
		_, err2 := r.Disabled()
		_, err3 := r.Capabilities()
		_, err4 := r.Bindings("")
		_, err5 := r.Policies()
		for _, err := range []error{err1, err2, err3, err4, err5} {
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	for i, s := range secrets {
		use := useOf(s.ID, "host-furnished.test")
		grant, err := l.Authorize(ctx, decideUse(use))
		if err != nil {
			return err
		}
		again, renewal, err := l.Reopen(ctx, grant.Intent, use)
		if err != nil {
			return err
		}
		want := val(fmt.Sprint("made-up-value-", i))
		if !grant.Values[0].Equal(want) || !again.Equal(want) {
			t.Errorf("another value came out")
		}
		if renewal.Version != s.Version || renewal.Refused || !renewal.LastAt.IsZero() {
			t.Errorf("its renewals are %+v", renewal)
		}
	}
	return nil
}

// TestEditedRecords flips a bit in every record and value, and in the
// manifest, in turn: whoever reads it gets an error, and so does Doctor.
// Case 105, 109.
func TestEditedRecords(t *testing.T) {
	l, dir, secrets := furnished(t)
	type place struct {
		table store.Table
		key   []byte
	}
	var places []place
	edit(t, dir, func(tx store.Tx) {
		for _, table := range []store.Table{store.Records, store.Values} {
			keys, _ := rows(t, tx, table)
			for _, key := range keys {
				places = append(places, place{table, key})
			}
		}
	})
	if want := 3*10 + 4; len(places) != want {
		t.Fatalf("%d records and values, not %d", len(places), want)
	}
	places = append(places, place{store.Meta, []byte(metaManifest)})
	whole := read(t, vaultFile(dir))
	for _, p := range places {
		for _, at := range []int{0, 4, 5, 9, 17, 25, -1} { // magic, type, algorithm, generation, revision, nonce, tag
			edit(t, dir, func(tx store.Tx) {
				v := bytes.Clone(tx.Get(p.table, p.key))
				v[(at+len(v))%len(v)] ^= 1
				must(t, tx.Put(p.table, p.key, v))
			})
			wantCode(t, readAll(t, l, secrets), fault.VaultCorrupt)
			if len(failed(t, l)) == 0 {
				t.Errorf("Doctor finds nothing wrong with byte %d of %x", at, p.key)
			}
			putBack(t, l, dir, whole)
		}
	}
	wantCode(t, readAll(t, l, secrets), "")
}

// TestTampering is what somebody does who can write the file and has no key.
// Where one can tell by a single record, whoever reads it does; Doctor always.
// Case 106, 107.
func TestTampering(t *testing.T) {
	other, otherDir, _ := furnished(t)
	other.Close()
	move := func(t *testing.T, tx store.Tx, table store.Table, prefix ...byte) { // the first's content to the second
		keys, values := rows(t, tx, table, prefix...)
		must(t, tx.Put(table, keys[1], values[0]))
	}
	swap := func(t *testing.T, tx store.Tx, table store.Table, prefix ...byte) {
		keys, values := rows(t, tx, table, prefix...)
		must(t, tx.Put(table, keys[0], values[1]))
		must(t, tx.Put(table, keys[1], values[0]))
	}
	remove := func(t *testing.T, tx store.Tx, table store.Table, prefix ...byte) {
		keys, _ := rows(t, tx, table, prefix...)
		must(t, tx.Delete(table, keys[0]))
	}
	type attack struct {
		f        func(t *testing.T, tx store.Tx)
		readable bool // reading everything finds nothing: only Doctor does
		check    string
	}
	attacks := map[string]attack{}
	for kind, name := range map[byte]string{kindSecret: "secrets", kindUsage: "uses", kindCredential: "credentials", kindCapability: "capabilities", kindBinding: "bindings", kindDisabled: "disabled", kindPolicy: "policies", kindRenewal: "renewals"} {
		attacks["swap two "+name] = attack{func(t *testing.T, tx store.Tx) { swap(t, tx, store.Records, kind) }, false, "records"}
		attacks["copy one of "+name] = attack{func(t *testing.T, tx store.Tx) { move(t, tx, store.Records, kind) }, false, "records"}
		attacks["delete one of "+name] = attack{func(t *testing.T, tx store.Tx) { remove(t, tx, store.Records, kind) }, kind != kindSecret, "set hash"}
	}
	attacks["swap two values"] = attack{func(t *testing.T, tx store.Tx) { swap(t, tx, store.Values) }, false, "records"}
	attacks["copy a value"] = attack{func(t *testing.T, tx store.Tx) { move(t, tx, store.Values) }, false, "records"}
	attacks["delete a value"] = attack{func(t *testing.T, tx store.Tx) { remove(t, tx, store.Values) }, false, "records"}
	attacks["an id of its own"] = attack{func(t *testing.T, tx store.Tx) {
		_, values := rows(t, tx, store.Records, kindSecret)
		id := uuid.New()
		must(t, tx.Put(store.Records, append([]byte{kindSecret}, id[:]...), values[0]))
	}, false, "records"}
	attacks["a key that is too short"] = attack{func(t *testing.T, tx store.Tx) { must(t, tx.Put(store.Records, []byte{kindSecret, 1}, []byte("x"))) }, false, "records"}
	attacks["an unknown kind"] = attack{func(t *testing.T, tx store.Tx) { must(t, tx.Put(store.Records, make([]byte, 17), []byte("x"))) }, true, "records"}
	attacks["a value of no secret"] = attack{func(t *testing.T, tx store.Tx) {
		_, values := rows(t, tx, store.Values)
		must(t, tx.Put(store.Values, make([]byte, 16), values[0]))
	}, true, "records"}
	attacks["records of another vault"] = attack{func(t *testing.T, tx store.Tx) {
		edit(t, otherDir, func(from store.Tx) {
			keys, values := rows(t, from, store.Records, kindSecret)
			must(t, tx.Put(store.Records, keys[0], values[0]))
		})
	}, false, "records"}
	attacks["the manifest of another vault"] = attack{func(t *testing.T, tx store.Tx) {
		edit(t, otherDir, func(from store.Tx) {
			must(t, tx.Put(store.Meta, []byte(metaManifest), bytes.Clone(from.Get(store.Meta, []byte(metaManifest)))))
		})
	}, false, "manifest"}
	attacks["a second slot"] = attack{func(t *testing.T, tx store.Tx) {
		_, values := rows(t, tx, store.Slots)
		must(t, tx.Put(store.Slots, make([]byte, 16), values[0]))
	}, false, "slots"}
	for name, a := range attacks {
		t.Run(name, func(t *testing.T) {
			l, dir, secrets := furnished(t)
			edit(t, dir, func(tx store.Tx) { a.f(t, tx) })
			bad := failed(t, l)
			if _, ok := bad[a.check]; !ok {
				t.Errorf("Doctor finds no fault with %s, but with %v", a.check, slices.Collect(maps.Keys(bad)))
			}
			err := readAll(t, l, secrets)
			if !a.readable {
				wantCode(t, err, fault.VaultCorrupt)
			}
			if report, err := l.Doctor(t.Context()); err != nil || fault.CodeOf(report.Err()) == "" || fault.HintOf(report.Err()) == "" {
				t.Errorf("the report's error is %v", report.Err())
			}
		})
	}
}

// TestRollbackOfARecord: an earlier state of a record opens, and Doctor tells.
// Case 107.
func TestRollbackOfARecord(t *testing.T) {
	l, dir, _ := furnished(t)
	var keys, values [][]byte
	var value []byte
	edit(t, dir, func(tx store.Tx) {
		keys, values = rows(t, tx, store.Records, kindSecret)
		value = bytes.Clone(tx.Get(store.Values, keys[0][1:]))
	})
	id := vault.ID(keys[0][1:])
	if _, err := l.RotateSecret(t.Context(), id, val("made-up-new"), 0); err != nil {
		t.Fatal(err)
	}
	vaulttest.Healthy(t, l)
	edit(t, dir, func(tx store.Tx) { must(t, tx.Put(store.Values, id[:], value)) })
	if _, err := reveal(t.Context(), l, id, "host-furnished.test"); fault.CodeOf(err) != fault.VaultCorrupt {
		t.Errorf("an older value beside a newer record: %v", err)
	}
	edit(t, dir, func(tx store.Tx) { must(t, tx.Put(store.Records, keys[0], values[0])) })
	bad := failed(t, l)
	if _, ok := bad["set hash"]; !ok || bad["set hash"].Code != fault.VaultCorrupt {
		t.Errorf("Doctor does not find it: %+v", bad)
	}
	// The next change does not make it good.
	vaulttest.Create(t, l, vault.GlobalScope(), "another", "made-up")
	if _, ok := failed(t, l)["set hash"]; !ok {
		t.Error("a change afterwards hides it")
	}
}

// TestNewerFormat: a vault of a later version is told as such, and is not
// written.
// Fault F24.
func TestNewerFormat(t *testing.T) {
	for version, want := range map[string]fault.Code{
		"\x00\x00\x00\x05": fault.VaultNewer, "\xff\xff\xff\xff": fault.VaultNewer,
		"\x00\x00\x00\x00": fault.VaultCorrupt, "\x00\x00\x01": fault.VaultCorrupt, "": fault.VaultCorrupt,
	} {
		l, dir := fresh(t)
		vaulttest.Create(t, l, vault.GlobalScope(), "n", "made-up")
		edit(t, dir, func(tx store.Tx) {
			must(t, tx.Put(store.Meta, []byte(metaFormat), []byte(version)))
			for _, table := range []store.Table{store.Slots} { // in a form that is not known yet
				keys, _ := rows(t, tx, table)
				must(t, tx.Put(table, keys[0], []byte{2, 0, 0}))
			}
		})
		before := read(t, vaultFile(dir))
		for name, v := range map[string]*vault.Local{"open": l, "anew": open(t, dir)} {
			_, err := v.CreateSecret(t.Context(), newSecret(vault.GlobalScope(), "m", "made-up"))
			if fault.CodeOf(err) != want {
				t.Errorf("%x, %s: create: %v", version, name, err)
			}
			if _, err := v.Secrets(t.Context(), nil); fault.CodeOf(err) != want {
				t.Errorf("%x, %s: list: %v", version, name, err)
			}
			if _, err := v.Init(t.Context(), keyFile(dir)); fault.CodeOf(err) != fault.AlreadyExists {
				t.Errorf("%x, %s: init: %v", version, name, err)
			}
			if _, err := v.Status(t.Context()); fault.CodeOf(err) != want {
				t.Errorf("%x, %s: status: %v", version, name, err)
			}
		}
		if read(t, vaultFile(dir)) != before {
			t.Errorf("%x: the file was written", version)
		}
	}
}

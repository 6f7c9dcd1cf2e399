package vault_test

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"maps"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
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

	kindSecret, kindUsage, kindCredential, kindCapability, kindBinding, kindDisabled = 1, 2, 3, 4, 5, 6
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
		b := vault.Binding{Capability: "acme/cap-" + name, Secret: s.ID, Scope: vault.GlobalScope(), Consumer: "consumer-x"}
		_, err = l.PutBinding(ctx, b, []vault.Host{{Name: "host-furnished.test"}}, nil)
		must(t, err)
		_, _, err = l.AttachGroup(ctx, s.ID, vault.GroupRef{Workspace: "w-furnished", Group: "g-furnished"}, 0)
		must(t, err)
		_, err = l.DisableCredential(ctx, "disabled-"+name)
		must(t, err)
		_, err = reveal(ctx, l, s.ID, "host-furnished.test")
		must(t, err)
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
	if _, err := l.Effective(ctx, vault.Context{Workspace: "w-furnished", Group: "g-furnished"}); err != nil {
		return err
	}
	err := l.View(ctx, func(r vault.Reader) error {
		_, err1 := r.Credentials()
		_, err2 := r.Disabled()
		_, err3 := r.Capabilities()
		_, err4 := r.Bindings("")
		for _, err := range []error{err1, err2, err3, err4} {
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
		got, err := reveal(ctx, l, s.ID, "host-furnished.test")
		if err != nil {
			return err
		}
		if want := fmt.Sprint("made-up-value-", i); got != want {
			t.Errorf("another value came out")
		}
	}
	return nil
}

// TestEditedRecords flips a bit in every record and value, and in the
// manifest, in turn: whoever reads it gets an error, and so does Doctor.
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
	if want := 3 * 6; len(places) != want+3 {
		t.Fatalf("%d records and values, not %d", len(places), want+3)
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
			must(t, os.WriteFile(vaultFile(dir), []byte(whole), 0o600))
		}
	}
	wantCode(t, readAll(t, l, secrets), "")
}

// TestTampering is what somebody does who can write the file and has no key.
// Where one can tell by a single record, whoever reads it does; Doctor always.
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
	for kind, name := range map[byte]string{kindSecret: "secrets", kindUsage: "uses", kindCredential: "credentials", kindCapability: "capabilities", kindBinding: "bindings", kindDisabled: "disabled"} {
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
	}, true, "set hash"}
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

// TestEditedIndexes: an index leads to the right thing, to nothing, or to an
// error.
func TestEditedIndexes(t *testing.T) {
	l, dir, secrets := furnished(t)
	whole := read(t, vaultFile(dir))
	var keys, values [][]byte
	edit(t, dir, func(tx store.Tx) { keys, values = rows(t, tx, store.Index) })
	if len(keys) < 30 {
		t.Fatalf("only %d entries", len(keys))
	}
	edits := map[string]func(tx store.Tx, i int) error{
		"delete": func(tx store.Tx, i int) error { return tx.Delete(store.Index, keys[i]) },
		"empty or fill": func(tx store.Tx, i int) error {
			if len(values[i]) == 0 {
				return tx.Put(store.Index, keys[i], []byte("x"))
			}
			return tx.Put(store.Index, keys[i], nil)
		},
		"shorten": func(tx store.Tx, i int) error { return tx.Put(store.Index, keys[i], []byte{1, 2, 3}) },
		"to another": func(tx store.Tx, i int) error {
			for j := range keys { // of the same kind
				if j != i && keys[j][0] == keys[i][0] && !bytes.Equal(values[j], values[i]) {
					return tx.Put(store.Index, keys[i], values[j])
				}
			}
			return tx.Put(store.Index, keys[i], []byte("x"))
		},
		"add to the row": func(tx store.Tx, i int) error {
			if len(keys[i]) <= 17 {
				return tx.Put(store.Index, append(bytes.Clone(keys[i]), 1), nil)
			}
			for _, s := range secrets {
				key := append(bytes.Clone(keys[i][:17]), s.ID[:]...)
				if tx.Get(store.Index, key) == nil {
					return tx.Put(store.Index, key, nil)
				}
			}
			return tx.Put(store.Index, append(bytes.Clone(keys[i][:17]), make([]byte, 16)...), nil)
		},
	}
	for name, f := range edits {
		for i := range keys {
			edit(t, dir, func(tx store.Tx) { must(t, f(tx, i)) })
			if _, ok := failed(t, l)["indexes"]; !ok {
				t.Errorf("%s of entry %d, of kind %d: Doctor finds nothing", name, i, keys[i][0])
			}
			lookUp(t, l, secrets)
			must(t, os.WriteFile(vaultFile(dir), []byte(whole), 0o600))
		}
	}
}

// lookUp uses every index. Whatever state they are in, what they lead to must
// be what was asked for.
func lookUp(t *testing.T, l *vault.Local, secrets []vault.Secret) {
	t.Helper()
	fine := func(err error) bool {
		if err != nil && fault.CodeOf(err) != fault.VaultCorrupt {
			t.Errorf("%v", err)
		}
		return err == nil
	}
	ws := workspace("w-furnished")
	if list, err := l.Secrets(t.Context(), &ws); fine(err) {
		for _, s := range list {
			if s.Scope != ws {
				t.Errorf("a secret of scope %s is listed in %s", s.Scope, ws)
			}
		}
	}
	_, err := l.Effective(t.Context(), vault.Context{Workspace: "w-furnished", Group: "g-furnished"})
	fine(err)
	err = l.View(t.Context(), func(r vault.Reader) error {
		for _, s := range secrets {
			if found, err := r.SecretNamed(s.Scope, s.Name); fine(err) && found != nil && found.ID != s.ID {
				t.Error("a name leads to another secret")
			}
			if c, err := r.Credential("cred-" + s.Name); fine(err) && c != nil && c.Secret != s.ID {
				t.Error("an id leads to another credential")
			}
			if c, err := r.Capability("acme/cap-" + s.Name); fine(err) && c != nil && c.ID != "acme/cap-"+s.Name {
				t.Error("an id leads to another capability")
			}
			if b, err := r.Binding("acme/cap-"+s.Name, vault.GlobalScope(), "consumer-x"); fine(err) && b != nil && b.Secret != s.ID {
				t.Error("a key leads to another binding")
			}
			list, err := r.Bindings("acme/cap-" + s.Name)
			for _, b := range list {
				if fine(err) && b.Secret != s.ID {
					t.Error("another capability's binding is listed")
				}
			}
			_, err = r.IsDisabled("disabled-" + s.Name)
			fine(err)
		}
		_, err := r.Pinned("acme")
		fine(err)
		_, err = r.Attached(vault.GroupRef{Workspace: "w-furnished", Group: "g-furnished"}, "acme")
		fine(err)
		_, err = r.CredentialsOf("acme", vault.GlobalScope())
		fine(err)
		return nil
	})
	fine(err)
}

// TestChangesWithEditedIndexes: a change that an index leads astray is
// refused; it must not hit another thing.
func TestChangesWithEditedIndexes(t *testing.T) {
	l, dir, secrets := furnished(t)
	whole := read(t, vaultFile(dir))
	var keys, values [][]byte
	edit(t, dir, func(tx store.Tx) { keys, values = rows(t, tx, store.Index) })
	ctx := t.Context()
	s := secrets[1]
	changes := map[string]func() error{
		"delete secret": func() error { _, err := l.DeleteSecret(ctx, s.ID, 0); return err },
		"rename secret": func() error {
			n := "renamed"
			_, err := l.UpdateSecret(ctx, s.ID, vault.SecretChange{Name: &n}, 0)
			return err
		},
		"create": func() error { _, err := l.CreateSecret(ctx, newSecret(s.Scope, s.Name, "x")); return err },
		"import": func() error {
			_, err := l.ImportSecrets(ctx, s.Scope, []vault.ImportEntry{{Name: s.Name, Value: val("x")}}, true)
			return err
		},
		"delete credential": func() error { _, err := l.DeleteCredential(ctx, "cred-mine"); return err },
		"delete capability": func() error { _, err := l.DeleteCapability(ctx, "acme/cap-mine"); return err },
		"delete binding": func() error {
			_, err := l.DeleteBinding(ctx, "acme/cap-mine", vault.GlobalScope(), "consumer-x")
			return err
		},
		"put binding": func() error {
			_, err := l.PutBinding(ctx, vault.Binding{Capability: "acme/cap-mine", Secret: s.ID, Scope: vault.GlobalScope(), Consumer: "consumer-x"}, nil, nil)
			return err
		},
		"enable": func() error { _, err := l.EnableCredential(ctx, "disabled-mine"); return err },
	}
	for name, change := range changes {
		for i, key := range keys {
			if testing.Short() && i%4 != 0 {
				continue
			}
			edit(t, dir, func(tx store.Tx) {
				for j := range keys {
					switch {
					case len(key) == 17 && keys[j][0] == key[0] && !bytes.Equal(values[j], values[i]):
						must(t, tx.Put(store.Index, key, values[j]))
						return
					case len(key) > 17 && keys[j][0] == key[0] && !bytes.Equal(keys[j][17:], key[17:]):
						must(t, tx.Put(store.Index, append(bytes.Clone(key[:17]), keys[j][17:]...), nil))
						return
					}
				}
			})
			switch code := fault.CodeOf(change()); code {
			case "", fault.VaultCorrupt, fault.AlreadyExists:
			default:
				t.Errorf("%s: %s", name, code)
			}
			if report, err := l.Doctor(ctx); err != nil || len(report.Checks) == 0 {
				t.Errorf("%s: %v", name, err)
			}
			for _, other := range []int{0, 2} { // what the change is not about
				if _, err := l.FindSecret(ctx, secrets[other].ID.String()); err != nil {
					t.Errorf("%s: secret %d: %v", name, other, err)
				}
			}
			err := l.View(ctx, func(r vault.Reader) error {
				creds, err1 := r.Credentials()
				caps, err2 := r.Capabilities()
				binds, err3 := r.Bindings("")
				off, err4 := r.Disabled()
				if n := len(creds) + len(caps) + len(binds) + len(off); n < 12-2 || err1 != nil || err2 != nil || err3 != nil || err4 != nil {
					t.Errorf("%s: %d things are left; %v %v %v %v", name, n, err1, err2, err3, err4)
				}
				return nil
			})
			must(t, err)
			must(t, os.WriteFile(vaultFile(dir), []byte(whole), 0o600))
		}
	}
}

// TestNewerFormat: a vault of a later version is told as such, and is not
// written.
func TestNewerFormat(t *testing.T) {
	for version, want := range map[string]fault.Code{
		"\x00\x00\x00\x02": fault.VaultNewer, "\xff\xff\xff\xff": fault.VaultNewer,
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

// TestWhatACopyShows looks through the file for everything that was put into
// the vault, in the encodings that are usual.
func TestWhatACopyShows(t *testing.T) {
	l, dir, secrets := furnished(t)
	for range 3 { // some history
		if _, err := l.RotateSecret(t.Context(), secrets[2].ID, val("made-up-value-2"), 0); err != nil {
			t.Fatal(err)
		}
	}
	words := []string{"consumer-x", "w-furnished", "g-furnished", "host-furnished.test", "acme", "Authorization", "operator", "secret.create", "x-note", "made-up-value"}
	for i, s := range secrets {
		words = append(words, s.Name, "alias-"+s.Name, "cred-"+s.Name, "acme/cap-"+s.Name, "disabled-"+s.Name, fmt.Sprint("made-up-value-", i))
	}
	entries, err := os.ReadDir(dir)
	must(t, err)
	scanned := 0
	for _, e := range entries {
		if e.Name() == "kek.key" {
			continue
		}
		data := []byte(read(t, filepath.Join(dir, e.Name())))
		scanned += len(data)
		lower := bytes.ToLower(data)
		for _, word := range words {
			for how, form := range encodings(word) {
				if len(form) >= 4 && bytes.Contains(lower, bytes.ToLower([]byte(form))) { // shorter ones are there by chance
					t.Errorf("%s shows %q as %s", e.Name(), word, how)
				}
			}
		}
	}
	if scanned < 10_000 {
		t.Errorf("only %d bytes were looked through", scanned)
	}
	if !strings.Contains(read(t, vaultFile(dir)), "kek.key") {
		t.Error("the scan does not even find the slot's path, which is in clear")
	}
}

// encodings are the forms in which a text may stand in a file.
func encodings(s string) map[string]string {
	b := []byte(s)
	utf16 := make([]byte, 0, 2*len(b))
	for _, c := range b {
		utf16 = append(utf16, c, 0)
	}
	reversed := bytes.Clone(b)
	slices.Reverse(reversed)
	forms := map[string]string{
		"itself": s, "hex": hex.EncodeToString(b), "UTF-16": string(utf16), "reversed": string(reversed), "URL": url.QueryEscape(s),
	}
	for shift := range 3 { // base64, wherever the text begins in it
		text := base64.RawStdEncoding.EncodeToString(append(make([]byte, shift), b...))
		if inner := text[2*shift : len(text)-2]; len(inner) > 6 {
			forms[fmt.Sprint("base64 at ", shift)] = inner
		}
	}
	return forms
}

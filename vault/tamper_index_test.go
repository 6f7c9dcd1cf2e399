package vault_test

import (
	"bytes"
	"errors"
	"testing"

	"aivault/keys/fault"
	"aivault/vault"
	"aivault/vault/internal/store"
)

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
			putBack(t, l, dir, whole)
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
			if p, err := r.Policy("acme/cap-" + s.Name); fine(err) && p != nil && p.Capability != "acme/cap-"+s.Name {
				t.Error("an id leads to another policy")
			}
			if b, err := r.Binding("acme/cap-"+s.Name, vault.GlobalScope(), "consumer-x"); fine(err) && b != nil && b.Secret != s.ID {
				t.Error("a key leads to another binding")
			}
			_, err := r.NameTaken(s.Scope, s.Name)
			fine(err)
			mine, err := r.CredentialsWith(s.ID)
			for _, c := range mine {
				if fine(err) && c.Secret != s.ID {
					t.Error("another secret's credential is listed")
				}
			}
			bound, err := r.BindingsWith(s.ID)
			for _, b := range bound {
				if fine(err) && b.Secret != s.ID {
					t.Error("another secret's binding is listed")
				}
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
		for i, uid := range []int{1000, 1001, 1002, 1003} {
			in := vault.Context{Workspace: "w-furnished", Group: "g-furnished"}
			if ok, err := r.Granted(uid, in); fine(err) && ok && i == 3 {
				t.Error("a user has the grant of another one")
			}
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
			_, err := l.PutBinding(ctx, vault.Binding{Capability: "acme/cap-mine", Secret: s.ID, Scope: vault.GlobalScope(), Consumer: "consumer-x", Hosts: []vault.Host{{Name: "host-furnished.test"}}}, nil)
			return err
		},
		"set policy": func() error {
			_, err := l.SetPolicy(ctx, vault.Policy{Capability: "acme/cap-mine", MaxRequest: new(int64(1))}, 0)
			return err
		},
		"unset policy": func() error { _, err := l.SetPolicy(ctx, vault.Policy{Capability: "acme/cap-mine"}, 0); return err },
		"enable":       func() error { _, err := l.EnableCredential(ctx, "disabled-mine"); return err },
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
				policies, err5 := r.Policies()
				n := len(creds) + len(caps) + len(binds) + len(off) + len(policies)
				if err := errors.Join(err1, err2, err3, err4, err5); n < 15-3 || err != nil {
					t.Errorf("%s: %d things are left; %v", name, n, err)
				}
				return nil
			})
			must(t, err)
			putBack(t, l, dir, whole)
		}
	}
}

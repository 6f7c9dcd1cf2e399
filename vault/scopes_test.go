package vault_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"aivault/keys/fault"
	"aivault/keys/opaque"
	"aivault/vault"
	"aivault/vault/internal/store"
	"aivault/vault/vaulttest"
)

func TestScopes(t *testing.T) {
	t.Parallel()
	l := vaulttest.New(t, claims)
	check := func(when string, want ...vault.ScopeCount) {
		t.Helper()
		got, err := l.Scopes(t.Context())
		if err != nil {
			t.Fatal(when, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", when, diff)
		}
	}
	global := vault.GlobalScope()
	check("no vault", vault.ScopeCount{Scope: global})

	vaulttest.Create(t, l, group("b", "two"), "A", "made-up")
	check("a group alone",
		vault.ScopeCount{Scope: global},
		vault.ScopeCount{Scope: workspace("b")},
		vault.ScopeCount{Scope: group("b", "two"), Own: 1})

	shared := vaulttest.Create(t, l, global, "ACME_KEY", "made-up")
	other := vaulttest.Create(t, l, global, "B", "made-up")
	vaulttest.Create(t, l, workspace("a"), "A", "made-up")
	vaulttest.Create(t, l, workspace("a"), "B", "made-up")
	own := vaulttest.Create(t, l, group("b", "one"), "A", "made-up")
	var changes []vault.Sharing
	for _, s := range []vault.Secret{shared, other, own} {
		for _, g := range []vault.GroupRef{{Workspace: "c", Group: "far"}, {Workspace: "b", Group: "two"}} {
			changes = append(changes, vault.Sharing{Secret: s.ID, Group: g})
		}
	}
	changes = append(changes, vault.Sharing{Secret: other.ID, Group: vault.GroupRef{Workspace: "b", Group: "one"}})
	if _, err := l.Share(t.Context(), changes); err != nil {
		t.Fatal(err)
	}
	full := []vault.ScopeCount{
		{Scope: global, Own: 2},
		{Scope: workspace("a"), Own: 2},
		{Scope: workspace("b")},
		{Scope: group("b", "one"), Own: 1, Attached: 1},
		{Scope: group("b", "two"), Own: 1, Attached: 3},
		{Scope: workspace("c")},
		{Scope: group("c", "far"), Attached: 3},
	}
	check("all of it", full...)

	if _, err := l.DeleteSecrets(t.Context(), []vault.SecretAt{{ID: shared.ID}, {ID: other.ID}}); err != nil {
		t.Fatal(err)
	}
	check("what is left",
		vault.ScopeCount{Scope: global},
		full[1], full[2],
		vault.ScopeCount{Scope: group("b", "one"), Own: 1},
		vault.ScopeCount{Scope: group("b", "two"), Own: 1, Attached: 1},
		full[5],
		vault.ScopeCount{Scope: group("c", "far"), Attached: 1})
}

// TestScopesWithEditedIndexes: a row must be what its first record says.
func TestScopesWithEditedIndexes(t *testing.T) {
	t.Parallel()
	const ixScope, ixAttached = 2, 3
	for name, change := range map[string]func(t *testing.T, tx store.Tx, key []byte){
		"another row":      func(t *testing.T, tx store.Tx, key []byte) { key[5] ^= 1; must(t, tx.Put(store.Index, key, []byte{})) },
		"another record":   func(t *testing.T, tx store.Tx, key []byte) { key[20] ^= 1; must(t, tx.Put(store.Index, key, []byte{})) },
		"a short key":      func(t *testing.T, tx store.Tx, key []byte) { must(t, tx.Put(store.Index, key[:20], []byte{})) },
		"a key too long":   func(t *testing.T, tx store.Tx, key []byte) { must(t, tx.Put(store.Index, append(key, 0), []byte{})) },
		"a row of a row's": func(t *testing.T, tx store.Tx, key []byte) { must(t, tx.Put(store.Index, key[:17], []byte{})) },
	} {
		for _, ix := range []byte{ixScope, ixAttached} {
			t.Run(fmt.Sprint(name, ix), func(t *testing.T) {
				t.Parallel()
				l, dir := fresh(t)
				s := vaulttest.Create(t, l, workspace("w"), "A", "made-up")
				if _, _, err := l.AttachGroup(t.Context(), s.ID, vault.GroupRef{Workspace: "w", Group: "g"}, 0); err != nil {
					t.Fatal(err)
				}
				edit(t, dir, func(tx store.Tx) {
					keys, _ := rows(t, tx, store.Index, ix)
					must(t, tx.Delete(store.Index, keys[0]))
					change(t, tx, keys[0])
				})
				_, err := l.Scopes(t.Context())
				wantCode(t, err, fault.VaultCorrupt)
			})
		}
	}
}

// BenchmarkScopes counts 100,000 secrets in 1,000 groups, of which one is
// shared with all.
func BenchmarkScopes(b *testing.B) {
	if testing.Short() {
		b.Skip("filling a large vault takes a while")
	}
	const groups, each = 1_000, 100
	l := vault.New(vaulttest.Options(vaulttest.Dir(b)))
	b.Cleanup(l.Close)
	shared := vaulttest.Create(b, l, vault.GlobalScope(), "SHARED", "made-up-value")
	var changes []vault.Sharing
	for g := range groups {
		ref := vault.GroupRef{Workspace: fmt.Sprint("w", g%10), Group: fmt.Sprint("g", g)}
		entries := make([]vault.ImportEntry, each)
		for i := range entries {
			entries[i] = vault.ImportEntry{Name: fmt.Sprint("KEY_", i), Value: opaque.New([]byte("made-up-value"))}
		}
		if _, err := l.ImportSecrets(b.Context(), ref.Scope(), entries, false); err != nil {
			b.Fatal(err)
		}
		changes = append(changes, vault.Sharing{Secret: shared.ID, Group: ref})
	}
	if _, err := l.Share(b.Context(), changes); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if counts, err := l.Scopes(b.Context()); err != nil || len(counts) != 1+10+groups {
			b.Fatal(len(counts), err)
		}
	}
}

package vault_test

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"aivault/keys/fault"
	"aivault/vault"
	"aivault/vault/internal/store"
	"aivault/vault/vaulttest"
)

// may reports whether a user may call in a context.
func may(t testing.TB, l *vault.Local, uid int, c vault.Context) (ok bool) {
	t.Helper()
	must(t, l.View(t.Context(), func(r vault.Reader) (err error) {
		ok, err = r.Granted(uid, c)
		return err
	}))
	return ok
}

// TestGrants: each is one user in one context, and is an event when it is made
// and when it is taken back.
func TestGrants(t *testing.T) {
	t.Parallel()
	l, dir := fresh(t)
	in := func(ws, g string) vault.Context { return vault.Context{Workspace: ws, Group: g} }
	order := []vault.Grant{
		{UID: 0, Context: in("w", "")},
		{UID: 9, Context: in("w", "")},
		{UID: 9, Context: in("w", "a")},
		{UID: 9, Context: in("x", "")},
		{UID: 1001, Context: in("w", "a")},
		{UID: math.MaxUint32 - 1, Context: in("w", "a")},
	}
	for _, i := range []int{3, 0, 5, 2, 4, 1} {
		g, made, err := l.Grant(t.Context(), order[i].UID, order[i].Context)
		must(t, err)
		again, twice, err := l.Grant(t.Context(), order[i].UID, order[i].Context)
		if order[i] = g; !made || twice || again != g || g.CreatedAt.IsZero() || err != nil {
			t.Errorf("%+v, %t, then %+v, %t, %v", g, made, again, twice, err)
		}
	}
	got, err := open(t, dir).Grants(t.Context())
	if diff := gocmp.Diff(got, order); diff != "" || err != nil {
		t.Errorf("%v; listed (-got +want):\n%s", err, diff)
	}
	if !may(t, l, 1001, vault.Context{Workspace: "w", Group: "a", Consumer: "whoever"}) {
		t.Error("a consumer changes what a user may do")
	}
	gone, err := l.Revoke(t.Context(), 9, in("w", "a"))
	again, err2 := l.Revoke(t.Context(), 9, in("w", "a"))
	if !gone || again || err != nil || err2 != nil || may(t, l, 9, in("w", "a")) || !may(t, l, 9, in("w", "")) {
		t.Errorf("taken back: %t, %t, %v, %v", gone, again, err, err2)
	}
	events, err := l.Audit(t.Context(), vault.AuditQuery{Kind: "grant.", Workspace: "w", Group: "a"})
	must(t, err)
	var told []string
	for _, e := range events {
		told = append(told, fmt.Sprint(e.Kind, " ", e.Outcome, " ", e.Scope, ": ", e.Note))
	}
	want := []string{
		"grant.remove ok group:w:a: user 9 in workspace w, group a",
		"grant.add ok group:w:a: user 1001 in workspace w, group a",
		"grant.add ok group:w:a: user 9 in workspace w, group a",
		"grant.add ok group:w:a: user 4294967294 in workspace w, group a",
	}
	if diff := gocmp.Diff(told, want); diff != "" {
		t.Errorf("events (-got +want):\n%s", diff)
	}
	vaulttest.Healthy(t, l)
}

// TestGrantsThatAreNone are refused, and Granted says no.
func TestGrantsThatAreNone(t *testing.T) {
	t.Parallel()
	l, _ := fresh(t)
	for name, test := range map[string]struct {
		uid int
		in  vault.Context
	}{
		"no user":              {-1, vault.Context{Workspace: "w"}},
		"the user that is not": {math.MaxUint32, vault.Context{Workspace: "w"}},
		"beyond all users":     {math.MaxUint32 + 1001, vault.Context{Workspace: "w"}},
		"everywhere":           {1001, vault.Context{}},
		"a group of none":      {1001, vault.Context{Group: "a"}},
		"a consumer":           {1001, vault.Context{Workspace: "w", Consumer: "bot"}},
		"any workspace":        {1001, vault.Context{Workspace: "*"}},
		"a long one":           {1001, vault.Context{Workspace: strings.Repeat("w", 129)}},
	} {
		_, _, err := l.Grant(t.Context(), test.uid, test.in)
		_, err2 := l.Revoke(t.Context(), test.uid, test.in)
		if fault.CodeOf(err) != fault.InvalidRequest || fault.CodeOf(err2) != fault.InvalidRequest {
			t.Errorf("%s: %v, %v", name, err, err2)
		}
		if may(t, l, test.uid, test.in) {
			t.Errorf("%s is granted", name)
		}
	}
	if got, err := l.Grants(t.Context()); len(got) != 0 || err != nil {
		t.Errorf("stored: %v, %v", got, err)
	}
}

// TestGrantsOfNoVault: there are none, and to look makes no vault.
func TestGrantsOfNoVault(t *testing.T) {
	t.Parallel()
	dir := vaulttest.Dir(t)
	l := open(t, dir)
	got, err := l.Grants(t.Context())
	gone, err2 := l.Revoke(t.Context(), 1001, vault.Context{Workspace: "w"})
	if len(got) != 0 || gone || err != nil || err2 != nil || may(t, l, 1001, vault.Context{Workspace: "w"}) || len(list(t, dir)) != 0 {
		t.Errorf("%v, %t, %v, %v; beside it %v", got, gone, err, err2, list(t, dir))
	}
}

// TestManyGrants: there is an end to them, and none is lost at it.
func TestManyGrants(t *testing.T) {
	t.Parallel()
	l, _ := fresh(t)
	must(t, vault.FillGrants(t.Context(), l, 999))
	in := vault.Context{Workspace: "w"}
	_, made, err := l.Grant(t.Context(), 1000, in)
	if !made || err != nil {
		t.Errorf("the last: %t, %v", made, err)
	}
	_, _, err = l.Grant(t.Context(), 1001, in)
	wantCode(t, err, fault.Conflict)
	if _, made, err := l.Grant(t.Context(), 1000, in); made || err != nil {
		t.Errorf("one that is there: %t, %v", made, err)
	}
	_, err = l.Revoke(t.Context(), 1, in)
	must(t, err)
	_, _, err = l.Grant(t.Context(), 1001, in)
	must(t, err)
	if got, err := l.Grants(t.Context()); len(got) != 1000 || err != nil {
		t.Errorf("%d grants, %v", len(got), err)
	}
	vaulttest.Healthy(t, l)
}

// TestGrantsNeverLeak: whatever was granted and taken back, by however many
// processes, each user may call where it was granted and nowhere else.
//
// Case 95.
func TestGrantsNeverLeak(t *testing.T) {
	t.Parallel()
	type pair struct {
		uid int
		in  vault.Context
	}
	var pairs []pair
	for _, uid := range []int{0, 1, 10, 100, 11, 1001, math.MaxInt32, math.MaxUint32 - 1} {
		for _, in := range []vault.Context{
			{Workspace: "w"},
			{Workspace: "w", Group: "a"},
			{Workspace: "w", Group: "b"},
			{Workspace: "W", Group: "a"},
			{Workspace: "wa"},
			{Workspace: "a"},
			{Workspace: "a", Group: "w"},
			{Workspace: "1", Group: "1"},
			{Workspace: "11"},
			{Workspace: "w-a"},
			{Workspace: "w", Group: "w"},
		} {
			pairs = append(pairs, pair{uid, in})
		}
	}
	dir := vaulttest.Dir(t)
	vaults := []*vault.Local{open(t, dir), open(t, dir)}
	rnd := rand.New(rand.NewPCG(95, 1))
	model := map[pair]bool{}
	for step := range 150 {
		p, l := pairs[rnd.IntN(len(pairs))], vaults[step%2]
		if rnd.IntN(3) > 0 {
			_, made, err := l.Grant(t.Context(), p.uid, p.in)
			if made == model[p] || err != nil {
				t.Fatalf("step %d: granted %v: %t, %v", step, p, made, err)
			}
			model[p] = true
		} else {
			gone, err := l.Revoke(t.Context(), p.uid, p.in)
			if gone != model[p] || err != nil {
				t.Fatalf("step %d: revoked %v: %t, %v", step, p, gone, err)
			}
			delete(model, p)
		}
		must(t, vaults[1-step%2].View(t.Context(), func(r vault.Reader) error {
			for _, p := range pairs {
				if ok, err := r.Granted(p.uid, p.in); ok != model[p] || err != nil {
					t.Fatalf("step %d: %v is granted: %t, %v", step, p, ok, err)
				}
			}
			return nil
		}))
	}
	got := map[pair]bool{}
	grants, err := vaults[0].Grants(t.Context())
	must(t, err)
	for _, g := range grants {
		got[pair{g.UID, g.Context}] = true
	}
	if !maps.Equal(got, model) || len(grants) != len(model) {
		t.Errorf("listed %v, want %v", got, model)
	}
	if !slices.IsSortedFunc(grants, func(a, b vault.Grant) int {
		return cmp.Or(a.UID-b.UID, strings.Compare(a.Context.Workspace, b.Context.Workspace), strings.Compare(a.Context.Group, b.Context.Group))
	}) {
		t.Errorf("in no order: %v", grants)
	}
	vaulttest.Healthy(t, vaults[0])
}

// TestEditedGrants: without the key nobody makes a grant of another one, nor has
// back what was taken back unseen.
//
// Case 95.
func TestEditedGrants(t *testing.T) {
	t.Parallel()
	l, dir := fresh(t)
	for uid, ws := range map[int]string{1001: "w", 1002: "x"} {
		_, _, err := l.Grant(t.Context(), uid, vault.Context{Workspace: ws})
		must(t, err)
	}
	before := read(t, vaultFile(dir))
	const kindGrant, ixGrant = 12, 15
	for name, change := range map[string]func(tx store.Tx){
		"records exchanged": func(tx store.Tx) {
			k, v := rows(t, tx, store.Records, kindGrant)
			must(t, tx.Put(store.Records, k[0], v[1]))
			must(t, tx.Put(store.Records, k[1], v[0]))
		},
		"indexes exchanged": func(tx store.Tx) {
			k, v := rows(t, tx, store.Index, ixGrant)
			must(t, tx.Put(store.Index, k[0], v[1]))
			must(t, tx.Put(store.Index, k[1], v[0]))
		},
		"a record of another kind": func(tx store.Tx) {
			_, other := rows(t, tx, store.Records, 11)
			k, _ := rows(t, tx, store.Records, kindGrant)
			must(t, tx.Put(store.Records, k[0], other[0]))
		},
	} {
		edit(t, dir, change)
		err := l.View(t.Context(), func(r vault.Reader) error {
			for uid, ws := range map[int]string{1001: "x", 1002: "w"} {
				if ok, err := r.Granted(uid, vault.Context{Workspace: ws}); ok || err != nil {
					t.Errorf("%s: user %d got into workspace %s: %t, %v", name, uid, ws, ok, err)
				}
			}
			_, err1 := r.Granted(1001, vault.Context{Workspace: "w"})
			_, err2 := r.Granted(1002, vault.Context{Workspace: "x"})
			return cmp.Or(err1, err2)
		})
		wantCode(t, err, fault.VaultCorrupt)
		if len(failed(t, l)) == 0 {
			t.Errorf("%s: doctor finds nothing", name)
		}
		putBack(t, l, dir, before)
	}
	var records [][2][]byte
	edit(t, dir, func(tx store.Tx) {
		for table, kind := range map[store.Table]byte{store.Records: kindGrant, store.Index: ixGrant} {
			k, v := rows(t, tx, table, kind)
			for i := range k {
				records = append(records, [2][]byte{append([]byte{byte(table)}, k[i]...), v[i]})
			}
		}
	})
	_, err := l.Revoke(t.Context(), 1001, vault.Context{Workspace: "w"})
	must(t, err)
	edit(t, dir, func(tx store.Tx) {
		for _, r := range records {
			must(t, tx.Put(store.Table(r[0][0]), r[0][1:], r[1]))
		}
	})
	if _, found := failed(t, l)["set hash"]; !found {
		t.Error("a grant that was put back is not found")
	}
}

// TestGrantsInCopies: a backup that lacks a grant says so, and a damaged one is
// named by what was salvaged without it.
func TestGrantsInCopies(t *testing.T) {
	t.Parallel()
	l, dir := fresh(t)
	in := vault.Context{Workspace: "w", Group: "a"}
	_, _, err := l.Grant(t.Context(), 1001, in)
	must(t, err)
	file := filepath.Join(t.TempDir(), "backup")
	_, err = l.Backup(t.Context(), file, false)
	must(t, err)
	_, err = l.Revoke(t.Context(), 1001, in)
	must(t, err)
	_, _, err = l.Grant(t.Context(), 1002, in)
	must(t, err)
	c, err := l.Compare(t.Context(), file)
	if err != nil || c.LostChanges != 2 || c.NewestChange.Kind != vault.KindGrantAdd {
		t.Errorf("%v; %+v", err, c)
	}
	s, salvage := salvaged(t, dir)
	if s.Kept["grant"] != 1 || may(t, salvage, 1001, in) || !may(t, salvage, 1002, in) {
		t.Errorf("salvaged %+v", s)
	}
	edit(t, dir, func(tx store.Tx) {
		k, v := rows(t, tx, store.Records, 12)
		v[0][len(v[0])-1] ^= 1
		must(t, tx.Put(store.Records, k[0], v[0]))
	})
	s, salvage = salvaged(t, dir)
	if lostKinds(s) != "grant" || s.Kept["grant"] != 0 || may(t, salvage, 1002, in) {
		t.Errorf("salvaged %+v", s)
	}
	_, err = l.Restore(t.Context(), file, vault.RestoreOptions{Back: true})
	must(t, err)
	if !may(t, l, 1001, in) || may(t, l, 1002, in) {
		t.Error("what was restored is not what the backup held")
	}
	vaulttest.Healthy(t, l)
}

// BenchmarkGranted: the cost of a look does not grow with the number of grants.
func BenchmarkGranted(b *testing.B) {
	for _, n := range []int{1, 1000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			l, _ := fresh(b)
			if err := vault.FillGrants(context.Background(), l, n); err != nil {
				b.Fatal(err)
			}
			err := l.View(context.Background(), func(r vault.Reader) error {
				for b.Loop() {
					if ok, err := r.Granted(1, vault.Context{Workspace: "w"}); !ok || err != nil {
						b.Fatal(ok, err)
					}
				}
				return nil
			})
			if err != nil {
				b.Fatal(err)
			}
		})
	}
}

package vault_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aivault/keys/fault"
	"aivault/vault"
	"aivault/vault/internal/store"
	"aivault/vault/vaulttest"
)

func TestAuditQueries(t *testing.T) {
	dir := vaulttest.Dir(t)
	opts := vaulttest.Options(dir)
	start := time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
	now := start
	opts.Now = func() time.Time { return now }
	opts.Actor = "tester"
	l := vault.New(opts)
	defer l.Close()
	for i := range 250 {
		now = start.Add(time.Duration(i) * time.Hour)
		vaulttest.Create(t, l, vault.GlobalScope(), fmt.Sprint("n", i), "made-up")
	}
	const all = 251 // the first is that of the vault itself
	for _, test := range []struct {
		q     vault.AuditQuery
		n     int
		first uint64 // sequence number of the first that is listed
	}{
		{vault.AuditQuery{}, 200, all},
		{vault.AuditQuery{Limit: -1}, 200, all},
		{vault.AuditQuery{Limit: 1}, 1, all},
		{vault.AuditQuery{Limit: all}, all, all},
		{vault.AuditQuery{Limit: all + 1}, all, all},
		{vault.AuditQuery{Before: start.Add(10 * time.Hour)}, 11, 11}, // strictly older
		{vault.AuditQuery{Before: start.Add(10 * time.Hour), Limit: 3}, 3, 11},
		{vault.AuditQuery{Before: start}, 0, 0},
	} {
		events, err := l.Audit(t.Context(), test.q)
		if err != nil || len(events) != test.n {
			t.Errorf("%+v: %d events, %v", test.q, len(events), err)
			continue
		}
		for i, e := range events {
			if e.Seq != test.first-uint64(i) || e.Actor != "tester" || e.PID == 0 {
				t.Errorf("%+v: event %d is %+v", test.q, i, e)
			}
		}
	}
}

// TestTheClockMayJump: the sequence orders events, not the time.
// Fault F12.
func TestTheClockMayJump(t *testing.T) {
	opts := vaulttest.Options(vaulttest.Dir(t))
	var now time.Time
	opts.Now = func() time.Time { return now }
	l := vault.New(opts)
	defer l.Close()
	times := []time.Time{time.Now(), time.Unix(0, 1e6), time.Date(2038, 1, 19, 3, 14, 8, 0, time.UTC), time.Date(1901, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)}
	for i, at := range times {
		now = at
		s := vaulttest.Create(t, l, vault.GlobalScope(), fmt.Sprint("n", i), "made-up")
		if found, err := l.FindSecret(t.Context(), s.ID.String()); err != nil || !found.CreatedAt.Equal(s.CreatedAt) {
			t.Errorf("created %v, stored %v, %v", s.CreatedAt, found.CreatedAt, err)
		}
	}
	events, err := l.Audit(t.Context(), vault.AuditQuery{})
	if err != nil || len(events) != len(times)+1 {
		t.Errorf("%d events, %v", len(events), err)
	}
	state, err := l.VerifyAudit(t.Context())
	if err != nil || state.Events != uint64(len(times)+1) || !state.First.Equal(times[0].Truncate(time.Millisecond)) || !state.Last.Equal(times[len(times)-1]) {
		t.Errorf("verified: %+v, %v", state, err)
	}
	events, err = l.Audit(t.Context(), vault.AuditQuery{Since: times[2]}) // an older time is no end
	if err != nil || len(events) != 2 || events[0].Seq != 6 || events[1].Seq != 4 {
		t.Errorf("since 2038: %+v, %v", events, err)
	}
	vaulttest.Healthy(t, l)
}

// TestCase102TamperedAudit: every edit of the log is found, and the first event that
// is not as it was written is named.
func TestCase102TamperedAudit(t *testing.T) {
	seq := func(n uint64) []byte { return binary.BigEndian.AppendUint64(nil, n) }
	get := func(tx store.Tx, n uint64) []byte { return append([]byte(nil), tx.Get(store.Audit, seq(n))...) }
	const last = 9
	tests := []struct {
		name  string
		edit  func(t *testing.T, tx store.Tx)
		first uint64
	}{
		{"edit the first", func(t *testing.T, tx store.Tx) { b := get(tx, 1); b[50] ^= 1; must(t, tx.Put(store.Audit, seq(1), b)) }, 1},
		{"edit one", func(t *testing.T, tx store.Tx) { b := get(tx, 4); b[50] ^= 1; must(t, tx.Put(store.Audit, seq(4), b)) }, 4},
		{"edit a link", func(t *testing.T, tx store.Tx) {
			b := get(tx, 4)
			b[len(b)-1] ^= 1
			must(t, tx.Put(store.Audit, seq(4), b))
		}, 4},
		{"edit the last link", func(t *testing.T, tx store.Tx) {
			b := get(tx, last)
			b[len(b)-1] ^= 1
			must(t, tx.Put(store.Audit, seq(last), b))
		}, last},
		{"shorten one", func(t *testing.T, tx store.Tx) { must(t, tx.Put(store.Audit, seq(4), get(tx, 4)[:20])) }, 4},
		{"empty one", func(t *testing.T, tx store.Tx) { must(t, tx.Put(store.Audit, seq(4), []byte{})) }, 4},
		{"delete the first", func(t *testing.T, tx store.Tx) { must(t, tx.Delete(store.Audit, seq(1))) }, 1},
		{"delete one", func(t *testing.T, tx store.Tx) { must(t, tx.Delete(store.Audit, seq(4))) }, 4},
		{"swap two", func(t *testing.T, tx store.Tx) {
			a, b := get(tx, 3), get(tx, 6)
			must(t, tx.Put(store.Audit, seq(3), b))
			must(t, tx.Put(store.Audit, seq(6), a))
		}, 3},
		{"repeat one", func(t *testing.T, tx store.Tx) { must(t, tx.Put(store.Audit, seq(5), get(tx, 4))) }, 5},
		{"repeat the last", func(t *testing.T, tx store.Tx) { must(t, tx.Put(store.Audit, seq(last+1), get(tx, last))) }, last + 1},
		{"add rubbish", func(t *testing.T, tx store.Tx) { must(t, tx.Put(store.Audit, []byte("rubbish"), []byte("rubbish"))) }, last + 1},
		{"cut the last", func(t *testing.T, tx store.Tx) { must(t, tx.Delete(store.Audit, seq(last))) }, last},
		{"cut the last three", func(t *testing.T, tx store.Tx) {
			for n := uint64(last - 2); n <= last; n++ {
				must(t, tx.Delete(store.Audit, seq(n)))
			}
		}, last - 2},
		{"cut all", func(t *testing.T, tx store.Tx) {
			for n := uint64(1); n <= last; n++ {
				must(t, tx.Delete(store.Audit, seq(n)))
			}
		}, 1},
		{"cut a part in the midst", func(t *testing.T, tx store.Tx) {
			for n := uint64(4); n <= 6; n++ {
				must(t, tx.Delete(store.Audit, seq(n)))
			}
		}, 4},
		{"cut a part in the midst and close the gap", func(t *testing.T, tx store.Tx) {
			for n := uint64(4); n <= last; n++ {
				if n+3 <= last {
					must(t, tx.Put(store.Audit, seq(n), get(tx, n+3)))
				} else {
					must(t, tx.Delete(store.Audit, seq(n)))
				}
			}
		}, 4},
		{"insert one between two numbers", func(t *testing.T, tx store.Tx) {
			must(t, tx.Put(store.Audit, append(seq(4), 1), get(tx, 4)))
		}, 5},
		{"insert one before the first", func(t *testing.T, tx store.Tx) { must(t, tx.Put(store.Audit, seq(0), get(tx, 1))) }, 1},
		{"make one of 10 MiB", func(t *testing.T, tx store.Tx) { must(t, tx.Put(store.Audit, seq(4), make([]byte, 10<<20))) }, 4},
		{"cut the first three", func(t *testing.T, tx store.Tx) {
			for n := uint64(1); n <= 3; n++ {
				must(t, tx.Delete(store.Audit, seq(n)))
			}
		}, 1},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			l, dir := fresh(t)
			for i := range last - 1 {
				vaulttest.Create(t, l, vault.GlobalScope(), fmt.Sprint("n", i), "made-up")
			}
			edit(t, dir, func(tx store.Tx) { test.edit(t, tx) })
			_, err := l.Audit(t.Context(), vault.AuditQuery{})
			wantCode(t, err, fault.AuditBroken)
			bad := failed(t, l)
			check, ok := bad["audit chain"]
			want := fmt.Sprintf("at event %d:", test.first)
			if !ok || len(bad) != 1 || check.Code != fault.AuditBroken || !strings.Contains(check.Detail, want) {
				t.Errorf("Doctor does not say %q: %+v", want, bad)
			}
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("Audit does not say %q: %v", want, err)
			}
			state, err := l.VerifyAudit(t.Context())
			wantCode(t, err, fault.AuditBroken)
			if err == nil || !strings.Contains(err.Error(), want) || state.Events != test.first-1 {
				t.Errorf("VerifyAudit does not say %q: %v after %d events", want, err, state.Events)
			}
		})
	}
}

// TestAuditFilters: a query selects by each of its fields, and by all of them
// together.
func TestAuditFilters(t *testing.T) {
	t.Parallel()
	opts := vaulttest.Options(vaulttest.Dir(t))
	start := time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
	now := start
	opts.Now, opts.Claims = func() time.Time { now = now.Add(time.Hour); return now }, claims
	l := vault.New(opts)
	defer l.Close()
	ctx := t.Context()
	key := vaulttest.Create(t, l, vault.GlobalScope(), "ACME_KEY", "made-up") // after the event of the vault itself
	var intents []uint64
	for _, e := range []vault.Event{
		{Capability: "acme/items", Workspace: "w", Group: "g"},
		{Capability: "acme/items", Workspace: "w", Group: "h"},
		{Capability: "acme/other", Workspace: "w", Group: "g"},
		{Capability: "acme/items", Workspace: "v", Group: "g"},
	} {
		grant, err := l.Authorize(ctx, func(vault.Reader) (vault.Decision, error) {
			return vault.Decision{Event: e, Uses: []vault.Use{useOf(key.ID, "api.acme.test")}}, nil
		})
		must(t, err)
		intents = append(intents, grant.Intent)
	}
	for _, s := range []vault.Scope{{Level: vault.Workspace, Workspace: "w"}, {Level: vault.Group, Workspace: "w", Group: "g"}} {
		vaulttest.Create(t, l, s, "OTHER", "made-up")
	}
	_, err := l.SetPolicy(ctx, vault.Policy{Capability: "acme/items", Rate: new(int64(9))}, 0)
	must(t, err)
	all, err := l.Audit(ctx, vault.AuditQuery{})
	must(t, err)
	if len(all) != 9 {
		t.Fatalf("%d events", len(all))
	}
	for name, test := range map[string]struct {
		q    vault.AuditQuery
		want func(e vault.Event) bool
		n    int
	}{
		"kind":           {vault.AuditQuery{Kind: "invoke.intent"}, func(e vault.Event) bool { return e.Kind == vault.KindInvokeIntent }, 4},
		"part of a kind": {vault.AuditQuery{Kind: "invoke"}, nil, 0},
		"family":         {vault.AuditQuery{Kind: "capability."}, func(e vault.Event) bool { return e.Kind == vault.KindCapabilityPolicy }, 1},
		"capability":     {vault.AuditQuery{Capability: "acme/items"}, func(e vault.Event) bool { return e.Capability == "acme/items" }, 4},
		"secret":         {vault.AuditQuery{Secret: key.ID}, func(e vault.Event) bool { return e.Secret == key.ID }, 5},
		"workspace": {vault.AuditQuery{Workspace: "w"}, func(e vault.Event) bool {
			return e.Workspace == "w" || strings.HasSuffix(e.Scope, ":w") || e.Scope == "group:w:g"
		}, 5},
		"group":           {vault.AuditQuery{Group: "g"}, func(e vault.Event) bool { return e.Group == "g" || e.Scope == "group:w:g" }, 4},
		"after":           {vault.AuditQuery{After: intents[1]}, func(e vault.Event) bool { return e.Seq > intents[1] }, 5},
		"after the last":  {vault.AuditQuery{After: 9}, nil, 0},
		"after all":       {vault.AuditQuery{After: 1 << 60}, nil, 0},
		"since":           {vault.AuditQuery{Since: all[2].Time}, func(e vault.Event) bool { return e.Seq >= all[2].Seq }, 3},
		"since and until": {vault.AuditQuery{Since: all[4].Time, Before: all[1].Time}, func(e vault.Event) bool { return e.Seq >= all[4].Seq && e.Seq < all[1].Seq }, 3},
		"a limit":         {vault.AuditQuery{Kind: "invoke.", Limit: 2}, func(e vault.Event) bool { return e.Seq >= intents[2] && e.Seq <= intents[3] }, 2},
		"all of them": {
			vault.AuditQuery{Kind: "invoke.", Capability: "acme/items", Secret: key.ID, Workspace: "w", Group: "g", After: 1, Since: start},
			func(e vault.Event) bool { return e.Seq == intents[0] }, 1,
		},
	} {
		var want []vault.Event
		for _, e := range all {
			if test.want != nil && test.want(e) {
				want = append(want, e)
			}
		}
		got, err := l.Audit(ctx, test.q)
		if diff := cmp.Diff(got, want); diff != "" || err != nil || len(got) != test.n {
			t.Errorf("%s: %v; %d events, want %d (-got +want):\n%s", name, err, len(got), test.n, diff)
		}
	}
}

// TestALongAudit: a query reads no more of the log than it must, and what it
// reads in more than one transaction is whole.
func TestALongAudit(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("to fill a log takes a while")
	}
	const n = 10_500 // imported at once, by a clock that was set back ten years
	dir := vaulttest.Dir(t)
	opts := vaulttest.Options(dir)
	right := time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
	now := right
	opts.Now = func() time.Time { return now }
	l := vault.New(opts)
	defer l.Close()
	ctx := t.Context()
	vaulttest.Create(t, l, vault.GlobalScope(), "before", "made-up")
	now = right.AddDate(-10, 0, 0)
	entries := make([]vault.ImportEntry, n)
	for i := range entries {
		entries[i] = vault.ImportEntry{Name: fmt.Sprint("n", i), Value: val("made-up")}
	}
	_, err := l.ImportSecrets(ctx, workspace("w"), entries, false)
	must(t, err)
	now = right.AddDate(0, 0, 1)
	vaulttest.Create(t, l, vault.GlobalScope(), "after", "made-up")
	const last = n + 3

	state, err := l.VerifyAudit(ctx)
	if err != nil || state != (vault.AuditState{Events: last, First: right, Last: now}) {
		t.Errorf("verified: %+v, %v", state, err)
	}
	everything, err := l.Audit(ctx, vault.AuditQuery{Limit: 1 << 30})
	if err != nil || len(everything) != last || everything[0].Seq != last || everything[last-1].Seq != 1 {
		t.Errorf("everything: %d events, %v", len(everything), err)
	}
	found, err := l.Audit(ctx, vault.AuditQuery{Kind: vault.KindVaultInit})
	if err != nil || len(found) != 1 || found[0].Seq != 1 {
		t.Errorf("the first: %+v, %v", found, err)
	}
	edit(t, dir, func(tx store.Tx) { // what is not read may be in whichever state
		key := binary.BigEndian.AppendUint64(nil, 100)
		b := append([]byte(nil), tx.Get(store.Audit, key)...)
		b[50] ^= 1
		must(t, tx.Put(store.Audit, key, b))
	})
	for name, test := range map[string]struct {
		q vault.AuditQuery
		n int
	}{
		"limit": {vault.AuditQuery{Limit: last - 100}, last - 100},
		"after": {vault.AuditQuery{After: 100, Limit: last}, last - 100},
		"since": {vault.AuditQuery{Since: right}, 1},
	} {
		if found, err := l.Audit(ctx, test.q); err != nil || len(found) != test.n {
			t.Errorf("%s: %d events, %v", name, len(found), err)
		}
	}
	for name, q := range map[string]vault.AuditQuery{
		"limit": {Limit: last - 99}, "after": {After: 99, Limit: last}, "since": {Since: right.AddDate(-10, 0, 0), Kind: vault.KindVaultInit},
	} {
		_, err := l.Audit(ctx, q)
		wantCode(t, err, fault.AuditBroken)
		if err != nil && !strings.Contains(err.Error(), "at event 100:") {
			t.Errorf("%s: %v", name, err)
		}
	}
	ended, cancel := context.WithCancel(ctx)
	cancel()
	_, err = l.VerifyAudit(ended)
	wantCode(t, err, fault.Canceled)
}

// TestNoAudit: a vault that does not exist has an empty log, which is in order.
func TestNoAudit(t *testing.T) {
	t.Parallel()
	l := open(t, vaulttest.Dir(t))
	events, err := l.Audit(t.Context(), vault.AuditQuery{})
	if len(events) != 0 || err != nil {
		t.Errorf("%d events, %v", len(events), err)
	}
	if state, err := l.VerifyAudit(t.Context()); state != (vault.AuditState{}) || err != nil {
		t.Errorf("%+v, %v", state, err)
	}
}

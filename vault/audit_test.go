package vault_test

import (
	"encoding/binary"
	"fmt"
	"strings"
	"testing"
	"time"

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
	vaulttest.Healthy(t, l)
}

// TestTamperedAudit: every edit of the log is found, and the first event that
// is not as it was written is named.
func TestTamperedAudit(t *testing.T) {
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
			if want := fmt.Sprintf("at event %d:", test.first); !ok || len(bad) != 1 || check.Code != fault.AuditBroken || !strings.Contains(check.Detail, want) {
				t.Errorf("Doctor does not say %q: %+v", want, bad)
			}
		})
	}
}

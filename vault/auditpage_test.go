package vault_test

import (
	"encoding/binary"
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"aivault/keys/fault"
	"aivault/vault"
	"aivault/vault/internal/store"
)

// seqs are the sequence numbers of events.
func seqs(events []vault.Event) []uint64 {
	var out []uint64
	for _, e := range events {
		out = append(out, e.Seq)
	}
	return out
}

// span counts down from one number to another.
func span(from, to uint64) []uint64 {
	var out []uint64
	for ; from >= to && from > 0; from-- {
		out = append(out, from)
	}
	return out
}

// Checklist 61.
func TestAuditPages(t *testing.T) {
	t.Parallel()
	l, _ := fresh(t)
	const last = 12_001 // more than one transaction reads
	must(t, vault.Record(t.Context(), l, vault.Event{Kind: vault.KindSecretUpdate, Outcome: vault.OutcomeOK, Actor: "tester"}, last-1))
	for _, test := range []struct {
		q        vault.AuditQuery
		from, to uint64
	}{
		{vault.AuditQuery{}, last, last - 199},
		{vault.AuditQuery{UpTo: 1}, 1, 1},
		{vault.AuditQuery{UpTo: 2}, 2, 1},
		{vault.AuditQuery{UpTo: 5000}, 5000, 4801},
		{vault.AuditQuery{UpTo: 5000, Outcome: "ok"}, 5000, 4801},
		{vault.AuditQuery{UpTo: 5000, Actor: "tester"}, 5000, 4801},
		{vault.AuditQuery{UpTo: 11_500, Limit: last}, 11_500, 1},
		{vault.AuditQuery{UpTo: 11_500, After: 11_490}, 11_500, 11_491},
		{vault.AuditQuery{UpTo: last}, last, last - 199},
		{vault.AuditQuery{UpTo: last, Outcome: "ok"}, last, last - 199},
		{vault.AuditQuery{UpTo: last + 1}, last, last - 199},
		{vault.AuditQuery{UpTo: 1<<64 - 1, Outcome: "ok"}, last, last - 199},
		{vault.AuditQuery{UpTo: 100, After: 100}, 0, 1},
		{vault.AuditQuery{UpTo: 100, After: 200}, 0, 1},
	} {
		events, err := l.Audit(t.Context(), test.q)
		if diff := cmp.Diff(span(test.from, test.to), seqs(events)); diff != "" || err != nil {
			t.Errorf("%+v: %v (-want +got):\n%s", test.q, err, diff)
		}
	}
}

// TestTamperedPages: what is read is verified, and what is newer is not.
func TestTamperedPages(t *testing.T) {
	t.Parallel()
	seq := func(n uint64) []byte { return binary.BigEndian.AppendUint64(nil, n) }
	for name, change := range map[string]func(tx store.Tx){
		"changed": func(tx store.Tx) {
			b := slices.Clone(tx.Get(store.Audit, seq(50)))
			b[60] ^= 1
			must(t, tx.Put(store.Audit, seq(50), b))
		},
		"a link changed": func(tx store.Tx) {
			b := slices.Clone(tx.Get(store.Audit, seq(50)))
			b[len(b)-1] ^= 1
			must(t, tx.Put(store.Audit, seq(50), b))
		},
		"replaced": func(tx store.Tx) { must(t, tx.Put(store.Audit, seq(50), slices.Clone(tx.Get(store.Audit, seq(40))))) },
		"short":    func(tx store.Tx) { must(t, tx.Put(store.Audit, seq(50), []byte("short"))) },
		"gone":     func(tx store.Tx) { must(t, tx.Delete(store.Audit, seq(50))) },
	} {
		l, dir := fresh(t)
		must(t, vault.Record(t.Context(), l, vault.Event{Kind: vault.KindSecretUpdate}, 99))
		edit(t, dir, change)
		for _, upTo := range []uint64{0, 50, 51, 100} {
			events, err := l.Audit(t.Context(), vault.AuditQuery{UpTo: upTo})
			if wantCode(t, err, fault.AuditBroken); events != nil {
				t.Errorf("%s: %d events up to %d", name, len(events), upTo)
			}
		}
		if events, err := l.Audit(t.Context(), vault.AuditQuery{UpTo: 49}); err != nil || len(events) != 49 {
			t.Errorf("%s: before it: %d events, %v", name, len(events), err)
		}
	}
}

// Checklist 61.
func TestAuditOutcomes(t *testing.T) {
	t.Parallel()
	l, _ := fresh(t)
	ctx := t.Context()
	event := func(e vault.Event) { // the sequence numbers are those of the lines below
		must(t, vault.Record(ctx, l, e, 1))
	}
	intent, outcome, refresh := vault.KindInvokeIntent, vault.KindInvokeOutcome, vault.KindOAuthRefresh
	event(vault.Event{Kind: intent, Actor: "a"})                                                            // 2: ok
	event(vault.Event{Kind: intent, Actor: "b"})                                                            // 3: error
	event(vault.Event{Kind: intent, Actor: "a"})                                                            // 4: never ends
	event(vault.Event{Kind: refresh, Intent: 3})                                                            // 5: error
	event(vault.Event{Kind: refresh, Intent: 3, Outcome: vault.OutcomeError, Code: fault.Timeout})          // 6
	event(vault.Event{Kind: refresh, Intent: 3})                                                            // 7: ok
	event(vault.Event{Kind: refresh, Intent: 3, Outcome: vault.OutcomeOK})                                  // 8
	event(vault.Event{Kind: outcome, Intent: 3, Outcome: vault.OutcomeError, Code: fault.AuthFailed})       // 9
	event(vault.Event{Kind: vault.KindInvokeDenied, Outcome: vault.OutcomeDenied, Code: fault.RateLimited}) // 10
	event(vault.Event{Kind: refresh, Intent: 4})                                                            // 11: never ends
	event(vault.Event{Kind: refresh, Intent: 4, Outcome: vault.OutcomeDenied, Code: fault.Conflict})        // 12: never began
	event(vault.Event{Kind: outcome, Intent: 2, Outcome: vault.OutcomeOK, Actor: "a"})                      // 13
	for i, test := range []struct {
		q    vault.AuditQuery
		want []uint64
	}{
		{vault.AuditQuery{Outcome: "ok"}, []uint64{13, 8, 7, 2, 1}},
		{vault.AuditQuery{Outcome: "error"}, []uint64{9, 6, 5, 3}},
		{vault.AuditQuery{Outcome: "denied"}, []uint64{12, 10}},
		{vault.AuditQuery{Outcome: "unknown"}, []uint64{11, 4}},
		{vault.AuditQuery{Outcome: "rate_limited"}, []uint64{10}},
		{vault.AuditQuery{Outcome: "auth_failed"}, []uint64{9, 3}},
		{vault.AuditQuery{Outcome: "timeout"}, []uint64{6, 5}},
		{vault.AuditQuery{Outcome: "o"}, nil},
		{vault.AuditQuery{Outcome: "ok", Kind: intent}, []uint64{2}},
		{vault.AuditQuery{Outcome: "ok", UpTo: 4}, []uint64{2, 1}}, // its end is newer
		{vault.AuditQuery{Outcome: "unknown", UpTo: 10}, []uint64{4}},
		{vault.AuditQuery{Outcome: "unknown", Limit: 1}, []uint64{11}},
		{vault.AuditQuery{Actor: "a"}, []uint64{13, 4, 2}},
		{vault.AuditQuery{Actor: "A"}, nil},
		{vault.AuditQuery{Actor: "a", Outcome: "unknown"}, []uint64{4}},
	} {
		events, err := l.Audit(ctx, test.q)
		if diff := cmp.Diff(test.want, seqs(events)); diff != "" || err != nil {
			t.Errorf("%s: %v (-want +got):\n%s", fmt.Sprint(i, test.q.Outcome), err, diff)
		}
	}
}

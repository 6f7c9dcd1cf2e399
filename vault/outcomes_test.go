package vault_test

import (
	"context"
	"fmt"
	"os"
	"sync"
	"testing"
	"time"

	"aivault/keys/fault"
	"aivault/vault"
	"aivault/vault/internal/store"
	"aivault/vault/vaulttest"
)

// call makes a call without a secret.
func call(t testing.TB, l *vault.Local) uint64 {
	t.Helper()
	grant, err := l.Authorize(context.Background(), decideUse())
	must(t, err)
	return grant.Intent
}

// ended is the outcome of a call that went well.
var ended = vault.Event{Outcome: vault.OutcomeOK, Status: 200}

// recorded counts what the vault in dir has of outcomes, by the intent, as
// another process sees it.
func recorded(t testing.TB, dir string) map[uint64]int {
	t.Helper()
	other := open(t, dir)
	defer other.Close()
	events, err := other.Audit(context.Background(), vault.AuditQuery{Limit: 1 << 20})
	must(t, err)
	counts := map[uint64]int{}
	for _, e := range events {
		if e.Kind == vault.KindInvokeOutcome {
			counts[e.Intent]++
		}
	}
	return counts
}

// TestAnOutcomeIsDurableSoon: without another call, and without Flush.
func TestAnOutcomeIsDurableSoon(t *testing.T) {
	t.Parallel()
	l, dir := fresh(t)
	intent := call(t, l)
	start := time.Now()
	must(t, l.Finish(t.Context(), intent, ended))
	for recorded(t, dir)[intent] == 0 {
		if time.Since(start) > 30*time.Second {
			t.Fatal("the outcome is not recorded")
		}
		time.Sleep(time.Millisecond)
	}
	t.Logf("after %v", time.Since(start))
}

// TestACallCostsOneCommit: outcomes go along with the next call.
func TestACallCostsOneCommit(t *testing.T) {
	l, dir := fresh(t)
	before, start := epoch(t, l), time.Now()
	const n = 50
	for range n {
		must(t, l.Finish(t.Context(), call(t, l), ended))
	}
	timed := uint64(time.Since(start)/(50*time.Millisecond)) + 1 // those that waited too long
	must(t, l.Flush(t.Context()))
	if got := epoch(t, l) - before; got < n || got > n+timed+1 {
		t.Errorf("%d calls cost %d commits", n, got)
	}
	if got := recorded(t, dir); len(got) != n {
		t.Errorf("%d outcomes", len(got))
	}
	before = epoch(t, l)
	must(t, l.Flush(t.Context()))
	if got := epoch(t, l); got != before {
		t.Error("a Flush of nothing is a commit")
	}
}

// TestWhoeverLooksSeesOutcomes that Finish took: another process after Flush or
// Close, this one at once.
func TestWhoeverLooksSeesOutcomes(t *testing.T) {
	l, dir := fresh(t)
	look := map[string]func() map[uint64]int{
		"flush": func() map[uint64]int { must(t, l.Flush(t.Context())); return recorded(t, dir) },
		"close": func() map[uint64]int { l.Close(); return recorded(t, dir) },
		"audit": func() map[uint64]int {
			e := lastEvents(t, l, 1)[0]
			return map[uint64]int{e.Intent: 1}
		},
	}
	for name, look := range look {
		for range 10 {
			intent := call(t, l)
			must(t, l.Finish(t.Context(), intent, ended))
			if got := look(); got[intent] != 1 {
				t.Errorf("%s: the outcome of %d is there %d times", name, intent, got[intent])
			}
		}
	}
	vaulttest.Healthy(t, l)
}

// TestOutcomesOfACallerThatWentAway are recorded: only where too many wait does
// Finish take time.
func TestOutcomesOfACallerThatWentAway(t *testing.T) {
	l, dir := fresh(t)
	intent := call(t, l)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	must(t, l.Finish(ctx, intent, ended))
	must(t, l.Flush(t.Context()))
	if got := recorded(t, dir); got[intent] != 1 {
		t.Errorf("recorded %v", got)
	}
}

// TestTooManyOutcomes: while nothing can be written, so many wait and no more,
// and those who bring more wait, too. None is lost.
func TestTooManyOutcomes(t *testing.T) {
	t.Parallel()
	l, dir := fresh(t)
	intent := call(t, l)
	const n = 3000
	var wg sync.WaitGroup
	taken := make(chan struct{}, n)
	together(t, dir, func() {
		for range n {
			wg.Go(func() {
				if err := l.Finish(context.Background(), intent, ended); err != nil {
					t.Error(err)
				}
				taken <- struct{}{}
			})
		}
		for range 1024 {
			<-taken
		}
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
		defer cancel()
		wantCode(t, l.Finish(ctx, intent, ended), fault.AuditUnavailable)
		if len(taken) > 0 {
			t.Error("more were taken")
		}
	})
	wg.Wait()
	must(t, l.Flush(t.Context()))
	if got := recorded(t, dir); got[intent] != n {
		t.Errorf("%d of %d outcomes", got[intent], n)
	}
	vaulttest.Healthy(t, l)
}

// TestOutcomesThatCannotBeRecorded are told of, kept, and recorded once when
// that is possible again.
func TestOutcomesThatCannotBeRecorded(t *testing.T) {
	t.Parallel()
	l, dir := fresh(t)
	var intents []uint64
	for range 5 {
		intents = append(intents, call(t, l))
	}
	lock := dir + "/" + store.LockFile
	must(t, os.Remove(lock))
	must(t, os.Mkdir(lock, 0o700))
	for _, intent := range intents[:3] {
		must(t, l.Finish(t.Context(), intent, ended))
	}
	wantCode(t, l.Flush(t.Context()), fault.AuditUnavailable)
	if _, err := l.Authorize(t.Context(), decideUse()); fault.CodeOf(err) != fault.AuditUnavailable {
		t.Errorf("a call: %v", err)
	}
	wantCode(t, l.Finish(t.Context(), intents[3], ended), fault.AuditUnavailable) // that of the call's transaction
	l.Close()
	must(t, os.Remove(lock))
	time.Sleep(100 * time.Millisecond) // longer than outcomes wait
	if got := recorded(t, dir); len(got) != 0 {
		t.Errorf("a vault that was closed works on: %v", got)
	}
	wantCode(t, l.Finish(t.Context(), intents[4], ended), fault.AuditUnavailable) // that of Close
	must(t, l.Flush(t.Context()))
	got := recorded(t, dir)
	for _, intent := range intents {
		if got[intent] != 1 {
			t.Errorf("the outcome of %d is there %d times", intent, got[intent])
		}
	}
	must(t, l.Finish(t.Context(), call(t, l), ended))
	vaulttest.Healthy(t, l)
}

// TestOutcomesOfAnotherVault do not get into the log of the one that took its
// place.
func TestOutcomesOfAnotherVault(t *testing.T) {
	l, dir := fresh(t)
	other, otherDir := fresh(t)
	other.Close()
	intent := call(t, l)
	must(t, l.Finish(t.Context(), intent, ended)) // and before it is written:
	must(t, os.Rename(vaultFile(otherDir), vaultFile(dir)))
	must(t, os.Rename(keyFile(otherDir).Path, keyFile(dir).Path))
	wantCode(t, l.Flush(t.Context()), fault.AuditUnavailable)
	if got := recorded(t, dir); len(got) != 0 {
		t.Errorf("recorded %v", got)
	}
	must(t, l.Flush(t.Context()))
	intent = call(t, l)
	must(t, l.Finish(t.Context(), intent, ended))
	must(t, l.Flush(t.Context()))
	if got := recorded(t, dir); fmt.Sprint(got) != fmt.Sprint(map[uint64]int{intent: 1}) {
		t.Errorf("recorded %v", got)
	}
	vaulttest.Healthy(t, l)

	other, otherDir = fresh(t) // and once more, with calls that go on
	other.Close()
	must(t, l.Finish(t.Context(), call(t, l), ended))
	must(t, os.Rename(vaultFile(otherDir), vaultFile(dir)))
	must(t, os.Rename(keyFile(otherDir).Path, keyFile(dir).Path))
	intent = call(t, l)
	call(t, l)
	wantCode(t, l.Finish(t.Context(), intent, ended), fault.AuditUnavailable)
	must(t, l.Flush(t.Context()))
	if got := recorded(t, dir); fmt.Sprint(got) != fmt.Sprint(map[uint64]int{intent: 1}) {
		t.Errorf("recorded %v", got)
	}
}

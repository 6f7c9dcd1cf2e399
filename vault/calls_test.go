package vault_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"aivault/keys/fault"
	"aivault/vault"
	"aivault/vault/internal/store"
	"aivault/vault/vaulttest"
)

// acme is the use of a secret for a call of its provider.
func acme(id vault.ID) vault.Use {
	return vault.Use{Secret: id, Provider: "acme", Host: vault.Host{Name: "api.acme.test"}}
}

// epoch is the number of transactions that changed the vault.
func epoch(t testing.TB, l *vault.Local) uint64 {
	t.Helper()
	n, err := vault.Epoch(t.Context(), l)
	must(t, err)
	return n
}

// together has calls wait until they are all there, and then go on at once: as
// long as f runs, the vault is held.
func together(t testing.TB, dir string, f func()) {
	t.Helper()
	must(t, store.NewBolt(dir, time.Minute).View(context.Background(), func(store.Tx) error {
		f()
		return nil
	}))
}

// waiting waits until so many goroutines wait in Authorize.
func waiting(t testing.TB, n int) {
	t.Helper()
	for end := time.Now().Add(time.Minute); ; time.Sleep(time.Millisecond) {
		buf := make([]byte, 4<<20)
		stacks := string(buf[:runtime.Stack(buf, true)])
		if strings.Count(stacks, "vault.(*Local).join(") >= n {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("not all of %d calls wait", n)
		}
	}
}

// TestCallsShareATransaction: of 64 calls that wait, each has its own intent
// and value, and all of them cost one commit.
func TestCallsShareATransaction(t *testing.T) {
	l, dir := fresh(t)
	const n = 64
	ids := make([]vault.ID, n)
	for i := range ids {
		ids[i] = vaulttest.Create(t, l, workspace(fmt.Sprint("w", i%4)), fmt.Sprint("n", i), fmt.Sprint("made-up-", i)).ID
		_, err := l.CreateCredential(t.Context(), credential(fmt.Sprint("c", i), ids[i], "api.acme.test"), nil)
		must(t, err)
	}
	before := epoch(t, l)
	var wg sync.WaitGroup
	grants := make([]vault.Permit, n)
	together(t, dir, func() {
		for i := range n {
			wg.Go(func() {
				var err error
				if grants[i], err = l.Authorize(context.Background(), decideUse(acme(ids[i]))); err != nil {
					t.Error(err)
				}
			})
		}
		waiting(t, n)
	})
	wg.Wait()
	if got := epoch(t, l) - before; got != 1 {
		t.Errorf("%d calls cost %d commits", n, got)
	}
	seen := map[uint64]int{}
	for i, g := range grants {
		if j, taken := seen[g.Intent]; taken || g.Intent == 0 {
			t.Errorf("calls %d and %d have intent %d", i, j, g.Intent)
		}
		seen[g.Intent] = i
		if len(g.Values) != 1 || string(g.Values[0].Reveal()) != fmt.Sprint("made-up-", i) {
			t.Errorf("call %d was given another value, or none", i)
		}
	}
	events, err := l.Audit(t.Context(), vault.AuditQuery{Limit: n})
	must(t, err)
	for _, e := range events {
		if i, ok := seen[e.Seq]; !ok || e.Kind != vault.KindInvokeIntent || e.Secret != ids[i] {
			t.Errorf("an intent is %+v", e)
		}
	}
	for _, id := range ids {
		if s, err := l.FindSecret(t.Context(), id.String()); err != nil || s.LastUsedAt.IsZero() {
			t.Errorf("after its use: %+v, %v", s, err)
		}
	}
	vaulttest.Healthy(t, l)
}

// TestManyMoreCallsThanFitIntoATransaction are served all the same, in order.
func TestManyMoreCallsThanFitIntoATransaction(t *testing.T) {
	l, dir := fresh(t)
	before := epoch(t, l)
	const n = 500
	var wg sync.WaitGroup
	together(t, dir, func() {
		for range n {
			wg.Go(func() {
				if _, err := l.Authorize(context.Background(), decideUse()); err != nil {
					t.Error(err)
				}
			})
		}
		waiting(t, n)
	})
	wg.Wait()
	if got := epoch(t, l) - before; got != 4 {
		t.Errorf("%d calls cost %d commits", n, got)
	}
}

// TestWhatACallerDoesIsItsOwn: callers that panic, end, give up, are refused or
// meet damage share a transaction with others, who do not notice.
func TestWhatACallerDoesIsItsOwn(t *testing.T) {
	l, dir := fresh(t)
	s := vaulttest.Create(t, l, vault.GlobalScope(), "ACME_KEY", "made-up")
	canceled, cancel := context.WithCancel(t.Context())
	var decided atomic.Int32
	kinds := []struct {
		name   string
		ctx    context.Context
		decide func(vault.Reader) (vault.Decision, error)
		want   func(err error, panicked any) bool
	}{
		{"panic", t.Context(), func(vault.Reader) (vault.Decision, error) { panic("made-up bug") }, func(_ error, p any) bool { return p == "made-up bug" }},
		{"exit", t.Context(), func(vault.Reader) (vault.Decision, error) { runtime.Goexit(); return vault.Decision{}, nil }, func(err error, p any) bool { return err == nil && p == nil }},
		{"refused", t.Context(), func(vault.Reader) (vault.Decision, error) {
			return vault.Decision{}, fault.New(fault.PolicyViolation, "no")
		}, func(err error, _ any) bool { return fault.CodeOf(err) == fault.PolicyViolation }},
		{"damage", t.Context(), func(vault.Reader) (vault.Decision, error) {
			return vault.Decision{}, fmt.Errorf("page 7: %w", store.ErrDamaged)
		}, func(err error, _ any) bool { return fault.CodeOf(err) == fault.VaultCorrupt }},
		{"gave up", canceled, decideUse(), func(err error, _ any) bool { return errors.Is(err, context.Canceled) }},
		{"granted", t.Context(), func(r vault.Reader) (vault.Decision, error) {
			decided.Add(1)
			_, err := r.Secret(s.ID)
			return vault.Decision{Uses: []vault.Use{acme(s.ID)}}, err
		}, func(err error, p any) bool { return err == nil && p == nil }},
	}
	const rounds = 5
	var wg sync.WaitGroup
	var granted atomic.Int32
	together(t, dir, func() {
		for i := range rounds * len(kinds) {
			kind := kinds[i%len(kinds)]
			wg.Go(func() {
				var (
					grant vault.Permit
					err   error
				)
				defer func() {
					if p := recover(); !kind.want(err, p) {
						t.Errorf("%s: %v, panic %v", kind.name, err, p)
					}
					if grant.Intent > 0 {
						granted.Add(1)
					}
				}()
				grant, err = l.Authorize(kind.ctx, kind.decide)
			})
		}
		waiting(t, rounds*len(kinds))
		cancel()
	})
	wg.Wait()
	if granted.Load() != rounds || decided.Load() < rounds {
		t.Errorf("%d of %d calls were granted", granted.Load(), rounds)
	}
	intents := 0
	for _, e := range lastEvents(t, l, 1000) {
		if e.Kind == vault.KindInvokeIntent {
			intents++
		}
	}
	if intents != rounds {
		t.Errorf("%d intents of %d calls", intents, rounds)
	}
	if got, err := reveal(t.Context(), l, s.ID, "api.acme.test"); got != "made-up" || err != nil {
		t.Errorf("afterwards: %v", err)
	}
	vaulttest.Healthy(t, l)
}

// TestALeavingCaller does not wait for a vault that somebody else holds, and
// leaves nothing behind.
func TestALeavingCaller(t *testing.T) {
	l, dir := fresh(t)
	before := epoch(t, l)
	together(t, dir, func() {
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() {
			_, err := l.Authorize(ctx, decideUse())
			done <- err
		}()
		waiting(t, 1)
		cancel()
		if err := <-done; fault.CodeOf(err) != fault.Canceled {
			t.Errorf("it was told %v", err)
		}
	})
	if _, err := l.Authorize(t.Context(), decideUse()); err != nil {
		t.Error(err)
	}
	if got := epoch(t, l) - before; got != 1 {
		t.Errorf("%d transactions", got)
	}
}

// TestCloseDuringCalls: keys are not wiped under a call's hands.
func TestCloseDuringCalls(t *testing.T) {
	l, _ := fresh(t)
	s := vaulttest.Create(t, l, vault.GlobalScope(), "ACME_KEY", "made-up")
	stop := make(chan struct{})
	var closer, callers sync.WaitGroup
	closer.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
				l.Close()
			}
		}
	})
	for range 8 {
		callers.Go(func() {
			for range 20 {
				got, err := reveal(context.Background(), l, s.ID, "api.acme.test")
				if got != "made-up" || err != nil {
					t.Errorf("%q, %v", got, err)
				}
			}
		})
	}
	callers.Wait()
	close(stop)
	closer.Wait()
	vaulttest.Healthy(t, l)
}

// workCalls makes calls in 16 goroutines until it is killed, and writes down
// each intent before it is finished.
func workCalls(ctx context.Context, l *vault.Local, args []string, out io.Writer) error {
	id, err := vault.ParseSecretRef(args[0])
	if err != nil {
		return err
	}
	var mu sync.Mutex
	failed := make(chan error)
	for range 16 {
		go func() {
			for {
				grant, err := l.Authorize(ctx, decideUse(acme(id)))
				if err == nil {
					mu.Lock()
					_, err = fmt.Fprintln(out, grant.Intent, string(grant.Values[0].Reveal()))
					mu.Unlock()
				}
				if err == nil {
					err = l.Finish(ctx, grant.Intent, vault.Event{Outcome: vault.OutcomeOK})
				}
				if err != nil {
					failed <- err
					return
				}
			}
		}()
	}
	return <-failed
}

// TestKilledAmidCalls: whatever call got a value has its intent in the log, the
// log verifies, and no outcome belongs to no intent.
// Fault F1.
func TestKilledAmidCalls(t *testing.T) {
	t.Parallel()
	kills := 40
	if testing.Short() {
		kills = 5
	}
	l, dir := fresh(t)
	s := vaulttest.Create(t, l, vault.GlobalScope(), "ACME_KEY", "made-up")
	rng := rand.New(rand.NewPCG(14, 15))
	granted := map[uint64]bool{}
	for range kills {
		cmd := worker(t, "calls", dir, s.ID.String())
		out := &output{wrote: make(chan struct{})}
		cmd.Stdout = out
		must(t, cmd.Start())
		<-out.wrote
		// Not a wait for a condition: any moment will do.
		time.Sleep(time.Duration(rng.IntN(70_000)) * time.Microsecond)
		must(t, cmd.Process.Kill())
		_ = cmd.Wait() // it was killed
		for _, line := range lines(out.text.String()) {
			seq, value, _ := strings.Cut(line, " ")
			n, err := strconv.ParseUint(seq, 10, 64)
			if err != nil || value != "made-up" || granted[n] {
				t.Fatalf("a call was granted as %q", line)
			}
			granted[n] = true
		}
	}
	events, err := l.Audit(t.Context(), vault.AuditQuery{Limit: 1 << 20})
	must(t, err)
	slices.Reverse(events)
	open, outcomes := map[uint64]bool{}, 0
	for _, e := range events {
		switch e.Kind {
		case vault.KindInvokeIntent:
			open[e.Seq] = true
			delete(granted, e.Seq)
		case vault.KindInvokeOutcome:
			if !open[e.Intent] {
				t.Errorf("outcome %d belongs to no call, or to one that has another", e.Seq)
			}
			delete(open, e.Intent)
			outcomes++
		}
	}
	if len(granted) > 0 {
		t.Errorf("%d calls were granted of which the log knows nothing", len(granted))
	}
	if outcomes == 0 {
		t.Error("no outcome was recorded, so this tests little")
	}
	vaulttest.Healthy(t, l)
}

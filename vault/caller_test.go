package vault_test

import (
	"context"
	"fmt"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aivault/keys/fault"
	"aivault/vault"
	"aivault/vault/vaulttest"
)

// signed returns who the last n events of some kinds name, the newest first: each
// as "kind actor uid pid".
func signed(t testing.TB, l *vault.Local, n int) (out []string) {
	t.Helper()
	events, err := l.Audit(t.Context(), vault.AuditQuery{Limit: n})
	must(t, err)
	for _, e := range events {
		out = append(out, fmt.Sprint(e.Kind, " ", e.Actor, " ", e.UID, " ", e.PID))
	}
	return out
}

// TestCaller: events name whoever the context does, and this process otherwise.
func TestCaller(t *testing.T) {
	t.Parallel()
	dir := vaulttest.Dir(t)
	opts := vaulttest.Options(dir)
	opts.Actor = "made-up"
	l := vault.New(opts)
	defer l.Close()
	own := fmt.Sprint("made-up ", os.Getuid(), " ", os.Getpid())
	for _, test := range []struct {
		name string
		ctx  context.Context
		want string
	}{
		{"nobody", t.Context(), own},
		{"another process", vault.WithCaller(t.Context(), vault.Caller{Actor: "tui", UID: 7, PID: 8}), "tui 7 8"},
		{"one without a name", vault.WithCaller(t.Context(), vault.Caller{UID: 7, PID: 8}), "made-up 7 8"},
		{"an agent without a name", vault.WithCaller(t.Context(), vault.Caller{UID: 9, PID: 8, Agent: true}), "agent 9 8"},
		{"root", vault.WithCaller(t.Context(), vault.Caller{Actor: "operator"}), "operator 0 0"},
		{"the inner of two", vault.WithCaller(vault.WithCaller(t.Context(), vault.Caller{UID: 1}), vault.Caller{Actor: "b", UID: 2, PID: 3}), "b 2 3"},
	} {
		s, err := l.CreateSecret(test.ctx, newSecret(vault.GlobalScope(), test.name, "made-up"))
		must(t, err)
		use := useOf(s.ID, "api.acme.test")
		_, err = l.CreateCredential(test.ctx, credential(fmt.Sprint(s.ID), s.ID, "api.acme.test"), nil)
		must(t, err)
		permit, err := l.Authorize(test.ctx, decideUse(use))
		must(t, err)
		must(t, l.BeginRenewal(test.ctx, permit.Intent, use, 1))
		must(t, l.Finish(t.Context(), permit.Intent, vault.Event{Outcome: vault.OutcomeOK})) // whoever brings it
		want := []string{
			"invoke.outcome " + test.want, "oauth.refresh " + test.want, "invoke.intent " + test.want,
			"credential.create " + test.want, "secret.hosts " + test.want, "secret.create " + test.want,
		}
		if diff := cmp.Diff(signed(t, l, len(want)), want); diff != "" {
			t.Errorf("%s (-got +want):\n%s", test.name, diff)
		}
	}
	vaulttest.Healthy(t, l)
}

// TestCallersInOneTransaction: calls of many callers are recorded at once, and
// each intent, refusal and outcome names its own.
func TestCallersInOneTransaction(t *testing.T) {
	t.Parallel()
	l, dir := fresh(t)
	const n = 40
	before := epoch(t, l)
	var wg sync.WaitGroup
	together(t, dir, func() {
		for i := range n {
			wg.Go(func() {
				ctx := vault.WithCaller(context.Background(), vault.Caller{Actor: fmt.Sprint("a", i), UID: i, PID: 1000 + i, Agent: i%2 == 0})
				permit, err := l.Authorize(ctx, func(vault.Reader) (d vault.Decision, err error) {
					d.Event.Path = fmt.Sprint("/", i)
					if i%4 == 0 {
						err = fault.New(fault.PolicyViolation, "no")
					}
					return d, err
				})
				if i%4 == 0 {
					wantCode(t, err, fault.PolicyViolation)
					return
				}
				must(t, err)
				must(t, l.Finish(ctx, permit.Intent, vault.Event{Outcome: vault.OutcomeOK, Path: fmt.Sprint("/", i)}))
			})
		}
		waiting(t, n)
	})
	wg.Wait()
	must(t, l.Flush(t.Context()))
	if took := epoch(t, l) - before; took >= n {
		t.Errorf("%d calls took %d transactions", n, took)
	}
	events, err := l.Audit(t.Context(), vault.AuditQuery{Kind: "invoke."})
	must(t, err)
	seen := map[string]int{}
	for _, e := range events {
		var i int
		if _, err := fmt.Sscanf(e.Path, "/%d", &i); err != nil || e.Actor != fmt.Sprint("a", i) || e.UID != i || e.PID != 1000+i {
			t.Errorf("the event of call %s names %s %d %d", e.Path, e.Actor, e.UID, e.PID)
		}
		seen[e.Kind]++
	}
	if diff := cmp.Diff(seen, map[string]int{vault.KindInvokeDenied: n / 4, vault.KindInvokeIntent: n - n/4, vault.KindInvokeOutcome: n - n/4}); diff != "" {
		t.Errorf("events (-got +want):\n%s", diff)
	}
	vaulttest.Healthy(t, l)
}

// TestDenialsOfCallers: what is alike but for the user is counted apart, and
// another process of the same user makes no difference.
//
// Case 100.
func TestDenialsOfCallers(t *testing.T) {
	t.Parallel()
	l, _, c, _ := ticking(t)
	callers := []vault.Caller{
		{Actor: "agent", UID: 1001, PID: 1, Agent: true},
		{Actor: "agent", UID: 1001, PID: 2, Agent: true},
		{Actor: "agent", UID: 1002, PID: 1, Agent: true},
		{Actor: "operator", UID: 1000, PID: 1},
	}
	for range 3 {
		for _, caller := range callers {
			wantCode(t, refuseTo(l, caller, vault.Event{Path: "/a"}), fault.PolicyViolation)
		}
	}
	c.pass(time.Minute)
	must(t, l.Flush(t.Context()))
	var got []string
	for _, e := range lastEvents(t, l, 3) {
		got = append(got, fmt.Sprint(e.Actor, " ", e.Count))
	}
	if diff := cmp.Diff(got, []string{"operator 3", "agent 3", "agent 6"}); diff != "" {
		t.Errorf("(-got +want):\n%s", diff)
	}
	want := []string{"invoke.denied operator 1000 1", "invoke.denied agent 1002 1", "invoke.denied agent 1001 1"}
	if diff := cmp.Diff(signed(t, l, 6), append(want, want...)); diff != "" {
		t.Errorf("(-got +want):\n%s", diff)
	}
}

// TestProbingOfOthers: an agent that was refused too often learns nothing more,
// whichever of its processes asks; the owner and other agents do.
//
// Case 100.
func TestProbingOfOthers(t *testing.T) {
	t.Parallel()
	l, _, _, _ := ticking(t)
	agent := func(uid, pid int) vault.Caller { return vault.Caller{UID: uid, PID: pid, Agent: true} }
	for i := range 300 {
		wantCode(t, refuseTo(l, agent(1001, i), vault.Event{Path: "/probe"}), fault.PolicyViolation)
	}
	for i := range 3 {
		wantCode(t, refuseTo(l, agent(1001, i), vault.Event{Path: "/probe"}), fault.RateLimited)
	}
	wantCode(t, refuseTo(l, agent(1002, 1), vault.Event{Path: "/a"}), fault.PolicyViolation)
	wantCode(t, refuseTo(l, vault.Caller{UID: 1001}, vault.Event{Path: "/a"}), fault.PolicyViolation)
	wantCode(t, refuse(l, vault.Event{Path: "/a"}), fault.PolicyViolation)
	must(t, limited(l, "acme/items", 5, vault.Event{}))
	vaulttest.Healthy(t, l)
}

// refuseTo refuses a call of a caller.
func refuseTo(l *vault.Local, c vault.Caller, e vault.Event) error {
	_, err := l.Authorize(vault.WithCaller(context.Background(), c), func(vault.Reader) (vault.Decision, error) {
		return vault.Decision{Event: e}, fault.New(fault.PolicyViolation, "the made-up reason")
	})
	return err
}

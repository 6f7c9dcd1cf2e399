package vault_test

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aivault/keys/fault"
	"aivault/vault"
	"aivault/vault/vaulttest"
)

// refuse makes a call that policy refuses.
func refuse(l *vault.Local, e vault.Event) error {
	_, err := l.Authorize(context.Background(), func(vault.Reader) (vault.Decision, error) {
		return vault.Decision{Event: e}, fault.New(fault.PolicyViolation, "the made-up reason")
	})
	return err
}

// denied returns the denials of the log, the oldest first, each as
// "path count seconds", where the seconds are those from start to the last one.
func denied(t testing.TB, l *vault.Local, start time.Time) []string {
	t.Helper()
	events, err := l.Audit(t.Context(), vault.AuditQuery{Limit: 1 << 20})
	must(t, err)
	var out []string
	for _, e := range events {
		if e.Kind != vault.KindInvokeDenied {
			continue
		}
		text := fmt.Sprint(e.Path, " ", e.Count)
		if !e.Last.IsZero() {
			text += fmt.Sprint(" ", e.Last.Sub(start).Seconds())
		}
		out = append(out, text)
	}
	slices.Reverse(out)
	return out
}

// ticking returns a vault with clocks, and when they began.
func ticking(t testing.TB) (l *vault.Local, dir string, c *clocks, start time.Time) {
	t.Helper()
	start = time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
	c = &clocks{boot: "boot", now: start}
	dir = vaulttest.Dir(t)
	l = clocked(t, dir, c)
	vaulttest.Create(t, l, vault.GlobalScope(), "n", "made-up")
	return l, dir, c, start
}

// TestCase100DenialsAreCountedTogether: the first of a kind is an event at once,
// those that follow become one when the minute is over.
func TestCase100DenialsAreCountedTogether(t *testing.T) {
	next := map[string]func(l *vault.Local) error{ // by which it is noticed that the minute is over
		"flush": func(l *vault.Local) error { return l.Flush(context.Background()) },
		"grant": func(l *vault.Local) error { _, err := l.Authorize(context.Background(), decideUse()); return err },
		"denial": func(l *vault.Local) error {
			if err := refuse(l, vault.Event{Path: "/c"}); fault.CodeOf(err) != fault.PolicyViolation {
				return err
			}
			return nil
		},
	}
	for name, next := range next {
		t.Run(name, func(t *testing.T) {
			l, dir, c, start := ticking(t)
			for i, path := range []string{"/a", "/a", "/b", "/a", "/a"} {
				if i > 0 {
					c.pass(5 * time.Second)
				}
				wantCode(t, refuse(l, vault.Event{Path: path}), fault.PolicyViolation)
			}
			want := []string{"/a 4 20", "/b 0"}
			if diff := cmp.Diff(denied(t, l, start), want); diff != "" {
				t.Errorf("while they are counted (-got +want):\n%s", diff)
			}
			other := clocked(t, dir, c)
			wantCode(t, refuse(other, vault.Event{Path: "/a"}), fault.PolicyViolation)
			want[0] = "/a 5 20"
			if diff := cmp.Diff(denied(t, l, start), want); diff != "" {
				t.Errorf("with one by another process (-got +want):\n%s", diff)
			}
			c.pass(40*time.Second - 1)
			must(t, l.Flush(t.Context()))
			if diff := cmp.Diff(denied(t, l, start), want); diff != "" {
				t.Errorf("just before a minute is over (-got +want):\n%s", diff)
			}
			c.pass(1)
			must(t, next(l))
			want = []string{"/a 0", "/b 0", "/a 5 20"}
			if name == "denial" {
				want = append(want, "/c 0")
			}
			if diff := cmp.Diff(denied(t, l, start), want); diff != "" {
				t.Errorf("when it is over (-got +want):\n%s", diff)
			}
			wantCode(t, refuse(l, vault.Event{Path: "/a"}), fault.PolicyViolation)
			if diff := cmp.Diff(denied(t, l, start), append(want, "/a 0")); diff != "" {
				t.Errorf("the next of that kind (-got +want):\n%s", diff)
			}
			vaulttest.Healthy(t, l)
		})
	}
}

// TestDenialsThatDiffer are events of their own.
func TestDenialsThatDiffer(t *testing.T) {
	l, _, c, start := ticking(t)
	base := vault.Event{
		Capability: "acme/items", Workspace: "w", Group: "g", Consumer: "agent", Credential: "acme", Method: "GET", Host: "api.acme.test", Path: "/v1",
	}
	variants := []func(e *vault.Event){
		func(*vault.Event) {},
		func(e *vault.Event) { e.Capability = "acme/other" },
		func(e *vault.Event) { e.Workspace = "v" },
		func(e *vault.Event) { e.Group = "" },
		func(e *vault.Event) { e.Consumer = "other" },
		func(e *vault.Event) { e.Credential = "acme-2" },
		func(e *vault.Event) { e.Method = "POST" },
		func(e *vault.Event) { e.Host = "api.acme.test:444" },
		func(e *vault.Event) { e.Path = "/v2" },
		func(e *vault.Event) { e.Workspace, e.Group = "wg", "" },
	}
	for range 2 {
		for _, vary := range variants {
			e := base
			vary(&e)
			wantCode(t, refuse(l, e), fault.PolicyViolation)
		}
		_, err := l.Authorize(t.Context(), func(vault.Reader) (vault.Decision, error) {
			return vault.Decision{Event: base}, fault.New(fault.RequestTooLarge, "no")
		})
		wantCode(t, err, fault.RequestTooLarge)
	}
	got := denied(t, l, start)
	if len(got) != len(variants)+1 {
		t.Errorf("%d events of %d kinds", len(got), len(variants)+1)
	}
	for _, text := range got {
		if !slices.Contains([]string{"/v1 2 0", "/v2 2 0"}, text) {
			t.Errorf("counted as %s", text)
		}
	}
	c.pass(time.Minute)
	must(t, l.Flush(t.Context()))
	events := lastEvents(t, l, len(variants)+1)
	for _, e := range events { // each with all that the first one had
		if e.Count != 2 || !e.Last.Equal(start) || e.Method == "" || e.Host == "" || e.Capability == "" || e.Intent != 0 {
			t.Errorf("summed up as %+v", e)
		}
	}
	vaulttest.Healthy(t, l)
}

// TestManyKindsOfDenials: so many are counted at a time. One more, and what
// there is of the oldest is written down.
func TestManyKindsOfDenials(t *testing.T) {
	l, _, c, start := ticking(t)
	var want []string
	for i := range 64 {
		path := fmt.Sprint("/", i)
		for range 2 {
			wantCode(t, refuse(l, vault.Event{Path: path}), fault.PolicyViolation)
		}
		want = append(want, path+" 2 0")
		c.pass(time.Millisecond)
	}
	for i := range want {
		want[i] = fmt.Sprintf("/%d 2 %v", i, (time.Duration(i) * time.Millisecond).Seconds())
	}
	if diff := cmp.Diff(denied(t, l, start), want); diff != "" {
		t.Fatalf("(-got +want):\n%s", diff)
	}
	wantCode(t, refuse(l, vault.Event{Path: "/more"}), fault.PolicyViolation)
	sum := want[0]
	want[0] = "/0 0"
	want = append(want, sum, "/more 0")
	if diff := cmp.Diff(denied(t, l, start), want); diff != "" {
		t.Errorf("(-got +want):\n%s", diff)
	}
	vaulttest.Healthy(t, l)
}

// TestCase100ProbingIsBounded: after 300 refusals in a minute nobody learns why
// a call is refused, what is allowed still is, and nothing grows.
func TestCase100ProbingIsBounded(t *testing.T) {
	t.Parallel()
	l, dir, c, start := ticking(t)
	size := func() int64 {
		fi, err := os.Stat(vaultFile(dir))
		must(t, err)
		return fi.Size()
	}
	probe := func(n int) (told int) {
		for i := range n {
			err := refuse(l, vault.Event{Capability: fmt.Sprint("made-up/", c.up, "/", i), Path: "/probe"})
			switch fault.CodeOf(err) {
			case fault.PolicyViolation:
				told++
			case fault.RateLimited:
				if err.Error() != "too many refused calls in the last minute; this one is refused, too" || fault.HintOf(err) == "" {
					t.Fatalf("the refusal says %v", err)
				}
			default:
				t.Fatal(err)
			}
		}
		return told
	}
	if got := probe(400); got != 300 {
		t.Errorf("%d refusals were explained", got)
	}
	events, full := len(denied(t, l, start)), size()
	if got := probe(200); got != 0 {
		t.Errorf("then %d more were", got)
	}
	must(t, limited(l, "acme/items", 1, vault.Event{}))
	err := limited(l, "acme/items", 1, vault.Event{})
	if fault.CodeOf(err) != fault.RateLimited || fault.HintOf(err) == "try again in 60 s" {
		t.Errorf("over the rate: %v", err)
	}
	_, err = l.Authorize(t.Context(), func(vault.Reader) (vault.Decision, error) {
		return vault.Decision{}, fault.New(fault.VaultCorrupt, "a made-up damage")
	})
	wantCode(t, err, fault.VaultCorrupt)
	if got := len(denied(t, l, start)); got != events+1 || events != 301 {
		t.Errorf("%d events became %d", events, got)
	}
	if got := size(); got > full {
		t.Errorf("the file grew from %d to %d bytes", full, got)
	}
	c.pass(59 * time.Second)
	if got := probe(10); got != 0 {
		t.Errorf("after 59 s %d were", got)
	}
	c.pass(1250 * time.Millisecond)
	if got := probe(10); got != 10 {
		t.Errorf("after a minute %d of 10 were", got)
	}
	var all uint64
	for _, e := range lastEvents(t, l, 1000) {
		if e.Kind == vault.KindInvokeDenied && e.Code == fault.RateLimited && e.Count > 0 {
			all += e.Count
			if e.Capability != "" || e.Path != "" {
				t.Errorf("a count of unexplained refusals has %+v", e)
			}
		}
	}
	if all != 311 {
		t.Errorf("%d refusals of 311 are in the log", all)
	}
	vaulttest.Healthy(t, l)
}

// TestAStormOfRefusalsDoesNotGrowTheFile, where they are alike.
func TestAStormOfRefusalsDoesNotGrowTheFile(t *testing.T) {
	t.Parallel()
	l, dir := fresh(t)
	for range 50 { // free pages have settled
		wantCode(t, refuse(l, vault.Event{Path: "/a"}), fault.PolicyViolation)
	}
	before := len(read(t, vaultFile(dir)))
	for range 200 {
		wantCode(t, refuse(l, vault.Event{Path: "/a"}), fault.PolicyViolation)
	}
	if after := len(read(t, vaultFile(dir))); after > before {
		t.Errorf("the file grew from %d to %d bytes", before, after)
	}
	if got := len(denied(t, l, time.Time{})); got != 1 {
		t.Errorf("%d events", got)
	}
}

// workRefused is refused a number of times, on one of two paths.
func workRefused(_ context.Context, l *vault.Local, args []string, _ io.Writer) error {
	for i := range 20 {
		if err := refuse(l, vault.Event{Path: fmt.Sprint("/", i%2)}); fault.CodeOf(err) != fault.PolicyViolation && fault.CodeOf(err) != fault.RateLimited {
			return fmt.Errorf("process %s: %w", args[0], err)
		}
	}
	return nil
}

// TestCase100NoDenialIsLost: what 32 processes were refused is in the log to the
// last one.
func TestCase100NoDenialIsLost(t *testing.T) {
	t.Parallel()
	l, dir := fresh(t)
	run(t, 32, func(i int) *exec.Cmd { return worker(t, "refused", dir, fmt.Sprint(i)) })
	var all uint64
	for _, e := range lastEvents(t, l, 1000) {
		if e.Kind == vault.KindInvokeDenied {
			all += max(1, e.Count)
		}
	}
	if all != 32*20 {
		t.Errorf("%d refusals of %d are in the log", all, 32*20)
	}
	vaulttest.Healthy(t, l)
}

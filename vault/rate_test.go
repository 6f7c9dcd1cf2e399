package vault_test

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"aivault/keys/fault"
	"aivault/vault"
	"aivault/vault/vaulttest"
)

// clocks are those of a machine.
type clocks struct {
	boot string
	up   time.Duration
	now  time.Time
}

// pass lets time go by, by both clocks.
func (c *clocks) pass(d time.Duration) { c.up += d; c.now = c.now.Add(d) }

// clocked returns the vault in dir as a process sees it on a machine with these
// clocks.
func clocked(t testing.TB, dir string, c *clocks) *vault.Local {
	t.Helper()
	opts := vaulttest.Options(dir)
	opts.Claims = claims
	opts.Now = func() time.Time { return c.now }
	opts.Clock = func() (string, time.Duration) { return c.boot, c.up }
	l := vault.New(opts)
	t.Cleanup(l.Close)
	return l
}

// limited makes a call of a capability with a limit.
func limited(l *vault.Local, capability string, limit int64, e vault.Event) error {
	e.Capability = capability
	_, err := l.Authorize(context.Background(), func(vault.Reader) (vault.Decision, error) {
		return vault.Decision{Event: e, Rate: &limit}, nil
	})
	return err
}

// TestCase099Rate: in any 60 s at most so many calls, whatever happens to the
// clock, the process and the limit.
func TestCase099Rate(t *testing.T) {
	t.Parallel()
	type step struct {
		do      func(c *clocks) // before
		restart bool
		limit   int64
		try     int // so many calls
		want    int // are granted
	}
	pass := func(d time.Duration) func(*clocks) { return func(c *clocks) { c.pass(d) } }
	set := func(d time.Duration) func(*clocks) { return func(c *clocks) { c.now = c.now.Add(d) } }
	reboot := func(d time.Duration) func(*clocks) {
		return func(c *clocks) { c.boot, c.up, c.now = c.boot+"'", 0, c.now.Add(d) }
	}
	none := func(c *clocks) { c.boot, c.up = "", 0 }
	tests := map[string][]step{
		"a minute, to the instant": {{nil, false, 3, 5, 3}, {pass(time.Minute - 1), false, 3, 1, 0}, {pass(1), false, 3, 5, 3}},
		"one by one": {
			{nil, false, 2, 1, 1},
			{pass(40 * time.Second), false, 2, 2, 1},
			{pass(20 * time.Second), false, 2, 2, 1},
			{pass(39 * time.Second), false, 2, 1, 0},
			{pass(time.Second), false, 2, 2, 1},
			{pass(time.Hour), false, 2, 3, 2},
		},
		"another process":           {{nil, false, 3, 2, 2}, {nil, true, 3, 2, 1}, {pass(time.Minute), true, 3, 4, 3}},
		"the time set forward":      {{nil, false, 3, 3, 3}, {set(24 * time.Hour), false, 3, 1, 0}, {pass(time.Minute), true, 3, 1, 1}},
		"the time set back":         {{nil, false, 3, 3, 3}, {set(-time.Hour), false, 3, 1, 0}, {pass(time.Minute), true, 3, 4, 3}},
		"a boot":                    {{nil, false, 3, 3, 3}, {reboot(30 * time.Second), true, 3, 1, 0}, {pass(30 * time.Second), false, 3, 4, 3}},
		"a boot that takes longer":  {{nil, false, 3, 3, 3}, {reboot(time.Minute), true, 3, 4, 3}},
		"a boot, time set back":     {{nil, false, 3, 3, 3}, {reboot(-time.Hour), true, 3, 1, 0}, {pass(59 * time.Second), false, 3, 1, 0}, {pass(time.Second), true, 3, 4, 3}},
		"boots, time set back":      {{nil, false, 3, 3, 3}, {reboot(-time.Hour), true, 3, 0, 0}, {reboot(-time.Hour), true, 3, 1, 0}, {reboot(time.Minute), true, 3, 4, 3}},
		"no clock of a boot":        {{none, false, 3, 3, 3}, {pass(time.Minute - time.Microsecond), true, 3, 1, 0}, {pass(time.Microsecond), true, 3, 4, 3}},
		"none, time set back":       {{none, false, 3, 3, 3}, {set(-time.Hour), true, 3, 1, 0}, {pass(time.Minute), true, 3, 4, 3}},
		"the limit is lowered":      {{nil, false, 10, 6, 6}, {nil, false, 3, 1, 0}, {pass(time.Minute - 1), false, 3, 1, 0}, {pass(1), false, 3, 4, 3}},
		"the limit is raised":       {{nil, false, 3, 4, 3}, {nil, false, 5, 3, 2}, {nil, false, 1000, 2, 2}, {pass(time.Minute), false, 5, 6, 5}},
		"no call":                   {{nil, false, 0, 2, 0}, {pass(time.Hour), false, 0, 1, 0}, {nil, false, 1, 2, 1}},
		"a snapshot of the machine": {{pass(time.Hour), false, 3, 3, 3}, {func(c *clocks) { c.up -= time.Hour }, true, 3, 1, 0}, {pass(time.Minute), true, 3, 4, 3}},
		"a high limit counts late":  {{nil, false, 300, 301, 300}, {pass(time.Minute), false, 300, 1, 0}, {pass(250 * time.Millisecond), false, 300, 2, 2}},
	}
	for name, steps := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := &clocks{boot: "boot", up: time.Hour, now: time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)}
			dir := vaulttest.Dir(t)
			l := clocked(t, dir, c)
			vaulttest.Create(t, l, vault.GlobalScope(), "n", "made-up")
			for i, s := range steps {
				if s.do != nil {
					s.do(c)
				}
				if s.restart {
					l = clocked(t, dir, c)
				}
				got := 0
				for range s.try {
					err := limited(l, "acme/items", s.limit, vault.Event{Workspace: fmt.Sprint("w", got)})
					if err == nil {
						got++
					} else if fault.CodeOf(err) != fault.RateLimited || fault.HintOf(err) == "" {
						t.Errorf("step %d: %v", i, err)
					}
				}
				if got != s.want {
					t.Errorf("step %d: %d calls of %d were granted, want %d", i, got, s.try, s.want)
				}
			}
			vaulttest.Healthy(t, l)
		})
	}
}

// TestARateIsOfItsCapability, and the refusal says what it is and for how long.
func TestARateIsOfItsCapability(t *testing.T) {
	c := &clocks{boot: "boot", now: time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)}
	dir := vaulttest.Dir(t)
	l := clocked(t, dir, c)
	_, err := l.CreateCapability(t.Context(), capability("acme/items"))
	must(t, err)
	must(t, limited(l, "acme/items", 1, vault.Event{Workspace: "w"}))
	must(t, limited(l, "acme/other", 1, vault.Event{Workspace: "w"}))
	c.pass(17*time.Second + time.Millisecond)
	err = limited(l, "acme/items", 1, vault.Event{Workspace: "other"})
	if fault.CodeOf(err) != fault.RateLimited || !strings.Contains(err.Error(), "acme/items") || !strings.Contains(err.Error(), "1 in any 60 s") || fault.HintOf(err) != "try again in 43 s" {
		t.Errorf("refused: %v (%s)", err, fault.HintOf(err))
	}
	e := lastEvents(t, l, 1)[0]
	if e.Kind != vault.KindInvokeDenied || e.Code != fault.RateLimited || e.Workspace != "other" || e.Capability != "acme/items" {
		t.Errorf("recorded as %+v", e)
	}
	for range 3 { // calls without a limit are neither counted nor refused
		if _, err := l.Authorize(t.Context(), func(vault.Reader) (vault.Decision, error) {
			return vault.Decision{Event: vault.Event{Capability: "acme/free"}}, nil
		}); err != nil {
			t.Error(err)
		}
	}
	must(t, limited(l, "acme/free", 1, vault.Event{}))
	if _, err := l.DeleteCapability(t.Context(), "acme/items"); err != nil {
		t.Fatal(err)
	}
	must(t, limited(l, "acme/items", 1, vault.Event{})) // another one of that name
	wantCode(t, limited(l, "acme/other", 1, vault.Event{}), fault.RateLimited)
	vaulttest.Healthy(t, l)
}

// TestARefusedCallIsNoUse: what is over the rate uses up neither the rate nor
// the secret.
func TestARefusedCallIsNoUse(t *testing.T) {
	c := &clocks{boot: "boot", now: time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)}
	l := clocked(t, vaulttest.Dir(t), c)
	s := vaulttest.Create(t, l, vault.GlobalScope(), "ACME_KEY", "made-up")
	no := int64(0)
	grant, err := l.Authorize(t.Context(), func(vault.Reader) (vault.Decision, error) {
		return vault.Decision{Event: vault.Event{Capability: "acme/items"}, Rate: &no, Uses: []vault.Use{acme(s.ID)}}, nil
	})
	wantCode(t, err, fault.RateLimited)
	if grant.Intent != 0 || grant.Values != nil {
		t.Error("it was granted")
	}
	if s, err = l.FindSecret(t.Context(), s.ID.String()); err != nil || !s.LastUsedAt.IsZero() {
		t.Errorf("a refused call counts as a use: %v, %v", s.LastUsedAt, err)
	}
	for range 5 {
		wantCode(t, refuse(l, vault.Event{Capability: "acme/items"}), fault.PolicyViolation)
	}
	must(t, limited(l, "acme/items", 1, vault.Event{}))
}

// TestCase099AnyMinute makes calls at random times, between clocks that are set
// and limits that change, and looks at every minute.
// Fault F12.
func TestCase099AnyMinute(t *testing.T) {
	t.Parallel()
	for seed := range uint64(6) {
		rng := rand.New(rand.NewPCG(20, seed))
		c := &clocks{boot: "boot", now: time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)}
		l := clocked(t, vaulttest.Dir(t), c)
		vaulttest.Create(t, l, vault.GlobalScope(), "n", "made-up")
		limit := int64(1 + rng.IntN(12))
		var granted []time.Duration
		for range 150 {
			switch rng.IntN(20) {
			case 0:
				limit = int64(rng.IntN(12))
			case 1:
				c.now = c.now.Add(time.Duration(rng.IntN(7200)-3600) * time.Second)
			}
			c.pass(time.Duration(rng.Int64N(int64(8 * time.Second))))
			inMinute := int64(0)
			for _, at := range granted {
				if c.up-at < time.Minute {
					inMinute++
				}
			}
			err := limited(l, "acme/items", limit, vault.Event{})
			if (err == nil) != (inMinute < limit) {
				t.Fatalf("seed %d: with %d calls in the last minute and a limit of %d: %v", seed, inMinute, limit, err)
			}
			if err == nil {
				granted = append(granted, c.up)
			}
		}
		if len(granted) < 20 {
			t.Errorf("seed %d: %d calls were granted, so this tests little", seed, len(granted))
		}
	}
}

// workRated makes calls in goroutines under a limit, which is lower once there
// is a capability named low, and prints how many were granted.
func workRated(ctx context.Context, l *vault.Local, args []string, out io.Writer) error {
	n, err := strconv.Atoi(args[0])
	if err != nil {
		return err
	}
	high, low := int64(100), int64(60)
	var wg sync.WaitGroup
	var granted, failed atomic.Int32
	for range n {
		wg.Go(func() {
			_, err := l.Authorize(ctx, func(r vault.Reader) (vault.Decision, error) {
				d := vault.Decision{Event: vault.Event{Capability: "acme/items"}, Rate: &high}
				c, err := r.Capability("acme/low")
				if c != nil {
					d.Rate = &low
				}
				return d, err
			})
			switch fault.CodeOf(err) {
			case "":
				granted.Add(1)
			case fault.RateLimited:
			default:
				failed.Add(1)
			}
		})
	}
	wg.Wait()
	_, err = fmt.Fprintln(out, granted.Load(), failed.Load())
	return err
}

// rated runs processes that make ten calls each at once, and returns how many
// were granted.
func rated(t *testing.T, dir string, processes int) int {
	t.Helper()
	total := 0
	for _, text := range run(t, processes, func(int) *exec.Cmd { return worker(t, "rated", dir, "10") }) {
		var granted, failed int
		if _, err := fmt.Sscanln(text, &granted, &failed); err != nil || failed > 0 {
			t.Errorf("a process printed %q", text)
		}
		total += granted
	}
	return total
}

// TestCase099ManyProcesses: 64 processes get as much together as one alone.
func TestCase099ManyProcesses(t *testing.T) {
	t.Parallel()
	processes := 64
	if testing.Short() {
		processes = 16
	}
	l, dir := fresh(t)
	start := time.Now()
	if got := rated(t, dir, processes); got != 100 && time.Since(start) < time.Minute {
		t.Errorf("%d calls were granted under a limit of 100", got)
	}
	if got := rated(t, dir, 2); got != 0 && time.Since(start) < time.Minute {
		t.Errorf("then %d more", got)
	}
	vaulttest.Healthy(t, l)
}

// TestCase099LoweredWhileCallsRun: from the transaction on that lowers a limit,
// nothing is granted above it.
func TestCase099LoweredWhileCallsRun(t *testing.T) {
	t.Parallel()
	l, dir := fresh(t)
	start := time.Now()
	done := make(chan int)
	go func() { done <- rated(t, dir, 16) }()
	for len(lastEvents(t, l, 50)) < 20 { // some calls
		time.Sleep(time.Millisecond)
	}
	_, err := l.CreateCapability(t.Context(), capability("acme/low"))
	must(t, err)
	<-done
	events, err := l.Audit(t.Context(), vault.AuditQuery{Limit: 1 << 20})
	must(t, err)
	granted, lowered := 0, false
	for i := len(events) - 1; i >= 0; i-- {
		switch events[i].Kind {
		case vault.KindCapabilityCreate:
			lowered = true
		case vault.KindInvokeIntent:
			granted++
			if time.Since(start) < time.Minute && (granted > 100 || lowered && granted > 60) {
				t.Fatalf("call %d was granted; the limit was lowered: %t", granted, lowered)
			}
		}
	}
}

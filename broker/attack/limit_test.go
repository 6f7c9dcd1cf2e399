package attack_test

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"aivault/broker"
	"aivault/keys/fault"
	"aivault/vault"
)

// limitRate limits how often the base capability is called.
func (w *world) limitRate(t *testing.T, n int64) {
	t.Helper()
	if _, err := w.broker.SetPolicy(context.Background(), vault.Policy{Capability: capability, Rate: &n}, 0); err != nil {
		t.Fatal(err)
	}
}

// TestCase099Processes: 64 processes send as many requests together as one
// alone. Clocks that jump and limits that change are in vault.TestCase099AnyMinute.
func TestCase099Processes(t *testing.T) {
	t.Parallel()
	processes := 64
	if testing.Short() {
		processes = 16
	}
	w := newWorld(t)
	w.limitRate(t, 40)
	start := time.Now()
	got := w.processes(t, processes, "calls", "3")
	again := w.processes(t, 2, "calls", "3") // as after a restart
	if time.Since(start) > time.Minute {
		t.Skip("the machine is too slow for a minute")
	}
	const limited = string(fault.RateLimited)
	if got["200"] != 40 || got[limited] != 3*processes-40 || len(got) != 2 || again[limited] != 6 {
		t.Errorf("they ended with %v, then %v", got, again)
	}
	if n := len(w.up.Requests()); n != 40 {
		t.Errorf("the upstream got %d requests", n)
	}
	w.deny(t, get(prefix), fault.RateLimited)
	other := get(prefix) // another context has no rate of its own
	other.Context = vault.Context{Workspace: "w", Consumer: "agent"}
	w.deny(t, other, fault.RateLimited)
	w.limitRate(t, 41)
	w.allow(t, get(prefix))
	w.limitRate(t, 10)
	w.deny(t, get(prefix), fault.RateLimited)
}

// A refused call costs something too: after 300 in a minute nobody learns why,
// but what is allowed still is. All are in the log.
func TestCase100Probing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	since := result{since: w.mark(t)}
	codes := map[fault.Code]int{}
	const probes = 350
	for i := range probes {
		call := get(prefix)
		switch i % 3 {
		case 0:
			call.Path = fmt.Sprint("/v1/other/", i%9)
		case 1:
			call.Capability = fmt.Sprint("api/guess-", i%20)
		default:
			call.Context.Workspace, call.Credential = "w", fmt.Sprint("guess-", i%5)
		}
		_, err := w.broker.Invoke(context.Background(), call)
		codes[fault.CodeOf(err)]++
	}
	if told := codes[fault.PolicyViolation] + codes[fault.CapabilityNotFound] + codes[fault.CredentialNotFound]; told != 300 || codes[fault.RateLimited] != probes-300 {
		t.Errorf("refused with %v", codes)
	}
	w.allow(t, get(prefix))
	if now := w.mark(t); now.lookups != since.since.lookups+1 || now.dials != since.since.dials+1 || now.requests != since.since.requests+1 {
		t.Errorf("more was asked than one call needs: %+v", now)
	}
	recorded := uint64(0)
	events := w.eventsSince(t, &since)
	for _, e := range events {
		if e.Kind == vault.KindInvokeDenied {
			recorded += max(1, e.Count)
		}
	}
	if recorded != probes || len(events) > probes/2 {
		t.Errorf("%d of %d refusals are in the log, in %d events", recorded, probes, len(events))
	}
}

// Whoever changes what may be called leaves a trace: who, what it was, what it
// is, and the digest of it.
func TestCase104Changes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx := context.Background()
	since := result{since: w.mark(t)}
	second := w.put(t, "SECOND")
	w.credential(t, broker.NewCredential{ID: "second", Secret: second.id, Auth: params("header", "x-key", "{{secret}}")})
	_, err := w.broker.Bind(ctx, broker.NewBinding{Capability: capability, Secret: second.id, Scope: vault.GlobalScope()})
	if err != nil {
		t.Fatal(err)
	}
	w.refuse(t, "another host", fault.OperatorAuthRequired, func() error {
		_, err := w.tryCredential(broker.NewCredential{ID: "evil", Secret: second.id, Hosts: []string{"evil.test"}})
		return err
	})
	w.credential(t, broker.NewCredential{ID: "third", Secret: second.id, Hosts: []string{host, "other.test"}, Proof: proof(second)})
	w.capability(t, broker.NewCapability{ID: "api/more", Methods: []string{"DELETE"}, Paths: []string{"/v1/a", "/v1/b"}})
	w.limitRate(t, 5)
	w.limitRate(t, 50)
	if _, err := w.broker.DeleteCapability(ctx, "api/more"); err != nil {
		t.Fatal(err)
	}
	if _, err := w.broker.DeleteCredential(ctx, "third"); err != nil {
		t.Fatal(err)
	}
	var got []string
	digests := map[string]string{}
	for _, e := range w.eventsSince(t, &since) {
		if e.Actor != "operator" || e.UID != os.Getuid() || e.PID != os.Getpid() || e.Time.IsZero() {
			t.Errorf("who it was is recorded as %+v", e)
		}
		note, digest, _ := strings.Cut(e.Note, "; sha256 ")
		got = append(got, strings.TrimSpace(fmt.Sprintf("%s %s: %s%s at %s: %s", e.Kind, e.Outcome, e.Capability, e.Credential, e.Host, note)))
		for _, word := range strings.Fields(digest) {
			if word = strings.Trim(word, ";"); len(word) == 64 {
				digests[e.Kind+" "+e.Capability+e.Credential] += word[:8] + " "
			}
		}
	}
	want := []string{
		"secret.create ok:  at : SECOND",
		"secret.hosts ok:  at api.test: SECOND",
		"credential.create ok: second at api.test: header for api",
		"capability.bind ok: api/files at :",
		"credential.create denied: evil at evil.test: header for api",
		"secret.hosts ok:  at other.test: SECOND",
		"credential.create ok: third at api.test, other.test: header for api",
		"capability.create ok: api/more at api.test: DELETE /v1/a,/v1/b for api",
		"capability.policy ok: api/files at : was none; is rate 5",
		"capability.policy ok: api/files at : was rate 5; is rate 50",
		"capability.delete ok: api/more at api.test: DELETE /v1/a,/v1/b for api",
		"secret.hosts ok:  at other.test: SECOND: no longer",
		"credential.delete ok: third at api.test, other.test: header for api",
	}
	if text, wanted := strings.Join(got, "\n"), strings.Join(want, "\n"); text != wanted {
		t.Errorf("recorded is\n%s\nwant\n%s", text, wanted)
	}
	if d := digests["capability.create api/more"]; d == "" || d != digests["capability.delete api/more"] {
		t.Errorf("the digests of a capability are %q and %q", d, digests["capability.delete api/more"])
	}
	if d := digests["credential.create third"]; d == "" || d != digests["credential.delete third"] || d == digests["credential.create second"] {
		t.Errorf("the digests of a credential are %q", d)
	}
	if d := strings.Fields(digests["capability.policy api/files"]); len(d) != 4 || d[1] != d[2] || d[0] == d[1] {
		t.Errorf("the digests of a policy are %q", d)
	}
}

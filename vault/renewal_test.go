package vault_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"aivault/keys/fault"
	"aivault/vault"
	"aivault/vault/internal/store"
	"aivault/vault/vaulttest"
)

// A renewing is a vault with a secret in use, and a clock.
type renewing struct {
	*vault.Local
	t      *testing.T
	now    time.Time
	use    vault.Use
	intent uint64
}

func newRenewing(t *testing.T) *renewing {
	t.Helper()
	r := &renewing{t: t, now: time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)}
	opts := vaulttest.Options(vaulttest.Dir(t))
	opts.Claims, opts.Now = claims, func() time.Time { return r.now }
	r.Local = vault.New(opts)
	t.Cleanup(func() {
		vaulttest.Healthy(t, r.Local)
		r.Close()
	})
	s := vaulttest.Create(t, r, vault.GlobalScope(), "ACME_KEY", "made-up-1")
	r.use = useOf(s.ID, "api.acme.test")
	grant, err := r.Authorize(t.Context(), func(vault.Reader) (vault.Decision, error) {
		return vault.Decision{Uses: []vault.Use{r.use}, Event: vault.Event{
			Capability: "acme/items", Workspace: "w", Group: "g", Consumer: "agent", Credential: "acme",
		}}, nil
	})
	must(t, err)
	r.intent = grant.Intent
	return r
}

// is checks what Reopen gives now.
func (r *renewing) is(value string, want vault.Renewal) {
	r.t.Helper()
	v, got, err := r.Reopen(r.t.Context(), r.intent, r.use)
	must(r.t, err)
	if diff := cmp.Diff(got, want); diff != "" || string(v.Reveal()) != value {
		r.t.Errorf("value %q; renewal (-got +want):\n%s", v.Reveal(), diff)
	}
}

// begins and ends check the code of a step's error.
func (r *renewing) begins(version uint64, code fault.Code) {
	r.t.Helper()
	wantCode(r.t, r.BeginRenewal(r.t.Context(), r.intent, r.use, version), code)
}

func (r *renewing) ends(end vault.RenewalEnd, code fault.Code) {
	r.t.Helper()
	wantCode(r.t, r.EndRenewal(r.t.Context(), r.intent, r.use, end), code)
}

// TestRenewal follows a secret through exchanges that fail, are cut off, are
// refused and succeed.
func TestRenewal(t *testing.T) {
	t.Parallel()
	r := newRenewing(t)
	r.is("made-up-1", vault.Renewal{Version: 1})
	r.begins(2, fault.Conflict)
	r.begins(1, "")
	r.is("made-up-1", vault.Renewal{Version: 1, Begun: 1})
	r.now = r.now.Add(time.Hour)
	failed := r.now
	r.ends(vault.RenewalEnd{Version: 1, Code: fault.UpstreamUnreachable}, "")
	r.is("made-up-1", vault.Renewal{Version: 1, LastAt: failed})
	r.ends(vault.RenewalEnd{Version: 1, Value: val("made-up-unasked")}, fault.InvalidRequest)
	r.is("made-up-1", vault.Renewal{Version: 1, LastAt: failed})

	r.begins(1, "") // and is cut off
	r.begins(1, "")
	r.ends(vault.RenewalEnd{Version: 1, Refused: true, Code: fault.OAuthRefreshRequired}, "")
	r.is("made-up-1", vault.Renewal{Version: 1, Begun: 1, Refused: true, LastAt: failed})
	r.begins(1, "")
	r.ends(vault.RenewalEnd{Version: 1, Code: fault.Timeout}, "")
	r.is("made-up-1", vault.Renewal{Version: 1, Begun: 1, Refused: true, LastAt: failed})

	r.now = r.now.Add(time.Hour)
	r.begins(1, "")
	before, err := r.FindSecret(t.Context(), r.use.Secret.String())
	must(t, err)
	r.ends(vault.RenewalEnd{Version: 1, Value: val("made-up-2")}, "")
	r.is("made-up-2", vault.Renewal{Version: 2, LastAt: r.now})
	s, err := r.FindSecret(t.Context(), r.use.Secret.String())
	must(t, err)
	if s.Version != 2 || !s.RotatedAt.Equal(r.now) || s.Revision != before.Revision+1 {
		t.Errorf("the secret is %+v", s)
	}
	r.ends(vault.RenewalEnd{Version: 1, Value: val("made-up-late")}, fault.Conflict)
	r.is("made-up-2", vault.Renewal{Version: 2, LastAt: r.now})

	r.begins(2, "")
	r.ends(vault.RenewalEnd{Version: 2, Value: val("")}, fault.InvalidRequest)
	r.is("made-up-2", vault.Renewal{Version: 2, LastAt: r.now})
	r.begins(2, "")
	r.ends(vault.RenewalEnd{Version: 2}, "") // nothing came back, and nothing was wrong
	r.is("made-up-2", vault.Renewal{Version: 2, LastAt: r.now})
}

// TestAnOperatorIsFaster: the value that an operator stored stays, and starts
// with no renewals.
func TestAnOperatorIsFaster(t *testing.T) {
	t.Parallel()
	for name, rotate := range map[string]func(r *renewing) error{
		"rotate": func(r *renewing) error {
			_, err := r.RotateSecret(t.Context(), r.use.Secret, val("made-up-mine"), 0)
			return err
		},
		"import": func(r *renewing) error {
			_, err := r.ImportSecrets(t.Context(), vault.GlobalScope(), []vault.ImportEntry{{Name: "ACME_KEY", Value: val("made-up-mine")}}, true)
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRenewing(t)
			r.begins(1, "")
			r.ends(vault.RenewalEnd{Version: 1, Refused: true, Code: fault.OAuthRefreshRequired}, "")
			r.begins(1, "")
			must(t, rotate(r))
			r.is("made-up-mine", vault.Renewal{Version: 2})
			r.begins(2, "")
			r.ends(vault.RenewalEnd{Version: 1, Value: val("made-up-late")}, fault.Conflict)
			r.ends(vault.RenewalEnd{Version: 1, Refused: true, Code: fault.OAuthRefreshRequired}, "")
			r.is("made-up-mine", vault.Renewal{Version: 2, Begun: 1})
		})
	}
}

// TestRenewalEvents: each beginning, end and refusal is an event that names the
// call, and none of them holds a value.
func TestRenewalEvents(t *testing.T) {
	t.Parallel()
	r := newRenewing(t)
	r.begins(1, "")
	r.ends(vault.RenewalEnd{Version: 1, Code: fault.AuthFailed}, "")
	r.begins(7, fault.Conflict)
	r.begins(1, "")
	r.ends(vault.RenewalEnd{Version: 1, Value: val("made-up-2")}, "")
	r.ends(vault.RenewalEnd{Version: 1, Value: val("made-up-3")}, fault.Conflict)
	got := lastEvents(t, r.Local, 6)
	wants := []struct {
		outcome string
		code    fault.Code
		version uint64
	}{
		{vault.OutcomeError, fault.Conflict, 1},
		{vault.OutcomeOK, "", 2},
		{"", "", 1},
		{vault.OutcomeDenied, fault.Conflict, 1},
		{vault.OutcomeError, fault.AuthFailed, 1},
		{"", "", 1},
	}
	for i, want := range wants {
		e := vault.Event{
			Seq: r.intent + uint64(len(wants)-i), Time: r.now, Kind: vault.KindOAuthRefresh, Outcome: want.outcome, Code: want.code,
			Actor: "operator", Workspace: "w", Group: "g", Consumer: "agent", Capability: "acme/items", Credential: "acme",
			Secret: r.use.Secret, SecretVersion: want.version, Scope: "global", Host: "api.acme.test", Intent: r.intent,
		}
		if diff := cmp.Diff(got[i], e); diff != "" {
			t.Errorf("event %d (-got +want):\n%s", i, diff)
		}
	}
}

// TestNoRenewalWithoutAGrant: what Authorize would refuse, and what was not
// granted, gives no value, begins nothing, and leaves a trace.
func TestNoRenewalWithoutAGrant(t *testing.T) {
	t.Parallel()
	r := newRenewing(t)
	free := vaulttest.Create(t, r, vault.GlobalScope(), "mine", "made-up-free")
	_, err := r.CreateCredential(t.Context(), credential("c", free.ID, "api.test"), nil)
	must(t, err)
	for name, test := range map[string]struct {
		intent uint64
		use    vault.Use
		want   fault.Code
	}{
		"another provider":  {r.intent, vault.Use{Secret: r.use.Secret, Provider: "umbrella", Host: vault.Host{Name: "h.test"}}, fault.PolicyViolation},
		"a private host":    {r.intent, vault.Use{Secret: r.use.Secret, Provider: "acme", Host: vault.Host{Name: "h.test", Private: true}}, fault.PolicyViolation},
		"another host":      {r.intent, useOf(free.ID, "evil.test"), fault.PolicyViolation},
		"no such secret":    {r.intent, useOf(uuid.New(), "api.test"), fault.SecretNotFound},
		"no event":          {1 << 40, r.use, fault.PolicyViolation},
		"event zero":        {0, r.use, fault.PolicyViolation},
		"an event, but not": {1, r.use, fault.PolicyViolation},
	} {
		value, renewal, err := r.Reopen(t.Context(), test.intent, test.use)
		wantCode(t, err, test.want)
		if value != nil || renewal != (vault.Renewal{}) {
			t.Errorf("%s: something is told: %+v", name, renewal)
		}
		wantCode(t, r.BeginRenewal(t.Context(), test.intent, test.use, 1), test.want)
		e := lastEvents(t, r.Local, 1)[0]
		if test.intent == r.intent && (e.Kind != vault.KindOAuthRefresh || e.Outcome != vault.OutcomeDenied || e.Code != test.want) {
			t.Errorf("%s: the last event is %+v", name, e)
		}
	}
	r.is("made-up-1", vault.Renewal{Version: 1})
	wantCode(t, r.EndRenewal(t.Context(), 1, r.use, vault.RenewalEnd{Version: 1, Value: val("made-up")}), fault.PolicyViolation)
	r.is("made-up-1", vault.Renewal{Version: 1})
}

// TestNoRenewalWithoutARecord: an exchange whose beginning cannot be written is
// not begun, and one whose end cannot be written has not ended.
func TestNoRenewalWithoutARecord(t *testing.T) {
	t.Parallel()
	r := newRenewing(t)
	r.begins(1, "")
	st, err := r.Status(t.Context())
	must(t, err)
	lock := filepath.Join(st.Root, store.LockFile)
	must(t, os.Rename(lock, lock+".away"))
	must(t, os.Mkdir(lock, 0o700))
	r.begins(1, fault.AuditUnavailable)
	r.ends(vault.RenewalEnd{Version: 1, Value: val("made-up-2")}, fault.IO)
	must(t, os.Remove(lock))
	r.is("made-up-1", vault.Renewal{Version: 1, Begun: 1})
	r.ends(vault.RenewalEnd{Version: 1, Value: val("made-up-2")}, "")
	r.is("made-up-2", vault.Renewal{Version: 2, LastAt: r.now})
}

// TestADeletedSecretHasNoRenewals: they go with it, and an exchange that was
// under way ends with nothing.
func TestADeletedSecretHasNoRenewals(t *testing.T) {
	t.Parallel()
	r := newRenewing(t)
	r.begins(1, "")
	_, err := r.DeleteSecret(t.Context(), r.use.Secret, 0)
	must(t, err)
	vaulttest.Healthy(t, r.Local)
	r.ends(vault.RenewalEnd{Version: 1, Value: val("made-up-2")}, fault.SecretNotFound)
	if e := lastEvents(t, r.Local, 1)[0]; e.Outcome != vault.OutcomeError || e.Code != fault.SecretNotFound || e.Secret != r.use.Secret {
		t.Errorf("the last event is %+v", e)
	}
	none := open(t, vaulttest.Dir(t))
	wantCode(t, none.BeginRenewal(t.Context(), 1, r.use, 1), fault.InvalidRequest)
	_, _, err = none.Reopen(t.Context(), 1, r.use)
	wantCode(t, err, fault.SecretNotFound)
}

// TestAnEndOutlivesItsCaller: a caller that went away does not lose the value
// that came back; it begins nothing.
func TestAnEndOutlivesItsCaller(t *testing.T) {
	t.Parallel()
	r := newRenewing(t)
	r.begins(1, "")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	done := make(chan error, 1)
	must(t, r.View(t.Context(), func(vault.Reader) error { // a writer has to wait, and ctx is done
		go func() {
			done <- r.EndRenewal(ctx, r.intent, r.use, vault.RenewalEnd{Version: 1, Value: val("made-up-2")})
		}()
		wantCode(t, r.BeginRenewal(ctx, r.intent, r.use, 1), fault.Canceled)
		return nil
	}))
	must(t, <-done)
	r.is("made-up-2", vault.Renewal{Version: 2, LastAt: r.now})
}

// workRenew renews a value, unless another process did, as a broker does.
func workRenew(ctx context.Context, l *vault.Local, args []string, out io.Writer) error {
	id, err := vault.ParseSecretRef(args[0])
	if err != nil {
		return err
	}
	use := useOf(id, "api.acme.test")
	grant, err := l.Authorize(ctx, decideUse(use))
	if err != nil {
		return err
	}
	old := grant.Values[0]
	release, err := l.Exclusive(ctx, "renewal of "+args[0])
	if err != nil {
		return err
	}
	defer release()
	value, r, err := l.Reopen(ctx, grant.Intent, use)
	if err != nil {
		return err
	}
	if args[1] == "cut off" {
		if err := l.BeginRenewal(ctx, grant.Intent, use, r.Version); err != nil {
			return err
		}
		_, err = fmt.Fprintln(out, "begun")
		<-ctx.Done() // until it is killed, with the lock in its hands
		return err
	}
	if !value.Equal(old) || r.Version > 1 {
		_, err = fmt.Fprintln(out, "had", string(value.Reveal()))
		return err
	}
	if err := l.BeginRenewal(ctx, grant.Intent, use, r.Version); err != nil {
		return err
	}
	if _, err := fmt.Fprintln(out, "exchanged", r.Begun); err != nil {
		return err
	}
	return l.EndRenewal(ctx, grant.Intent, use, vault.RenewalEnd{Version: r.Version, Value: val("made-up-new")})
}

// TestCase088OneExchange: of 20 processes that want a new value, one makes the
// exchange, and all others get what it got.
func TestCase088OneExchange(t *testing.T) {
	t.Parallel()
	l, dir := fresh(t)
	s := vaulttest.Create(t, l, vault.GlobalScope(), "ACME_KEY", "made-up-old")
	counts := map[string]int{}
	for _, text := range run(t, 20, func(int) *exec.Cmd { return worker(t, "renew", dir, s.ID.String(), "") }) {
		counts[strings.TrimSpace(text)]++
	}
	if diff := cmp.Diff(counts, map[string]int{"exchanged 0": 1, "had made-up-new": 19}); diff != "" {
		t.Errorf("what they did (-got +want):\n%s", diff)
	}
	vaulttest.Healthy(t, l)
}

// TestCase089CutOff: of a process that is killed between the beginning of an
// exchange and its end, the next one knows, and has the lock at once.
func TestCase089CutOff(t *testing.T) {
	t.Parallel()
	l, dir := fresh(t)
	s := vaulttest.Create(t, l, vault.GlobalScope(), "ACME_KEY", "made-up-old")
	for i := range 2 {
		cmd := worker(t, "renew", dir, s.ID.String(), "cut off")
		out := &output{wrote: make(chan struct{})}
		cmd.Stdout = out
		must(t, cmd.Start())
		<-out.wrote
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
		if _, err := l.Exclusive(ctx, "renewal of "+s.ID.String()); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("the lock of a living process: %v", err)
		}
		cancel()
		must(t, cmd.Process.Kill())
		if err := cmd.Wait(); err == nil {
			t.Fatal("it ended by itself")
		}
		use := useOf(s.ID, "api.acme.test")
		value, r, err := l.Reopen(t.Context(), granted(t, l, use), use)
		if err != nil || r != (vault.Renewal{Version: 1, Begun: i + 1}) || string(value.Reveal()) != "made-up-old" {
			t.Errorf("after kill %d: %+v, %v", i, r, err)
		}
	}
	texts := run(t, 1, func(int) *exec.Cmd { return worker(t, "renew", dir, s.ID.String(), "") })
	if got := strings.TrimSpace(texts[0]); got != "exchanged "+strconv.Itoa(2) {
		t.Errorf("the next process did %q", got)
	}
	vaulttest.Healthy(t, l)
}

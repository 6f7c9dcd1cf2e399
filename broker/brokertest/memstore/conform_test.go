package memstore_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/google/uuid"

	"aivault/broker/brokertest/memstore"
	"aivault/keys/fault"
	"aivault/keys/opaque"
	"aivault/vault"
	"aivault/vault/vaulttest"
)

// claims are those of a registry with one provider.
var claims = vaulttest.Claims{"ACME_KEY": "acme"}

// A world is a store with a clock that the test sets, and its audit log.
type world struct {
	vault.Store
	t   *testing.T
	now time.Time
	log func() []vault.Event // oldest first
}

// worlds are the stores that must behave alike: the real one and ours.
func worlds() map[string]func(t *testing.T) *world {
	start := time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
	return map[string]func(t *testing.T) *world{
		"memory": func(t *testing.T) *world {
			s := memstore.New(claims)
			w := &world{Store: s, t: t, now: start, log: s.Events}
			s.SetClock(func() time.Time { return w.now })
			return w
		},
		"vault": func(t *testing.T) *world {
			w := &world{t: t, now: start}
			opts := vaulttest.Options(vaulttest.Dir(t))
			opts.Claims, opts.Now = claims, func() time.Time { return w.now }
			opts.Clock = func() (string, time.Duration) { return "boot", w.now.Sub(start) }
			l := vault.New(opts)
			w.Store = l
			w.log = func() []vault.Event {
				events, err := l.Audit(context.Background(), vault.AuditQuery{Limit: 1 << 20})
				if err != nil {
					t.Fatal(err)
				}
				slices.Reverse(events)
				return events
			}
			t.Cleanup(func() { vaulttest.Healthy(t, l); l.Close() })
			return w
		},
	}
}

// each runs a story in every world.
func each(t *testing.T, story func(w *world)) {
	t.Parallel()
	for name, open := range worlds() {
		t.Run(name, func(t *testing.T) { story(open(t)) })
	}
}

// said checks the code of an error, in a line of a story.
func (w *world) said(what string, err error, want fault.Code) {
	w.t.Helper()
	if got := fault.CodeOf(err); got != want {
		w.t.Errorf("%s: %q (%v), want %q", what, got, err, want)
	}
}

// secret stores one.
func (w *world) secret(name, value string) vault.Secret {
	w.t.Helper()
	s, err := w.CreateSecret(w.t.Context(), vault.NewSecret{Name: name, Scope: vault.GlobalScope(), Value: opaque.New([]byte(value))})
	if err != nil {
		w.t.Fatal(err)
	}
	return s
}

// events are those of a family of kinds, without what differs in each run.
func (w *world) events(family string) (out []vault.Event) {
	for _, e := range w.log() {
		if strings.HasPrefix(e.Kind, family) {
			e.Seq, e.Intent, e.Actor, e.UID, e.PID = 0, 0, "", 0, 0
			out = append(out, e)
		}
	}
	return out
}

func TestPolicies(t *testing.T) {
	each(t, func(w *world) {
		ctx := w.t.Context()
		set := func(p vault.Policy, rev vault.IfRevision) error {
			p.Capability = "acme/items"
			_, err := w.SetPolicy(ctx, p, rev)
			return err
		}
		one := vault.Policy{Rate: new(int64(1)), Block: []string{"b", "a", "b"}}
		w.said("a negative rate", set(vault.Policy{Rate: new(int64(-1))}, 0), fault.InvalidRequest)
		w.said("none to replace", set(one, 1), fault.Conflict)
		w.said("nothing to remove", set(vault.Policy{}, 0), "")
		w.said("the first", set(one, 0), "")
		w.said("changed meanwhile", set(one, 7), fault.Conflict)
		w.said("the next", set(vault.Policy{MaxRequest: new(int64(5)), Block: []string{"z", "y"}}, 1), "")
		err := w.View(ctx, func(r vault.Reader) error {
			want := &vault.Policy{Capability: "acme/items", MaxRequest: new(int64(5)), Block: []string{"y", "z"}, UpdatedAt: w.now, Revision: 2}
			p, err1 := r.Policy("acme/items")
			all, err2 := r.Policies()
			if diff := cmp.Diff(append(all, p), []*vault.Policy{want, want}); diff != "" {
				w.t.Errorf("stored (-got +want):\n%s", diff)
			}
			none, err3 := r.Policy("acme/other")
			if none != nil {
				w.t.Errorf("of another: %v", none)
			}
			return errors.Join(err1, err2, err3)
		})
		w.said("a look", err, "")
		_, err = w.CreateCapability(ctx, vault.Capability{
			ID: "acme/items", Provider: "acme", Allow: vault.Allow{Hosts: []string{"api.acme.test"}, Methods: []string{"GET"}, Paths: []string{"/"}},
		})
		w.said("a capability", err, "")
		for _, want := range []vault.RemovedCapability{{Capability: true, Policy: true}, {}} {
			if got, err := w.DeleteCapability(ctx, "acme/items"); got != want || err != nil {
				w.t.Errorf("deleted: %+v, %v", got, err)
			}
		}
		w.said("again", set(vault.Policy{MaxResponse: new(int64(0))}, 0), "")
		w.said("removed", set(vault.Policy{}, 1), "")
		var notes []string
		for _, e := range w.events("capability.policy") {
			note, _, _ := strings.Cut(e.Note, "; sha256")
			notes = append(notes, e.Outcome+" "+e.Capability+" "+note)
		}
		want := []string{
			"ok acme/items was none; is rate 1, block 2 (a,b)",
			"ok acme/items was rate 1, block 2 (a,b); is request 5, block 2 (y,z)",
			"ok acme/items was none; is response 0",
			"ok acme/items was response 0; is none",
		}
		if diff := cmp.Diff(notes, want); diff != "" {
			w.t.Errorf("events (-got +want):\n%s", diff)
		}
	})
}

// A granter is a store that grants contexts to users.
type granter interface {
	Grant(ctx context.Context, uid int, c vault.Context) (vault.Grant, bool, error)
	Revoke(ctx context.Context, uid int, c vault.Context) (bool, error)
}

func TestGrants(t *testing.T) {
	each(t, func(w *world) {
		store, ok := w.Store.(granter)
		if !ok {
			t.Fatal("it grants nothing")
		}
		in := vault.Context{Workspace: "w", Group: "a"}
		may := func(uid int, c vault.Context) (ok bool) {
			w.said("a look", w.View(t.Context(), func(r vault.Reader) (err error) {
				ok, err = r.Granted(uid, c)
				return err
			}), "")
			return ok
		}
		for _, want := range []bool{true, false} {
			got, made, err := store.Grant(t.Context(), 7, in)
			if got.UID != 7 || got.Context != in || !got.CreatedAt.Equal(w.now) || made != want || err != nil {
				t.Errorf("granted %+v, %t, %v", got, made, err)
			}
		}
		for c, want := range map[vault.Context]bool{
			in: true, {Workspace: "w", Group: "a", Consumer: "bot"}: true,
			{}: false, {Workspace: "w"}: false, {Workspace: "w", Group: "b"}: false, {Workspace: "a", Group: "w"}: false,
		} {
			if may(7, c) != want || may(8, c) {
				t.Errorf("in %+v users 7 and 8 may call: %t, %t", c, may(7, c), may(8, c))
			}
		}
		for _, want := range []bool{true, false} {
			if gone, err := store.Revoke(t.Context(), 7, in); gone != want || err != nil {
				t.Errorf("revoked: %t, %v", gone, err)
			}
		}
		if may(7, in) {
			t.Error("it is granted still")
		}
	})
}

func TestRenewals(t *testing.T) {
	each(t, func(w *world) {
		ctx := w.t.Context()
		s := w.secret("ACME_KEY", "made-up-1")
		use := vault.Use{Secret: s.ID, Provider: "acme", Host: vault.Host{Name: "api.acme.test"}}
		grant, err := w.Authorize(ctx, func(vault.Reader) (vault.Decision, error) {
			return vault.Decision{Uses: []vault.Use{use}, Event: vault.Event{Capability: "acme/items", Workspace: "w"}}, nil
		})
		w.said("a call", err, "")
		is := func(value string, want vault.Renewal) {
			w.t.Helper()
			v, got, err := w.Reopen(ctx, grant.Intent, use)
			if diff := cmp.Diff(got, want); diff != "" || err != nil || string(v.Reveal()) != value {
				w.t.Errorf("%v; %q; renewal (-got +want):\n%s", err, v.Reveal(), diff)
			}
			v.Clear()
		}
		begin := func(version uint64) error { return w.BeginRenewal(ctx, grant.Intent, use, version) }
		end := func(e vault.RenewalEnd) error { return w.EndRenewal(ctx, grant.Intent, use, e) }
		value := func(text string) vault.Value { return opaque.New([]byte(text)) }

		is("made-up-1", vault.Renewal{Version: 1})
		w.said("another version", begin(2), fault.Conflict)
		w.said("an end of nothing", end(vault.RenewalEnd{Version: 1, Value: value("x")}), fault.InvalidRequest)
		w.said("a beginning", begin(1), "")
		w.said("another", begin(1), "")
		is("made-up-1", vault.Renewal{Version: 1, Begun: 2})
		w.now = w.now.Add(time.Minute)
		w.said("a refusal", end(vault.RenewalEnd{Version: 1, Refused: true, Code: fault.OAuthRefreshRequired}), "")
		is("made-up-1", vault.Renewal{Version: 1, Begun: 1, Refused: true, LastAt: w.now})
		w.said("no value", end(vault.RenewalEnd{Version: 1, Value: value("")}), fault.InvalidRequest)
		is("made-up-1", vault.Renewal{Version: 1, Refused: true, LastAt: w.now})
		w.said("a beginning", begin(1), "")
		w.now = w.now.Add(time.Minute)
		w.said("a value", end(vault.RenewalEnd{Version: 1, Value: value("made-up-2")}), "")
		is("made-up-2", vault.Renewal{Version: 2, LastAt: w.now})
		w.said("a beginning", begin(2), "")
		_, err = w.RotateSecret(ctx, s.ID, value("made-up-mine"), 9)
		w.said("a stale rotation", err, fault.Conflict)
		_, err = w.RotateSecret(ctx, s.ID, value("made-up-mine"), 0)
		w.said("an operator", err, "")
		w.said("a late value", end(vault.RenewalEnd{Version: 2, Value: value("made-up-3")}), fault.Conflict)
		w.said("a late refusal", end(vault.RenewalEnd{Version: 2, Refused: true}), "")
		is("made-up-mine", vault.Renewal{Version: 3})

		foreign := use
		foreign.Provider = "umbrella"
		w.said("another provider", w.BeginRenewal(ctx, grant.Intent, foreign, 3), fault.PolicyViolation)
		_, _, err = w.Reopen(ctx, grant.Intent, foreign)
		w.said("another provider", err, fault.PolicyViolation)
		gone := use
		gone.Secret = uuid.New()
		w.said("another secret", w.BeginRenewal(ctx, grant.Intent, gone, 3), fault.SecretNotFound)
		w.said("no call", w.BeginRenewal(ctx, grant.Intent+1, use, 3), fault.PolicyViolation)

		var got []vault.Event
		for _, e := range w.events("oauth.") {
			if e.Capability != "acme/items" || e.Workspace != "w" || e.Host != "api.acme.test" {
				w.t.Errorf("event %+v", e)
			}
			got = append(got, vault.Event{Outcome: e.Outcome, Code: e.Code, SecretVersion: e.SecretVersion})
		}
		want := []vault.Event{
			{Outcome: vault.OutcomeDenied, Code: fault.Conflict, SecretVersion: 1},
			{Outcome: vault.OutcomeError, Code: fault.InvalidRequest, SecretVersion: 1},
			{SecretVersion: 1},
			{SecretVersion: 1},
			{Outcome: vault.OutcomeError, Code: fault.OAuthRefreshRequired, SecretVersion: 1},
			{Outcome: vault.OutcomeError, Code: fault.InvalidRequest, SecretVersion: 1},
			{SecretVersion: 1},
			{Outcome: vault.OutcomeOK, SecretVersion: 2},
			{SecretVersion: 2},
			{Outcome: vault.OutcomeError, Code: fault.Conflict, SecretVersion: 2},
			{Outcome: vault.OutcomeError, SecretVersion: 2},
			{Outcome: vault.OutcomeDenied, Code: fault.PolicyViolation, SecretVersion: 3},
			{Outcome: vault.OutcomeDenied, Code: fault.SecretNotFound},
		}
		if diff := cmp.Diff(got, want, cmpopts.EquateEmpty()); diff != "" {
			w.t.Errorf("events (-got +want):\n%s", diff)
		}
	})
}

func TestExclusive(t *testing.T) {
	each(t, func(w *world) {
		w.secret("ACME_KEY", "made-up") // so that there is a vault
		ctx := w.t.Context()
		release, err := w.Exclusive(ctx, "name")
		w.said("the first", err, "")
		other, err := w.Exclusive(ctx, "other")
		w.said("another name", err, "")
		other()
		short, cancel := context.WithTimeout(ctx, 10*time.Millisecond)
		defer cancel()
		_, err = w.Exclusive(short, "name")
		w.said("while it is held", err, fault.Timeout)
		got := make(chan error)
		go func() {
			release, err := w.Exclusive(ctx, "name")
			if err == nil {
				release()
			}
			got <- err
		}()
		release()
		release()
		w.said("the next", <-got, "")
	})
}

package vault_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/google/uuid"

	"aivault/keys/fault"
	"aivault/vault"
	"aivault/vault/internal/store"
	"aivault/vault/vaulttest"
)

// lastEvents returns the newest n events, without what differs in each run.
func lastEvents(t *testing.T, l *vault.Local, n int) []vault.Event {
	t.Helper()
	events, err := l.Audit(t.Context(), vault.AuditQuery{Limit: n})
	if err != nil {
		t.Fatal(err)
	}
	for i := range events {
		events[i].Time, events[i].UID, events[i].PID = events[i].Time.UTC().Truncate(1), 0, 0
	}
	return events
}

func TestAuthorize(t *testing.T) {
	l := vaulttest.New(t, claims)
	ctx := t.Context()
	one := vaulttest.Create(t, l, vault.GlobalScope(), "ACME_KEY", "made-up-1")
	two := vaulttest.Create(t, l, workspace("w"), "ACME_KEY", "made-up-2")
	event := vault.Event{
		Kind: "ignored", Outcome: "ignored", Workspace: "w", Group: "g", Consumer: "agent", Capability: "acme/items",
		Credential: "acme", Method: "POST", Host: "api.acme.test", Path: "/v1/items",
	}
	grant, err := l.Authorize(ctx, func(r vault.Reader) (vault.Decision, error) {
		if _, err := r.Secret(one.ID); err != nil {
			t.Error(err)
		}
		return vault.Decision{Event: event, Uses: []vault.Use{
			{Secret: two.ID, Provider: "acme", Host: vault.Host{Name: "api.acme.test"}}, {Secret: one.ID, Provider: "acme", Host: vault.Host{Name: "api.acme.test"}},
		}}, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(grant.Values) != 2 || string(grant.Values[0].Reveal()) != "made-up-2" || string(grant.Values[1].Reveal()) != "made-up-1" {
		t.Errorf("%d values, or others", len(grant.Values))
	}
	outcome := vault.Event{Outcome: vault.OutcomeOK, Status: 201, RequestBytes: 10, ResponseBytes: 20, Duration: 1500, Redactions: 1, Credential: "acme"}
	if err := l.Finish(ctx, grant.Intent, outcome); err != nil {
		t.Fatal(err)
	}
	intent := event
	intent.Seq, intent.Kind, intent.Outcome, intent.Actor = grant.Intent, vault.KindInvokeIntent, "", "operator"
	intent.Secret, intent.SecretVersion, intent.Scope = two.ID, 1, "workspace:w"
	outcome.Seq, outcome.Kind, outcome.Intent, outcome.Actor = grant.Intent+1, vault.KindInvokeOutcome, grant.Intent, "operator"
	ignore := cmpopts.IgnoreFields(vault.Event{}, "Time")
	if diff := cmp.Diff(lastEvents(t, l, 2), []vault.Event{outcome, intent}, ignore); diff != "" {
		t.Errorf("recorded (-got +want):\n%s", diff)
	}
	for _, id := range []vault.ID{one.ID, two.ID} {
		if s, err := l.FindSecret(ctx, id.String()); err != nil || s.LastUsedAt.IsZero() || s.Revision != 1 {
			t.Errorf("after its use: %+v, %v", s, err)
		}
	}
	for _, v := range grant.Values {
		v.Clear()
	}
	if got, err := reveal(ctx, l, one.ID, "x.test"); got != "made-up-1" || err != nil { // cleared was a copy
		t.Errorf("again: %q, %v", got, err)
	}
	grant, err = l.Authorize(ctx, decideUse())
	if err != nil || grant.Values != nil || grant.Intent == 0 {
		t.Errorf("a call without a secret: %+v, %v", grant, err)
	}
}

// TestDenials: a refusal releases nothing and is recorded, whoever refuses.
func TestDenials(t *testing.T) {
	l := vaulttest.New(t, claims)
	pinned := vaulttest.Create(t, l, vault.GlobalScope(), "ACME_KEY", "made-up-1")
	free := vaulttest.Create(t, l, vault.GlobalScope(), "mine", "made-up-2")
	if _, err := l.CreateCredential(t.Context(), credential("c", free.ID, "api.test"), nil); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		what string
		use  vault.Use
		want fault.Code
	}{
		{"pinned elsewhere", vault.Use{Secret: pinned.ID, Provider: "umbrella", Host: vault.Host{Name: "api.umbrella.test"}}, fault.PolicyViolation},
		{"pinned, no provider", vault.Use{Secret: pinned.ID, Host: vault.Host{Name: "api.acme.test"}}, fault.PolicyViolation},
		{"pinned, private host", vault.Use{Secret: pinned.ID, Provider: "acme", Host: vault.Host{Name: "localhost", Private: true}}, fault.PolicyViolation},
		{"another host", vault.Use{Secret: free.ID, Provider: "acme", Host: vault.Host{Name: "evil.test"}}, fault.PolicyViolation},
		{"its host with a port", vault.Use{Secret: free.ID, Provider: "acme", Host: vault.Host{Name: "api.test:444"}}, fault.PolicyViolation},
		{"its host in capitals", vault.Use{Secret: free.ID, Provider: "acme", Host: vault.Host{Name: "API.test"}}, fault.PolicyViolation},
		{"its host as a private one", vault.Use{Secret: free.ID, Provider: "acme", Host: vault.Host{Name: "api.test", Private: true}}, fault.PolicyViolation},
		{"no host", vault.Use{Secret: free.ID, Provider: "acme"}, fault.PolicyViolation},
		{"unknown", vault.Use{Secret: uuid.New(), Provider: "acme", Host: vault.Host{Name: "api.test"}}, fault.SecretNotFound},
	}
	for _, test := range tests {
		t.Run(test.what, func(t *testing.T) {
			good := vault.Use{Secret: pinned.ID, Provider: "acme", Host: vault.Host{Name: "api.acme.test"}}
			grant, err := l.Authorize(t.Context(), func(vault.Reader) (vault.Decision, error) {
				return vault.Decision{Event: vault.Event{Capability: "acme/items", Host: test.use.Host.Name}, Uses: []vault.Use{good, test.use}}, nil
			})
			wantCode(t, err, test.want)
			if grant.Values != nil || grant.Intent != 0 {
				t.Error("something was granted")
			}
			e := lastEvents(t, l, 1)[0]
			if e.Kind != vault.KindInvokeDenied || e.Outcome != vault.OutcomeDenied || e.Code != test.want || e.Capability != "acme/items" {
				t.Errorf("recorded as %+v", e)
			}
		})
	}
	for _, id := range []vault.ID{pinned.ID, free.ID} {
		if s, err := l.FindSecret(t.Context(), id.String()); err != nil || !s.LastUsedAt.IsZero() {
			t.Errorf("a refused call counts as a use: %v, %v", s.LastUsedAt, err)
		}
	}
	refusal := fault.New(fault.RateLimited, "too many").WithHint("wait")
	_, err := l.Authorize(t.Context(), func(vault.Reader) (vault.Decision, error) {
		return vault.Decision{Event: vault.Event{Path: "/v1"}}, refusal
	})
	if !errors.Is(err, refusal) {
		t.Errorf("the refusal became %v", err)
	}
	if e := lastEvents(t, l, 1)[0]; e.Code != fault.RateLimited || e.Path != "/v1" {
		t.Errorf("recorded as %+v", e)
	}
}

// TestHostileEvents: what a caller states may be anything, and must not make
// the log unreadable.
func TestHostileEvents(t *testing.T) {
	l := vaulttest.New(t, claims)
	vaulttest.Create(t, l, vault.GlobalScope(), "n", "made-up")
	for _, text := range []string{"\xff\xfe", "a\x00b", strings.Repeat("é", 1<<20), "\u202e"} {
		_, err := l.Authorize(t.Context(), func(vault.Reader) (vault.Decision, error) {
			return vault.Decision{Event: vault.Event{
				Path: text, Host: text, Consumer: text, Workspace: text, Group: text, Capability: text, Credential: text, Method: text, Scope: text, Note: text,
			}}, fault.New(fault.PolicyViolation, "no")
		})
		wantCode(t, err, fault.PolicyViolation)
		e := lastEvents(t, l, 1)[0]
		if len(e.Path) > 2048 || e.Path == "" {
			t.Errorf("a path of %d bytes is recorded with %d", len(text), len(e.Path))
		}
	}
}

// TestNothingWithoutARecord: a call whose intent cannot be written is not
// made.
func TestNothingWithoutARecord(t *testing.T) {
	tests := map[string]struct {
		spoil func(t *testing.T, dir string)
		want  fault.Code
	}{
		"the lock cannot be opened": {func(t *testing.T, dir string) {
			lock := filepath.Join(dir, store.LockFile)
			must(t, os.Remove(lock))
			must(t, os.Mkdir(lock, 0o700))
		}, fault.AuditUnavailable},
		"the audit keys are damaged": {func(t *testing.T, dir string) {
			edit(t, dir, func(tx store.Tx) {
				_, values := rows(t, tx, store.Meta, 'c', 'h')
				values[0][60] ^= 1
				must(t, tx.Put(store.Meta, []byte("chain\x00\x00\x00\x01"), values[0]))
			})
		}, fault.AuditBroken},
		"the manifest is damaged": {func(t *testing.T, dir string) {
			edit(t, dir, func(tx store.Tx) { must(t, tx.Delete(store.Meta, []byte("manifest"))) })
		}, fault.VaultCorrupt},
		"the file went away": {func(t *testing.T, dir string) { must(t, os.Rename(vaultFile(dir), vaultFile(dir)+".away")) }, fault.VaultCorrupt},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			l, dir := fresh(t)
			s := vaulttest.Create(t, l, vault.GlobalScope(), "ACME_KEY", "made-up")
			test.spoil(t, dir)
			grant, err := l.Authorize(t.Context(), decideUse(vault.Use{Secret: s.ID, Provider: "acme", Host: vault.Host{Name: "api.acme.test"}}))
			wantCode(t, err, test.want)
			if grant.Values != nil {
				t.Error("the value was released")
			}
			grant, err = l.Authorize(t.Context(), func(vault.Reader) (vault.Decision, error) {
				return vault.Decision{}, fault.New(fault.PolicyViolation, "no")
			})
			if err == nil || grant.Values != nil {
				t.Error("a denial that cannot be recorded is a grant")
			}
		})
	}
	l := vaulttest.New(t, claims)
	s := vaulttest.Create(t, l, vault.GlobalScope(), "ACME_KEY", "made-up")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := l.Authorize(ctx, decideUse(vault.Use{Secret: s.ID, Provider: "acme", Host: vault.Host{Name: "h"}}))
	if code := fault.CodeOf(err); err != nil && code != fault.Canceled {
		t.Errorf("a caller that went away: %v", err)
	}
}

// TestADamagedValue is found after the intent was recorded; the call's outcome
// is then known: an error.
func TestADamagedValue(t *testing.T) {
	l, dir := fresh(t)
	good := vaulttest.Create(t, l, vault.GlobalScope(), "ACME_KEY", "made-up-1")
	bad := vaulttest.Create(t, l, workspace("w"), "ACME_KEY", "made-up-2")
	edit(t, dir, func(tx store.Tx) {
		v := tx.Get(store.Values, bad.ID[:])
		v = append(v[:len(v)-1:len(v)-1], v[len(v)-1]^1)
		must(t, tx.Put(store.Values, bad.ID[:], v))
	})
	grant, err := l.Authorize(t.Context(), decideUse(
		vault.Use{Secret: good.ID, Provider: "acme", Host: vault.Host{Name: "h"}}, vault.Use{Secret: bad.ID, Provider: "acme", Host: vault.Host{Name: "h"}}))
	wantCode(t, err, fault.VaultCorrupt)
	if grant.Values != nil {
		t.Error("a value was released")
	}
	events := lastEvents(t, l, 2)
	if events[0].Kind != vault.KindInvokeOutcome || events[0].Outcome != vault.OutcomeError || events[0].Code != fault.VaultCorrupt || events[0].Intent != events[1].Seq {
		t.Errorf("recorded as %+v", events)
	}
}

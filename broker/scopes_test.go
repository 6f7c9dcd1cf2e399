package broker_test

import (
	"context"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"aivault/broker"
	"aivault/keys/fault"
	"aivault/vault"
)

// The statements S1 to S13 about scopes, each as a caller sees it.

var (
	nowhere = vault.Context{}
	inW     = vault.Context{Workspace: "w"}
	inX     = vault.Context{Workspace: "x"}
	inWA    = vault.Context{Workspace: "w", Group: "a"}
	inWB    = vault.Context{Workspace: "w", Group: "b"}
	inXA    = vault.Context{Workspace: "x", Group: "a"}
)

func TestS1SecretsHaveThreeScopes(t *testing.T) {
	t.Parallel()
	forEachStore(t, func(t *testing.T, r *rig) {
		for _, s := range []vault.Scope{vault.GlobalScope(), mustScope(t, "w", ""), mustScope(t, "w", "a")} {
			r.put(t, "NAME", s, false)
		}
		if _, err := vault.NewScope("", "a"); fault.CodeOf(err) != fault.InvalidRequest {
			t.Errorf("a fourth kind of scope, a group without workspace: %v", err)
		}
	})
}

func TestS2CredentialsAndBindingsHaveThreeScopes(t *testing.T) {
	t.Parallel()
	forEachStore(t, func(t *testing.T, r *rig) {
		r.capability(t, "acme/items", "api.acme.test")
		g := r.put(t, "G", vault.GlobalScope(), false)
		var got []string
		for id, s := range map[string]vault.Scope{"c1": vault.GlobalScope(), "c2": mustScope(t, "w", ""), "c3": mustScope(t, "w", "a")} {
			r.credential(t, id, g.id, s)
			if _, err := r.broker.Bind(context.Background(), broker.NewBinding{Capability: "acme/items", Secret: g.id, Scope: s}); err != nil {
				t.Fatal(err)
			}
		}
		creds, err := r.broker.Credentials(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range creds {
			got = append(got, c.ID+" "+c.Scope.String())
		}
		bindings, err := r.broker.Bindings(context.Background(), "acme/items")
		if err != nil {
			t.Fatal(err)
		}
		for _, b := range bindings {
			got = append(got, b.Scope.String())
		}
		want := []string{"c1 global", "c2 workspace:w", "c3 group:w:a", "global", "workspace:w", "group:w:a"}
		if diff := cmp.Diff(got, want); diff != "" {
			t.Errorf("(-got +want):\n%s", diff)
		}
	})
}

func TestS3GlobalSecretsServeEverybody(t *testing.T) {
	t.Parallel()
	forEachStore(t, func(t *testing.T, r *rig) {
		g := r.acme(t)
		for _, in := range []vault.Context{nowhere, inW, inX, inWA, inXA, {Consumer: "bot"}} {
			r.sees(t, in, g, "")
		}
	})
}

func TestS4WorkspaceSecretsServeTheirWorkspace(t *testing.T) {
	t.Parallel()
	forEachStore(t, func(t *testing.T, r *rig) {
		r.capability(t, "acme/items", "api.acme.test")
		s := r.put(t, "S", mustScope(t, "w", ""), false)
		r.credential(t, "c", s.id, vault.GlobalScope())
		for _, in := range []vault.Context{inW, inWA, inWB} {
			r.sees(t, in, s, "")
		}
		for _, in := range []vault.Context{nowhere, inX, inXA, {Workspace: "W"}} {
			r.sees(t, in, s, fault.CredentialNotFound)
		}
	})
}

func TestS5GroupSecretsServeTheirGroup(t *testing.T) {
	t.Parallel()
	forEachStore(t, func(t *testing.T, r *rig) {
		r.capability(t, "acme/items", "api.acme.test")
		s := r.put(t, "S", mustScope(t, "w", "a"), false)
		r.credential(t, "c", s.id, vault.GlobalScope())
		r.sees(t, inWA, s, "")
		for _, in := range []vault.Context{nowhere, inW, inWB, inX, inXA} {
			r.sees(t, in, s, fault.CredentialNotFound)
		}
	})
}

// S6: neither a credential nor a binding is a way round the scope of a secret,
// whether made before or after, with wider scopes or by name.
func TestS6TheSecretsOwnScopeIsCheckedAtUse(t *testing.T) {
	t.Parallel()
	forEachStore(t, func(t *testing.T, r *rig) {
		g := r.acme(t)
		s := r.put(t, "S", mustScope(t, "w", "a"), false)
		r.credential(t, "wide", s.id, vault.GlobalScope())
		r.sees(t, inX, g, "")
		_, err := r.broker.Invoke(context.Background(), broker.Call{Capability: "acme/items", Context: inX, Credential: "wide", Method: "GET"})
		if fault.CodeOf(err) != fault.SecretNotAccessible {
			t.Errorf("by name: %v", err)
		}
		if _, err := r.broker.Bind(context.Background(), broker.NewBinding{Capability: "acme/items", Secret: s.id, Scope: vault.GlobalScope()}); err != nil {
			t.Fatal(err)
		}
		r.sees(t, inX, s, fault.SecretNotAccessible)
		r.sees(t, inWA, s, "")
	})
}

func TestS7AContextIsOneOfThree(t *testing.T) {
	t.Parallel()
	forEachStore(t, func(t *testing.T, r *rig) {
		g := r.acme(t)
		for _, in := range []vault.Context{nowhere, inW, inWA} {
			r.sees(t, in, g, "")
		}
		for _, in := range []vault.Context{{Group: "a"}, {Workspace: "a b"}, {Workspace: "w", Group: "../x"}, {Consumer: "\n"}} {
			r.sees(t, in, g, fault.InvalidRequest)
			if _, err := r.broker.Explain(context.Background(), "acme/items", in, ""); fault.CodeOf(err) != fault.InvalidRequest {
				t.Errorf("Explain in %+v: %v", in, err)
			}
		}
	})
}

func TestS8TheNarrowerOverrides(t *testing.T) {
	t.Parallel()
	forEachStore(t, func(t *testing.T, r *rig) {
		g := r.acme(t)
		w := r.put(t, "W", mustScope(t, "w", ""), false)
		r.credential(t, "c-w", w.id, vault.GlobalScope())
		r.sees(t, inW, w, "")
		r.sees(t, inWA, w, "")
		a := r.put(t, "A", mustScope(t, "w", "a"), false)
		r.credential(t, "c-a", a.id, vault.GlobalScope())
		r.sees(t, inWA, a, "")
		r.sees(t, inWB, w, "")
		r.sees(t, nowhere, g, "")
	})
}

func TestS9AttachAndDetachTakeEffectAtOnce(t *testing.T) {
	t.Parallel()
	forEachStore(t, func(t *testing.T, r *rig) {
		g := r.acme(t)
		s := r.put(t, "S", mustScope(t, "w", ""), false)
		r.credential(t, "c", s.id, vault.GlobalScope())
		r.sees(t, inXA, g, "")
		r.attach(t, s.id, "x", "a")
		r.sees(t, inXA, s, "")
		r.sees(t, inX, g, "")
		if _, _, err := r.store.DetachGroup(context.Background(), s.id, vault.GroupRef{Workspace: "x", Group: "a"}, 0); err != nil {
			t.Fatal(err)
		}
		r.sees(t, inXA, g, "")
	})
}

func TestS10RegistryMadeCredentialsInheritTheirSecretsScope(t *testing.T) {
	t.Parallel()
	forEachStore(t, func(t *testing.T, r *rig) {
		s := r.put(t, "OPENAI_API_KEY", mustScope(t, "w", ""), false)
		r.attach(t, s.id, "x", "a")
		got := map[string]string{}
		for name, in := range map[string]vault.Context{"none": nowhere, "w": inW, "w/a": inWA, "x": inX, "x/a": inXA} {
			answer, err := r.invoke("openai/models", in)
			if err != nil {
				got[name] = string(fault.CodeOf(err))
				continue
			}
			got[name] = answer.Credential
		}
		want := map[string]string{
			"none": "credential_not_found", "w": "openai:ws:w", "w/a": "openai:ws:w",
			"x": "credential_not_found", "x/a": "openai:ws:w",
		}
		if diff := cmp.Diff(got, want); diff != "" {
			t.Errorf("(-got +want):\n%s", diff)
		}
	})
}

func TestS11BindingsAreUsedByEveryCall(t *testing.T) {
	t.Parallel()
	forEachStore(t, func(t *testing.T, r *rig) {
		g := r.acme(t)
		other := r.put(t, "OTHER", vault.GlobalScope(), false)
		if _, err := r.broker.Bind(context.Background(), broker.NewBinding{Capability: "acme/items", Secret: other.id, Scope: mustScope(t, "w", "")}); err != nil {
			t.Fatal(err)
		}
		r.sees(t, nowhere, g, "")
		r.sees(t, inW, other, "")
		r.sees(t, inWA, other, "")
		if removed, err := r.broker.Unbind(context.Background(), "acme/items", mustScope(t, "w", ""), ""); !removed || err != nil {
			t.Fatal(removed, err)
		}
		r.sees(t, inW, g, "")
	})
}

func TestS12TheAuditLogTellsContextCredentialAndSecret(t *testing.T) {
	t.Parallel()
	forEachStore(t, func(t *testing.T, r *rig) {
		g := r.acme(t)
		in := vault.Context{Workspace: "w", Group: "a", Consumer: "bot"}
		answer, err := r.invoke("acme/items", in)
		if err != nil {
			t.Fatal(err)
		}
		events := r.events(t)
		i := slices.IndexFunc(events, func(e vault.Event) bool { return e.Seq == answer.Intent })
		if i < 0 {
			t.Fatal("there is no event of the intent")
		}
		got := events[i]
		want := vault.Event{
			Kind: vault.KindInvokeIntent, Workspace: "w", Group: "a", Consumer: "bot", Capability: "acme/items",
			Credential: "acme-main", Secret: g.id, SecretVersion: 1, Scope: "global",
			Method: "GET", Host: "api.acme.test", Path: "/v1/items",
		}
		got.Seq, got.Time, got.Actor, got.UID, got.PID = 0, want.Time, "", 0, 0
		if diff := cmp.Diff(got, want); diff != "" {
			t.Errorf("intent (-got +want):\n%s", diff)
		}
		outcome := r.last(t)
		if outcome.Kind != vault.KindInvokeOutcome || outcome.Intent != answer.Intent || outcome.Outcome != vault.OutcomeOK || outcome.Status != 200 {
			t.Errorf("outcome: %+v", outcome)
		}
	})
}

func TestS13NamesAreUniqueWithinAScope(t *testing.T) {
	t.Parallel()
	forEachStore(t, func(t *testing.T, r *rig) {
		want := map[string]stored{}
		for name, s := range map[string]vault.Scope{"": vault.GlobalScope(), "w": mustScope(t, "w", ""), "x": mustScope(t, "x", "")} {
			want[name] = r.put(t, "OPENAI_API_KEY", s, false)
			_, err := r.store.CreateSecret(context.Background(), vault.NewSecret{Name: "OPENAI_API_KEY", Scope: s, Value: vaultValue("another")})
			if fault.CodeOf(err) != fault.AlreadyExists {
				t.Errorf("a second one in %s: %v", s, err)
			}
		}
		for ws, s := range want {
			before := len(r.up.Requests())
			if _, err := r.invoke("openai/models", vault.Context{Workspace: ws}); err != nil {
				t.Error(err)
				continue
			}
			if r.up.Requests()[before].Get("Authorization") != "Bearer "+s.value {
				t.Errorf("workspace %q got another's secret", ws)
			}
		}
	})
}

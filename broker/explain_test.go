package broker_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"aivault/broker"
	"aivault/keys/fault"
	"aivault/vault"
)

func TestExplainLadder(t *testing.T) {
	t.Parallel()
	forEachStore(t, func(t *testing.T, r *rig) {
		g := r.put(t, "OPENAI_API_KEY", vault.GlobalScope(), false)
		r.put(t, "OPENAI_API_KEY", mustScope(t, "w", ""), false)
		r.put(t, "OPENAI_API_KEY", mustScope(t, "x", ""), false)
		r.attach(t, g.id, "w", "a")
		free := r.put(t, "FREE", vault.GlobalScope(), false)
		if _, err := r.broker.CreateCredential(context.Background(), broker.NewCredential{ID: "second", Provider: "openai", Secret: free.id, Scope: vault.GlobalScope()}); err != nil {
			t.Fatal(err)
		}
		for consumer, scope := range map[string]vault.Scope{"": vault.GlobalScope(), "bot": mustScope(t, "w", "a")} {
			if _, err := r.broker.Bind(context.Background(), broker.NewBinding{Capability: "openai/models", Secret: free.id, Scope: scope, Consumer: consumer}); err != nil {
				t.Fatal(err)
			}
		}
		l, err := r.broker.Explain(context.Background(), "openai/models", inWA, "")
		if err != nil || l.Err != nil {
			t.Fatal(err, l.Err)
		}
		var got []string
		for _, rung := range l.Rungs {
			got = append(got, fmt.Sprintf("%s %s %s %s taken=%v: %s", rung.Tier, rung.Kind, rung.ID, rung.SecretName, rung.Taken, rung.Reason))
		}
		want := []string{
			"group credential openai OPENAI_API_KEY taken=true: the narrowest: its secret is attached to the group",
			"workspace credential openai:ws:w OPENAI_API_KEY taken=false: credential openai is narrower",
			"global binding global FREE taken=false: credential openai is narrower",
			"global credential second FREE taken=false: credential openai is narrower",
			"none binding group:w:a consumer:bot FREE taken=false: for consumer bot only",
			"none credential openai:ws:x OPENAI_API_KEY taken=false: its secret is not visible from group a of workspace w",
		}
		if diff := cmp.Diff(got, want); diff != "" {
			t.Errorf("(-got +want):\n%s", diff)
		}
		if l.Credential != "openai" || l.Lender != "openai" || l.SecretName != "OPENAI_API_KEY" || l.Tier != vault.Group || l.Provider != "openai" {
			t.Errorf("%+v", l)
		}
	})
}

// 96: a tie names the candidates, and is never settled by chance.
func TestAmbiguityNamesTheCandidates(t *testing.T) {
	t.Parallel()
	forEachStore(t, func(t *testing.T, r *rig) {
		s := r.acme(t)
		r.credential(t, "acme-other", s.id, vault.GlobalScope())
		_, err := r.invoke("acme/items", nowhere)
		if fault.CodeOf(err) != fault.CredentialAmbiguous || !strings.Contains(err.Error(), "acme-main and acme-other") {
			t.Errorf("%v", err)
		}
		l, err := r.broker.Explain(context.Background(), "acme/items", nowhere, "")
		if err != nil || fault.CodeOf(l.Err) != fault.CredentialAmbiguous || l.Via != "" || len(l.Rungs) != 2 {
			t.Errorf("%+v, %v", l, err)
		}
	})
}

// An operator whose context has no credential is told where there is one.
func TestNotFoundTellsOtherScopes(t *testing.T) {
	t.Parallel()
	r, _ := newMemoryRig(t)
	r.put(t, "OPENAI_API_KEY", mustScope(t, "w", ""), false)
	_, err := r.invoke("openai/models", inX)
	if fault.CodeOf(err) != fault.CredentialNotFound || !strings.Contains(err.Error(), "workspace:w") {
		t.Errorf("%v", err)
	}
	if !strings.Contains(fault.HintOf(err), "aivault explain openai/models --workspace-id x") {
		t.Errorf("hint %q", fault.HintOf(err))
	}
}

// 98: what happens between two calls, or to a secret that a credential leads
// to, is judged as it is at the moment of use.
func TestJudgedAtUse(t *testing.T) {
	t.Parallel()
	forEachStore(t, func(t *testing.T, r *rig) {
		ctx := context.Background()
		r.capability(t, "acme/items", "api.acme.test")
		s := r.put(t, "S", mustScope(t, "w", "a"), false)
		r.credential(t, "wide", s.id, vault.GlobalScope())
		r.sees(t, inWB, s, fault.CredentialNotFound)
		r.attach(t, s.id, "w", "b")
		r.sees(t, inWB, s, "")
		if _, _, err := r.store.DetachGroup(ctx, s.id, vault.GroupRef{Workspace: "w", Group: "b"}, 0); err != nil {
			t.Fatal(err)
		}
		r.sees(t, inWB, s, fault.CredentialNotFound)
		r.sees(t, inWA, s, "")
		if _, err := r.store.DeleteSecret(ctx, s.id, 0); err != nil {
			t.Fatal(err)
		}
		r.sees(t, inWA, s, fault.CredentialNotFound)
	})
}

package broker_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"aivault/broker"
	"aivault/keys/fault"
	"aivault/vault"
)

func TestBindRefuses(t *testing.T) {
	t.Parallel()
	forEachStore(t, func(t *testing.T, r *rig) {
		free := r.acme(t)
		r.capability(t, "acme/files", "files.acme.test")
		pinned := r.put(t, "OPENAI_API_KEY", vault.GlobalScope(), false)
		tests := []struct {
			name string
			b    broker.NewBinding
			want fault.Code
		}{
			{"no such capability", broker.NewBinding{Capability: "acme/nope", Secret: free.id, Scope: vault.GlobalScope()}, fault.CapabilityNotFound},
			{"no such secret", broker.NewBinding{Capability: "acme/items", Secret: vault.ID{1}, Scope: vault.GlobalScope()}, fault.SecretNotFound},
			{"a scope that is none", broker.NewBinding{Capability: "acme/items", Secret: free.id}, fault.InvalidRequest},
			{"a consumer that is none", broker.NewBinding{Capability: "acme/items", Secret: free.id, Scope: vault.GlobalScope(), Consumer: "a b"}, fault.InvalidRequest},
			{"a pinned secret to another provider", broker.NewBinding{Capability: "acme/items", Secret: pinned.id, Scope: vault.GlobalScope()}, fault.PolicyViolation},
			{"a further host without proof", broker.NewBinding{Capability: "acme/files", Secret: free.id, Scope: vault.GlobalScope()}, fault.OperatorAuthRequired},
			{"the same with proof", broker.NewBinding{Capability: "acme/files", Secret: free.id, Scope: vault.GlobalScope(), Proof: vaultValue(free.value)}, ""},
			{"a pinned secret to its provider", broker.NewBinding{Capability: "openai/models", Secret: pinned.id, Scope: vault.GlobalScope()}, ""},
		}
		for _, tt := range tests {
			if _, err := r.broker.Bind(context.Background(), tt.b); fault.CodeOf(err) != tt.want {
				t.Errorf("%s: %q (%v), want %q", tt.name, fault.CodeOf(err), err, tt.want)
			}
		}
	})
}

// Where no credential lends, the registry does.
func TestTheRegistryLends(t *testing.T) {
	t.Parallel()
	forEachStore(t, func(t *testing.T, r *rig) {
		free := r.put(t, "FREE", vault.GlobalScope(), false)
		if _, err := r.broker.Bind(context.Background(), broker.NewBinding{Capability: "openai/models", Secret: free.id, Scope: vault.GlobalScope()}); err != nil {
			t.Fatal(err)
		}
		l, err := r.broker.Explain(context.Background(), "openai/models", inW, "")
		if err != nil || l.Err != nil {
			t.Fatal(err, l.Err)
		}
		if l.Via != "binding" || l.Credential != "" || l.Lender != "registry:openai" || l.Secret != free.id || l.Tier != vault.Global {
			t.Errorf("%+v", l)
		}
		r.sendsTo(t, "openai/models", inW, free)
		if e := r.last(t); e.Kind != vault.KindInvokeOutcome {
			t.Errorf("%+v", e)
		}
	})
}

func TestBindingsList(t *testing.T) {
	t.Parallel()
	forEachStore(t, func(t *testing.T, r *rig) {
		free := r.put(t, "FREE", vault.GlobalScope(), false)
		pinned := r.put(t, "ANTHROPIC_API_KEY", mustScope(t, "w", ""), false)
		for _, consumer := range []string{"bot", ""} {
			_, err := r.broker.Bind(context.Background(), broker.NewBinding{Capability: "anthropic/models", Secret: free.id, Scope: vault.GlobalScope(), Consumer: consumer})
			if err != nil {
				t.Fatal(err)
			}
		}
		names := map[vault.ID]string{free.id: free.name, pinned.id: pinned.name}
		list := func(capability string) (out []string) {
			bindings, err := r.broker.Bindings(context.Background(), capability)
			if err != nil {
				t.Fatal(err)
			}
			for _, b := range bindings {
				out = append(out, fmt.Sprintf("%s %s %q %s auto=%v", b.Capability, b.Scope, b.Consumer, names[b.Secret], b.Auto))
			}
			return out
		}
		want := []string{
			`anthropic/models global "" FREE auto=false`,
			`anthropic/models global "bot" FREE auto=false`,
			`anthropic/models workspace:w "" ANTHROPIC_API_KEY auto=true`,
		}
		if diff := cmp.Diff(list("anthropic/models"), want); diff != "" {
			t.Errorf("(-got +want):\n%s", diff)
		}
		all := list("")
		if len(all) <= len(want) {
			t.Errorf("all: %v", all)
		}
		// What provisioning gave is without weight: the workspace's own secret
		// is narrower than the binding all the same, as a credential.
		l, err := r.broker.Explain(context.Background(), "anthropic/models", inW, "")
		if err != nil || l.Credential != "anthropic:ws:w" || l.Via != "credential" {
			t.Errorf("%+v, %v", l, err)
		}
	})
}

// A provider that takes several secrets takes one that holds them all, from a
// binding as from a credential.
func TestBindOneForSeveral(t *testing.T) {
	t.Parallel()
	forEachStore(t, func(t *testing.T, r *rig) {
		ctx := context.Background()
		s := r.put(t, "MY_TRELLO", vault.GlobalScope(), false)
		if _, err := r.broker.Bind(ctx, broker.NewBinding{Capability: "trello/boards", Secret: s.id, Scope: vault.GlobalScope()}); err != nil {
			t.Fatal(err)
		}
		p, err := r.broker.Preview(ctx, broker.Call{Capability: "trello/boards", Method: "GET"})
		if err != nil {
			t.Fatal(err)
		}
		if want := "https://api.trello.com/1/boards?key=<MY_TRELLO.key>&token=<MY_TRELLO.token>"; p.URL != want {
			t.Errorf("URL %s, want %s", p.URL, want)
		}
	})
}

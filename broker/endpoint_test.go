package broker_test

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"aivault/broker"
	"aivault/keys/fault"
	"aivault/keys/opaque"
	"aivault/vault"
)

// A token endpoint gets all that is in a secret. It is one of the credential's
// hosts, and for a pinned secret one of its provider's, or there is no
// credential (case 87).
func TestCase087EndpointOfAnotherHost(t *testing.T) {
	t.Parallel()
	r, _ := newMemoryRig(t)
	free := r.put(t, "ACME_OAUTH", vault.GlobalScope(), false)
	pinned := r.put(t, "OPENAI_API_KEY", vault.GlobalScope(), false)
	for name, tt := range map[string]struct {
		credential broker.NewCredential
		want       fault.Code
	}{
		"free":             {broker.NewCredential{Provider: "acme", Secret: free.id, Hosts: []string{"api.acme.test"}}, fault.InvalidRequest},
		"free, by suffix":  {broker.NewCredential{Provider: "acme", Secret: free.id, Hosts: []string{"not-evil.test"}}, fault.InvalidRequest},
		"pinned":           {broker.NewCredential{Provider: "openai", Secret: pinned.id}, fault.InvalidRequest},
		"pinned, and host": {broker.NewCredential{Provider: "openai", Secret: pinned.id, Hosts: []string{"api.openai.com", "evil.test"}}, fault.PolicyViolation},
	} {
		n := tt.credential
		n.ID, n.Scope, n.Auth = "mine", vault.GlobalScope(), tokensFrom("https://evil.test/token")
		_, err := r.broker.CreateCredential(context.Background(), n)
		if got := fault.CodeOf(err); got != tt.want {
			t.Errorf("%s: %q (%v), want %q", name, got, err, tt.want)
		}
	}
}

// Neither does a pinned secret get to another's token endpoint by a binding,
// which borrows how to authenticate; a free one does, if it was bound to that.
func TestCase087EndpointByBinding(t *testing.T) {
	t.Parallel()
	forEachStore(t, func(t *testing.T, r *rig) {
		ctx := context.Background()
		lender := r.put(t, "LENDER", vault.GlobalScope(), false)
		pinned := r.put(t, "OPENAI_API_KEY", mustScope(t, "w", ""), false)
		_, err := r.broker.CreateCredential(ctx, broker.NewCredential{
			ID: "lender", Provider: "openai", Secret: lender.id, Scope: mustScope(t, "w", "a"), Auth: tokensFrom("https://auth.acme.test/token"),
			Hosts: []string{"api.openai.com", "auth.acme.test"},
		})
		if err != nil {
			t.Fatal(err)
		}
		bind := broker.NewBinding{Capability: "openai/models", Secret: pinned.id, Scope: mustScope(t, "w", "a")}
		if _, err := r.broker.Bind(ctx, bind); err != nil {
			t.Fatal(err)
		}
		_, err = r.invoke("openai/models", inWA)
		if fault.CodeOf(err) != fault.PolicyViolation || r.up.Connections() != 0 {
			t.Errorf("a pinned secret: %v after %d connections", err, r.up.Connections())
		}

		const tokens = `{"clientId":"me","refreshToken":"made-up-refresh-token"}`
		free, err := r.store.CreateSecret(ctx, vault.NewSecret{Name: "FREE", Scope: vault.GlobalScope(), Value: opaque.New([]byte(tokens))})
		if err != nil {
			t.Fatal(err)
		}
		bind.Secret = free.ID
		if _, err := r.broker.Bind(ctx, bind); err != nil {
			t.Fatal(err)
		}
		r.up.Handle(func(w http.ResponseWriter, req *http.Request) {
			if req.Host == "auth.acme.test" {
				w.Header().Set("Content-Type", "application/json")
				_, _ = w.Write([]byte(`{"access_token":"made-up-access-token","token_type":"bearer"}`))
			}
		})
		answer, err := r.invoke("openai/models", inWA)
		if err != nil || answer.Status != 200 {
			t.Fatalf("a free secret: %v", err)
		}
		if sent := r.up.Requests(); len(sent) != 2 || !strings.Contains(string(sent[0].Body), "made-up-refresh-token") || sent[1].Get("Authorization") != "Bearer made-up-access-token" {
			t.Errorf("%d requests", len(sent))
		}
	})
}

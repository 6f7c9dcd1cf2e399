package broker_test

import (
	"context"
	"fmt"
	"testing"

	"aivault/broker"
	"aivault/broker/brokertest"
	"aivault/keys/fault"
	"aivault/keys/opaque"
	"aivault/vault"
)

// A binding borrows how and where from a credential of another secret. A pinned
// secret does not go to the token endpoint of that one, which may be anybody's
// (case 87).
func TestCase087BorrowedEndpoint(t *testing.T) {
	t.Parallel()
	forEachStore(t, func(t *testing.T, r *rig) {
		ctx := context.Background()
		account := func(name string) vault.ID {
			b := fmt.Appendf(nil, `{"clientId":"me","refreshToken":%q}`, brokertest.Word(t))
			s, err := r.store.CreateSecret(ctx, vault.NewSecret{Name: name, Scope: vault.GlobalScope(), Value: opaque.New(b)})
			if err != nil {
				t.Fatal(err)
			}
			return s.ID
		}
		pinned, free := account("OPENAI_API_KEY"), account("FREE")
		if _, err := r.broker.DeleteCredential(ctx, "openai"); err != nil {
			t.Fatal(err)
		}
		_, err := r.broker.CreateCredential(ctx, broker.NewCredential{
			ID: "lender", Provider: "openai", Secret: free, Scope: vault.GlobalScope(),
			Hosts: []string{"api.openai.com", "auth.acme.test"}, Auth: tokensFrom("auth.acme.test"),
		})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := r.broker.Bind(ctx, broker.NewBinding{Capability: "openai/models", Secret: pinned, Scope: vault.GlobalScope()}); err != nil {
			t.Fatal(err)
		}
		if _, err := r.invoke("openai/models", vault.Context{}); fault.CodeOf(err) != fault.PolicyViolation {
			t.Errorf("error %v", err)
		}
		if l, err := r.broker.Explain(ctx, "openai/models", vault.Context{}, ""); err != nil || fault.CodeOf(l.Err) != fault.PolicyViolation {
			t.Errorf("explain: %+v, %v", l, err)
		}
		for _, req := range r.up.Requests() {
			t.Errorf("a request reached %s", req.Host)
		}
	})
}

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
			Hosts: []string{"api.openai.com", "auth.acme.test"}, Auth: tokensFrom("https://auth.acme.test/token"),
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

// The tokens of a pinned secret are renewed at its provider's hosts only, also
// where a credential in the vault says otherwise: what is sent there is all that
// the secret holds.
func TestPinnedSecretIsRenewedAtItsProvider(t *testing.T) {
	t.Parallel()
	r, _ := newMemoryRig(t)
	ctx := context.Background()
	s, err := r.store.CreateSecret(ctx, vault.NewSecret{
		Name: "OPENAI_API_KEY", Scope: vault.GlobalScope(),
		Value: vaultValue(`{"clientId":"me","refreshToken":"` + brokertest.Word(t) + `"}`),
	})
	if err != nil {
		t.Fatal(err)
	}
	_, err = r.store.CreateCredential(ctx, vault.Credential{
		ID: "elsewhere", Provider: "openai", Secret: s.ID, Scope: vault.GlobalScope(), Hosts: []string{"api.openai.com"},
		Auth: *tokensFrom("https://auth.acme.test/token"),
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	_, err = r.broker.Invoke(ctx, broker.Call{Capability: "openai/models", Credential: "elsewhere"})
	if fault.CodeOf(err) != fault.PolicyViolation {
		t.Errorf("%v, want a policy violation", err)
	}
	if n := len(r.up.Requests()); n > 0 {
		t.Errorf("%d requests were sent", n)
	}
}

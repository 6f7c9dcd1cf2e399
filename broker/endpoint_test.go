package broker_test

import (
	"context"
	"testing"

	"aivault/broker"
	"aivault/broker/brokertest"
	"aivault/keys/fault"
	"aivault/vault"
)

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
		Auth: vault.Auth{Kind: "oauth2", Params: []vault.Param{{Name: "grant_type", Value: "refresh_token"}, {Name: "token_endpoint", Value: "https://auth.acme.test/token"}}},
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

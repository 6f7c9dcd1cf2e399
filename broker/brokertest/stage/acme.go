package stage

import (
	"context"
	"testing"

	"aivault/broker"
	"aivault/broker/brokertest"
	"aivault/keys/opaque"
	"aivault/vault"
)

// Acme makes the usual world of a vault and its broker: one global secret, whose
// value it returns, the credential acme-main with that for api.acme.test, and the
// capability acme/items for methods there.
func Acme(t testing.TB, v vault.Vault, b *broker.Broker, methods ...string) (value string) {
	t.Helper()
	ctx := context.Background()
	value = brokertest.Canary(t)
	s, err := v.CreateSecret(ctx, vault.NewSecret{Name: "ACME_TOKEN", Scope: vault.GlobalScope(), Value: opaque.New([]byte(value))})
	if err != nil {
		t.Fatal(err)
	}
	_, err = b.CreateCapability(ctx, broker.NewCapability{
		ID: "acme/items", Hosts: []string{"api.acme.test"}, Methods: methods, Paths: []string{"/v1/items"},
	})
	if err != nil {
		t.Fatal(err)
	}
	_, err = b.CreateCredential(ctx, broker.NewCredential{
		ID: "acme-main", Provider: "acme", Secret: s.ID, Scope: vault.GlobalScope(), Auth: Bearer(), Hosts: []string{"api.acme.test"},
	})
	if err != nil {
		t.Fatal(err)
	}
	return value
}

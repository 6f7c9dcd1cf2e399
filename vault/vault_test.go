package vault_test

import (
	"context"
	"testing"

	"aivault/keys/fault"
	"aivault/keys/opaque"
	"aivault/vault"
	"aivault/vault/vaulttest"
)

func TestSecretLifeCycle(t *testing.T) {
	ctx := context.Background()
	l := vaulttest.New(t, vaulttest.Claims{"ACME_KEY": "acme"})
	s := vaulttest.Create(t, l, vault.GlobalScope(), "ACME_KEY", "made-up-value-1")
	if s.PinnedProvider != "acme" || s.Version != 1 || s.Revision != 1 {
		t.Fatalf("created %+v", s)
	}
	if _, err := l.CreateSecret(ctx, vault.NewSecret{Name: "ACME_KEY", Scope: vault.GlobalScope(), Value: opaque.New([]byte("x"))}); fault.CodeOf(err) != fault.AlreadyExists {
		t.Errorf("a second secret of the name: %v", err)
	}
	g := vault.GroupRef{Workspace: "w", Group: "a"}
	s, changed, err := l.AttachGroup(ctx, s.ID, g, 0)
	if err != nil || !changed {
		t.Fatal(changed, err)
	}
	grant, err := l.Authorize(ctx, func(r vault.Reader) (vault.Decision, error) {
		return vault.Decision{Uses: []vault.Use{{Secret: s.ID, Provider: "acme", Host: vault.Host{Name: "api.acme.test"}}}}, nil
	})
	if err != nil || len(grant.Values) != 1 || string(grant.Values[0].Reveal()) != "made-up-value-1" {
		t.Fatalf("grant: %v, %v", grant, err)
	}
	if err := l.Finish(ctx, grant.Intent, vault.Event{Outcome: vault.OutcomeOK, Status: 200}); err != nil {
		t.Fatal(err)
	}
	found, err := l.FindSecret(ctx, s.ID.String()[:8])
	if err != nil || found.ID != s.ID || found.LastUsedAt.IsZero() {
		t.Errorf("found %+v, %v", found, err)
	}
	events, err := l.Audit(ctx, vault.AuditQuery{})
	if err != nil || len(events) != 5 || events[0].Kind != vault.KindInvokeOutcome || events[0].Intent != grant.Intent {
		t.Errorf("%d events, %v", len(events), err)
	}
	removed, err := l.DeleteSecret(ctx, s.ID, 0)
	if err != nil || removed.Secret.Name != "ACME_KEY" {
		t.Errorf("removed %+v, %v", removed, err)
	}
	vaulttest.Create(t, l, vault.GlobalScope(), "ACME_KEY", "made-up-value-2")
}

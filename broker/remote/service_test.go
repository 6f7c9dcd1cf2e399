package remote_test

import (
	"bytes"
	"context"
	"testing"

	"aivault/broker"
	"aivault/broker/brokertest/stage"
	"aivault/broker/remote"
	"aivault/keys/fault"
	"aivault/keys/opaque"
	"aivault/vault"
)

// boxes is a provider of an operator's own.
const boxes = `{"id": "boxes", "name": "Boxes", "hosts": ["api.acme.test"],
  "credentials": [{"id": "", "secrets": [{"placeholder": "secret", "name": "BOXES_KEY"}],
    "auth": {"kind": "header", "params": [{"name": "X-Boxes", "value": "{{secret}}"}]}}],
  "capabilities": [{"id": "boxes/list", "description": "Boxes", "methods": ["GET"], "paths": ["/v1/boxes"]}]}`

// serviceQuestions are what can be asked of a broker without changing anything.
func serviceQuestions(ctx context.Context, s vault.Secret) map[string]func(broker.Service) (any, error) {
	bad := items()
	bad.Path = "/elsewhere"
	return map[string]func(broker.Service) (any, error){
		"Preview":     func(b broker.Service) (any, error) { return b.Preview(ctx, items()) },
		"bad Preview": func(b broker.Service) (any, error) { return b.Preview(ctx, bad) },
		"Explain":     func(b broker.Service) (any, error) { return b.Explain(ctx, "acme/items", vault.Context{}, "") },
		"Explain what is not": func(b broker.Service) (any, error) {
			return b.Explain(ctx, "acme/items", vault.Context{}, "nobody")
		},
		"CheckCredential": func(b broker.Service) (any, error) {
			return b.CheckCredential(ctx, broker.NewCredential{ID: "new", Provider: "openai", Secret: s.ID, Scope: vault.GlobalScope()})
		},
		"Credentials": func(b broker.Service) (any, error) { return b.Credentials(ctx) },
		"Accounts":    func(b broker.Service) (any, error) { return b.Accounts(ctx) },
		"CheckCapability": func(b broker.Service) (any, error) {
			return b.CheckCapability(ctx, broker.NewCapability{ID: "acme/more"})
		},
		"Capabilities": func(b broker.Service) (any, error) { return b.Capabilities(ctx) },
		"Describe":     func(b broker.Service) (any, error) { return b.Describe(ctx, "openai/chat-completions") },
		"Policy":       func(b broker.Service) (any, error) { return b.Policy(ctx, "acme/items") },
		"Policies":     func(b broker.Service) (any, error) { return b.Policies(ctx) },
		"Bindings":     func(b broker.Service) (any, error) { return b.Bindings(ctx, "") },
		"Providers":    func(b broker.Service) (any, error) { return b.Providers(ctx) },
		"CheckProvider": func(b broker.Service) (any, error) {
			return b.CheckProvider(ctx, []byte(boxes))
		},
		"CheckProvider of a long one": func(b broker.Service) (any, error) {
			return b.CheckProvider(ctx, append([]byte(boxes), bytes.Repeat([]byte(" "), vault.MaxDefinition-len(boxes))...))
		},
		"bad CheckProvider": func(b broker.Service) (any, error) { return b.CheckProvider(ctx, []byte("{")) },
		"Provisioned":       func(b broker.Service) (any, error) { return b.Provisioned(ctx, s) },
		"Claim":             func(b broker.Service) (any, error) { return b.Claim(ctx, "OPENAI_API_KEY", vault.GlobalScope()) },
		"Uses":              func(b broker.Service) (any, error) { return b.Uses(ctx, s.ID) },
		"Effects": func(b broker.Service) (any, error) {
			return b.Effects(ctx, broker.Change{Delete: []vault.ID{s.ID}})
		},
	}
}

// changeThroughADaemon makes one change of each sort, and sees that the vault has
// it.
func changeThroughADaemon(t *testing.T, r *rig, c *remote.Client) {
	t.Helper()
	ctx := t.Context()
	value := opaque.New([]byte("made up"))
	s, err := c.CreateSecret(ctx, vault.NewSecret{Name: "MINE", Scope: vault.GlobalScope(), Value: value})
	if err != nil {
		t.Fatal(err)
	}
	cred, err := c.CreateCredential(ctx, broker.NewCredential{
		ID: "mine", Provider: "acme", Secret: s.ID, Scope: vault.GlobalScope(), Auth: stage.Bearer(), Hosts: []string{"api.acme.test"}, Proof: value,
	})
	if err != nil || cred.ID != "mine" {
		t.Errorf("CreateCredential: %+v, %v", cred, err)
	}
	if made, err := c.CreateCapability(ctx, broker.NewCapability{ID: "acme/more", FromCred: "mine", Methods: []string{"GET"}, Paths: []string{"/v2"}}); err != nil || made.ID != "acme/more" {
		t.Errorf("CreateCapability: %+v, %v", made, err)
	}
	rate := int64(5)
	if p, err := c.SetPolicy(ctx, vault.Policy{Capability: "acme/more", Rate: &rate}, 0); err != nil || *p.Rate != 5 {
		t.Errorf("SetPolicy: %+v, %v", p, err)
	}
	if b, err := c.Bind(ctx, broker.NewBinding{Capability: "acme/more", Secret: s.ID, Scope: vault.GlobalScope(), Proof: value}); err != nil || b.Secret != s.ID {
		t.Errorf("Bind: %+v, %v", b, err)
	}
	if gone, err := c.Unbind(ctx, "acme/more", vault.GlobalScope(), ""); err != nil || !gone {
		t.Errorf("Unbind: %t, %v", gone, err)
	}
	if gone, err := c.DeleteCapability(ctx, "acme/more"); err != nil || !gone.Capability || !gone.Policy {
		t.Errorf("DeleteCapability: %+v, %v", gone, err)
	}
	if gone, err := c.DeleteCredential(ctx, "mine"); err != nil || !gone {
		t.Errorf("DeleteCredential: %t, %v", gone, err)
	}
	if _, err := r.broker.Describe(ctx, "acme/more"); fault.CodeOf(err) != fault.CapabilityNotFound {
		t.Errorf("what was deleted is described: %v", err)
	}
	if p, err := c.AddProvider(ctx, []byte(boxes)); err != nil || p.ID != "boxes" || p.Same || !p.Own {
		t.Errorf("AddProvider: %+v, %v", p, err)
	}
	if d, err := r.broker.Describe(ctx, "boxes/list"); err != nil || !d.Own {
		t.Errorf("what was added is described: %+v, %v", d, err)
	}
	if gone, err := c.RemoveProvider(ctx, "boxes"); err != nil || !gone {
		t.Errorf("RemoveProvider: %t, %v", gone, err)
	}
	in := vault.Context{Workspace: "w1"}
	if g, made, err := c.Grant(ctx, 1001, in); err != nil || !made || g.UID != 1001 || g.Context != in {
		t.Errorf("Grant: %+v, %t, %v", g, made, err)
	}
	if gone, err := c.Revoke(ctx, 1001, in); err != nil || !gone {
		t.Errorf("Revoke: %t, %v", gone, err)
	}
}

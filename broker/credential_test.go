package broker_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"aivault/broker"
	"aivault/broker/brokertest"
	"aivault/broker/registry"
	"aivault/keys/fault"
	"aivault/vault"
)

func TestCreateCredentialRefuses(t *testing.T) {
	t.Parallel()
	r, _ := newMemoryRig(t)
	free := r.put(t, "FREE", vault.GlobalScope(), false)
	pinned := r.put(t, "OPENAI_API_KEY", vault.GlobalScope(), false)
	ca := r.up.CAPEM()
	base := func(change func(*broker.NewCredential)) broker.NewCredential {
		n := broker.NewCredential{
			ID: "c", Provider: "acme", Secret: free.id, Scope: vault.GlobalScope(), Auth: bearer(),
			Hosts: []string{"api.acme.test"}, Proof: vaultValue(free.value),
		}
		change(&n)
		return n
	}
	tests := []struct {
		name   string
		change func(*broker.NewCredential)
		want   fault.Code
	}{
		{"no id", func(n *broker.NewCredential) { n.ID = "" }, fault.InvalidRequest},
		{"an id with a space", func(n *broker.NewCredential) { n.ID = "a b" }, fault.InvalidRequest},
		{"an id like a flag", func(n *broker.NewCredential) { n.ID = "--help" }, fault.InvalidRequest},
		{"an id too long", func(n *broker.NewCredential) { n.ID = strings.Repeat("a", 129) }, fault.InvalidRequest},
		{"an id with a colon", func(n *broker.NewCredential) { n.ID = "acme:ws:w" }, fault.InvalidRequest},
		{"the id of a provider without a secret", func(n *broker.NewCredential) { n.ID = "stripe" }, fault.InvalidRequest},
		{"an id that the registry made", func(n *broker.NewCredential) {
			*n = broker.NewCredential{ID: "openai", Provider: "openai", Secret: pinned.id, Scope: vault.GlobalScope()}
		}, fault.AlreadyExists},
		{"no provider", func(n *broker.NewCredential) { n.Provider = "" }, fault.InvalidRequest},
		{"a provider in upper case", func(n *broker.NewCredential) { n.Provider = "Acme" }, fault.InvalidRequest},
		{"a group without workspace", func(n *broker.NewCredential) { n.Scope = vault.Scope{Level: vault.Group, Group: "a"} }, fault.InvalidRequest},
		{"an unknown secret", func(n *broker.NewCredential) { n.Secret = vault.ID{1} }, fault.SecretNotFound},
		{"no auth for an unknown provider", func(n *broker.NewCredential) { n.Auth = nil }, fault.InvalidRequest},
		{"an auth to come", func(n *broker.NewCredential) { n.Auth = &vault.Auth{Kind: "oauth2"} }, fault.InvalidRequest},
		{"87 tokens of a host that it has not", tokens("https://auth.beta.test/token"), fault.InvalidRequest},
		{"87 tokens of a private host", tokens("https://127.0.0.1:1/token"), fault.InvalidRequest},
		{"87 tokens at a path of two meanings", tokens("https://api.acme.test/a/../token"), fault.InvalidRequest},
		{"87 tokens at an escaped slash", tokens("https://api.acme.test/a%2ftoken"), fault.InvalidRequest},
		{"87 tokens at an address that is none", tokens("https://api.acme.test/tok en"), fault.InvalidRequest},
		{"87 a pinned secret for tokens of another host", func(n *broker.NewCredential) {
			tokens("https://auth.beta.test/token")(n)
			n.Secret, n.Provider, n.Hosts = pinned.id, "openai", nil
		}, fault.InvalidRequest},
		{"87 the same, with that host", func(n *broker.NewCredential) {
			tokens("https://auth.beta.test/token")(n)
			n.Secret, n.Provider, n.Hosts = pinned.id, "openai", []string{"api.openai.com", "auth.beta.test"}
		}, fault.PolicyViolation},
		{"an auth of two secrets", func(n *broker.NewCredential) {
			n.Auth = &vault.Auth{Kind: "header", Params: []vault.Param{{Name: "x-pair", Value: "{{secret}} {{other}}"}}}
		}, fault.InvalidRequest},
		{"no host", func(n *broker.NewCredential) { n.Hosts = nil }, fault.InvalidRequest},
		{"a wildcard", func(n *broker.NewCredential) { n.Hosts = []string{"*.acme.test"} }, fault.InvalidRequest},
		{"41 localhost", func(n *broker.NewCredential) { n.Hosts = []string{"localhost"} }, fault.PolicyViolation},
		{"41 an address", func(n *broker.NewCredential) { n.Hosts = []string{"127.0.0.1"} }, fault.PolicyViolation},
		{"42 metadata, though private ones are allowed", func(n *broker.NewCredential) {
			n.Hosts, n.AllowPrivate, n.CACert = []string{"169.254.169.254"}, true, ca
		}, fault.PolicyViolation},
		{"private without a certificate", func(n *broker.NewCredential) { n.Hosts, n.AllowPrivate = []string{"127.0.0.1:1"}, true }, fault.InvalidRequest},
		{"a certificate for a public host", func(n *broker.NewCredential) { n.CACert = ca }, fault.InvalidRequest},
		{"a certificate that is none", func(n *broker.NewCredential) { n.AllowPrivate, n.CACert = true, []byte("hello") }, fault.InvalidRequest},
		{"a private key beside it", func(n *broker.NewCredential) { n.AllowPrivate, n.CACert = true, append(privateKey(t), ca...) }, fault.InvalidRequest},
		{"text behind it", func(n *broker.NewCredential) {
			n.AllowPrivate, n.CACert = true, append(slices.Clone(ca), "secret"...)
		}, fault.InvalidRequest},
		{"a certificate too long", func(n *broker.NewCredential) { n.AllowPrivate, n.CACert = true, bytes.Repeat(ca, 200) }, fault.InvalidRequest},
		{"private without proof", func(n *broker.NewCredential) {
			n.Hosts, n.AllowPrivate, n.CACert, n.Proof = []string{"127.0.0.1:1"}, true, ca, nil
		}, fault.OperatorAuthRequired},
		{"private with a wrong proof", func(n *broker.NewCredential) {
			n.Hosts, n.AllowPrivate, n.CACert, n.Proof = []string{"127.0.0.1:1"}, true, ca, vaultValue("guess")
		}, fault.OperatorAuthRequired},
		{"a pinned secret for another provider", func(n *broker.NewCredential) { n.Secret = pinned.id }, fault.PolicyViolation},
		{"a pinned secret to another host", func(n *broker.NewCredential) { n.Secret, n.Provider = pinned.id, "openai" }, fault.PolicyViolation},
		{"a pinned secret to a private host", func(n *broker.NewCredential) {
			n.Secret, n.Provider, n.Hosts, n.AllowPrivate, n.CACert = pinned.id, "openai", []string{"127.0.0.1:1"}, true, ca
		}, fault.PolicyViolation},
		{"a pinned secret to its host, said to be private", func(n *broker.NewCredential) {
			n.Secret, n.Provider, n.Hosts, n.AllowPrivate, n.CACert = pinned.id, "openai", nil, true, ca
		}, fault.PolicyViolation},
	}
	for _, tt := range tests {
		_, err := r.broker.CreateCredential(context.Background(), base(tt.change))
		if got := fault.CodeOf(err); got != tt.want {
			t.Errorf("%s: %q (%v), want %q", tt.name, got, err, tt.want)
		}
		brokertest.Scan(t, tt.name, fmt.Appendf(nil, "%v", err), free.value, pinned.value)
	}
	if creds, _ := r.broker.Credentials(context.Background()); len(creds) != 1 {
		t.Errorf("%d credentials were made", len(creds)-1)
	}
}

// tokens makes it a credential of OAuth.
func tokens(endpoint string) func(*broker.NewCredential) {
	return func(n *broker.NewCredential) { n.Auth = tokensFrom(endpoint) }
}

func privateKey(t *testing.T) []byte {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
}

// For a provider that it knows, the registry fills in auth and hosts.
func TestCredentialDefaults(t *testing.T) {
	t.Parallel()
	forEachStore(t, func(t *testing.T, r *rig) {
		free := r.put(t, "WORK", vault.GlobalScope(), false)
		r.put(t, "OPENAI_API_KEY", vault.GlobalScope(), false)
		got, err := r.broker.CreateCredential(context.Background(), broker.NewCredential{ID: "openai-work", Provider: "openai", Secret: free.id, Scope: mustScope(t, "w", "")})
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(got.Hosts, []string{"api.openai.com"}) || got.Auth.Kind != "header" || got.Auto {
			t.Errorf("%+v", got)
		}
		r.sendsTo(t, "openai/models", inW, free)

		// T12: one secret of the operator's may serve several providers, at the
		// price of its value for each further host.
		n := broker.NewCredential{ID: "anthropic-work", Provider: "anthropic", Secret: free.id, Scope: vault.GlobalScope()}
		if _, err := r.broker.CreateCredential(context.Background(), n); fault.CodeOf(err) != fault.OperatorAuthRequired {
			t.Errorf("a further host without proof: %v", err)
		}
		n.Proof = vaultValue(free.value)
		if _, err := r.broker.CreateCredential(context.Background(), n); err != nil {
			t.Error(err)
		}
		before := len(r.up.Requests())
		if _, err := r.invoke("anthropic/models", nowhere); err != nil {
			t.Fatal(err)
		}
		if r.up.Requests()[before].Get("X-Api-Key") != free.value {
			t.Error("the upstream did not get the secret")
		}
	})
}

// sendsTo checks that a call sends the secret as a bearer token.
func (r *rig) sendsTo(t testing.TB, capability string, in vault.Context, want stored) {
	t.Helper()
	before := len(r.up.Requests())
	if _, err := r.invoke(capability, in); err != nil {
		t.Fatal(err)
	}
	if r.up.Requests()[before].Get("Authorization") != "Bearer "+want.value {
		t.Errorf("%s: the upstream did not get %s", capability, want.name)
	}
}

func TestListAndDeleteCredentials(t *testing.T) {
	t.Parallel()
	forEachStore(t, func(t *testing.T, r *rig) {
		ctx := context.Background()
		r.acme(t)
		r.put(t, "OPENAI_API_KEY", vault.GlobalScope(), false)
		w := r.put(t, "OPENAI_API_KEY", mustScope(t, "w", ""), false)
		r.put(t, "GH_TOKEN", mustScope(t, "w", "a"), false)
		r.put(t, "TWILIO_ACCOUNT_SID", vault.GlobalScope(), false) // half of one
		list := func() []string {
			creds, err := r.broker.Credentials(ctx)
			if err != nil {
				t.Fatal(err)
			}
			var ids []string
			for _, c := range creds {
				ids = append(ids, c.ID)
			}
			return ids
		}
		want := []string{"acme-main", "github:gh-token:group:w:a", "openai", "openai:ws:w"}
		if diff := cmp.Diff(list(), want); diff != "" {
			t.Fatalf("(-got +want):\n%s", diff)
		}
		remove := func(id string, want bool) {
			t.Helper()
			if removed, err := r.broker.DeleteCredential(ctx, id); removed != want || err != nil {
				t.Errorf("DeleteCredential(%s) = %v, %v", id, removed, err)
			}
		}
		remove("acme-main", true)
		remove("acme-main", false)
		remove("openai:ws:w", true)
		remove("openai:ws:w", false)
		remove("twilio", false)
		remove("nope:ws:w", false)
		if diff := cmp.Diff(list(), []string{"github:gh-token:group:w:a", "openai"}); diff != "" {
			t.Errorf("after deleting (-got +want):\n%s", diff)
		}
		// The disabled one is no candidate: the global one serves.
		answer, err := r.invoke("openai/models", inW)
		if err != nil || answer.Credential != "openai" {
			t.Errorf("%+v, %v", answer, err)
		}
		p, err := r.broker.Provisioned(ctx, vault.Secret{ID: w.id, Name: "OPENAI_API_KEY", Scope: mustScope(t, "w", ""), PinnedProvider: "openai"})
		if err != nil || !p.Disabled || p.Credential != "openai:ws:w" {
			t.Errorf("Provisioned: %+v, %v", p, err)
		}
		// Its id brings it back, and nothing but the id and the secret.
		n := broker.NewCredential{ID: "openai:ws:w", Provider: "openai", Secret: w.id, Auth: bearer()}
		if _, err := r.broker.CreateCredential(ctx, n); fault.CodeOf(err) != fault.InvalidRequest {
			t.Errorf("with an auth of its own: %v", err)
		}
		n.Auth = nil
		if c, err := r.broker.CreateCredential(ctx, n); err != nil || !c.Auto || c.Secret != w.id {
			t.Errorf("%+v, %v", c, err)
		}
		r.sendsTo(t, "openai/models", inW, w)
	})
}

func TestProvisioned(t *testing.T) {
	t.Parallel()
	r, store := newMemoryRig(t)
	provisioned := func(name string, scope vault.Scope) *broker.Provision {
		t.Helper()
		s, err := store.CreateSecret(context.Background(), vault.NewSecret{Name: name, Scope: scope, Value: vaultValue("made-up")})
		if err != nil {
			t.Fatal(err)
		}
		p, err := r.broker.Provisioned(context.Background(), s)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	w := mustScope(t, "w", "")
	openai, _ := registry.Builtin().Provider("openai")
	twilio, _ := registry.Builtin().Provider("twilio")
	tests := []struct {
		name  string
		scope vault.Scope
		want  *broker.Provision
	}{
		{"FREE", w, nil},
		{"OPENAI_API_KEY", w, &broker.Provision{Provider: "openai", Credential: "openai:ws:w", Capabilities: served(openai), LooksLike: []string{"sk-"}}},
		{"TWILIO_ACCOUNT_SID", w, &broker.Provision{Provider: "twilio", Missing: []string{"TWILIO_AUTH_TOKEN"}, LooksLike: []string{"AC"}}},
		{"TWILIO_AUTH_TOKEN", vault.GlobalScope(), &broker.Provision{Provider: "twilio", Missing: []string{"TWILIO_ACCOUNT_SID"}}},
		{"TWILIO_AUTH_TOKEN", w, &broker.Provision{Provider: "twilio", Credential: "twilio:ws:w", Capabilities: served(twilio)}},
	}
	for _, tt := range tests {
		if diff := cmp.Diff(provisioned(tt.name, tt.scope), tt.want); diff != "" {
			t.Errorf("%s in %s (-got +want):\n%s", tt.name, tt.scope, diff)
		}
	}
}

// served is how many capabilities a provider's first credential is for.
func served(p *registry.Provider) int {
	n := 0
	for i := range p.Capabilities {
		if p.Credentials[0].Serves(&p.Capabilities[i]) {
			n++
		}
	}
	return n
}

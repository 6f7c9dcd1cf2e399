package resolve_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"aivault/broker/internal/resolve"
	"aivault/broker/registry"
	"aivault/vault"
)

func TestAuthForOne(t *testing.T) {
	t.Parallel()
	slots := func(placeholders ...string) []registry.SecretSlot {
		var out []registry.SecretSlot
		for _, p := range placeholders {
			out = append(out, registry.SecretSlot{Placeholder: p, Name: "ACME_" + p})
		}
		return out
	}
	auth := func(kind string, pairs ...string) registry.Auth {
		a := registry.Auth{Kind: kind}
		for i := 0; i < len(pairs); i += 2 {
			a.Params = append(a.Params, registry.Param{Name: pairs[i], Value: pairs[i+1]})
		}
		return a
	}
	made := func(kind string, pairs ...string) vault.Auth {
		return resolve.Auth(&registry.Credential{Auth: auth(kind, pairs...)})
	}
	for name, test := range map[string]struct {
		t    registry.Credential
		want vault.Auth
		ok   bool
	}{
		"one secret":            {registry.Credential{Secrets: slots("key"), Auth: auth("header", "x-key", "K {{key}}")}, made("header", "x-key", "K {{secret}}"), true},
		"one of several params": {registry.Credential{Secrets: slots("key"), Auth: auth("multi-query", "k", "{{key}}", "v", "1")}, made("multi-query", "k", "{{secret}}", "v", "1"), true},
		"basic pair":            {registry.Credential{Secrets: slots("u", "p"), Auth: auth("basic", "username", "{{u}}", "password", "{{p}}")}, made("basic"), true},
		"query pair":            {registry.Credential{Secrets: slots("key", "token"), Auth: auth("multi-query", "k", "{{key}}", "t", "{{token}}")}, made("multi-query", "k", "{{key}}", "t", "{{token}}"), true},
		"header pair":           {registry.Credential{Secrets: slots("id", "key"), Auth: auth("multi-header", "x-id", "{{id}}", "x-key", "{{key}}")}, made("multi-header", "x-id", "{{id}}", "x-key", "{{key}}"), true},
		"pair in one header":    {registry.Credential{Secrets: slots("id", "key"), Auth: auth("header", "x-key", "{{id}}:{{key}}")}, vault.Auth{}, false},
		"oauth2":                {registry.Credential{Secrets: slots("secret"), Auth: auth("oauth2", "grant_type", "refresh_token")}, made("oauth2", "grant_type", "refresh_token"), true},
	} {
		got, ok := resolve.AuthForOne(&test.t)
		if diff := cmp.Diff(test.want, got); diff != "" || ok != test.ok {
			t.Errorf("%s: %t (-want +got):\n%s", name, ok, diff)
		}
	}
	// Trello's two secrets in one, for an account beside the claimed names.
	trello, _ := registry.Builtin().Provider("trello")
	got, ok := resolve.AuthForOne(&trello.Credentials[0])
	if diff := cmp.Diff(made("multi-query", "key", "{{key}}", "token", "{{token}}"), got); diff != "" || !ok {
		t.Errorf("trello: %t (-want +got):\n%s", ok, diff)
	}
}

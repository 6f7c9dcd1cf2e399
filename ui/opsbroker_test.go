package ui_test

import (
	"context"
	"os"
	"path/filepath"

	"aivault/broker"
	"aivault/keys/opaque"
	"aivault/ui/tui/ops"
	"aivault/vault"
)

func brokerCases() map[string]opsCase {
	return map[string]opsCase{
		"delete credential": {
			do: func(ctx context.Context, w *opsWorld) (ops.Done, error) {
				d, _, err := ops.DeleteCredential(ctx, w.be, "acme")
				return d, err
			},
			text: "deleted credential acme", lines: "aivault credential delete acme",
		},
		"bring a credential back": {
			do: func(ctx context.Context, w *opsWorld) (ops.Done, error) {
				d, _, err := ops.CreateCredential(ctx, w.be, broker.NewCredential{ID: "stripe"}, "")
				return d, err
			},
			text: "made credential stripe in the global scope, header at api.stripe.com", lines: "aivault credential create stripe",
		},
		"create capability": {
			do: func(ctx context.Context, w *opsWorld) (ops.Done, error) {
				d, _, err := ops.CreateCapability(ctx, w.be, broker.NewCapability{
					ID: "acme/more", FromCred: "acme", Methods: []string{"get", "PUT"}, Paths: []string{"/more", "/a%20b"}, AllowHeads: []string{"X-One"},
				})
				return d, err
			},
			text:  "made capability acme/more at api.acme.example",
			lines: "aivault capability create acme/more --credential acme --method get --method PUT --path /more --path /a%20b --allow-header X-One",
		},
		"delete capability": {
			do: func(ctx context.Context, w *opsWorld) (ops.Done, error) {
				d, _, err := ops.DeleteCapability(ctx, w.be, "acme/items")
				return d, err
			},
			text: "deleted capability acme/items, with its limits", lines: "aivault capability delete acme/items",
		},
		"delete built-in capability": {
			do: func(ctx context.Context, w *opsWorld) (ops.Done, error) {
				d, _, err := ops.DeleteCapability(ctx, w.be, "stripe/charges")
				return d, err
			},
			text: "nothing changed: there is no capability stripe/charges that could be deleted",
		},
	}
}

// credentialCases make a credential in each of the ways to authenticate.
func credentialCases() map[string]opsCase {
	cases := map[string]opsCase{}
	for _, a := range opsAuths() {
		hosts := []string{"localhost:9", "beta.internal"}
		cases["credential "+a.auth.Kind] = opsCase{
			do: func(ctx context.Context, w *opsWorld) (ops.Done, error) {
				ca, err := os.ReadFile(filepath.Join(w.home, "ca.pem"))
				w.check(err)
				proof, err := os.ReadFile(filepath.Join(w.home, a.secret))
				w.check(err)
				d, _, err := ops.CreateCredential(ctx, w.be, broker.NewCredential{
					ID: "beta", Provider: "beta", Secret: w.ids[a.secret], Scope: payments.Scope(), Hosts: hosts,
					Auth: &a.auth, AllowPrivate: true, CACert: ca, Proof: opaque.New(proof),
				}, "ca.pem")
				return d, err
			},
			text: "made credential beta in web-shop/payments, " + a.auth.Kind + " at localhost:9 and 1 more",
			lines: "aivault credential create beta --provider beta --secret-ref <" + a.secret + "> --workspace-id web-shop --group-id payments --auth " +
				a.auth.Kind + a.flags + " --host localhost:9 --host beta.internal --allow-private --ca-cert ca.pem",
			value: a.secret,
		}
	}
	return cases
}

// An opsAuth is a way to authenticate, with a secret of the world that can be
// used so, and the flags beside --auth.
type opsAuth struct {
	secret string
	auth   vault.Auth
	flags  string
}

func opsAuths() []opsAuth {
	kind := func(kind string, params ...vault.Param) vault.Auth { return vault.Auth{Kind: kind, Params: params} }
	return []opsAuth{
		{"db", kind("header", vault.Param{Name: "X-Key", Value: "it's {{secret}}"}), ` --header-name X-Key --value-template 'it'\''s {{secret}}'`},
		{"db", kind("query", vault.Param{Name: "key", Value: "{{secret}}"}), ` --query-param key`},
		{"db", kind("path", vault.Param{Name: "prefix", Value: "/b/{{secret}}"}), ` --path-prefix-template '/b/{{secret}}'`},
		{
			"db", kind("hmac", vault.Param{Name: "algorithm", Value: "sha512"}, vault.Param{Name: "header_name", Value: "X-Sig"},
				vault.Param{Name: "value_template", Value: "v1={{signature}}"}),
			` --hmac-algorithm sha512 --header-name X-Sig --value-template 'v1={{signature}}'`,
		},
		{"login", kind("basic"), ""},
		{
			"login", kind("multi-header", vault.Param{Name: "X-User", Value: "{{username}}"}, vault.Param{Name: "X-Pass", Value: "a={{password}}"}),
			` --auth-header 'X-User={{username}}' --auth-header 'X-Pass=a={{password}}'`,
		},
		{
			"login", kind("multi-query", vault.Param{Name: "u", Value: "{{username}}"}, vault.Param{Name: "p", Value: "{{password}}"}),
			` --auth-query 'u={{username}}' --auth-query 'p={{password}}'`,
		},
		{
			"oauth", kind("oauth2", vault.Param{Name: "grant_type", Value: "client_credentials"},
				vault.Param{Name: "token_endpoint", Value: "https://beta.internal/token?a=b&c"}, vault.Param{Name: "scope", Value: "read"},
				vault.Param{Name: "scope", Value: "write"}, vault.Param{Name: "client_auth", Value: "body"}),
			` --grant-type client_credentials --token-endpoint 'https://beta.internal/token?a=b&c' --scope read --scope write --client-auth body`,
		},
		{
			"aws", kind("aws-sigv4", vault.Param{Name: "service", Value: "sqs"}, vault.Param{Name: "region", Value: "eu-west-1"}),
			` --aws-service sqs --aws-region eu-west-1`,
		},
	}
}

func bindingCases() map[string]opsCase {
	bind := func(secret, workspace, consumer string) func(ctx context.Context, w *opsWorld) (ops.Done, error) {
		return func(ctx context.Context, w *opsWorld) (ops.Done, error) {
			d, _, err := ops.Bind(ctx, w.be, broker.NewBinding{
				Capability: "stripe/charges", Secret: w.ids[secret], Scope: mustScope(workspace, ""), Consumer: consumer,
			})
			return d, err
		}
	}
	somebody := func(workspace, consumer string) func(ctx context.Context, w *opsWorld) error {
		return func(ctx context.Context, w *opsWorld) error {
			_, err := w.be.Bind(ctx, broker.NewBinding{Capability: "stripe/charges", Secret: w.ids["payments"], Scope: mustScope(workspace, ""), Consumer: consumer})
			return err
		}
	}
	return map[string]opsCase{
		"bind": {
			do:      bind("stripe", "infra", "bot"),
			text:    "bound STRIPE_API_KEY to stripe/charges in workspace infra for consumer bot",
			lines:   "aivault capability bind --capability stripe/charges --secret-ref <stripe> --workspace-id infra --consumer bot",
			foreign: somebody("infra", "bot"),
		},
		"bind another": {
			do:      bind("payments", "web-shop", ""),
			text:    "bound STRIPE_API_KEY to stripe/charges in workspace web-shop",
			lines:   "aivault capability bind --capability stripe/charges --secret-ref <payments> --workspace-id web-shop",
			foreign: somebody("web-shop", ""),
		},
		"unbind": {
			do: func(ctx context.Context, w *opsWorld) (ops.Done, error) {
				return ops.Unbind(ctx, w.be, broker.BindingRef{Capability: "stripe/charges", Scope: mustScope("web-shop", "")})
			},
			text:    "unbound STRIPE_API_KEY from stripe/charges in workspace web-shop",
			lines:   "aivault capability unbind --capability stripe/charges --workspace-id web-shop",
			foreign: somebody("web-shop", ""),
		},
		"unbind nothing": {
			do: func(ctx context.Context, w *opsWorld) (ops.Done, error) {
				return ops.Unbind(ctx, w.be, broker.BindingRef{Capability: "stripe/charges", Scope: vault.GlobalScope(), Consumer: "bot"})
			},
			text: "nothing changed: there is no binding of stripe/charges in the global scope for consumer bot",
		},
	}
}

func policyCases() map[string]opsCase {
	limits := func(ctx context.Context, w *opsWorld) error {
		_, err := w.be.SetPolicy(ctx, vault.Policy{Capability: "acme/items", Rate: new(int64(99))}, 0)
		return err
	}
	policy := func(p vault.Policy) func(ctx context.Context, w *opsWorld) (ops.Done, error) {
		return func(ctx context.Context, w *opsWorld) (ops.Done, error) {
			p.Capability = "acme/items"
			d, _, err := ops.SetPolicy(ctx, w.be, p, 0)
			return d, err
		}
	}
	return map[string]opsCase{
		"limits": {
			do:   policy(vault.Policy{Rate: new(int64(0)), MaxRequest: new(int64(10)), MaxResponse: new(int64(20)), Block: []string{"b c", "a"}}),
			text: "set the limits of acme/items: no calls; a request of at most 10 bytes; an answer of at most 20 bytes; kept back: a, b c",
			lines: "aivault capability policy set --capability acme/items --rate-limit-per-minute 0 --max-request-body-bytes 10 " +
				"--max-response-body-bytes 20 --response-block a --response-block 'b c'",
			foreign: limits,
		},
		"no limits": {
			do: policy(vault.Policy{}), text: "took the limits of acme/items away",
			lines: "aivault capability policy set --capability acme/items", foreign: limits,
		},
	}
}

package registry_test

import (
	"strings"
	"testing"

	"aivault/broker/registry"
	"aivault/keys/fault"
)

// withAuth is the small provider with another primary credential.
func withAuth(t *testing.T, secrets, auth string) string {
	t.Helper()
	const old = `{"id": "", "secrets": [{"placeholder": "secret", "name": "ACME_KEY"}],
     "auth": {"kind": "query", "params": [{"name": "key", "value": "{{secret}}"}]}}`
	if !strings.Contains(small, old) {
		t.Fatal("the small provider has another credential")
	}
	return strings.Replace(small, old, `{"id": "", "secrets": `+secrets+`, "auth": `+auth+`}`, 1)
}

// auth writes an auth in JSON, with its params as NAME=VALUE.
func auth(kind string, params ...string) string {
	list := make([]string, 0, len(params))
	for _, p := range params {
		name, value, _ := strings.Cut(p, "=")
		list = append(list, `{"name": "`+name+`", "value": "`+value+`"}`)
	}
	if len(list) == 0 {
		return `{"kind": "` + kind + `"}`
	}
	return `{"kind": "` + kind + `", "params": [` + strings.Join(list, ", ") + `]}`
}

const (
	one  = `[{"placeholder": "secret", "name": "ACME_KEY"}]`
	key  = `[{"placeholder": "key", "name": "ACME_KEY"}]`
	pair = `[{"placeholder": "key", "name": "ACME_KEY"}, {"placeholder": "token", "name": "ACME_TOKEN"}]`
)

func TestDecodeAuth(t *testing.T) {
	t.Parallel()
	const (
		grant = "grant_type=refresh_token"
		token = "token_endpoint=https://api.acme.test/o/token"
	)
	type auths []struct {
		name, secrets, auth string
	}
	accepted := auths{
		{"header", key, auth("header", "x-key={{key}}")},
		{"path", one, auth("path", "prefix=/bot{{secret}}")},
		{"basic, one secret", one, auth("basic")},
		{"multi-header", pair, auth("multi-header", "x-key={{key}}", "x-token=Token {{token}}", "x-version=1")},
		{"multi-header, one secret", key, auth("multi-header", "x-key={{key}}")},
		{"multi-query", pair, auth("multi-query", "key={{key}}", "token={{token}}")},
		{"multi-header, one secret in JSON", one, auth("multi-header", "x-key={{key}}", "x-token={{token}}")},
		{"oauth2", one, auth("oauth2", grant, token)},
		{"oauth2, all", one, auth("oauth2", "scope=a", token, "scope=https://acme.test/b", "client_auth=body", "grant_type=client_credentials")},
		{"aws-sigv4", one, auth("aws-sigv4", "service=s3", "region=us-east-1")},
		{"hmac", one, auth("hmac", "algorithm=sha512", "header_name=X-Signature", "value_template=t={{timestamp}},v1={{signature}}")},
		{"mtls", one, auth("mtls")},
	}
	refused := auths{
		{"path of another name", one, auth("path", "path=/bot{{secret}}")},
		{"path without a slash", one, auth("path", "prefix=bot{{secret}}")},
		{"path with two parameters", one, auth("path", "prefix=/bot{{secret}}", "x=y")},
		{"path without its secret", one, auth("path", "prefix=/bot")},
		{"basic, another placeholder", key, auth("basic")},
		{"multi without parameters", one, auth("multi-query")},
		{"multi, a secret unused", pair, auth("multi-query", "key={{key}}")},
		{"multi, no such secret", key, auth("multi-query", "key={{key}}", "token={{token}}")},
		{"multi, a name twice", pair, auth("multi-query", "key={{key}}", "KEY={{token}}")},
		{"multi, a name twice behind CGI", pair, auth("multi-header", "x-key={{key}}", "X_Key={{token}}")},
		{"multi, no template", key, auth("multi-header", "x-key=constant")},
		{"multi, a name with a space", pair, auth("multi-header", "x key={{key}}", "x={{token}}")},
		{"oauth2 without a grant", one, auth("oauth2", token)},
		{"oauth2 with another grant", one, auth("oauth2", "grant_type=password", token)},
		{"oauth2 without an endpoint", one, auth("oauth2", grant)},
		{"oauth2 over http", one, auth("oauth2", grant, "token_endpoint=http://api.acme.test/token")},
		{"oauth2 at another host", one, auth("oauth2", grant, "token_endpoint=https://relay.evil.test/token")},
		{"oauth2 at a host that looks like one", one, auth("oauth2", grant, "token_endpoint=https://api.acme.test@evil.test/token")},
		{"oauth2 at another port", one, auth("oauth2", grant, "token_endpoint=https://api.acme.test:8443/token")},
		{"oauth2 with a query", one, auth("oauth2", grant, "token_endpoint=https://api.acme.test/token?x=y")},
		{"oauth2 with a fragment", one, auth("oauth2", grant, token+"#x")},
		{"oauth2 with two grants", one, auth("oauth2", grant, grant, token)},
		{"oauth2 with two scopes in one", one, auth("oauth2", grant, token, "scope=a b")},
		{"oauth2 with a scope twice", one, auth("oauth2", grant, token, "scope=a", "scope=a")},
		{"oauth2 with another client_auth", one, auth("oauth2", grant, token, "client_auth=none")},
		{"oauth2 with more", one, auth("oauth2", grant, token, "audience=x")},
		{"oauth2 with two secrets", pair, auth("oauth2", grant, token)},
		{"oauth2, another placeholder", key, auth("oauth2", grant, token)},
		{"aws-sigv4 without a region", one, auth("aws-sigv4", "service=s3")},
		{"aws-sigv4 with a template", one, auth("aws-sigv4", "service=s3", "region={{secret}}")},
		{"aws-sigv4 in upper case", one, auth("aws-sigv4", "service=S3", "region=us-east-1")},
		{"hmac of another algorithm", one, auth("hmac", "algorithm=md5", "header_name=x", "value_template={{signature}}")},
		{"hmac without a signature", one, auth("hmac", "algorithm=sha256", "header_name=x", "value_template={{timestamp}}")},
		{"hmac with two signatures", one, auth("hmac", "algorithm=sha256", "header_name=x", "value_template={{signature}}{{signature}}")},
		{"hmac that sends the secret", one, auth("hmac", "algorithm=sha256", "header_name=x", "value_template={{signature}} {{secret}}")},
		{"hmac with an open template", one, auth("hmac", "algorithm=sha256", "header_name=x", "value_template={{signature}} {{")},
		{"hmac without a template", one, auth("hmac", "algorithm=sha256", "header_name=x")},
		{"hmac without a header", one, auth("hmac", "algorithm=sha256", "value_template={{signature}}")},
		{"mtls with a parameter", one, auth("mtls", "x=y")},
		{"mtls with two secrets", pair, auth("mtls")},
	}
	for _, test := range accepted {
		if _, err := registry.Decode([]byte(withAuth(t, test.secrets, test.auth))); err != nil {
			t.Errorf("%s: %v", test.name, err)
		}
	}
	for _, test := range refused {
		if p, err := registry.Decode([]byte(withAuth(t, test.secrets, test.auth))); fault.CodeOf(err) != fault.InvalidRequest {
			t.Errorf("%s: got %v, %v", test.name, p, err)
		}
	}
}

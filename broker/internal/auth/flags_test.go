package auth_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"aivault/broker/internal/auth"
	"aivault/keys/fault"
	"aivault/vault"
)

func TestFromFlags(t *testing.T) {
	t.Parallel()
	const token = "https://auth.test/token"
	tests := []struct {
		name  string
		kind  string
		flags auth.Flags
		want  vault.Auth
	}{
		{"header", "header", auth.Flags{}, config("header", "authorization", "Bearer {{secret}}")},
		{"header by name", "header", auth.Flags{HeaderName: "x-key", ValueTemplate: "{{secret}}"}, config("header", "x-key", "{{secret}}")},
		{"query", "query", auth.Flags{}, config("query", "api_key", "{{secret}}")},
		{"query by name", "query", auth.Flags{QueryParam: "k"}, config("query", "k", "{{secret}}")},
		{"path", "path", auth.Flags{}, config("path", "prefix", "/bot{{secret}}")},
		{"path by template", "path", auth.Flags{PathPrefixTemplate: "/k/{{secret}}"}, config("path", "prefix", "/k/{{secret}}")},
		{"basic", "basic", auth.Flags{}, config("basic")},
		{
			"multi-header", "multi-header",
			auth.Flags{AuthHeaders: []string{"x-id={{id}}", "x-key=a={{key}}"}},
			config("multi-header", "x-id", "{{id}}", "x-key", "a={{key}}"),
		},
		{"multi-query", "multi-query", auth.Flags{AuthQuery: []string{"key={{key}}", "v="}}, config("multi-query", "key", "{{key}}", "v", "")},
		{"oauth2", "oauth2", auth.Flags{TokenEndpoint: token}, config("oauth2", "grant_type", "refresh_token", "token_endpoint", token)},
		{
			"o-auth2", "o-auth2",
			auth.Flags{TokenEndpoint: token, GrantType: "client_credentials", Scopes: []string{"a b", "c"}, ClientAuth: "body"},
			config("oauth2", "grant_type", "client_credentials", "token_endpoint", token, "scope", "a", "scope", "b", "scope", "c", "client_auth", "body"),
		},
		{"aws-sigv4", "aws-sigv4", auth.Flags{}, config("aws-sigv4", "service", "s3", "region", "us-east-1")},
		{"aws-sigv4 elsewhere", "aws-sigv4", auth.Flags{AWSService: "bedrock", AWSRegion: "eu-west-1"}, config("aws-sigv4", "service", "bedrock", "region", "eu-west-1")},
		{"hmac", "hmac", auth.Flags{}, config("hmac", "algorithm", "sha256", "header_name", "x-signature", "value_template", "sha256={{signature}}")},
		{
			"hmac of SHA-512", "hmac",
			auth.Flags{HMACAlgorithm: "sha512", HeaderName: "x-sig"},
			config("hmac", "algorithm", "sha512", "header_name", "x-sig", "value_template", "sha512={{signature}}"),
		},
		{
			"hmac by template", "hmac",
			auth.Flags{ValueTemplate: "{{timestamp}}.{{signature}}"},
			config("hmac", "algorithm", "sha256", "header_name", "x-signature", "value_template", "{{timestamp}}.{{signature}}"),
		},
		{"mtls", "mtls", auth.Flags{}, config("mtls")},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got, err := auth.FromFlags(test.kind, test.flags)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("config (-want +got):\n%s", diff)
			}
		})
	}
}

func TestFromFlagsRefuses(t *testing.T) {
	t.Parallel()
	const token = "https://auth.test/token"
	tests := []struct {
		kind  string
		flags auth.Flags
		code  fault.Code
		says  string
	}{
		{"header", auth.Flags{QueryParam: "k"}, fault.Usage, "--query-param"},
		{"query", auth.Flags{HeaderName: "k"}, fault.Usage, "--header-name"},
		{"query", auth.Flags{ValueTemplate: "k"}, fault.Usage, "--value-template"},
		{"basic", auth.Flags{ValueTemplate: "k"}, fault.Usage, "--value-template"},
		{"header", auth.Flags{PathPrefixTemplate: "/b{{secret}}"}, fault.Usage, "--path-prefix-template"},
		{"header", auth.Flags{AuthHeaders: []string{""}}, fault.Usage, "--auth-header"},
		{"multi-header", auth.Flags{AuthHeaders: []string{"a={{a}}"}, AuthQuery: []string{"a={{a}}"}}, fault.Usage, "--auth-query"},
		{"aws-sigv4", auth.Flags{GrantType: "refresh_token"}, fault.Usage, "--grant-type"},
		{"aws-sigv4", auth.Flags{TokenEndpoint: token}, fault.Usage, "--token-endpoint"},
		{"aws-sigv4", auth.Flags{Scopes: []string{"a"}}, fault.Usage, "--scope"},
		{"aws-sigv4", auth.Flags{ClientAuth: "body"}, fault.Usage, "--client-auth"},
		{"hmac", auth.Flags{AWSService: "s3"}, fault.Usage, "--aws-service"},
		{"hmac", auth.Flags{AWSRegion: "eu-west-1"}, fault.Usage, "--aws-region"},
		{"mtls", auth.Flags{HMACAlgorithm: "sha256"}, fault.Usage, "--hmac-algorithm"},
		{"oauth2", auth.Flags{}, fault.Usage, "--token-endpoint is required"},
		{"multi-header", auth.Flags{}, fault.Usage, "--auth-header is required"},
		{"multi-query", auth.Flags{}, fault.Usage, "--auth-query is required"},
		{"multi-query", auth.Flags{AuthQuery: []string{"made-up-canary"}}, fault.Usage, "--auth-query has no equals sign"},
		{"header", auth.Flags{ValueTemplate: "k"}, fault.InvalidRequest, "placeholder"},
		{"path", auth.Flags{PathPrefixTemplate: "/bot"}, fault.InvalidRequest, "placeholder"},
		{"hmac", auth.Flags{HMACAlgorithm: "md5"}, fault.InvalidRequest, "md5"},
		{"oauth2", auth.Flags{TokenEndpoint: token, GrantType: "authorization_code"}, fault.InvalidRequest, "grant"},
		{"digest", auth.Flags{}, fault.InvalidRequest, `"digest" is no kind`},
		{"", auth.Flags{}, fault.InvalidRequest, `"" is no kind`},
	}
	for _, test := range tests {
		got, err := auth.FromFlags(test.kind, test.flags)
		if fault.CodeOf(err) != test.code || !strings.Contains(err.Error(), test.says) || strings.Contains(err.Error()+fault.HintOf(err), "canary") {
			t.Errorf("%s: error %v, want %s %q", test.kind, err, test.code, test.says)
		}
		if got.Kind != "" || got.Params != nil {
			t.Errorf("%s: config %v beside an error", test.kind, got)
		}
	}
}

// Without a value it is known whether the secrets suffice.
func TestCheckConfig(t *testing.T) {
	t.Parallel()
	one := []string{"secret"}
	for _, test := range []struct {
		name         string
		cfg          vault.Auth
		placeholders []string
		says         string // empty: it works
	}{
		{"header", config("header", "x-key", "{{secret}}"), one, ""},
		{"header of another", config("header", "x-key", "{{key}}"), one, "{{key}}"},
		{"header of two", config("header", "x-key", "{{id}}{{key}}"), []string{"id", "key", "more"}, ""},
		{"query", config("query", "key", "{{key}}"), one, "{{key}}"},
		{"path", config("path", "prefix", "/bot{{token}}"), one, "{{token}}"},
		{"path of one", config("path", "prefix", "/bot{{secret}}"), one, ""},
		{"basic", config("basic"), one, ""},
		{"basic without it", config("basic"), []string{"user"}, "{{secret}}"},
		{"basic of two", config("basic", "username", "{{u}}", "password", "{{p}}"), []string{"u"}, "{{p}}"},
		{"basic of three", config("basic", "username", "{{u}}", "password", "{{p}}"), []string{"u", "p"}, ""},
		{"fields", config("multi-header", "x-a", "{{a}}", "x-b", "{{b.c}}"), one, ""},
		{"fields, of two secrets", config("multi-header", "x-a", "{{a}}", "x-b", "{{b.c}}"), []string{"secret", "a"}, "{{b.c}}"},
		{"several", config("multi-query", "a", "{{a}}", "b", "{{b}}"), []string{"a", "b"}, ""},
		{"one of several", config("multi-query", "a", "{{a}}", "b", "{{b}}"), []string{"a"}, "{{b}}"},
		{"oauth2", oauth("refresh_token"), one, ""},
		{"oauth2 without it", oauth("refresh_token"), nil, "{{secret}}"},
		{"aws-sigv4", sigV4("s3", "us-east-1"), one, ""},
		{"aws-sigv4 of two", sigV4("s3", "us-east-1"), []string{"id", "key"}, "{{secret}}"},
		{"hmac", config("hmac"), one, ""},
		{"hmac without it", config("hmac"), []string{"key"}, "{{secret}}"},
		{"mtls", config("mtls"), one, ""},
		{"mtls of two", config("mtls"), []string{"cert", "key"}, "{{secret}}"},
		{"unknown", config("digest"), one, "no kind"},
		{"wrong", config("hmac", "algorithm", "md5"), one, "md5"},
	} {
		err := auth.CheckConfig(test.cfg, test.placeholders)
		if test.says == "" && err != nil || test.says != "" && (fault.CodeOf(err) != fault.InvalidRequest || !strings.Contains(err.Error(), test.says)) {
			t.Errorf("%s: error %v, want %q", test.name, err, test.says)
		}
	}
}

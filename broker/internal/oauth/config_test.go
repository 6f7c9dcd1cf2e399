package oauth_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"aivault/broker/brokertest"
	"aivault/broker/internal/oauth"
	"aivault/keys/fault"
	"aivault/vault"
)

func TestConfigOf(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name     string
		params   []string
		want     oauth.Config
		endpoint [3]string
	}{
		{
			"least",
			[]string{"grant_type=refresh_token", "token_endpoint=https://auth.example.com/token"},
			oauth.Config{GrantType: "refresh_token", TokenEndpoint: "https://auth.example.com/token", ClientAuth: "basic"},
			[3]string{"auth.example.com", "/token", ""},
		},
		{
			"all",
			[]string{"scope=a", "client_auth=body", "token_endpoint=https://AUTH.Example.COM.:443/o%2Fx/t?a=%2F&b=c?d", "grant_type=client_credentials", "scope=https://x.test/b"},
			oauth.Config{
				GrantType: "client_credentials", TokenEndpoint: "https://auth.example.com/o%2Fx/t?a=%2F&b=c?d", ClientAuth: "body",
				Scopes: []string{"a", "https://x.test/b"},
			},
			[3]string{"auth.example.com", "/o%2Fx/t", "a=%2F&b=c?d"},
		},
		{
			"no path",
			[]string{"grant_type=refresh_token", "token_endpoint=HTTPS://localhost:8443?", "client_auth=basic"},
			oauth.Config{GrantType: "refresh_token", TokenEndpoint: "https://localhost:8443/", ClientAuth: "basic"},
			[3]string{"localhost:8443", "/", ""},
		},
		{
			"address",
			[]string{"grant_type=refresh_token", "token_endpoint=https://[::1]:8443/t?q", "client_auth=basic"},
			oauth.Config{GrantType: "refresh_token", TokenEndpoint: "https://[::1]:8443/t?q", ClientAuth: "basic"},
			[3]string{"[::1]:8443", "/t", "q"},
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got := config(t, test.params...)
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			host, path, query := got.Endpoint()
			if diff := cmp.Diff(test.endpoint, [3]string{host, path, query}); diff != "" {
				t.Errorf("endpoint (-want +got):\n%s", diff)
			}
		})
	}
}

// TestCase087Endpoint: a token request goes to an https URL of one meaning.
func TestCase087Endpoint(t *testing.T) {
	t.Parallel()
	const grant = "grant_type=refresh_token"
	canary := brokertest.Word(t)
	tests := []struct {
		name   string
		params []string
		says   string
	}{
		{"no grant", []string{endpoint}, "grant_type"},
		{"other grant", []string{"grant_type=password", endpoint}, "grant_type"},
		{"grant twice", []string{grant, grant, endpoint}, "grant_type is empty, or there twice"},
		{"empty grant", []string{"grant_type=", endpoint}, "grant_type"},
		{"endpoint twice", []string{grant, endpoint, endpoint}, "token_endpoint"},
		{"other client authentication", []string{grant, endpoint, "client_auth=post"}, "client_auth"},
		{"unknown parameter", []string{grant, endpoint, "audience=x"}, `"audience"`},
		{"two scopes in one", []string{grant, endpoint, "scope=a b"}, "scope"},
		{"empty scope", []string{grant, endpoint, "scope="}, "scope"},
		{"scope with a quote", []string{grant, endpoint, `scope=a"`}, "scope"},
		{"no endpoint", []string{grant}, "no URL"},
		{"http", []string{grant, "token_endpoint=http://CANARY.example.com/"}, "not an https URL"},
		{"http on loopback", []string{grant, "token_endpoint=http://127.0.0.1:80/CANARY"}, "not an https URL"},
		{"no scheme", []string{grant, "token_endpoint=CANARY.example.com/token"}, "no URL"},
		{"relative", []string{grant, "token_endpoint=//CANARY.example.com/token"}, "not an https URL"},
		{"opaque", []string{grant, "token_endpoint=https:CANARY.example.com/token"}, "no URL"},
		{"no host", []string{grant, "token_endpoint=https:///CANARY"}, "no URL"},
		{"user", []string{grant, "token_endpoint=https://u:CANARY@example.com/token"}, "user name"},
		{"empty user", []string{grant, "token_endpoint=https://@example.com/CANARY"}, "user name"},
		{"fragment", []string{grant, "token_endpoint=https://example.com/token#CANARY"}, "fragment"},
		{"empty fragment", []string{grant, "token_endpoint=https://example.com/CANARY#"}, "fragment"},
		{"space", []string{grant, "token_endpoint=https://example.com/ CANARY"}, "character"},
		{"line break", []string{grant, "token_endpoint=https://example.com/CANARY\r\nX: y"}, "character"},
		{"backslash", []string{grant, `token_endpoint=https://example.com\@CANARY.test/`}, "character"},
		{"unicode", []string{grant, "token_endpoint=https://exämple.com/CANARY"}, "character"},
		{"long", []string{grant, "token_endpoint=https://example.com/CANARY" + strings.Repeat("x", 2048)}, "longer"},
		{"broken escape", []string{grant, "token_endpoint=https://example.com/%zzCANARY"}, "no URL"},
		{"broken escape in the host", []string{grant, "token_endpoint=https://CANARY%41.example.com/"}, "no URL"},
		{"empty port", []string{grant, "token_endpoint=https://example.com:/CANARY"}, "port"},
		{"odd port", []string{grant, "token_endpoint=https://example.com:0443/CANARY"}, "port"},
		{"odd address", []string{grant, "token_endpoint=https://0177.1/CANARY"}, "unusual"},
		{"metadata", []string{grant, "token_endpoint=https://metadata.google.internal/CANARY"}, "metadata"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			for i := range test.params {
				test.params[i] = strings.ReplaceAll(test.params[i], "CANARY", canary)
			}
			got, err := oauth.ConfigOf(oauth2(test.params...))
			if code := fault.CodeOf(err); code != fault.InvalidRequest && (code != fault.PolicyViolation || test.name != "metadata") {
				t.Fatalf("got %v, %v", got, err)
			}
			if !strings.Contains(err.Error(), test.says) {
				t.Errorf("error %q does not say %q", err, test.says)
			}
			if strings.Contains(err.Error(), canary) {
				t.Error("the error shows a part of the endpoint")
			}
		})
	}
	if _, err := oauth.ConfigOf(vault.Auth{Kind: "header"}); fault.CodeOf(err) != fault.InvalidRequest {
		t.Errorf("another kind: %v", err)
	}
}

func TestTokenRequest(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, secret string
		params       []string
		auth, body   string
	}{
		{
			"reserved characters", `{"clientId":"a:b c","clientSecret":"/+&=%~","refreshToken":"1//0 +&"}`,
			[]string{"grant_type=refresh_token", "scope=a", "scope=b/c"},
			"Basic YSUzQWIrYzolMkYlMkIlMjYlM0QlMjV+", "grant_type=refresh_token&refresh_token=1%2F%2F0+%2B%26&scope=a+b%2Fc",
		},
		{
			"public client", `{"client_id":"a b","refresh_token":"r"}`,
			[]string{"grant_type=refresh_token"},
			"", "grant_type=refresh_token&refresh_token=r&client_id=a+b",
		},
		{
			"public client, body", `{"client_id":"i","refresh_token":"r"}`,
			[]string{"grant_type=refresh_token", "client_auth=body"},
			"", "grant_type=refresh_token&refresh_token=r&client_id=i",
		},
		{
			"machine, body", `{"client_id":"i","client_secret":"s","refresh_token":"r"}`,
			[]string{"grant_type=client_credentials", "client_auth=body", "scope=x"},
			"", "grant_type=client_credentials&scope=x&client_id=i&client_secret=s",
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			header, body := oauth.TokenRequest(config(t, append(test.params, endpoint)...), secret(t, test.secret))
			if string(body) != test.body || header.Get("Authorization") != test.auth {
				t.Errorf("authorization %q, body %q", header.Get("Authorization"), body)
			}
			if header.Get("Accept") != "application/json" || header.Get("Content-Type") != "application/x-www-form-urlencoded" {
				t.Errorf("header %v", header)
			}
		})
	}
}

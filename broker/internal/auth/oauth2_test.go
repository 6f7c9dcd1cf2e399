package auth_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"aivault/broker/brokertest"
	"aivault/broker/internal/auth"
	"aivault/keys/fault"
	"aivault/vault"
)

func oauth(grant string, more ...string) vault.Auth {
	return config("oauth2", append([]string{"grant_type", grant, "token_endpoint", "https://auth.test/token"}, more...)...)
}

func TestOAuth2(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		cfg    vault.Auth
		secret string
		want   string
		also   []string // secrets beside the token and the header
	}{
		{
			"all of it", oauth("refresh_token", "scope", "a", "scope", "b", "client_auth", "body"),
			`{"clientId":"c","clientSecret":"cs","refreshToken":"rt","accessToken":"at.1~+/=","accessTokenExpiresAtMs":1,"x":[{}]}`,
			"at.1~+/=",
			[]string{"cs", "rt"},
		},
		{"snake_case", oauth("refresh_token"), `{"client_id":"c","refresh_token":"rt","access_token":"at"}`, "at", []string{"rt"}},
		{"client credentials", oauth("client_credentials"), `{"clientId":"c","clientSecret":"cs","refreshToken":"","accessToken":"at"}`, "at", []string{"cs"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			req, secrets := apply(t, test.cfg, values("secret", test.secret))
			if diff := cmp.Diff(http.Header{"Authorization": {"Bearer " + test.want}}, req.Header); diff != "" {
				t.Errorf("headers (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(set(append(test.also, test.want, "Bearer "+test.want)), set(secrets)); diff != "" {
				t.Errorf("secrets (-want +got):\n%s", diff)
			}
		})
	}
}

// A secret without an access token may be stored, and has the broker get one.
func TestOAuth2WithoutToken(t *testing.T) {
	t.Parallel()
	for grant, secret := range map[string]string{
		"refresh_token":      `{"clientId":"c","refreshToken":"rt"}`,
		"client_credentials": `{"clientId":"c","clientSecret":"cs","accessToken":""}`,
	} {
		if err := auth.SecretShape(oauth(grant), values("secret", secret)["secret"]); err != nil {
			t.Errorf("%s: %v", grant, err)
		}
		m := message(t, http.MethodGet, "https://api.test/", nil)
		if _, err := strategy(t, oauth(grant)).Apply(m, values("secret", secret)); fault.CodeOf(err) != fault.OAuthRefreshRequired || len(m.Header) != 0 {
			t.Errorf("%s: Apply: %v", grant, err)
		}
	}
}

func TestOAuth2SecretForm(t *testing.T) {
	t.Parallel()
	word := brokertest.Word(t)
	refresh, client := oauth("refresh_token"), oauth("client_credentials")
	for _, test := range []struct {
		name   string
		cfg    vault.Auth
		secret string
		says   string
	}{
		{"text", refresh, word, "no JSON object"},
		{"no id", refresh, `{"refreshToken":"` + word + `"}`, "no field clientId, which refresh_token needs"},
		{"no refresh token", refresh, `{"clientId":"c","clientSecret":"` + word + `"}`, "no field refreshToken, which refresh_token needs"},
		{"no client secret", client, `{"clientId":"c","refreshToken":"` + word + `"}`, "no field clientSecret, which client_credentials needs"},
		{"a number", client, `{"clientId":7731,"clientSecret":"` + word + `"}`, "clientId is no text"},
		{"an object", refresh, `{"clientId":"c","refreshToken":{"x":"` + word + `"}}`, "refreshToken is no text"},
		{"a token twice", refresh, `{"clientId":"c","refreshToken":"r","accessToken":"` + word + `","access_token":"x"}`, "accessToken in two spellings"},
		{"a token with a line break", refresh, `{"clientId":"c","refreshToken":"r","accessToken":"` + word + `\r\nX: y"}`, "accessToken has a character"},
		{"a token with a space", refresh, `{"clientId":"c","refreshToken":"r","accessToken":"` + word + ` x"}`, "accessToken has a character"},
		{"a token that is no ASCII", refresh, `{"clientId":"c","refreshToken":"r","accessToken":"` + word + "\u00e9" + `"}`, "accessToken has a character"},
		// What could not be renewed is not stored.
		{"another spelling", refresh, `{"ClientID":"c","refreshToken":"` + word + `"}`, "clientId in another spelling"},
		{"a client secret with a line break", refresh, `{"clientId":"c","refreshToken":"r","clientSecret":"` + word + `\n"}`, "clientSecret has a character"},
		{"an end that is text", refresh, `{"clientId":"c","refreshToken":"` + word + `","accessTokenExpiresAtMs":"1"}`, "accessTokenExpiresAtMs is no whole number"},
	} {
		err := auth.SecretShape(test.cfg, values("secret", test.secret)["secret"])
		if fault.CodeOf(err) != fault.InvalidRequest || !strings.Contains(err.Error(), test.says) {
			t.Errorf("%s: error %v, want %q", test.name, err, test.says)
			continue
		}
		brokertest.Scan(t, "the error", []byte(err.Error()+fault.HintOf(err)), word)
		m := message(t, http.MethodGet, "https://api.test/", nil)
		if _, err := strategy(t, test.cfg).Apply(m, values("secret", test.secret)); fault.CodeOf(err) != fault.InvalidRequest || len(m.Header) != 0 {
			t.Errorf("%s: Apply: %v", test.name, err)
		}
	}
}

func TestOAuth2Refuses(t *testing.T) {
	t.Parallel()
	const grant, endpoint = "grant_type", "token_endpoint"
	good := []string{grant, "refresh_token", endpoint, "https://auth.test/token?x=1"}
	if _, err := auth.New(config("oauth2", good...)); err != nil {
		t.Fatal(err)
	}
	for _, params := range [][]string{
		{},
		{grant, "refresh_token"},
		{endpoint, "https://auth.test/token"},
		{grant, "authorization_code", endpoint, "https://auth.test/token"},
		{grant, "password", endpoint, "https://auth.test/token"},
		{grant, "refresh_token", endpoint, "http://auth.test/token"},
		{grant, "refresh_token", endpoint, "https://user@auth.test/token"},
		{grant, "refresh_token", endpoint, "https://user:password@auth.test/token"},
		{grant, "refresh_token", endpoint, "https://auth.test/token#x"},
		{grant, "refresh_token", endpoint, "https://auth.test/token#"},
		{grant, "refresh_token", endpoint, "https:///token"},
		{grant, "refresh_token", endpoint, "https://:443/token"},
		{grant, "refresh_token", endpoint, "https:auth.test"},
		{grant, "refresh_token", endpoint, "auth.test/token"},
		{grant, "refresh_token", endpoint, "https://auth.test/\n"},
		{grant, "refresh_token", endpoint, "https://auth.test:0443/token"}, // as which no request could be sent
		{grant, "refresh_token", endpoint, `https://auth.test\@evil.test/token`},
		append(good, endpoint, "https://auth.test/token"),
		append(good, grant, "refresh_token"),
		append(good, "client_auth", "none"),
		append(good, "client_auth", ""),
		append(good, "scope", ""),
		append(good, "scope", "a b"),
		append(good, "scope", `a"b`),
		append(good, "scope", `a\b`),
		append(good, "scope", "a\n"),
		append(good, "audience", "x"),
	} {
		if _, err := auth.New(config("oauth2", params...)); fault.CodeOf(err) != fault.InvalidRequest {
			t.Errorf("%q: error %v", params, err)
		} else if strings.Contains(err.Error(), "password") && !strings.Contains(err.Error(), "grant") {
			t.Errorf("%q: the error repeats the address: %v", params, err)
		}
	}
}

package broker_test

import (
	"testing"

	"aivault/broker"
	"aivault/broker/registry"
	"aivault/keys/fault"
	"aivault/keys/opaque"
	"aivault/vault"
)

// What a renewal could not read is refused when it is stored, and not by the
// first call (case 94).
func TestCheckValueOfTokens(t *testing.T) {
	t.Parallel()
	check := broker.CheckValue(registry.Builtin())
	auths := []vault.Auth{{Kind: "oauth2", Params: []vault.Param{
		{Name: "grant_type", Value: "refresh_token"}, {Name: "token_endpoint", Value: "https://auth.acme.test/token"},
	}}}
	for _, tt := range []struct {
		value string
		want  fault.Code
	}{
		{`{"clientId":"a","refreshToken":"b"}`, ""},
		{`{"client_id":"a","refresh_token":"b","access_token":"c","access_token_expires_at_ms":1767326645000,"tenant":{"id":7}}`, ""},
		{`{"clientId":"a","refreshToken":"b","accessTokenExpiresAtMs":"1767326645000"}`, fault.InvalidRequest},
		{`{"clientId":"a","refreshToken":"b","accessTokenExpiresAtMs":-1}`, fault.InvalidRequest},
		{`{"clientId":"a","refreshToken":"b","accessToken":null}`, fault.InvalidRequest},
		{`{"client-id":"a","refresh-token":"b"}`, fault.InvalidRequest},
		{`{"clientId":"a","refreshToken":"bé"}`, fault.InvalidRequest},
		{`{"clientId":"a"}`, fault.InvalidRequest},
	} {
		err := check(&vault.Secret{Name: "TOKENS"}, nil, auths, opaque.New([]byte(tt.value)))
		if got := fault.CodeOf(err); got != tt.want {
			t.Errorf("%s: %q (%v), want %q", tt.value, got, err, tt.want)
		}
	}
}

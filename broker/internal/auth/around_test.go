package auth_test

import (
	"testing"

	"aivault/broker/internal/auth"
	"aivault/keys/fault"
	"aivault/vault"
)

// A credential is no way around the capability: it brings nothing that changes
// the method or the target, neither with the secret nor beside it (cases 26, 32
// to 34).
func TestCredentialDoesNotSteer(t *testing.T) {
	t.Parallel()
	bearer, key := vault.Param{Name: "authorization", Value: "Bearer {{secret}}"}, vault.Param{Name: "api_key", Value: "{{secret}}"}
	for _, name := range []string{
		"X-HTTP-Method-Override", "x_http_method_override", "X-Method-Override", "X-HTTP-Method", "X-Original-URL", "X-Rewrite-URL",
		"X-Forwarded-Host", "X_Forwarded_Host", "X-Real-IP", "X-Amz-Target", "X-Amz-Copy-Source", "Destination", "HTTP2-Settings",
	} {
		refuses(t, name, auth.KindMultiHeader, bearer, vault.Param{Name: name, Value: "DELETE"})
		refuses(t, name, auth.KindHeader, vault.Param{Name: name, Value: "{{secret}}"})
	}
	for _, name := range []string{"_method", "_METHOD", "X-HTTP-Method-Override", "http.method.override"} {
		refuses(t, name, auth.KindMultiQuery, key, vault.Param{Name: name, Value: "DELETE"})
		refuses(t, name, auth.KindQuery, vault.Param{Name: name, Value: "{{secret}}"})
	}
	for _, name := range []string{"X-Api-Key", "X-Amz-Security-Token", "Anthropic-Version", "X-Client-Id", "Private-Token"} {
		a := vault.Auth{Kind: auth.KindMultiHeader, Params: []vault.Param{bearer, {Name: name, Value: "a"}}}
		if _, err := auth.New(a); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func refuses(t *testing.T, name, kind string, params ...vault.Param) {
	t.Helper()
	if _, err := auth.New(vault.Auth{Kind: kind, Params: params}); fault.CodeOf(err) != fault.InvalidRequest {
		t.Errorf("%s by %s: %v", name, kind, err)
	}
}

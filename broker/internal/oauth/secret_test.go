package oauth_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aivault/broker/brokertest"
	"aivault/broker/internal/oauth"
	"aivault/keys/fault"
	"aivault/keys/opaque"
	"aivault/vault"
)

func at(ms int64) time.Time { return time.UnixMilli(ms).UTC() }

func TestParseSecret(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, doc             string
		id, cs, refresh, acc  string
		expires               time.Time
		missingRefresh, creds string // the field that Check misses, by grant
	}{
		{
			"camel", `{"clientId":"i","clientSecret":"s","refreshToken":"r","accessToken":"a","accessTokenExpiresAtMs":1700000000123}`,
			"i", "s", "r", "a", at(1700000000123), "", "",
		},
		{
			"snake", ` {"client_id" : "i", "client_secret":"s","refresh_token":"r","access_token":"a","access_token_expires_at_ms":0}`,
			"i", "s", "r", "a", at(0), "", "",
		},
		{"public client", `{"clientId":"i","refreshToken":"r"}`, "i", "", "r", "", time.Time{}, "", "clientSecret"},
		{"machine", `{"client_id":"i","client_secret":"s"}`, "i", "s", "", "", time.Time{}, "refresh_token", ""},
		{"empty texts", `{"clientId":"","refreshToken":"","x":{"clientId":"other"}}`, "", "", "", "", time.Time{}, "clientId", "clientId"},
		{"nothing", `{}`, "", "", "", "", time.Time{}, "clientId", "clientId"},
		{"escaped", `{"client\u0049d":"\u0069","refreshToken":"\"\\"}`, "i", "", `"\`, "", time.Time{}, "", "clientSecret"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := secret(t, test.doc)
			got := []string{s.ClientID, string(s.ClientSecret.Reveal()), string(s.RefreshToken.Reveal()), string(s.AccessToken.Reveal())}
			if diff := cmp.Diff([]string{test.id, test.cs, test.refresh, test.acc}, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if !s.ExpiresAt.Equal(test.expires) || s.ExpiresAt.IsZero() != test.expires.IsZero() {
				t.Errorf("expires at %v, want %v", s.ExpiresAt, test.expires)
			}
			for grant, missing := range map[string]string{"refresh_token": test.missingRefresh, "client_credentials": test.creds} {
				err := config(t, "grant_type="+grant, endpoint).Check(s)
				if missing == "" && err == nil {
					continue
				}
				if fault.CodeOf(err) != fault.InvalidRequest || missing == "" || !strings.Contains(err.Error(), "no field "+missing+",") {
					t.Errorf("%s: %v, want one that names %q", grant, err, missing)
				}
			}
		})
	}
}

// TestParseSecretRefuses: what is wrong is named, and nothing of the secret is
// shown, not even a key that nobody knows.
func TestParseSecretRefuses(t *testing.T) {
	t.Parallel()
	canary := brokertest.Word(t)
	tests := []struct{ name, doc, says string }{
		{"nothing", "", "no JSON object"},
		{"plain token", "CANARY", "no JSON object"},
		{"text", `"CANARY"`, "no JSON object"},
		{"null", `null`, "no JSON object"},
		{"array", `["CANARY"]`, "no JSON object"},
		{"cut short", `{"clientId":"CANARY"`, "no JSON object"},
		{"two documents", `{"clientId":"CANARY"}{}`, "no JSON object"},
		{"broken UTF-8", "{\"clientId\":\"CANARY\xff\"}", "no JSON object"},
		{"half a surrogate", `{"clientId":"CANARY\ud800"}`, "no JSON object"},
		{"unknown key twice", `{"CANARY":1,"CANARY":2}`, "two ways"},
		{"twice", `{"clientId":"CANARY","clientId":"i"}`, "two ways"},
		{"twice within", `{"x":{"CANARY":1,"CANARY":2}}`, "two ways"},
		{"two spellings", `{"refreshToken":"CANARY","refresh_token":"r"}`, "refreshToken in two spellings"},
		{"two spellings by escape", `{"refreshToken":"CANARY","refresh\u005ftoken":"r"}`, "refreshToken in two spellings"},
		{"other case", `{"ClientID":"CANARY"}`, "clientId in another spelling"},
		{"dashes", `{"access-token":"CANARY"}`, "accessToken in another spelling"},
		{"mixed", `{"client_Secret":"CANARY"}`, "clientSecret in another spelling"},
		{"folded", `{"acce\u017fsToken":"CANARY"}`, "accessToken in another spelling"},
		{"number", `{"clientId":7731,"x":"CANARY"}`, "clientId is no text"},
		{"null field", `{"refreshToken":null,"x":"CANARY"}`, "refreshToken is no text"},
		{"object", `{"accessToken":{"CANARY":1}}`, "accessToken is no text"},
		{"line break", `{"accessToken":"CANARY\n"}`, "accessToken has a character"},
		{"space in the access token", `{"accessToken":"CANARY x"}`, "accessToken has a character"},
		{"unicode", `{"clientSecret":"CANARYé"}`, "clientSecret has a character"},
		{"expiry as text", `{"access_token_expires_at_ms":"7731"}`, "accessTokenExpiresAtMs is no whole number"},
		{"expiry below zero", `{"accessTokenExpiresAtMs":-7731}`, "accessTokenExpiresAtMs is no whole number"},
		{"expiry with a fraction", `{"accessTokenExpiresAtMs":7731.5}`, "accessTokenExpiresAtMs is no whole number"},
		{"expiry with an exponent", `{"accessTokenExpiresAtMs":7731e3}`, "accessTokenExpiresAtMs is no whole number"},
		{"expiry too far", `{"accessTokenExpiresAtMs":253402300800000}`, "accessTokenExpiresAtMs is no whole number"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s, err := oauth.ParseSecret([]byte(strings.ReplaceAll(test.doc, "CANARY", canary)))
			if s != nil || fault.CodeOf(err) != fault.InvalidRequest {
				t.Fatalf("got %v", err)
			}
			text := err.Error() + fault.HintOf(err)
			if !strings.Contains(text, test.says) {
				t.Errorf("error %q does not say %q", text, test.says)
			}
			if strings.Contains(text, canary) || strings.Contains(text, "7731") {
				t.Error("the error shows a part of the secret")
			}
		})
	}
}

// TestRenewed: only the fields of the tokens change, and the document stays in
// the spelling and the layout that it had.
func TestRenewed(t *testing.T) {
	t.Parallel()
	now := at(1700000000000)
	access, both := token("A", "", time.Hour), token("A", "R", time.Hour)
	endless := token("A", "R", 0)
	tests := []struct {
		name, doc string
		token     *oauth.Token
		want      string
	}{
		{
			"new fields", `{"clientId":"i","refreshToken":"r"}`, access,
			`{"clientId":"i","refreshToken":"r","accessToken":"A","accessTokenExpiresAtMs":1700003600000}`,
		},
		{
			"new fields in snake case", `{"client_id":"i"}`, both,
			`{"client_id":"i","refresh_token":"R","access_token":"A","access_token_expires_at_ms":1700003600000}`,
		},
		{
			"values replaced, the unknown kept", `{"scopes":["a" , 1.50],"accessToken":"a","z":{"accessToken":"x}"},"refreshToken":"r","accessTokenExpiresAtMs":1,"\u0061":"\u00e9\/"}`, both,
			`{"scopes":["a" , 1.50],"accessToken":"A","z":{"accessToken":"x}"},"refreshToken":"R","accessTokenExpiresAtMs":1700003600000,"\u0061":"\u00e9\/"}`,
		},
		{
			"refresh token kept", `{"refresh_token":"r","access_token":"a"}`, access,
			`{"refresh_token":"r","access_token":"A","access_token_expires_at_ms":1700003600000}`,
		},
		{
			"layout", "{\n  \"client_id\" : \"i\" ,\n  \"access_token\" : \"a\"\n}\n", access,
			"{\n  \"client_id\" : \"i\" ,\n  \"access_token\" : \"A\",\n  \"access_token_expires_at_ms\" : 1700003600000\n}\n",
		},
		{"no field yet", ` { } `, access, ` {"accessToken":"A","accessTokenExpiresAtMs":1700003600000} `},
		{"unknown only", `{"x":true}`, endless, `{"x":true,"refreshToken":"R","accessToken":"A"}`},
		{"expiry goes, first", `{"accessTokenExpiresAtMs":1, "accessToken":"a"}`, endless, `{ "accessToken":"A", "refreshToken":"R"}`},
		{
			"expiry goes, last", "{\"refreshToken\":\"r\",\n\"accessToken\":\"a\",\n\"accessTokenExpiresAtMs\":1\n}", endless,
			"{\"refreshToken\":\"R\",\n\"accessToken\":\"A\"}",
		},
		{"expiry goes, alone", `{ "access_token_expires_at_ms" : 1 }`, token("A", "", 0), `{"access_token":"A"}`},
		{"both spellings", `{"clientId":"i","access_token":"a"}`, access, `{"clientId":"i","access_token":"A","accessTokenExpiresAtMs":1700003600000}`},
		{"quotes", `{"accessToken":"a"}`, token(`"\`, "", 0), `{"accessToken":"\"\\"}`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := secret(t, test.doc)
			got, err := s.Renewed(test.token, now)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, string(got.Reveal())); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			again := secret(t, string(got.Reveal()))
			if !again.AccessToken.Equal(test.token.AccessToken) || again.ExpiresAt.IsZero() != (test.token.ExpiresIn == 0) {
				t.Error("read again, it holds another token or expiry")
			}
		})
	}
}

// token makes a token of its parts.
func token(access, refresh string, ttl time.Duration) *oauth.Token {
	return &oauth.Token{AccessToken: value(access), RefreshToken: value(refresh), ExpiresIn: ttl}
}

func TestRenewedTooLong(t *testing.T) {
	t.Parallel()
	s := secret(t, `{"x":"`+strings.Repeat("x", vault.MaxValue-9)+`"}`)
	if out, err := s.Renewed(token("A", "", 0), at(0)); fault.CodeOf(err) != fault.InvalidRequest {
		t.Errorf("got %d bytes, %v", out.Len(), err)
	}
}

func TestNewSecret(t *testing.T) {
	t.Parallel()
	now := at(1700000000000)
	for _, test := range []struct {
		name, id, cs string
		token        *oauth.Token
		want         string // empty: refused
	}{
		{
			"public", "i", "", token("A", "R", time.Second),
			`{"clientId":"i","refreshToken":"R","accessToken":"A","accessTokenExpiresAtMs":1700000001000}`,
		},
		{"with a secret", `i"d`, `s\`, token("A", "", 0), `{"clientId":"i\"d","clientSecret":"s\\","accessToken":"A"}`},
		{"no id", "", "s", token("A", "", 0), ""},
		{"line break", "i\n", "", token("A", "", 0), ""},
		{"line break in the secret", "i", "s\n", token("A", "", 0), ""},
	} {
		got, err := oauth.NewSecret(test.id, value(test.cs), test.token, now)
		if test.want == "" && fault.CodeOf(err) == fault.InvalidRequest {
			continue
		}
		if err != nil || string(got.Reveal()) != test.want {
			t.Errorf("%s: got %s, %v", test.name, got.Reveal(), err)
		}
	}
}

// TestSecretDoesNotPrint: nothing of a secret or token shows, nested or not,
// and Clear leaves nothing of either.
func TestSecretDoesNotPrint(t *testing.T) {
	t.Parallel()
	canary := brokertest.Word(t)
	doc := fmt.Sprintf(`{"clientId":"i","clientSecret":%q,"refreshToken":%[1]q,"accessToken":%[1]q}`, canary)
	s, tok := secret(t, doc), token(canary, canary, 0)
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x", "%q"} {
		for _, v := range []any{s, tok, *s, *tok, struct{ s *oauth.Secret }{s}} {
			if text := fmt.Sprintf(verb, v); strings.Contains(text, canary) || strings.Contains(text, fmt.Sprintf("%x", canary)) {
				t.Errorf("%s shows it", verb)
			}
		}
	}
	parts := []opaque.Bytes{s.ClientSecret, s.RefreshToken, s.AccessToken, tok.AccessToken, tok.RefreshToken}
	s.Clear()
	tok.Clear()
	for i, part := range parts {
		if part.Len() != len(canary) || len(bytes.Trim(part.Reveal(), "\x00")) > 0 {
			t.Errorf("part %d is not cleared", i)
		}
	}
}

// FuzzSecret: a renewal of whatever is accepted is accepted again, has the new
// tokens, and keeps every member that the package does not know, in order and
// byte for byte.
func FuzzSecret(f *testing.F) {
	for _, seed := range []string{
		`{}`, `{"clientId":"i","refreshToken":"r"}`, `{"access_token":"a","x":[1,{"y":"}"}],"access_token_expires_at_ms":12}`,
		"{ \"a\" : null,\t\"clientSecret\":\"\\u0041\" ,\n\"b\":-1e5}", `{"accessTokenExpiresAtMs":5}`, `{"":"\"","\\":{}}`, `{"clientID":1}`,
	} {
		f.Add([]byte(seed), "access", "refresh", int64(3600))
		f.Add([]byte(seed), `"\`, "", int64(0))
	}
	f.Fuzz(func(t *testing.T, doc []byte, access, refresh string, ttl int64) {
		s, err := oauth.ParseSecret(doc)
		if err != nil {
			if fault.CodeOf(err) != fault.InvalidRequest {
				t.Fatalf("error %v", err)
			}
			return
		}
		if access == "" || strings.IndexFunc(access+refresh, func(r rune) bool { return r <= ' ' || r > '~' }) >= 0 {
			return
		}
		tok := token(access, refresh, time.Duration(ttl&0xffffff)*time.Second)
		out, err := s.Renewed(tok, at(1700000000000))
		if err != nil {
			return // too long
		}
		again, err := oauth.ParseSecret(out.Reveal())
		if err != nil {
			t.Fatalf("%q became %q: %v", doc, out.Reveal(), err)
		}
		if !again.AccessToken.Equal(tok.AccessToken) || refresh != "" && !again.RefreshToken.Equal(tok.RefreshToken) ||
			refresh == "" && !again.RefreshToken.Equal(s.RefreshToken) {
			t.Errorf("%q became %q", doc, out.Reveal())
		}
		if again.ClientID != s.ClientID || !again.ClientSecret.Equal(s.ClientSecret) || again.ExpiresAt.IsZero() != (tok.ExpiresIn == 0) {
			t.Errorf("%q became %q", doc, out.Reveal())
		}
		if diff := cmp.Diff(unknown(t, doc), unknown(t, out.Reveal())); diff != "" {
			t.Errorf("unknown members (-want +got):\n%s", diff)
		}
	})
}

// unknown lists key and raw value of the members that are none of ours.
func unknown(t *testing.T, doc []byte) []string {
	t.Helper()
	var out []string
	dec := json.NewDecoder(bytes.NewReader(doc))
	if _, err := dec.Token(); err != nil {
		t.Fatal(err)
	}
	for dec.More() {
		token, err := dec.Token()
		if err != nil {
			t.Fatal(err)
		}
		key, _ := token.(string)
		var raw json.RawMessage
		if err := dec.Decode(&raw); err != nil {
			t.Fatal(err)
		}
		switch strings.ToLower(strings.ReplaceAll(key, "_", "")) {
		case "clientid", "clientsecret", "refreshtoken", "accesstoken", "accesstokenexpiresatms":
		default:
			out = append(out, key, string(raw))
		}
	}
	return out
}

package oauth_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"aivault/broker/brokertest"
	"aivault/broker/internal/oauth"
	"aivault/keys/fault"
)

func TestParseToken(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 16<<10)
	tests := []struct {
		name, body, media string
		status            int
		ttl               time.Duration
		access, refresh   string
	}{
		{"least", `{"access_token":"a"}`, "application/json", 200, 0, "a", ""},
		{"all", `{"access_token":"a","token_type":"bEARER","expires_in":60,"refresh_token":"r","scope":"x y","id_token":"i"}`, "application/json; charset=utf-8", 200, time.Minute, "a", "r"},
		{"created", `{"access_token":"a"}`, "Application/JSON", 201, 0, "a", ""},
		{"other JSON", `{"access_token":"a"}`, "application/vnd.api+json", 200, 0, "a", ""},
		{"does not expire", `{"access_token":"a","expires_in":0}`, "application/json", 200, 0, "a", ""},
		{"ten years", `{"access_token":"a","expires_in":315360000}`, "application/json", 200, 315360000 * time.Second, "a", ""},
		{"null", `{"access_token":"a","expires_in":null,"refresh_token":null,"scope":null,"token_type":null,"error":null}`, "application/json", 200, 0, "a", ""},
		{"scopes, which nobody reads, in an array", `{"access_token":"a","scope":["x","y"]}`, "application/json", 200, 0, "a", ""},
		{"other case is unknown", `{"access_token":"a","Access_Token":"b","EXPIRES_IN":-1}`, "application/json", 200, 0, "a", ""},
		{"not b64token", `{"access_token":"123|a:b!~"}`, "application/json", 200, 0, "123|a:b!~", ""},
		{"long", `{"access_token":"` + long + `"}`, "application/json", 200, 0, long, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			tok, err := oauth.ParseToken(test.status, test.media, []byte(test.body))
			if err != nil {
				t.Fatal(err)
			}
			if string(tok.AccessToken.Reveal()) != test.access || string(tok.RefreshToken.Reveal()) != test.refresh || tok.ExpiresIn != test.ttl {
				t.Errorf("got %q, %q, %v", tok.AccessToken.Reveal(), tok.RefreshToken.Reveal(), tok.ExpiresIn)
			}
		})
	}
}

// TestCase087TokenAnswers: an answer that is not exactly a token is refused,
// and no error shows anything of it.
func TestCase087TokenAnswers(t *testing.T) {
	t.Parallel()
	canary := brokertest.Word(t)
	const media = "application/json"
	tests := []struct {
		name, body, media string
		status            int
		says              string
	}{
		{"HTML", `<html>CANARY`, "text/html", 200, "not JSON"},
		{"HTML that says JSON", `<html>CANARY`, media, 200, "no JSON object"},
		{"JSON that says HTML", `{"access_token":"CANARY"}`, "text/html; charset=utf-8", 200, "not JSON"},
		{"no type", `{"access_token":"CANARY"}`, "", 200, "not JSON"},
		{"malformed type", `{"access_token":"CANARY"}`, "application/json; CANARY CANARY", 200, "not JSON"},
		{"form", `access_token=CANARY`, "application/x-www-form-urlencoded", 200, "not JSON"},
		{"redirect", `{"access_token":"CANARY"}`, media, 302, "status 302"},
		{"not modified", `{"access_token":"CANARY"}`, media, 304, "status 304"},
		{"error without a code", `CANARY`, "text/plain", 400, "status 400"},
		{"server error", `{"access_token":"CANARY"}`, media, 500, "status 500"},
		{"empty", ``, media, 200, "no JSON object"},
		{"null", `null`, media, 200, "no JSON object"},
		{"array", `["CANARY"]`, media, 200, "no JSON object"},
		{"two objects", `{"access_token":"CANARY"}{}`, media, 200, "two ways"},
		{"twice", `{"access_token":"CANARY","access_token":"b"}`, media, 200, "two ways"},
		{"twice within", `{"access_token":"a","x":{"CANARY":1,"CANARY":2}}`, media, 200, "two ways"},
		{"too long", `{"access_token":"a","x":"CANARY` + strings.Repeat("x", 256<<10) + `"}`, media, 200, "longer than 256 KiB"},
		{"no token", `{"token":"CANARY"}`, media, 200, "no access_token"},
		{"empty token", `{"access_token":"","x":"CANARY"}`, media, 200, "no access_token"},
		{"null token", `{"access_token":null,"x":"CANARY"}`, media, 200, "no access_token"},
		{"number token", `{"access_token":7731}`, media, 200, "access_token of the token endpoint is no text"},
		{"token with a space", `{"access_token":"CANARY x"}`, media, 200, "access_token"},
		{"token with a line break", `{"access_token":"CANARY\r\nX: y"}`, media, 200, "access_token"},
		{"token with unicode", `{"access_token":"CANARYé"}`, media, 200, "access_token"},
		{"token too long", `{"access_token":"CANARY` + strings.Repeat("x", 16<<10) + `"}`, media, 200, "access_token"},
		{"refresh token of a wrong type", `{"access_token":"a","refresh_token":["CANARY"]}`, media, 200, "refresh_token"},
		{"refresh token with a NUL", `{"access_token":"a","refresh_token":"CANARY\u0000"}`, media, 200, "refresh_token"},
		{"mac token", `{"access_token":"CANARY","token_type":"mac"}`, media, 200, "Bearer"},
		{"DPoP token", `{"access_token":"CANARY","token_type":"DPoP"}`, media, 200, "Bearer"},
		{"empty type", `{"access_token":"CANARY","token_type":""}`, media, 200, "Bearer"},
		{"type of a wrong type", `{"access_token":"CANARY","token_type":1}`, media, 200, "token_type"},
		{"negative", `{"access_token":"CANARY","expires_in":-1}`, media, 200, "expires_in"},
		{"seconds as text", `{"access_token":"CANARY","expires_in":"3599"}`, media, 200, "expires_in"},
		{"negative text", `{"access_token":"CANARY","expires_in":"-1"}`, media, 200, "expires_in"},
		{"huge", `{"access_token":"CANARY","expires_in":315360001}`, media, 200, "expires_in"},
		{"beyond 64 bits", `{"access_token":"CANARY","expires_in":99999999999999999999}`, media, 200, "expires_in"},
		{"fraction", `{"access_token":"CANARY","expires_in":3600.5}`, media, 200, "expires_in"},
		{"whole fraction", `{"access_token":"CANARY","expires_in":3600.0}`, media, 200, "expires_in"},
		{"exponent", `{"access_token":"CANARY","expires_in":1e3}`, media, 200, "expires_in"},
		{"words", `{"access_token":"a","expires_in":"CANARY"}`, media, 200, "expires_in"},
		{"empty seconds", `{"access_token":"CANARY","expires_in":""}`, media, 200, "expires_in"},
		{"bool", `{"access_token":"CANARY","expires_in":true}`, media, 200, "expires_in"},
		{"error that nobody knows", `{"error":"CANARY","error_description":"CANARY"}`, media, 400, "does not list"},
		{"error of another endpoint", `{"error":"access_denied","x":"CANARY"}`, media, 400, "does not list"},
		{"error as object", `{"error":{"message":"CANARY"}}`, media, 401, "status 401"},
		{"refusal of a server in trouble", `{"error":"invalid_grant","x":"CANARY"}`, media, 503, "status 503"},
		{"refusal of a server in a hurry", `{"error":"invalid_grant","x":"CANARY"}`, media, 429, "status 429"},
		{"refusal in HTML", `{"error":"invalid_grant","x":"CANARY"}`, "text/html", 400, "status 400"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			fill := func(s string) string { return strings.ReplaceAll(s, "CANARY", canary) }
			tok, err := oauth.ParseToken(test.status, fill(test.media), []byte(fill(test.body)))
			if tok != nil || fault.CodeOf(err) != fault.AuthFailed || oauth.IsRefused(err) {
				t.Fatalf("got %v", err)
			}
			text := fmt.Sprintf("%v %+v %s", err, err, fault.HintOf(err))
			if !strings.Contains(text, test.says) {
				t.Errorf("error %q does not say %q", text, test.says)
			}
			if strings.Contains(text, canary) || strings.Contains(text, "7731") {
				t.Error("the error shows a part of the answer")
			}
		})
	}
}

// TestRefused: what RFC 6749, section 5.2, lists is named, and tells whether
// asking again is any use.
func TestRefused(t *testing.T) {
	t.Parallel()
	for code, final := range map[string]bool{
		"invalid_grant": true, "invalid_client": true, "unauthorized_client": true, "invalid_scope": true,
		"unsupported_grant_type": true, "invalid_request": false,
	} {
		// GitHub, for one, says so with status 200.
		for _, status := range []int{400, 401, 403, 200} {
			body := fmt.Sprintf(`{"error":%q,"error_description":"made-up-canary","access_token":"made-up-canary"}`, code)
			tok, err := oauth.ParseToken(status, "application/json", []byte(body))
			want := fault.AuthFailed
			if final {
				want = fault.OAuthRefreshRequired
			}
			if tok != nil || fault.CodeOf(err) != want || oauth.IsRefused(err) != final {
				t.Errorf("%s, %d: %v", code, status, err)
			}
			if text := err.Error(); !strings.Contains(text, code) || strings.Contains(text, "canary") {
				t.Errorf("%s, %d: it says %q", code, status, text)
			}
			if final && !strings.Contains(fault.HintOf(err), "aivault oauth login") {
				t.Errorf("%s: the hint is %q", code, fault.HintOf(err))
			}
		}
	}
	for _, err := range []error{nil, fault.New(fault.OAuthRefreshRequired, "x"), oauth.Refusal{Code: "other"}} {
		if oauth.IsRefused(err) {
			t.Errorf("%v counts as refused", err)
		}
	}
}

// FuzzToken: an answer is a token that can be sent and stored, or an error
// with one of two codes that shows nothing of it.
func FuzzToken(f *testing.F) {
	for _, name := range []string{"rfc6749-4.1.4-response", "rfc6749-4.4.3-response", "rfc6749-5.2-response"} {
		f.Add(200, "application/json", []byte(example(f, name).body))
	}
	for _, body := range []string{
		`{"access_token":"a","expires_in":"5","scope":["x"]}`, `{"error":"invalid_grant"}`, `{"error":5}`, `<html>`, `{"access_token":"a","a":{"b":[1,2,{}]}}`,
	} {
		f.Add(400, "application/json; charset=UTF-8", []byte(body))
		f.Add(200, "text/html", []byte(body))
		f.Add(201, "application/x+json", []byte(body))
	}
	f.Fuzz(func(t *testing.T, status int, media string, body []byte) {
		tok, err := oauth.ParseToken(status, media, body)
		if err != nil {
			code := fault.CodeOf(err)
			if code != fault.AuthFailed && code != fault.OAuthRefreshRequired || oauth.IsRefused(err) != (code == fault.OAuthRefreshRequired) {
				t.Fatalf("%v has the code %s", err, code)
			}
			if len(err.Error()) > 200 {
				t.Fatalf("%q is too long to hold nothing of the answer", err)
			}
			return
		}
		if status < 200 || status > 299 || tok.AccessToken.Len() == 0 || tok.ExpiresIn < 0 || tok.ExpiresIn > 10*365*24*time.Hour {
			t.Fatalf("status %d, %d bytes, expires in %v", status, tok.AccessToken.Len(), tok.ExpiresIn)
		}
		stored, err := oauth.NewSecret("client", nil, tok, at(1700000000000))
		if err != nil {
			t.Skip("too long")
		}
		if s := secret(t, string(stored.Reveal())); !s.AccessToken.Equal(tok.AccessToken) || !s.RefreshToken.Equal(tok.RefreshToken) {
			t.Fatalf("stored as %q", stored.Reveal())
		}
	})
}

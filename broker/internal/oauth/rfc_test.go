package oauth_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"net/textproto"
	"net/url"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aivault/broker/internal/oauth"
	"aivault/keys/fault"
	"aivault/keys/opaque"
	"aivault/vault"
)

// A message is an example of an RFC.
type message struct {
	start  string
	header textproto.MIMEHeader
	body   string
}

func example(t testing.TB, name string) message {
	t.Helper()
	data, err := os.ReadFile("testdata/" + name + ".http")
	if err != nil {
		t.Fatal(err)
	}
	head, body, _ := bytes.Cut(data, []byte("\n\n"))
	r := textproto.NewReader(bufio.NewReader(bytes.NewReader(append(head, "\n\n"...))))
	start, err := r.ReadLine()
	if err != nil {
		t.Fatal(err)
	}
	header, err := r.ReadMIMEHeader()
	if err != nil {
		t.Fatal(err)
	}
	return message{start, header, strings.TrimSpace(string(body))}
}

func config(t testing.TB, params ...string) oauth.Config {
	t.Helper()
	cfg, err := oauth.ConfigOf(oauth2(params...))
	if err != nil {
		t.Fatal(err)
	}
	return cfg
}

// oauth2 is a vault.Auth with the parameters given, as NAME=VALUE.
func oauth2(params ...string) vault.Auth {
	a := vault.Auth{Kind: "oauth2"}
	for _, p := range params {
		name, value, _ := strings.Cut(p, "=")
		a.Params = append(a.Params, vault.Param{Name: name, Value: value})
	}
	return a
}

func secret(t testing.TB, doc string) *oauth.Secret {
	t.Helper()
	s, err := oauth.ParseSecret([]byte(doc))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func value(s string) opaque.Bytes { return opaque.New([]byte(s)) }

const endpoint = "token_endpoint=https://server.example.com/token"

// TestRequestsOfRFC6749 makes the requests of the RFC's examples.
func TestRequestsOfRFC6749(t *testing.T) {
	t.Parallel()
	const client = `{"clientId":"s6BhdRkqt3","clientSecret":"gX1fBat3bV","refreshToken":"tGzv3JOkF0XG5Qx2TlKWIA"}`
	renew := func(doc string, params ...string) (map[string][]string, []byte) {
		return oauth.TokenRequest(config(t, append(params, endpoint)...), secret(t, doc))
	}
	tests := map[string]func() (map[string][]string, []byte){
		"rfc6749-2.3.1-request": func() (map[string][]string, []byte) {
			return renew(strings.ReplaceAll(client, "gX1fBat3bV", "7Fjfp0ZBr1KtDRbnfVdmIw"), "grant_type=refresh_token", "client_auth=body")
		},
		"rfc6749-4.1.3-request": func() (map[string][]string, []byte) {
			return oauth.CodeRequest(config(t, "grant_type=refresh_token", endpoint), "s6BhdRkqt3", value("gX1fBat3bV"),
				value("SplxlOBeZQQYbYS6WxSbIA"), value("the-verifier"), "https://client.example.com/cb")
		},
		"rfc6749-4.4.2-request": func() (map[string][]string, []byte) { return renew(client, "grant_type=client_credentials") },
		"rfc6749-6-request":     func() (map[string][]string, []byte) { return renew(client, "grant_type=refresh_token") },
	}
	for name, request := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			want := example(t, name)
			header, body := request()
			for _, field := range []string{"Authorization", "Content-Type"} {
				if diff := cmp.Diff(want.header[field], header[field]); diff != "" {
					t.Errorf("%s (-want +got):\n%s", field, diff)
				}
			}
			// The RFC escapes the dots of a host, which nobody needs to; and it
			// is older than the verifier.
			got := strings.TrimSuffix(string(body), "&code_verifier=the-verifier")
			if strings.ReplaceAll(want.body, "%2E", ".") != got {
				t.Errorf("body %s\nwant %s", got, want.body)
			}
		})
	}
}

// TestResponsesOfRFC6749 reads the answers of the RFC's examples. Their token
// type "example" is one that nobody could use.
func TestResponsesOfRFC6749(t *testing.T) {
	t.Parallel()
	for name, refresh := range map[string]string{
		"rfc6749-4.1.4-response": "tGzv3JOkF0XG5Qx2TlKWIA",
		"rfc6749-4.4.3-response": "",
		"rfc6749-5.1-response":   "tGzv3JOkF0XG5Qx2TlKWIA",
	} {
		m := example(t, name)
		if _, err := parse(m, m.body); fault.CodeOf(err) != fault.AuthFailed || oauth.IsRefused(err) || !strings.Contains(err.Error(), "Bearer") {
			t.Errorf("%s: %v", name, err)
		}
		tok, err := parse(m, strings.Replace(m.body, `"token_type":"example"`, `"token_type":"Bearer"`, 1))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if got := string(tok.AccessToken.Reveal()); got != "2YotnFZFEjr1zCsicMWpAA" {
			t.Errorf("%s: access token %q", name, got)
		}
		if got := string(tok.RefreshToken.Reveal()); got != refresh || tok.ExpiresIn != time.Hour {
			t.Errorf("%s: refresh token %q, expires in %v", name, got, tok.ExpiresIn)
		}
	}
	m := example(t, "rfc6749-5.2-response")
	_, err := parse(m, m.body)
	if fault.CodeOf(err) != fault.AuthFailed || oauth.IsRefused(err) || !strings.Contains(err.Error(), "invalid_request") {
		t.Errorf("5.2: %v", err)
	}
}

func parse(m message, body string) (*oauth.Token, error) {
	status, _ := strconv.Atoi(strings.Fields(m.start)[1])
	return oauth.ParseToken(status, m.header.Get("Content-Type"), []byte(body))
}

// TestPKCE is appendix B of RFC 7636, and that verifiers and states differ.
func TestPKCE(t *testing.T) {
	t.Parallel()
	var vector struct{ Verifier, Challenge string }
	data, err := os.ReadFile("testdata/rfc7636-b.json")
	if err == nil {
		err = json.Unmarshal(data, &vector)
	}
	if err != nil {
		t.Fatal(err)
	}
	if got := oauth.Challenge(value(vector.Verifier)); got != vector.Challenge {
		t.Errorf("challenge %s, want %s", got, vector.Challenge)
	}
	seen := map[string]bool{}
	for range 100 {
		verifier, state := string(oauth.NewVerifier().Reveal()), oauth.NewState()
		if len(verifier) != len(vector.Verifier) || url.QueryEscape(verifier) != verifier || len(state) < 20 || url.QueryEscape(state) != state {
			t.Fatalf("verifier %q, state %q", verifier, state)
		}
		if seen[verifier] || seen[state] {
			t.Fatal("a value came twice")
		}
		seen[verifier], seen[state] = true, true
	}
}

package auth_test

import (
	"crypto"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aivault/broker/brokertest"
	"aivault/broker/internal/auth"
	"aivault/broker/internal/redact"
	"aivault/keys/opaque"
	"aivault/vault"
)

func config(kind string, params ...string) vault.Auth {
	cfg := vault.Auth{Kind: kind}
	for i := 0; i < len(params); i += 2 {
		cfg.Params = append(cfg.Params, vault.Param{Name: params[i], Value: params[i+1]})
	}
	return cfg
}

func values(pairs ...string) auth.Values {
	v := auth.Values{}
	for i := 0; i < len(pairs); i += 2 {
		v[pairs[i]] = opaque.Clone([]byte(pairs[i+1]))
	}
	return v
}

// apply returns the request with its authentication, and what must be
// redacted.
func apply(t *testing.T, cfg vault.Auth, v auth.Values) (*http.Request, []string) {
	t.Helper()
	m := message(t, http.MethodGet, "https://api.test/v1/x?b=%2F+&a=;", nil)
	return m.Request, applyTo(t, cfg, m, v)
}

// applyTo adds the authentication to a message, and returns what must be
// redacted.
func applyTo(t *testing.T, cfg vault.Auth, m *auth.Message, v auth.Values) []string {
	t.Helper()
	secrets, err := strategy(t, cfg).Apply(m, v)
	if err != nil {
		t.Fatal(err)
	}
	var revealed []string
	for _, secret := range secrets {
		revealed = append(revealed, string(secret.Reveal()))
	}
	slices.Sort(revealed)
	return revealed
}

func strategy(t testing.TB, cfg vault.Auth) auth.Strategy {
	t.Helper()
	s, err := auth.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// message is a request of 2015-08-30 12:36:00 UTC, as the AWS test suite has
// it.
func message(t testing.TB, method, url string, body []byte) *auth.Message {
	t.Helper()
	req, err := http.NewRequest(method, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	return &auth.Message{Request: req, Body: body, Time: time.Date(2015, time.August, 30, 12, 36, 0, 0, time.UTC)}
}

func TestHeader(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, header, template string
		values                 auth.Values
		want                   string
		secrets                []string
	}{
		{"bearer", "authorization", "Bearer {{secret}}", values("secret", "k1"), "Bearer k1", []string{"Bearer k1", "k1"}},
		{"bare", "X-Api-Key", "{{secret}}", values("secret", "k 2"), "k 2", []string{"k 2", "k 2"}},
		{"two placeholders", "x-key", "{{id}}:{{key_2}};v=1", values("id", "i", "key_2", "k", "other", "o"), "i:k;v=1", []string{"i", "i:k;v=1", "k"}},
		{"braces in the secret", "x-key", "a{{secret}}b", values("secret", "{{secret}}"), "a{{secret}}b", []string{"a{{secret}}b", "{{secret}}"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			req, secrets := apply(t, config("header", test.header, test.template), test.values)
			want := http.Header{http.CanonicalHeaderKey(test.header): {test.want}}
			if diff := cmp.Diff(want, req.Header); diff != "" {
				t.Errorf("headers (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(test.secrets, secrets); diff != "" {
				t.Errorf("secrets (-want +got):\n%s", diff)
			}
		})
	}
}

// The caller's bytes stay as they are.
func TestQuery(t *testing.T) {
	t.Parallel()
	req, secrets := apply(t, config("query", "api_key", "{{secret}}"), values("secret", "k/1 +&=\u00e9"))
	if got, want := req.URL.RawQuery, "b=%2F+&a=;&api_key=k%2F1%20%2B%26%3D%C3%A9"; got != want {
		t.Errorf("query %q, want %q", got, want)
	}
	if diff := cmp.Diff([]string{"k/1 +&=\u00e9", "k/1 +&=\u00e9"}, secrets); diff != "" {
		t.Errorf("secrets (-want +got):\n%s", diff)
	}

	s, err := auth.New(config("query", "key", "t-{{secret}}"))
	if err != nil {
		t.Fatal(err)
	}
	req, err = http.NewRequest(http.MethodGet, "https://api.test/", nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Apply(&auth.Message{Request: req}, values("secret", "k")); err != nil {
		t.Fatal(err)
	}
	if got := req.URL.RequestURI(); got != "/?key=t-k" {
		t.Errorf("target %q", got)
	}
}

// Case 82. The first two are the examples of RFC 7617, sections 2 and 2.1.
func TestBasic(t *testing.T) {
	t.Parallel()
	two := config("basic", "username", "{{username}}", "password", "{{password}}")
	tests := []struct {
		name    string
		cfg     vault.Auth
		values  auth.Values
		want    string // before base64, or all of it
		secrets []string
	}{
		{
			"RFC 7617, 2", config("basic"), values("secret", "Aladdin:open sesame"), "QWxhZGRpbjpvcGVuIHNlc2FtZQ==",
			[]string{"Aladdin:open sesame", "Aladdin:open sesame", "QWxhZGRpbjpvcGVuIHNlc2FtZQ==", "open sesame"},
		},
		{
			"RFC 7617, 2.1", two, values("username", "test", "password", "123\u00a3"), "dGVzdDoxMjPCow==",
			[]string{"123\u00a3", "dGVzdDoxMjPCow==", "test", "test:123\u00a3"},
		},
		{"colons in the password", config("basic"), values("secret", "u:p:q:"), "u:p:q:", nil},
		{"no user", config("basic"), values("secret", ":p"), ":p", nil},
		{"no password", config("basic"), values("secret", "u:"), "u:", nil},
		{"a constant empty password", config("basic", "username", "{{secret}}", "password", ""), values("secret", "k"), "k:", nil},
		{"spaces around the password", config("basic"), values("secret", "u: p "), "u: p ", nil},
		{
			"JSON", config("basic"), values("secret", ` {"username":"u","password":"p:\u00e9"}`), "u:p:\u00e9",
			[]string{` {"username":"u","password":"p:` + `\u00e9"}`, base64.StdEncoding.EncodeToString([]byte("u:p:\u00e9")), "p:\u00e9", "u:p:\u00e9"},
		},
		{"JSON in camelCase", config("basic"), values("secret", `{"userName":"u","password":""}`), "u:", nil},
		{"JSON in snake_case", config("basic"), values("secret", `{"user_name":"","password":"p"}`), ":p", nil},
		{
			"a constant user", config("basic", "username", "api", "password", "{{secret}}"), values("secret", "p"), "api:p",
			[]string{base64.StdEncoding.EncodeToString([]byte("api:p")), "api:p", "p"},
		},
		{
			"a constant password", config("basic", "password", "X", "username", "{{email}}/token"), values("email", "a@b"), "a@b/token:X",
			[]string{"a@b", "a@b/token:X", base64.StdEncoding.EncodeToString([]byte("a@b/token:X"))},
		},
		{"an empty password", config("basic", "username", "{{secret}}", "password", ""), values("secret", "k"), "k:", nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			req, secrets := apply(t, test.cfg, test.values)
			got := strings.TrimPrefix(req.Header.Get("Authorization"), "Basic ")
			decoded, err := base64.StdEncoding.DecodeString(got)
			if err != nil || got != test.want && string(decoded) != test.want {
				t.Errorf("authorization %q, error %v, want %q", got, err, test.want)
			}
			slices.Sort(test.secrets)
			if diff := cmp.Diff(test.secrets, secrets); test.secrets != nil && diff != "" {
				t.Errorf("secrets (-want +got):\n%s", diff)
			}
		})
	}
}

func TestManaged(t *testing.T) {
	t.Parallel()
	tests := []struct {
		cfg  vault.Auth
		want auth.Managed
	}{
		{config("header", "x-api-key", "{{secret}}"), auth.Managed{Headers: []string{"X-Api-Key"}}},
		{config("query", "key", "{{secret}}"), auth.Managed{Query: []string{"key"}}},
		{config("path", "prefix", "/bot{{secret}}/x"), auth.Managed{Path: "/bot"}},
		{config("basic"), auth.Managed{Headers: []string{"Authorization"}}},
		{config("multi-header", "x-id", "{{a}}", "x-key", "k"), auth.Managed{Headers: []string{"X-Id", "X-Key"}}},
		{config("multi-query", "id", "{{a}}", "key", "{{b}}"), auth.Managed{Query: []string{"id", "key"}}},
		{oauth("refresh_token"), auth.Managed{Headers: []string{"Authorization"}}},
		{
			config("aws-sigv4", "service", "sqs", "region", "eu-west-1"),
			auth.Managed{Headers: []string{"Authorization", "X-Amz-Date", "X-Amz-Security-Token", "X-Amz-Content-Sha256"}},
		},
		{config("hmac"), auth.Managed{Headers: []string{"X-Signature", "X-Signature-Timestamp"}}},
		{config("mtls"), auth.Managed{}},
	}
	for _, test := range tests {
		if diff := cmp.Diff(test.want, strategy(t, test.cfg).Managed()); diff != "" {
			t.Errorf("%s manages (-want +got):\n%s", test.cfg.Kind, diff)
		}
	}
}

// What Apply adds, and every part of it that is secret, is redacted by what it
// returns.
func TestWhatIsAddedIsRedacted(t *testing.T) {
	t.Parallel()
	one, word, other := brokertest.Word(t), brokertest.Word(t), brokertest.Canary(t)
	quoted, err := json.Marshal(other)
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		cfg     vault.Auth
		values  auth.Values
		secrets []string
	}{
		{config("header", "x-key", "Token {{secret}};1"), values("secret", one), []string{one}},
		{config("query", "key", "{{secret}}"), values("secret", other), []string{other}},
		{config("path", "prefix", "/bot{{secret}}/v1"), values("secret", "123:"+one), []string{"123:" + one}},
		{config("basic"), values("secret", "user:"+other), []string{other, "user:" + other}},
		{config("basic", "username", "{{u}}", "password", "{{p}}"), values("u", one, "p", other), []string{one, other, one + ":" + other}},
		{config("multi-header", "x-a", "{{a}}", "x-b", "k={{b.c}}"), values("secret", `{"a":"`+one+`","b":{"c":`+string(quoted)+`}}`), []string{one, other}},
		{config("multi-header", "x-a", "{{a}}{{b}}"), values("a", one, "b", other), []string{one, other, one + other}},
		{config("multi-query", "a", "{{a}}", "b", "{{b}}"), values("a", one, "b", other), []string{one, other}},
		{oauth("refresh_token"), values("secret", `{"clientId":"c","clientSecret":`+string(quoted)+`,"refreshToken":"r","accessToken":"`+one+`"}`), []string{one}},
		{
			sigV4("s3", "us-east-1"), values("secret", `{"accessKeyId":"id","secretAccessKey":`+string(quoted)+`,"sessionToken":"`+word+`"}`),
			[]string{other, word},
		},
		{config("hmac"), values("secret", other), []string{other}},
	} {
		m := message(t, http.MethodGet, "https://api.test/x?y", nil)
		secrets, err := strategy(t, test.cfg).Apply(m, test.values)
		if err != nil {
			t.Fatal(err)
		}
		var wire strings.Builder
		if err := m.Write(&wire); err != nil {
			t.Fatal(err)
		}
		red := redact.New(secrets...)
		clean, n := red.String(wire.String())
		if n == 0 {
			t.Errorf("%s: nothing was found in the request", test.cfg.Kind)
		}
		brokertest.Scan(t, test.cfg.Kind, []byte(clean), test.secrets...)
		// Nor does any of them come back that was never sent.
		echo, _ := red.String(strings.Join(test.secrets, " "))
		brokertest.Scan(t, test.cfg.Kind+", echoed", []byte(echo), test.secrets...)
	}
}

func BenchmarkApply(b *testing.B) {
	key := newKey(b, "ecdsa")
	rsa := newKey(b, "rsa")
	pair := func(k crypto.Signer) auth.Values {
		return values("secret", certPEM(b, k, -time.Hour, time.Hour)+keyPEM(b, k))
	}
	for _, bench := range []struct {
		name   string
		cfg    vault.Auth
		values auth.Values
	}{
		{"header", config("header", "authorization", "Bearer {{secret}}"), values("secret", "made-up")},
		{"path", config("path", "prefix", "/bot{{secret}}"), values("secret", "made-up")},
		{"multi-header", config("multi-header", "x-a", "{{a}}", "x-b", "{{b}}"), values("secret", `{"a":"made-up","b":"other"}`)},
		{"oauth2", oauth("refresh_token"), values("secret", `{"clientId":"c","refreshToken":"r","accessToken":"a"}`)},
		{"aws-sigv4", sigV4("s3", "us-east-1"), values("secret", `{"accessKeyId":"id","secretAccessKey":"key"}`)},
		{"hmac", config("hmac"), values("secret", "made-up")},
		{"mtls", config("mtls"), pair(key)},
		{"mtls-rsa", config("mtls"), pair(rsa)},
	} {
		b.Run(bench.name, func(b *testing.B) {
			s := strategy(b, bench.cfg)
			m := message(b, http.MethodPost, "https://api.test/v1/x?b=1", []byte(`{"a":1}`))
			path := *m.URL
			for b.Loop() {
				*m.URL = path
				if _, err := s.Apply(m, bench.values); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

package auth_test

import (
	"encoding/base64"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"aivault/broker/brokertest"
	"aivault/broker/internal/auth"
	"aivault/broker/internal/redact"
	"aivault/keys/fault"
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
	s, err := auth.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequest(http.MethodGet, "https://api.test/v1/x?b=%2F+&a=;", nil)
	if err != nil {
		t.Fatal(err)
	}
	secrets, err := s.Apply(&auth.Message{Request: req}, v)
	if err != nil {
		t.Fatal(err)
	}
	var revealed []string
	for _, secret := range secrets {
		revealed = append(revealed, string(secret.Reveal()))
	}
	slices.Sort(revealed)
	return req, revealed
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
		cfg            vault.Auth
		headers, query []string
	}{
		{config("header", "x-api-key", "{{secret}}"), []string{"X-Api-Key"}, nil},
		{config("query", "key", "{{secret}}"), nil, []string{"key"}},
		{config("basic"), []string{"Authorization"}, nil},
	}
	for _, test := range tests {
		s, err := auth.New(test.cfg)
		if err != nil {
			t.Fatal(err)
		}
		m := s.Managed()
		headers, query := m.Headers, m.Query
		if !slices.Equal(headers, test.headers) || !slices.Equal(query, test.query) {
			t.Errorf("%s manages %q and %q", test.cfg.Kind, headers, query)
		}
	}
}

// What Apply adds, and every part of it, is redacted by what it returns.
func TestWhatIsAddedIsRedacted(t *testing.T) {
	t.Parallel()
	one, other := brokertest.Word(t), brokertest.Canary(t)
	for _, test := range []struct {
		cfg     vault.Auth
		values  auth.Values
		secrets []string
	}{
		{config("header", "x-key", "Token {{secret}};1"), values("secret", one), []string{one}},
		{config("query", "key", "{{secret}}"), values("secret", other), []string{other}},
		{config("basic"), values("secret", "user:"+other), []string{other, "user:" + other}},
		{config("basic", "username", "{{u}}", "password", "{{p}}"), values("u", one, "p", other), []string{one, other, one + ":" + other}},
	} {
		s, err := auth.New(test.cfg)
		if err != nil {
			t.Fatal(err)
		}
		req, err := http.NewRequest(http.MethodGet, "https://api.test/x?y", nil)
		if err != nil {
			t.Fatal(err)
		}
		secrets, err := s.Apply(&auth.Message{Request: req}, test.values)
		if err != nil {
			t.Fatal(err)
		}
		var wire strings.Builder
		if err := req.Write(&wire); err != nil {
			t.Fatal(err)
		}
		clean, n := redact.New(secrets...).String(wire.String())
		if n == 0 {
			t.Errorf("%s: nothing was found in the request", test.cfg.Kind)
		}
		brokertest.Scan(t, test.cfg.Kind, []byte(clean), test.secrets...)
	}
}

func TestFromFlags(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		kind  string
		flags auth.Flags
		want  vault.Auth
		code  fault.Code
		says  string
	}{
		{"header", "header", auth.Flags{}, config("header", "authorization", "Bearer {{secret}}"), "", ""},
		{"header by name", "header", auth.Flags{HeaderName: "x-key", ValueTemplate: "{{secret}}"}, config("header", "x-key", "{{secret}}"), "", ""},
		{"query", "query", auth.Flags{}, config("query", "api_key", "{{secret}}"), "", ""},
		{"query by name", "query", auth.Flags{QueryParam: "k"}, config("query", "k", "{{secret}}"), "", ""},
		{"basic", "basic", auth.Flags{}, config("basic"), "", ""},
		{"header with query's", "header", auth.Flags{QueryParam: "k"}, vault.Auth{}, fault.Usage, "--query-param"},
		{"query with header's", "query", auth.Flags{HeaderName: "k"}, vault.Auth{}, fault.Usage, "--header-name"},
		{"basic with header's", "basic", auth.Flags{ValueTemplate: "k"}, vault.Auth{}, fault.Usage, "--value-template"},
		{"bad template", "header", auth.Flags{ValueTemplate: "k"}, vault.Auth{}, fault.InvalidRequest, "placeholder"},
		{"later kind", "hmac", auth.Flags{HeaderName: "x"}, vault.Auth{}, fault.InvalidRequest, "not supported yet"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got, err := auth.FromFlags(test.kind, test.flags)
			if fault.CodeOf(err) != test.code || err != nil && !strings.Contains(err.Error(), test.says) {
				t.Fatalf("error %v, want %s %q", err, test.code, test.says)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("config (-want +got):\n%s", diff)
			}
		})
	}
}

// FuzzHeader checks that a template and a secret that are accepted give one
// header line, with the secret in it once.
func FuzzHeader(f *testing.F) {
	f.Add("authorization", "Bearer {{secret}}", "key")
	f.Add("x-key", "{{secret}}", "a\r\nb")
	f.Add("x", "{{{secret}}}", "}}")
	f.Fuzz(func(t *testing.T, name, template, secret string) {
		s, err := auth.New(config("header", name, template))
		if err != nil {
			return
		}
		req, err := http.NewRequest(http.MethodGet, "https://api.test/", nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Apply(&auth.Message{Request: req}, values("secret", secret)); err != nil {
			return
		}
		var wire strings.Builder
		if err := req.Write(&wire); err != nil {
			t.Fatalf("%q and %q were accepted and do not travel: %v", name, template, err)
		}
		if strings.Count(wire.String(), "\r\n") != 5 || !strings.Contains(wire.String(), strings.Replace(template, "{{secret}}", secret, 1)) {
			t.Errorf("the request is %q", wire.String())
		}
	})
}

// FuzzBasicSecret checks that a secret that is accepted gives a user name
// without a colon, and that Check and Apply agree.
func FuzzBasicSecret(f *testing.F) {
	f.Add("user:password")
	f.Add(`{"username":"u","password":"p"}`)
	f.Add(`{"user_name":"u:","password":"p"}`)
	f.Fuzz(func(t *testing.T, secret string) {
		cfg := config("basic")
		s, err := auth.New(cfg)
		if err != nil {
			t.Fatal(err)
		}
		req, err := http.NewRequest(http.MethodGet, "https://api.test/", nil)
		if err != nil {
			t.Fatal(err)
		}
		_, err = s.Apply(&auth.Message{Request: req}, values("secret", secret))
		if checked := auth.Check(cfg, values("secret", secret)); (checked == nil) != (err == nil) {
			t.Fatalf("Check says %v, Apply %v", checked, err)
		}
		if err != nil {
			return
		}
		user, password, ok := req.BasicAuth()
		if !ok || strings.Contains(user, ":") || strings.ContainsAny(user+password, "\r\n\x00") {
			t.Errorf("%q gives %q and %q", secret, user, password)
		}
	})
}

package auth_test

import (
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"aivault/broker/internal/auth"
	"aivault/broker/policy"
	"aivault/keys/fault"
	"aivault/vault"
)

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

// FuzzTemplate checks that a template is read as it is written: whatever is
// accepted gives its literal parts with the values between them, and what is
// not is refused for the template, and not for a value.
func FuzzTemplate(f *testing.F) {
	for _, seed := range []string{
		"", "{{secret}}", "a{{a}}b{{b.c}}d", "{{", "}}", "{{}}", "{{{{a}}}}", "{{a}}{{a}}", "{{\u00e9}}", "{{a\x00}}", "{{.}}", "{{a.}}", "{{ a }}", "{a}", "{{a}", "a\r\n{{a}}",
	} {
		f.Add(seed, "value")
	}
	f.Fuzz(func(t *testing.T, text, value string) {
		s, err := auth.New(config("multi-query", "q", text))
		if err != nil {
			if fault.CodeOf(err) != fault.InvalidRequest {
				t.Errorf("%q: error %v", text, err)
			}
			return
		}
		// Literals and placeholders in turn, by another way than the parser's.
		var want strings.Builder
		given := auth.Values{}
		for i, piece := range strings.Split(text, "{{") {
			if i > 0 {
				name, literal, _ := strings.Cut(piece, "}}")
				maps.Copy(given, values(name, value+name))
				want.WriteString(value + name)
				piece = literal
			}
			want.WriteString(piece)
		}
		if err := auth.CheckConfig(config("multi-query", "q", text), slices.Collect(maps.Keys(given))); err != nil {
			t.Errorf("%q: %v", text, err)
		}
		m := message(t, http.MethodGet, "https://api.test/", nil)
		if _, err := s.Apply(m, given); err != nil {
			if fault.CodeOf(err) != fault.InvalidRequest || m.URL.RawQuery != "" {
				t.Errorf("%q: error %v, query %q", text, err, m.URL.RawQuery)
			}
			return
		}
		if got := m.URL.Query().Get("q"); got != want.String() || strings.Contains(m.URL.RawQuery, "&") {
			t.Errorf("%q: %q, want %q", text, got, want.String())
		}
	})
}

// FuzzSecretObject checks that the fields of a secret in JSON are those that
// encoding/json sees, and that Check and Apply agree on every kind.
func FuzzSecretObject(f *testing.F) {
	for _, seed := range []string{
		`{"clientId":"c","b":{"apiKey":"k"}}`, `{"client_id":1,"b.api_key":true}`, `{"clientId":"a","clientid":"b"}`, `{"b":[{"apiKey":1}]}`,
		`{"accessKeyId":"i","secretAccessKey":"k","sessionToken":"t"}`, `{"clientId":"c","refreshToken":"r","accessToken":"a"}`,
		`{"certPem":"-----BEGIN CERTIFICATE-----","keyPem":"x"}`, `null`, `[]`, `{`, "\xff", `{"b":{"apiKey":"\ud800"}}`, `{"":{"":""}}`,
	} {
		f.Add(seed)
	}
	kinds := []vault.Auth{
		config("multi-header", "x-id", "{{client_id}}", "x-key", "{{b.apiKey}}"), sigV4("s3", "us-east-1"),
		oauth("refresh_token"), oauth("client_credentials"), config("mtls"), config("basic"),
	}
	f.Fuzz(func(t *testing.T, secret string) {
		for i, cfg := range kinds {
			m := message(t, http.MethodGet, "https://api.test/", nil)
			_, err := strategy(t, cfg).Apply(m, values("secret", secret))
			checked := auth.SecretShape(cfg, values("secret", secret)["secret"])
			if (err == nil) != (checked == nil) && fault.CodeOf(err) != fault.OAuthRefreshRequired {
				t.Errorf("%s: Check says %v, Apply %v", cfg.Kind, checked, err)
			}
			if err != nil {
				continue
			}
			for name := range m.Header {
				if strings.ContainsAny(m.Header.Get(name), "\r\n\x00") {
					t.Errorf("%s: the header %s has a line break", cfg.Kind, name)
				}
			}
			if i > 0 {
				continue
			}
			var doc map[string]any
			dec := json.NewDecoder(strings.NewReader(secret))
			dec.UseNumber()
			if err := dec.Decode(&doc); err != nil {
				t.Fatalf("accepted, but %v", err)
			}
			for name, value := range doc {
				if text, ok := value.(string); ok && strings.EqualFold(strings.ReplaceAll(name, "_", ""), "clientid") && isASCII(name) && text != m.Header.Get("X-Id") {
					t.Errorf("the header has %q, the field %q", m.Header.Get("X-Id"), text)
				}
			}
		}
	})
}

func isASCII(s string) bool { return strings.IndexFunc(s, func(r rune) bool { return r >= 0x80 }) < 0 }

// FuzzPathSecret checks that a secret that is accepted stays within its
// segment.
func FuzzPathSecret(f *testing.F) {
	for _, seed := range []string{"123:ABC-x_y", "..", "a/b", "%2e", "a;b", "a?b", "\u00e9", ".", ""} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, secret string) {
		m := message(t, http.MethodGet, "https://api.test/a%20b", nil)
		if _, err := strategy(t, config("path", "prefix", "/k/{{secret}}")).Apply(m, values("secret", secret)); err != nil {
			return
		}
		want := "/k/" + secret + "/a%20b"
		path, query, err := policy.ParseTarget(m.URL.RequestURI())
		if err != nil || path != want || query != "" {
			t.Errorf("%q gives %q (%v)", secret, m.URL.RequestURI(), err)
		}
		if u, err := url.ParseRequestURI(want); err != nil || u.EscapedPath() != want {
			t.Errorf("%q: %v", want, err)
		}
	})
}

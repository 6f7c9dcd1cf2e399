package attack_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"aivault/broker"
	"aivault/broker/brokertest"
	"aivault/broker/brokertest/upstream"
	"aivault/keys/fault"
	"aivault/keys/opaque"
	"aivault/vault"
)

// params are the parameters of an authentication: name, value, name, ...
func params(kind string, pairs ...string) *vault.Auth {
	a := &vault.Auth{Kind: kind}
	for i := 0; i < len(pairs); i += 2 {
		a.Params = append(a.Params, vault.Param{Name: pairs[i], Value: pairs[i+1]})
	}
	return a
}

// refuseAuth has no credential be made that authenticates so.
func (w *world) refuseAuth(t *testing.T, a *vault.Auth) {
	t.Helper()
	w.refuse(t, fmt.Sprintf("%q", *a), fault.InvalidRequest, func() error {
		_, err := w.tryCredential(broker.NewCredential{ID: "bad", Auth: a})
		return err
	})
}

func TestCase081Templates(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, value := range []string{
		"", "Bearer", "{{secret}}{{secret}}", "Bearer {{secret}} {{secret}}", "{{secret", "{secret}", "secret}}", "{{}}", "{{ secret }}", "{{other}}",
		"{{secret}}\r\nX-Evil: 1", "{{secret}}\n", "\x00{{secret}}", " {{secret}}", "{{secret}}\t", "{{{{secret}}}}", "\x7f{{secret}}",
	} {
		w.refuseAuth(t, params("header", "x-key", value))
		if !strings.HasPrefix(value, " ") && !strings.HasSuffix(value, "\t") { // which a query can have
			w.refuseAuth(t, params("query", "key", value))
		}
	}
	for _, name := range []string{
		"Host", "host", "", " ", "x key", "x-key:", "x\r\ny", ":authority", "Content-Length", "transfer_encoding", "Connection", "Cookie", "Upgrade",
		"Proxy-Authorization", "X-Forwarded-For", "TE", "Via", "Sec-WebSocket-Protocol", "X-Aivault-Token", "Accept-Encoding", "é",
	} {
		w.refuseAuth(t, params("header", name, "{{secret}}"))
		w.refuseAuth(t, params("multi-header", name, "{{secret}}"))
	}
	w.refuseAuth(t, params("header", "x-a", "{{secret}}", "x-b", "{{secret}}"))
	w.refuseAuth(t, params("header"))
	w.allow(t, get(prefix))
}

func TestCase081Values(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for i, with := range []func(string) string{
		func(s string) string { return s + "\nX-Evil: 1" },
		func(s string) string { return s + "\r\n\r\n" },
		func(s string) string { return "\n" + s },
		func(s string) string { return s + "\r" },
		func(s string) string { return s + "\x00" },
		func(s string) string { return s + "\x7f" },
		func(s string) string { return s + "\x1b[m" },
		func(s string) string { return " " + s },
		func(s string) string { return s + " " },
		func(s string) string { return s + "\t\n" },
	} {
		value := with(brokertest.Canary(t))
		// Nothing is known of how a secret of that name would be sent; once it
		// is, it cannot be.
		s := w.putValue(t, fmt.Sprint("ANY", i), value)
		w.refuse(t, fmt.Sprintf("a credential of value %d", i), fault.InvalidRequest, func() error {
			_, err := w.tryCredential(broker.NewCredential{ID: "bad", Secret: s.id})
			return err
		})
		w.refuse(t, fmt.Sprintf("rotating to value %d", i), fault.InvalidRequest, func() error {
			_, err := w.vault.RotateSecret(context.Background(), w.secret.id, opaque.New([]byte(value)), 0)
			return err
		})
		w.refuse(t, fmt.Sprintf("value %d for a provider", i), fault.InvalidRequest, func() error {
			_, err := w.vault.CreateSecret(context.Background(), vault.NewSecret{
				Name: "OPENAI_API_KEY", Scope: vault.GlobalScope(), Value: opaque.New([]byte(value)),
			})
			return err
		})
	}
	w.allow(t, get(prefix)) // with the value that it had
	// What echo adds is no part of it.
	for _, end := range []string{"\n", "\r\n"} {
		value := brokertest.Canary(t)
		w.canaries = append(w.canaries, value)
		if _, err := w.vault.RotateSecret(context.Background(), w.secret.id, opaque.New([]byte(value+end)), 0); err != nil {
			t.Fatal(err)
		}
		w.carries = headerOf("Authorization", "Bearer "+value)
		w.allow(t, get(prefix))
	}
}

// The vectors are those of RFC 7617, sections 2 and 2.1.
func TestCase082Basic(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for i, test := range []struct{ value, header string }{
		{"Aladdin:open sesame", "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="},
		{"test:123£", "Basic dGVzdDoxMjPCow=="},
		{`{"username":"Aladdin","password":"open sesame"}`, "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="},
		{"Aladdin:open:sesame", "Basic QWxhZGRpbjpvcGVuOnNlc2FtZQ=="},
		{"Aladdin:", "Basic QWxhZGRpbjo="},
	} {
		s := w.putValue(t, fmt.Sprint("PAIR", i), test.value)
		w.instead(t, broker.NewCredential{Secret: s.id, Auth: params("basic")})
		w.carries = headerOf("Authorization", test.header)
		w.allow(t, get(prefix))
	}
	for i, value := range []string{
		"no-colon", `{"username":"a:b","password":"c"}`, `{"username":"a"}`, `{"username":"a","password":"b","password":"c"}`, "user:pass\nword", "us\ner:password",
	} {
		s := w.putValue(t, fmt.Sprint("BAD", i), value)
		w.refuse(t, value, fault.InvalidRequest, func() error {
			_, err := w.tryCredential(broker.NewCredential{ID: "bad", Secret: s.id, Auth: params("basic")})
			return err
		})
	}
	w.refuseAuth(t, params("basic", "username", "a:b", "password", "{{secret}}"))
	w.refuseAuth(t, params("basic", "username", "a", "password", "b"))
}

// Fields of a secret that is a JSON object. One that nobody asks for may be
// there: others may have their own in it.
func TestCase083Fields(t *testing.T) {
	t.Parallel()
	headers := params("multi-header", "x-id", "{{client_id}}", "x-key", "Key {{inner.apiKey}}")
	query := params("multi-query", "id", "{{client_id}}", "key", "{{inner.apiKey}}")
	for _, auth := range []*vault.Auth{headers, query} {
		t.Run(auth.Kind, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			one, two := brokertest.Word(t), brokertest.Word(t)
			w.canaries = append(w.canaries, one, two)
			good := w.putValue(t, "GOOD", `{"clientId":"`+one+`","inner":{"api_key":"`+two+`"},"more":["`+one+`"]}`)
			w.instead(t, broker.NewCredential{Secret: good.id, Auth: auth})
			w.carries = func(r upstream.Request) (upstream.Request, bool) {
				if auth == query {
					uri, ok := strings.CutSuffix(r.URI, "?id="+one+"&key="+two)
					r.URI = uri
					return r, ok
				}
				rest, first := headerOf("X-Id", one)(r)
				rest, second := headerOf("X-Key", "Key "+two)(rest)
				return rest, first && second
			}
			w.up.Handle(func(rw http.ResponseWriter, r *http.Request) { _ = r.Write(rw) })
			w.allow(t, get(prefix))

			for field, value := range map[string]string{
				"no field client_id":     `{"inner":{"apiKey":"` + one + `"}}`,
				"no field inner.apiKey":  `{"client_id":"` + one + `","apiKey":"` + two + `"}`,
				"no field inner.apiKey ": `{"client_id":"` + one + `","inner":{"apiKey":{"x":"` + two + `"}}}`,
				"field client_id twice":  `{"client_id":"` + one + `","CLIENTID":"` + two + `","inner":{"apiKey":"x"}}`,
				"field inner.apiKey":     `{"client_id":"` + one + `","inner":{"apiKey":"x","api-key":"` + two + `"}}`,
				"{{client_id}}":          `{"client_id":"` + one + `\n","inner":{"apiKey":"x"}}`,
				"no JSON object":         `["` + one + `"]`,
			} {
				w.refuse(t, field, fault.InvalidRequest, func() error {
					_, err := w.vault.RotateSecret(context.Background(), good.id, opaque.New([]byte(value)), 0)
					if err == nil || !strings.Contains(err.Error(), strings.TrimSpace(field)) {
						t.Errorf("%q: the error is %v", field, err)
					}
					return err
				})
			}
			w.allow(t, get(prefix))
		})
	}
	w := newWorld(t)
	for _, kind := range []string{"multi-header", "multi-query"} {
		w.refuseAuth(t, params(kind))
		w.refuseAuth(t, params(kind, "x-a", "1"))
		w.refuseAuth(t, params(kind, "x-a", "{{a}}", "X-A", "{{b}}"))
		w.refuseAuth(t, params(kind, "x-a", "{{a}}", "x_a", "{{b}}"))
	}
}

// A connection, a cookie, a TLS session of one credential is none of another's.
// That no connection is shared shows TestCase055SharedConnections.
func TestCase093NothingShared(t *testing.T) {
	t.Parallel()
	var resumed, handshakes atomic.Int64
	w := newWorldAt(t, brokertest.NewWith(t, upstream.Options{Names: []string{host}, TLS: countSessions(&handshakes, &resumed)}))
	second := w.put(t, "OTHER_TOKEN")
	w.credential(t, broker.NewCredential{ID: "second", Secret: second.id})
	w.up.Handle(func(rw http.ResponseWriter, _ *http.Request) {
		rw.Header().Set("Set-Cookie", "session=made-up-session; Path=/; Secure")
		rw.Header().Set("Connection", "close") // so that each call has a handshake
	})
	for range 3 {
		for id, s := range map[string]stored{credential: w.secret, "second": second} {
			call := get(prefix)
			call.Credential = id
			w.carries = bearerOf(s)
			got, answer := w.allow(t, call)
			if got.Get("Cookie") != "" || answer.Header.Get("Set-Cookie") != "" {
				t.Errorf("%s: a cookie was kept", id)
			}
		}
	}
	if handshakes.Load() != 6 || resumed.Load() != 0 {
		t.Errorf("%d of %d handshakes resumed a session", resumed.Load(), handshakes.Load())
	}
}

func TestCase094UnknownStrategies(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, kind := range []string{
		"", "none", "digest", "ntlm", "negotiate", "oauth1", "oauth", "jwt", "aws-sigv2", "aws-sigv4a", "hmac-sha256", "Header", "header ", "bearer", "o-auth2", "tls", "multi",
	} {
		w.refuseAuth(t, params(kind))
		w.refuseAuth(t, params(kind, "x-key", "{{secret}}"))
		if _, err := broker.ParseAuth(kind, broker.AuthFlags{}); kind != "o-auth2" && fault.CodeOf(err) != fault.InvalidRequest {
			t.Errorf("%q on a command line: %v", kind, err)
		}
	}
	for _, grant := range []string{"", "password", "authorization_code", "implicit", "urn:ietf:params:oauth:grant-type:device_code", "urn:ietf:params:oauth:grant-type:jwt-bearer", "Refresh_Token"} {
		w.refuseAuth(t, params("oauth2", "grant_type", grant, "token_endpoint", "https://"+host+"/token"))
	}
	for _, how := range []string{"private_key_jwt", "none", "tls_client_auth"} {
		w.refuseAuth(t, params("oauth2", "grant_type", "refresh_token", "token_endpoint", "https://"+host+"/token", "client_auth", how))
	}
	for _, algorithm := range []string{"md5", "sha1", "SHA256", "none", "sha512-256"} {
		w.refuseAuth(t, params("hmac", "algorithm", algorithm))
	}
	w.refuseAuth(t, params("mtls", "ca", "x"))
	w.refuseAuth(t, params("aws-sigv4", "service", "s3"))
	w.refuseAuth(t, params("path", "prefix", "/{{secret}}/x"))
	creds, err := w.broker.Credentials(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	if slices.ContainsFunc(creds, func(c broker.Credential) bool { return c.ID != credential }) {
		text, _ := json.Marshal(creds)
		t.Errorf("there are credentials: %s", text)
	}
}

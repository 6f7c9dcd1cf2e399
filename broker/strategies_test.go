package broker_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"aivault/broker"
	"aivault/broker/brokertest"
	"aivault/broker/brokertest/upstream"
	"aivault/keys/fault"
	"aivault/keys/opaque"
	"aivault/vault"
)

// account makes a credential of acme whose secret has a value of its own.
func (r *rig) account(t testing.TB, value, kind string, flags broker.AuthFlags) {
	t.Helper()
	a, err := broker.ParseAuth(kind, flags)
	if err != nil {
		t.Fatal(err)
	}
	s, err := r.store.CreateSecret(context.Background(), vault.NewSecret{Name: "ACME_ACCOUNT", Scope: vault.GlobalScope(), Value: opaque.New([]byte(value))})
	if err != nil {
		t.Fatal(err)
	}
	r.capability(t, "acme/items", "api.acme.test")
	_, err = r.broker.CreateCredential(context.Background(), broker.NewCredential{
		ID: "acme-main", Provider: "acme", Secret: s.ID, Scope: vault.GlobalScope(), Auth: &a, Hosts: []string{"api.acme.test"},
	})
	if err != nil {
		t.Fatal(err)
	}
}

// call makes the one call of these tests, whose answer is what came in, and
// returns the answer and what the upstream got.
func (r *rig) call(t testing.TB) (answer string, got upstream.Request) {
	t.Helper()
	r.up.Handle(func(w http.ResponseWriter, req *http.Request) {
		w.Header().Set("Content-Type", "text/plain")
		_ = req.Write(w)
	})
	a, err := r.broker.Invoke(context.Background(), broker.Call{
		Capability: "acme/items", Method: "POST", Path: "/v1/items/a%20b(1)=%C3%A9:x?b=%2F&a=x%20y&c", Body: []byte(`{"x":1}`),
		Headers: []broker.Header{{Name: "X-Note", Value: "one  two"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	requests := r.up.Requests()
	return string(a.Body), requests[len(requests)-1]
}

// A secret that is a JSON object sends its fields, none of which comes back.
func TestStrategiesOfObjects(t *testing.T) {
	t.Parallel()
	one, two := brokertest.Word(t), brokertest.Canary(t)
	fields, err := json.Marshal(map[string]any{"clientId": one, "inner": map[string]string{"api_key": two}})
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		kind, value string
		flags       broker.AuthFlags
		want        map[string]string // headers
		query       string
		secrets     []string
	}{
		{
			"multi-header", string(fields),
			broker.AuthFlags{AuthHeaders: []string{"x-client={{client_id}}", "x-key=Key {{inner.apiKey}}", "x-version=3"}},
			map[string]string{"X-Client": one, "X-Key": "Key " + two, "X-Version": "3"},
			"",
			[]string{one, two},
		},
		{
			"multi-query", `{"key":"` + one + `","token":"t"}`,
			broker.AuthFlags{AuthQuery: []string{"key={{key}}", "token={{token}}"}},
			nil, "&key=" + one + "&token=t",
			[]string{one},
		},
		{
			"oauth2", `{"clientId":"c","refreshToken":"` + two[:8] + `","accessToken":"` + one + `"}`,
			broker.AuthFlags{TokenEndpoint: "https://api.acme.test/token"},
			map[string]string{"Authorization": "Bearer " + one},
			"",
			[]string{one},
		},
	}
	for _, test := range tests {
		t.Run(test.kind, func(t *testing.T) {
			t.Parallel()
			r, _ := newMemoryRig(t)
			r.account(t, test.value, test.kind, test.flags)
			answer, got := r.call(t)
			for name, value := range test.want {
				if got.Get(name) != value {
					t.Errorf("the upstream got another %s", name)
				}
			}
			if want := "/v1/items/a%20b(1)=%C3%A9:x?b=%2F&a=x%20y&c" + test.query; got.URI != want {
				t.Error("the upstream got another target")
			}
			if !strings.Contains(answer, "X-Note") {
				t.Errorf("the answer is %q", answer)
			}
			brokertest.Scan(t, "the answer", []byte(answer), test.secrets...)
		})
	}
}

// Case 85: the signature is right for what came in, over HTTP/1.1 and HTTP/2,
// whatever the transport added to it.
func TestCase085SignedAsSent(t *testing.T) {
	t.Parallel()
	for _, proto := range []string{"HTTP/1.1", "HTTP/2.0"} {
		for service, path := range map[string]string{
			"s3":          "/v1/items/a%20b%281%29%3D%C3%A9%3Ax",
			"execute-api": "/v1/items/a%2520b%281%29%3D%25C3%25A9%3Ax",
		} {
			t.Run(proto+"/"+service, func(t *testing.T) {
				t.Parallel()
				key := brokertest.Word(t)
				r := onHTTP2(t, proto == "HTTP/2.0")
				r.account(t, `{"accessKeyId":"AKIDEXAMPLE","secretAccessKey":"`+key+`","sessionToken":"made-up-token"}`, "aws-sigv4", broker.AuthFlags{AWSService: service})
				answer, got := r.call(t)
				if got.Proto != proto {
					t.Fatalf("the request came over %s", got.Proto)
				}
				brokertest.Scan(t, "the answer", []byte(answer), key, "made-up-token")
				checkSigV4(t, got, key, service, path)
			})
		}
	}
}

func onHTTP2(t testing.TB, on bool) *rig {
	_, store := newMemoryRig(t)
	return (&rig{
		up:   brokertest.NewWith(t, upstream.Options{Names: hosts, HTTP2: on}),
		open: func(testing.TB) secretStore { return store },
	}).fresh(t)
}

// checkSigV4 does what a service does: it recomputes the signature from the
// request alone, with the headers that it says are signed.
func checkSigV4(t testing.TB, got upstream.Request, key, service, path string) {
	t.Helper()
	credential, rest, _ := strings.Cut(strings.TrimPrefix(got.Get("Authorization"), "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/"), ", SignedHeaders=")
	signed, signature, _ := strings.Cut(rest, ", Signature=")
	var headers strings.Builder
	for name := range strings.SplitSeq(signed, ";") {
		value := strings.Join(strings.Fields(got.Get(name)), " ")
		if name == "host" {
			value = got.Host
		}
		headers.WriteString(name + ":" + value + "\n")
	}
	for _, name := range []string{"user-agent", "accept-encoding", "content-length"} {
		if strings.Contains(signed, name) {
			t.Errorf("signed are %s", signed)
		}
	}
	for _, name := range []string{"content-type", "host", "x-amz-date", "x-amz-security-token", "x-note"} {
		if !strings.Contains(signed, name) {
			t.Errorf("signed are %s, without %s", signed, name)
		}
	}
	hash := func(text []byte) string { sum := sha256.Sum256(text); return hex.EncodeToString(sum[:]) }
	if service == "s3" && got.Get("X-Amz-Content-Sha256") != hash(got.Body) {
		t.Error("the hash of the body is another one")
	}
	canonical := strings.Join([]string{got.Method, path, "a=x%20y&b=%2F&c=", headers.String(), signed, hash(got.Body)}, "\n")
	date := got.Get("X-Amz-Date")
	if want := date[:8] + "/us-east-1/" + service + "/aws4_request"; credential != want {
		t.Errorf("credential scope %s, want %s", credential, want)
	}
	sum := []byte("AWS4" + key)
	for _, part := range append(strings.Split(credential, "/"), "AWS4-HMAC-SHA256\n"+date+"\n"+credential+"\n"+hash([]byte(canonical))) {
		h := hmac.New(sha256.New, sum)
		h.Write([]byte(part))
		sum = h.Sum(nil)
	}
	if want := hex.EncodeToString(sum); signature != want {
		t.Errorf("signature %s, want %s", signature, want)
	}
}

// Case 86, end to end: who knows the key finds the signature right.
func TestCase086HMACAsSent(t *testing.T) {
	t.Parallel()
	key := brokertest.Canary(t)
	r, _ := newMemoryRig(t)
	r.account(t, key, "hmac", broker.AuthFlags{})
	answer, got := r.call(t)
	sum := sha256.Sum256(got.Body)
	path, _, _ := strings.Cut(got.URI, "?")
	h := hmac.New(sha256.New, []byte(key))
	h.Write([]byte(strings.Join([]string{
		"aivault-hmac-v1", "POST", "api.acme.test", path, "a=x%20y&b=%2F&c", got.Get("X-Signature-Timestamp"), hex.EncodeToString(sum[:]),
	}, "\n")))
	if got.Get("X-Signature") != "sha256="+hex.EncodeToString(h.Sum(nil)) {
		t.Error("the signature is another one")
	}
	var wire strings.Builder
	for _, header := range got.Headers {
		wire.WriteString(header.Name + ": " + header.Value + "\n")
	}
	brokertest.Scan(t, "the request", []byte(wire.String()+got.URI), key)
	brokertest.Scan(t, "the answer", []byte(answer), key)
}

// A credential whose one secret cannot be enough is refused, and says why.
func TestCredentialNeedsOneSecret(t *testing.T) {
	t.Parallel()
	r, _ := newMemoryRig(t)
	s := r.put(t, "ACME_TOKEN", vault.GlobalScope(), false)
	for kind, params := range map[string][]vault.Param{
		"header": {{Name: "x-key", Value: "{{key}}"}},
		"basic":  {{Name: "username", Value: "{{u}}"}, {Name: "password", Value: "{{secret}}"}},
		"path":   {{Name: "prefix", Value: "/bot{{token}}"}},
		"digest": nil,
	} {
		_, err := r.broker.CreateCredential(context.Background(), broker.NewCredential{
			ID: "acme-main", Provider: "acme", Secret: s.id, Scope: vault.GlobalScope(), Auth: &vault.Auth{Kind: kind, Params: params}, Hosts: []string{"api.acme.test"},
		})
		if fault.CodeOf(err) != fault.InvalidRequest {
			t.Errorf("%s: error %v", kind, err)
		}
	}
}

// Case 20: what the broker puts before a path is not the caller's to give.
func TestCase020PathOfItsOwn(t *testing.T) {
	t.Parallel()
	r, _ := newMemoryRig(t)
	r.account(t, "123:ABC-x_y", "path", broker.AuthFlags{})
	for _, path := range []string{"/bot", "/bot/x", "/bot123:ABC-x_y/getMe", "/%62ot1/x"} {
		_, err := r.broker.Invoke(context.Background(), broker.Call{Capability: "acme/items", Method: "GET", Path: path})
		if fault.CodeOf(err) != fault.InvalidRequest {
			t.Errorf("%s: error %v", path, err)
		}
	}
	if n := r.up.Connections(); n > 0 {
		t.Errorf("%d connections", n)
	}
}

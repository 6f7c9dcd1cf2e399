package broker_test

import (
	"context"
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

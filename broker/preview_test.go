package broker_test

import (
	"context"
	"encoding/json"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"aivault/broker"
	"aivault/broker/brokertest"
	"aivault/keys/fault"
	"aivault/vault"
)

// A preview is the request that is then sent, but for the value; it decrypts,
// sends and records nothing.
func TestPreview(t *testing.T) {
	t.Parallel()
	r, store := newMemoryRig(t)
	s := r.acme(t)
	call := broker.Call{
		Capability: "acme/items", Path: "/v1/items/7?a=b%20c", Body: []byte(`{"x":1}`),
		Headers: []broker.Header{{Name: "x-custom", Value: "yes"}},
	}
	got, err := r.broker.Preview(context.Background(), call)
	if err != nil {
		t.Fatal(err)
	}
	want := &broker.Preview{
		Capability: "acme/items", Credential: "acme-main", Secret: "ACME_TOKEN", Method: "POST",
		URL: "https://api.acme.test/v1/items/7?a=b%20c", Body: []byte(`{"x":1}`),
		Headers: []broker.Header{
			{Name: "Accept-Encoding", Value: "gzip, deflate"},
			{Name: "Authorization", Value: "Bearer <ACME_TOKEN>"},
			{Name: "Content-Type", Value: "application/json"},
			{Name: "User-Agent", Value: "aivault/test"},
			{Name: "X-Custom", Value: "yes"},
		},
	}
	if diff := cmp.Diff(got, want); diff != "" {
		t.Errorf("(-got +want):\n%s", diff)
	}
	if n := len(store.Decrypted()) + r.up.Connections() + len(r.events(t)); n != 0 {
		t.Errorf("a preview left %d traces", n)
	}
	b, err := json.Marshal(got)
	if err != nil {
		t.Fatal(err)
	}
	brokertest.Scan(t, "preview", b, s.value)

	if _, err := r.broker.Invoke(context.Background(), call); err != nil {
		t.Fatal(err)
	}
	sent := r.up.Requests()[0]
	for _, h := range got.Headers {
		if h.Name != "Authorization" && !slices.Equal(sent.Values(h.Name), []string{h.Value}) {
			t.Errorf("%s was sent as %q", h.Name, sent.Values(h.Name))
		}
	}
	if sent.Method != got.Method || "https://"+sent.Host+sent.URI != got.URL || string(sent.Body) != string(got.Body) {
		t.Errorf("sent was %s %s", sent.Method, sent.URI)
	}

	call.Path = "/v1/admin"
	if _, err := r.broker.Preview(context.Background(), call); fault.CodeOf(err) != fault.PolicyViolation {
		t.Errorf("a preview of what is not allowed: %v", err)
	}
}

// Each strategy shows where its secret goes, and never more of it.
func TestPreviewStrategies(t *testing.T) {
	t.Parallel()
	params := func(pairs ...string) []vault.Param {
		var out []vault.Param
		for i := 0; i < len(pairs); i += 2 {
			out = append(out, vault.Param{Name: pairs[i], Value: pairs[i+1]})
		}
		return out
	}
	tests := []struct {
		name   string
		auth   vault.Auth
		url    string // beyond the usual one
		header string
		want   string
	}{
		{"query", vault.Auth{Kind: "query", Params: params("key", "{{secret}}")}, "https://api.acme.test/v1/items?key=<S>", "", ""},
		{"path", vault.Auth{Kind: "path", Params: params("prefix", "/bot{{secret}}")}, "https://api.acme.test/bot<S>/v1/items", "", ""},
		{"basic", vault.Auth{Kind: "basic"}, "", "Authorization", "Basic <S>"},
		{"multi-header", vault.Auth{Kind: "multi-header", Params: params("x-a", "k {{id}}", "x-b", "{{key}}")}, "", "X-A", "k <S.id>"},
		{"multi-query", vault.Auth{Kind: "multi-query", Params: params("id", "{{id}}", "k", "{{key}}")}, "https://api.acme.test/v1/items?id=<S.id>&k=<S.key>", "", ""},
		{"oauth2", vault.Auth{Kind: "oauth2", Params: params("grant_type", "refresh_token", "token_endpoint", "https://api.acme.test/token")}, "", "Authorization", "Bearer <S>"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r, _ := newMemoryRig(t)
			s := r.put(t, "S", vault.GlobalScope(), false)
			r.capability(t, "acme/items", "api.acme.test")
			_, err := r.broker.CreateCredential(context.Background(), broker.NewCredential{
				ID: "acme-main", Provider: "acme", Secret: s.id, Scope: vault.GlobalScope(), Auth: &tt.auth, Hosts: []string{"api.acme.test"},
			})
			if err != nil {
				t.Fatal(err)
			}
			got, err := r.broker.Preview(context.Background(), broker.Call{Capability: "acme/items", Method: "GET"})
			if err != nil {
				t.Fatal(err)
			}
			if tt.url == "" {
				tt.url = "https://api.acme.test/v1/items"
			}
			if got.URL != tt.url {
				t.Errorf("URL %s, want %s", got.URL, tt.url)
			}
			if tt.header != "" && !slices.Contains(got.Headers, broker.Header{Name: tt.header, Value: tt.want}) {
				t.Errorf("headers %v", got.Headers)
			}
		})
	}
}

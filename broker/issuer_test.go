package broker_test

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"sync"
	"testing"

	"aivault/broker"
	"aivault/broker/brokertest"
	"aivault/keys/opaque"
	"aivault/vault"
)

// An issuer is an authorization server (RFC 6749) at auth.acme.test and an API
// at api.acme.test that takes its tokens, behind one upstream.
type issuer struct {
	t       testing.TB
	secrets []string // all that it ever gave or was given

	mu      sync.Mutex
	refresh string                           // the refresh token that is valid
	access  string                           // the access token that is valid
	calls   []string                         // bodies of token requests
	auth    []string                         // their Authorization
	answer  func(w http.ResponseWriter) bool // instead of tokens, if it returns true
	refuse  bool                             // every access token is refused
	lives   int                              // seconds that an access token is good for; 0: an hour
}

func (i *issuer) fresh() string {
	s := brokertest.Word(i.t)
	i.secrets = append(i.secrets, s)
	return s
}

func (i *issuer) serve(w http.ResponseWriter, req *http.Request) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if req.Host == "api.acme.test" {
		if got := req.Header.Get("Authorization"); i.refuse || got != "Bearer "+i.access {
			w.WriteHeader(http.StatusUnauthorized)
			_, _ = fmt.Fprintf(w, "who is %s?", got)
			return
		}
		_, _ = fmt.Fprint(w, "welcome")
		return
	}
	body := make([]byte, req.ContentLength)
	_, _ = req.Body.Read(body)
	i.calls = append(i.calls, string(body))
	i.auth = append(i.auth, req.Header.Get("Authorization"))
	if i.answer != nil && i.answer(w) {
		return
	}
	form, _ := url.ParseQuery(string(body))
	w.Header().Set("Content-Type", "application/json")
	if form.Get("grant_type") == "refresh_token" && form.Get("refresh_token") != i.refresh {
		w.WriteHeader(http.StatusBadRequest)
		_, _ = fmt.Fprint(w, `{"error":"invalid_grant"}`)
		return
	}
	i.access, i.refresh = i.fresh(), i.fresh()
	_, _ = fmt.Fprintf(w, `{"access_token":%q,"token_type":"Bearer","expires_in":%d,"refresh_token":%q}`, i.access, cmp.Or(i.lives, 3600), i.refresh)
}

// oauth gives a rig an issuer, and a credential of it with fields beside those
// that the secret needs.
func (r *rig) oauth(t testing.TB, grant string, fields map[string]any) (*issuer, vault.ID) {
	t.Helper()
	i := &issuer{t: t}
	i.refresh = i.fresh()
	doc := map[string]any{"clientId": "me", "refreshToken": i.refresh, "tenant": map[string]any{"id": 7}}
	for k, v := range fields {
		doc[k] = v
	}
	b, err := json.Marshal(doc)
	if err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	s, err := r.store.CreateSecret(ctx, vault.NewSecret{Name: "ACME_OAUTH", Scope: vault.GlobalScope(), Value: opaque.New(b)})
	if err != nil {
		t.Fatal(err)
	}
	r.capability(t, "acme/items", "api.acme.test")
	_, err = r.broker.CreateCredential(ctx, broker.NewCredential{
		ID: "acme-main", Provider: "acme", Secret: s.ID, Scope: vault.GlobalScope(), Hosts: []string{"api.acme.test", "auth.acme.test"},
		Auth: &vault.Auth{Kind: "oauth2", Params: []vault.Param{
			{Name: "grant_type", Value: grant}, {Name: "token_endpoint", Value: "https://auth.acme.test/token"}, {Name: "scope", Value: "read"}, {Name: "scope", Value: "write"},
		}},
	})
	if err != nil {
		t.Fatal(err)
	}
	r.up.Handle(i.serve)
	return i, s.ID
}

// tokensFrom is an authentication with a token endpoint.
func tokensFrom(endpoint string) *vault.Auth {
	return &vault.Auth{Kind: "oauth2", Params: []vault.Param{
		{Name: "grant_type", Value: "refresh_token"}, {Name: "token_endpoint", Value: endpoint},
	}}
}

func (r *rig) welcome(t testing.TB, status int) {
	t.Helper()
	answer, err := r.invoke("acme/items", vault.Context{})
	if err != nil || answer.Status != status {
		t.Fatalf("%v, %v, want status %d", answer, err, status)
	}
}

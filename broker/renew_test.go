package broker_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"aivault/broker"
	"aivault/broker/brokertest"
	"aivault/broker/brokertest/stage"
	"aivault/keys/fault"
	"aivault/keys/opaque"
	"aivault/vault"
)

// oauth gives a rig an issuer, and a credential of it with fields beside those
// that the secret needs.
func (r *rig) oauth(t testing.TB, grant string, fields map[string]any) (*stage.Issuer, vault.ID) {
	t.Helper()
	i := stage.NewIssuer(t)
	doc := map[string]any{"clientId": "me", "refreshToken": i.Refresh(), "tenant": map[string]any{"id": 7}}
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
	r.up.Handle(i.ServeHTTP)
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

// A token is got for the first call and stored; the next call uses it. After a
// 401 it is renewed once, with the refresh token that came with it (T48, T49,
// T51 to T53, T56).
func TestRenewal(t *testing.T) {
	t.Parallel()
	forEachStore(t, func(t *testing.T, r *rig) {
		i, id := r.oauth(t, "refresh_token", nil)
		r.welcome(t, 200)
		r.welcome(t, 200)
		if len(i.Calls()) != 1 {
			t.Fatalf("%d token requests for two calls", len(i.Calls()))
		}
		form, err := url.ParseQuery(i.Calls()[0].Body)
		if err != nil || form.Get("client_id") != "me" || form.Get("scope") != "read write" || i.Calls()[0].Authorization != "" {
			t.Errorf("a public client sent %d fields, %v", len(form), err)
		}
		events := r.events(t)
		kinds := []string{}
		for _, e := range events {
			kinds = append(kinds, e.Kind+" "+e.Outcome)
			brokertest.Scan(t, "event", fmt.Append(nil, e), i.Given()...)
		}
		all := strings.Join(kinds, ", ")
		if !strings.Contains(all, "invoke.intent , oauth.refresh , oauth.refresh ok, invoke.outcome ok") {
			t.Errorf("recorded as %s", all)
		}
		var sec *vault.Secret
		err = r.store.View(context.Background(), func(v vault.Reader) (err error) { sec, err = v.Secret(id); return err })
		if err != nil || sec.Version != 2 {
			t.Errorf("version %d, %v", sec.Version, err)
		}
	})
}

// Confidential clients authenticate by HTTP Basic, or in the body (T50).
func TestRenewalOfConfidentialClient(t *testing.T) {
	t.Parallel()
	r, _ := newMemoryRig(t)
	secret := brokertest.Word(t)
	i, _ := r.oauth(t, "client_credentials", map[string]any{"clientSecret": secret, "refreshToken": ""})
	r.welcome(t, 200)
	r.welcome(t, 200)
	if len(i.Calls()) != 1 {
		t.Fatalf("%d token requests", len(i.Calls()))
	}
	form, err := url.ParseQuery(i.Calls()[0].Body)
	if err != nil || form.Get("grant_type") != "client_credentials" || !strings.HasPrefix(i.Calls()[0].Authorization, "Basic ") || form.Has("client_secret") {
		t.Errorf("%d fields, %v", len(form), err)
	}
}

// 20 calls at once ask once, and all get the new token (case 88).
func TestCase088OneRefresh(t *testing.T) {
	t.Parallel()
	forEachStore(t, func(t *testing.T, r *rig) {
		i, _ := r.oauth(t, "refresh_token", nil)
		var wg sync.WaitGroup
		var failed atomic.Int32
		for range 20 {
			wg.Go(func() {
				if a, err := r.invoke("acme/items", vault.Context{}); err != nil || a.Status != 200 {
					failed.Add(1)
					t.Errorf("%v, %v", a, err)
				}
			})
		}
		wg.Wait()
		if len(i.Calls()) != 1 || failed.Load() > 0 {
			t.Errorf("%d token requests, %d calls failed", len(i.Calls()), failed.Load())
		}
	})
}

// livesFor has an issuer's tokens live for so many seconds.
func livesFor(seconds int) func(http.ResponseWriter, string) bool {
	return func(w http.ResponseWriter, tokens string) bool {
		_, _ = fmt.Fprint(w, strings.Replace(tokens, `"expires_in":3600`, fmt.Sprintf(`"expires_in":%d`, seconds), 1))
		return tokens != ""
	}
}

// A token that lives for less than a minute is good for more than one call: not
// each of them asks for another (case 88).
func TestShortLivedToken(t *testing.T) {
	t.Parallel()
	forEachStore(t, func(t *testing.T, r *rig) {
		i, _ := r.oauth(t, "refresh_token", nil)
		i.Answer(livesFor(50))
		for range 5 {
			r.welcome(t, 200)
		}
		if len(i.Calls()) != 1 {
			t.Errorf("%d token requests for five calls", len(i.Calls()))
		}
	})
}

// A token that has run out is not used, however short its life was.
func TestShortLivedTokenEnds(t *testing.T) {
	t.Parallel()
	r, _ := newMemoryRig(t)
	i, _ := r.oauth(t, "refresh_token", nil)
	i.Answer(livesFor(1))
	r.welcome(t, 200)
	time.Sleep(1100 * time.Millisecond)
	r.welcome(t, 200)
	if len(i.Calls()) != 2 {
		t.Errorf("%d token requests for two calls, a token's life apart", len(i.Calls()))
	}
}

// A token that is refused is renewed once, and the call repeated once, with
// what a refused call's body may be; a service that refuses every token is
// asked for one only once a minute (case 90).
func TestCase090OneRefreshAMinute(t *testing.T) {
	t.Parallel()
	forEachStore(t, func(t *testing.T, r *rig) {
		i, _ := r.oauth(t, "refresh_token", nil)
		r.welcome(t, 200)
		i.Refuse(true)
		for range 5 {
			r.welcome(t, 401)
		}
		if len(i.Calls()) > 2 {
			t.Errorf("%d token requests", len(i.Calls()))
		}
		answer, err := r.invoke("acme/items", vault.Context{})
		if err != nil {
			t.Fatal(err)
		}
		brokertest.Scan(t, "the 401", answer.Body, i.Given()...) // case 74
	})
}

// What a token endpoint sends instead of a token never leaves, and is an error
// of the upstream (case 87).
func TestCase087NoToken(t *testing.T) {
	t.Parallel()
	const canary = "cnry-in-the-answer"
	tests := map[string]func(w http.ResponseWriter){
		"HTML": func(w http.ResponseWriter) {
			w.Header().Set("Content-Type", "text/html")
			fmt.Fprint(w, "<html>"+canary)
		},
		"redirect": func(w http.ResponseWriter) {
			w.Header().Set("Location", "https://evil.test/"+canary)
			w.WriteHeader(307)
		},
		"server error":    func(w http.ResponseWriter) { w.WriteHeader(500); fmt.Fprint(w, canary) },
		"no token":        func(w http.ResponseWriter) { fmt.Fprint(w, `{"x":"`+canary+`"}`) },
		"negative expiry": func(w http.ResponseWriter) { fmt.Fprint(w, `{"access_token":"`+canary+`","expires_in":-1}`) },
		"expiry as text":  func(w http.ResponseWriter) { fmt.Fprint(w, `{"access_token":"`+canary+`","expires_in":"60"}`) },
		"huge expiry":     func(w http.ResponseWriter) { fmt.Fprint(w, `{"access_token":"`+canary+`","expires_in":1e300}`) },
		"MAC":             func(w http.ResponseWriter) { fmt.Fprint(w, `{"access_token":"`+canary+`","token_type":"mac"}`) },
		"unknown error":   func(w http.ResponseWriter) { w.WriteHeader(400); fmt.Fprint(w, `{"error":"`+canary+`"}`) },
		"invalid grant": func(w http.ResponseWriter) {
			w.WriteHeader(400)
			fmt.Fprint(w, `{"error":"invalid_grant","error_description":"`+canary+`"}`)
		},
		"endless": func(w http.ResponseWriter) {
			fmt.Fprint(w, strings.Repeat(" ", 1<<20), `{"access_token":"`+canary+`"}`)
		},
		"a secret instead": func(w http.ResponseWriter) { fmt.Fprint(w, `{"access_token":"a b\n`+canary+`"}`) },
	}
	for name, answer := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, _ := newMemoryRig(t)
			i, _ := r.oauth(t, "refresh_token", nil)
			i.Answer(func(w http.ResponseWriter, _ string) bool { answer(w); return true })
			_, err := r.invoke("acme/items", vault.Context{})
			want := fault.AuthFailed
			if name == "invalid grant" {
				want = fault.OAuthRefreshRequired
			}
			if got := fault.CodeOf(err); got != want {
				t.Errorf("%q (%v), want %q", got, err, want)
			}
			for _, what := range []string{fmt.Sprint(err), fault.HintOf(err), fmt.Sprint(r.events(t))} {
				if strings.Contains(what, canary) {
					t.Error("the answer leaves")
				}
			}
			for _, req := range r.up.Requests() {
				if req.Host != "auth.acme.test" {
					t.Errorf("%s was called", req.Host)
				}
			}
		})
	}
}

// A refresh token that was refused is not tried again until there is another
// one.
func TestRefusedForGood(t *testing.T) {
	t.Parallel()
	forEachStore(t, func(t *testing.T, r *rig) {
		i, id := r.oauth(t, "refresh_token", nil)
		valid := i.Refresh()
		i.SetRefresh("")
		for range 3 {
			if _, err := r.invoke("acme/items", vault.Context{}); fault.CodeOf(err) != fault.OAuthRefreshRequired {
				t.Fatal(err)
			}
		}
		if len(i.Calls()) != 1 {
			t.Errorf("%d token requests", len(i.Calls()))
		}
		i.SetRefresh(valid)
		value := opaque.New([]byte(`{"client_id":"me","refresh_token":"` + valid + `"}`))
		if _, err := r.store.RotateSecret(context.Background(), id, value, 0); err != nil {
			t.Fatal(err)
		}
		r.welcome(t, 200)
	})
}

// Neither is a client that was, which has no refresh token.
func TestClientRefusedForGood(t *testing.T) {
	t.Parallel()
	r, _ := newMemoryRig(t)
	i, _ := r.oauth(t, "client_credentials", map[string]any{"clientSecret": brokertest.Word(t), "refreshToken": ""})
	i.Answer(func(w http.ResponseWriter, _ string) bool {
		w.WriteHeader(http.StatusUnauthorized)
		_, _ = fmt.Fprint(w, `{"error":"invalid_client"}`)
		return true
	})
	for n := range 3 {
		_, err := r.invoke("acme/items", vault.Context{})
		if fault.CodeOf(err) != fault.OAuthRefreshRequired || n > 0 && !strings.Contains(fault.HintOf(err), "rotate") {
			t.Errorf("call %d: %v (%s)", n, err, fault.HintOf(err))
		}
	}
	if n := len(r.up.Requests()); n != 1 {
		t.Errorf("%d token requests", n)
	}
}

// Tokens with which no vault would hold the secret are an end of the renewal,
// and on record as such: nothing was lost on the way.
func TestRenewalTooLong(t *testing.T) {
	t.Parallel()
	forEachStore(t, func(t *testing.T, r *rig) {
		i, _ := r.oauth(t, "refresh_token", map[string]any{"padding": strings.Repeat("x", vault.MaxValue-1000)})
		i.Answer(func(w http.ResponseWriter, _ string) bool {
			w.Header().Set("Content-Type", "application/json")
			_, _ = fmt.Fprintf(w, `{"access_token":%q}`, strings.Repeat("t", 2000))
			return true
		})
		for range 3 {
			if _, err := r.invoke("acme/items", vault.Context{}); fault.CodeOf(err) != fault.InvalidRequest {
				t.Fatalf("error %v", err)
			}
		}
		ends := 0
		for _, e := range r.events(t) {
			if e.Kind == vault.KindOAuthRefresh && e.Outcome == vault.OutcomeError && e.Code == fault.InvalidRequest {
				ends++
			}
		}
		if ends != 3 {
			t.Errorf("%d renewals ended on record, want 3", ends)
		}
	})
}

// A renewal whose answer was lost is tried once more, and then left to the
// owner of the account (case 89).
func TestCase089CutOff(t *testing.T) {
	t.Parallel()
	forEachStore(t, func(t *testing.T, r *rig) {
		i, _ := r.oauth(t, "refresh_token", nil)
		i.Answer(func(http.ResponseWriter, string) bool { panic(http.ErrAbortHandler) })
		for n, want := range []fault.Code{fault.UpstreamUnreachable, fault.UpstreamUnreachable, fault.OAuthRefreshRequired, fault.OAuthRefreshRequired} {
			if _, err := r.invoke("acme/items", vault.Context{}); fault.CodeOf(err) != want {
				t.Errorf("call %d: %v, want %s", n, err, want)
			}
		}
		if len(i.Calls()) != 2 {
			t.Errorf("%d token requests", len(i.Calls()))
		}
	})
}

// An endpoint that cannot even be connected to loses no token, however often.
func TestEndpointDown(t *testing.T) {
	t.Parallel()
	r, _ := newMemoryRig(t)
	i, _ := r.oauth(t, "refresh_token", nil)
	down := errors.New("connection refused")
	b := r.dialing(t, func() error { return down })
	for range 4 {
		if _, err := b.Invoke(context.Background(), broker.Call{Capability: "acme/items", Method: "GET"}); fault.CodeOf(err) != fault.UpstreamUnreachable {
			t.Fatal(err)
		}
	}
	r.welcome(t, 200)
	if len(i.Calls()) != 1 {
		t.Errorf("%d token requests", len(i.Calls()))
	}
}

// A secret that is bound borrows the token endpoint too, and may go there.
func TestRenewalOfABoundSecret(t *testing.T) {
	t.Parallel()
	forEachStore(t, func(t *testing.T, r *rig) {
		i, _ := r.oauth(t, "refresh_token", nil)
		ctx := context.Background()
		value := opaque.New([]byte(`{"client_id":"other","refresh_token":"` + i.Refresh() + `"}`))
		s, err := r.store.CreateSecret(ctx, vault.NewSecret{Name: "OTHER", Scope: mustScope(t, "w", ""), Value: value})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := r.broker.Bind(ctx, broker.NewBinding{Capability: "acme/items", Secret: s.ID, Scope: mustScope(t, "w", "")}); err != nil {
			t.Fatal(err)
		}
		answer, err := r.invoke("acme/items", inW)
		if err != nil || answer.Status != 200 || answer.Secret != "OTHER" {
			t.Fatalf("%v, %v", answer, err)
		}
		if form, err := url.ParseQuery(i.Calls()[0].Body); err != nil || form.Get("client_id") != "other" {
			t.Errorf("the account that was used is %q, %v", form.Get("client_id"), err)
		}
	})
}

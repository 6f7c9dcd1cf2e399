package broker_test

import (
	"cmp"
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
	"aivault/keys/fault"
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
		if len(i.calls) != 1 {
			t.Fatalf("%d token requests for two calls", len(i.calls))
		}
		form, err := url.ParseQuery(i.calls[0])
		if err != nil || form.Get("client_id") != "me" || form.Get("scope") != "read write" || i.auth[0] != "" {
			t.Errorf("a public client sent %d fields, %v", len(form), err)
		}
		events := r.events(t)
		kinds := []string{}
		for _, e := range events {
			kinds = append(kinds, e.Kind+" "+e.Outcome)
			brokertest.Scan(t, "event", fmt.Append(nil, e), i.secrets...)
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
	if len(i.calls) != 1 {
		t.Fatalf("%d token requests", len(i.calls))
	}
	form, err := url.ParseQuery(i.calls[0])
	if err != nil || form.Get("grant_type") != "client_credentials" || !strings.HasPrefix(i.auth[0], "Basic ") || form.Has("client_secret") {
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
		if len(i.calls) != 1 || failed.Load() > 0 {
			t.Errorf("%d token requests, %d calls failed", len(i.calls), failed.Load())
		}
	})
}

// A token that lives for less than a minute is good for more than one call: not
// each of them asks for another (case 88).
func TestShortLivedToken(t *testing.T) {
	t.Parallel()
	forEachStore(t, func(t *testing.T, r *rig) {
		i, _ := r.oauth(t, "refresh_token", nil)
		i.lives = 50
		for range 5 {
			r.welcome(t, 200)
		}
		if len(i.calls) != 1 {
			t.Errorf("%d token requests for five calls", len(i.calls))
		}
	})
}

// A token that has run out is not used, however short its life was.
func TestShortLivedTokenEnds(t *testing.T) {
	t.Parallel()
	r, _ := newMemoryRig(t)
	i, _ := r.oauth(t, "refresh_token", nil)
	i.lives = 1
	r.welcome(t, 200)
	time.Sleep(1100 * time.Millisecond)
	r.welcome(t, 200)
	if len(i.calls) != 2 {
		t.Errorf("%d token requests for two calls, a token's life apart", len(i.calls))
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
		i.refuse = true
		for range 5 {
			r.welcome(t, 401)
		}
		if len(i.calls) > 2 {
			t.Errorf("%d token requests", len(i.calls))
		}
		answer, err := r.invoke("acme/items", vault.Context{})
		if err != nil {
			t.Fatal(err)
		}
		brokertest.Scan(t, "the 401", answer.Body, i.secrets...) // case 74
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
			i.answer = func(w http.ResponseWriter) bool {
				w.Header().Set("Content-Type", "application/json")
				answer(w)
				return true
			}
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
		valid := i.refresh
		i.refresh = i.fresh()
		for range 3 {
			if _, err := r.invoke("acme/items", vault.Context{}); fault.CodeOf(err) != fault.OAuthRefreshRequired {
				t.Fatal(err)
			}
		}
		if len(i.calls) != 1 {
			t.Errorf("%d token requests", len(i.calls))
		}
		i.refresh = valid
		value := opaque.New([]byte(`{"client_id":"me","refresh_token":"` + valid + `"}`))
		if _, err := r.store.RotateSecret(context.Background(), id, value, 0); err != nil {
			t.Fatal(err)
		}
		r.welcome(t, 200)
	})
}

// A renewal whose answer was lost is tried once more, and then left to the
// owner of the account (case 89).
func TestCase089CutOff(t *testing.T) {
	t.Parallel()
	forEachStore(t, func(t *testing.T, r *rig) {
		i, _ := r.oauth(t, "refresh_token", nil)
		i.answer = func(w http.ResponseWriter) bool { panic(http.ErrAbortHandler) }
		for n, want := range []fault.Code{fault.UpstreamUnreachable, fault.UpstreamUnreachable, fault.OAuthRefreshRequired, fault.OAuthRefreshRequired} {
			if _, err := r.invoke("acme/items", vault.Context{}); fault.CodeOf(err) != want {
				t.Errorf("call %d: %v, want %s", n, err, want)
			}
		}
		if len(i.calls) != 2 {
			t.Errorf("%d token requests", len(i.calls))
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
	if len(i.calls) != 1 {
		t.Errorf("%d token requests", len(i.calls))
	}
}

// A client that the service refuses for good has no owner who could consent
// again: the error says what can be done.
func TestRefusedClient(t *testing.T) {
	t.Parallel()
	r, _ := newMemoryRig(t)
	i, id := r.oauth(t, "client_credentials", map[string]any{"clientSecret": brokertest.Word(t), "refreshToken": ""})
	i.answer = func(w http.ResponseWriter) bool {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(401)
		_, _ = fmt.Fprint(w, `{"error":"invalid_client"}`)
		return true
	}
	for range 2 {
		_, err := r.invoke("acme/items", vault.Context{})
		text := fmt.Sprint(err)
		if fault.CodeOf(err) != fault.OAuthRefreshRequired || strings.Contains(text, "owner") || strings.Contains(text, "refresh token") {
			t.Errorf("%v", err)
		}
		i.answer = func(http.ResponseWriter) bool { t.Error("asked again"); return false }
	}
	_, err := r.invoke("acme/items", vault.Context{})
	if hint := fault.HintOf(err); !strings.Contains(hint, "aivault secrets rotate --id "+id.String()) {
		t.Errorf("hint %q", hint)
	}
}

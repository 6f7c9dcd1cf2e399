package broker_test

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"aivault/broker"
	"aivault/broker/brokertest"
	"aivault/keys/fault"
	"aivault/keys/opaque"
	"aivault/vault"
)

// An owner consents at the authorization server, which sends the browser back
// to where the login waits.
type owner struct {
	code      string
	challenge string // of the consent
	redirect  string
	visit     func(redirect string, q url.Values) // what the browser does
}

func (o *owner) open(consent string) error {
	u, err := url.Parse(consent)
	if err != nil {
		return err
	}
	q := u.Query()
	o.challenge, o.redirect = q.Get("code_challenge"), q.Get("redirect_uri")
	go o.visit(o.redirect, url.Values{"state": {q.Get("state")}, "code": {o.code}})
	return nil
}

func get(address string) int {
	resp, err := http.Get(address)
	if err != nil {
		return 0
	}
	defer resp.Body.Close()
	_, _ = io.Copy(io.Discard, resp.Body)
	return resp.StatusCode
}

func (o *owner) login(secret opaque.Bytes) broker.Login {
	return broker.Login{
		AuthURL: "https://auth.acme.test/authorize?audience=api", TokenEndpoint: "https://auth.acme.test/token", ClientID: "me", ClientSecret: secret,
		Scopes: []string{"read", "write"}, Name: "ACME_OAUTH", Scope: vault.GlobalScope(), Open: o.open,
	}
}

// tokenServer answers the code of an owner with tokens, once its verifier
// fits (RFC 7636, section 4.6).
func tokenServer(t *testing.T, o *owner, tokens ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, req *http.Request) {
		b, _ := io.ReadAll(req.Body)
		form, err := url.ParseQuery(string(b))
		if err != nil {
			t.Error(err)
		}
		sum := sha256.Sum256([]byte(form.Get("code_verifier")))
		if form.Get("grant_type") != "authorization_code" || form.Get("code") != o.code || form.Get("redirect_uri") != o.redirect ||
			base64.RawURLEncoding.EncodeToString(sum[:]) != o.challenge {
			t.Error("the request for tokens does not fit the consent")
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = fmt.Fprintf(w, `{"access_token":%q,"token_type":"bearer","expires_in":3600,"refresh_token":%q}`, tokens[0], tokens[1])
	}
}

func TestLogin(t *testing.T) {
	t.Parallel()
	forEachStore(t, func(t *testing.T, r *rig) {
		o := &owner{code: brokertest.Word(t), visit: func(redirect string, q url.Values) { get(redirect + "?" + q.Encode()) }}
		secrets := []string{o.code, brokertest.Word(t), brokertest.Word(t), brokertest.Word(t)}
		r.up.Handle(tokenServer(t, o, secrets[1], secrets[2]))
		for version := range uint64(2) { // the second time, the secret is there
			s, err := r.broker.Login(context.Background(), o.login(opaque.New([]byte(secrets[3]))))
			if err != nil {
				t.Fatal(err)
			}
			if s.Name != "ACME_OAUTH" || s.Version != version+1 {
				t.Errorf("secret %s of version %d", s.Name, s.Version)
			}
			brokertest.Scan(t, "what Login returns", fmt.Append(nil, s), secrets...)
		}
		brokertest.Scan(t, "the audit log", fmt.Append(nil, r.events(t)), secrets...)
		// The tokens are good for calls.
		var sec *vault.Secret
		err := r.store.View(context.Background(), func(v vault.Reader) (err error) {
			sec, err = v.SecretNamed(vault.GlobalScope(), "ACME_OAUTH")
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		r.capability(t, "acme/items", "api.acme.test")
		_, err = r.broker.CreateCredential(context.Background(), broker.NewCredential{
			ID: "acme-main", Provider: "acme", Secret: sec.ID, Scope: vault.GlobalScope(), Hosts: []string{"api.acme.test", "auth.acme.test"},
			Auth: tokensFrom("https://auth.acme.test/token"),
		})
		if err != nil {
			t.Fatal(err)
		}
		r.up.Reply(200, nil, nil)
		r.welcome(t, 200)
		if got := r.up.Requests(); got[len(got)-1].Get("Authorization") != "Bearer "+secrets[1] {
			t.Error("the token was not sent")
		}
	})
}

// A login that makes a credential, too, has the value at hand that sealing its
// hosts may need; what cannot be made is said before anybody consents.
func TestLoginWithCredential(t *testing.T) {
	t.Parallel()
	forEachStore(t, func(t *testing.T, r *rig) {
		o := &owner{code: brokertest.Word(t), visit: func(redirect string, q url.Values) { get(redirect + "?" + q.Encode()) }}
		token := brokertest.Word(t)
		r.up.Handle(tokenServer(t, o, token, brokertest.Word(t)))
		r.capability(t, "acme/items", "api.acme.test")
		login := func(change func(*broker.NewCredential)) error {
			l := o.login(nil)
			l.Credential = &broker.NewCredential{
				ID: "acme-main", Provider: "acme", Scope: vault.GlobalScope(), Hosts: []string{"api.acme.test", "auth.acme.test"},
				Auth: tokensFrom("https://auth.acme.test/token"),
			}
			change(l.Credential)
			_, err := r.broker.Login(context.Background(), l)
			return err
		}
		for name, test := range map[string]struct {
			change func(*broker.NewCredential)
			code   fault.Code
		}{
			"no host":       {func(n *broker.NewCredential) { n.Hosts = nil }, fault.InvalidRequest},
			"private host":  {func(n *broker.NewCredential) { n.Hosts = []string{"localhost"} }, fault.PolicyViolation},
			"a reserved id": {func(n *broker.NewCredential) { n.ID = "openai" }, fault.InvalidRequest},
			"no provider":   {func(n *broker.NewCredential) { n.Provider = "" }, fault.InvalidRequest},
		} {
			if err := login(test.change); fault.CodeOf(err) != test.code || o.redirect != "" {
				t.Errorf("%s: %v, want %s; asked for consent: %v", name, err, test.code, o.redirect != "")
			}
		}
		if err := login(func(*broker.NewCredential) {}); err != nil {
			t.Fatal(err)
		}
		// What may be called is not where the tokens come from.
		c, err := r.broker.CreateCapability(context.Background(), broker.NewCapability{
			ID: "acme/things", FromCred: "acme-main", Methods: []string{"GET"}, Paths: []string{"/v1/things"},
		})
		if err != nil || len(c.Allow.Hosts) != 1 || c.Allow.Hosts[0] != "api.acme.test" {
			t.Errorf("a capability of it: %v, %v", c.Allow.Hosts, err)
		}
		r.up.Reply(200, nil, nil)
		r.welcome(t, 200)
		if got := r.up.Requests(); got[len(got)-1].Get("Authorization") != "Bearer "+token {
			t.Error("the token was not sent")
		}
		o.redirect = ""
		if err := login(func(*broker.NewCredential) {}); fault.CodeOf(err) != fault.AlreadyExists || o.redirect != "" {
			t.Errorf("again: %v", err)
		}
	})
}

// What would keep the tokens from being stored is found before anybody consents:
// afterwards they would be lost.
func TestLoginChecksBeforeConsent(t *testing.T) {
	t.Parallel()
	forEachStore(t, func(t *testing.T, r *rig) {
		o := &owner{visit: func(string, url.Values) {}}
		for name, change := range map[string]func(*broker.Login){
			"no name":                      func(l *broker.Login) { l.Name = " " },
			"a name with a line break":     func(l *broker.Login) { l.Name = "a\nb" },
			"a name too long":              func(l *broker.Login) { l.Name = strings.Repeat("a", 257) },
			"an id that is not ASCII":      func(l *broker.Login) { l.ClientID = "m\u00e9" },
			"a secret with a line break":   func(l *broker.Login) { l.ClientSecret = vaultValue("a\nb") },
			"an endpoint of two meanings":  func(l *broker.Login) { l.TokenEndpoint = "https://auth.acme.test/a/../token" },
			"an endpoint without a scheme": func(l *broker.Login) { l.TokenEndpoint = "auth.acme.test/token" },
		} {
			l := o.login(nil)
			change(&l)
			ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
			_, err := r.broker.Login(ctx, l)
			cancel()
			if fault.CodeOf(err) != fault.InvalidRequest || o.redirect != "" {
				t.Errorf("%s: %v; asked for consent: %v", name, err, o.redirect != "")
			}
			o.redirect = ""
		}
	})
}

// Whoever comes to the listener without the state of the login gets nothing,
// and ends it (case 91).
func TestCase091Callback(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		visit func(redirect string, q url.Values)
		want  fault.Code
	}{
		"wrong state": {func(redirect string, q url.Values) {
			q.Set("state", "guess")
			get(redirect + "?" + q.Encode())
		}, fault.TokenInvalid},
		"denied": {func(redirect string, q url.Values) {
			q.Del("code")
			q.Set("error", "access_denied")
			get(redirect + "?" + q.Encode())
		}, fault.AuthFailed},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, _ := newMemoryRig(t)
			o := &owner{code: brokertest.Word(t), visit: tt.visit}
			_, err := r.broker.Login(context.Background(), o.login(nil))
			if got := fault.CodeOf(err); got != tt.want {
				t.Errorf("%q (%v), want %q", got, err, tt.want)
			}
			if n := r.up.Connections(); n != 0 {
				t.Errorf("%d connections to the token endpoint", n)
			}
		})
	}
}

func TestLoginRefused(t *testing.T) {
	t.Parallel()
	r, _ := newMemoryRig(t)
	o := &owner{}
	for name, change := range map[string]func(*broker.Login){
		"http":               func(l *broker.Login) { l.TokenEndpoint = "http://auth.acme.test/token" },
		"loopback":           func(l *broker.Login) { l.TokenEndpoint = "https://127.0.0.1/token" },
		"user":               func(l *broker.Login) { l.TokenEndpoint = "https://a@auth.acme.test/token" },
		"no client":          func(l *broker.Login) { l.ClientID = "" },
		"no name":            func(l *broker.Login) { l.Name = "" },
		"http authorization": func(l *broker.Login) { l.AuthURL = "http://auth.acme.test/authorize" },
		"script":             func(l *broker.Login) { l.AuthURL = "javascript:alert(1)" },
		"private without CA": func(l *broker.Login) { l.AllowPrivate = true },
	} {
		l := o.login(nil)
		change(&l)
		_, err := r.broker.Login(context.Background(), l)
		if got := fault.CodeOf(err); got != fault.InvalidRequest && got != fault.PolicyViolation {
			t.Errorf("%s: %q (%v)", name, got, err)
		}
	}
}

package ui_test

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"maps"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"

	"aivault/broker/brokertest"
)

// An authServer hands tokens out as RFC 6749 has it, and is strict: a refresh
// token works once, a code once and with its verifier only (RFC 7636). It also
// is the service that takes the tokens.
type authServer struct {
	t            *testing.T
	clientSecret string
	inBody       bool // where it wants that secret
	lifetime     int  // of the tokens to come, in seconds

	mu        sync.Mutex
	refresh   string            // the one that works
	access    map[string]bool   // those that work
	codes     map[string]string // and the challenge of each
	redirect  string            // where the codes were sent
	granted   []string          // what was asked for, by grant type
	issued    []string          // all words that are secret
	consented url.Values        // the last request to the owner
}

func newAuthServer(t *testing.T) (*authServer, *realVault) {
	t.Helper()
	a := &authServer{t: t, lifetime: 3600, clientSecret: brokertest.Word(t), access: map[string]bool{}, codes: map[string]string{}}
	service := brokertest.New(t)
	service.Handle(a.serve)
	v := newEmptyVault(t, service)
	t.Cleanup(func() { // before what is hidden is looked for
		a.mu.Lock()
		defer a.mu.Unlock()
		v.hidden = append(v.hidden, a.issued...)
	})
	a.supersede()
	v.hidden = append(v.hidden, a.clientSecret)
	return a, v
}

// supersede has a new refresh token work, and the one so far no more.
func (a *authServer) supersede() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.refresh = a.word()
}

// live sets for how many seconds the tokens to come work.
func (a *authServer) live(seconds int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.lifetime = seconds
}

// word makes one up while a is locked.
func (a *authServer) word() string {
	w := brokertest.Word(a.t)
	a.issued = append(a.issued, w)
	return w
}

func (a *authServer) serve(w http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	defer a.mu.Unlock()
	switch r.URL.Path {
	case "/authorize":
		a.authorize(w, r)
	case "/token":
		a.token(w, r)
	default:
		token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		if !ok || !a.access[token] {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		repeat(w, r)
	}
}

// authorize is the page on which the owner says yes.
func (a *authServer) authorize(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	back, err := url.Parse(q.Get("redirect_uri"))
	host, _, _ := net.SplitHostPort(back.Host)
	if err != nil || back.Scheme != "http" || host != "127.0.0.1" || q.Get("response_type") != "code" || q.Get("client_id") != "app id" ||
		q.Get("code_challenge_method") != "S256" || len(q.Get("state")) < 20 {
		http.Error(w, "no", http.StatusBadRequest)
		return
	}
	a.consented, a.redirect = q, back.String()
	code := a.word()
	a.codes[code] = q.Get("code_challenge")
	back.RawQuery = url.Values{"code": {code}, "state": {q.Get("state")}}.Encode()
	http.Redirect(w, r, back.String(), http.StatusFound)
}

// token is the token endpoint.
func (a *authServer) token(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost || r.Header.Get("Content-Type") != "application/x-www-form-urlencoded" || r.ParseForm() != nil || !a.isClient(r) {
		refuse(w, "invalid_client")
		return
	}
	form := r.PostForm
	grant := form.Get("grant_type")
	a.granted = append(a.granted, grant)
	params := slices.Sorted(maps.Keys(form))
	params = slices.DeleteFunc(params, func(s string) bool { return s == "client_secret" || s == "client_id" })
	want := map[string]string{"refresh_token": "grant_type refresh_token scope", "client_credentials": "grant_type scope", "authorization_code": "code code_verifier grant_type redirect_uri"}
	if strings.Join(params, " ") != want[grant] {
		refuse(w, "invalid_request")
		return
	}
	switch grant {
	case "refresh_token":
		if form.Get("refresh_token") != a.refresh {
			refuse(w, "invalid_grant")
			return
		}
	case "authorization_code":
		sum := sha256.Sum256([]byte(form.Get("code_verifier")))
		challenge, ok := a.codes[form.Get("code")]
		delete(a.codes, form.Get("code"))
		if !ok || challenge != base64.RawURLEncoding.EncodeToString(sum[:]) || form.Get("redirect_uri") != a.redirect {
			refuse(w, "invalid_grant")
			return
		}
	}
	access := a.word()
	a.access[access] = true
	w.Header().Set("Content-Type", "application/json;charset=UTF-8")
	if grant == "client_credentials" {
		_, _ = fmt.Fprintf(w, `{"access_token":%q,"token_type":"bearer","expires_in":%d}`, access, a.lifetime)
		return
	}
	a.refresh = a.word()
	_, _ = fmt.Fprintf(w, `{"access_token":%q,"token_type":"Bearer","expires_in":%d,"refresh_token":%q}`, access, a.lifetime, a.refresh)
}

// isClient verifies the client, which says who it is in one way only.
func (a *authServer) isClient(r *http.Request) bool {
	id, secret, basic := r.BasicAuth()
	if a.inBody {
		return !basic && r.PostForm.Get("client_id") == "app id" && r.PostForm.Get("client_secret") == a.clientSecret
	}
	return basic && id == "app+id" && secret == a.clientSecret && !r.PostForm.Has("client_secret")
}

func refuse(w http.ResponseWriter, code string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusBadRequest)
	_, _ = fmt.Fprintf(w, `{"error":%q}`, code)
}

// revoke has all access tokens work no more, and tells what was granted so far.
func (a *authServer) revoke() string {
	a.mu.Lock()
	defer a.mu.Unlock()
	clear(a.access)
	granted := strings.Join(a.granted, " ")
	a.granted = nil
	return granted
}

// account is the secret of the account as its owner has it: with the refresh
// token that works, and a token that may not.
func (a *authServer) account(access string) string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return fmt.Sprintf(`{"clientId":"app id","client_secret":%q,"refreshToken":%q,"access_token":%q,"note":"kept"}`, a.clientSecret, a.refresh, access)
}

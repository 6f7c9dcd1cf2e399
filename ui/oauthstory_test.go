package ui_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

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

// oauthAccount makes the credential of an account, and what may be called.
func (a *authServer) oauthAccount(v *realVault, value string, flags ...string) (id string) {
	file := v.file("account", value)
	id = v.create("ACME_OAUTH", file)
	flags = append([]string{"--auth", "oauth2", "--token-endpoint", "https://" + v.host[1] + "/token", "--scope", "read", "--scope", "write"}, flags...)
	v.credential("acme", id, file, flags...)
	v.run(nil, "capability", "create", "acme/items", "--credential", "acme", "--method", "GET", "--method", "POST", "--path", "/v1/items")
	return id
}

// The life of an account whose refresh token changes with every use.
func TestOAuthRefreshToken(t *testing.T) {
	t.Parallel()
	a, v := newAuthServer(t)
	id := a.oauthAccount(v, a.account(""))
	for field, wrong := range map[string]string{
		"clientId":     `{"refreshToken":"made-up"}`,
		"refreshToken": `{"clientId":"app id","clientSecret":"made-up"}`,
		"JSON":         "made-up-token",
	} {
		v.refused(2, field, "secrets", "rotate", "--id", id, "--value-file", v.file("wrong", wrong))
	}
	out, _ := v.run(nil, "invoke", "acme/items", "--dry-run", "--method", "GET")
	if !strings.Contains(out, "Authorization: Bearer <ACME_OAUTH>") || v.service.Connections() > 0 {
		t.Errorf("a dry run, after %d connections:\n%s", v.service.Connections(), out)
	}

	// The first token is over at once, and the refresh token of its answer is
	// the one that gets the second.
	a.live(1)
	out, _ = v.run(nil, "invoke", "acme/items", "--path", "/v1/items?a=1", "--body", `{"n":1}`)
	if !strings.HasPrefix(out, "POST /v1/items?a=1 ") || !strings.HasSuffix(out, `{"n":1}`) {
		t.Errorf("the service got %q", out)
	}
	a.live(3600)
	v.run(nil, "invoke", "acme/items", "--method", "GET")
	v.run(nil, "invoke", "acme/items", "--method", "GET") // with the same token
	if got := a.revoke(); got != "refresh_token refresh_token" {
		t.Errorf("granted: %s", got)
	}

	// A token that is refused before its time is renewed once, whoever of
	// several processes sees it first, and each call is made again.
	v.run(nil, "secrets", "rotate", "--id", id, "--value-file", v.file("account", a.account(brokertest.Word(t))))
	var calls sync.WaitGroup
	for range 3 {
		calls.Go(func() {
			var out bytes.Buffer
			cmd := v.command("invoke", "acme/items", "--body", "x", "--fail")
			cmd.Stdout, cmd.Stderr = &out, &out
			if err := cmd.Run(); err != nil {
				t.Errorf("%v: %s", err, out.String())
			}
		})
	}
	calls.Wait()
	if got := a.revoke(); got != "refresh_token" {
		t.Errorf("granted: %s", got)
	}
	var outcomes string
	for _, e := range v.audit("oauth") {
		if e.Credential != "acme" || e.SecretID != id {
			t.Errorf("recorded: %+v", e)
		}
		outcomes += e.Outcome + "."
	}
	if outcomes != ".ok..ok..ok." { // of each, that it began and how it ended
		t.Errorf("recorded: %s", outcomes)
	}

	// A refresh token that somebody else used is over, for good.
	v.run(nil, "secrets", "rotate", "--id", id, "--value-file", v.file("account", a.account(brokertest.Word(t))))
	a.supersede()
	for range 2 {
		v.refused(10, "aivault oauth login", "invoke", "acme/items", "--method", "GET")
	}
	if got := a.revoke(); got != "refresh_token" { // which is asked once
		t.Errorf("granted: %s", got)
	}
	v.run(nil, "secrets", "rotate", "--id", id, "--value-file", v.file("account", a.account("")))
	out, _ = v.run(nil, "invoke", "acme/items", "--method", "GET", "--fail")
	if !strings.Contains(out, "Authorization: [REDACTED]") {
		t.Errorf("the answer is %q", out)
	}
}

// account is the secret of the account as its owner has it: with the refresh
// token that works, and a token that may not.
func (a *authServer) account(access string) string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return fmt.Sprintf(`{"clientId":"app id","client_secret":%q,"refreshToken":%q,"access_token":%q,"note":"kept"}`, a.clientSecret, a.refresh, access)
}

// An account of an application of its own, which has no refresh token.
func TestOAuthClientCredentials(t *testing.T) {
	t.Parallel()
	a, v := newAuthServer(t)
	a.mu.Lock()
	a.inBody = true
	a.mu.Unlock()
	value := fmt.Sprintf(`{"client_id":"app id","client_secret":%q}`, a.clientSecret)
	id := a.oauthAccount(v, value, "--grant-type", "client_credentials", "--client-auth", "body")
	v.refused(2, "clientSecret", "secrets", "rotate", "--id", id, "--value-file", v.file("wrong", `{"clientId":"app id"}`))
	for range 2 {
		v.run(nil, "invoke", "acme/items", "--method", "GET", "--fail")
	}
	if got := a.revoke(); got != "client_credentials" {
		t.Errorf("granted: %s", got)
	}
	v.run(nil, "secrets", "rotate", "--id", id, "--value-file", v.file("account", value))
	v.run(nil, "invoke", "acme/items", "--body", "x", "--fail")
	if got := a.revoke(); got != "client_credentials" {
		t.Errorf("granted: %s", got)
	}
	for _, e := range v.audit("invoke") {
		if e.Credential != "acme" || e.SecretID != id || e.Kind == "invoke.outcome" && (e.Outcome != "ok" || e.Status != 200) {
			t.Errorf("recorded: %+v", e)
		}
	}
}

// The owner of an account follows the address that a login prints, says yes,
// and is sent back; no token, code or verifier shows.
func TestOAuthLogin(t *testing.T) {
	t.Parallel()
	a, v := newAuthServer(t)
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	cmd := v.command("oauth", "login", "--provider", "acme", "--auth-url", "https://"+v.host[1]+"/authorize?prompt=consent",
		"--token-endpoint", "https://"+v.host[1]+"/token", "--client-id", "app id", "--client-secret-file", v.file("client", a.clientSecret+"\n"),
		"--scope", "read", "--scope", "write", "--name", "ACME_OAUTH", "--workspace-id", "w", "--credential", "acme")
	cmd.Args = append(cmd.Args, v.host...)
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	var stdout bytes.Buffer
	cmd.Stdout = &stdout
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = cmd.Process.Kill() }()
	says := a.owner(ctx, v, bufio.NewReader(io.TeeReader(stderr, &v.printed)))
	if err := cmd.Wait(); err != nil {
		t.Fatalf("%v\n%s", err, says)
	}
	v.printed.Write(stdout.Bytes())
	if got := a.revoke(); got != "authorization_code" || a.consented.Get("scope") != "read write" || a.consented.Get("prompt") != "consent" {
		t.Errorf("granted: %s for %v", got, a.consented)
	}
	if !strings.HasPrefix(stdout.String(), "ACME_OAUTH holds the tokens, workspace:w\n") {
		t.Errorf("it says\n%s", stdout.String())
	}

	v.run(nil, "capability", "create", "acme/items", "--credential", "acme", "--method", "GET", "--path", "/v1/items")
	v.refused(5, "", "invoke", "acme/items") // of another workspace
	v.run(nil, "invoke", "acme/items", "--workspace-id", "w", "--fail")
	if got := a.revoke(); got != "refresh_token" {
		t.Errorf("granted: %s", got)
	}
}

// owner is a person with a browser: reads what the login says until there is
// an address, opens it, and reads on. The page at the end repeats nothing.
func (a *authServer) owner(ctx context.Context, v *realVault, terminal *bufio.Reader) (says string) {
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(v.service.CAPEM())
	browser := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}}}
	defer browser.CloseIdleConnections()
	for {
		line, err := terminal.ReadString('\n')
		says += line
		if err != nil {
			return says
		}
		if !strings.HasPrefix(line, "https://") {
			continue
		}
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimSpace(line), nil)
		if err != nil {
			a.t.Fatal(err)
		}
		resp, err := browser.Do(req)
		if err != nil {
			a.t.Fatal(err)
		}
		page, err := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		if err != nil || resp.StatusCode != http.StatusOK || resp.Request.URL.Hostname() != "127.0.0.1" {
			a.t.Errorf("the browser is at %s, status %d: %v", resp.Request.URL.Host, resp.StatusCode, err)
		}
		v.printed.Write(page)
	}
}

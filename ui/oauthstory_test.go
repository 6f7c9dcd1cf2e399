package ui_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"aivault/broker/brokertest"
)

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

	// The first token is over after a second, and the refresh token of its answer is
	// the one that gets the second.
	a.live(1)
	out, _ = v.run(nil, "invoke", "acme/items", "--path", "/v1/items?a=1", "--body", `{"n":1}`)
	if !strings.HasPrefix(out, "POST /v1/items?a=1 ") || !strings.HasSuffix(out, `{"n":1}`) {
		t.Errorf("the service got %q", out)
	}
	a.live(3600)
	time.Sleep(1100 * time.Millisecond)
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
}

// A refresh token that somebody else used is over, for good: its owner has to
// consent again, and the service is asked once only.
func TestOAuthRefused(t *testing.T) {
	t.Parallel()
	a, v := newAuthServer(t)
	id := a.oauthAccount(v, a.account(brokertest.Word(t)))
	a.supersede()
	for range 2 {
		v.refused(10, "aivault oauth login", "invoke", "acme/items", "--method", "GET")
	}
	if got := a.revoke(); got != "refresh_token" {
		t.Errorf("granted: %s", got)
	}
	v.run(nil, "secrets", "rotate", "--id", id, "--value-file", v.file("account", a.account("")))
	out, _ := v.run(nil, "invoke", "acme/items", "--method", "GET", "--fail")
	if !strings.Contains(out, "Authorization: [REDACTED]") {
		t.Errorf("the answer is %q", out)
	}
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

package attack_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"runtime"
	"slices"
	"testing"
	"time"

	"aivault/broker"
	"aivault/broker/brokertest"
	"aivault/broker/brokertest/stage"
	"aivault/keys/fault"
	"aivault/keys/opaque"
	"aivault/vault"
)

// newOAuthWorld returns a world whose secret is an OAuth account, without an
// access token yet, and the issuer of its tokens at auth.test.
func newOAuthWorld(t *testing.T) (*world, *stage.Issuer) {
	t.Helper()
	w := bareWorld(t, brokertest.New(t, host, "auth.test"))
	i := stage.NewIssuer(t)
	w.issued = i.Given
	w.secret = w.putValue(t, "API_OAUTH", account(t, i.Refresh()))
	w.credential(t, oauthCredential("https://auth.test/token"))
	w.capability(t, broker.NewCapability{})
	w.up.Handle(i.ServeHTTP)
	return w, i
}

// account is a secret with a refresh token.
func account(t *testing.T, refresh string) string {
	t.Helper()
	doc, err := json.Marshal(map[string]string{"clientId": "me", "refreshToken": refresh})
	if err != nil {
		t.Fatal(err)
	}
	return string(doc)
}

func oauthCredential(endpoint string) broker.NewCredential {
	return broker.NewCredential{Hosts: []string{host, "auth.test"}, Auth: &vault.Auth{
		Kind: "oauth2", Params: []vault.Param{{Name: "grant_type", Value: "refresh_token"}, {Name: "token_endpoint", Value: endpoint}},
	}}
}

// renewing makes a call whose token may be renewed on the way, and checks what
// is recorded beside that. It returns the status of the answer, or the code of
// the error.
func (w *world) renewing(t *testing.T) (ended string, r result) {
	t.Helper()
	r = w.invoke(t, get(prefix))
	r.events = slices.DeleteFunc(r.events, func(e vault.Event) bool { return e.Kind == vault.KindOAuthRefresh })
	if r.err != nil {
		w.recorded(t, get(prefix), r, vault.OutcomeError, fault.CodeOf(r.err))
		return string(fault.CodeOf(r.err)), r
	}
	w.recorded(t, get(prefix), r, vault.OutcomeOK, "")
	return fmt.Sprint(r.answer.Status), r
}

// ends makes calls, and checks how each ends, and how many token requests there
// were by then.
func (w *world) ends(t *testing.T, i *stage.Issuer, tokenCalls int, want ...string) {
	t.Helper()
	for n, want := range want {
		if got, r := w.renewing(t); got != want {
			t.Errorf("call %d ended with %s (%v), want %s", n+1, got, r.err, want)
		}
	}
	if got := len(i.Calls()); got != tokenCalls {
		t.Errorf("%d token requests, want %d", got, tokenCalls)
	}
}

const consent = string(fault.OAuthRefreshRequired)

func TestCase074Unauthorized(t *testing.T) {
	t.Parallel()
	w, i := newOAuthWorld(t)
	w.ends(t, i, 1, "200", "200")
	w.pass(2 * time.Minute)
	i.Refuse(true)
	ended, r := w.renewing(t)
	if ended != "401" || len(i.Calls()) != 2 {
		t.Fatalf("it ended with %s after %d token requests, want 401 after 2", ended, len(i.Calls()))
	}
	const want = "who is [REDACTED]? I know [REDACTED] and [REDACTED]"
	if string(r.answer.Body) != want || r.answer.Redactions != 3 {
		t.Errorf("the answer is %q, with %d redactions", r.answer.Body, r.answer.Redactions)
	}
	if sent := w.up.Requests()[r.since.requests:]; len(sent) != 3 || sent[1].Host != "auth.test" || sent[0].Get("Authorization") == sent[2].Get("Authorization") {
		t.Errorf("%d requests for a call, a renewal and the call again", len(sent))
	}
	// What cannot be renewed is not tried again.
	w = newWorld(t)
	w.up.Reply(http.StatusUnauthorized, nil, []byte("who is "+w.secret.value+"?"))
	if _, answer := w.allow(t, get(prefix)); string(answer.Body) != "who is [REDACTED]?" {
		t.Errorf("the answer has %d bytes", len(answer.Body))
	}
}

func TestCase087TokenEndpoint(t *testing.T) {
	t.Parallel()
	w, _ := newOAuthWorld(t)
	for endpoint, code := range map[string]fault.Code{
		"":                                     fault.InvalidRequest,
		"http://auth.test/token":               fault.InvalidRequest,
		"https://user@auth.test/token":         fault.InvalidRequest,
		"https://auth.test@auth.evil.test/":    fault.InvalidRequest,
		"https://auth.test/token#x":            fault.InvalidRequest,
		"//auth.test/token":                    fault.InvalidRequest,
		"auth.test/token":                      fault.InvalidRequest,
		"https:///token":                       fault.InvalidRequest,
		"https://auth.evil.test/token":         fault.InvalidRequest,
		"https://auth.test.evil.test/token":    fault.InvalidRequest,
		"https://auth.test:8443/token":         fault.InvalidRequest,
		"https://127.0.0.1/token":              fault.InvalidRequest,
		"https://localhost/token":              fault.InvalidRequest,
		"https://[::1]/token":                  fault.InvalidRequest,
		"https://metadata.google.internal/t":   fault.PolicyViolation,
		"https://auth.evil.test\\@auth.test/t": fault.InvalidRequest,
	} {
		n := oauthCredential(endpoint)
		n.ID = "other"
		w.refuse(t, "the endpoint "+endpoint, code, func() error {
			_, err := w.tryCredential(n)
			return err
		})
	}
}

// A secret that is pinned goes to the hosts of its provider, whatever token
// endpoint a credential has, or one that lends.
func TestCase087PinnedToItsProvider(t *testing.T) {
	t.Parallel()
	w, _ := newOAuthWorld(t)
	evil := oauthCredential("https://auth.test/token")
	evil.ID, evil.Provider, evil.Hosts = "evil", "openai", []string{"api.openai.com", "auth.test"}
	pinned := w.putValue(t, "OPENAI_API_KEY", account(t, brokertest.Word(t)))
	n := evil
	n.Secret = pinned.id
	for _, hosts := range [][]string{{"api.openai.com"}, evil.Hosts} {
		n.Hosts = hosts
		code := fault.InvalidRequest
		if len(hosts) > 1 {
			code = fault.PolicyViolation
		}
		w.refuse(t, fmt.Sprint("a credential for ", hosts), code, func() error {
			_, err := w.tryCredential(n)
			return err
		})
	}
	// One of another secret, which would lend to a binding.
	evil.Proof = proof(w.secret)
	if _, err := w.tryCredential(evil); err != nil {
		t.Fatal(err)
	}
	if _, err := w.broker.DeleteCredential(context.Background(), "openai"); err != nil {
		t.Fatal(err)
	}
	if _, err := w.broker.Bind(context.Background(), broker.NewBinding{Capability: "openai/models", Secret: pinned.id, Scope: vault.GlobalScope()}); err != nil {
		t.Fatal(err)
	}
	w.deny(t, broker.Call{Capability: "openai/models"}, fault.PolicyViolation)
}

// 20 processes that need a token ask for one, all of them together.
func TestCase088Processes(t *testing.T) {
	t.Parallel()
	w, i := newOAuthWorld(t)
	r := result{since: w.mark(t)}
	if got := w.processes(t, 20, "calls", "1"); got["200"] != 20 || len(got) != 1 {
		t.Errorf("they ended with %v", got)
	}
	if n := len(i.Calls()); n != 1 {
		t.Errorf("%d token requests", n)
	}
	w.look(t, &r)
	kinds := map[string]int{}
	for _, e := range r.events {
		kinds[e.Kind+" "+e.Outcome]++
	}
	if kinds["invoke.intent "] != 20 || kinds["invoke.outcome ok"] != 20 || kinds["oauth.refresh "] != 1 || kinds["oauth.refresh ok"] != 1 || len(kinds) != 4 {
		t.Errorf("recorded were %v", kinds)
	}
}

// workKilled makes a call, and is killed between the answer of the token
// endpoint and the moment when it is stored.
func workKilled(p *process) error {
	p.store.endRenewal = func() {
		if self, err := os.FindProcess(os.Getpid()); err == nil {
			_ = self.Kill()
		}
		select {}
	}
	_, err := fmt.Fprintln(p.out, p.call())
	return err
}

// killed starts a worker that does not survive its call. If inAnswer, it is
// killed while the answer of the token endpoint is on its way.
func (w *world) killed(t *testing.T, i *stage.Issuer, inAnswer bool) {
	t.Helper()
	started := make(chan *os.Process, 1)
	cmd := w.worker(t, "killed")
	if inAnswer {
		cmd = w.worker(t, "calls", "1")
		i.Answer(func(rw http.ResponseWriter, tokens string) bool {
			_, _ = io.WriteString(rw, tokens[:len(tokens)/2])
			_ = http.NewResponseController(rw).Flush()
			_ = (<-started).Kill()
			return true
		})
		defer i.Answer(nil)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	started <- cmd.Process
	if err := cmd.Wait(); err == nil || cmd.ProcessState.Exited() && runtime.GOOS != "windows" {
		t.Fatalf("it was not killed: %v", cmd.ProcessState)
	}
}

func TestCase089Killed(t *testing.T) {
	t.Parallel()
	for name, inAnswer := range map[string]bool{"in the answer": true, "before the commit": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			t.Run("and the token is void", func(t *testing.T) {
				t.Parallel()
				w, i := newOAuthWorld(t)
				w.killed(t, i, inAnswer)
				w.ends(t, i, 2, consent) // the old token is tried, once
				w.ends(t, i, 2, consent, consent)
				if _, r := w.renewing(t); r.err == nil || fault.HintOf(r.err) == "" {
					t.Errorf("the error is %v, without a hint", r.err)
				}
				w.consented(t, i)
				w.ends(t, i, 3, "200", "200")
			})
			t.Run("and the token is good", func(t *testing.T) {
				t.Parallel()
				w, i := newOAuthWorld(t)
				old := i.Refresh()
				w.killed(t, i, inAnswer)
				i.SetRefresh(old)
				w.ends(t, i, 2, "200", "200")
			})
			t.Run("twice", func(t *testing.T) {
				t.Parallel()
				w, i := newOAuthWorld(t)
				old := i.Refresh()
				w.killed(t, i, inAnswer)
				i.SetRefresh(old)
				w.killed(t, i, inAnswer)
				i.SetRefresh(old)
				w.ends(t, i, 2, consent, consent) // without another try
				w.consented(t, i)
				w.ends(t, i, 3, "200")
			})
		})
	}
}

// consented stores what the owner of the account got by consenting again.
func (w *world) consented(t *testing.T, i *stage.Issuer) {
	t.Helper()
	i.SetRefresh("")
	value := opaque.New([]byte(account(t, i.Refresh())))
	if _, err := w.vault.RotateSecret(context.Background(), w.secret.id, value, 0); err != nil {
		t.Fatal(err)
	}
}

// A service that refuses every token is asked for one a minute.
func TestCase090OneRefreshAMinute(t *testing.T) {
	t.Parallel()
	w, i := newOAuthWorld(t)
	w.ends(t, i, 1, "200")
	i.Refuse(true)
	w.ends(t, i, 1, "401", "401", "401")
	for minute := range 3 {
		w.pass(59 * time.Second)
		w.ends(t, i, 1+minute, "401")
		w.pass(2 * time.Second)
		w.ends(t, i, 2+minute, "401", "401", "401")
	}
	if got := w.processes(t, 5, "calls", "4"); got["401"] != 20 {
		t.Errorf("they ended with %v", got)
	}
	i.Refuse(false)
	w.ends(t, i, 4, "200")
}

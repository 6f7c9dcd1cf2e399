package broker_test

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aivault/broker"
	"aivault/broker/brokertest"
	"aivault/keys/fault"
	"aivault/vault"
)

func TestInvoke(t *testing.T) {
	t.Parallel()
	forEachStore(t, func(t *testing.T, r *rig) {
		s := r.acme(t)
		r.up.Reply(http.StatusNotFound, http.Header{"Content-Type": {"application/problem+json; charset=utf-8"}}, []byte(`{"no":1}`))
		got, err := r.broker.Invoke(context.Background(), broker.Call{
			Capability: "acme/items", Method: "post", Path: "/v1/items/7?a=b%20c", Body: []byte(` {"x":1}`),
			Headers: []broker.Header{{Name: "x-custom", Value: "yes"}}, ClientIP: "127.0.0.1",
		})
		if err != nil {
			t.Fatal(err)
		}
		want := &broker.Answer{
			Capability: "acme/items", Credential: "acme-main", Secret: "ACME_TOKEN", Method: "POST",
			URL: "https://api.acme.test/v1/items/7?a=b%20c", Status: 404, MediaType: "application/problem+json", Body: []byte(`{"no":1}`),
			RequestBytes: 8, ResponseBytes: 8, Header: got.Header, Duration: got.Duration, Timing: got.Timing, Intent: got.Intent,
		}
		if diff := cmp.Diff(got, want); diff != "" {
			t.Errorf("(-got +want):\n%s", diff)
		}
		req := r.up.Requests()[0]
		sent := []string{req.Method, req.URI, req.Host, req.SNI, req.Get("Authorization"), req.Get("X-Custom"), req.Get("Content-Type"), string(req.Body)}
		wantSent := []string{"POST", "/v1/items/7?a=b%20c", "api.acme.test", "api.acme.test", "Bearer " + s.value, "yes", "application/json", ` {"x":1}`}
		for i := range sent {
			if sent[i] != wantSent[i] {
				t.Errorf("the upstream got another item %d than %q", i, []string{"method", "uri", "host", "sni", "auth", "header", "type", "body"}[i])
			}
		}
		e := r.last(t)
		if e.Kind != vault.KindInvokeOutcome || e.Outcome != vault.OutcomeOK || e.Status != 404 || e.ResponseBytes != 8 || e.RequestBytes != 8 || e.Duration <= 0 {
			t.Errorf("outcome %+v", e)
		}
	})
}

// A denied call is recorded once, with its reason; it decrypts nothing,
// resolves nothing and connects to nobody.
func TestDeniedCalls(t *testing.T) {
	t.Parallel()
	hdr := func(name, value string) []broker.Header { return []broker.Header{{Name: name, Value: value}} }
	tests := []struct {
		name string
		call broker.Call
		want fault.Code
	}{
		{"no capability", broker.Call{}, fault.InvalidRequest},
		{"95 unknown capability", broker.Call{Capability: "acme/nope"}, fault.CapabilityNotFound},
		{"hostile capability", broker.Call{Capability: "../../etc\x00" + strings.Repeat("x", 500)}, fault.CapabilityNotFound},
		{"97 group without workspace", broker.Call{Capability: "acme/items", Context: vault.Context{Group: "a"}}, fault.InvalidRequest},
		{"client address of another machine", broker.Call{Capability: "acme/items", ClientIP: "192.0.2.1"}, fault.PolicyViolation},
		{"client address that is none", broker.Call{Capability: "acme/items", ClientIP: "localhost"}, fault.InvalidRequest},
		{"negative timeout", broker.Call{Capability: "acme/items", Timeout: -1}, fault.InvalidRequest},
		{"unknown credential", broker.Call{Capability: "acme/items", Credential: "nope"}, fault.CredentialNotFound},
		{"no credential", broker.Call{Capability: "openai/models"}, fault.CredentialNotFound},
		{"method", broker.Call{Capability: "acme/items", Method: "DELETE"}, fault.PolicyViolation},
		{"method that is none", broker.Call{Capability: "acme/items", Method: "GE T"}, fault.InvalidRequest},
		{"3.1/1 path", broker.Call{Capability: "acme/items", Method: "GET", Path: "/v1/itemset"}, fault.PolicyViolation},
		{"3.1/3 dot segments", broker.Call{Capability: "acme/items", Method: "GET", Path: "/v1/items/../admin"}, fault.InvalidRequest},
		{"3.1/11 absolute", broker.Call{Capability: "acme/items", Method: "GET", Path: "https://evil.test/v1/items"}, fault.InvalidRequest},
		{"3.3/27 authorization", broker.Call{Capability: "acme/items", Method: "GET", Headers: hdr("Authorization", "Bearer mine")}, fault.PolicyViolation},
		{"3.3/28 host", broker.Call{Capability: "acme/items", Method: "GET", Headers: hdr("Host", "evil.test")}, fault.PolicyViolation},
		{"3.3/31 line break", broker.Call{Capability: "acme/items", Method: "GET", Headers: hdr("X-A", "a\r\nB: c")}, fault.InvalidRequest},
		{"3.2/26 method override", broker.Call{Capability: "acme/items", Method: "GET", Path: "/v1/items?_method=DELETE"}, fault.PolicyViolation},
	}
	r, store := newMemoryRig(t)
	s := r.acme(t)
	now := time.Now()
	store.SetClock(func() time.Time { return now })
	for _, tt := range tests {
		now = now.Add(time.Minute) // those of one minute that are the same are one event
		before := len(r.events(t))
		_, err := r.broker.Invoke(context.Background(), tt.call)
		if got := fault.CodeOf(err); got != tt.want {
			t.Errorf("%s: %q (%v), want %q", tt.name, got, err, tt.want)
			continue
		}
		brokertest.Scan(t, tt.name, []byte(err.Error()+fault.HintOf(err)), s.value)
		events := r.events(t)[before:]
		if len(events) != 1 || events[0].Kind != vault.KindInvokeDenied || events[0].Outcome != vault.OutcomeDenied || events[0].Code != tt.want {
			t.Errorf("%s: recorded as %+v", tt.name, events)
		}
		for _, e := range events {
			if len(e.Capability) > 128 || len(e.Path) > 256 || strings.ContainsAny(e.Capability+e.Path+e.Method, "\x00\r\n?") {
				t.Errorf("%s: the log keeps what the caller wrote: %+v", tt.name, e)
			}
		}
	}
	if n := len(store.Decrypted()); n != 0 {
		t.Errorf("%d values were decrypted", n)
	}
	if n := r.up.Connections(); n != 0 {
		t.Errorf("the upstream was connected to %d times", n)
	}
}

func TestStrategies(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		auth   vault.Auth
		value  string
		header string // what the upstream gets, with VALUE for the secret
		want   string
		uri    string
		url    string
	}{
		{"header", *bearer(), "", "Authorization", "Bearer VALUE", "/v1/items?q=1", "https://api.acme.test/v1/items?q=1"},
		{"own header", vault.Auth{Kind: "header", Params: []vault.Param{{Name: "x-api-key", Value: "{{secret}}"}}}, "", "X-Api-Key", "VALUE", "/v1/items?q=1", "https://api.acme.test/v1/items?q=1"},
		{"query", vault.Auth{Kind: "query", Params: []vault.Param{{Name: "api_key", Value: "{{secret}}"}}}, "made/up+value", "", "", "/v1/items?q=1&api_key=made%2Fup%2Bvalue", "https://api.acme.test/v1/items?q=1&api_key=REDACTED"},
		{"basic", vault.Auth{Kind: "basic"}, "made-up:password", "Authorization", "Basic " + base64.StdEncoding.EncodeToString([]byte("made-up:password")), "/v1/items?q=1", "https://api.acme.test/v1/items?q=1"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r, store := newMemoryRig(t)
			r.capability(t, "acme/items", "api.acme.test")
			value := tt.value
			if value == "" {
				value = brokertest.Canary(t)
			}
			s, err := store.CreateSecret(context.Background(), vault.NewSecret{Name: "A", Scope: vault.GlobalScope(), Value: vaultValue(value)})
			if err != nil {
				t.Fatal(err)
			}
			_, err = r.broker.CreateCredential(context.Background(), broker.NewCredential{ID: "a", Provider: "acme", Secret: s.ID, Scope: vault.GlobalScope(), Auth: &tt.auth, Hosts: []string{"api.acme.test"}})
			if err != nil {
				t.Fatal(err)
			}
			answer, err := r.broker.Invoke(context.Background(), broker.Call{Capability: "acme/items", Path: "/v1/items?q=1"})
			if err != nil {
				t.Fatal(err)
			}
			req := r.up.Requests()[0]
			if tt.header != "" && req.Get(tt.header) != strings.ReplaceAll(tt.want, "VALUE", value) {
				t.Errorf("the upstream did not get %s", tt.header)
			}
			if req.URI != tt.uri {
				t.Error("the upstream got another query")
			}
			if answer.URL != tt.url {
				t.Errorf("URL %q, want %q", answer.URL, tt.url)
			}
		})
	}
}

// Whatever the upstream does with the secret, it does not come back.
func TestTheAnswerDoesNotHoldTheSecret(t *testing.T) {
	t.Parallel()
	r, _ := newMemoryRig(t)
	s := r.acme(t)
	for i, form := range brokertest.Forms(s.value) {
		r.up.Reply(200, http.Header{"Content-Type": {"text/plain"}, "Set-Cookie": {"a=b"}}, fmt.Appendf(nil, "before %s after", form))
		answer, err := r.invoke("acme/items", nowhere)
		if err != nil {
			t.Fatal(err)
		}
		brokertest.Scan(t, fmt.Sprintf("form %d", i), answer.Body, s.value)
		if !strings.HasPrefix(string(answer.Body), "before ") || answer.Redactions == 0 {
			t.Errorf("form %d: %d redactions", i, answer.Redactions)
		}
		if e := r.last(t); e.Redactions != answer.Redactions {
			t.Errorf("form %d: the log says %d redactions", i, e.Redactions)
		}
	}
	r.up.Reply(200, http.Header{"Content-Type": {"text/" + strings.Map(token, s.value)}}, []byte("Bearer "+s.value))
	answer, err := r.invoke("acme/items", nowhere)
	if err != nil {
		t.Fatal(err)
	}
	brokertest.Scan(t, "the answer", fmt.Appendf(nil, "%+v", answer), s.value)
}

// token keeps the characters of a token.
func token(r rune) rune {
	if strings.ContainsRune(`/"\<= ~`, r) {
		return -1
	}
	return r
}

func TestAuditUnavailable(t *testing.T) {
	t.Parallel()
	r, store := newMemoryRig(t)
	r.acme(t)
	store.FailAudit(errors.New("no space left on device"))
	_, err := r.invoke("acme/items", nowhere)
	if fault.CodeOf(err) != fault.AuditUnavailable {
		t.Errorf("101: %v", err)
	}
	if len(store.Decrypted()) != 0 || r.up.Connections() != 0 {
		t.Error("101: the call was made all the same")
	}
	store.FailAudit(nil)
	r.up.Handle(func(w http.ResponseWriter, _ *http.Request) { store.FailAudit(errors.New("no space left on device")) })
	answer, err := r.invoke("acme/items", nowhere)
	if err != nil || fault.CodeOf(answer.Unrecorded) != fault.AuditUnavailable {
		t.Errorf("an outcome that cannot be recorded: %+v, %v", answer, err)
	}
}

// The outcome is recorded even though the caller has gone.
func TestOutcomeOfACanceledCall(t *testing.T) {
	t.Parallel()
	forEachStore(t, func(t *testing.T, r *rig) {
		s := r.acme(t)
		ctx, cancel := context.WithCancel(context.Background())
		r.up.Handle(func(_ http.ResponseWriter, req *http.Request) {
			cancel()
			<-req.Context().Done()
		})
		_, err := r.broker.Invoke(ctx, broker.Call{Capability: "acme/items", Method: "GET"})
		if fault.CodeOf(err) != fault.Canceled {
			t.Errorf("%v", err)
		}
		brokertest.Scan(t, "the error", []byte(err.Error()), s.value)
		if e := r.last(t); e.Kind != vault.KindInvokeOutcome || e.Outcome != vault.OutcomeError || e.Code != fault.Canceled {
			t.Errorf("recorded as %+v", e)
		}
	})
}

func TestTimeout(t *testing.T) {
	t.Parallel()
	r, _ := newMemoryRig(t)
	r.acme(t)
	r.up.Handle(func(_ http.ResponseWriter, req *http.Request) { <-req.Context().Done() })
	_, err := r.broker.Invoke(context.Background(), broker.Call{Capability: "acme/items", Method: "GET", Timeout: 200 * time.Millisecond})
	if fault.CodeOf(err) != fault.Timeout {
		t.Errorf("%v", err)
	}
	if e := r.last(t); e.Code != fault.Timeout || e.Outcome != vault.OutcomeError {
		t.Errorf("recorded as %+v", e)
	}
}

// What the value of a secret cannot be is an error after the intent, and does
// not show it.
func TestValueThatCannotTravel(t *testing.T) {
	t.Parallel()
	r, store := newMemoryRig(t)
	r.capability(t, "acme/items", "api.acme.test")
	canary := brokertest.Word(t)
	s, err := store.CreateSecret(context.Background(), vault.NewSecret{Name: "A", Scope: vault.GlobalScope(), Value: vaultValue(canary + "\nX: y")})
	if err != nil {
		t.Fatal(err)
	}
	r.credential(t, "a", s.ID, vault.GlobalScope())
	_, err = r.invoke("acme/items", nowhere)
	if fault.CodeOf(err) != fault.InvalidRequest {
		t.Fatalf("%v", err)
	}
	brokertest.Scan(t, "the error", []byte(err.Error()+fault.HintOf(err)), canary)
	if r.up.Connections() != 0 {
		t.Error("the upstream was connected to")
	}
	if e := r.last(t); e.Kind != vault.KindInvokeOutcome || e.Code != fault.InvalidRequest {
		t.Errorf("recorded as %+v", e)
	}
}

func TestStaticHeaders(t *testing.T) {
	t.Parallel()
	r, _ := newMemoryRig(t)
	r.put(t, "ANTHROPIC_API_KEY", vault.GlobalScope(), false)
	for _, own := range []string{"", "2099-01-01"} {
		call := broker.Call{Capability: "anthropic/models"}
		want := "2023-06-01"
		if own != "" {
			call.Headers, want = []broker.Header{{Name: "Anthropic-Version", Value: own}}, own
		}
		before := len(r.up.Requests())
		if _, err := r.broker.Invoke(context.Background(), call); err != nil {
			t.Fatal(err)
		}
		if got := r.up.Requests()[before].Values("anthropic-version"); len(got) != 1 || got[0] != want {
			t.Errorf("anthropic-version %v, want %q", got, want)
		}
	}
}

func TestContentType(t *testing.T) {
	t.Parallel()
	r, _ := newMemoryRig(t)
	r.acme(t)
	tests := []struct{ body, own, want string }{
		{`{"a":1}`, "", "application/json"},
		{" \n[1]", "", "application/json"},
		{`{"a":1}`, "text/plain", "text/plain"},
		{`{"a":`, "", ""},
		{`text`, "", ""},
		{`12`, "", ""},
	}
	for _, tt := range tests {
		call := broker.Call{Capability: "acme/items", Body: []byte(tt.body)}
		if tt.own != "" {
			call.Headers = []broker.Header{{Name: "content-type", Value: tt.own}}
		}
		before := len(r.up.Requests())
		if _, err := r.broker.Invoke(context.Background(), call); err != nil {
			t.Fatal(err)
		}
		req := r.up.Requests()[before]
		if got := req.Get("Content-Type"); got != tt.want || req.Method != "POST" || string(req.Body) != tt.body {
			t.Errorf("body %q: %s with type %q, want %q", tt.body, req.Method, got, tt.want)
		}
	}
}

// A registry credential of two secrets sends both, and a binding may give one
// secret that holds both.
func TestTwoSecrets(t *testing.T) {
	t.Parallel()
	forEachStore(t, func(t *testing.T, r *rig) {
		sid := r.put(t, "TWILIO_ACCOUNT_SID", vault.GlobalScope(), false)
		call := broker.Call{Capability: "twilio/api", Method: "GET"}
		if _, err := r.broker.Invoke(context.Background(), call); fault.CodeOf(err) != fault.CredentialNotFound {
			t.Errorf("with one of two secrets: %v", err)
		}
		token := r.put(t, "TWILIO_AUTH_TOKEN", vault.GlobalScope(), false)
		answer, err := r.broker.Invoke(context.Background(), call)
		if err != nil {
			t.Fatal(err)
		}
		if answer.Credential != "twilio" || answer.Secret != "TWILIO_ACCOUNT_SID, TWILIO_AUTH_TOKEN" {
			t.Errorf("%+v", answer)
		}
		want := "Basic " + base64.StdEncoding.EncodeToString([]byte(sid.value+":"+token.value))
		if got := r.up.Requests(); got[len(got)-1].Get("Authorization") != want {
			t.Error("the upstream did not get both")
		}
	})
}

func BenchmarkInvoke(b *testing.B) {
	for _, bb := range []struct {
		name string
		call broker.Call
		want fault.Code
	}{
		{"denied", broker.Call{Capability: "acme/items", Method: "DELETE"}, fault.PolicyViolation},
		{"answered", broker.Call{Capability: "acme/items", Method: "GET"}, ""},
	} {
		b.Run(bb.name, func(b *testing.B) {
			r, _ := newMemoryRig(b)
			r.acme(b)
			b.ReportAllocs()
			for b.Loop() {
				_, err := r.broker.Invoke(context.Background(), bb.call)
				if code := fault.CodeOf(err); code != bb.want && code != fault.RateLimited { // so many refusals are
					b.Fatal(err)
				}
			}
		})
	}
}

// Who gives up while the vault is busy is told so, and not in the words of a
// program.
func TestGivenUpWhileWaiting(t *testing.T) {
	t.Parallel()
	forEachStore(t, func(t *testing.T, r *rig) {
		r.acme(t)
		late, cancel := context.WithTimeout(context.Background(), 0)
		defer cancel()
		gone, leave := context.WithCancel(context.Background())
		leave()
		for code, ctx := range map[fault.Code]context.Context{fault.Timeout: late, fault.Canceled: gone} {
			_, err := r.broker.Invoke(ctx, broker.Call{Capability: "acme/items", Method: "GET"})
			if fault.CodeOf(err) != code || strings.Contains(err.Error(), "context") {
				t.Errorf("%v, want %s in words", err, code)
			}
		}
		if n := len(r.up.Requests()); n > 0 {
			t.Errorf("%d requests were sent", n)
		}
	})
}

package broker_test

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"aivault/broker"
	"aivault/broker/brokertest"
	"aivault/broker/brokertest/memstore"
	"aivault/broker/brokertest/stage"
	"aivault/broker/brokertest/upstream"
	"aivault/broker/registry"
	"aivault/keys/fault"
	"aivault/keys/opaque"
	"aivault/vault"
)

// parcels is a provider with most of what a file may have.
const parcels = `{
  "id": "parcels", "name": "Parcels", "hosts": ["api.acme.test", "*.shops.test", "auth.acme.test", "queue.us-east-1.acme.test"],
  "other_hosts": [
    {"host": "eu.acme.test", "instead_of": "api.acme.test", "description": "Europe"},
    {"host": "queue.eu-west-2.acme.test", "instead_of": "queue.us-east-1.acme.test", "description": "Europe"}
  ],
  "credentials": [
    {"id": "", "secrets": [{"placeholder": "secret", "name": "PARCELS_OAUTH"}], "hosts": ["api.acme.test", "auth.acme.test"],
     "auth": {"kind": "oauth2", "params": [{"name": "grant_type", "value": "refresh_token"}, {"name": "token_endpoint", "value": "https://auth.acme.test/token"}, {"name": "client_auth", "value": "body"}]},
     "login": {"authorization_endpoint": "https://auth.acme.test/authorize", "scopes": ["read", "write"], "params": [{"name": "access_type", "value": "offline"}]}},
    {"id": "key", "secrets": [{"placeholder": "secret", "name": "PARCELS_KEY", "looks_like": ["pk-"]}], "hosts": ["api.acme.test"],
     "auth": {"kind": "header", "params": [{"name": "Authorization", "value": "Bearer {{secret}}"}]}},
    {"id": "shop", "secrets": [{"placeholder": "secret", "name": "PARCELS_SHOP"}], "hosts": ["*.shops.test"],
     "auth": {"kind": "header", "params": [{"name": "X-Shop", "value": "{{secret}}"}]}},
    {"id": "queue", "secrets": [{"placeholder": "secret", "name": "PARCELS_AWS"}], "hosts": ["queue.us-east-1.acme.test"],
     "auth": {"kind": "aws-sigv4", "params": [{"name": "service", "value": "sqs"}, {"name": "region", "value": "us-east-1"}]}}
  ],
  "capabilities": [
    {"id": "parcels/boxes", "description": "Boxes", "methods": ["GET", "POST"], "paths": ["/v1/boxes"], "except": ["/v1/boxes/purge"]},
    {"id": "parcels/files", "description": "Files", "methods": ["GET"], "paths": ["/v1/files"], "encoded_slash": true, "except": ["/v1/files/a/keys"]},
    {"id": "parcels/queue", "description": "The queue", "hosts": ["queue.us-east-1.acme.test"], "methods": ["POST"], "paths": ["/v1/queue"]},
    {"id": "parcels/shop", "description": "A shop", "hosts": ["*.shops.test"], "methods": ["GET"], "paths": ["/v1/orders"]}
  ]
}`

// newParcels returns a rig whose registry has that provider and no other.
func newParcels(t *testing.T) *rig {
	t.Helper()
	p, err := registry.Decode([]byte(parcels))
	if err != nil {
		t.Fatal(err)
	}
	reg, err := registry.New(p)
	if err != nil {
		t.Fatal(err)
	}
	return rigOf(t, reg, "api.acme.test", "eu.acme.test", "auth.acme.test", "a.shops.test", "b.shops.test", "queue.eu-west-2.acme.test")
}

// rigOf returns a rig of a registry, whose upstream answers at some hosts.
func rigOf(t *testing.T, reg *registry.Registry, hosts ...string) *rig {
	t.Helper()
	r := &rig{store: memstore.New(reg), up: brokertest.New(t, hosts...)}
	config := (&stage.Network{Upstream: r.up}).Config(r.store)
	config.Registry = reg
	r.broker = broker.New(config)
	t.Cleanup(r.broker.Close)
	r.up.Reply(200, nil, []byte("{}"))
	return r
}

func (r *rig) make(t *testing.T, n broker.NewCredential) {
	t.Helper()
	if _, err := r.broker.CreateCredential(context.Background(), n); err != nil {
		t.Fatal(err)
	}
}

// lastRequest returns the last request that came in, once n have.
func (r *rig) lastRequest(t *testing.T, n int) upstream.Request {
	t.Helper()
	got := r.up.Requests()
	if len(got) != n {
		t.Fatalf("%d requests came in, want %d", len(got), n)
	}
	return got[n-1]
}

// Where only the owner knows the host, a secret alone is not ready, and goes to
// the tenant that its credential names and to no other.
func TestTenants(t *testing.T) {
	t.Parallel()
	r, ctx := newParcels(t), context.Background()
	s := r.put(t, "PARCELS_SHOP", vault.GlobalScope(), false)
	claim, err := r.broker.Claim(ctx, "PARCELS_SHOP", mustScope(t, "w", ""))
	if err != nil || claim.NeedsHost != "*.shops.test" || claim.Credential != "" {
		t.Errorf("the claim is %+v, %v", claim, err)
	}
	if _, err := r.invoke("parcels/shop", vault.Context{}); fault.CodeOf(err) != fault.CredentialNotFound {
		t.Errorf("without a host: %v", err)
	}
	accounts, err := r.broker.Accounts(ctx)
	if err != nil || len(accounts) != 1 || accounts[0].Works() || accounts[0].NeedsHost != "*.shops.test" {
		t.Errorf("accounts are %+v, %v", accounts, err)
	}
	for host, want := range map[string]fault.Code{
		"shops.test": fault.PolicyViolation, "a.b.shops.test": fault.PolicyViolation, "shops.test.evil.test": fault.PolicyViolation,
		"ashops.test": fault.PolicyViolation, "*.shops.test": fault.InvalidRequest, "": fault.InvalidRequest,
	} {
		n := broker.NewCredential{ID: "mine", Provider: "parcels", Secret: s.id, Scope: vault.GlobalScope()}
		if host != "" {
			n.Hosts = []string{host}
		}
		if _, err := r.broker.CreateCredential(ctx, n); fault.CodeOf(err) != want {
			t.Errorf("host %q: %v", host, err)
		}
	}
	if _, err := r.broker.CreateCredential(ctx, broker.NewCredential{ID: "parcels:shop", Secret: s.id}); fault.CodeOf(err) != fault.InvalidRequest {
		t.Errorf("what the registry makes: %v", err)
	}
	r.make(t, broker.NewCredential{ID: "mine", Provider: "parcels", Secret: s.id, Scope: vault.GlobalScope(), Hosts: []string{"b.shops.test"}})
	if _, err := r.invoke("parcels/shop", vault.Context{}); err != nil {
		t.Fatal(err)
	}
	if got := r.lastRequest(t, 1); got.Host != "b.shops.test" || got.SNI != "b.shops.test" || got.Get("X-Shop") != s.value {
		t.Errorf("it went to %s (%s)", got.Host, got.SNI)
	}
	if accounts, err = r.broker.Accounts(ctx); err != nil || len(accounts) != 1 || !accounts[0].Works() {
		t.Errorf("accounts are %+v, %v", accounts, err)
	}
	// A binding borrows the host of that credential, and no other.
	other := r.put(t, "ANOTHER", mustScope(t, "w", ""), false)
	if _, err := r.broker.Bind(ctx, broker.NewBinding{Capability: "parcels/shop", Secret: other.id, Scope: mustScope(t, "w", "")}); err != nil {
		t.Fatal(err)
	}
	if _, err := r.invoke("parcels/shop", vault.Context{Workspace: "w"}); err != nil {
		t.Fatal(err)
	}
	if got := r.lastRequest(t, 2); got.Host != "b.shops.test" || got.Get("X-Shop") != other.value {
		t.Errorf("the bound secret went to %s", got.Host)
	}
}

// A credential may name the host of a region instead of the usual one, and not
// both.
func TestOtherHosts(t *testing.T) {
	t.Parallel()
	r, ctx := newParcels(t), context.Background()
	s := r.put(t, "PARCELS_KEY", vault.GlobalScope(), false)
	if _, err := r.invoke("parcels/boxes", vault.Context{}); err != nil {
		t.Fatal(err)
	}
	if got := r.lastRequest(t, 1); got.Host != "api.acme.test" {
		t.Errorf("it went to %s", got.Host)
	}
	n := broker.NewCredential{ID: "europe", Provider: "parcels", Secret: s.id, Scope: mustScope(t, "w", ""), Hosts: []string{"eu.acme.test", "api.acme.test"}}
	if _, err := r.broker.CreateCredential(ctx, n); fault.CodeOf(err) != fault.InvalidRequest {
		t.Errorf("both: %v", err)
	}
	n.Hosts = n.Hosts[:1]
	r.make(t, n)
	if _, err := r.broker.Invoke(ctx, broker.Call{Capability: "parcels/boxes", Context: vault.Context{Workspace: "w"}, Credential: "europe"}); err != nil {
		t.Fatal(err)
	}
	if got := r.lastRequest(t, 2); got.Host != "eu.acme.test" {
		t.Errorf("it went to %s", got.Host)
	}
	d, err := r.broker.Describe(ctx, "parcels/boxes")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(d.OtherHosts, []broker.OtherHost{{Host: "eu.acme.test", Description: "Europe"}}); diff != "" {
		t.Errorf("other hosts (-got +want)\n%s", diff)
	}
}

// A signature is for the region of the host that the credential names.
func TestRegionOfHost(t *testing.T) {
	t.Parallel()
	r := newParcels(t)
	value := `{"accessKeyId":"AKIDEXAMPLE","secretAccessKey":"` + brokertest.Word(t) + `"}`
	s, err := r.store.CreateSecret(context.Background(), vault.NewSecret{Name: "PARCELS_AWS", Scope: vault.GlobalScope(), Value: opaque.New([]byte(value))})
	if err != nil {
		t.Fatal(err)
	}
	r.make(t, broker.NewCredential{ID: "london", Provider: "parcels", Secret: s.ID, Scope: vault.GlobalScope(), Hosts: []string{"queue.eu-west-2.acme.test"}})
	if _, err := r.broker.Invoke(context.Background(), broker.Call{Capability: "parcels/queue", Credential: "london", Body: []byte("{}")}); err != nil {
		t.Fatal(err)
	}
	if got := r.lastRequest(t, 1); got.Host != "queue.eu-west-2.acme.test" || !strings.Contains(got.Get("Authorization"), "/eu-west-2/sqs/aws4_request") {
		t.Errorf("it went to %s, signed %s", got.Host, got.Get("Authorization"))
	}
}

// An encoded slash arrives as it was written where the capability takes one, and
// nowhere else; what is excepted stays so, however it is written.
//
// Case 5.
func TestEncodedSlash(t *testing.T) {
	t.Parallel()
	r := newParcels(t)
	r.put(t, "PARCELS_KEY", vault.GlobalScope(), false)
	call := func(capability, path string) error {
		_, err := r.broker.Invoke(context.Background(), broker.Call{Capability: capability, Method: "GET", Path: path})
		return err
	}
	if err := call("parcels/files", "/v1/files/group%2fname/raw?ref=a%2Fb"); err != nil {
		t.Fatal(err)
	}
	if got := r.lastRequest(t, 1); got.URI != "/v1/files/group%2Fname/raw?ref=a%2Fb" {
		t.Errorf("sent was %s", got.URI)
	}
	for path, want := range map[string]fault.Code{
		"parcels/boxes /v1/boxes/group%2Fname":      fault.InvalidRequest,
		"parcels/boxes /v1/boxes/purge":             fault.PolicyViolation,
		"parcels/boxes /v1/boxes/Purge/all":         fault.PolicyViolation,
		"parcels/boxes /v1/boxes/purge:now":         fault.PolicyViolation,
		"parcels/files /v1/files/a%2F..%2Fb":        fault.InvalidRequest,
		"parcels/files /v1/files/%2Fetc":            fault.InvalidRequest,
		"parcels/files /v1/files/a%2F%2Fb":          fault.InvalidRequest,
		"parcels/files /v1/files/a%2F":              fault.InvalidRequest,
		"parcels/files /v1/files/a%5Cb":             fault.InvalidRequest,
		"parcels/files /v1/files/a%252Fb":           fault.InvalidRequest,
		"parcels/files /v1/files%2Fa":               fault.PolicyViolation,
		"parcels/files /v1/files/a%2Fkeys":          fault.PolicyViolation,
		"parcels/files /v1/files/a/keys%2Fx":        fault.PolicyViolation,
		"parcels/files /v1/files/a/keys/x":          fault.PolicyViolation,
		"parcels/files /v1%2Ffiles/../boxes/purge/": fault.InvalidRequest,
	} {
		capability, path, _ := strings.Cut(path, " ")
		if err := call(capability, path); fault.CodeOf(err) != want {
			t.Errorf("%s %s: %v", capability, path, err)
		}
	}
	if err := call("parcels/boxes", "/v1/boxes/purgeable"); err != nil {
		t.Errorf("a name that begins like what is excepted: %v", err)
	}
}

// A login at a provider that the registry knows needs no address, and makes the
// provider's credential.
func TestLoginOfProvider(t *testing.T) {
	t.Parallel()
	r, ctx := newParcels(t), context.Background()
	o := &owner{code: brokertest.Word(t), visit: func(redirect string, q url.Values) { get(redirect + "?" + q.Encode()) }}
	token := brokertest.Word(t)
	exchange := tokenServer(t, o, token, brokertest.Word(t))
	r.up.Handle(func(w http.ResponseWriter, req *http.Request) {
		if req.Host == "auth.acme.test" {
			exchange(w, req)
			return
		}
		_, _ = fmt.Fprint(w, "{}")
	})
	var consent *url.URL
	s, err := r.broker.Login(ctx, broker.Login{
		Provider: "parcels", ClientID: "me", ClientSecret: opaque.New([]byte(brokertest.Word(t))), Scope: vault.GlobalScope(),
		Open: func(address string) error {
			consent, _ = url.Parse(address)
			return o.open(address)
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	if q := consent.Query(); consent.Host != "auth.acme.test" || consent.Path != "/authorize" || q.Get("scope") != "read write" || q.Get("access_type") != "offline" {
		t.Errorf("the consent was asked for at %s", consent)
	}
	if got := r.up.Requests()[0]; s.Name != "PARCELS_OAUTH" || s.PinnedProvider != "parcels" || got.Get("Authorization") != "" || !strings.Contains(string(got.Body), "client_secret=") {
		t.Errorf("%s, by a request with %s", s.Name, got.Get("Authorization"))
	}
	if _, err := r.invoke("parcels/boxes", vault.Context{}); err != nil {
		t.Fatal(err)
	}
	if got := r.lastRequest(t, 2); got.Host != "api.acme.test" || got.Get("Authorization") != "Bearer "+token {
		t.Errorf("the token did not go to %s", got.Host)
	}
	for _, provider := range []string{"", "nobody"} {
		l := broker.Login{Provider: provider, ClientID: "me", Name: "X", Scope: vault.GlobalScope(), Open: o.open}
		if _, err := r.broker.Login(ctx, l); fault.CodeOf(err) != fault.InvalidRequest {
			t.Errorf("a login at %q: %v", provider, err)
		}
	}
}

// For each kind of authentication that the registry has, one provider is called
// as its example says.
func TestProviderOfEachKind(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		capability string
		secrets    map[string]string
		want       func(r upstream.Request) string // what is wrong
	}{
		{"anthropic/messages", map[string]string{"ANTHROPIC_API_KEY": "sk-ant-1"}, sent("x-api-key: sk-ant-1", "anthropic-version: 2023-06-01", "POST /v1/messages")},
		{"youtube/search", map[string]string{"YOUTUBE_API_KEY": "AIza1"}, sent("GET /youtube/v3/search?part=snippet&q=golang&type=video&key=AIza1")},
		{"telegram/send-message", map[string]string{"TELEGRAM_BOT_TOKEN": "1:a"}, sent("POST /bot1:a/sendMessage", "Content-Type: application/json")},
		{"mailgun/sending", map[string]string{"MAILGUN_API_KEY": "k1"}, sent("Authorization: Basic YXBpOmsx", "POST /v3/DOMAIN/messages", "Content-Type: application/x-www-form-urlencoded")},
		{"twilio/api", map[string]string{"TWILIO_ACCOUNT_SID": "AC1", "TWILIO_AUTH_TOKEN": "t1"}, sent("Authorization: Basic QUMxOnQx")},
		{"plaid/categories", map[string]string{"PLAID_CLIENT_ID": "c1", "PLAID_SECRET": "s1"}, sent("PLAID-CLIENT-ID: c1", "PLAID-SECRET: s1", "POST /categories/get")},
		{"openai/codex-usage", map[string]string{"CODEX_OAUTH_JSON": `{"access_token":"t1","account_id":"a1"}`}, sent("Authorization: Bearer t1", "ChatGPT-Account-Id: a1")},
		{"trello/boards", map[string]string{"TRELLO_API_KEY": "k1", "TRELLO_TOKEN": "t1"}, sent("GET /1/boards/BOARD_ID?lists=open&key=k1&token=t1")},
		{"spotify/me", map[string]string{"SPOTIFY_OAUTH": `{"clientId":"me","clientSecret":"x1","refreshToken":"r1","accessToken":"a1","accessTokenExpiresAtMs":32503680000000}`}, sent("Authorization: Bearer a1", "GET /v1/me")},
	} {
		t.Run(c.capability, func(t *testing.T) {
			t.Parallel()
			known, _, ok := registry.Builtin().Capability(c.capability)
			if !ok {
				t.Fatal("there is none")
			}
			r := rigOf(t, registry.Builtin(), known.Hosts...)
			for name, value := range c.secrets {
				if _, err := r.store.CreateSecret(context.Background(), vault.NewSecret{Name: name, Scope: vault.GlobalScope(), Value: opaque.New([]byte(value))}); err != nil {
					t.Fatal(err)
				}
			}
			d, err := r.broker.Describe(context.Background(), c.capability)
			if err != nil || !d.Ready {
				t.Fatalf("it is not ready: %v", err)
			}
			if _, err := r.broker.Invoke(context.Background(), d.ExampleCall()); err != nil {
				t.Fatal(err)
			}
			got := r.lastRequest(t, 1)
			if wrong := c.want(got); wrong != "" || got.Host != known.Hosts[0] {
				t.Errorf("at %s, it lacks %s", got.Host, wrong)
			}
		})
	}
}

// sent returns what tells the first of some lines that a request lacks: Name:
// value for a header, or the method and what it is of.
func sent(lines ...string) func(upstream.Request) string {
	return func(r upstream.Request) string {
		for _, line := range lines {
			name, value, header := strings.Cut(line, ": ")
			if header && r.Get(name) != value || !header && r.Method+" "+r.URI != line {
				return line
			}
		}
		return ""
	}
}

package uitest

import (
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"aivault/broker"
	"aivault/broker/brokertest"
	"aivault/broker/brokertest/upstream"
	"aivault/keys/opaque"
	"aivault/vault"
)

// Contents is what [Seed] put into a vault.
type Contents struct {
	Upstream *upstream.Server
	Host     string                  // of the upstream, with its port
	Names    map[string]string       // what the upstream calls a value
	Values   map[string]string       // value by label: "payments"
	Secret   map[string]vault.Secret // by label
}

// A seed is a secret: its label, scope and name, and how old it is.
type seed struct {
	label, scope, name string
	age                time.Duration
	aliases            []string
}

const day = 24 * time.Hour

// seeds are the secrets of the standard vault: two workspaces, names that the
// registry claims and such as it does not, and one name at three scopes.
var seeds = [...]seed{
	{"openai", "", "OPENAI_API_KEY", 120 * day, nil},
	{"github", "", "GITHUB_TOKEN", 7 * day, nil},
	{"stripe", "", "STRIPE_API_KEY", 100 * day, nil},
	{"acme", "", "ACME_TOKEN", 12 * day, []string{"acme api"}},
	{"shop", "web-shop", "ACME_TOKEN", 6 * day, nil},
	{"db", "web-shop", "DB_URL", day, nil},
	{"payments", "web-shop/payments", "STRIPE_API_KEY", 3 * day, nil},
	{"acme-payments", "web-shop/payments", "ACME_TOKEN", 2 * day, nil},
	{"search", "web-shop/research", "SEARCH_KEY", 30 * day, nil},
	{"desk", "web-shop/support", "DESK_TOKEN", 15 * day, nil},
	{"infra", "infra", "DEPLOY_KEY", 60 * day, nil},
	{"risk", "infra", "RISK_TOKEN", 41 * day, nil},
}

// Seed fills a vault with the standard contents, and starts the upstream that
// its custom capability acme/items calls.
func Seed(d *Driver) *Contents {
	d.Helper()
	c := &Contents{Names: map[string]string{}, Values: map[string]string{}, Secret: map[string]vault.Secret{}}
	c.Upstream = brokertest.New(d, "localhost")
	c.Host = fmt.Sprintf("localhost:%d", c.Upstream.Port())
	c.Upstream.Handle(c.answer)
	d.varies = append(d.varies, strconv.Itoa(c.Upstream.Port()))
	now := d.Clock.Now()
	for _, s := range seeds {
		d.Clock.set(now.Add(-s.age))
		c.Secret[s.label] = d.Store(s.scope, s.name, s.aliases...)
		c.Values[s.label] = d.secrets[len(d.secrets)-1]
		c.Names[c.Values[s.label]] = s.label
	}
	d.Clock.set(now.Add(-day))
	d.connect(c)
	d.Clock.set(now.Add(-2 * time.Hour))
	d.calls()
	d.Clock.set(now)
	return c
}

// set sets the clock.
func (c *Clock) set(t time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = t
}

// Scope returns the scope of a path: "", "web-shop", "web-shop/payments".
func (d *Driver) Scope(path string) vault.Scope {
	d.Helper()
	w, g, _ := strings.Cut(path, "/")
	s, err := vault.NewScope(w, g)
	d.ok(err)
	return s
}

// ok fails the test with an error.
func (d *Driver) ok(err error) {
	d.Helper()
	if err != nil {
		d.Fatal(err)
	}
}

// Store stores a secret with a made-up value, behind the program's back.
func (d *Driver) Store(path, name string, aliases ...string) vault.Secret {
	d.Helper()
	s, err := d.Backend.CreateSecret(d.Context(), vault.NewSecret{
		Name: name, Aliases: aliases, Scope: d.Scope(path), Value: opaque.New([]byte(d.Secret())),
	})
	d.ok(err)
	return s
}

// connect attaches, binds and limits.
func (d *Driver) connect(c *Contents) {
	d.Helper()
	ctx := d.Context()
	_, err := d.Backend.Share(ctx, []vault.Sharing{{Secret: c.Secret["risk"].ID, Group: d.Scope("web-shop/payments").GroupRef()}})
	d.ok(err)
	for _, label := range []string{"acme", "shop", "acme-payments"} {
		s := c.Secret[label]
		_, err := d.Backend.CreateCredential(ctx, broker.NewCredential{
			ID: label, Provider: "acme", Secret: s.ID, Scope: s.Scope,
			Auth:  &vault.Auth{Kind: "header", Params: []vault.Param{{Name: "Authorization", Value: "Bearer {{secret}}"}}},
			Hosts: []string{c.Host}, AllowPrivate: true, CACert: c.Upstream.CAPEM(), Proof: opaque.New([]byte(c.Values[label])),
		})
		d.ok(err)
	}
	_, err = d.Backend.CreateCapability(ctx, broker.NewCapability{
		ID: "acme/items", FromCred: "acme", Methods: []string{"GET", "POST"}, Paths: []string{"/items", "/missing", "/echo", "/events", "/raw", "/slow"},
	})
	d.ok(err)
	_, err = d.Backend.Bind(ctx, broker.NewBinding{
		Capability: "acme/items", Secret: c.Secret["shop"].ID, Scope: d.Scope("web-shop/support"), Proof: opaque.New([]byte(c.Values["shop"])),
	})
	d.ok(err)
	rate := int64(30)
	_, err = d.Backend.SetPolicy(ctx, vault.Policy{Capability: "openai/chat-completions", Rate: &rate, Block: []string{"email"}}, 0)
	d.ok(err)
}

// calls makes some calls, for the audit log.
func (d *Driver) calls() {
	d.Helper()
	ctx := d.Context()
	for _, call := range []broker.Call{
		{Capability: "acme/items", Method: "GET", Path: "/items/7"},
		{Capability: "acme/items", Method: "GET", Path: "/missing", Context: vault.Context{Workspace: "web-shop"}},
		{Capability: "acme/items", Method: "POST", Path: "/items", Body: []byte(`{"n":1}`), Context: vault.Context{Workspace: "web-shop", Group: "payments"}},
	} {
		_, err := d.Backend.Invoke(ctx, call)
		d.ok(err)
		d.Clock.Move(time.Minute)
	}
	if _, err := d.Backend.Invoke(ctx, broker.Call{Capability: "acme/items", Method: "DELETE", Path: "/items/7"}); err == nil {
		d.Fatal("a call against the policy went through")
	}
	d.ok(d.Backend.Lock(ctx)) // what came of the calls is on record then
	d.ok(d.Backend.Unlock(ctx))
}

// answer answers as the path says.
func (c *Contents) answer(w http.ResponseWriter, r *http.Request) {
	auth := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
	used := c.Names[auth]
	if used == "" {
		used = "none that I know"
	}
	switch {
	case strings.HasPrefix(r.URL.Path, "/events"):
		w.Header().Set("Content-Type", "text/event-stream")
		for i := range 3 {
			_, _ = fmt.Fprintf(w, "data: {\"n\":%d,\"used\":%q}\n\n", i, used)
			_ = http.NewResponseController(w).Flush()
			time.Sleep(5 * time.Millisecond)
		}
		return
	case strings.HasPrefix(r.URL.Path, "/slow"):
		select {
		case <-r.Context().Done():
		case <-time.After(time.Minute):
		}
		return
	}
	if strings.HasPrefix(r.URL.Path, "/raw") { // what drives a terminal
		w.Header().Set("Content-Type", "text/plain")
		_, _ = io.WriteString(w, "\x1b]52;c;YQ==\x07a\x9b31m\u009b31m\u202eb\r\n\x00\ttitle \x1b]0;owned\x07 end\xff")
		return
	}
	w.Header().Set("Content-Type", "application/json")
	if strings.HasPrefix(r.URL.Path, "/missing") {
		w.WriteHeader(http.StatusNotFound)
	}
	if strings.HasPrefix(r.URL.Path, "/echo") {
		_, _ = fmt.Fprintf(w, "{\"auth\":%q,\"control\":\"\\u001b[31m\"}", r.Header.Get("Authorization"))
		return
	}
	body, _ := io.ReadAll(r.Body)
	_, _ = fmt.Fprintf(w, "{\"used\":%q,\"method\":%q,\"path\":%q,\"body\":%q}", used, r.Method, r.URL.RequestURI(), body)
}

package attack_test

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"aivault/broker"
	"aivault/broker/brokertest"
	"aivault/broker/brokertest/stage"
	"aivault/broker/brokertest/upstream"
	"aivault/broker/registry"
	"aivault/keys/opaque"
	"aivault/vault"
	"aivault/vault/vaulttest"
)

// The world of a case, unless it says otherwise.
const (
	host       = "api.test"
	capability = "api/files"
	credential = "api"
	prefix     = "/v1/files"
)

// A world is a broker between a real vault and an upstream for every host, and
// what there is to know about both. Each test has its own.
type world struct {
	broker *broker.Broker
	vault  *vault.Local
	net    *stage.Network
	up     *upstream.Server
	dir    string       // of the vault
	ahead  atomic.Int64 // how far its clock is ahead of the machine's, in nanoseconds

	secret   stored          // of the credential
	canaries []string        // values of all secrets, which must show nowhere
	issued   func() []string // further such values, that come and go; or nil
	agent    *vault.Caller   // who makes the calls; nil: the vault's owner
	carries  place           // where the secret is in a request that was allowed
}

// A stored secret is one of the vault, whose value only the test knows.
type stored struct {
	id    vault.ID
	value string
}

// A place is where the authentication belongs in a request. It returns the
// request without it, or false if it is not there, or not alone.
type place func(r upstream.Request) (rest upstream.Request, ok bool)

// newWorld returns a world with the base capability, GET and POST below
// /v1/files of api.test, and a bearer token for it. The upstream has a
// certificate for further names.
func newWorld(t *testing.T, names ...string) *world {
	t.Helper()
	return newWorldAt(t, brokertest.New(t, append(names, host)...))
}

// newWorldAt returns a world around an upstream.
func newWorldAt(t *testing.T, up *upstream.Server) *world {
	t.Helper()
	w := bareWorld(t, up)
	w.secret = w.put(t, "API_TOKEN")
	w.credential(t, broker.NewCredential{})
	w.capability(t, broker.NewCapability{})
	return w
}

// bareWorld returns a world with an empty vault.
func bareWorld(t *testing.T, up *upstream.Server) *world {
	t.Helper()
	w := &world{net: &stage.Network{Upstream: up}, up: up, dir: vaulttest.Dir(t)}
	opts := vaultOptions(w.dir)
	opts.Now = w.now
	w.vault = vault.New(opts)
	w.connect(t, func(*broker.Config) {})
	t.Cleanup(func() { // I4
		w.vault.Close()
		again := vault.New(opts)
		defer again.Close()
		vaulttest.Healthy(t, again)
	})
	return w
}

// vaultOptions are those of a vault in dir, as aivault has them.
func vaultOptions(dir string) vault.Options {
	opts := vaulttest.Options(dir)
	opts.Claims, opts.CheckValue = registry.Builtin(), broker.CheckValue(registry.Builtin())
	return opts
}

// caller is the context in which calls are made.
func (w *world) caller() context.Context {
	if w.agent == nil {
		return context.Background()
	}
	return vault.WithCaller(context.Background(), *w.agent)
}

// now is the time of day of the world.
func (w *world) now() time.Time { return time.Now().Add(time.Duration(w.ahead.Load())) }

// pass lets time go by, which no call has to wait for.
func (w *world) pass(d time.Duration) { w.ahead.Add(int64(d)) }

// connect gives the world another broker, which change says more about.
func (w *world) connect(t *testing.T, change func(*broker.Config)) {
	config := w.net.Config(w.vault)
	config.Now = w.now
	change(&config)
	w.broker = broker.New(config)
	t.Cleanup(w.broker.Close)
}

// put stores a secret of a random value.
func (w *world) put(t *testing.T, name string) stored {
	t.Helper()
	return w.putValue(t, name, brokertest.Canary(t))
}

// again replaces the base credential by one that authenticates otherwise.
func (w *world) again(t *testing.T, n broker.NewCredential) {
	t.Helper()
	if _, err := w.broker.DeleteCredential(context.Background(), credential); err != nil {
		t.Fatal(err)
	}
	n.Proof = proof(w.secret)
	w.credential(t, n)
}

// putValue stores a secret. A value that is not random is not looked for.
func (w *world) putValue(t *testing.T, name, value string) stored {
	t.Helper()
	s, err := w.vault.CreateSecret(context.Background(), vault.NewSecret{
		Name: name, Scope: vault.GlobalScope(), Value: opaque.New([]byte(value)),
	})
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(value, "cnry-") {
		w.canaries = append(w.canaries, value)
	}
	return stored{s.ID, value}
}

// credential makes a credential. What n leaves out is that of the base one.
func (w *world) credential(t *testing.T, n broker.NewCredential) {
	t.Helper()
	if _, err := w.tryCredential(n); err != nil {
		t.Fatal(err)
	}
	w.carries = bearerOf(w.secret)
}

func (w *world) tryCredential(n broker.NewCredential) (broker.Credential, error) {
	or(&n.ID, credential)
	or(&n.Provider, "api")
	if n.Secret == (vault.ID{}) {
		n.Secret = w.secret.id
	}
	n.Scope = vault.GlobalScope()
	if n.Auth == nil {
		n.Auth = stage.Bearer()
	}
	if n.Hosts == nil {
		n.Hosts = []string{host}
	}
	return w.broker.CreateCredential(context.Background(), n)
}

// capability makes a capability. What n leaves out is that of the base one.
func (w *world) capability(t *testing.T, n broker.NewCapability) {
	t.Helper()
	if _, err := w.tryCapability(n); err != nil {
		t.Fatal(err)
	}
}

func (w *world) tryCapability(n broker.NewCapability) (broker.Capability, error) {
	or(&n.ID, capability)
	if n.Hosts == nil {
		n.Hosts = []string{host}
	}
	if n.Methods == nil {
		n.Methods = []string{"GET", "POST"}
	}
	if n.Paths == nil {
		n.Paths = []string{prefix}
	}
	return w.broker.CreateCapability(context.Background(), n)
}

func or(s *string, otherwise string) {
	if *s == "" {
		*s = otherwise
	}
}

// queryAuth has the base credential send its secret in the query parameter
// instead.
func (w *world) queryAuth(t *testing.T, name string) {
	t.Helper()
	w.again(t, broker.NewCredential{Auth: param("query", name)})
	w.carries = queryOf(name, w.secret)
}

// proof shows that one knows the value of a secret.
func proof(s stored) vault.Value { return opaque.New([]byte(s.value)) }

// param is an authentication of one setting, which takes the bare secret.
func param(kind, name string) *vault.Auth {
	return &vault.Auth{Kind: kind, Params: []vault.Param{{Name: name, Value: "{{secret}}"}}}
}

// bearerOf is the place of a bearer token.
func bearerOf(s stored) place { return headerOf("Authorization", "Bearer "+s.value) }

// headerOf is the place of a header with a value.
func headerOf(name, value string) place {
	return func(r upstream.Request) (upstream.Request, bool) {
		ok := slices.Equal(r.Values(name), []string{value})
		r.Headers = slices.DeleteFunc(slices.Clone(r.Headers), func(h upstream.Header) bool {
			return strings.EqualFold(h.Name, name)
		})
		return r, ok
	}
}

// queryOf is the place of a query parameter at the end of the query.
func queryOf(name string, s stored) place {
	pair := name + "=" + strings.ReplaceAll(url.QueryEscape(s.value), "+", "%20")
	return func(r upstream.Request) (upstream.Request, bool) {
		uri, ok := strings.CutSuffix(r.URI, pair)
		if ok = ok && strings.ContainsAny(uri[len(uri)-1:], "?&"); ok {
			r.URI = uri[:len(uri)-1]
		}
		return r, ok
	}
}

// pathOf is the place of a secret at the beginning of the path.
func pathOf(before string, s stored) place {
	return func(r upstream.Request) (rest upstream.Request, ok bool) {
		r.URI, ok = strings.CutPrefix(r.URI, before+s.value)
		return r, ok
	}
}

// get is a call of the base capability.
func get(path string) broker.Call {
	return broker.Call{Capability: capability, Method: http.MethodGet, Path: path}
}

// with is a call of the base capability with headers: name, value, name, ...
func with(pairs ...string) broker.Call {
	call := get(prefix)
	for i := 0; i < len(pairs); i += 2 {
		call.Headers = append(call.Headers, broker.Header{Name: pairs[i], Value: pairs[i+1]})
	}
	return call
}

// post is a call of the base capability with a body.
func post(body string) broker.Call {
	return broker.Call{Capability: capability, Method: http.MethodPost, Path: prefix, Body: []byte(body)}
}

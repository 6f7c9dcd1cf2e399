package broker_test

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"testing"

	"aivault/broker"
	"aivault/broker/brokertest"
	"aivault/broker/brokertest/memstore"
	"aivault/broker/brokertest/stage"
	"aivault/broker/brokertest/upstream"
	"aivault/broker/registry"
	"aivault/keys/fault"
	"aivault/vault"
)

// plain returns a broker that uses the network as it is, but for a resolver.
func plain(t *testing.T, store vault.Store, roots []byte, addrs ...string) *broker.Broker {
	b := broker.New(broker.Config{
		Store: store, Registry: registry.Builtin(), Version: "test", Roots: roots,
		Resolve: func(context.Context, string) ([]netip.Addr, error) {
			var out []netip.Addr
			for _, a := range addrs {
				out = append(out, netip.MustParseAddr(a))
			}
			return out, nil
		},
	})
	t.Cleanup(b.Close)
	return b
}

// A credential for a private host reaches it, with its own certificate and no
// hook at all.
func TestPrivateHost(t *testing.T) {
	t.Parallel()
	forEachStore(t, func(t *testing.T, r *rig) {
		ctx := context.Background()
		up := brokertest.New(t, "127.0.0.1")
		b := broker.New(broker.Config{Store: r.store, Registry: registry.Builtin(), Version: "test"})
		t.Cleanup(b.Close)
		s := r.put(t, "LOCAL", vault.GlobalScope(), false)
		other := r.put(t, "OTHER", vault.GlobalScope(), false)
		n := broker.NewCredential{
			ID: "local", Provider: "local", Secret: s.id, Scope: vault.GlobalScope(), Auth: bearer(), Hosts: []string{up.Addr()},
			AllowPrivate: true, CACert: up.CAPEM(), Proof: vaultValue(s.value),
		}
		if _, err := b.CreateCredential(ctx, n); err != nil {
			t.Fatal(err)
		}
		_, err := b.CreateCapability(ctx, broker.NewCapability{ID: "local/items", FromCred: "local", Methods: []string{"GET"}, Paths: []string{"/v1/items"}})
		if err != nil {
			t.Fatal(err)
		}
		call := func(want stored) {
			t.Helper()
			before := len(up.Requests())
			answer, err := b.Invoke(ctx, broker.Call{Capability: "local/items"})
			if err != nil {
				t.Fatal(err)
			}
			if answer.URL != "https://"+up.Addr()+"/v1/items" || up.Requests()[before].Get("Authorization") != "Bearer "+want.value {
				t.Errorf("%s did not arrive", want.name)
			}
		}
		call(s)

		// A binding borrows the leave for the private host with the rest, once
		// whoever binds has shown the value.
		bind := broker.NewBinding{Capability: "local/items", Secret: other.id, Scope: vault.GlobalScope()}
		if _, err := b.Bind(ctx, bind); fault.CodeOf(err) != fault.OperatorAuthRequired {
			t.Errorf("binding without proof: %v", err)
		}
		bind.Proof = vaultValue(other.value)
		if _, err := b.Bind(ctx, bind); err != nil {
			t.Fatal(err)
		}
		call(other)
	})
}

// 43, 44: a public name that leads to a private address is refused when it is
// dialled, and no byte is sent.
func TestPrivateAddress(t *testing.T) {
	t.Parallel()
	for _, addr := range []string{"127.0.0.1", "::1", "::ffff:127.0.0.1", "10.0.0.1", "169.254.169.254", "100.64.0.1", "fd00::1", "64:ff9b::7f00:1"} {
		r, store := newMemoryRig(t)
		s := r.acme(t)
		b := plain(t, store, r.up.CAPEM(), addr)
		_, err := b.Invoke(context.Background(), broker.Call{Capability: "acme/items", Method: "GET"})
		if fault.CodeOf(err) != fault.PolicyViolation {
			t.Errorf("%s: %v", addr, err)
			continue
		}
		brokertest.Scan(t, addr, []byte(err.Error()), s.value)
		if e := r.last(t); e.Kind != vault.KindInvokeOutcome || e.Outcome != vault.OutcomeError || e.Code != fault.PolicyViolation {
			t.Errorf("%s: recorded as %+v", addr, e)
		}
	}
}

// 51: an upstream with another certificate does not get the request.
func TestForeignCertificate(t *testing.T) {
	t.Parallel()
	r, store := newMemoryRig(t)
	s := r.acme(t)
	foreign := brokertest.New(t, "api.acme.test")
	_, err := distrusting(t, store, foreign).Invoke(context.Background(), broker.Call{Capability: "acme/items", Method: "GET"})
	if fault.CodeOf(err) != fault.UpstreamUnreachable || len(foreign.Requests()) != 0 {
		t.Errorf("%v", err)
	}
	for _, got := range foreign.Received() {
		brokertest.Scan(t, "what the foreign server got", got, s.value)
	}
}

// 55: calls of one credential share a connection, those of two never do.
func TestConnections(t *testing.T) {
	t.Parallel()
	r, _ := newMemoryRig(t)
	s := r.acme(t)
	r.credential(t, "acme-w", s.id, mustScope(t, "w", ""))
	for _, in := range []vault.Context{nowhere, nowhere, inW, inW, inX} {
		r.sees(t, in, s, "")
	}
	conns := map[string][]int{}
	for i, req := range r.up.Requests() {
		cred := []string{"main", "main", "w", "w", "main"}[i]
		conns[cred] = append(conns[cred], req.Conn)
	}
	if n := r.up.Connections(); n != 2 || conns["main"][0] == conns["w"][0] {
		t.Errorf("%d connections, by credential %v", n, conns)
	}
}

// Many more credentials than clients are kept still work.
func TestManyCredentials(t *testing.T) {
	t.Parallel()
	r, _ := newMemoryRig(t)
	r.capability(t, "acme/items", "api.acme.test")
	for i := range 300 {
		ws := fmt.Sprintf("w%d", i)
		s := r.put(t, "S", mustScope(t, ws, ""), false)
		r.credential(t, "c-"+ws, s.id, mustScope(t, ws, ""))
		r.sees(t, vault.Context{Workspace: ws}, s, "")
	}
}

func TestConcurrentCalls(t *testing.T) {
	t.Parallel()
	forEachStore(t, func(t *testing.T, r *rig) {
		g := r.acme(t)
		w := r.put(t, "W", mustScope(t, "w", ""), false)
		r.credential(t, "c-w", w.id, mustScope(t, "w", ""))
		r.up.Handle(func(rw http.ResponseWriter, req *http.Request) {
			fmt.Fprintf(rw, "%s %v", req.URL.RawQuery, req.Header.Get("Authorization") == "Bearer "+w.value)
		})
		var wg sync.WaitGroup
		for i := range 32 {
			wg.Go(func() {
				in, inWorkspace := nowhere, i%2 == 1
				if inWorkspace {
					in = inW
				}
				answer, err := r.broker.Invoke(context.Background(), broker.Call{Capability: "acme/items", Method: "GET", Path: fmt.Sprintf("/v1/items?i=%d", i), Context: in})
				if err != nil {
					t.Error(err)
					return
				}
				if got, want := string(answer.Body), fmt.Sprintf("i=%d %v", i, inWorkspace); got != want {
					t.Errorf("got %q, want %q", got, want)
				}
			})
		}
		wg.Wait()
		outcomes := 0
		for _, e := range r.events(t) {
			if e.Kind == vault.KindInvokeOutcome {
				outcomes++
			}
			brokertest.Scan(t, "the audit log", fmt.Appendf(nil, "%+v", e), g.value, w.value)
		}
		if outcomes != 32 {
			t.Errorf("%d outcomes of 32 calls", outcomes)
		}
	})
}

// Whatever becomes of a call, the values that it got are wiped.
func TestValuesAreWiped(t *testing.T) {
	t.Parallel()
	cut := func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }
	tests := []struct {
		name    string
		value   string
		handler http.HandlerFunc
		foreign bool
		want    fault.Code
	}{
		{"answered", "", nil, false, ""},
		{"cut off", "", cut, false, fault.UpstreamUnreachable},
		{"foreign certificate", "", nil, true, fault.UpstreamUnreachable},
		{"cannot travel", "made\nup", nil, false, fault.InvalidRequest},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			store := memstore.New(registry.Builtin())
			r := newRig(t, func(testing.TB) secretStore { return store })
			if tt.handler != nil {
				r.up.Handle(tt.handler)
			}
			if tt.foreign {
				r.broker = distrusting(t, store, r.up)
			}
			value := tt.value
			if value == "" {
				value = brokertest.Canary(t)
			}
			s, err := store.CreateSecret(context.Background(), vault.NewSecret{Name: "A", Scope: vault.GlobalScope(), Value: vaultValue(value)})
			if err != nil {
				t.Fatal(err)
			}
			r.capability(t, "acme/items", "api.acme.test")
			r.credential(t, "a", s.ID, vault.GlobalScope())
			if _, err := r.invoke("acme/items", nowhere); fault.CodeOf(err) != tt.want {
				t.Errorf("%v, want %q", err, tt.want)
			}
			values := store.Decrypted()
			if len(values) != 1 || len(bytes.Trim(values[0].Reveal(), "\x00")) != 0 {
				t.Errorf("%d values, not all of them wiped", len(values))
			}
		})
	}
}

// distrusting returns a broker that trusts another authority than the
// upstream's.
func distrusting(t *testing.T, store vault.Store, up *upstream.Server) *broker.Broker {
	config := (&stage.Network{Upstream: up}).Config(store)
	config.Roots = brokertest.New(t).CAPEM()
	b := broker.New(config)
	t.Cleanup(b.Close)
	return b
}

// 96: all eight combinations of what exists, seen from a group.
func TestPrecedence(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(testing.TB) secretStore { return memstore.New(registry.Builtin()) })
	for bits := range 8 {
		r := r.fresh(t)
		r.capability(t, "acme/items", "api.acme.test")
		var want stored
		code := fault.CredentialNotFound
		for i, scope := range []vault.Scope{vault.GlobalScope(), mustScope(t, "w", ""), mustScope(t, "w", "a")} {
			if bits&(1<<i) != 0 {
				want, code = r.put(t, strings.ToUpper(scope.Level.String()), scope, false), ""
				r.credential(t, "c-"+scope.Level.String(), want.id, scope)
			}
		}
		r.sees(t, inWA, want, code)
	}
}

// The registry's order decides between two names for one account.
func TestRegistryOrder(t *testing.T) {
	t.Parallel()
	r, _ := newMemoryRig(t)
	second := r.put(t, "GH_TOKEN", vault.GlobalScope(), false)
	capability := "github/user"
	r.sendsTo(t, capability, nowhere, second)
	first := r.put(t, "GITHUB_TOKEN", vault.GlobalScope(), false)
	r.sendsTo(t, capability, nowhere, first)
	r.attach(t, second.id, "w", "a")
	r.sendsTo(t, capability, inWA, second)
}

// An error that would show a secret, here one that reads like the host, does
// not.
func TestErrorsAreCleaned(t *testing.T) {
	t.Parallel()
	r, store := newMemoryRig(t)
	r.capability(t, "acme/items", "api.acme.test")
	s, err := store.CreateSecret(context.Background(), vault.NewSecret{Name: "A", Scope: vault.GlobalScope(), Value: vaultValue("api.acme.test")})
	if err != nil {
		t.Fatal(err)
	}
	r.credential(t, "a", s.ID, vault.GlobalScope())
	_, err = distrusting(t, store, r.up).Invoke(context.Background(), broker.Call{Capability: "acme/items", Method: "GET"})
	if fault.CodeOf(err) != fault.UpstreamUnreachable || !strings.Contains(err.Error(), "[REDACTED]") {
		t.Errorf("%v", err)
	}
	brokertest.Scan(t, "the error", []byte(err.Error()+fault.HintOf(err)), "api.acme.test")
}

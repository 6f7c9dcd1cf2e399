package remote_test

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"aivault/broker"
	"aivault/broker/brokertest"
	"aivault/broker/brokertest/stage"
	"aivault/broker/brokertest/upstream"
	"aivault/broker/registry"
	"aivault/broker/remote"
	"aivault/broker/serve"
	"aivault/vault"
	"aivault/vault/vaulttest"
)

// A rig is a daemon that serves a real vault on a unix socket, with an upstream
// that answers for every host there is. Its loop is the shortest that there can
// be: package daemon has the real one.
type rig struct {
	vault  *vault.Local
	broker *broker.Broker
	server *serve.Server
	up     *upstream.Server
	socket string

	mu   sync.Mutex
	errs []error // of connections that were served
}

// peers say who connects.
var (
	operator = serve.Peer{UID: os.Getuid(), PID: os.Getpid(), Operator: true}
	agent    = serve.Peer{UID: 4711, PID: 815}
)

func newRig(t testing.TB, peer serve.Peer) *rig {
	return newRigOn(t, peer, vaulttest.New(t, registry.Builtin()))
}

func newRigOn(t testing.TB, peer serve.Peer, l *vault.Local) *rig {
	t.Helper()
	dir, err := os.MkdirTemp("", "rpc") // the path of a socket is short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	r := &rig{vault: l, up: brokertest.New(t, "api.acme.test", "auth.acme.test", "api.openai.com"), socket: filepath.Join(dir, "s")}
	r.broker = broker.New((&stage.Network{Upstream: r.up}).Config(l))
	t.Cleanup(r.broker.Close)
	r.server = serve.New(serve.Config{Vault: l, Broker: r.broker, Version: "test", Shared: !peer.Operator})
	r.listen(t, peer)
	return r
}

// listen serves connections until the test is over.
func (r *rig) listen(t testing.TB, peer serve.Peer) {
	listener, err := net.Listen("unix", r.socket)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var all sync.WaitGroup
	all.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			all.Go(func() {
				if _, err := r.server.Serve(ctx, conn, peer); err != nil {
					r.mu.Lock()
					r.errs = append(r.errs, err)
					r.mu.Unlock()
				}
			})
		}
	})
	t.Cleanup(func() {
		_ = listener.Close()
		cancel()
		all.Wait()
		if err := r.server.Close(context.Background()); err != nil {
			t.Errorf("closing the server: %v", err)
		}
	})
}

// served returns the errors of the connections that ended.
func (r *rig) served() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return errors.Join(r.errs...)
}

// client returns a client of the daemon.
func (r *rig) client(t testing.TB) *remote.Client {
	t.Helper()
	c, err := remote.Dial(t.Context(), r.options())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func (r *rig) options() remote.Options {
	return remote.Options{Socket: r.socket, Local: r.vault, Version: "test", OwnerUID: os.Getuid()}
}

// acme makes the usual world: one global secret, its credential, a capability.
func (r *rig) acme(t testing.TB) (value string) {
	t.Helper()
	return stage.Acme(t, r.vault, r.broker, "GET", "POST")
}

// items is a call of the capability that acme made.
func items() broker.Call { return broker.Call{Capability: "acme/items", Method: "GET"} }

// last returns the last event of the audit log.
func (r *rig) last(t testing.TB) vault.Event {
	t.Helper()
	events := stage.Events(t, r.vault)
	return events[len(events)-1]
}

func (r *rig) status(t testing.TB) vault.Status {
	t.Helper()
	st, err := r.vault.Status(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return st
}

// leaks fails the test if goroutines of ours are left when it is over, but for
// what the test itself started before.
func leaks(t testing.TB) {
	t.Helper()
	t.Cleanup(func() {
		deadline := time.Now().Add(10 * time.Second)
		for {
			buf := make([]byte, 1<<20)
			all := string(buf[:runtime.Stack(buf, true)])
			left := 0
			for g := range strings.SplitSeq(all, "\n\n") {
				if strings.Contains(g, "aivault/broker/serve.") || strings.Contains(g, "aivault/broker/remote.(") {
					left++
				}
			}
			if left == 0 {
				return
			}
			if time.Now().After(deadline) {
				t.Errorf("%d goroutines are left:\n%s", left, all)
				return
			}
			time.Sleep(10 * time.Millisecond)
		}
	})
}

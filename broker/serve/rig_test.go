package serve_test

import (
	"context"
	"net"
	"os"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"time"

	"aivault/broker"
	"aivault/broker/brokertest"
	"aivault/broker/brokertest/stage"
	"aivault/broker/brokertest/upstream"
	"aivault/broker/internal/rpc"
	"aivault/broker/registry"
	"aivault/broker/serve"
	"aivault/keys/fault"
	"aivault/vault"
	"aivault/vault/vaulttest"
)

// A rig is a server on a real vault, with an upstream that answers for every
// host there is.
type rig struct {
	vault  *vault.Local
	broker *broker.Broker
	server *serve.Server
	up     *upstream.Server
	table  *rpc.Table
}

var (
	operator = serve.Peer{UID: os.Getuid(), PID: os.Getpid(), Operator: true}
	agent    = serve.Peer{UID: 4711, PID: 815}
)

func newRig(t testing.TB) *rig { return newRigOn(t, vaulttest.New(t, registry.Builtin()), nil) }

func newRigOn(t testing.TB, l *vault.Local, now func() time.Time) *rig {
	t.Helper()
	r := &rig{vault: l, up: brokertest.New(t, "api.acme.test"), table: rpc.NewTable()}
	r.broker = broker.New((&stage.Network{Upstream: r.up}).Config(l))
	t.Cleanup(r.broker.Close)
	r.server = serve.New(serve.Config{Vault: l, Broker: r.broker, Version: "test", Shared: true, Now: now})
	t.Cleanup(func() {
		if err := r.server.Close(context.Background()); err != nil {
			t.Errorf("closing the server: %v", err)
		}
	})
	return r
}

// acme makes the usual world: one global secret, its credential, a capability.
func (r *rig) acme(t testing.TB) (value string) {
	t.Helper()
	return stage.Acme(t, r.vault, r.broker, "GET")
}

func items() broker.Call { return broker.Call{Capability: "acme/items", Method: "GET"} }

// A raw client writes what it likes.
type raw struct {
	t    testing.TB
	rig  *rig
	conn net.Conn
	in   *rpc.Reader
	out  *rpc.Writer
	done chan error // of Serve
	n    int        // requests that were served, when it is done
}

// connect connects a peer, by a pipe that holds nothing back.
func (r *rig) connect(t testing.TB, peer serve.Peer) *raw {
	a, b := net.Pipe()
	c := &raw{t: t, rig: r, conn: a, in: rpc.NewReader(a, 10*time.Second), out: rpc.NewWriter(a, 10*time.Second), done: make(chan error, 1)}
	ended := make(chan struct{})
	go func() {
		n, err := r.server.Serve(context.Background(), b, peer)
		c.n = n
		c.done <- err
		close(ended)
	}()
	t.Cleanup(func() {
		_ = a.Close()
		<-ended
	})
	return c
}

// greet says hello, as a client of this version does.
func (c *raw) greet() rpc.Hello {
	c.t.Helper()
	g := rpc.Greeting{Table: c.rig.table.Fingerprint, Version: "test", Wish: rpc.WishCall}
	if err := c.out.Frame(rpc.KindHello, g.Encode(), true); err != nil {
		c.t.Fatal(err)
	}
	kind, payload, err := c.in.Next(10 * time.Second)
	if err != nil || kind != rpc.KindHello {
		c.t.Fatalf("instead of a hello: kind %d, %q, %v", kind, payload, err)
	}
	h, err := rpc.DecodeHello(payload, c.rig.table.Fingerprint)
	if err != nil {
		c.t.Fatal(err)
	}
	return h
}

// send sends a request.
func send[A, R any](c *raw, m *rpc.Method[A, R], args A) {
	c.t.Helper()
	b, err := m.Request(args)
	if err == nil {
		err = c.out.Message(rpc.KindRequest, b, true)
	}
	if err != nil {
		c.t.Fatal(err)
	}
}

// result returns the reply to a request, whatever comes before it.
func result[A, R any](c *raw, m *rpc.Method[A, R]) (R, error) {
	c.t.Helper()
	for {
		kind, payload := c.next()
		if kind != rpc.KindReply {
			continue
		}
		b, err := c.in.Message(payload, rpc.MaxReply)
		if err != nil {
			c.t.Fatal(err)
		}
		r, said, err := m.Result(b)
		if err != nil {
			c.t.Fatal(err)
		}
		return r, said
	}
}

// next returns the next frame, which must not be a refusal.
func (c *raw) next() (rpc.Kind, []byte) {
	c.t.Helper()
	kind, payload, err := c.in.Next(10 * time.Second)
	if err != nil || kind == rpc.KindRefusal {
		c.t.Fatalf("instead of an answer: kind %d, %q, %v", kind, payload, err)
	}
	return kind, payload
}

// refusal returns why the server ends the connection, and sees that it does.
func (c *raw) refusal() error {
	c.t.Helper()
	for {
		kind, payload, err := c.in.Next(10 * time.Second)
		if err != nil {
			c.t.Fatalf("the connection ended without a word: %v", err)
		}
		if kind != rpc.KindRefusal {
			continue
		}
		b, err := c.in.Message(payload, rpc.MaxAsk)
		if err != nil {
			c.t.Fatal(err)
		}
		said, err := c.rig.table.DecodeError(b)
		if err != nil {
			c.t.Fatal(err)
		}
		if _, _, err := c.in.Next(10 * time.Second); err == nil {
			c.t.Error("something comes after the last word")
		}
		return said
	}
}

// ended waits until the server is done with the connection.
func (c *raw) ended() error {
	c.t.Helper()
	select {
	case err := <-c.done:
		return err
	case <-time.After(10 * time.Second):
		c.t.Fatal("the connection does not end")
		return nil
	}
}

// leaks fails the test if goroutines of the server are left when it is over. It
// is called first, and not in parallel with others.
func leaks(t testing.TB) {
	t.Helper()
	t.Cleanup(func() {
		deadline := time.Now().Add(10 * time.Second)
		for {
			buf := make([]byte, 4<<20)
			all := string(buf[:runtime.Stack(buf, true)])
			n := strings.Count(all, "aivault/broker/serve.(")
			if n == 0 {
				return
			}
			if time.Now().After(deadline) {
				t.Errorf("%d calls are left:\n%s", n, all)
				return
			}
			time.Sleep(5 * time.Millisecond)
		}
	})
}

func wantCode(t testing.TB, what string, err error, code fault.Code) {
	t.Helper()
	if got := fault.CodeOf(err); got != code {
		t.Errorf("%s: %q (%v), want %q", what, got, err, code)
	}
}

// zero returns the encoded request of a method whose arguments are all zero.
func zero(m rpc.Any) []byte {
	v := reflect.ValueOf(m).MethodByName("Request")
	out := v.Call([]reflect.Value{reflect.Zero(v.Type().In(0))})
	return out[0].Bytes()
}

package serve_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"aivault/broker"
	"aivault/broker/brokertest"
	"aivault/broker/brokertest/stage"
	"aivault/broker/internal/rpc"
	"aivault/broker/registry"
	"aivault/keys/fault"
	"aivault/keys/opaque"
	"aivault/vault"
	"aivault/vault/vaulttest"
)

// Case 128. An agent may have calls made and no more: whatever else it asks for,
// it is told that this is the owner's to do, nothing is done, and the connection
// goes on. The hello tells it nothing about the vault.
func TestAgentsOnlyCall(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.acme(t)
	before := len(stage.Events(t, r.vault))
	c := r.connect(t, agent)
	if h := c.greet(); h.Open || h.Kept || h.PID != 0 || h.Operator || !h.Shared {
		t.Errorf("the hello of an agent is %+v", h)
	}
	for _, m := range r.table.All() {
		if m.Class() == rpc.Calls {
			continue
		}
		if err := c.out.Message(rpc.KindRequest, zero(m), true); err != nil {
			t.Fatal(err)
		}
		kind, payload := c.next()
		b, err := c.in.Message(payload, rpc.MaxReply)
		if kind != rpc.KindReply || err != nil || !strings.Contains(string(b), string(fault.OperatorAuthRequired)) {
			t.Errorf("%s: kind %d, %q, %v", m.Name(), kind, b, err)
		}
	}
	if events := stage.Events(t, r.vault); len(events) != before {
		t.Errorf("an agent left %d events: %+v", len(events)-before, events[before:])
	}
	if h := r.connect(t, operator).greet(); !h.Open || h.PID == 0 || !h.Operator {
		t.Errorf("the hello of the owner is %+v", h)
	}
}

// Case 128. An agent does not stop the daemon, and the owner does, of whatever
// version the client is.
func TestStop(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	stop := rpc.Greeting{Table: rpc.Fingerprint{1, 2}, Version: "of another time", Wish: rpc.WishStop}
	c := r.connect(t, agent)
	if err := c.out.Frame(rpc.KindHello, stop.Encode(), true); err != nil {
		t.Fatal(err)
	}
	wantCode(t, "an agent", c.refusal(), fault.OperatorAuthRequired)
	select {
	case <-r.server.Stopping():
		t.Fatal("an agent stopped the daemon")
	default:
	}
	c = r.connect(t, operator)
	if err := c.out.Frame(rpc.KindHello, stop.Encode(), true); err != nil {
		t.Fatal(err)
	}
	if kind, _ := c.next(); kind != rpc.KindHello {
		t.Errorf("kind %d", kind)
	}
	select {
	case <-r.server.Stopping():
	case <-time.After(10 * time.Second):
		t.Fatal("the daemon goes on")
	}
}

// A client of another version is told which one the daemon has, and served
// nothing.
func TestOtherVersion(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	c := r.connect(t, operator)
	g := rpc.Greeting{Table: rpc.Fingerprint{1, 2}, Version: "0.0.1", Wish: rpc.WishCall}
	if err := c.out.Frame(rpc.KindHello, g.Encode(), true); err != nil {
		t.Fatal(err)
	}
	_, payload := c.next()
	if h, err := rpc.DecodeHello(payload, g.Table); err != nil || h.Version != "test" {
		t.Errorf("%+v, %v", h, err)
	}
	if _, _, err := c.in.Next(10 * time.Second); err != io.EOF {
		t.Errorf("the connection goes on: %v", err)
	}
}

// Case 124. What is no conversation ends it, with a word why where the other side
// still listens; the vault is as it was.
func TestProtocolErrors(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	request := func(m rpc.Any) func(c *raw) {
		return func(c *raw) { _ = c.out.Message(rpc.KindRequest, zero(m), true) }
	}
	tests := []struct {
		name string
		send func(c *raw)
	}{
		{"JSON", func(c *raw) { _, _ = c.conn.Write([]byte(`{"capability":"a"}`)) }},
		{"a hello again", func(c *raw) { _ = c.out.Frame(rpc.KindHello, nil, true) }},
		{"a reply", func(c *raw) { _ = c.out.Message(rpc.KindReply, nil, true) }},
		{"data without a message", func(c *raw) { _ = c.out.Data([]byte("data"), true) }},
		{"an answer to no question", func(c *raw) { _ = c.out.Message(rpc.KindTold, r.table.EncodeError(nil), true) }},
		{"no method", func(c *raw) { _ = c.out.Message(rpc.KindRequest, []byte{1}, true) }},
		{"an unknown method", func(c *raw) { _ = c.out.Message(rpc.KindRequest, []byte{0xff, 0xff, 0}, true) }},
		{"arguments that are cut off", func(c *raw) { b := zero(r.table.Invoke); _ = c.out.Message(rpc.KindRequest, b[:len(b)-1], true) }},
		{"a field more", func(c *raw) { _ = c.out.Message(rpc.KindRequest, append(zero(r.table.Invoke), 0), true) }},
		{"2 MiB for something short", func(c *raw) {
			_ = c.out.Message(rpc.KindRequest, append(zero(r.table.FindSecret), make([]byte, 2<<20)...), true)
		}},
		{"1 GiB", func(c *raw) {
			_, _ = c.conn.Write(append([]byte{2, 0, 0, 0, 8, 0x40, 0, 0, 0}, zero(r.table.Invoke)[:4]...))
		}},
	}
	for _, test := range tests {
		c := r.connect(t, operator)
		c.greet()
		go test.send(c)
		wantCode(t, test.name, c.refusal(), fault.InvalidRequest)
		if err := c.ended(); err == nil {
			t.Errorf("%s: Serve returned no error", test.name)
		}
	}
	c := r.connect(t, operator)
	go request(r.table.Status)(c)
	wantCode(t, "a request without a hello", c.refusal(), fault.InvalidRequest)
}

// Case 124. A second request before the reply ends both.
func TestTwoRequests(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.acme(t)
	begun, gone := make(chan struct{}), make(chan struct{})
	r.up.Handle(func(_ http.ResponseWriter, req *http.Request) {
		close(begun)
		<-req.Context().Done()
		close(gone)
	})
	c := r.connect(t, operator)
	c.greet()
	send(c, r.table.Invoke, items())
	<-begun
	send(c, r.table.Status, rpc.None{})
	wantCode(t, "the second request", c.refusal(), fault.InvalidRequest)
	select {
	case <-gone:
	case <-time.After(5 * time.Second):
		t.Error("the upstream still works for the first")
	}
	if err := c.ended(); err != rpc.ErrProtocol {
		t.Errorf("Serve: %v", err)
	}
}

// Case 126. When the client goes away, or closes its half of the connection, the
// upstream is left in less than a second, and the audit log says that the caller
// went away.
func TestClientLeaves(t *testing.T) {
	t.Parallel()
	for name, leave := range map[string]func(c *raw){
		"closed":   func(c *raw) { _ = c.conn.Close() },
		"canceled": func(c *raw) { _ = c.out.Frame(rpc.KindCancel, nil, true) },
	} {
		for _, streams := range []bool{false, true} {
			r := newRig(t)
			r.acme(t)
			begun, gone := make(chan struct{}), make(chan time.Time, 1)
			r.up.Handle(func(w http.ResponseWriter, req *http.Request) {
				if streams {
					_, _ = w.Write([]byte("some"))
					w.(http.Flusher).Flush()
				}
				close(begun)
				<-req.Context().Done()
				gone <- time.Now()
			})
			c := r.connect(t, operator)
			c.greet()
			if streams {
				send(c, r.table.Stream, rpc.Two[broker.Call, bool]{A: items()})
				c.next() // it has begun
			} else {
				send(c, r.table.Invoke, items())
			}
			<-begun
			left := time.Now()
			leave(c)
			select {
			case at := <-gone:
				if took := at.Sub(left); took > time.Second {
					t.Errorf("%s: the upstream was left after %s", name, took)
				}
			case <-time.After(5 * time.Second):
				t.Fatalf("%s: the upstream still works", name)
			}
			if name == "canceled" {
				if _, err := result(c, r.table.Invoke); fault.CodeOf(err) != fault.Canceled {
					t.Errorf("the reply to what was canceled: %v", err)
				}
				_ = c.conn.Close()
			}
			_ = c.ended() // with the error of a reply that nobody took, or without one
			events := stage.Events(t, r.vault)
			if e := events[len(events)-1]; e.Kind != vault.KindInvokeOutcome || e.Code != fault.Canceled {
				t.Errorf("%s: the audit log ends with %+v", name, e)
			}
		}
	}
}

// Case 127. Who calls is what the kernel says: it is in the audit log, and there
// is nothing in a request that could say otherwise but an address, which must be
// this machine's.
func TestWhoCalls(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.acme(t)
	granted := vault.Context{Workspace: "w1"}
	if _, _, err := r.vault.Grant(context.Background(), agent.UID, granted); err != nil {
		t.Fatal(err)
	}
	c := r.connect(t, agent)
	c.greet()
	call := items()
	call.Context, call.ClientIP = granted, "192.0.2.1"
	send(c, r.table.Invoke, call)
	_, err := result(c, r.table.Invoke)
	wantCode(t, "an address elsewhere", err, fault.PolicyViolation)
	call.ClientIP = "127.0.0.1"
	send(c, r.table.Invoke, call)
	if a, err := result(c, r.table.Invoke); err != nil || a.Status != 200 {
		t.Fatalf("%+v, %v", a, err)
	}
	for _, e := range stage.Events(t, r.vault) {
		if strings.HasPrefix(e.Kind, "invoke.") && (e.UID != agent.UID || e.PID != agent.PID || e.Actor != "agent") {
			t.Errorf("%s is said to be of %s, user %d, process %d", e.Kind, e.Actor, e.UID, e.PID)
		}
	}
}

// An agent hears of a vault that cannot be used, and nothing of why: neither
// where it is nor how it opens.
func TestAgentsHearNothingOfTheVault(t *testing.T) {
	t.Parallel()
	dir := vaulttest.Dir(t)
	l := vault.New(vaulttest.Options(dir))
	vaulttest.Create(t, l, vault.GlobalScope(), "ONE", "made up")
	l.Close()
	l = vaultWithoutKey(t, dir)
	r := newRigOn(t, l, nil)
	for _, peer := range []struct {
		name string
		c    *raw
	}{{"agent", r.connect(t, agent)}, {"owner", r.connect(t, operator)}} {
		peer.c.greet()
		send(peer.c, r.table.Invoke, items())
		_, err := result(peer.c, r.table.Invoke)
		wantCode(t, peer.name, err, fault.KeyUnavailable)
		if tells := strings.Contains(err.Error()+fault.HintOf(err), "kek.key"); tells != (peer.name == "owner") {
			t.Errorf("%s hears: %v (%s)", peer.name, err, fault.HintOf(err))
		}
	}
}

// Fault F25. A panic fails its request and ends its connection, and tells nothing
// of what it was about. The vault and others go on.
func TestPanic(t *testing.T) {
	t.Parallel()
	value := brokertest.Word(t)
	opts := vaulttest.Options(vaulttest.Dir(t))
	opts.Claims = registry.Builtin()
	opts.CheckValue = func(s *vault.Secret, _ *vault.Provider, _ []vault.Auth, v vault.Value) error {
		if s.Name == "BAD" {
			panic(string(v.Reveal()))
		}
		return nil
	}
	l := vault.New(opts)
	t.Cleanup(l.Close)
	r := newRigOn(t, l, nil)
	c, other := r.connect(t, operator), r.connect(t, operator)
	c.greet()
	other.greet()
	send(c, r.table.CreateSecret, vault.NewSecret{Name: "BAD", Scope: vault.GlobalScope(), Value: opaque.New([]byte(value))})
	_, err := result(c, r.table.CreateSecret)
	wantCode(t, "the request", err, fault.Internal)
	if strings.Contains(err.Error()+fault.HintOf(err), value) {
		t.Errorf("the panic is told: %v", err)
	}
	if err := c.ended(); fault.CodeOf(err) != fault.Internal {
		t.Errorf("Serve: %v", err)
	}
	if r.server.Busy() != 0 {
		t.Errorf("%d requests are under way", r.server.Busy())
	}
	send(other, r.table.CreateSecret, vault.NewSecret{Name: "GOOD", Scope: vault.GlobalScope(), Value: opaque.New([]byte(value))})
	if _, err := result(other, r.table.CreateSecret); err != nil {
		t.Errorf("another client: %v", err)
	}
}

// A daemon that ends does not wait for clients that do nothing, and has what is
// under way replied to.
func TestEnd(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.acme(t)
	begun := make(chan struct{})
	r.up.Handle(func(_ http.ResponseWriter, req *http.Request) {
		close(begun)
		<-req.Context().Done()
	})
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	var clients []*raw
	for range 2 {
		a, b := net.Pipe()
		c := &raw{t: t, rig: r, conn: a, in: rpc.NewReader(a, time.Minute), out: rpc.NewWriter(a, time.Minute), done: make(chan error, 1)}
		go func() {
			_, err := r.server.Serve(ctx, b, operator)
			c.done <- err
		}()
		c.greet()
		clients = append(clients, c)
	}
	idle, busy := clients[0], clients[1]
	send(busy, r.table.Invoke, items())
	<-begun
	cancel()
	if _, err := result(busy, r.table.Invoke); fault.CodeOf(err) != fault.Canceled {
		t.Errorf("what was under way: %v", err)
	}
	for _, c := range []*raw{idle, busy} {
		if err := c.ended(); err != nil {
			t.Errorf("Serve: %v", err)
		}
	}
}

// vaultWithoutKey returns the vault in a directory, whose key is gone.
func vaultWithoutKey(t *testing.T, dir string) *vault.Local {
	t.Helper()
	if err := os.Remove(filepath.Join(dir, "kek.key")); err != nil {
		t.Fatal(err)
	}
	l := vault.New(vaulttest.Options(dir))
	t.Cleanup(l.Close)
	return l
}

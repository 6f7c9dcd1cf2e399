package serve_test

import (
	"context"
	"encoding/binary"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"aivault/broker"
	"aivault/broker/brokertest"
	"aivault/broker/internal/rpc"
	"aivault/broker/registry"
	"aivault/broker/serve"
	"aivault/keys"
	"aivault/keys/fault"
	"aivault/keys/opaque"
	"aivault/vault"
	"aivault/vault/vaulttest"
)

// Case 124. A client that connects and says nothing is left after five seconds,
// and one that stops within a request after half a minute.
func TestSilence(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := serve.New(serve.Config{Vault: vault.New(vaulttest.Options(t.TempDir())), Broker: broker.New(broker.Config{}), Version: "test"})
		for name, test := range map[string]struct {
			send []byte
			want time.Duration
		}{
			"nothing":        {nil, 5 * time.Second},
			"half a hello":   {[]byte{1, 0, 0}, 5 * time.Second},
			"half a request": {append(hello(), 2, 0, 0, 0, 9, 0), rpc.Stall},
		} {
			a, b := net.Pipe()
			go func() {
				_, _ = a.Write(test.send)
				_, _ = io.Copy(io.Discard, a)
			}()
			start := time.Now()
			_, err := s.Serve(context.Background(), b, operator)
			if took := time.Since(start); err == nil || took < test.want || took > test.want+time.Second {
				t.Errorf("%s: after %s: %v", name, took, err)
			}
			_ = a.Close()
		}
	})
}

// hello is the frame of a client of this version.
func hello() []byte {
	g := rpc.Greeting{Table: rpc.NewTable().Fingerprint, Version: "test", Wish: rpc.WishCall}
	b := g.Encode()
	return append(binary.BigEndian.AppendUint32([]byte{byte(rpc.KindHello)}, uint32(len(b))), b...)
}

// Fault F21. A client that stops reading holds up its own call and nobody else:
// the upstream is not read further, and others are served meanwhile.
func TestClientStopsReading(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.acme(t)
	r.up.Handle(func(w http.ResponseWriter, req *http.Request) {
		if req.URL.RawQuery == "" {
			return
		}
		for req.Context().Err() == nil {
			if _, err := w.Write(make([]byte, 64<<10)); err != nil {
				return
			}
		}
	})
	c := r.connect(t, operator)
	c.greet()
	call := items()
	call.Path = "/v1/items?endless"
	send(c, r.table.Stream, rpc.Two[broker.Call, bool]{A: call, B: true})
	time.Sleep(50 * time.Millisecond) // by now the pipe is full
	other := r.connect(t, operator)
	other.greet()
	for range 3 {
		send(other, r.table.Invoke, items())
		if a, err := result(other, r.table.Invoke); err != nil || a.Status != 200 {
			t.Errorf("another client: %+v, %v", a, err)
		}
	}
	_ = other.conn.Close()
	_ = other.ended()
	if n := r.server.Busy(); n != 1 {
		t.Errorf("%d requests are under way", n)
	}
	_ = c.conn.Close()
	_ = c.ended()
	if n := r.server.Busy(); n != 0 {
		t.Errorf("%d requests are under way when all are gone", n)
	}
}

// Case 124. Agents that begin long requests and do not end them take a bounded
// part of the memory, which is none of the owner's.
func TestLongRequests(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.acme(t)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	part := make([]byte, 64<<10)
	var agents []*raw
	var begun sync.WaitGroup
	for range 20 {
		c := r.connect(t, agent)
		c.greet()
		agents = append(agents, c)
		first := append(binary.BigEndian.AppendUint32(nil, 60<<20), zero(r.table.Invoke)[:2]...)
		first = append(first, make([]byte, len(part)-len(first))...)
		begun.Go(func() {
			_ = c.out.Frame(rpc.KindRequest, first, true)
			go func() { _ = c.out.Frame(rpc.KindData, part, true) }()
		})
	}
	begun.Wait()
	time.Sleep(50 * time.Millisecond)
	runtime.ReadMemStats(&after)
	if grown := int64(after.HeapAlloc) - int64(before.HeapAlloc); grown > 64<<20 {
		t.Errorf("20 requests of 60 MiB that have not come take %d MiB", grown>>20)
	}
	c := r.connect(t, operator)
	c.greet()
	call := items()
	call.Body = make([]byte, 3<<20)
	send(c, r.table.Invoke, call)
	if _, err := result(c, r.table.Invoke); fault.CodeOf(err) != fault.PolicyViolation && err != nil {
		t.Errorf("the owner's: %v", err)
	}
	time.Sleep(6 * time.Second) // longer than anybody waits for room
	refused := 0
	for _, c := range agents {
		_ = c.conn.Close()
		if fault.CodeOf(c.ended()) == fault.VaultBusy {
			refused++
		}
	}
	if refused == 0 {
		t.Error("none of 20 was refused")
	}
}

// A key that was handed over for a time is forgotten when that is over by the
// wall clock, though the machine slept meanwhile; the request that comes first
// finds the vault locked.
func TestTimeGoesOnInSleep(t *testing.T) {
	t.Parallel()
	dir := vaulttest.Dir(t)
	l := vault.New(vaulttest.Options(dir))
	vaulttest.Create(t, l, vault.GlobalScope(), "ONE", "made up")
	slot, key, err := l.FetchKey(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	if err := os.Rename(filepath.Join(dir, "kek.key"), filepath.Join(t.TempDir(), "kek.key")); err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	opts := vaulttest.Options(dir)
	opts.Claims = registry.Builtin()
	l = vault.New(opts)
	r := newRigOn(t, l, func() time.Time { return now })
	c := r.connect(t, operator)
	c.greet()
	give := rpc.Three[vault.ID, vault.Value, time.Duration]{A: slot, B: key, C: -time.Second}
	send(c, r.table.HandOver, give)
	_, err = result(c, r.table.HandOver)
	wantCode(t, "a time that is negative", err, fault.InvalidRequest)
	give.C = time.Hour
	send(c, r.table.HandOver, give)
	if _, err := result(c, r.table.HandOver); err != nil {
		t.Fatal(err)
	}
	now = now.Add(59 * time.Minute)
	send(c, r.table.Slots, rpc.None{})
	if _, err := result(c, r.table.Slots); err != nil || !r.server.KeepsKey() {
		t.Errorf("within the hour: %v", err)
	}
	now = now.Add(2 * time.Minute)
	send(c, r.table.Slots, rpc.None{})
	_, err = result(c, r.table.Slots)
	wantCode(t, "after the hour", err, fault.KeyUnavailable)
	if r.server.KeepsKey() {
		t.Error("the key is kept")
	}
	send(c, r.table.HandOver, rpc.Three[vault.ID, vault.Value, time.Duration]{A: slot, B: opaque.New(make([]byte, keys.KeySize))})
	_, err = result(c, r.table.HandOver)
	wantCode(t, "another key", err, fault.WrongKey)
}

// Case 124, 129. Whatever an agent or the owner sends, the server ends in good
// order: it does not panic, leaves no goroutine, keeps no request, and what an
// agent sends changes nothing.
func FuzzConnection(f *testing.F) {
	r := newRig(f)
	r.acme(f)
	word := brokertest.Word(f)
	frame := func(kind rpc.Kind, b []byte) []byte {
		return append(binary.BigEndian.AppendUint32([]byte{byte(kind)}, uint32(len(b))), b...)
	}
	message := func(b []byte) []byte { return append(binary.BigEndian.AppendUint32(nil, uint32(len(b))), b...) }
	f.Add(false, []byte{})
	f.Add(true, []byte("GET / HTTP/1.1\r\n\r\n"))
	for _, m := range r.table.All() {
		b := append(hello(), frame(rpc.KindRequest, message(zero(m)))...)
		f.Add(true, b)
		f.Add(false, b)
		f.Add(true, append(append(b, frame(rpc.KindCancel, nil)...), frame(rpc.KindRequest, message(zero(m)))...))
	}
	create, err := r.table.CreateSecret.Request(vault.NewSecret{Name: "X", Scope: vault.GlobalScope(), Value: opaque.New([]byte(word))})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(false, append(hello(), frame(rpc.KindRequest, message(create))...))
	f.Fuzz(func(t *testing.T, owner bool, sent []byte) {
		peer := agent
		if owner {
			peer = operator
		}
		before, _ := r.vault.Secrets(context.Background(), nil)
		a, b := net.Pipe()
		go func() {
			_, _ = a.Write(sent)
			_ = a.Close()
		}()
		done := make(chan struct{})
		go func() {
			defer close(done)
			_, _ = r.server.Serve(context.Background(), b, peer)
		}()
		select {
		case <-done:
		case <-time.After(20 * time.Second):
			t.Fatal("the connection does not end")
		}
		if r.server.Busy() != 0 {
			t.Error("a request is under way")
		}
		if after, _ := r.vault.Secrets(context.Background(), nil); !owner && len(after) != len(before) {
			t.Errorf("an agent made of %d secrets %d", len(before), len(after))
		}
	})
}

// Case 129.
func TestNoGoroutineIsLeft(t *testing.T) {
	leaks(t)
	r := newRig(t)
	r.acme(t)
	for i := range 50 {
		c := r.connect(t, operator)
		switch i % 5 {
		case 0:
			_ = c.conn.Close()
		case 1:
			c.greet()
			_ = c.conn.Close()
		case 2:
			c.greet()
			send(c, r.table.Stream, rpc.Two[broker.Call, bool]{A: items(), B: true})
			_ = c.conn.Close()
		case 3:
			c.greet()
			_, _ = c.conn.Write([]byte("what is this"))
			_ = c.conn.Close()
		case 4:
			c.greet()
			send(c, r.table.Stream, rpc.Two[broker.Call, bool]{A: items(), B: true})
			_, _ = result(c, r.table.Stream)
		}
	}
}

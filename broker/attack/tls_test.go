package attack_test

import (
	"bufio"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"aivault/broker"
	"aivault/broker/brokertest"
	"aivault/broker/brokertest/stage"
	"aivault/broker/brokertest/upstream"
	"aivault/keys/fault"
	"aivault/vault"
)

func TestCase051Certificates(t *testing.T) {
	t.Parallel()
	old := func(c *tls.Config) { c.MinVersion, c.MaxVersion = tls.VersionTLS10, tls.VersionTLS11 }
	for name, o := range map[string]upstream.Options{
		"expired":              {Names: []string{host}, Expired: true},
		"self-signed":          {Names: []string{host}, SelfSigned: true},
		"another name":         {Names: []string{"evil.test"}},
		"a name below":         {Names: []string{"a.api.test"}},
		"a wildcard too wide":  {Names: []string{"*.test.example"}},
		"an address":           {Names: []string{"93.184.216.34"}},
		"TLS 1.1":              {Names: []string{host}, TLS: old},
		"HTTP/2, another name": {Names: []string{"evil.test"}, HTTP2: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			up := brokertest.NewWith(t, o)
			w := newWorldAt(t, up)
			w.fail(t, get(prefix), fault.UpstreamUnreachable)
			w.fail(t, post("made-up"), fault.UpstreamUnreachable)
			nothingSent(t, up)
		})
	}
	t.Run("another authority", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		w.connect(t, func(c *broker.Config) { c.Roots = brokertest.New(t, host).CAPEM() })
		w.fail(t, get(prefix), fault.UpstreamUnreachable)
		nothingSent(t, w.up)
	})
	t.Run("the control", func(t *testing.T) { // the old server does speak TLS, to who wants that
		t.Parallel()
		up := brokertest.NewWith(t, upstream.Options{Names: []string{host}, TLS: old})
		c, err := tls.Dial("tcp", up.Addr(), &tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS10})
		if err != nil {
			t.Fatal(err)
		}
		_ = c.Close()
	})
}

// nothingSent checks that an upstream which was connected to got nothing.
func nothingSent(t *testing.T, up *upstream.Server) {
	t.Helper()
	if up.Connections() == 0 {
		t.Error("it was not even connected to")
	}
	for _, got := range up.Received() {
		if len(got) != 0 {
			t.Errorf("the upstream got %d bytes", len(got))
		}
	}
	if n := len(up.Requests()); n != 0 {
		t.Errorf("the upstream got %d requests", n)
	}
}

func TestCase055SharedConnections(t *testing.T) {
	t.Parallel()
	for name, http2 := range map[string]bool{"HTTP/1.1": false, "HTTP/2": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorldAt(t, brokertest.NewWith(t, upstream.Options{Names: []string{host, "files.test"}, HTTP2: http2}))
			first := w.secret
			conns := map[string]map[int]bool{}
			call := func(id string, c broker.Call, s stored) {
				t.Helper()
				c.Credential = id
				w.carries = bearerOf(s)
				got, _ := w.allow(t, c)
				if conns[id] == nil {
					conns[id] = map[int]bool{}
				}
				conns[id][got.Conn] = true
			}
			// Another secret for the same host, and the same secret by
			// another credential; another host that the certificate names too.
			second := w.put(t, "OTHER_TOKEN")
			w.credential(t, broker.NewCredential{ID: "second", Secret: second.id})
			w.credential(t, broker.NewCredential{ID: "again"})
			third := w.put(t, "FILES_TOKEN")
			w.credential(t, broker.NewCredential{ID: "files", Secret: third.id, Hosts: []string{"files.test"}})
			w.capability(t, broker.NewCapability{ID: "api/other-host", Hosts: []string{"files.test"}})
			other := broker.Call{Capability: "api/other-host", Method: http.MethodGet, Path: prefix}
			for range 3 {
				call(credential, get(prefix), first)
				call("second", get(prefix), second)
				call("again", post("made-up"), first)
				call("files", other, third)
			}
			used := map[int]string{}
			for id, of := range conns {
				for n := range of {
					if before, shared := used[n]; shared {
						t.Errorf("%s and %s share connection %d", id, before, n)
					}
					used[n] = id
				}
			}
			if n := w.up.Connections(); n != 4 {
				t.Errorf("%d connections for 4 credentials", n)
			}
		})
	}
}

func TestCase056NotSentTwice(t *testing.T) {
	t.Parallel()
	// The upstream answers the first request of a connection, and takes the
	// second without an answer, as one that dies does.
	var taken atomic.Int64
	up := brokertest.NewWith(t, upstream.Options{Names: []string{host}, Raw: func(c net.Conn) {
		in := bufio.NewReader(c)
		for n := 0; ; n++ {
			r, err := http.ReadRequest(in)
			if err != nil {
				return
			}
			_, _ = io.Copy(io.Discard, r.Body)
			taken.Add(1)
			if n > 0 {
				return
			}
			_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
		}
	}})
	w := newWorldAt(t, up)
	key := post("made-up")
	key.Headers = []broker.Header{{Name: "Idempotency-Key", Value: "made-up-key"}}
	for _, call := range []broker.Call{get(prefix), post("made-up"), key, {Capability: capability, Method: http.MethodPost, Path: prefix}} {
		taken.Store(0)
		w.answered(t, get(prefix))
		w.fail(t, call, fault.UpstreamUnreachable)
		if n := taken.Load(); n != 2 {
			t.Errorf("%s: the upstream took %d requests for 2 calls", brief(call), n)
		}
	}
	// What failed has cost one call of the rate, and no more.
	taken.Store(0)
	rate := int64(2)
	w.capability(t, broker.NewCapability{ID: "api/rated"})
	if _, err := w.broker.SetPolicy(t.Context(), vault.Policy{Capability: "api/rated", Rate: &rate}, 0); err != nil {
		t.Fatal(err)
	}
	rated := broker.Call{Capability: "api/rated", Method: http.MethodGet, Path: prefix}
	w.answered(t, rated)
	w.fail(t, rated, fault.UpstreamUnreachable)
	w.deny(t, rated, fault.RateLimited)
	for _, got := range up.Received() {
		if n := strings.Count(string(got), " HTTP/1.1\r\n"); n > 2 {
			t.Errorf("%d requests on one connection", n)
		}
	}
}

// A peer that takes a byte at a time keeps its own call only, and that until
// its deadline.
func TestCase063SlowPeer(t *testing.T) {
	t.Parallel()
	over := make(chan struct{})
	up := brokertest.NewWith(t, upstream.Options{Names: []string{host}, Raw: func(c net.Conn) {
		in := bufio.NewReader(c)
		for {
			r, err := http.ReadRequest(in)
			if err != nil {
				return
			}
			if r.Method == http.MethodPost {
				for one := make([]byte, 1); err == nil; _, err = c.Read(one) {
					select {
					case <-over:
						return
					case <-time.After(10 * time.Millisecond):
					}
				}
				return
			}
			_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
		}
	}})
	t.Cleanup(func() { close(over) })
	w := newWorldAt(t, up)
	slow := post(strings.Repeat("x", 32<<20)) // more than any buffer on the way
	slow.Timeout = 2 * time.Second
	var answered int
	done := make(chan error)
	go func() {
		_, err := w.broker.Invoke(t.Context(), slow)
		done <- err
	}()
	for {
		select {
		case err := <-done:
			if fault.CodeOf(err) != fault.Timeout {
				t.Errorf("the slow call: %v", err)
			}
			if answered == 0 {
				t.Error("no other call was answered meanwhile")
			}
			events := stage.Events(t, w.vault)
			if n := slices.IndexFunc(events, func(e vault.Event) bool { return e.Code == fault.Timeout }); n < 0 || events[n].Kind != vault.KindInvokeOutcome {
				t.Errorf("recorded are %+v", events)
			}
			brokertest.ScanDir(t, w.dir, w.canaries...)
			return
		default:
			if _, err := w.broker.Invoke(t.Context(), get(prefix)); err != nil {
				t.Fatal(err)
			}
			answered++
		}
	}
}

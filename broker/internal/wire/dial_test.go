package wire_test

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"aivault/broker/brokertest"
	"aivault/broker/brokertest/upstream"
	"aivault/broker/internal/wire"
	"aivault/keys/fault"
)

// publicOnly refuses loopback addresses.
func publicOnly(addr netip.Addr) error {
	if addr.IsLoopback() {
		return fault.New(fault.PolicyViolation, "%s is a loopback address", addr)
	}
	return nil
}

// answers returns a resolver that gives one list after the other, the last one
// again and again.
func answers(lists ...[]string) func(context.Context, string) ([]netip.Addr, error) {
	var mu sync.Mutex
	return func(context.Context, string) ([]netip.Addr, error) {
		mu.Lock()
		defer mu.Unlock()
		var addrs []netip.Addr
		for _, s := range lists[0] {
			addrs = append(addrs, netip.MustParseAddr(s))
		}
		if len(lists) > 1 {
			lists = lists[1:]
		}
		return addrs, nil
	}
}

// onHost is a request to the port that s really has.
func onHost(s *upstream.Server, name string) wire.Request {
	return wire.Request{Method: "GET", Host: fmt.Sprintf("%s:%d", name, s.Port()), Path: "/"}
}

// Case 43: a name with an address that may not be connected to.
func TestCase43RefusedAddress(t *testing.T) {
	t.Parallel()
	s := brokertest.New(t, "api.test", "127.0.0.1")
	for name, list := range map[string][]string{
		"loopback": {"127.0.0.1"},
		"IPv6":     {"::1"},
		"mapped":   {"::ffff:127.0.0.1"},
		"several":  {"127.0.0.1", "127.0.0.2"},
	} {
		c := newClient(t, s, func(c *wire.Config) { c.Check, c.Resolve, c.Dial = publicOnly, answers(list), nil })
		_, err := c.Do(t.Context(), onHost(s, "api.test"))
		wantError(t, err, fault.PolicyViolation, "is a loopback address")
		if t.Failed() {
			t.Fatal(name)
		}
	}
	// A host that is an address is checked like any other.
	c := newClient(t, s, func(c *wire.Config) { c.Check, c.Dial = publicOnly, nil })
	_, err := c.Do(t.Context(), onHost(s, "127.0.0.1"))
	wantError(t, err, fault.PolicyViolation, "is a loopback address")
	if s.Connections() != 0 {
		t.Errorf("%d connections", s.Connections())
	}
}

// An address that is refused is passed over where there is another.
func TestCase43OnlyAllowedAddressIsDialled(t *testing.T) {
	t.Parallel()
	s := brokertest.New(t, "api.test")
	var mu sync.Mutex
	var dialled []string
	c := newClient(t, s, func(c *wire.Config) {
		c.Check, c.Resolve = publicOnly, answers([]string{"127.0.0.1", "::ffff:192.0.2.7"})
		c.Dial = func(ctx context.Context, network, addr string) (net.Conn, error) {
			mu.Lock()
			defer mu.Unlock()
			dialled = append(dialled, addr)
			return s.Dial(ctx, network, addr)
		}
	})
	do(t, c, get("/"))
	if !slices.Equal(dialled, []string{"192.0.2.7:443"}) {
		t.Errorf("dialled %q", dialled)
	}
}

// Case 44: the second answer of the resolver is another one. What was checked
// is what is dialled, each time.
func TestCase44Rebinding(t *testing.T) {
	t.Parallel()
	s := brokertest.New(t, "api.test")
	s.Handle(func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Connection", "close") })
	c := newClient(t, s, func(c *wire.Config) {
		c.Check, c.Resolve = publicOnly, answers([]string{"192.0.2.1"}, []string{"127.0.0.1"})
		c.Dial = func(ctx context.Context, network, addr string) (net.Conn, error) {
			if addr != "192.0.2.1:443" {
				return nil, errors.New("an address that was not checked")
			}
			return s.Dial(ctx, network, addr)
		}
	})
	do(t, c, get("/"))
	_, err := c.Do(t.Context(), get("/"))
	wantError(t, err, fault.PolicyViolation, "is a loopback address")
}

// The check on the socket holds even where the one before it let an address
// pass.
func TestCase44CheckOnTheSocket(t *testing.T) {
	t.Parallel()
	s := brokertest.New(t, "api.test")
	var checks atomic.Int32
	c := newClient(t, s, func(c *wire.Config) {
		c.Resolve, c.Dial = answers([]string{"127.0.0.1"}), nil
		c.Check = func(addr netip.Addr) error {
			if checks.Add(1) == 1 {
				return nil
			}
			return publicOnly(addr)
		}
	})
	_, err := c.Do(t.Context(), onHost(s, "api.test"))
	wantError(t, err, fault.PolicyViolation, "is a loopback address")
	if s.Connections() != 0 {
		t.Errorf("%d connections", s.Connections())
	}
}

// Without hooks the real resolver and dialer are used.
func TestRealNetwork(t *testing.T) {
	t.Parallel()
	s := brokertest.New(t, "localhost", "127.0.0.1")
	c := newClient(t, s, func(c *wire.Config) { c.Resolve, c.Dial = nil, nil })
	for _, name := range []string{"localhost", "127.0.0.1"} {
		resp := do(t, c, onHost(s, name))
		if resp.Status != 200 {
			t.Errorf("%s: status %d", name, resp.Status)
		}
	}
	if got := s.Requests()[0]; got.Host != onHost(s, "localhost").Host || got.SNI != "localhost" {
		t.Errorf("host %q, SNI %q", got.Host, got.SNI)
	}
}

// A dead address does not stop the next one.
func TestRace(t *testing.T) {
	t.Parallel()
	s := brokertest.New(t, "api.test")
	hanging := func(ctx context.Context) (net.Conn, error) { <-ctx.Done(); return nil, ctx.Err() }
	c := newClient(t, s, func(c *wire.Config) {
		c.Resolve = answers([]string{"192.0.2.1", "192.0.2.2", "192.0.2.3"})
		c.Dial = func(ctx context.Context, network, addr string) (net.Conn, error) {
			switch addr {
			case "192.0.2.1:443":
				return hanging(ctx)
			case "192.0.2.2:443":
				return nil, errors.New("refused")
			}
			return s.Dial(ctx, network, addr)
		}
	})
	do(t, c, get("/"))

	brief := func(c *wire.Config) { c.Timeouts.Connect = 100 * time.Millisecond }
	c = newClient(t, s, brief, func(c *wire.Config) {
		c.Dial = func(ctx context.Context, _, _ string) (net.Conn, error) { return hanging(ctx) }
	})
	_, err := c.Do(t.Context(), get("/"))
	wantError(t, err, fault.Timeout, "api.test could not be connected to within 100ms")
}

func TestUnreachable(t *testing.T) {
	t.Parallel()
	s := brokertest.New(t, "api.test")
	resolveTo := func(addrs []netip.Addr, err error) func(*wire.Config) {
		return func(c *wire.Config) {
			c.Resolve = func(context.Context, string) ([]netip.Addr, error) { return addrs, err }
		}
	}
	closed, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(closed.Addr().String())
	_ = closed.Close()
	tests := []struct {
		name   string
		change func(*wire.Config)
		host   string
		says   string
	}{
		{"no such name", resolveTo(nil, &net.DNSError{Err: "no such host", Name: "api.test", IsNotFound: true}), "api.test", "api.test has no address"},
		{"no address", resolveTo(nil, nil), "api.test", "api.test has no address"},
		{"no DNS", resolveTo(nil, &net.DNSError{Err: "server misbehaving"}), "api.test", "DNS does not answer"},
		{"refused", func(c *wire.Config) { c.Dial = nil }, "127.0.0.1:" + port, "cannot be connected to: connection refused"},
	}
	for _, test := range tests {
		c := newClient(t, s, test.change)
		_, err := c.Do(t.Context(), wire.Request{Method: "GET", Host: test.host, Path: "/", RawQuery: "key=made-up"})
		wantError(t, err, fault.UpstreamUnreachable, test.says)
		if strings.Contains(err.Error(), "made-up") {
			t.Errorf("%s: the error has the query in it", test.name)
		}
	}
}

// Case 51: where the certificate is wrong, nothing of the request is sent.
func TestCase51Certificates(t *testing.T) {
	t.Parallel()
	old := func(version uint16) func(*tls.Config) {
		return func(c *tls.Config) { c.MinVersion, c.MaxVersion = version, version }
	}
	names := []string{"api.test"}
	tests := []struct {
		name    string
		options upstream.Options
		says    string
	}{
		{"expired", upstream.Options{Names: names, Expired: true}, "has expired"},
		{"self-signed", upstream.Options{Names: names, SelfSigned: true}, "unknown authority"},
		{"wrong name", upstream.Options{Names: []string{"other.test", "*.api.test"}}, "for another name"},
		{"TLS 1.0", upstream.Options{Names: names, TLS: old(tls.VersionTLS10)}, "TLS handshake"},
		{"TLS 1.1", upstream.Options{Names: names, TLS: old(tls.VersionTLS11)}, "TLS handshake"},
		{"wrong SNI", upstream.Options{Names: names, TLS: func(c *tls.Config) {
			c.GetConfigForClient = func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
				return nil, errors.New("no such site: " + hello.ServerName)
			}
		}}, "TLS handshake"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := brokertest.NewWith(t, test.options)
			authenticated := false
			r := get("/")
			r.Authenticate = func(req *http.Request) error {
				authenticated = true
				req.Header.Set("X-Key", "made-up")
				return nil
			}
			_, err := newClient(t, s).Do(t.Context(), r)
			wantError(t, err, fault.UpstreamUnreachable, test.says)
			if !authenticated || s.Connections() == 0 {
				t.Error("the call did not come as far as the handshake")
			}
			if len(s.Requests()) != 0 || len(slices.Concat(s.Received()...)) != 0 {
				t.Error("the upstream received something of the request")
			}
		})
	}
	s := brokertest.NewWith(t, upstream.Options{Names: names, TLS: old(tls.VersionTLS12)})
	do(t, newClient(t, s), get("/"))
}

// A credential's own authority replaces the others: that of another server is
// not trusted.
func TestOwnAuthorityOnly(t *testing.T) {
	t.Parallel()
	s, other := brokertest.New(t, "api.test"), brokertest.New(t, "api.test")
	_, err := newClient(t, s, func(c *wire.Config) { c.CACert = other.CAPEM() }).Do(t.Context(), get("/"))
	wantError(t, err, fault.UpstreamUnreachable, "unknown authority")
	_, err = newClient(t, s, func(c *wire.Config) { c.CACert = nil }).Do(t.Context(), get("/"))
	wantError(t, err, fault.UpstreamUnreachable, "unknown authority")
	both := slices.Concat(other.CAPEM(), s.CAPEM())
	do(t, newClient(t, s, func(c *wire.Config) { c.CACert = both }), get("/"))
}

// Not TLS at all.
func TestPlainText(t *testing.T) {
	t.Parallel()
	s := brokertest.New(t, "api.test")
	plain, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = plain.Close() }()
	go func() {
		for {
			c, err := plain.Accept()
			if err != nil {
				return
			}
			_, _ = c.Write([]byte("HTTP/1.1 200 OK\r\n\r\nmade-up-echo"))
			_ = c.Close()
		}
	}()
	c := newClient(t, s, func(c *wire.Config) {
		c.Dial = func(ctx context.Context, _, _ string) (net.Conn, error) {
			var d net.Dialer
			return d.DialContext(ctx, "tcp", plain.Addr().String())
		}
	})
	_, err = c.Do(t.Context(), get("/"))
	wantError(t, err, fault.UpstreamUnreachable, "TLS handshake")
}

// A server that accepts and says nothing.
func TestSilentHandshake(t *testing.T) {
	t.Parallel()
	s := brokertest.New(t, "api.test")
	silent, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = silent.Close() }()
	c := newClient(t, s, func(c *wire.Config) {
		c.Timeouts.Connect = 100 * time.Millisecond
		c.Dial = func(ctx context.Context, _, _ string) (net.Conn, error) {
			var d net.Dialer
			return d.DialContext(ctx, "tcp", silent.Addr().String())
		}
	})
	_, err = c.Do(t.Context(), get("/"))
	wantError(t, err, fault.Timeout, "could not be connected to")
}

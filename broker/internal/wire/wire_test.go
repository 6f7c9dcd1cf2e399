package wire_test

import (
	"context"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aivault/broker/brokertest"
	"aivault/broker/brokertest/upstream"
	"aivault/broker/internal/wire"
	"aivault/keys/fault"
)

// newClient returns a client that trusts s, and reaches it under any name.
func newClient(t *testing.T, s *upstream.Server, changes ...func(*wire.Config)) *wire.Client {
	t.Helper()
	config := wire.Config{
		Version: "test",
		CACert:  s.CAPEM(),
		Check:   func(netip.Addr) error { return nil },
		Resolve: func(context.Context, string) ([]netip.Addr, error) {
			return []netip.Addr{netip.MustParseAddr("192.0.2.1")}, nil
		},
		Dial: s.Dial,
	}
	for _, change := range changes {
		change(&config)
	}
	c := wire.New(config)
	t.Cleanup(c.Close)
	return c
}

// brief has timeouts that a test can wait for.
func brief(c *wire.Config) {
	c.Timeouts = wire.Timeouts{Connect: 5 * time.Second, Header: 400 * time.Millisecond, Idle: 400 * time.Millisecond}
}

func get(path string) wire.Request {
	return wire.Request{Method: "GET", Host: "api.test", Path: path}
}

func do(t *testing.T, c *wire.Client, r wire.Request) *wire.Response {
	t.Helper()
	resp, err := c.Do(t.Context(), r)
	if err != nil {
		t.Fatalf("%s %s: %v", r.Method, r.Path, err)
	}
	return resp
}

func header(name, value string) upstream.Header { return upstream.Header{Name: name, Value: value} }

// wantError checks code and text of an error.
func wantError(t *testing.T, err error, code fault.Code, says string) {
	t.Helper()
	if fault.CodeOf(err) != code || !strings.Contains(err.Error(), says) {
		t.Errorf("error %v (%s), want %q (%s)", err, fault.CodeOf(err), says, code)
	}
}

func TestRequestOnTheWire(t *testing.T) {
	t.Parallel()
	s := brokertest.New(t, "api.test")
	c := newClient(t, s)
	resp := do(t, c, wire.Request{
		Method: "POST", Host: "api.test", Path: "/v1/a%2Cb:c", RawQuery: "x=%2f+&y[]=1&",
		Header: http.Header{"Content-Type": {"text/plain"}, "Accept-Encoding": {"br"}},
		Body:   []byte("body\x00"),
		Authenticate: func(r *http.Request) error {
			r.Header.Set("Authorization", "Bearer made-up")
			return nil
		},
	})
	want := []upstream.Request{{
		Method: "POST", URI: "/v1/a%2Cb:c?x=%2f+&y[]=1&", Proto: "HTTP/1.1", Host: "api.test",
		Headers: []upstream.Header{
			header("Host", "api.test"),
			header("User-Agent", "aivault/test"),
			header("Content-Length", "5"),
			header("Accept-Encoding", "gzip, deflate"),
			header("Authorization", "Bearer made-up"),
			header("Content-Type", "text/plain"),
		},
		Body: []byte("body\x00"), SNI: "api.test", Conn: 1,
	}}
	if diff := cmp.Diff(want, s.Requests()); diff != "" {
		t.Errorf("requests (-want +got):\n%s", diff)
	}
	if resp.RequestBytes != 5 || resp.ResponseBytes != 2 || resp.Status != 200 || string(resp.Body) != "{}" {
		t.Errorf("response %+v", resp)
	}
	if resp.HeaderAfter <= 0 || resp.Duration < resp.HeaderAfter {
		t.Errorf("durations %v and %v", resp.HeaderAfter, resp.Duration)
	}
}

func TestRequestVariants(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		request wire.Request
		want    map[string]string // header values at the upstream, empty: absent
	}{
		{"own agent", wire.Request{Method: "GET", Header: http.Header{"User-Agent": {"mine/1"}}}, map[string]string{"User-Agent": "mine/1"}},
		{"range", wire.Request{Method: "GET", Header: http.Header{"Range": {"bytes=0-1"}}}, map[string]string{"Accept-Encoding": "identity"}},
		{"GET without body", wire.Request{Method: "GET"}, map[string]string{"Content-Length": "", "Transfer-Encoding": ""}},
		{"POST without body", wire.Request{Method: "POST"}, map[string]string{"Content-Length": "0", "Transfer-Encoding": ""}},
		{"POST with an empty body", wire.Request{Method: "POST", Body: []byte{}}, map[string]string{"Content-Length": "0", "Transfer-Encoding": ""}},
		{"DELETE with a body", wire.Request{Method: "DELETE", Body: []byte("x")}, map[string]string{"Content-Length": "1"}},
		{"HEAD", wire.Request{Method: "HEAD"}, map[string]string{"Content-Length": ""}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := brokertest.New(t, "api.test")
			test.request.Host, test.request.Path = "api.test", "/"
			before := test.request.Header.Clone()
			do(t, newClient(t, s), test.request)
			for name, want := range test.want {
				if got := s.Requests()[0].Get(name); got != want {
					t.Errorf("%s is %q, want %q", name, got, want)
				}
			}
			if diff := cmp.Diff(before, test.request.Header); diff != "" {
				t.Errorf("the caller's headers changed:\n%s", diff)
			}
		})
	}
}

// Case 49: no redirect is followed, wherever it leads.
func TestCase49Redirects(t *testing.T) {
	t.Parallel()
	s := brokertest.New(t, "api.test", "evil.test")
	c := newClient(t, s)
	n := 0
	for _, status := range []int{301, 302, 303, 307, 308} {
		for _, location := range []string{"/other", "https://evil.test/", "http://api.test/", "https://api.test:8443/", "//evil.test/", "data:,x"} {
			s.Reply(status, http.Header{"Location": {location}, "Set-Cookie": {"a=b"}}, []byte("moved"))
			resp := do(t, c, get("/"))
			n++
			if resp.Status != status || string(resp.Body) != "moved" || resp.Header.Get("Location") != location {
				t.Errorf("%d to %s: %+v", status, location, resp)
			}
		}
	}
	if got := len(s.Requests()); got != n {
		t.Errorf("%d requests for %d calls", got, n)
	}
	for _, r := range s.Requests() {
		if r.Get("Cookie") != "" || r.Get("Referer") != "" {
			t.Fatalf("a cookie or referer was sent: %+v", r)
		}
	}
}

func TestCancel(t *testing.T) {
	t.Parallel()
	s := brokertest.NewWith(t, upstream.Options{Names: []string{"api.test"}, Raw: upstream.Stall("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab")})
	c := newClient(t, s)

	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	_, err := c.Do(ctx, get("/"))
	wantError(t, err, fault.Timeout, "took longer than the call was given")

	// Who has a reason of its own to give up says it.
	reason := fault.New(fault.Timeout, "it was too slow for us")
	ctx, cancel = context.WithTimeoutCause(t.Context(), 100*time.Millisecond, reason)
	defer cancel()
	_, err = c.Do(ctx, get("/"))
	wantError(t, err, fault.Timeout, "it was too slow for us")

	ctx, cancel = context.WithCancel(t.Context())
	cancel()
	_, err = c.Do(ctx, get("/"))
	wantError(t, err, fault.Canceled, "canceled")
}

func TestBadCACert(t *testing.T) {
	t.Parallel()
	s := brokertest.New(t, "api.test")
	c := newClient(t, s, func(c *wire.Config) { c.CACert = []byte("no PEM") })
	_, err := c.Do(t.Context(), get("/"))
	wantError(t, err, fault.InvalidRequest, "no certificate in PEM")
}

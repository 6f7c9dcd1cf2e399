package wire_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
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

// Case 93, and the setting behind the speed of calls in parallel.
func TestConnectionsAreKept(t *testing.T) {
	t.Parallel()
	s := brokertest.New(t, "api.test")
	c := newClient(t, s)
	for range 20 {
		do(t, c, get("/"))
	}
	if s.Connections() != 1 {
		t.Errorf("%d connections for 20 calls", s.Connections())
	}
	c.Close()
	do(t, c, get("/"))
	if s.Connections() != 2 {
		t.Errorf("%d connections after Close and a further call, want 2", s.Connections())
	}
}

// Cases 55 and 93: two credentials share no connection, over HTTP/2 either.
func TestCase55NoSharing(t *testing.T) {
	t.Parallel()
	for _, http2 := range []bool{false, true} {
		s := brokertest.NewWith(t, upstream.Options{Names: []string{"api.test"}, HTTP2: http2})
		s.Reply(200, http.Header{"Set-Cookie": {"session=a"}}, nil)
		one, other := newClient(t, s), newClient(t, s)
		for range 2 {
			do(t, one, get("/one"))
			do(t, other, get("/other"))
		}
		by := map[string]int{}
		for _, r := range s.Requests() {
			if conn, seen := by[r.URI]; seen && conn != r.Conn {
				t.Errorf("%s came on connections %d and %d", r.URI, conn, r.Conn)
			}
			by[r.URI] = r.Conn
			if r.Get("Cookie") != "" {
				t.Error("a cookie was sent")
			}
		}
		if by["/one"] == by["/other"] {
			t.Errorf("HTTP/2 %t: both came on connection %d", http2, by["/one"])
		}
	}
}

// Case 56: a request that was written is not sent again when the connection
// breaks. net/http does, for GET on a connection that had served before, and
// for POST with an idempotency key.
func TestCase56NoReplay(t *testing.T) {
	t.Parallel()
	requests := map[string]wire.Request{
		"GET":                   {Method: "GET"},
		"HEAD":                  {Method: "HEAD"},
		"OPTIONS":               {Method: "OPTIONS"},
		"POST":                  {Method: "POST", Body: []byte("x")},
		"POST without body":     {Method: "POST"},
		"POST with a key":       {Method: "POST", Header: http.Header{"Idempotency-Key": {"k"}}},
		"POST with key, body":   {Method: "POST", Header: http.Header{"Idempotency-Key": {"k"}}, Body: []byte("x")},
		"PUT, X-Idempotency":    {Method: "PUT", Header: http.Header{"X-Idempotency-Key": {"k"}}},
		"DELETE with empty one": {Method: "DELETE", Header: http.Header{"Idempotency-Key": {"k"}}, Body: []byte{}},
	}
	// On each connection one request is answered, and the next is read.
	once := func(c net.Conn) {
		if upstream.ReadRequest(c) != nil {
			return
		}
		if _, err := io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"); err != nil {
			return
		}
		_ = upstream.ReadRequest(c)
	}
	for name, r := range requests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := brokertest.NewWith(t, upstream.Options{Names: []string{"api.test"}, Raw: once})
			c := newClient(t, s)
			do(t, c, wire.Request{Method: "POST", Host: "api.test", Path: "/first"})
			r.Host, r.Path = "api.test", "/second"
			_, err := c.Do(t.Context(), r)
			wantError(t, err, fault.UpstreamUnreachable, "api.test closed the connection")
			if !strings.Contains(fault.HintOf(err), "not sent again") {
				t.Errorf("the hint %q does not say what became of the request", fault.HintOf(err))
			}
			arrived := 0
			for _, conn := range s.Received() {
				arrived += strings.Count(string(conn), r.Method+" /second ")
			}
			if arrived != 1 {
				t.Errorf("the request arrived %d times", arrived)
			}
		})
	}
}

// With many connections at hand, none of them is used for a second try.
func TestCase56NoReplayOnAnyConnection(t *testing.T) {
	t.Parallel()
	const width = 8
	together := make(chan struct{}, width)
	proceed := make(chan struct{})
	s := brokertest.NewWith(t, upstream.Options{Names: []string{"api.test"}, Raw: func(c net.Conn) {
		if upstream.ReadRequest(c) != nil {
			return
		}
		together <- struct{}{}
		<-proceed
		_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
		_ = upstream.ReadRequest(c)
	}})
	c := newClient(t, s)
	errs := make(chan error, width)
	for range width {
		go func() {
			_, err := c.Do(t.Context(), wire.Request{Method: "POST", Host: "api.test", Path: "/first"})
			errs <- err
		}()
	}
	for range width {
		<-together
	}
	close(proceed)
	for range width {
		if err := <-errs; err != nil {
			t.Fatal(err)
		}
	}
	_, err := c.Do(t.Context(), get("/second"))
	wantError(t, err, fault.UpstreamUnreachable, "closed the connection")
	arrived := 0
	for _, conn := range s.Received() {
		arrived += strings.Count(string(conn), "GET /second ")
	}
	if arrived != 1 {
		t.Errorf("the request arrived %d times", arrived)
	}
}

// A connection that the upstream closed while it was idle is no reason to
// fail: nothing was written to it.
func TestIdleCloseIsNoError(t *testing.T) {
	t.Parallel()
	s := brokertest.New(t, "api.test")
	s.Handle(func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Connection", "close") })
	c := newClient(t, s)
	for n := range 5 {
		do(t, c, get(fmt.Sprintf("/%d", n)))
	}
	if got := len(s.Requests()); got != 5 {
		t.Errorf("%d requests for 5 calls", got)
	}
}

// However many calls are made at a time, there are fewer than 128 connections;
// those that must wait for one get the first that becomes free, and leave
// nothing behind. Not in parallel: nothing may be left.
func TestConnectionsAreBounded(t *testing.T) {
	const calls = 200
	s := brokertest.New(t, "api.test")
	var open, most atomic.Int32
	full, proceed := make(chan struct{}), make(chan struct{})
	isFull := sync.OnceFunc(func() { close(full) }) // it may be full again later
	s.Handle(func(http.ResponseWriter, *http.Request) {
		n := open.Add(1)
		defer open.Add(-1)
		for old := most.Load(); n > old && !most.CompareAndSwap(old, n); old = most.Load() {
		}
		if n == 96 {
			isFull()
		}
		<-proceed
	})
	c := newClient(t, s)
	errs := make(chan error, calls)
	for range calls {
		go func() {
			_, err := c.Do(t.Context(), get("/"))
			errs <- err
		}()
	}
	<-full
	// One that gives up waiting is no loss to the others.
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	_, err := c.Do(ctx, get("/"))
	wantError(t, err, fault.Timeout, "took longer than the call was given")
	close(proceed)
	for range calls {
		if err := <-errs; err != nil {
			t.Fatal(err)
		}
	}
	if most.Load() >= 128 || s.Connections() >= 128 {
		t.Errorf("%d requests at a time, %d connections", most.Load(), s.Connections())
	}
	c.Close()
	wantNoneLeft(t)
}

// A connection that is closed counts no more, whoever closed it, and neither
// does an attempt that failed: more of them than there may be at a time.
func TestConnectionsAreGivenBack(t *testing.T) {
	const calls = 100
	for _, http2 := range []bool{false, true} {
		s := brokertest.NewWith(t, upstream.Options{Names: []string{"api.test"}, HTTP2: http2})
		s.Handle(func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Connection", "close") })
		c := newClient(t, s)
		for range calls {
			do(t, c, get("/"))
		}
		for range calls {
			do(t, c, get("/"))
			c.Close()
		}
		fail := newClient(t, s, func(c *wire.Config) {
			c.Dial = func(context.Context, string, string) (net.Conn, error) { return nil, errors.New("refused") }
		})
		untrusted := newClient(t, s, func(c *wire.Config) { c.CACert = brokertest.New(t, "api.test").CAPEM() })
		for range calls {
			_, err := fail.Do(t.Context(), get("/"))
			wantError(t, err, fault.UpstreamUnreachable, "cannot be connected to")
			_, err = untrusted.Do(t.Context(), get("/"))
			wantError(t, err, fault.UpstreamUnreachable, "unknown authority")
		}
	}
}

// A call that gets no connection says why.
func TestNoConnectionLeft(t *testing.T) {
	t.Parallel()
	s := brokertest.NewWith(t, upstream.Options{Names: []string{"api.test"}, Raw: upstream.Stall("HTTP/1.1 200 OK\r\n\r\n")})
	c := newClient(t, s, func(c *wire.Config) {
		c.Timeouts = wire.Timeouts{Connect: 2 * time.Second, Header: 500 * time.Millisecond, Idle: time.Minute}
	})
	for range 96 {
		open(t, c, t.Context(), get("/"))
	}
	_, err := c.Do(t.Context(), get("/"))
	wantError(t, err, fault.Timeout, "api.test has 96 connections in use")
}

// A call that waited for a connection, and got one that became free, wants no
// other: none is made when there could be one.
func TestNoNeedlessConnection(t *testing.T) {
	t.Parallel()
	s := brokertest.New(t, "api.test")
	end := make(chan struct{})
	s.Handle(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, "first")
		w.(http.Flusher).Flush()
		if r.URL.Path == "/short" {
			<-end
			return
		}
		<-r.Context().Done()
	})
	c := newClient(t, s)
	var long []*wire.Stream
	for range 95 {
		long = append(long, open(t, c, t.Context(), get("/long")))
	}
	short := open(t, c, t.Context(), get("/short"))
	got := make(chan struct{})
	go func() {
		defer close(got)
		a, err := c.Open(t.Context(), get("/long"))
		if err != nil {
			t.Error(err)
			return
		}
		t.Cleanup(func() { _ = a.Close() })
	}()
	time.Sleep(200 * time.Millisecond) // until it waits
	close(end)
	if _, err := io.Copy(io.Discard, short); err != nil {
		t.Fatal(err)
	}
	<-got
	_ = long[0].Close() // a place for a 97th connection
	time.Sleep(200 * time.Millisecond)
	if s.Connections() != 96 {
		t.Errorf("%d connections, want 96", s.Connections())
	}
}

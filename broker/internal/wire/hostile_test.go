package wire_test

import (
	"context"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"aivault/broker/brokertest"
	"aivault/broker/brokertest/upstream"
	"aivault/broker/internal/wire"
	"aivault/keys/fault"
)

// Case 70 and F17: answers without an end, and with too much of everything.
func TestCase70Endless(t *testing.T) {
	line := "X-Filler: " + strings.Repeat("x", 1000) + "\r\n"
	emptyBlocks := strings.Repeat("\x00\x00\x00\xff\xff", 100) // stored, of length 0
	const chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n"
	tests := []struct {
		name string
		raw  func() upstream.Options
		code fault.Code
	}{
		{"body", endless("HTTP/1.1 200 OK\r\n\r\n", strings.Repeat("x", 4096)), fault.ResponseTooLarge},
		{"announced body", endless("HTTP/1.1 200 OK\r\nContent-Length: 1073741824\r\n\r\n", strings.Repeat("x", 4096)), fault.ResponseTooLarge},
		{"chunks", endless(chunked+"\r\n", "1000\r\n"+strings.Repeat("x", 4096)+"\r\n"), fault.ResponseTooLarge},
		{"deflate that stands for nothing", endless("HTTP/1.1 200 OK\r\nContent-Encoding: deflate\r\n\r\n", emptyBlocks), fault.ResponseTooLarge},
		{"header, of 10 MiB and more", endless("HTTP/1.1 200 OK\r\nX-Long: ", strings.Repeat("x", 4096)), fault.UpstreamUnreachable},
		{"headers", endless("HTTP/1.1 200 OK\r\n", line), fault.UpstreamUnreachable},
		{"100,000 headers", script("HTTP/1.1 200 OK\r\n" + strings.Repeat("X-A: b\r\n", 100_000) + "\r\n"), fault.UpstreamUnreachable},
		{"status line", endless("HTTP/1.1 200 ", strings.Repeat("x", 4096)), fault.UpstreamUnreachable},
		{"1xx (case 73)", endless("", "HTTP/1.1 103 Early Hints\r\nLink: <x>\r\n\r\n"), fault.UpstreamUnreachable},
		{"100 Continue", endless("", "HTTP/1.1 100 Continue\r\n\r\n"), fault.UpstreamUnreachable},
		{"trailers", endless(chunked+"\r\n0\r\n", line), fault.UpstreamUnreachable},
		{"chunk extension", endless(chunked+"\r\n1;", strings.Repeat("x", 4096)), fault.UpstreamUnreachable},
		{"chunk extensions", endless(chunked+"\r\n", "1;"+strings.Repeat("x", 1000)+"\r\nx\r\n"), fault.UpstreamUnreachable},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := brokertest.NewWith(t, test.raw())
			c := newClient(t, s)
			r := get("/")
			r.MaxBody = 1 << 20
			for _, way := range ways() {
				ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
				var err error
				if n := allocated(func() { _, err = way.do(c, ctx, r) }); n > 32<<20 {
					t.Errorf("%s: %d bytes were allocated", way.name, n)
				}
				wantError(t, err, test.code, "")
				cancel()
			}
		})
	}
}

func endless(head, chunk string) func() upstream.Options {
	return raw(upstream.Endless(head, chunk))
}

func script(reply string) func() upstream.Options { return raw(upstream.Script(reply)) }

func raw(f func(net.Conn)) func() upstream.Options {
	return func() upstream.Options { return upstream.Options{Names: []string{"api.test"}, Raw: f} }
}

// Case 71: an upstream that stops in the middle.
func TestCase71Stalls(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, head, says string }{
		{"before the answer", "", "api.test did not answer within 400ms"},
		{"in the status line", "HTTP/1.1 20", "api.test did not answer within 400ms"},
		{"in the header", "HTTP/1.1 200 OK\r\nX-", "api.test did not answer within 400ms"},
		{"after 1xx", "HTTP/1.1 103 Early Hints\r\n\r\n", "api.test did not answer within 400ms"},
		{"before the body", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", "api.test sent nothing more of the answer for 400ms"},
		{"in the body", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab", "api.test sent nothing more of the answer for 400ms"},
		{"in a chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab", "api.test sent nothing more of the answer for 400ms"},
		{"before the trailer", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n", "api.test sent nothing more of the answer for 400ms"},
		{"in gzip", "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n\x1f", "api.test sent nothing more of the answer for 400ms"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := brokertest.NewWith(t, upstream.Options{Names: []string{"api.test"}, Raw: upstream.Stall(test.head)})
			for _, way := range ways() {
				_, err := way.do(newClient(t, s, brief), t.Context(), get("/"))
				wantError(t, err, fault.Timeout, test.says)
			}
		})
	}
}

// The same over HTTP/2, where the connection goes on.
func TestCase71StallsHTTP2(t *testing.T) {
	t.Parallel()
	s := brokertest.NewWith(t, upstream.Options{Names: []string{"api.test"}, HTTP2: true})
	s.Handle(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/body":
			_, _ = w.Write([]byte("ab"))
			w.(http.Flusher).Flush()
		case "/ok":
			return
		}
		<-r.Context().Done()
	})
	c := newClient(t, s, brief)
	for _, way := range ways() {
		_, err := way.do(c, t.Context(), get("/header"))
		wantError(t, err, fault.Timeout, "api.test did not answer within 400ms")
		_, err = way.do(c, t.Context(), get("/body"))
		wantError(t, err, fault.Timeout, "api.test sent nothing more of the answer for 400ms")
	}
	do(t, c, get("/ok"))
	if s.Connections() != 1 {
		t.Errorf("%d connections", s.Connections())
	}
}

// A slow answer that keeps moving is no stall: it takes longer than the idle
// time as a whole.
func TestCase71SlowIsNoStall(t *testing.T) {
	t.Parallel()
	s := brokertest.New(t, "api.test")
	s.Handle(func(w http.ResponseWriter, r *http.Request) {
		tick := time.NewTicker(40 * time.Millisecond)
		defer tick.Stop()
		for range 15 {
			_, _ = w.Write([]byte("x"))
			w.(http.Flusher).Flush()
			select {
			case <-tick.C:
			case <-r.Context().Done():
				return
			}
		}
	})
	c := newClient(t, s, func(c *wire.Config) { c.Timeouts.Idle = 400 * time.Millisecond })
	if resp := do(t, c, get("/")); len(resp.Body) != 15 || resp.Duration < 500*time.Millisecond {
		t.Errorf("body of %d bytes after %v", len(resp.Body), resp.Duration)
	}
}

// Cases 73 and 79, and F17: what is not HTTP. No error quotes it.
func TestCase73Garbage(t *testing.T) {
	t.Parallel()
	const echo = "made-up-echo"
	tests := []struct{ name, reply, says string }{
		{"nothing", "", "instead of an answer"},
		{"HTTP/0.9", echo + "\n", "instead of an answer"},
		{"garbage", "\x16\x03\x01" + echo, "instead of an answer"},
		{"HTTP/1.1 garbage", "HTTP/1.1 " + echo + "\r\n\r\n", "instead of an answer"},
		{"no status", "HTTP/1.1\r\n\r\n" + echo, "instead of an answer"},
		{"bad version", "HTTP/9.1 200 OK\r\n\r\n" + echo, "version of HTTP"},
		{"bad header", "HTTP/1.1 200 OK\r\n" + echo + "\r\n\r\n", "instead of an answer"},
		{"header of NULs", "HTTP/1.1 200 OK\r\nX: \x00" + echo + "\r\n\r\n", "instead of an answer"},
		{"two lengths", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n" + echo, "instead of an answer"},
		{"negative length", "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n" + echo, "instead of an answer"},
		{"unknown transfer", "HTTP/1.1 200 OK\r\nTransfer-Encoding: " + echo + "\r\n\r\n", "instead of an answer"},
		{"101", "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n" + echo, "ends no answer"},
		{"204 with a body", "HTTP/1.1 204 No Content\r\nContent-Length: 12\r\n\r\n" + echo, "body where HTTP allows none"},
		{"short body", "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n" + echo, "broke off the body"},
		{"bad chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz" + echo + "\r\n", "broke off the body"},
		{"cut chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n100\r\n" + echo, "broke off the body"},
		{"bad trailer", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n" + echo + "\r\n\r\n", "broke off the body"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := brokertest.NewWith(t, upstream.Options{Names: []string{"api.test"}, Raw: upstream.Script(test.reply)})
			r := get("/")
			r.RawQuery = "key=made-up-query"
			for n, way := range ways() {
				_, err := way.do(newClient(t, s), t.Context(), r)
				if err == nil {
					t.Fatal("the answer was accepted")
				}
				wantError(t, err, fault.UpstreamUnreachable, test.says)
				brokertest.Scan(t, "the error", []byte(err.Error()+fault.HintOf(err)), echo, "made-up-query")
				if s.Connections() != n+1 {
					t.Errorf("%d connections for %d requests", s.Connections(), n+1)
				}
			}
		})
	}
}

// An answer that comes before the request is taken whole.
func TestEarlyAnswer(t *testing.T) {
	t.Parallel()
	s := brokertest.NewWith(t, upstream.Options{Names: []string{"api.test"}, Raw: upstream.Early(
		"HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno")})
	r := wire.Request{Method: "POST", Host: "api.test", Path: "/", Body: make([]byte, 8<<20)}
	resp, err := newClient(t, s).Do(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	if resp.Status != 413 || string(resp.Body) != "no" || resp.RequestBytes > int64(len(r.Body)) {
		t.Errorf("response %+v", resp)
	}
}

// F17: a connection that is reset, before and in the middle of an answer. A
// POST is not sent again, with whatever it names itself.
func TestReset(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, head, says string }{
		{"before the answer", "", "instead of an answer"},
		{"in the header", "HTTP/1.1 200 OK\r\nX-", "instead of an answer"},
		{"in the body", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab", "broke off the body"},
		{"in a chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab", "broke off the body"},
		{"in gzip", "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n\x1f", "broke off the body"},
		{"without an end", "HTTP/1.1 200 OK\r\n\r\nab", "broke off the body"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := brokertest.NewWith(t, raw(upstream.Cut(test.head))())
			r := wire.Request{Method: "POST", Host: "api.test", Path: "/", Body: []byte("x"), Header: http.Header{"Idempotency-Key": {"k"}}}
			for n, way := range ways() {
				_, err := way.do(newClient(t, s), t.Context(), r)
				wantError(t, err, fault.UpstreamUnreachable, test.says)
				if s.Connections() != n+1 {
					t.Errorf("%d connections for %d requests", s.Connections(), n+1)
				}
			}
		})
	}
}

// F17: an upstream that never stands still and never comes to an end is bounded
// by the time that the call is given.
func TestCase71Drip(t *testing.T) {
	t.Parallel()
	for name, head := range map[string]string{
		"body":   "HTTP/1.1 200 OK\r\n\r\n",
		"header": "HTTP/1.1 200 OK\r\nX-Slow: ",
	} {
		s := brokertest.NewWith(t, raw(upstream.Drip(head, 20*time.Millisecond))())
		for _, way := range ways() {
			ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
			start := time.Now()
			_, err := way.do(newClient(t, s), ctx, get("/"))
			cancel()
			wantError(t, err, fault.Timeout, "took longer than the call was given")
			if took := time.Since(start); took > 5*time.Second {
				t.Errorf("%s, %s: gave up after %v", name, way.name, took)
			}
		}
	}
}

// F17: an upstream that is never ready for the body gets it all the same, and
// one that then says nothing does not hold the call.
func TestExpectContinue(t *testing.T) {
	t.Parallel()
	r := wire.Request{Method: "POST", Host: "api.test", Path: "/", Body: []byte("made-up body"), Header: http.Header{"Expect": {"100-continue"}}}
	answers := brokertest.NewWith(t, raw(upstream.Script("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"))())
	silent := brokertest.NewWith(t, raw(upstream.Stall(""))())
	for _, way := range ways() {
		resp, err := way.do(newClient(t, answers), t.Context(), r)
		if err != nil || string(resp.Body) != "ok" {
			t.Errorf("%s: error %v", way.name, err)
		}
		_, err = way.do(newClient(t, silent, brief), t.Context(), r)
		wantError(t, err, fault.Timeout, "did not answer within 400ms")
	}
	for _, received := range answers.Received() {
		if !strings.HasSuffix(string(received), "\r\n\r\nmade-up body") {
			t.Errorf("received %q", received)
		}
	}
}

// Case 73, and F17: what stands behind the end of an answer is no part of it,
// and no answer to the next request.
func TestCase73BehindTheEnd(t *testing.T) {
	t.Parallel()
	const smuggled = "HTTP/1.1 299 OK\r\nContent-Length: 8\r\n\r\nmade-up!"
	for head, want := range map[string]int{
		"HTTP/1.1 304 Not Modified\r\nContent-Length: 50\r\n\r\n":                   304,
		"HTTP/1.1 304 Not Modified\r\nTransfer-Encoding: chunked\r\n\r\n":           304,
		"HTTP/1.1 204 No Content\r\n\r\n":                                           204,
		"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok":                            200,
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n": 200,
	} {
		s := brokertest.NewWith(t, raw(upstream.Stall(head+smuggled))())
		c := newClient(t, s)
		for range 3 {
			resp := do(t, c, get("/"))
			if body := string(resp.Body); resp.Status != want || body != "ok" && body != "" {
				t.Errorf("status %d, body %q, want %d", resp.Status, body, want)
			}
			time.Sleep(50 * time.Millisecond) // until the connection is seen to be unusable
		}
		if s.Connections() != 3 {
			t.Errorf("status %d: %d connections for 3 calls", want, s.Connections())
		}
	}
}

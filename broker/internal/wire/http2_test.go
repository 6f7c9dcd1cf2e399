package wire_test

import (
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"aivault/broker/brokertest"
	"aivault/broker/brokertest/upstream"
	"aivault/broker/internal/wire"
	"aivault/keys/fault"
)

func TestHTTP2(t *testing.T) {
	t.Parallel()
	s := brokertest.NewWith(t, upstream.Options{Names: []string{"api.test"}, HTTP2: true})
	s.Handle(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Trailer", "X-Late")
		_, _ = io.Copy(w, r.Body)
		w.Header().Set("X-Late", "x")
	})
	c := newClient(t, s)
	for range 3 {
		r := wire.Request{Method: "POST", Host: "api.test", Path: "/a%2Cb", RawQuery: "x=%2f", Body: []byte("echo")}
		resp := do(t, c, r)
		if resp.Proto != "HTTP/2.0" || string(resp.Body) != "echo" || resp.Header.Get("X-Late") != "" {
			t.Errorf("response %+v", resp)
		}
		do(t, c, get("/plain"))
	}
	got := s.Requests()
	if len(got) != 6 || s.Connections() != 1 || got[0].URI != "/a%2Cb?x=%2f" || got[0].Get("User-Agent") != "aivault/test" {
		t.Errorf("%d requests on %d connections, the first %+v", len(got), s.Connections(), got[0])
	}
}

// Error codes of HTTP/2 (RFC 9113, section 7).
const (
	noError       = 0x0
	protocolError = 0x1
	internalError = 0x2
	refusedStream = 0x7
	enhanceCalm   = 0xb
)

// framed starts a server that gives each request to script, which returns
// whether the connection goes on. Count returns how many requests came.
func framed(t *testing.T, script func(f *upstream.Frames, nth int, stream uint32) bool) (s *upstream.Server, count func() int) {
	t.Helper()
	var mu sync.Mutex
	requests := 0
	s = brokertest.NewWith(t, upstream.Options{Names: []string{"api.test"}, HTTP2: true, Raw: upstream.HTTP2(func(f *upstream.Frames) {
		for {
			stream, err := f.Request()
			if err != nil {
				return
			}
			mu.Lock()
			requests++
			nth := requests
			mu.Unlock()
			if !script(f, nth, stream) {
				return
			}
		}
	})})
	return s, func() int {
		mu.Lock()
		defer mu.Unlock()
		return requests
	}
}

// ok answers a request.
func ok(f *upstream.Frames, stream uint32) bool {
	return f.Write(upstream.FrameHeaders, upstream.FlagEndHeaders|upstream.FlagEndStream, stream, []byte(upstream.OK)) == nil
}

// Case 56 over HTTP/2: what the upstream says that it did not look at is sent
// once more if it asks for no effect, and nothing else is.
func TestCase56HTTP2(t *testing.T) {
	t.Parallel()
	type frames = upstream.Frames
	fails := map[string]func(f *frames, stream uint32) bool{
		"GOAWAY before it":  func(f *frames, stream uint32) bool { _ = f.WriteGoAway(stream-2, noError); return true },
		"REFUSED_STREAM":    func(f *frames, stream uint32) bool { return f.WriteReset(stream, refusedStream) == nil },
		"INTERNAL_ERROR":    func(f *frames, stream uint32) bool { return f.WriteReset(stream, internalError) == nil },
		"ENHANCE_YOUR_CALM": func(f *frames, stream uint32) bool { return f.WriteReset(stream, enhanceCalm) == nil },
		"GOAWAY after it":   func(f *frames, stream uint32) bool { _ = f.WriteGoAway(stream, noError); return false },
		"the end":           func(*frames, uint32) bool { return false },
	}
	again := map[string]bool{"GET GOAWAY before it": true, "GET REFUSED_STREAM": true, "HEAD GOAWAY before it": true, "HEAD REFUSED_STREAM": true}
	requests := map[string]wire.Request{
		"GET":           {Method: "GET"},
		"HEAD":          {Method: "HEAD"},
		"POST":          {Method: "POST"},
		"POST, body":    {Method: "POST", Body: []byte("x")},
		"POST with key": {Method: "POST", Header: http.Header{"Idempotency-Key": {"k"}}},
		"DELETE":        {Method: "DELETE"},
	}
	fails["PROTOCOL_ERROR"] = func(f *frames, stream uint32) bool { return f.WriteReset(stream, protocolError) == nil }
	again["GET PROTOCOL_ERROR"], again["HEAD PROTOCOL_ERROR"] = true, true // for net/http the same
	for failure, fail := range fails {
		for name, r := range requests {
			t.Run(name+" "+failure, func(t *testing.T) {
				t.Parallel()
				// The first request is served: net/http treats the first stream of a
				// connection in another way.
				s, count := framed(t, func(f *upstream.Frames, nth int, stream uint32) bool {
					if nth == 2 {
						return fail(f, stream)
					}
					return ok(f, stream)
				})
				c := newClient(t, s)
				r.Host, r.Path = "api.test", "/"
				do(t, c, r)
				resp, err := c.Do(t.Context(), r)
				if again[name+" "+failure] {
					if err != nil || resp.Status != 200 || count() != 3 {
						t.Errorf("error %v, %d requests, want an answer to the third", err, count())
					}
					return
				}
				wantError(t, err, fault.UpstreamUnreachable, "api.test closed the connection")
				if !strings.Contains(fault.HintOf(err), "not sent again") {
					t.Errorf("the hint %q does not say what became of the request", fault.HintOf(err))
				}
				if count() != 2 {
					t.Errorf("%d requests for 2 calls", count())
				}
				do(t, c, get("/next")) // the client can go on
			})
		}
	}
}

// An upstream that refuses each stream gets each request twice and no more.
func TestCase56RefusedForEver(t *testing.T) {
	t.Parallel()
	s, count := framed(t, func(f *upstream.Frames, _ int, stream uint32) bool {
		return f.WriteReset(stream, refusedStream) == nil
	})
	_, err := newClient(t, s).Do(t.Context(), get("/"))
	wantError(t, err, fault.UpstreamUnreachable, "api.test closed the connection")
	if count() != 2 {
		t.Errorf("%d requests for one call", count())
	}
}

// A stream that is given up is reset, and its connection goes on.
func TestResetReachesUpstream(t *testing.T) {
	t.Parallel()
	reset := make(chan struct{})
	s, _ := framed(t, func(f *upstream.Frames, nth int, stream uint32) bool {
		if nth > 1 {
			return ok(f, stream)
		}
		_ = f.Write(upstream.FrameHeaders, upstream.FlagEndHeaders, stream, []byte(upstream.OK))
		_ = f.Write(upstream.FrameData, 0, stream, []byte("first"))
		if got, err := f.Reset(); err != nil || got != stream {
			t.Errorf("stream %d was reset, error %v", got, err)
		}
		close(reset)
		return true
	})
	c := newClient(t, s)
	a := open(t, c, t.Context(), get("/"))
	readAll(t, a, 5)
	_ = a.Close()
	within(t, "the reset of the stream", reset)
	do(t, c, get("/"))
	if s.Connections() != 1 {
		t.Errorf("%d connections", s.Connections())
	}
}

// Cases 65, 70 and 73 over HTTP/2.
func TestHostileHTTP2(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 1<<20)
	tests := []struct {
		name   string
		handle http.HandlerFunc
		says   string
	}{
		{"large header", func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Etag", long) }, "no valid HTTP"},
		{"endless trailers", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Trailer", "X-Late")
			_, _ = io.WriteString(w, "x")
			w.Header().Set("X-Late", long)
		}, "broke off the body"},
		{"endless 1xx", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Link", strings.Repeat("x", 1000))
			for r.Context().Err() == nil {
				w.WriteHeader(http.StatusEarlyHints)
			}
		}, "no valid HTTP"},
		{"broken off", func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, "x")
			w.(http.Flusher).Flush()
			panic(http.ErrAbortHandler)
		}, "broke off the body"},
		{"short of its length", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "100")
			_, _ = io.WriteString(w, "x")
		}, "broke off the body"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := brokertest.NewWith(t, upstream.Options{Names: []string{"api.test"}, HTTP2: true})
			s.Handle(test.handle)
			for n, way := range ways() {
				_, err := way.do(newClient(t, s), t.Context(), get("/"))
				wantError(t, err, fault.UpstreamUnreachable, test.says)
				if got := len(s.Requests()); got != n+1 {
					t.Errorf("%d requests for %d calls", got, n+1)
				}
			}
		})
	}
	s, _ := framed(t, func(f *upstream.Frames, _ int, stream uint32) bool {
		// :status 204, and a body that nothing announces.
		_ = f.Write(upstream.FrameHeaders, upstream.FlagEndHeaders, stream, []byte("\x89"))
		return f.Write(upstream.FrameData, upstream.FlagEndStream, stream, []byte("made-up")) == nil
	})
	for _, way := range ways() {
		_, err := way.do(newClient(t, s), t.Context(), get("/"))
		wantError(t, err, fault.UpstreamUnreachable, "body where HTTP allows none")
	}
}

// F17: a connection whose peer has vanished is found out by asking, and does
// not cost the header timeout.
func TestDeadConnection(t *testing.T) {
	t.Parallel()
	s, _ := framed(t, func(f *upstream.Frames, _ int, stream uint32) bool {
		ok(f, stream)
		_, _ = f.Reset() // reads on, and answers nothing more, no ping either
		return false
	})
	c := newClient(t, s, func(c *wire.Config) {
		c.Timeouts = wire.Timeouts{Header: 30 * time.Second, Idle: 400 * time.Millisecond}
	})
	do(t, c, get("/"))
	start := time.Now()
	_, err := c.Do(t.Context(), get("/second"))
	wantError(t, err, fault.UpstreamUnreachable, "closed the connection")
	if took := time.Since(start); took > 10*time.Second {
		t.Errorf("found out after %v", took)
	}
}

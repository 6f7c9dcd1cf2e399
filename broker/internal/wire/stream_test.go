package wire_test

import (
	"compress/gzip"
	"compress/zlib"
	"context"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"

	"aivault/broker/brokertest"
	"aivault/broker/brokertest/upstream"
	"aivault/broker/internal/wire"
	"aivault/keys/fault"
)

// open opens a stream that is closed when the test ends.
func open(t *testing.T, c *wire.Client, ctx context.Context, r wire.Request) *wire.Stream {
	t.Helper()
	s, err := c.Open(ctx, r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// readAll reads n bytes.
func readAll(t *testing.T, s *wire.Stream, n int) string {
	t.Helper()
	p := make([]byte, n)
	if _, err := io.ReadFull(s, p); err != nil {
		t.Fatalf("reading %d bytes: %v", n, err)
	}
	return string(p)
}

// within waits for something that must happen soon (case 126: within 1 s).
func within(t *testing.T, what string, c <-chan struct{}) {
	t.Helper()
	select {
	case <-c:
	case <-time.After(time.Second):
		t.Errorf("%s took longer than a second", what)
	}
}

// flusher is what the writers of encodings have in common.
type flusher interface {
	io.Writer
	Flush() error
}

// An event that the upstream flushed comes out at once: it sends the next one
// only when it is told that this one was read.
func TestEventsComeAtOnce(t *testing.T) {
	t.Parallel()
	for _, http2 := range []bool{false, true} {
		for _, encoding := range []string{"", "gzip", "deflate"} {
			t.Run(fmt.Sprintf("%q HTTP/2 %t", encoding, http2), func(t *testing.T) {
				t.Parallel()
				s := brokertest.NewWith(t, upstream.Options{Names: []string{"api.test"}, HTTP2: http2})
				read := make(chan struct{})
				s.Handle(func(w http.ResponseWriter, r *http.Request) {
					w.Header().Set("Content-Type", "text/event-stream")
					w.Header().Set("Content-Encoding", encoding)
					var out io.Writer = w
					switch encoding {
					case "gzip":
						out = gzip.NewWriter(w)
					case "deflate":
						out = zlib.NewWriter(w)
					}
					for n := range 5 {
						_, _ = fmt.Fprintf(out, "data: event %d\n\n", n)
						if f, ok := out.(flusher); ok {
							_ = f.Flush()
						}
						w.(http.Flusher).Flush()
						select {
						case <-read:
						case <-r.Context().Done():
							return
						}
					}
					if c, ok := out.(io.Closer); ok {
						_ = c.Close()
					}
				})
				ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
				defer cancel()
				c := newClient(t, s)
				a := open(t, c, ctx, get("/"))
				if a.Status != 200 || a.Header.Get("Content-Type") != "text/event-stream" || a.HeaderAfter <= 0 {
					t.Errorf("answer %+v", a)
				}
				for n := range 5 {
					p := make([]byte, 4096)
					got, err := a.Read(p)
					if want := fmt.Sprintf("data: event %d\n\n", n); string(p[:got]) != want {
						t.Fatalf("read %q, error %v, want %q", p[:got], err, want)
					}
					read <- struct{}{}
				}
				if n, err := a.Read(make([]byte, 1)); n != 0 || err != io.EOF {
					t.Errorf("at the end: %d bytes, error %v", n, err)
				}
				if a.ResponseBytes() == 0 {
					t.Error("nothing was counted")
				}
				_ = open(t, c, ctx, get("/again")).Close()
				if s.Connections() != 1 {
					t.Errorf("%d connections: the first was not given back", s.Connections())
				}
			})
		}
	}
}

// Case 126: closing a stream, or the end of its context, reaches the upstream
// at once, whether somebody reads or not. Not in parallel: nothing may be left.
func TestCase126StreamsEnd(t *testing.T) {
	for _, http2 := range []bool{false, true} {
		s := brokertest.NewWith(t, upstream.Options{Names: []string{"api.test"}, HTTP2: http2})
		gone := make(chan struct{}, 1)
		s.Handle(func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.WriteString(w, "first")
			w.(http.Flusher).Flush()
			<-r.Context().Done()
			gone <- struct{}{}
		})
		c := newClient(t, s)

		a := open(t, c, t.Context(), get("/"))
		readAll(t, a, 5)
		_ = a.Close()
		within(t, "the end by Close", gone)
		_, err := a.Read(make([]byte, 1))
		wantError(t, err, fault.Canceled, "closed before its end")
		_ = a.Close()

		ctx, cancel := context.WithCancel(t.Context())
		a = open(t, c, ctx, get("/"))
		cancel()
		within(t, "the end by the context, while nobody reads", gone)
		_, err = io.ReadAll(a)
		wantError(t, err, fault.Canceled, "canceled")

		ctx, cancel = context.WithCancel(t.Context())
		a = open(t, c, ctx, get("/"))
		readAll(t, a, 5)
		time.AfterFunc(50*time.Millisecond, cancel)
		_, err = a.Read(make([]byte, 1))
		wantError(t, err, fault.Canceled, "canceled")
		within(t, "the end by the context, during a Read", gone)

		ctx, cancel = context.WithTimeout(t.Context(), 50*time.Millisecond)
		a = open(t, c, ctx, get("/"))
		readAll(t, a, 5)
		_, err = a.Read(make([]byte, 1))
		wantError(t, err, fault.Timeout, "took longer than the call was given")
		within(t, "the end by the deadline", gone)
		_ = a.Close()
		cancel()

		if http2 && s.Connections() != 1 {
			t.Errorf("%d connections: an abandoned stream closed its connection", s.Connections())
		}
		c.Close()
		wantNoneLeft(t)
	}
}

// many starts a server that answers with so many bytes, in pieces.
func many(t *testing.T, http2 bool, size int) *upstream.Server {
	t.Helper()
	s := brokertest.NewWith(t, upstream.Options{Names: []string{"api.test"}, HTTP2: http2})
	piece := []byte(strings.Repeat("x", 1<<15))
	s.Handle(func(w http.ResponseWriter, _ *http.Request) {
		for range size / len(piece) {
			if _, err := w.Write(piece); err != nil {
				return
			}
		}
	})
	return s
}

// A caller who does not read is no upstream that stalls.
func TestSlowReader(t *testing.T) {
	t.Parallel()
	const size = 8 << 20
	for _, http2 := range []bool{false, true} {
		t.Run(fmt.Sprintf("HTTP/2 %t", http2), func(t *testing.T) {
			t.Parallel()
			c := newClient(t, many(t, http2, size), func(c *wire.Config) {
				c.Timeouts.Header, c.Timeouts.Idle = 1500*time.Millisecond, 1500*time.Millisecond
			})
			a := open(t, c, t.Context(), get("/"))
			time.Sleep(1800 * time.Millisecond)
			readAll(t, a, 5)
			time.Sleep(1800 * time.Millisecond)
			if n, err := io.Copy(io.Discard, a); err != nil || n != size-5 || a.ResponseBytes() != size {
				t.Errorf("%d bytes, then error %v", n, err)
			}
		})
	}
}

// A stream holds no memory for what was read, and little for what was not. Not
// in parallel, as it looks at the heap.
func TestStreamMemory(t *testing.T) {
	const size, step = 48 << 20, 8 << 20
	for _, http2 := range []bool{false, true} {
		before := live()
		a := open(t, newClient(t, many(t, http2, size)), t.Context(), get("/"))
		for n := 0; n < size; n += step {
			if grown := live() - before; grown > 6<<20 {
				t.Errorf("HTTP/2 %t: %d bytes are held after %d were read", http2, grown, n)
			}
			if got, err := io.CopyN(io.Discard, a, step); err != nil {
				t.Fatalf("HTTP/2 %t: %d bytes, error %v", http2, got, err)
			}
		}
	}
}

// live returns how many bytes are in use, once the upstream had the time to
// send what it may.
func live() int64 {
	time.Sleep(20 * time.Millisecond)
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// The limit of a stream: everything up to it, then an error that stays.
func TestStreamLimit(t *testing.T) {
	t.Parallel()
	s := brokertest.New(t, "api.test")
	gone := make(chan struct{})
	s.Handle(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, "123456789012")
		w.(http.Flusher).Flush()
		<-r.Context().Done()
		close(gone)
	})
	r := get("/")
	r.MaxBody = 10
	a := open(t, newClient(t, s), t.Context(), r)
	got := readAll(t, a, 8)
	p := make([]byte, 100)
	n, err := a.Read(p)
	wantError(t, err, fault.ResponseTooLarge, "longer than 10 bytes")
	if got += string(p[:n]); got != "1234567890" {
		t.Errorf("read %q", got)
	}
	within(t, "the end of the call", gone)
	_, err = a.Read(p)
	wantError(t, err, fault.ResponseTooLarge, "longer than 10 bytes")
	if n, err := a.Read(nil); n != 0 || err == nil {
		t.Errorf("an empty Read after the error: %d bytes, error %v", n, err)
	}
}

// What cannot be read is refused before there is a stream.
func TestOpenRefuses(t *testing.T) {
	t.Parallel()
	s := brokertest.New(t, "api.test")
	c := newClient(t, s)
	s.Reply(200, http.Header{"Content-Encoding": {"br"}}, []byte("x"))
	_, err := c.Open(t.Context(), get("/"))
	wantError(t, err, fault.UpstreamUnreachable, "encoding that was not asked for")
	_, err = c.Open(t.Context(), get("/a b"))
	wantError(t, err, fault.Internal, "canonical form")
	bad := newClient(t, s, func(c *wire.Config) { c.CACert = []byte("no PEM") })
	_, err = bad.Open(t.Context(), get("/"))
	wantError(t, err, fault.InvalidRequest, "no certificate in PEM")
}

// The request may still be on its way while the answer arrives.
func TestAnswerBeforeRequestEnds(t *testing.T) {
	t.Parallel()
	s := brokertest.NewWith(t, upstream.Options{Names: []string{"api.test"}, Raw: upstream.Early(
		"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")})
	r := wire.Request{Method: "POST", Host: "api.test", Path: "/", Body: make([]byte, 8<<20)}
	a := open(t, newClient(t, s), t.Context(), r)
	if got := readAll(t, a, 2); got != "ok" || a.RequestBytes() > int64(len(r.Body)) {
		t.Errorf("read %q, %d bytes sent", got, a.RequestBytes())
	}
	if _, err := a.Read(make([]byte, 1)); err != io.EOF {
		t.Errorf("error %v at the end", err)
	}
}

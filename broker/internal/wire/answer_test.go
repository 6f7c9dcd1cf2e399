package wire_test

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"context"
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

// encode returns data as a writer of an encoding writes it.
func encode[W io.WriteCloser](t *testing.T, data []byte, open func(io.Writer) W) []byte {
	t.Helper()
	var b bytes.Buffer
	w := open(&b)
	if _, err := w.Write(data); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func zipped(t *testing.T, data []byte) []byte { return encode(t, data, gzip.NewWriter) }

func zlibbed(t *testing.T, data []byte) []byte { return encode(t, data, zlib.NewWriter) }

func deflated(t *testing.T, data []byte) []byte {
	return encode(t, data, func(w io.Writer) *flate.Writer {
		f, err := flate.NewWriter(w, flate.BestSpeed)
		if err != nil {
			t.Fatal(err)
		}
		return f
	})
}

// Case 67: bodies are decoded here, or not passed on at all.
func TestCase67Encodings(t *testing.T) {
	t.Parallel()
	plain := []byte(strings.Repeat(`{"answer":42}`, 100))
	gz := zipped(t, plain)
	corrupt := bytes.Clone(gz)
	corrupt[len(corrupt)/2] ^= 0xff
	tests := []struct {
		name     string
		encoding []string
		body     []byte
		want     []byte
		says     string // of the error, if there is one
	}{
		{"none", nil, plain, plain, ""},
		{"identity", []string{"identity"}, plain, plain, ""},
		{"gzip", []string{"gzip"}, gz, plain, ""},
		{"other case, blanks", []string{" x-GZIP , identity"}, gz, plain, ""},
		{"two members", []string{"gzip"}, append(bytes.Clone(gz), gz...), append(bytes.Clone(plain), plain...), ""},
		{"deflate", []string{"deflate"}, zlibbed(t, plain), plain, ""},
		{"raw deflate", []string{"deflate"}, deflated(t, plain), plain, ""},
		{"one byte of deflate", []string{"deflate"}, []byte{0x03}, nil, "broke off"},
		{"empty gzip", []string{"gzip"}, nil, nil, ""},
		{"gzip, gzip", []string{"gzip, gzip"}, zipped(t, gz), nil, "encoding that was not asked for"},
		{"gzip, then deflate", []string{"gzip", "deflate"}, zlibbed(t, gz), nil, "encoding that was not asked for"},
		{"br", []string{"br"}, []byte("x"), nil, "encoding that was not asked for"},
		{"zstd", []string{"zstd"}, []byte("x"), nil, "encoding that was not asked for"},
		{"no gzip", []string{"gzip"}, plain, nil, "no valid gzip"},
		{"no deflate", []string{"deflate"}, []byte("\xff\xff\xff\xff"), nil, "no valid deflate"},
		{"corrupt", []string{"gzip"}, corrupt, nil, "no valid gzip"},
		{"cut off", []string{"gzip"}, gz[:len(gz)-3], nil, "broke off"},
		{"garbage behind", []string{"gzip"}, append(bytes.Clone(gz), "garbage behind"...), nil, "no valid gzip"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := brokertest.New(t, "api.test")
			s.Reply(200, http.Header{"Content-Encoding": test.encoding}, test.body)
			resp, err := newClient(t, s).Do(t.Context(), get("/"))
			if test.says != "" {
				wantError(t, err, fault.UpstreamUnreachable, test.says)
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(resp.Body, test.want) {
				t.Errorf("body of %d bytes, want %d", len(resp.Body), len(test.want))
			}
			if resp.ResponseBytes != int64(len(test.body)) || resp.Header.Get("Content-Encoding") != "" {
				t.Errorf("%d bytes, encoding %q", resp.ResponseBytes, resp.Header.Get("Content-Encoding"))
			}
		})
	}
}

// An answer without a body may say how it would be encoded.
func TestEncodingWithoutBody(t *testing.T) {
	t.Parallel()
	for _, r := range []struct {
		method string
		status int
	}{{"HEAD", 200}, {"GET", 304}} {
		s := brokertest.New(t, "api.test")
		s.Reply(r.status, http.Header{"Content-Encoding": {"br"}, "Content-Length": {"1000000000"}}, nil)
		resp := do(t, newClient(t, s), wire.Request{Method: r.method, Host: "api.test", Path: "/"})
		if resp.Status != r.status || len(resp.Body) != 0 {
			t.Errorf("%s: status %d, body of %d bytes", r.method, resp.Status, len(resp.Body))
		}
	}
}

// The limit is on what is decoded, and one byte more is too many.
func TestLimit(t *testing.T) {
	t.Parallel()
	s := brokertest.New(t, "api.test")
	c := newClient(t, s)
	for _, test := range []struct {
		size     int
		encoding string
		flush    bool // before the size is known: chunked
		ok       bool
	}{
		{1000, "", false, true},
		{1001, "", false, false},
		{1000, "", true, true},
		{1001, "", true, false},
		{1000, "gzip", false, true},
		{1001, "gzip", false, false},
		{1000, "deflate", true, true},
		{1001, "deflate", true, false},
	} {
		body := bytes.Repeat([]byte{'x'}, test.size)
		switch test.encoding {
		case "gzip":
			body = zipped(t, body)
		case "deflate":
			body = zlibbed(t, body)
		}
		s.Handle(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", test.encoding)
			if test.flush {
				w.(http.Flusher).Flush()
			}
			_, _ = w.Write(body)
		})
		r := get("/")
		r.MaxBody = 1000
		resp, err := c.Do(t.Context(), r)
		switch {
		case !test.ok:
			wantError(t, err, fault.ResponseTooLarge, "longer than 1000 bytes")
		case err != nil || len(resp.Body) != test.size:
			t.Errorf("%+v: error %v", test, err)
		}
	}
}

// allocated returns how many bytes f allocates, by all goroutines.
func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// Case 69: a bomb is not inflated beyond the limit. Not in parallel, as it
// looks at what is allocated.
func TestCase69GzipBomb(t *testing.T) {
	bomb := zipped(t, make([]byte, 64<<20))
	s := brokertest.New(t, "api.test")
	s.Reply(200, http.Header{"Content-Encoding": {"gzip"}}, bomb)
	c := newClient(t, s)
	r := get("/")
	r.MaxBody = 1 << 20
	var err error
	if n := allocated(func() { _, err = c.Do(t.Context(), r) }); n > 64<<20 {
		t.Errorf("%d bytes were allocated for a limit of %d", n, r.MaxBody)
	}
	wantError(t, err, fault.ResponseTooLarge, "longer than 1048576 bytes")
}

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
		{"announced body", endless("HTTP/1.1 200 OK\r\nContent-Length: 1073741824\r\n\r\n", "x"), fault.ResponseTooLarge},
		{"chunks", endless(chunked+"\r\n", "1000\r\n"+strings.Repeat("x", 4096)+"\r\n"), fault.ResponseTooLarge},
		{"deflate that stands for nothing", endless("HTTP/1.1 200 OK\r\nContent-Encoding: deflate\r\n\r\n", emptyBlocks), fault.ResponseTooLarge},
		{"header", endless("HTTP/1.1 200 OK\r\nX-Long: ", strings.Repeat("x", 4096)), fault.UpstreamUnreachable},
		{"headers", endless("HTTP/1.1 200 OK\r\n", line), fault.UpstreamUnreachable},
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
			ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
			defer cancel()
			var err error
			if n := allocated(func() { _, err = c.Do(ctx, r) }); n > 64<<20 {
				t.Errorf("%d bytes were allocated", n)
			}
			wantError(t, err, test.code, "")
		})
	}
}

func endless(head, chunk string) func() upstream.Options {
	return func() upstream.Options {
		return upstream.Options{Names: []string{"api.test"}, Raw: upstream.Endless(head, chunk)}
	}
}

// Case 71: an upstream that stops in the middle.
func TestCase71Stalls(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, head, says string }{
		{"before the answer", "", "api.test did not answer within 150ms"},
		{"in the status line", "HTTP/1.1 20", "api.test did not answer within 150ms"},
		{"in the header", "HTTP/1.1 200 OK\r\nX-", "api.test did not answer within 150ms"},
		{"after 1xx", "HTTP/1.1 103 Early Hints\r\n\r\n", "api.test did not answer within 150ms"},
		{"before the body", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", "api.test sent nothing more of the answer for 150ms"},
		{"in the body", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab", "api.test sent nothing more of the answer for 150ms"},
		{"in a chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab", "api.test sent nothing more of the answer for 150ms"},
		{"before the trailer", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n", "api.test sent nothing more of the answer for 150ms"},
		{"in gzip", "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n\x1f", "api.test sent nothing more of the answer for 150ms"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := brokertest.NewWith(t, upstream.Options{Names: []string{"api.test"}, Raw: upstream.Stall(test.head)})
			_, err := newClient(t, s, brief).Do(t.Context(), get("/"))
			wantError(t, err, fault.Timeout, test.says)
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
	_, err := c.Do(t.Context(), get("/header"))
	wantError(t, err, fault.Timeout, "api.test did not answer within 150ms")
	_, err = c.Do(t.Context(), get("/body"))
	wantError(t, err, fault.Timeout, "api.test sent nothing more of the answer for 150ms")
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
			_, err := newClient(t, s).Do(t.Context(), r)
			if err == nil {
				t.Fatal("the answer was accepted")
			}
			wantError(t, err, fault.UpstreamUnreachable, test.says)
			brokertest.Scan(t, "the error", []byte(err.Error()+fault.HintOf(err)), echo, "made-up-query")
			if len(s.Received()) != 1 {
				t.Errorf("%d connections for one request", len(s.Received()))
			}
		})
	}
}

// Trailers are read, bounded, and dropped; early hints are, too.
func TestExtrasAreDropped(t *testing.T) {
	t.Parallel()
	s := brokertest.NewWith(t, upstream.Options{Names: []string{"api.test"}, Raw: upstream.Script(
		"HTTP/1.1 103 Early Hints\r\nX-Hint: x\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Late\r\nX-Real: x\r\n\r\n" +
			"2\r\nok\r\n0\r\nX-Late: x\r\n\r\n")})
	resp := do(t, newClient(t, s), get("/"))
	if string(resp.Body) != "ok" || len(resp.Header) != 1 || resp.Header.Get("X-Real") != "x" {
		t.Errorf("body %q, headers %v", resp.Body, resp.Header)
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

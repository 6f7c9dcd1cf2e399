package wire_test

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"io"
	"net/http"
	"strings"
	"testing"

	"aivault/broker/brokertest"
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
		{"garbage behind deflate", []string{"deflate"}, append(zlibbed(t, plain), "garbage"...), plain, ""},
		{"invalid UTF-8 (case 68)", nil, []byte("\xff\xc0\x80\xed\xa0\x80"), []byte("\xff\xc0\x80\xed\xa0\x80"), ""},
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
			c := newClient(t, s)
			for _, way := range ways() {
				resp, err := way.do(c, t.Context(), get("/"))
				if test.says != "" {
					wantError(t, err, fault.UpstreamUnreachable, test.says)
					continue
				}
				if err != nil {
					t.Fatal(err)
				}
				if !bytes.Equal(resp.Body, test.want) {
					t.Errorf("%s: body of %d bytes, want %d", way.name, len(resp.Body), len(test.want))
				}
				if resp.ResponseBytes != int64(len(test.body)) || resp.Header.Get("Content-Encoding") != "" {
					t.Errorf("%s: %d bytes, encoding %q", way.name, resp.ResponseBytes, resp.Header.Get("Content-Encoding"))
				}
			}
			if test.says == "" && s.Connections() != 1 {
				t.Errorf("%d connections: the body was not read to its end", s.Connections())
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
		for _, way := range ways() {
			resp, err := way.do(c, t.Context(), r)
			if !test.ok {
				wantError(t, err, fault.ResponseTooLarge, "longer than 1000 bytes")
			} else if err != nil {
				t.Errorf("%+v: error %v", test, err)
			}
			// What fits is handed over in any case.
			if resp == nil || len(resp.Body) != 1000 {
				t.Errorf("%+v, %s: response %+v", test, way.name, resp)
			}
		}
	}
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
	for _, way := range ways() {
		var resp *wire.Response
		var err error
		if n := allocated(func() { resp, err = way.do(c, t.Context(), r) }); n > 32<<20 {
			t.Errorf("%s: %d bytes were allocated for a limit of %d", way.name, n, r.MaxBody)
		}
		wantError(t, err, fault.ResponseTooLarge, "longer than 1048576 bytes")
		if resp == nil || int64(len(resp.Body)) != r.MaxBody || resp.ResponseBytes > int64(len(bomb)) {
			t.Errorf("%s: the first %d bytes are missing", way.name, r.MaxBody)
		}
	}
}

package wire

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"testing"
	"testing/iotest"
	"time"

	"aivault/keys/fault"
)

// FuzzDecode checks that whatever comes in as a body, no more than the limit
// comes out, and that an error is one that a caller may see.
func FuzzDecode(f *testing.F) {
	var gz bytes.Buffer
	w := gzip.NewWriter(&gz)
	_, _ = w.Write([]byte("made-up answer"))
	_ = w.Close()
	f.Add("gzip", gz.Bytes())
	f.Add("gzip", gz.Bytes()[:20])
	f.Add("deflate", []byte("\x78\x9c\x4b\x04\x00\x00\x62\x00\x62"))
	f.Add("deflate", []byte("\x4b\x04\x00"))
	f.Add("gzip, identity", []byte{})
	f.Add("br", []byte("x"))
	f.Add("", []byte("plain"))
	f.Fuzz(func(t *testing.T, encoding string, body []byte) {
		const limit = 100
		r := Request{Method: "GET", Host: "api.test", MaxBody: limit}
		c := newCall(t.Context(), r, Timeouts{Connect: time.Minute, Header: time.Minute, Idle: time.Minute}, 1)
		defer c.end()
		c.reached(phaseBody)
		resp := &http.Response{
			StatusCode: 200, ProtoMajor: 1, ContentLength: -1,
			Header: http.Header{"Content-Encoding": {encoding}},
			Body:   io.NopCloser(iotest.OneByteReader(bytes.NewReader(body))),
		}
		s, err := newStream(c, resp, r)
		var out []byte
		if err == nil {
			out, err = io.ReadAll(s)
			if s.ResponseBytes() > int64(len(body)) {
				t.Errorf("%d bytes came of %d", s.ResponseBytes(), len(body))
			}
		}
		if code := fault.CodeOf(err); err != nil && code != fault.UpstreamUnreachable && code != fault.ResponseTooLarge {
			t.Errorf("error %v (%s)", err, code)
		}
		if len(out) > limit {
			t.Errorf("%d bytes gave %d, over the limit of %d", len(body), len(out), limit)
		}
		if encoding == "" && !bytes.Equal(out, body[:min(len(body), limit)]) {
			t.Error("a plain body was changed")
		}
	})
}

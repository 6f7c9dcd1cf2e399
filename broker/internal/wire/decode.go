package wire

import (
	"bufio"
	"bytes"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"errors"
	"io"
	"net/http"
	"strings"
)

// slack is how much longer than its decoded form a body may be: encodings can
// be made of blocks that stand for nothing.
const slack = 64 << 10

// errTooLong is what a counter reports at its limit.
var errTooLong = errors.New("the body is too long")

// A counter counts what comes in, up to a limit.
type counter struct {
	r        io.Reader
	n, limit int64
	progress func()
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	if n > 0 {
		c.progress()
	}
	if c.n > c.limit {
		return n, errTooLong
	}
	return n, err
}

// decode returns the decoded body of an answer, which is at most limit bytes
// long. What is longer in either form is not read to its end (case 69).
func (c *call) decode(resp *http.Response, method string, raw *counter, limit int64) ([]byte, error) {
	if method == http.MethodHead || resp.StatusCode == http.StatusNotModified {
		return nil, nil // its headers are about a body that is elsewhere
	}
	encoding, ok := contentEncoding(resp.Header)
	if !ok {
		return nil, c.unreachable("sent a body in an encoding that was not asked for")
	}
	if encoding == "" && resp.ContentLength > limit {
		return nil, tooLarge(limit)
	}
	var buf bytes.Buffer
	if resp.ContentLength > 0 {
		buf.Grow(int(min(resp.ContentLength, limit, 1<<20)))
	}
	in, err := decoder(encoding, raw)
	if err == nil {
		_, err = io.Copy(&buf, io.LimitReader(in, limit+1))
	}
	switch {
	case errors.Is(err, errTooLong) || int64(buf.Len()) > limit:
		return nil, tooLarge(limit)
	case err != nil && encoding != "" && isDecoding(err):
		return nil, c.unreachable("sent a body that is no valid " + encoding)
	case err != nil:
		return nil, err
	}
	return buf.Bytes(), nil
}

// contentEncoding returns the one encoding of a body, or the empty string; ok
// is false for those that were not asked for and for more than one (case 67).
func contentEncoding(h http.Header) (encoding string, ok bool) {
	for _, value := range h["Content-Encoding"] {
		for name := range strings.SplitSeq(strings.ToLower(value), ",") {
			name = strings.TrimSpace(name)
			switch {
			case name == "" || name == "identity":
			case encoding != "":
				return "", false
			case name == "gzip" || name == "x-gzip":
				encoding = "gzip"
			case name == "deflate":
				encoding = name
			default:
				return "", false
			}
		}
	}
	return encoding, true
}

// decoder returns a reader of what raw stands for. An empty body is one in
// every encoding.
func decoder(encoding string, raw io.Reader) (io.Reader, error) {
	if encoding == "" {
		return raw, nil
	}
	in := bufio.NewReader(raw)
	head, err := in.Peek(2)
	if len(head) == 0 {
		if errors.Is(err, io.EOF) {
			return in, nil
		}
		return nil, err
	}
	if encoding == "gzip" {
		return gzip.NewReader(in)
	}
	// deflate is the format of zlib (RFC 9110, section 8.4.1.2), but some
	// send what is inside it. The head of zlib is a multiple of 31, and says
	// method 8 (RFC 1950, section 2.2).
	if len(head) == 2 && head[0]&0x0f == 8 && (int(head[0])<<8|int(head[1]))%31 == 0 {
		return zlib.NewReader(in)
	}
	return flate.NewReader(in), nil
}

// isDecoding reports whether an error is about the encoding itself and not
// about what brings it in.
func isDecoding(err error) bool {
	_, corrupt := errors.AsType[flate.CorruptInputError](err)
	return corrupt || errors.Is(err, gzip.ErrHeader) || errors.Is(err, gzip.ErrChecksum) ||
		errors.Is(err, zlib.ErrHeader) || errors.Is(err, zlib.ErrChecksum) || errors.Is(err, zlib.ErrDictionary)
}

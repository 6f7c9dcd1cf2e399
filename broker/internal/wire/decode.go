package wire

import (
	"bufio"
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

// A counter counts what comes in, up to a limit, and has the call's clock run
// while it waits.
type counter struct {
	r        io.Reader
	n, limit int64
	call     *call
}

func (c *counter) Read(p []byte) (int, error) {
	c.call.await()
	n, err := c.r.Read(p)
	c.call.pause()
	c.n += int64(n)
	if c.n > c.limit {
		return n, errTooLong
	}
	return n, err
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

// decoder returns a reader of what raw stands for, which returns what an
// upstream flushed as soon as it is there (RFC 1951, section 3.2.4: the empty
// block that a flush ends with). An empty body is one in every encoding.
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
		z, err := zlib.NewReader(in)
		return &ended{z, in}, err
	}
	return &ended{flate.NewReader(in), in}, nil
}

// An ended reader drops what stands behind the end of r, without which a
// connection could not be used again. gzip looks there for a further member.
type ended struct{ r, behind io.Reader }

func (e *ended) Read(p []byte) (int, error) {
	n, err := e.r.Read(p)
	if err == io.EOF {
		if _, behind := io.Copy(io.Discard, e.behind); behind != nil {
			return n, behind
		}
	}
	return n, err
}

// isDecoding reports whether an error is about the encoding itself and not
// about what brings it in.
func isDecoding(err error) bool {
	_, corrupt := errors.AsType[flate.CorruptInputError](err)
	return corrupt || errors.Is(err, gzip.ErrHeader) || errors.Is(err, gzip.ErrChecksum) ||
		errors.Is(err, zlib.ErrHeader) || errors.Is(err, zlib.ErrChecksum) || errors.Is(err, zlib.ErrDictionary)
}

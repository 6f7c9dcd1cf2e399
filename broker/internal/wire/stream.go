package wire

import (
	"context"
	"errors"
	"io"
	"math"
	"net/http"
	"time"

	"aivault/keys/fault"
)

// A Stream is an answer whose body arrives. It holds a connection until it was
// read to its end or closed. It is for one goroutine; what ends a Read that
// waits is the context of the call.
type Stream struct {
	Status      int
	Proto       string        // HTTP/1.1 or HTTP/2.0
	Header      http.Header   // those that may leave
	HeaderAfter time.Duration // from the call to the header of the answer

	call     *call
	body     io.ReadCloser // of the transport
	length   int64         // announced, of a body that is not encoded; -1: unknown
	sent     *body
	raw      *counter
	encoding string
	decoded  io.Reader // of raw; nil until the first Read
	limit    int64     // bytes of the decoded body
	left     int64     // how many of them are still to come
	err      error     // what every further Read returns
}

// Open sends a request once and returns the answer when its header is there.
// The Stream must be closed; it also ends with ctx. Errors are those of Do.
func (c *Client) Open(ctx context.Context, r Request) (*Stream, error) {
	if c.broken != nil {
		return nil, c.broken
	}
	start := time.Now()
	call := newCall(ctx, r, c.config.Timeouts, c.serial.Add(1))
	req, sent, err := c.build(call, r)
	if err != nil {
		call.end()
		return nil, err
	}
	// RoundTrip and not an http.Client: that would add cookies and redirects,
	// and the URL to its errors.
	resp, err := c.transport.RoundTrip(req)
	if err != nil {
		err = call.explain(err)
		call.end()
		return nil, err
	}
	call.reached(phaseBody)
	call.progress.receiving()
	s, err := newStream(call, resp, r)
	if err != nil {
		call.end()
		_ = resp.Body.Close()
		return nil, err
	}
	s.sent, s.HeaderAfter = sent, time.Since(start)
	return s, nil
}

// newStream returns the answer, if it is one that can be read.
func newStream(c *call, resp *http.Response, r Request) (*Stream, error) {
	limit := r.MaxBody
	if limit == 0 {
		limit = MaxBody
	}
	s := &Stream{
		Status: resp.StatusCode, Proto: resp.Proto, Header: cleanHeader(resp.Header),
		call: c, body: resp.Body, length: -1, limit: limit, left: limit,
		raw: &counter{r: resp.Body, limit: min(limit, math.MaxInt64-slack) + slack, call: c},
	}
	switch {
	case resp.ProtoMajor != 1 && resp.ProtoMajor != 2:
		return nil, c.unreachable("answered in a version of HTTP that was not asked for")
	case resp.StatusCode < 200:
		return nil, c.unreachable("sent a status that ends no answer")
	case resp.StatusCode == http.StatusNoContent:
		if announcesBody(resp) {
			return nil, c.errNoBody()
		}
		s.decoded = &noBody{s.raw, c}
		return s, nil
	case r.Method == http.MethodHead || resp.StatusCode == http.StatusNotModified:
		s.decoded = http.NoBody // its headers are about a body that is elsewhere
		return s, nil
	}
	var ok bool
	if s.encoding, ok = contentEncoding(resp.Header); !ok {
		return nil, c.unreachable("sent a body in an encoding that was not asked for")
	}
	if s.encoding == "" {
		s.length = resp.ContentLength
	}
	return s, nil
}

// Read reads of the decoded body what is there, and waits only if that is
// nothing. At the end of the body the error is io.EOF; after MaxBody bytes, if
// there are more, one of code fault.ResponseTooLarge, which may come together
// with the last of them; else one as of Do.
func (s *Stream) Read(p []byte) (int, error) {
	if s.err != nil || len(p) == 0 {
		return 0, s.err
	}
	if int64(len(p)) > s.left {
		p = p[:s.left+1] // one byte more tells whether that is all
	}
	n, err := s.next(p)
	if int64(n) > s.left {
		n, err = int(s.left), errTooLong
	}
	s.left -= int64(n)
	if err != nil {
		s.finish(err)
	}
	return n, s.err
}

// next reads at least one byte.
func (s *Stream) next(p []byte) (n int, err error) {
	if s.decoded == nil {
		if s.decoded, err = decoder(s.encoding, s.raw); err != nil {
			return 0, err
		}
	}
	for n == 0 && err == nil {
		n, err = s.decoded.Read(p)
	}
	return n, err
}

// finish ends the call, because of err. The connection is given back if that
// is the end of the body, and else closed.
func (s *Stream) finish(err error) {
	s.call.progress.received()
	switch {
	case errors.Is(err, errTooLong):
		s.err = fault.New(fault.ResponseTooLarge, "the answer is longer than %d bytes", s.limit).
			WithHint("ask for less, such as one page, if the service offers that")
	case err == io.EOF && s.call.ctx.Err() == nil:
		// Else the upstream may only have ended its answer because the
		// connection was being closed: what there is may not be all.
		s.err = err
	case s.encoding != "" && isDecoding(err):
		s.err = s.call.unreachable("sent a body that is no valid " + s.encoding)
	default:
		s.err = s.call.explain(err)
	}
	s.call.end()
	_ = s.body.Close()
}

// RequestBytes returns how much was sent of the body of the request.
func (s *Stream) RequestBytes() int64 { return s.sent.count() }

// ResponseBytes returns how much came of the body, before it was decoded.
func (s *Stream) ResponseBytes() int64 { return s.raw.n }

// Timing returns how long the request took so far.
func (s *Stream) Timing() Timing { return s.call.progress.times() }

// Close ends the call. The upstream sees that at once, unless the body was
// read to its end.
func (s *Stream) Close() error {
	if s.err == nil {
		s.finish(fault.New(fault.Canceled, "the answer of %s was closed before its end", s.call.host))
	}
	return nil
}

// Expected returns how many bytes of body to make room for, before there is one:
// as many as were announced, and at most 1 MiB.
func (s *Stream) Expected() int { return int(min(max(s.length, 0), s.limit, 1<<20)) }

// announcesBody reports whether an answer of a status without a body has one.
func announcesBody(resp *http.Response) bool {
	length := resp.Header.Get("Content-Length")
	return length != "" && length != "0" || len(resp.TransferEncoding) > 0
}

// noBody is a body that must be empty, and which HTTP/2 does not announce.
type noBody struct {
	r    io.Reader
	call *call
}

func (b *noBody) Read(p []byte) (int, error) {
	n, err := b.r.Read(p)
	if n > 0 {
		return 0, b.call.errNoBody()
	}
	return 0, err
}

func (c *call) errNoBody() *fault.Error { return c.unreachable("sent a body where HTTP allows none") }

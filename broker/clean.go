package broker

import (
	"errors"
	"io"
	"mime"
	"net/http"
	"sync"

	"aivault/broker/internal/fields"
	"aivault/broker/internal/redact"
	"aivault/broker/internal/wire"
	"aivault/keys/fault"
)

// readSize is how much of an answer is taken at once, in bytes.
const readSize = 32 << 10

// A cleaner hands an answer over without what must not leave: first the fields
// that the policy keeps back, as that takes JSON as it came, then the secrets.
type cleaner struct {
	to     Sink
	fields *fields.Stream
	text   *redact.Stream
	broken error // of the sink
	bufs   *sync.Pool
}

// errSinkGone is the code of a call whose reader went away.
func errSinkGone(err error) error {
	if _, ok := errors.AsType[*fault.Error](err); ok {
		return err
	}
	return fault.Wrap(fault.Canceled, err, "the answer is not taken any more")
}

// head makes an Answer of everything but the body. Of the header leaves what
// package wire lets through, redacted.
func (p *plan) head(s *wire.Stream, red *redact.Redactor) *Answer {
	a := &Answer{
		Capability: p.capability.ID, Credential: p.choice.Credential,
		Method: p.request.Method, URL: p.url(), Status: s.Status, Header: http.Header{},
	}
	_, a.Secret = nameParts(p.choice.Parts)
	clean := func(text string) string {
		text, n := red.String(text)
		a.Redactions += n
		return text
	}
	if mediaType, _, err := mime.ParseMediaType(s.Header.Get("Content-Type")); err == nil {
		a.MediaType, _ = red.String(mediaType)
	}
	for name, values := range s.Header {
		for _, v := range values {
			a.Header.Add(clean(name), clean(v))
		}
	}
	return a
}

// hand copies the body of an answer to the sink. It returns the error of
// whichever side broke off; what had arrived by then was handed over, but for a
// tail that could be the beginning of something which must not leave.
func (c *cleaner) hand(s *wire.Stream) error {
	buf := c.bufs.Get().(*[readSize]byte)
	defer c.bufs.Put(buf)
	used := 0
	defer func() { clear(buf[:used]) }() // an answer may echo the secret
	for {
		n, err := s.Read(buf[:])
		used = max(used, n)
		if n > 0 {
			if err := c.write(buf[:n]); err != nil {
				return err
			}
		}
		switch {
		case err == nil:
		case errors.Is(err, io.EOF):
			return c.end()
		default:
			return c.cut(err)
		}
	}
}

// write takes a piece of the body.
func (c *cleaner) write(piece []byte) error {
	out, refusal := c.fields.Write(piece)
	if err := c.put(c.text.Write(out)); err != nil {
		return err
	}
	if refusal != nil {
		return c.cut(refusal)
	}
	return nil
}

// end takes the end of a body that is whole.
func (c *cleaner) end() error {
	out, err := c.fields.End()
	if err != nil {
		return c.cut(err)
	}
	if err := c.put(c.text.Write(out)); err != nil {
		return err
	}
	return c.put(c.text.End())
}

// cut takes the end of a body that is not whole, and returns why.
func (c *cleaner) cut(why error) error {
	if err := c.put(c.text.Write(c.fields.Cut())); err != nil {
		return err
	}
	if err := c.put(c.text.Cut()); err != nil {
		return err
	}
	return why
}

func (c *cleaner) put(out []byte) error {
	if len(out) == 0 || c.broken != nil {
		return c.broken
	}
	if _, err := c.to.Write(out); err != nil {
		c.broken = errSinkGone(err)
	}
	return c.broken
}

// A whole is a Sink that keeps the body.
type whole struct{ body []byte }

func (w *whole) Begin(*Answer) error { return nil }

func (w *whole) Write(p []byte) (int, error) {
	w.body = append(w.body, p...)
	return len(p), nil
}

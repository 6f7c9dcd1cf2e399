package wire

import (
	"net/http"
	"net/textproto"
	"strings"

	"aivault/keys/fault"
)

// read reads an answer to its end.
func (c *call) read(resp *http.Response, r Request) (*Response, error) {
	limit := r.MaxBody
	if limit == 0 {
		limit = MaxBody
	}
	switch {
	case resp.ProtoMajor != 1 && resp.ProtoMajor != 2:
		return nil, c.unreachable("answered in a version of HTTP that was not asked for")
	case resp.StatusCode < 200:
		return nil, c.unreachable("sent a status that ends no answer")
	case resp.StatusCode == http.StatusNoContent && hasBody(resp):
		return nil, c.unreachable("sent a body where HTTP allows none")
	}
	raw := &counter{r: resp.Body, limit: limit + slack, progress: c.progress}
	decoded, err := c.decode(resp, r.Method, raw, limit)
	if err != nil {
		return nil, err
	}
	return &Response{
		Status:        resp.StatusCode,
		Proto:         resp.Proto,
		Header:        cleanHeader(resp.Header),
		Body:          decoded,
		ResponseBytes: raw.n,
	}, nil
}

// hasBody reports whether an answer of a status without a body announces one.
func hasBody(resp *http.Response) bool {
	length := resp.Header.Get("Content-Length")
	return length != "" && length != "0" || len(resp.TransferEncoding) > 0
}

// cleanHeader returns the headers that may leave: no cookies, no
// authentication, and nothing that was about the connection or the encoding
// (RFC 9110, section 7.6.1).
func cleanHeader(h http.Header) http.Header {
	named := make(map[string]bool)
	for _, value := range h["Connection"] {
		for name := range strings.SplitSeq(value, ",") {
			named[textproto.CanonicalMIMEHeaderKey(strings.TrimSpace(name))] = true
		}
	}
	out := make(http.Header, len(h))
	for name, values := range h {
		if !named[name] && !staysHere(strings.ToLower(name)) {
			out[name] = values
		}
	}
	return out
}

func staysHere(name string) bool {
	switch name {
	case "connection", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade", "alt-svc",
		"content-encoding", "content-length":
		return true
	}
	if strings.HasPrefix(name, "proxy-") {
		return true
	}
	if strings.Contains(name, "ratelimit") || strings.Contains(name, "rate-limit") {
		return false // these count tokens
	}
	for _, part := range [...]string{"cookie", "auth", "token", "secret", "api-key", "apikey", "signature", "password", "credential", "session"} {
		if strings.Contains(name, part) {
			return true
		}
	}
	return false
}

// tooLarge is the error of an answer over its limit.
func tooLarge(limit int64) error {
	return fault.New(fault.ResponseTooLarge, "the answer is longer than %d bytes", limit).
		WithHint("ask for less, such as one page, if the service offers that")
}

// Package wire sends requests to upstreams. It is the only place that makes
// connections and the only one that a secret leaves by, so what holds for every
// call is here:
//
//   - An address is checked after it was resolved and again on the socket that
//     connects to it; the address checked is the address dialled.
//   - TLS 1.2 or later, always. A credential with its own authority trusts that
//     one and no other. No proxy, no cookies, no redirects, no session tickets,
//     whatever the environment says.
//   - The bytes of path and query on the wire are those that policy judged.
//   - A request that may have reached the upstream is not sent again.
//   - An answer takes bounded time and memory, however it is made. Its body is
//     decoded here, as nobody can clean what is compressed.
//   - An error says what failed at which host, and nothing that came from the
//     request or the answer.
//
// Each credential has a Client of its own, and shares no connection with
// another (security.md 5.10 and cases 43 to 56, 67 to 80 name what this
// withstands; the tests are called by these numbers).
package wire

import (
	"context"
	"crypto/tls"
	"io"
	"log"
	"net"
	"net/http"
	"net/netip"
	"time"
)

// Config is what a Client is made from.
type Config struct {
	Version string // of aivault, for the User-Agent
	// Check decides whether an address may be connected to, IPv4-mapped ones
	// already unmapped. Its error is the answer of the call.
	Check func(netip.Addr) error
	// CACert is one or more certificates in PEM that are trusted instead of
	// the system's roots; nil: the system's.
	CACert []byte
	// Timeouts bound the phases of a call; zero ones are those of
	// [DefaultTimeouts].
	Timeouts Timeouts

	// Resolve and Dial stand in for the network in tests; nil: the real one.
	// Dial is given an address that passed Check.
	Resolve func(ctx context.Context, host string) ([]netip.Addr, error)
	Dial    func(ctx context.Context, network, addr string) (net.Conn, error)
}

// Timeouts bound the phases of a call. What bounds a call as a whole is its
// context.
type Timeouts struct {
	Connect time.Duration // name, connection; and once more TLS
	Header  time.Duration // from the last byte of the request that was taken to the header of the answer
	Idle    time.Duration // between two pieces of the body
}

// DefaultTimeouts are those of design.md, section 5: models think.
func DefaultTimeouts() Timeouts {
	return Timeouts{Connect: 10 * time.Second, Header: 600 * time.Second, Idle: 120 * time.Second}
}

// Limits that no answer exceeds.
const (
	MaxBody   = 64 << 20  // bytes of a decoded body, unless the request says less
	maxHeader = 256 << 10 // bytes of all headers
)

// A Client sends the requests of one credential. It is safe for concurrent
// use.
type Client struct {
	config    Config
	transport *http.Transport
	broken    error // of the configuration; the answer to every call
}

// New returns a Client. A CACert without a certificate in it fails each call;
// see [CheckCACert].
func New(config Config) *Client {
	defaults := DefaultTimeouts()
	for _, t := range [...]struct{ set, otherwise *time.Duration }{
		{&config.Timeouts.Connect, &defaults.Connect},
		{&config.Timeouts.Header, &defaults.Header},
		{&config.Timeouts.Idle, &defaults.Idle},
	} {
		if *t.set == 0 {
			*t.set = *t.otherwise
		}
	}
	silence()
	roots, err := parseCA(config.CACert)
	c := &Client{config: config, broken: err}
	c.transport = &http.Transport{
		Proxy:               nil, // none, whatever the environment says
		DialContext:         c.dial,
		TLSClientConfig:     &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: roots},
		TLSHandshakeTimeout: config.Timeouts.Connect,
		ForceAttemptHTTP2:   true, // which a dialer of our own would switch off
		DisableCompression:  true, // decoding is capped, in decode
		// With the default of 2, most connections would serve one call.
		MaxIdleConnsPerHost:    64,
		IdleConnTimeout:        time.Minute,
		MaxResponseHeaderBytes: maxHeader,
	}
	return c
}

// silence switches off the log of the standard library, for the process. When
// an upstream sends more than its answer, net/http prints what it sent through
// that log, which may be an echo of the secret, and there is no other way to
// keep it from that. Nothing of ours logs.
func silence() { log.SetOutput(io.Discard) }

// Close closes connections that are idle. The Client can still be used.
func (c *Client) Close() { c.transport.CloseIdleConnections() }

// A Request is what is to be sent, in canonical form.
type Request struct {
	Method   string
	Host     string // canonical, with a port if it is not 443
	Path     string // percent-encoded
	RawQuery string // without the question mark
	Header   http.Header
	Body     []byte // nil: none
	MaxBody  int64  // bytes of the decoded answer; 0: [MaxBody]
	// Authenticate, if not nil, adds the authentication, once everything else
	// is there. It may add headers, and append to the query.
	Authenticate func(*http.Request) error
}

// A Response is an answer, whole and decoded. It is not redacted.
type Response struct {
	Status        int
	Proto         string      // HTTP/1.1 or HTTP/2.0
	Header        http.Header // without cookies, authentication, and what concerned the connection
	Body          []byte
	RequestBytes  int64         // of the body that was sent
	ResponseBytes int64         // of the body as it came, before decoding
	HeaderAfter   time.Duration // from the call to the header of the answer
	Duration      time.Duration // of the whole call
}

// Do sends a request once and returns the answer, of whatever status. Errors:
//   - fault.UpstreamUnreachable: there was no answer, or one that is not HTTP;
//   - fault.Timeout: a phase, or the context's deadline, took too long;
//   - fault.Canceled: the context was;
//   - fault.ResponseTooLarge: the answer exceeds MaxBody;
//   - fault.Internal: the request cannot be written in its canonical form;
//   - what Check and Authenticate return.
func (c *Client) Do(ctx context.Context, r Request) (*Response, error) {
	if c.broken != nil {
		return nil, c.broken
	}
	start := time.Now()
	call := newCall(ctx, r.Host, c.config.Timeouts)
	defer call.end()
	req, sent, err := c.build(call, r)
	if err != nil {
		return nil, err
	}
	// RoundTrip and not an http.Client: that would add cookies and redirects,
	// and the URL to its errors.
	resp, err := c.transport.RoundTrip(req)
	if err != nil {
		return nil, call.explain(err)
	}
	defer func() { _ = resp.Body.Close() }()
	headerAfter := time.Since(start)
	call.reached(phaseBody)
	out, err := call.read(resp, r)
	if err != nil {
		return nil, call.explain(err)
	}
	out.RequestBytes = sent.count()
	out.HeaderAfter = headerAfter
	out.Duration = time.Since(start)
	return out, nil
}

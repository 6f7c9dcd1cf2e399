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
//     decoded here, as nobody can clean what is compressed, and only headers
//     that are known to be harmless are passed on.
//   - An error says what failed at which host, and nothing that came from the
//     request or the answer.
//
// Each credential has a Client of its own, and shares no connection with
// another. The tests carry the numbers of the attacks that they show to fail.
package wire

import (
	"bytes"
	"context"
	"crypto/tls"
	"io"
	"log"
	"net"
	"net/http"
	"net/netip"
	"sync/atomic"
	"time"

	"aivault/keys/fault"
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
	// Certificate is shown to servers that ask for one; nil: none.
	Certificate *tls.Certificate
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
	Idle    time.Duration // for the next piece of the body
}

// DefaultTimeouts have the header wait long: models think.
func DefaultTimeouts() Timeouts {
	return Timeouts{Connect: 10 * time.Second, Header: 600 * time.Second, Idle: 120 * time.Second}
}

// Limits that no answer exceeds.
const (
	MaxBody   = 64 << 20  // bytes of a decoded body, unless the request says less
	maxHeader = 256 << 10 // bytes of all headers
)

// Limits of what one Client keeps.
const (
	maxConns  = 96      // connections at a time; further calls wait for one
	idleConns = 64      // of those without a call. With net/http's 2, most connections would serve one call
	maxUnread = 1 << 20 // bytes that one stream of HTTP/2 may send ahead of its reader
)

// A connection of HTTP/2 that is silent for as long is asked whether it is
// alive, and closed if it does not say so as soon: a call on a dead one would
// wait for the header timeout.
const ping = 20 * time.Second

// A Client sends the requests of one credential. It is safe for concurrent
// use.
type Client struct {
	config    Config
	transport *http.Transport
	conns     chan struct{} // one element per connection
	serial    atomic.Uint64 // of the last request
	broken    error         // of the configuration; the answer to every call
}

// New returns a Client. A CACert without a certificate in it fails each call.
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
	alive := min(ping, config.Timeouts.Idle)
	roots, err := parseCA(config.CACert)
	c := &Client{config: config, conns: make(chan struct{}, maxConns), broken: err}
	c.transport = &http.Transport{
		Proxy:                  nil, // none, whatever the environment says
		DialContext:            c.dial,
		TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: roots},
		TLSHandshakeTimeout:    config.Timeouts.Connect,
		ForceAttemptHTTP2:      true, // which a dialer of our own would switch off
		DisableCompression:     true, // decoding is capped, in decode
		MaxIdleConnsPerHost:    idleConns,
		IdleConnTimeout:        time.Minute,
		MaxResponseHeaderBytes: maxHeader,
		HTTP2: &http.HTTP2Config{
			MaxReceiveBufferPerStream: maxUnread,
			SendPingTimeout:           alive,
			PingTimeout:               alive,
			WriteByteTimeout:          alive,
		},
	}
	c.transport.TLSClientConfig.GetClientCertificate = c.certificate
	return c
}

// certificate returns what is shown to a server that asks for a certificate.
func (c *Client) certificate(info *tls.CertificateRequestInfo) (*tls.Certificate, error) {
	if call, ok := info.Context().Value(callKey{}).(*call); ok {
		call.asked.Store(true)
	}
	if c.config.Certificate == nil {
		return &tls.Certificate{}, nil // none
	}
	return c.config.Certificate, nil
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
	// AuthPath says that Authenticate may also put something before the path,
	// and then leaves the rest of the target as it is.
	AuthPath bool
	// Written, if not nil, is called once the header of the request was written:
	// from then on it may be carried out, whether an answer comes or not.
	Written func()
	// Progress, if not nil, is called at each step, from whatever goroutine but
	// one step at a time, until the Stream has ended. It returns at once: the
	// request waits for it. A request that is sent again begins again.
	Progress func(Step)
}

// A Response is an answer, whole and decoded. It is not redacted.
type Response struct {
	Status        int
	Proto         string      // HTTP/1.1 or HTTP/2.0
	Header        http.Header // those that may leave
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
//   - fault.ResponseTooLarge: the answer exceeds MaxBody. With this error
//     comes the answer, up to that length;
//   - fault.Internal: the request cannot be written in its canonical form;
//   - what Check and Authenticate return.
func (c *Client) Do(ctx context.Context, r Request) (*Response, error) {
	start := time.Now()
	s, err := c.Open(ctx, r)
	if err != nil {
		return nil, err
	}
	defer func() { _ = s.Close() }()
	var body bytes.Buffer
	body.Grow(s.Expected() + bytes.MinRead)
	if _, err = body.ReadFrom(s); err != nil && fault.CodeOf(err) != fault.ResponseTooLarge {
		return nil, err
	}
	return &Response{
		Status:        s.Status,
		Proto:         s.Proto,
		Header:        s.Header,
		Body:          body.Bytes(),
		RequestBytes:  s.RequestBytes(),
		ResponseBytes: s.ResponseBytes(),
		HeaderAfter:   s.HeaderAfter,
		Duration:      time.Since(start),
	}, err
}

package upstream

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"io"
	"maps"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
)

// A Header is one header as it came in.
type Header struct {
	Name, Value string
}

// A Request is what came in, whole.
type Request struct {
	Method  string
	URI     string // as on the request line
	Proto   string // HTTP/1.1 or HTTP/2.0
	Host    string
	Headers []Header // in the order and spelling of the wire; sorted under HTTP/2
	Body    []byte
	SNI     string // the name in the TLS handshake
	Conn    int    // number of the connection, from 1
	// PeerCertificates are those that the client showed, its own first.
	PeerCertificates []*x509.Certificate
}

// Values returns the values of a header, in order; the case of the name does
// not matter.
func (r Request) Values(name string) []string {
	var values []string
	for _, h := range r.Headers {
		if strings.EqualFold(h.Name, name) {
			values = append(values, h.Value)
		}
	}
	return values
}

// Get returns the first value of a header, or the empty string.
func (r Request) Get(name string) string {
	if values := r.Values(name); len(values) > 0 {
		return values[0]
	}
	return ""
}

// Requests returns what came in so far, in the order in which the requests
// were complete.
func (s *Server) Requests() []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.requests)
}

// Connections returns how many connections were accepted so far.
func (s *Server) Connections() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.conns)
}

// Received returns what came in inside TLS, by connection; nothing under
// HTTP/2. It is for [Options.Raw] and for what never became a request.
func (s *Server) Received() [][]byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make([][]byte, len(s.conns))
	for i, c := range s.conns {
		all[i] = c.received()
	}
	return all
}

// A listener counts connections and wraps each in a conn.
type listener struct {
	net.Listener
	server *Server
}

func (l *listener) Accept() (net.Conn, error) {
	tcp, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	s := l.server
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		_ = tcp.Close()
		return nil, net.ErrClosed
	}
	c := &conn{Conn: tls.Server(tcp, s.tls), tcp: tcp, number: len(s.conns) + 1}
	s.conns = append(s.conns, c)
	if s.http2 {
		return tcp, nil // net/http does TLS itself, to see which protocol was agreed on
	}
	return c, nil
}

// A conn is a TLS connection that keeps what it reads.
type conn struct {
	*tls.Conn
	tcp    net.Conn
	number int

	mu      sync.Mutex
	all     []byte
	current int // where in all the request begins that is being read
}

func (c *conn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.all = append(c.all, p[:n]...)
	return n, err
}

func (c *conn) received() []byte {
	c.mu.Lock()
	defer c.mu.Unlock()
	return bytes.Clone(c.all)
}

// next returns the bytes of the request that was read to its end. The client
// does not send another before it has the answer.
func (c *conn) next() []byte {
	c.mu.Lock()
	defer c.mu.Unlock()
	request := c.all[c.current:]
	c.current = len(c.all)
	return request
}

// connKey is the context key of a request's connection.
type connKey struct{}

// record reads the request to its end and lets the handler read it again.
func (s *Server) record(r *http.Request) (Request, error) {
	body, err := io.ReadAll(r.Body)
	r.Body = io.NopCloser(bytes.NewReader(body))
	request := Request{Method: r.Method, URI: r.RequestURI, Proto: r.Proto, Host: r.Host, Body: body}
	switch c := r.Context().Value(connKey{}).(type) {
	case *conn:
		request.handshake(c.ConnectionState())
		request.Conn = c.number
		request.Headers = rawHeaders(c.next())
	case *tls.Conn:
		request.handshake(c.ConnectionState())
		request.Conn = s.numberOf(c.NetConn())
		for _, name := range slices.Sorted(maps.Keys(r.Header)) {
			for _, value := range r.Header[name] {
				request.Headers = append(request.Headers, Header{name, value})
			}
		}
	}
	return request, err
}

func (r *Request) handshake(state tls.ConnectionState) {
	r.SNI, r.PeerCertificates = state.ServerName, state.PeerCertificates
}

// numberOf returns the number of a TCP connection.
func (s *Server) numberOf(tcp net.Conn) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return 1 + slices.IndexFunc(s.conns, func(c *conn) bool { return c.tcp == tcp })
}

// rawHeaders takes the headers of a request in HTTP/1.1 apart, which net/http
// has found to be well formed.
func rawHeaders(request []byte) []Header {
	head, _, _ := bytes.Cut(request, []byte("\r\n\r\n"))
	var headers []Header
	for line := range strings.SplitSeq(string(head), "\r\n") {
		if name, value, ok := strings.Cut(line, ":"); ok && !strings.Contains(name, " ") {
			headers = append(headers, Header{name, strings.Trim(value, " \t")})
		}
	}
	return headers
}

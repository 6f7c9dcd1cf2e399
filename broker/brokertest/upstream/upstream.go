// Package upstream is a scripted HTTPS server that stands in for a provider's
// API, in tests and in the demonstration. It makes its own certificate
// authority when it starts, listens on loopback only, keeps every request
// whole, and answers as it is told, as badly as it is told.
package upstream

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"maps"
	"net"
	"net/http"
	"slices"
	"strconv"
	"sync"
)

// Options say what server to start. The zero Options give an HTTP/1.1 server
// on 127.0.0.1 for localhost.
type Options struct {
	// Names are the host names and addresses in the certificate; none:
	// localhost, 127.0.0.1 and ::1.
	Names []string
	// IPv6 also listens on ::1, at the same port.
	IPv6 bool
	// HTTP2 offers HTTP/2. The order of the headers and their spelling are
	// then not recorded.
	HTTP2 bool
	// Expired makes a certificate that was valid until yesterday.
	Expired bool
	// SelfSigned makes a certificate that the authority did not sign.
	SelfSigned bool
	// ClientCA, in PEM, has clients asked for a certificate of that authority;
	// see [ClientCertificate]. One of another authority ends the handshake.
	ClientCA []byte
	// RequireClientCert ends the handshake with a client that shows no
	// certificate; without ClientCA, any one will do.
	RequireClientCert bool
	// TLS, if not nil, changes the TLS settings before the start.
	TLS func(*tls.Config)
	// Raw, if not nil, is called instead of HTTP for each connection, once
	// the TLS handshake is done. The connection is closed when it returns.
	// With HTTP2, the connection has agreed on that.
	Raw func(net.Conn)
}

// A Server is a running upstream. It is safe for concurrent use.
type Server struct {
	listeners []net.Listener
	http      *http.Server
	raw       func(net.Conn)
	http2     bool
	caPEM     []byte
	tls       *tls.Config
	serving   sync.WaitGroup

	mu       sync.Mutex
	handler  http.Handler
	requests []Request
	conns    []*conn
	closed   bool
}

// Start starts a server for the given host names; see [Options.Names].
func Start(names ...string) (*Server, error) { return StartWith(Options{Names: names}) }

// StartWith starts a server. Until it is told otherwise, it answers 200 with
// the JSON object {}.
func StartWith(o Options) (*Server, error) {
	if len(o.Names) == 0 {
		o.Names = []string{"localhost", "127.0.0.1", "::1"}
	}
	caPEM, cert, err := newCertificate(o)
	if err != nil {
		return nil, fmt.Errorf("making a certificate: %w", err)
	}
	s := &Server{caPEM: caPEM, raw: o.Raw, http2: o.HTTP2 && o.Raw == nil, tls: &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12}}
	if err := askClients(s.tls, o); err != nil {
		return nil, err
	}
	if o.Raw != nil && o.HTTP2 {
		s.tls.NextProtos = []string{"h2"}
	}
	if o.TLS != nil {
		o.TLS(s.tls)
	}
	if s.listeners, err = listen(o.IPv6); err != nil {
		return nil, fmt.Errorf("listening on loopback: %w", err)
	}
	s.Reply(http.StatusOK, http.Header{"Content-Type": {"application/json"}}, []byte("{}"))
	s.http = &http.Server{
		TLSConfig:   s.tls,
		Handler:     http.HandlerFunc(s.serveHTTP),
		ErrorLog:    log.New(io.Discard, "", 0),
		ConnContext: func(ctx context.Context, c net.Conn) context.Context { return context.WithValue(ctx, connKey{}, c) },
	}
	for _, l := range s.listeners {
		s.serving.Go(func() { s.serve(l) })
	}
	return s, nil
}

// listen opens one port on 127.0.0.1, and on ::1 if both is true.
func listen(both bool) ([]net.Listener, error) {
	for attempt := 0; ; attempt++ {
		v4, err := net.Listen("tcp4", "127.0.0.1:0")
		if err != nil || !both {
			return []net.Listener{v4}, err
		}
		_, port, _ := net.SplitHostPort(v4.Addr().String())
		v6, err := net.Listen("tcp6", "[::1]:"+port)
		if err == nil {
			return []net.Listener{v4, v6}, nil
		}
		_ = v4.Close()
		if attempt == 10 { // the port is taken there, or there is no IPv6
			return nil, err
		}
	}
}

func (s *Server) serve(l net.Listener) {
	counted := &listener{Listener: l, server: s}
	switch {
	case s.raw != nil:
		s.serveRaw(counted)
	case s.http2:
		_ = s.http.ServeTLS(counted, "", "")
	default:
		// HTTP/1.1 over a connection that keeps what it reads.
		_ = s.http.Serve(counted)
	}
}

func (s *Server) serveRaw(l *listener) {
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		s.serving.Go(func() {
			defer func() { _ = c.Close() }()
			if c.(*conn).Handshake() == nil {
				s.raw(c)
			}
		})
	}
}

// Close stops the server and closes its connections.
func (s *Server) Close() {
	s.mu.Lock()
	s.closed = true
	conns := slices.Clone(s.conns)
	s.mu.Unlock()
	_ = s.http.Close()
	for _, l := range s.listeners {
		_ = l.Close()
	}
	for _, c := range conns {
		_ = c.tcp.Close()
	}
	s.serving.Wait()
}

// CAPEM returns the certificate of the server's authority, PEM encoded.
func (s *Server) CAPEM() []byte { return slices.Clone(s.caPEM) }

// Addr returns the address on 127.0.0.1, with the port.
func (s *Server) Addr() string { return s.listeners[0].Addr().String() }

// Port returns the port.
func (s *Server) Port() int {
	_, port, _ := net.SplitHostPort(s.Addr())
	n, _ := strconv.Atoi(port)
	return n
}

// Dial connects to the server, whatever address it is asked for. It is for the
// dial hooks of clients that believe to speak to a public host.
func (s *Server) Dial(ctx context.Context, _, _ string) (net.Conn, error) {
	var d net.Dialer
	return d.DialContext(ctx, "tcp", s.Addr())
}

// Handle has all further requests answered by h. Their bodies are already
// read, and can be read again.
func (s *Server) Handle(h http.HandlerFunc) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.handler = h
}

// Reply has all further requests answered with the same answer.
func (s *Server) Reply(status int, header http.Header, body []byte) {
	s.Handle(func(w http.ResponseWriter, _ *http.Request) {
		maps.Copy(w.Header(), header)
		w.WriteHeader(status)
		_, _ = w.Write(body)
	})
}

func (s *Server) serveHTTP(w http.ResponseWriter, r *http.Request) {
	request, err := s.record(r)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
		return // the client went away in the middle
	}
	s.mu.Lock()
	s.requests = append(s.requests, request)
	handler := s.handler
	s.mu.Unlock()
	handler.ServeHTTP(w, r)
}

package oauth

import (
	"context"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"sync"
	"time"

	"aivault/keys/fault"
	"aivault/keys/opaque"
)

// callback is the one path that a Listener serves.
const callback = "/callback"

// Times of a Listener.
const (
	readTimeout  = 5 * time.Second        // of a request, from its first byte
	writeTimeout = 5 * time.Second        // of an answer
	lastAnswers  = 300 * time.Millisecond // for connections that are open when the code is there
)

// maxHeader is the length of the longest header of a callback, in bytes. A
// code is at most a quarter of it.
const maxHeader = 16 << 10

// A Listener takes the answer that the browser of an account's owner brings
// back: on the loopback device, at a port of its own (RFC 8252, section 7.3),
// once. Every program and every web page on the machine can reach it too; so it
// believes no request but the browser's own navigation with the state of this
// login.
type Listener struct {
	listener net.Listener
	host     string // 127.0.0.1:PORT
}

// Listen opens a Listener. The caller waits on it once, or closes it.
func Listen() (*Listener, error) {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return nil, fault.Wrap(fault.IO, err, "listening for the answer of the login")
	}
	return &Listener{listener: l, host: l.Addr().String()}, nil
}

// RedirectURI returns the redirect_uri for the consent URL and the token
// request.
func (l *Listener) RedirectURI() string { return "http://" + l.host + callback }

// Close ends a Listener that nobody waited on. Otherwise it does nothing.
func (l *Listener) Close() error {
	if err := l.listener.Close(); !errors.Is(err, net.ErrClosed) {
		return err
	}
	return nil
}

// Wait serves until the callback came, and returns its code, which the caller
// clears. A callback with another state is a fault.TokenInvalid, and one that
// says that there is no consent a fault.AuthFailed; either ends the login. Any
// other request is refused, and Wait goes on. The Listener is closed when Wait
// returns, and nothing of it runs any more.
func (l *Listener) Wait(ctx context.Context, state string) (opaque.Bytes, error) {
	h := &handler{host: l.host, state: state, done: make(chan outcome, 1)}
	server := &http.Server{
		Handler:        h,
		ReadTimeout:    readTimeout,
		WriteTimeout:   writeTimeout,
		MaxHeaderBytes: maxHeader,
		ErrorLog:       log.New(io.Discard, "", 0), // it would print what strangers send
		ConnState:      h.count,
	}
	server.SetKeepAlivesEnabled(false)
	served := make(chan struct{})
	var serveErr error
	go func() {
		defer close(served)
		serveErr = server.Serve(l.listener)
	}()

	var out outcome
	select {
	case out = <-h.done:
	case <-served:
		out.err = fault.Wrap(fault.IO, serveErr, "listening for the answer of the login")
	case <-ctx.Done():
		out.err = fault.Wrap(fault.CodeOf(ctx.Err()), ctx.Err(), "waiting for consent in the browser")
	}
	h.end()
	stop(server)
	<-served
	h.open.Wait()
	select {
	case late := <-h.done: // it came when nobody waited any more
		late.code.Clear()
	default:
	}
	return out.code, out.err
}

// stop lets answers that are on their way finish, and ends the server.
func stop(server *http.Server) {
	ctx, cancel := context.WithTimeout(context.Background(), lastAnswers)
	defer cancel()
	_ = server.Shutdown(ctx) // waits too long for connections that never sent anything
	_ = server.Close()
}

// An outcome is what a login came to.
type outcome struct {
	code opaque.Bytes
	err  error
}

// A handler serves the callback of one login.
type handler struct {
	host, state string
	done        chan outcome // takes one

	open sync.WaitGroup // connections

	mu    sync.Mutex
	ended bool // the callback came, or nobody waits for it any more
}

// count keeps count of the connections. The server calls it for a new one
// before Serve returns.
func (h *handler) count(_ net.Conn, state http.ConnState) {
	switch state {
	case http.StateNew:
		h.open.Add(1)
	case http.StateClosed:
		h.open.Done()
	}
}

// end ends the login and reports whether it was open until now.
func (h *handler) end() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	open := !h.ended
	h.ended = true
	return open
}

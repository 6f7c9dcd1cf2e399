package wire

import (
	"context"
	"crypto/tls"
	"errors"
	"net/http"
	"net/http/httptrace"
	"sync"
	"sync/atomic"
	"time"
)

// A phase of a call is what an error can say about when it happened.
type phase int32

const (
	phaseConnect phase = iota
	phaseTLS
	phaseSend
	phaseHeader
	phaseBody
)

// Why a call was given up from within.
var (
	errHeaderTimeout = errors.New("no header of an answer in time")
	errIdleTimeout   = errors.New("no further piece of the body in time")
	errNotTwice      = errors.New("the request failed after it was written")
)

// A call is one request on its way. A clock of its own gives it up when
// nothing moves: the context of the caller bounds the whole.
type call struct {
	ctx      context.Context
	cancel   context.CancelCauseFunc
	host     string
	timeouts Timeouts
	safe     bool // the method asks for no effect (RFC 9110, section 9.2.1)

	asked   atomic.Bool // for a client certificate, on the way to the connection
	phase   atomic.Int32
	http1   atomic.Bool  // the current connection speaks HTTP/1
	written atomic.Int32 // how often bytes of the request may have reached an upstream

	onWritten func() // Request.Written
	progress  progress

	mu      sync.Mutex
	clock   *time.Timer
	running bool          // the clock
	served  chan struct{} // closed once the call has a connection
}

// callKey is the context key of the call that a connection is made for.
type callKey struct{}

func newCall(ctx context.Context, r Request, timeouts Timeouts, serial uint64) *call {
	c := &call{
		host: r.Host, timeouts: timeouts,
		safe:    r.Method == http.MethodGet || r.Method == http.MethodHead || r.Method == http.MethodOptions,
		served:  make(chan struct{}),
		running: true, onWritten: r.Written, progress: progress{serial: serial, tell: r.Progress},
	}
	ctx = context.WithValue(ctx, callKey{}, c)
	c.ctx, c.cancel = context.WithCancelCause(ctx)
	// Connecting has timeouts of its own, within that for the header.
	c.mu.Lock()
	defer c.mu.Unlock()
	c.clock = time.AfterFunc(2*timeouts.Connect+timeouts.Header, c.expired)
	return c
}

// expired gives the call up.
func (c *call) expired() {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case !c.running: // it was stopped a moment too late
	case c.at() == phaseBody:
		c.cancel(errIdleTimeout)
	default:
		c.cancel(errHeaderTimeout)
	}
}

// end releases what the call holds, and closes its connection if the answer
// was not read to its end.
func (c *call) end() {
	c.pause() // for good: the transport may still read the body of the request
	c.progress.end()
	c.cancel(nil)
}

func (c *call) at() phase { return phase(c.phase.Load()) }

// reached notes a phase. The clock of the body only runs while somebody waits
// for a piece of it: how fast the caller reads is no fault of the upstream.
func (c *call) reached(p phase) {
	c.phase.Store(int32(p))
	if p == phaseBody {
		c.pause()
		return
	}
	c.advance()
}

// advance restarts the clock of the phase, if it runs: the request is being
// taken.
func (c *call) advance() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.running {
		c.clock.Reset(c.limit())
	}
}

// await starts the clock for the next piece of the body.
func (c *call) await() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.running = true
	c.clock.Reset(c.limit())
}

func (c *call) pause() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.running = false
	c.clock.Stop()
}

// limit is how long the phase may stand still.
func (c *call) limit() time.Duration {
	if c.at() == phaseBody {
		return c.timeouts.Idle
	}
	return c.timeouts.Header
}

// again reports whether the request may be written, which it may have been
// before (case 56).
//
// net/http repeats a request without a body when a connection that it had used
// before breaks: it believes that GET, and whatever has an Idempotency-Key, may
// be repeated. Nobody can say that of an API that bills and counts each call.
// HTTP/2 says itself which requests were not looked at (GOAWAY,
// REFUSED_STREAM; RFC 9113, section 8.7), and net/http takes PROTOCOL_ERROR for
// the same (golang/go#47635): of these, one that asks for no effect is
// repeated, once. Any other is sent once, whatever the upstream says.
func (c *call) again() bool {
	switch c.written.Load() {
	case 0:
		return true
	case 1:
		return !c.http1.Load() && c.safe
	}
	return false
}

// traced returns the context for the transport, through which the call learns
// how far it is and refuses to be sent twice.
func (c *call) traced() context.Context {
	return httptrace.WithClientTrace(c.ctx, &httptrace.ClientTrace{
		GetConn: func(string) {
			if !c.again() {
				c.cancel(errNotTwice)
				return
			}
			c.phase.Store(int32(phaseConnect))
			c.connected(false)
			c.progress.again()
		},
		TLSHandshakeStart: func() {
			c.phase.CompareAndSwap(int32(phaseConnect), int32(phaseTLS))
			c.progress.securing()
		},
		TLSHandshakeDone: func(tls.ConnectionState, error) { c.progress.isSecure() },
		GotConn:          c.gotConn,
		WroteHeaders:     c.wroteHeaders,
		WroteRequest: func(info httptrace.WroteRequestInfo) {
			if info.Err == nil {
				c.phase.CompareAndSwap(int32(phaseSend), int32(phaseHeader))
				c.progress.waiting()
			}
		},
	})
}

func (c *call) wroteHeaders() {
	c.written.Add(1)
	if c.onWritten != nil {
		c.onWritten()
	}
}

func (c *call) gotConn(info httptrace.GotConnInfo) {
	conn, ok := info.Conn.(*tls.Conn)
	http1 := !ok || conn.ConnectionState().NegotiatedProtocol != "h2"
	if !c.again() {
		// HTTP/2 looks at the context once more before it writes, HTTP/1 does not.
		c.cancel(errNotTwice)
		if http1 {
			_ = info.Conn.Close()
		}
		return
	}
	c.http1.Store(http1)
	c.connected(true)
	c.progress.sending(info.Conn)
	c.reached(phaseSend)
}

// connected notes whether the call has a connection.
func (c *call) connected(yes bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	select {
	case <-c.served:
		if !yes {
			c.served = make(chan struct{})
		}
	default:
		if yes {
			close(c.served)
		}
	}
}

// done is closed once the call has a connection.
func (c *call) done() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.served
}

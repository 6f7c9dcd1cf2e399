package wire

import (
	"context"
	"crypto/tls"
	"errors"
	"net/http/httptrace"
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
	errNotTwice      = errors.New("the connection broke after the request was written")
)

// A call is one request on its way. A clock of its own gives it up when
// nothing moves: the context of the caller bounds the whole.
type call struct {
	ctx      context.Context
	cancel   context.CancelCauseFunc
	host     string
	timeouts Timeouts
	clock    *time.Timer

	ended   atomic.Bool
	phase   atomic.Int32
	http1   atomic.Bool // the current connection speaks HTTP/1
	written atomic.Bool // bytes of the request may be on the wire of an HTTP/1 connection
}

func newCall(ctx context.Context, host string, timeouts Timeouts) *call {
	c := &call{host: host, timeouts: timeouts}
	c.ctx, c.cancel = context.WithCancelCause(ctx)
	// Connecting has timeouts of its own, within that for the header.
	c.clock = time.AfterFunc(2*timeouts.Connect+timeouts.Header, c.expired)
	return c
}

// expired gives the call up.
func (c *call) expired() {
	if c.at() == phaseBody {
		c.cancel(errIdleTimeout)
		return
	}
	c.cancel(errHeaderTimeout)
}

// end releases what the call holds, and closes its connection if the answer
// was not read to its end.
func (c *call) end() {
	c.ended.Store(true) // the transport may still read the body of the request
	c.clock.Stop()
	c.cancel(nil)
}

func (c *call) at() phase { return phase(c.phase.Load()) }

func (c *call) reached(p phase) {
	c.phase.Store(int32(p))
	switch p {
	case phaseSend, phaseHeader:
		c.clock.Reset(c.timeouts.Header)
	case phaseBody:
		c.clock.Reset(c.timeouts.Idle)
	}
}

// progress restarts the clock of the phase: the request is being taken, or the
// answer comes in.
func (c *call) progress() {
	switch {
	case c.ended.Load():
	case c.at() == phaseBody:
		c.clock.Reset(c.timeouts.Idle)
	default:
		c.clock.Reset(c.timeouts.Header)
	}
}

// traced returns the context for the transport, through which the call learns
// how far it is and refuses to be sent twice (case 56).
//
// net/http repeats a request without a body when a connection that it had used
// before breaks: it believes that GET, and whatever has an Idempotency-Key, may
// be repeated. Nobody can say that of an API that bills and counts each call.
// HTTP/2 says itself which requests were not looked at (GOAWAY,
// REFUSED_STREAM; RFC 9113, section 8.7), so that these are repeated.
func (c *call) traced() context.Context {
	return httptrace.WithClientTrace(c.ctx, &httptrace.ClientTrace{
		GetConn: func(string) {
			if c.written.Load() {
				c.cancel(errNotTwice)
				return
			}
			c.phase.Store(int32(phaseConnect))
		},
		TLSHandshakeStart: func() { c.phase.CompareAndSwap(int32(phaseConnect), int32(phaseTLS)) },
		GotConn: func(info httptrace.GotConnInfo) {
			if c.written.Load() {
				_ = info.Conn.Close() // before anything is written to it
				return
			}
			conn, ok := info.Conn.(*tls.Conn)
			c.http1.Store(!ok || conn.ConnectionState().NegotiatedProtocol != "h2")
			c.reached(phaseSend)
		},
		WroteHeaders: func() {
			if c.http1.Load() {
				c.written.Store(true)
			}
		},
		WroteRequest: func(info httptrace.WroteRequestInfo) {
			if info.Err == nil {
				c.phase.CompareAndSwap(int32(phaseSend), int32(phaseHeader))
			}
		},
	})
}

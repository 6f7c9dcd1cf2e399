package remote

import (
	"context"
	"net"
	"sync"
	"time"

	"aivault/broker/internal/rpc"
	"aivault/keys/fault"
)

// afterCancel is how long the daemon may take to reply to what was canceled.
const afterCancel = 2 * time.Second

// A conn is a connection to a daemon, for one request at a time.
type conn struct {
	raw   net.Conn
	pid   int // of the daemon; 0: not known
	in    *rpc.Reader
	out   *rpc.Writer
	spent bool // it is of no use any more

	mu       sync.Mutex
	sent     bool // the whole of a request was
	canceled bool
}

func newConn(raw net.Conn, pid int) *conn {
	return &conn{raw: raw, pid: pid, in: rpc.NewReader(raw, rpc.Stall), out: rpc.NewWriter(raw, rpc.Stall)}
}

func (x *conn) close() { _ = x.raw.Close() }

// greet says hello, and returns what the daemon says within a time.
func (x *conn) greet(ctx context.Context, table *rpc.Table, wait time.Duration, g rpc.Greeting) (rpc.Hello, error) {
	stop := context.AfterFunc(ctx, x.close)
	defer stop()
	err := x.out.Frame(rpc.KindHello, g.Encode(), true)
	if err != nil {
		return rpc.Hello{}, x.gone(ctx, err)
	}
	kind, payload, err := x.in.Next(wait)
	switch {
	case err != nil:
		return rpc.Hello{}, x.gone(ctx, err)
	case kind == rpc.KindRefusal:
		return rpc.Hello{}, x.refused(table, payload)
	case kind != rpc.KindHello:
		return rpc.Hello{}, stranger(rpc.ErrProtocol)
	}
	h, err := rpc.DecodeHello(payload, table.Fingerprint)
	if err != nil {
		return rpc.Hello{}, stranger(err)
	}
	return h, nil
}

// stranger is the error of what speaks something else.
func stranger(err error) error {
	return fault.Wrap(fault.IO, err, "what answers at the socket is no daemon of aivault").WithHint("aivault restart")
}

// refused is why the daemon ended the connection.
func (x *conn) refused(table *rpc.Table, payload []byte) error {
	x.spent = true
	b, err := x.in.Message(payload, rpc.MaxAsk)
	if err != nil {
		return stranger(err)
	}
	said, err := table.DecodeError(b)
	if err != nil || said == nil {
		return stranger(rpc.ErrProtocol)
	}
	return said
}

// send sends a request, and from then on that the caller does not want it any
// more, as soon as ctx is done. Done ends that. With an error the daemon does not
// have the whole request, and does nothing.
func (x *conn) send(ctx context.Context, request []byte) (done func(), err error) {
	x.sent, x.canceled = false, false
	stop := context.AfterFunc(ctx, x.cancel)
	done = func() {
		if !stop() {
			x.spent = true // the word may still be on its way
		}
	}
	if err := x.out.Message(rpc.KindRequest, request, true); err != nil {
		return done, err
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	x.sent = true
	if x.canceled {
		x.tellCancel()
	}
	return done, nil
}

// cancel tells the daemon that the caller does not want the reply any more. A
// request that is not sent yet is cut off.
func (x *conn) cancel() {
	x.mu.Lock()
	defer x.mu.Unlock()
	switch {
	case x.canceled:
	case x.sent:
		x.tellCancel()
	default:
		x.close()
	}
	x.canceled = true
}

// tellCancel sends the word, and does not have whoever waits for the reply wait
// for long.
func (x *conn) tellCancel() {
	_ = x.out.Frame(rpc.KindCancel, nil, true) // the reply tells, or that there is none
	time.AfterFunc(afterCancel, x.close)       // it is spent anyway
}

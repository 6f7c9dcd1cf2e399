package serve

import (
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"time"

	"aivault/broker/internal/rpc"
	"aivault/keys/fault"
)

const (
	// helloWait is how long a client may take to say what it is.
	helloWait = 5 * time.Second
	// parting is how long what is under way may take to reply when the daemon
	// ends.
	parting = time.Second
)

// A request is one that was read, and is to be done.
type request struct {
	ctx    context.Context
	cancel context.CancelFunc
	method rpc.Any
	args   []byte // cleared when they were decoded
	free   func() // gives back the room that it took
}

// A connection has two goroutines: one reads, so that a client which leaves or
// changes its mind is noticed while the other does what it asked for.
type connection struct {
	server *Server
	peer   Peer
	ctx    context.Context // of who calls, until the connection ends
	conn   net.Conn
	in     *rpc.Reader
	out    *rpc.Writer
	mute   func() bool // undoes that the end of ctx closes the connection

	requests chan *request // closed when reading ended
	readErr  error         // why it did
	scratch  []byte        // holds a short request between the two

	mu       sync.Mutex
	cancel   context.CancelFunc // of the request under way; nil: there is none
	underWay int                // requests that were read and not answered yet
	told     chan<- error       // takes what came of showing an address; nil: none was sent
}

func newConnection(ctx context.Context, s *Server, conn net.Conn, peer Peer) *connection {
	c := &connection{
		server: s, peer: peer, ctx: ctx, conn: conn,
		in: rpc.NewReader(conn, rpc.Stall), out: rpc.NewWriter(conn, rpc.Stall),
		requests: make(chan *request, 1),
	}
	c.mute = context.AfterFunc(ctx, func() {
		time.AfterFunc(parting, func() { _ = conn.Close() }) // whoever reads or writes then is told
	})
	return c
}

func (c *connection) close() {
	c.mute()
	_ = c.conn.Close() // it was flushed, or is of no use
}

// greet exchanges hellos, and reports whether the client goes on.
func (c *connection) greet() (bool, error) {
	late := time.AfterFunc(helloWait, func() { _ = c.conn.Close() })
	defer late.Stop()
	kind, payload, err := c.in.Next(helloWait)
	switch {
	case err == io.EOF:
		return false, nil // somebody looked whether anybody is here
	case err == nil && kind != rpc.KindHello:
		err = rpc.ErrProtocol
	}
	var g rpc.Greeting
	if err == nil {
		g, err = rpc.DecodeGreeting(payload)
	}
	if err != nil {
		return false, c.refuse(err)
	}
	if g.Wish == rpc.WishStop && !c.peer.Operator {
		return false, c.refuse(errOperator())
	}
	h := c.server.hello(c.peer)
	if err := c.out.Frame(rpc.KindHello, h.Encode(), true); err != nil {
		return false, err
	}
	if g.Wish == rpc.WishStop {
		c.server.stop()
		return false, nil
	}
	return g.Table == c.server.table.Fingerprint, nil
}

// refuse tells the client why the connection ends, and returns that.
func (c *connection) refuse(err error) error {
	said := err
	if _, ok := errors.AsType[*fault.Error](err); !ok {
		said = fault.New(fault.InvalidRequest, "the client does not speak the protocol of the daemon, or is too slow")
	}
	_ = c.out.Last(rpc.KindRefusal, c.server.table.EncodeError(said)) // the client may be gone
	return err
}

func errOperator() error {
	return fault.New(fault.OperatorAuthRequired, "only the owner of the vault may do this").
		WithHint("other users may make calls, in the contexts that were granted to them")
}

// serve does one request after the other.
func (c *connection) serve() (served int, err error) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		c.readErr = c.read()
		close(c.requests)
	}()
	defer func() {
		c.close()
		<-done
		for req := range c.requests { // read, and not done any more
			req.drop()
		}
		if c.readErr != nil { // which is why a reply did not go out, if one did not
			err = c.readErr
		}
	}()
	for {
		select {
		case <-c.ctx.Done():
			return served, nil
		case req, more := <-c.requests:
			if !more {
				return served, nil
			}
			if err := c.answer(req); err != nil {
				return served, err
			}
			served++
		}
	}
}

// working counts requests that were read and are not answered: the next one may
// come before this is told of the last. A connection that wants to know is told
// whether there is one.
func (c *connection) working(more int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	before := c.underWay
	c.underWay += more
	if w, ok := c.conn.(interface{ Working(underWay bool) }); ok && (before > 0) != (c.underWay > 0) {
		w.Working(c.underWay > 0)
	}
}

// drop forgets a request.
func (r *request) drop() {
	r.cancel()
	clear(r.args)
	r.free()
}

// read reads frames until the client leaves, which cancels what it asked for.
func (c *connection) read() error {
	defer c.interrupt()
	for {
		kind, payload, err := c.in.Next(0)
		switch {
		case errors.Is(err, io.EOF), errors.Is(err, net.ErrClosed), errors.Is(err, io.ErrClosedPipe):
			return nil
		case err != nil:
		case kind == rpc.KindCancel:
			c.interrupt() // or nothing, where the reply crossed it
		case kind == rpc.KindTold:
			err = c.hear(payload)
		case kind == rpc.KindRequest:
			err = c.accept(payload)
		default:
			err = rpc.ErrProtocol
		}
		if err != nil {
			c.interrupt()
			return c.refuse(err)
		}
	}
}

// interrupt cancels the request under way.
func (c *connection) interrupt() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.cancel != nil {
		c.cancel()
	}
}

// hear takes what came of showing an address.
func (c *connection) hear(payload []byte) error {
	b, err := c.in.Message(payload, rpc.MaxAsk)
	if err != nil {
		return err
	}
	said, err := c.server.table.DecodeError(b)
	if err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.told == nil {
		return rpc.ErrProtocol // it was not asked
	}
	c.told <- said
	c.told = nil
	return nil
}

// accept reads the rest of a request, and passes it on. A client that asks for
// something before it got its reply does not speak the protocol.
func (c *connection) accept(payload []byte) error {
	method, known := c.server.table.Find(rpc.Content(payload))
	if !known {
		return rpc.ErrProtocol
	}
	limit := method.Limit()
	if !c.may(method) {
		limit = min(limit, rpc.Small) // it is refused, and read only to say so
	}
	if rpc.Size(payload) > int64(limit) {
		return rpc.ErrProtocol
	}
	c.mu.Lock()
	if c.cancel != nil {
		c.mu.Unlock()
		return rpc.ErrProtocol
	}
	req := &request{method: method, free: func() {}}
	req.ctx, req.cancel = context.WithCancel(c.ctx)
	c.cancel = req.cancel
	c.mu.Unlock()
	b, err := c.message(req, payload, limit)
	if err != nil {
		req.drop()
		return err
	}
	req.args = rpc.Args(b)
	c.working(1)
	c.requests <- req
	return nil
}

// message reads the whole of a request, which stays as it is while the reader
// goes on.
func (c *connection) message(req *request, payload []byte, limit int) ([]byte, error) {
	if size := rpc.Size(payload); size > rpc.Small {
		room := c.server.shared
		if c.peer.Operator {
			room = c.server.room
		}
		var err error
		if req.free, err = room.take(c.ctx, size); err != nil {
			req.free = func() {}
			return nil, err
		}
	}
	b, err := c.in.Message(payload, limit)
	if err == nil && len(b) == len(rpc.Content(payload)) { // it is in the reader's buffer
		c.scratch = append(c.scratch[:0], b...)
		b = c.scratch
	}
	return b, err
}

// may reports whether the peer may ask for a method.
func (c *connection) may(m rpc.Any) bool { return c.peer.Operator || m.Class() == rpc.Calls }

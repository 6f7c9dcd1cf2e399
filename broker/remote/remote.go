// Package remote is a client's side of a daemon: a vault and a broker that are
// open in another process, as if they were in this one.
//
// What needs the vault open is asked of the daemon. What needs a file, a person
// or a place for a key is done here: a backup is written by this process, and a
// key for a new slot is made where this process may make one, and then goes to
// the daemon. No key ever comes from there.
//
// A request is sent once. Where the daemon goes away before its reply, what it
// would have changed is of unknown outcome, and nobody tries again.
package remote

import (
	"context"
	"errors"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"aivault/broker"
	"aivault/broker/internal/peer"
	"aivault/broker/internal/rpc"
	"aivault/keys"
	"aivault/keys/fault"
	"aivault/vault"
)

// Options say which daemon a client is of.
type Options struct {
	Socket string
	// Local is the vault of this process, for what is done here; nil: a client
	// that has none, as one of another user.
	Local    *vault.Local
	Version  string // of aivault, which the daemon compares with its own
	OwnerUID int    // the user whose daemon it must be; -1: anybody's

	// Patience is how long the daemon may say nothing before it is seen whether it
	// still answers, and how long it may take for its first word; 0: 5 s.
	Patience time.Duration

	// Connect stands in for the socket in tests; nil: Socket.
	Connect func(ctx context.Context) (net.Conn, error)
}

// Hello is what a daemon says of itself. One of another user says no more than
// that it is there: the fields after Operator are zero then.
type Hello struct {
	Version  string
	Shared   bool      // others than its owner may call
	Operator bool      // this client is its owner's
	Open     bool      // the vault is open
	Kept     bool      // by a key that somebody handed over
	Until    time.Time // when that will be forgotten; zero: not by itself
	PID      int
}

const (
	// maxShort is how many connections are in use at a time for what takes no
	// longer than the vault does. Others wait for one.
	maxShort = 4
	// maxIdle is how many are kept that nobody uses.
	maxIdle = 64
	// patience is that of Options.
	patience = 5 * time.Second
	// maxPatience is the longest time between looks at a daemon that says nothing.
	maxPatience = time.Minute
)

// A Client implements vault.Vault and broker.Service by what a daemon does. It
// is safe for concurrent use.
type Client struct {
	opts  Options
	table *rpc.Table
	hello Hello
	short chan struct{} // full while maxShort connections are in use

	kept atomic.Bool // the daemon keeps a key, as far as is known

	mu     sync.Mutex
	idle   []*conn // the one that was used last at the end
	closed bool
}

var (
	_ vault.Vault    = (*Client)(nil)
	_ broker.Service = (*Client)(nil)
)

func newClient(opts Options) *Client {
	if opts.Patience == 0 {
		opts.Patience = patience
	}
	return &Client{opts: opts, table: rpc.Methods(), short: make(chan struct{}, maxShort)}
}

// Dial connects to a daemon. fault.IO: there is none; fault.Conflict: it is of
// another version; fault.PolicyViolation: it is another user's; fault.Timeout: it
// does not answer, see Silent.
func Dial(ctx context.Context, opts Options) (*Client, error) {
	// To make the table of methods takes longer than many a command does.
	if _, err := os.Lstat(opts.Socket); opts.Connect == nil && errors.Is(err, syscall.ENOENT) {
		return nil, errAbsent(opts.Socket, syscall.ENOENT)
	}
	c := newClient(opts)
	first, h, err := c.dial(ctx, rpc.WishCall)
	if err != nil {
		return nil, err
	}
	c.hello = Hello{Version: h.Version, Shared: h.Shared, Operator: h.Operator, Open: h.Open, Kept: h.Kept, PID: h.PID}
	c.kept.Store(h.Kept)
	if h.Until > 0 {
		c.hello.Until = time.UnixMilli(h.Until)
	}
	c.put(first)
	return c, nil
}

// Stop has a daemon end, of whatever version it is.
func Stop(ctx context.Context, opts Options) error {
	c := newClient(opts)
	conn, _, err := c.dial(ctx, rpc.WishStop)
	if err == nil {
		conn.close()
	}
	return err
}

// Hello returns what the daemon said when the client was made.
func (c *Client) Hello() Hello { return c.hello }

// Kept reports whether the daemon keeps a key that somebody handed over, as far
// as is known: it said so, and no reply since told otherwise.
func (c *Client) Kept() bool { return c.kept.Load() }

// noteReply has Kept know of what a reply says.
func (c *Client) noteReply(err error) {
	switch fault.CodeOf(err) {
	case fault.VaultLocked, fault.KeyUnavailable:
		c.kept.Store(false)
	}
}

// IsAbsent reports whether an error of Dial tells that nobody listens at the
// socket.
func IsAbsent(err error) bool {
	return errors.Is(err, syscall.ENOENT) || errors.Is(err, syscall.ECONNREFUSED) || errors.Is(err, syscall.ENOTDIR) ||
		errors.Is(err, syscall.EINVAL) // a path that is too long for a socket, where nobody can listen
}

// Stop has the daemon end, once what is under way is done. The client is of no
// use any more.
func (c *Client) Stop(ctx context.Context) error { return Stop(ctx, c.opts) }

// Close closes the connections that nobody uses, and each other one after its
// use.
func (c *Client) Close() {
	c.mu.Lock()
	idle := c.idle
	c.idle, c.closed = nil, true
	c.mu.Unlock()
	for _, x := range idle {
		x.close()
	}
}

// HandOver opens the vault of the daemon by the key of a slot, as FetchKey of a
// vault gives both, and has it kept: for so long, if limit is not 0, and else
// until Lock or the daemon's end. The key stays the caller's.
func (c *Client) HandOver(ctx context.Context, slot vault.ID, key keys.Key, limit time.Duration) error {
	_, err := ask(ctx, c, c.table.HandOver, rpc.Three[vault.ID, vault.Value, time.Duration]{A: slot, B: key, C: limit})
	if err == nil {
		c.kept.Store(true)
	}
	return err
}

// dial makes a connection, and says hello.
func (c *Client) dial(ctx context.Context, wish rpc.Wish) (*conn, rpc.Hello, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, c.opts.Patience, errSilent)
	defer cancel()
	raw, pid, err := c.connect(ctx)
	if err != nil {
		return nil, rpc.Hello{}, err
	}
	x := newConn(raw, pid)
	h, err := x.greet(ctx, c.table, c.opts.Patience, rpc.Greeting{Table: c.table.Fingerprint, Version: c.opts.Version, Wish: wish})
	if err == nil && wish == rpc.WishCall && h.Table != c.table.Fingerprint {
		err = rpc.ErrVersion(h.Version)
	}
	if err != nil {
		x.close()
		return nil, rpc.Hello{}, err
	}
	return x, h, nil
}

// connect connects to the socket, and sees whose it is, and of which process; 0:
// that is not known.
func (c *Client) connect(ctx context.Context) (raw net.Conn, pid int, err error) {
	if c.opts.Connect != nil {
		raw, err = c.opts.Connect(ctx)
		return raw, 0, err
	}
	raw, err = (&net.Dialer{}).DialContext(ctx, "unix", c.opts.Socket)
	switch {
	case errors.Is(err, syscall.EAGAIN): // the queue is full of those that it does not accept
		return nil, 0, silent(0)
	case err != nil && ctx.Err() != nil:
		return nil, 0, fault.New(fault.CodeOf(ctx.Err()), "the daemon was not asked, as the time was over")
	case err != nil:
		return nil, 0, errAbsent(c.opts.Socket, cause(err))
	}
	uid, pid, err := peer.Of(raw.(*net.UnixConn))
	if c.opts.OwnerUID < 0 {
		return raw, pid, nil
	}
	if err == nil && uid != c.opts.OwnerUID {
		err = fault.New(fault.PolicyViolation, "the daemon at %q is of user %d, not of user %d", c.opts.Socket, uid, c.opts.OwnerUID).
			WithHint("somebody else listens there: nothing was sent to them")
	}
	if err != nil {
		_ = raw.Close()
		return nil, 0, err
	}
	return raw, pid, nil
}

// errAbsent is the error of a socket at which nobody listens.
func errAbsent(socket string, err error) error {
	return fault.Wrap(fault.IO, err, "no daemon answers at %q", socket)
}

// cause strips the address, which the message has, from an error.
func cause(err error) error {
	if e, ok := err.(*net.OpError); ok {
		return e.Err
	}
	return err
}

// take returns a connection that nobody else uses.
func (c *Client) take(ctx context.Context) (*conn, error) {
	for {
		c.mu.Lock()
		n := len(c.idle)
		if n == 0 {
			c.mu.Unlock()
			x, _, err := c.dial(ctx, rpc.WishCall)
			return x, err
		}
		x := c.idle[n-1]
		c.idle = c.idle[:n-1]
		c.mu.Unlock()
		if x.alive() {
			return x, nil
		}
		x.close()
	}
}

// put gives a connection back.
func (c *Client) put(x *conn) {
	if x.spent {
		x.close()
		return
	}
	c.mu.Lock()
	keep := !c.closed && len(c.idle) < maxIdle
	if keep {
		c.idle = append(c.idle, x)
	}
	c.mu.Unlock()
	if !keep {
		x.close()
	}
}

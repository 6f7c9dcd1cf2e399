package wire

import (
	"context"
	"crypto/x509"
	"errors"
	"net"
	"net/netip"
	"sync"
	"syscall"
	"time"

	"aivault/keys/fault"
)

// headStart is how long one address may take before the next is tried beside
// it (RFC 8305, section 5).
const headStart = 250 * time.Millisecond

// A dnsError is a name without an address.
type dnsError struct{ err error }

func (e *dnsError) Error() string { return "the name cannot be resolved" }
func (e *dnsError) Unwrap() error { return e.err }

// errNotNeeded ends a dial that nobody waits for any more.
var errNotNeeded = errors.New("no connection is needed")

// dial connects for a call, once there are fewer than maxConns connections.
//
// The transport's own MaxConnsPerHost is no use: over HTTP/2 it loses count,
// and then hangs or panics (golang/go#34941).
func (c *Client) dial(ctx context.Context, network, hostport string) (net.Conn, error) {
	// The transport detaches ctx from the call, but keeps its values.
	call, ok := ctx.Value(callKey{}).(*call)
	if !ok {
		return nil, errNotNeeded
	}
	select {
	case c.conns <- struct{}{}:
	case <-call.done(): // another call's connection became free
		return nil, errNotNeeded
	case <-call.ctx.Done():
		return nil, errNotNeeded
	}
	conn := &counted{release: sync.OnceFunc(func() { <-c.conns }), by: call.progress.serial}
	if err := c.dialHost(ctx, network, hostport, conn, &call.progress); err != nil {
		<-c.conns
		return nil, err
	}
	return conn, nil
}

// A counted connection counts until it is closed.
type counted struct {
	net.Conn
	release      func()
	by           uint64 // serial of the request that it was made for
	dns, connect time.Duration
}

func (c *counted) Close() error {
	defer c.release()
	return c.Conn.Close()
}

// dialHost connects to one of the addresses of a host that may be connected to.
func (c *Client) dialHost(ctx context.Context, network, hostport string, conn *counted, p *progress) error {
	ctx, cancel := context.WithTimeout(ctx, c.config.Timeouts.Connect)
	defer cancel()
	host, port, err := net.SplitHostPort(hostport)
	if err != nil {
		return err
	}
	addrs, err := c.resolve(ctx, host, conn, p)
	if err != nil {
		return &dnsError{err}
	}
	var allowed []string
	var refusal error
	for _, addr := range addrs {
		addr = addr.Unmap()
		if err := c.config.Check(addr); err != nil {
			refusal = err
			continue
		}
		allowed = append(allowed, net.JoinHostPort(addr.String(), port))
	}
	switch {
	case len(allowed) > 0:
		p.step(StepConnecting)
		start := time.Now()
		conn.Conn, err = c.race(ctx, network, allowed)
		conn.connect = time.Since(start)
		return err
	case refusal != nil:
		return refusal
	}
	return &dnsError{}
}

func (c *Client) resolve(ctx context.Context, host string, conn *counted, p *progress) ([]netip.Addr, error) {
	if addr, err := netip.ParseAddr(host); err == nil {
		return []netip.Addr{addr}, nil
	}
	p.step(StepResolving)
	start := time.Now()
	defer func() { conn.dns = time.Since(start) }()
	if c.config.Resolve != nil {
		return c.config.Resolve(ctx, host)
	}
	return net.DefaultResolver.LookupNetIP(ctx, "ip", host)
}

// race tries the addresses in order, each with a head start on the next, and
// returns the first connection. If there is none, the first error counts.
func (c *Client) race(ctx context.Context, network string, addrs []string) (net.Conn, error) {
	type result struct {
		conn net.Conn
		err  error
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	results := make(chan result)
	var first error
	for next, running := 0, 0; ; {
		if next < len(addrs) {
			go func(addr string) {
				conn, err := c.connect(ctx, network, addr)
				select {
				case results <- result{conn, err}:
				case <-ctx.Done():
					if conn != nil {
						_ = conn.Close()
					}
				}
			}(addrs[next])
			next, running = next+1, running+1
		}
		var another <-chan time.Time
		if next < len(addrs) {
			another = time.After(headStart)
		}
		select {
		case r := <-results:
			if r.err == nil {
				return r.conn, nil
			}
			if first == nil {
				first = r.err
			}
			if running--; running == 0 && next == len(addrs) {
				return nil, first
			}
		case <-another:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// connect connects to one address. The check on the socket is on what is
// dialled, whatever a name resolved to a moment ago (cases 43 and 44).
func (c *Client) connect(ctx context.Context, network, addr string) (net.Conn, error) {
	if c.config.Dial != nil {
		return c.config.Dial(ctx, network, addr)
	}
	dialer := net.Dialer{Control: func(_, address string, _ syscall.RawConn) error {
		actual, err := netip.ParseAddrPort(address)
		if err != nil {
			return err
		}
		return c.config.Check(actual.Addr().Unmap())
	}}
	return dialer.DialContext(ctx, network, addr)
}

// parseCA reads certificates in PEM; nil are the roots of the system.
func parseCA(pem []byte) (*x509.CertPool, error) {
	if pem == nil {
		return nil, nil // the roots of the system
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, fault.New(fault.InvalidRequest, "the CA certificate of the credential is no certificate in PEM").
			WithHint("a PEM file begins with -----BEGIN CERTIFICATE-----")
	}
	return pool, nil
}

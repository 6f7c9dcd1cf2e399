//go:build unix

package daemon

import (
	"net"
	"sync"
	"syscall"
	"time"

	"aivault/broker/serve"
)

// A conn is a connection that is served.
type conn struct {
	*net.UnixConn
	all  *conns
	peer serve.Peer

	// Guarded by all.mu:
	working bool
	used    bool      // a request came on it
	since   time.Time // when it was accepted, or the last request ended
}

// Working implements [Working].
func (c *conn) Working(underWay bool) { c.all.working(c, underWay) }

// conns are the connections that are open.
type conns struct {
	limit int

	mu      sync.Mutex
	open    map[*conn]struct{}
	agents  int       // how many of them are agents'
	serving int       // how many are served: those, and closed ones that did not notice yet
	lastUse time.Time // when a request was last seen
	leaving bool      // no connection stays that is idle
	served  sync.WaitGroup
}

func newConns() *conns {
	return &conns{limit: connLimit(), open: make(map[*conn]struct{}), lastUse: time.Now()}
}

// connLimit leaves most of the files that we may open to what is done for
// connections: the vault's, and those upstream.
func connLimit() int {
	var r syscall.Rlimit
	if syscall.Getrlimit(syscall.RLIMIT_NOFILE, &r) != nil {
		return maxConns
	}
	return int(min(max(uint64(r.Cur)/4, 2), maxConns))
}

// add makes room for a connection and takes it in; nil means that there is
// none. Agents have half of the room, so that they cannot keep the operator out
// or push an operator's connection out.
func (s *conns) add(u *net.UnixConn, p serve.Peer) *conn {
	s.mu.Lock()
	defer s.mu.Unlock()
	full := len(s.open) >= s.limit || !p.Operator && s.agents >= s.limit/2
	if full && !s.shedLocked(func(c *conn) bool { return p.Operator || !c.peer.Operator }) {
		return nil
	}
	c := &conn{UnixConn: u, all: s, peer: p, since: time.Now()}
	s.open[c] = struct{}{}
	if !p.Operator {
		s.agents++
	}
	s.serving++
	s.served.Add(1)
	return c
}

// shed closes the connection that has been idle for longest, other than one
// that came just now: two clients in turn would keep each other from asking. It
// waits for the file of one that was closed already.
func (s *conns) shed() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.serving == len(s.open) {
		s.shedLocked(func(c *conn) bool { return !c.freshLocked() })
	}
}

// freshLocked reports whether the client had no time yet to ask something.
func (c *conn) freshLocked() bool { return !c.used && time.Since(c.since) < freshTime }

// shedLocked closes the connection that has been idle for longest of those that
// may be closed, and reports whether there was one.
func (s *conns) shedLocked(may func(*conn) bool) bool {
	var oldest *conn
	for c := range s.open {
		if !c.working && may(c) && (oldest == nil || c.since.Before(oldest.since)) {
			oldest = c
		}
	}
	if oldest == nil {
		return false
	}
	s.dropLocked(oldest)
	return true
}

// dropLocked closes c. The goroutine that serves it notices, and ends.
func (s *conns) dropLocked(c *conn) {
	if _, open := s.open[c]; !open {
		return
	}
	delete(s.open, c)
	if !c.peer.Operator {
		s.agents--
	}
	_ = c.Close()
}

// done is told by the goroutine that served c, as the last that it does.
func (s *conns) done(c *conn, served int) {
	s.mu.Lock()
	if served > 0 {
		s.lastUse = time.Now()
	}
	s.dropLocked(c)
	s.serving--
	s.mu.Unlock()
	s.served.Done()
}

func (s *conns) working(c *conn, underWay bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	c.working, c.used, c.since, s.lastUse = underWay, true, now, now
	if s.leaving && !underWay {
		s.dropLocked(c)
	}
}

// idleFor returns how long no request has been under way. Busy tells of those
// that no connection told of.
func (s *conns) idleFor(busy int) time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	if busy > 0 || s.countLocked(func(c *conn) bool { return c.working }) > 0 {
		s.lastUse = now
	}
	return now.Sub(s.lastUse)
}

func (s *conns) countLocked(is func(*conn) bool) int {
	n := 0
	for c := range s.open {
		if is(c) {
			n++
		}
	}
	return n
}

// drain closes what is idle, now and from now on. A client that has connected
// just now and asked nothing yet did so before our socket was gone, and has a
// moment for it. It returns how many are left.
func (s *conns) drain() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.leaving = true
	for c := range s.open {
		if !c.working && !c.freshLocked() {
			s.dropLocked(c)
		}
	}
	return len(s.open)
}

// closeAll closes every connection, and waits until their goroutines ended, or
// for as long as is given.
func (s *conns) closeAll(within time.Duration) (ended bool) {
	s.mu.Lock()
	for c := range s.open {
		s.dropLocked(c)
	}
	s.mu.Unlock()
	all := make(chan struct{})
	go func() { s.served.Wait(); close(all) }()
	select {
	case <-all:
		return true
	case <-time.After(within):
		return false
	}
}

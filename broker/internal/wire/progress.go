package wire

import (
	"crypto/tls"
	"net"
	"sync"
	"time"
)

// A Step is how far a request is.
type Step string

// The steps, in their order. A request that gets a connection which was made
// before begins with StepSending, and one to an address with StepConnecting.
const (
	StepResolving  Step = "resolving"  // the name of the host
	StepConnecting Step = "connecting" // to one of its addresses
	StepSecuring   Step = "securing"   // the connection, by TLS
	StepSending    Step = "sending"    // the request
	StepWaiting    Step = "waiting"    // for the header of the answer
	StepReceiving  Step = "receiving"  // the body of the answer
)

// order is the place of a step, from 1.
func (s Step) order() int {
	switch s {
	case StepResolving:
		return 1
	case StepConnecting:
		return 2
	case StepSecuring:
		return 3
	case StepSending:
		return 4
	case StepWaiting:
		return 5
	}
	return 6
}

// over is behind the order of all steps.
const over = 7

// Timing is how long the parts of a request took; zero for what did not happen.
type Timing struct {
	DNS     time.Duration // the name was resolved
	Connect time.Duration // until one of the addresses answered
	TLS     time.Duration // the handshake
	Wait    time.Duration // from the end of the request to the header of the answer
	Body    time.Duration // from there to the end of the body, or to where reading ended
	Reused  bool          // on a connection that was made before, or for another request
}

// A progress tells how far a request is, and times it. Steps come from several
// goroutines, those of making a connection even when it is not needed any more.
type progress struct {
	serial uint64     // of the request, among those of its client
	tell   func(Step) // nil: nobody wants to know

	mu      sync.Mutex
	at      int // order of the last step
	secured time.Time
	written time.Time
	headed  time.Time
	timing  Timing
}

// step tells a step, unless the request is further already. Steps are told one
// at a time, so that they arrive in order.
func (p *progress) step(s Step) {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := s.order()
	if n <= p.at {
		return
	}
	p.at = n
	if p.tell != nil {
		p.tell(s)
	}
}

// again begins anew: the request needs a connection.
func (p *progress) again() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.at < over {
		p.at = 0
	}
	p.written, p.timing = time.Time{}, Timing{}
}

// end has nothing told any more.
func (p *progress) end() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.at = over
}

func (p *progress) securing() {
	p.mu.Lock()
	p.secured = time.Now()
	p.mu.Unlock()
	p.step(StepSecuring)
}

func (p *progress) isSecure() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.at >= StepSending.order() {
		return // by another connection
	}
	p.timing.TLS = time.Since(p.secured)
}

// sending notes the connection that the request got.
func (p *progress) sending(conn net.Conn) {
	p.mu.Lock()
	if secure, ok := conn.(*tls.Conn); ok {
		conn = secure.NetConn()
	}
	if own, ok := conn.(*counted); ok && own.by == p.serial {
		p.timing.DNS, p.timing.Connect = own.dns, own.connect
	} else {
		p.timing = Timing{Reused: true}
	}
	p.mu.Unlock()
	p.step(StepSending)
}

func (p *progress) waiting() {
	p.mu.Lock()
	p.written = time.Now()
	p.mu.Unlock()
	p.step(StepWaiting)
}

// receiving notes the header of the answer. It may come before the request was
// taken whole, and is then not waited for.
func (p *progress) receiving() {
	p.mu.Lock()
	p.headed = time.Now()
	if !p.written.IsZero() {
		p.timing.Wait = p.headed.Sub(p.written)
	}
	p.mu.Unlock()
	p.step(StepReceiving)
}

func (p *progress) received() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.timing.Body = time.Since(p.headed)
}

func (p *progress) times() Timing {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.timing
}

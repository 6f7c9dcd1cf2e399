package serve_test

import (
	"net"
	"testing"
	"time"

	"aivault/broker/internal/rpc"
)

// A told connection notes what the server says of its requests.
type toldConn struct {
	net.Conn
	said chan bool
}

func (c toldConn) Working(underWay bool) { c.said <- underWay }

// A daemon that looks for idle connections is told of each request, in turn,
// however fast the next one comes.
func TestWorking(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	a, b := net.Pipe()
	said := make(chan bool, 1000)
	c := &raw{t: t, rig: r, conn: a, in: rpc.NewReader(a, time.Minute), out: rpc.NewWriter(a, time.Minute), done: make(chan error, 1)}
	go func() {
		_, err := r.server.Serve(t.Context(), toldConn{b, said}, operator)
		c.done <- err
	}()
	c.greet()
	for range 100 {
		send(c, r.table.Policies, rpc.None{})
		if _, err := result(c, r.table.Policies); err != nil {
			t.Fatal(err)
		}
	}
	_ = a.Close()
	if err := c.ended(); err != nil {
		t.Errorf("Serve: %v", err)
	}
	close(said)
	last := false
	for underWay := range said {
		if underWay == last {
			t.Fatalf("it is told twice that a request is under way: %t", underWay)
		}
		last = underWay
	}
	if last {
		t.Error("at the end a request is under way")
	}
}

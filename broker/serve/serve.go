// Package serve is a daemon's side of a connection: who may ask for what, and
// what is asked for done on the vault and the broker that the daemon has open.
//
// The owner of the vault, as the kernel says who that is, may ask for all that
// people can do with an open vault. Anybody else is an agent, who may have calls
// made and no more: each such call is judged by what was granted to that user.
// Keys come in, so that the vault can be opened, and never go out; nothing that
// is asked for names a file to be opened.
//
// A client asks for one thing at a time on a connection. When it goes away, what
// it asked for ends: an upstream is not kept busy for nobody.
package serve

import (
	"context"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"aivault/broker"
	"aivault/broker/internal/rpc"
	"aivault/vault"
)

// Config says what a server works with.
type Config struct {
	Vault   *vault.Local
	Broker  *broker.Broker
	Version string           // of aivault, which clients compare with theirs
	Shared  bool             // connections of other users are served
	Now     func() time.Time // nil: time.Now
}

// A Server does what the clients of a daemon ask for, whatever the number of
// their connections.
type Server struct {
	cfg     Config
	table   *rpc.Table
	backend backend
	busy    atomic.Int64
	room    *budget // for long requests of the vault's owner
	shared  *budget // for those of all agents together

	stopping chan struct{}
	stop     func() // closes it
}

// backend is what methods are done by.
type backend struct {
	vault.Vault
	broker.Service
	*keeper
}

// Lock implements vault.Vault: it also forgets that the key was to be kept, and
// closes the connections to upstreams, which know what they were opened with.
func (b backend) Lock(ctx context.Context) error { return b.keeper.lock(ctx) }

// New returns a server. Close it when nobody is served any more.
func New(cfg Config) *Server {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	s := &Server{
		cfg: cfg, table: rpc.Methods(), room: newBudget(512), shared: newBudget(128),
		stopping: make(chan struct{}),
		backend:  backend{cfg.Vault, cfg.Broker, newKeeper(cfg)},
	}
	s.stop = sync.OnceFunc(func() { close(s.stopping) })
	return s
}

// Serve serves one connection until the client leaves or ctx ends, and closes
// it. Served is the number of requests that were answered. The error is that of
// a client that left in the middle of something, or did not speak the protocol.
func (s *Server) Serve(ctx context.Context, conn net.Conn, peer Peer) (served int, err error) {
	ctx, cancel := context.WithCancel(vault.WithCaller(ctx, vault.Caller{UID: peer.UID, PID: peer.PID, Agent: !peer.Operator}))
	defer cancel()
	c := newConnection(ctx, s, conn, peer)
	defer c.close()
	if on, err := c.greet(); !on || err != nil {
		return 0, err
	}
	return c.serve()
}

// Busy returns how many requests are under way.
func (s *Server) Busy() int { return int(s.busy.Load()) }

// KeepsKey reports whether somebody handed a key over, by which the vault is
// open: a daemon that ends would have it asked for again.
func (s *Server) KeepsKey() bool {
	kept, _ := s.backend.keeper.state()
	return kept
}

// Stopping is closed when a client has asked the daemon to end.
func (s *Server) Stopping() <-chan struct{} { return s.stopping }

// Close locks the vault, and closes the connections to upstreams. Its error
// tells that the audit log does not have the outcomes of all calls.
func (s *Server) Close(ctx context.Context) error {
	err := s.backend.keeper.lock(ctx)
	s.cfg.Vault.Close()
	return err
}

// hello is what a client learns of the daemon.
func (s *Server) hello(peer Peer) rpc.Hello {
	h := rpc.Hello{Table: s.table.Fingerprint, Version: s.cfg.Version, Shared: s.cfg.Shared, Operator: peer.Operator}
	if peer.Operator {
		h.Open, h.PID = s.cfg.Vault.IsOpen(), os.Getpid()
		h.Kept, h.Until = s.backend.keeper.state()
	}
	return h
}

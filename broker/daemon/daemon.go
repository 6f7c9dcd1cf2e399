// Package daemon is the life of the background process: its socket, its lock,
// who may connect, how many, and when it leaves. What is spoken on a connection
// is a [Handler]'s, and nothing here reads a byte of it.
//
// # One for each vault
//
// A lock file, held for life, keeps a second daemon away. The kernel lets go of
// it however the first one ends, so the next can start at once. Only under the
// lock is a socket removed that nobody listens on; one that answers is never
// taken from whoever answers, and anything that is no socket is left alone.
//
// # Who may connect
//
// The socket is made in a new directory that only we can enter, gets its mode
// there, and is renamed into place: there is no moment at which others could
// connect, whatever the umask. Modes of sockets are one guard; the other is the
// user that the kernel says is at the other end. In private mode that must be
// ours, or the connection is closed before a byte of it is read. In shared mode
// others are let in as agents, which root is too: only the user that we run as
// is the operator.
//
// # How many
//
// At most 256 connections are open, fewer where the limit on files is low, and
// agents may have half of them. When they are used up, the one is closed that
// has been idle for the longest time; one with a request under way never is.
//
// # When it leaves
//
// When it is told to, by a signal or by a client; after a time without requests;
// when the vault's file is gone, as after a test that removed its directory; and
// when its socket is no longer the one that it made, as nobody could reach it.
// It removes its socket first. Requests under way get five seconds, then their
// context ends.
package daemon

import (
	"context"
	"net"
	"time"

	"aivault/broker/serve"
)

// A Handler speaks with clients, each on a connection of its own.
type Handler interface {
	// Serve answers the requests that come on conn until the client leaves or
	// ctx ends, and returns how many it answered. Conn is a [Working], which it
	// tells when a request begins and ends.
	Serve(ctx context.Context, conn net.Conn, peer serve.Peer) (served int, err error)
	// Busy returns the number of requests under way.
	Busy() int
	// KeepsKey reports whether somebody handed a key over, which would be lost:
	// then the daemon does not leave for being idle.
	KeepsKey() bool
	// Stopping returns a channel that is closed once a client asked us to stop.
	Stopping() <-chan struct{}
	// Close locks the vault and ends what is open upstream. It is called once,
	// when nothing is served any more; not by a daemon that could not start.
	Close(ctx context.Context) error
}

// A Working is a connection that wants to know whether a request is under way
// on it, as each connection that a [Handler] is given does: a connection on
// which one is under way is not idle.
type Working interface {
	// Working is called with true when a whole request was read, and with false
	// when its answer was written.
	Working(underWay bool)
}

// A Config says what a daemon serves, and where.
type Config struct {
	Socket string  // path of the socket; its directory is made if need be
	Shared bool    // other users may connect, as agents
	More   []Place // where else to listen
	Lock   string  // path of the lock file
	Once   bool    // leave after the first connection on which a request was served
	// Idle is how long to stay without a request; 0 is for ever.
	Idle time.Duration
	// File is the vault's: once it has been seen, we leave when it is gone.
	// Empty: there is none to look after.
	File    string
	Version string // of this program, written into the lock file for people
	// Notify is the address at which a service manager wants to hear from us:
	// the value of NOTIFY_SOCKET, of sd_notify(3). Empty: there is none.
	Notify  string
	Handler Handler
	Ready   func()       // called once clients can connect; may be nil
	Notice  func(string) // told what somebody should know; may be nil, and called by several goroutines
}

// A Place is one more where clients connect.
type Place struct {
	Path   string
	Shared bool // other users may connect, as agents
}

// A Launch says how to start a daemon.
type Launch struct {
	Path   string   // the program; empty: this one, also if its file was replaced
	Args   []string // all arguments, the first being the program's name
	Env    []string // the whole environment
	Socket string   // where it will listen
}

// times that a daemon gives others.
const (
	graceTime  = 5 * time.Second       // for requests under way when it leaves
	endTime    = 2 * time.Second       // for what was cancelled then, to write down how it ended
	freshTime  = time.Second           // for a client that connected as we leave, to send its request
	lookTime   = time.Second           // between looks at the files that must be there
	probeTime  = time.Second           // for whoever listens on a socket that we find, to answer
	startTime  = 10 * time.Second      // for a daemon that was started, to become ready
	pollTime   = 25 * time.Millisecond // between looks for another's socket
	acceptWait = 10 * time.Millisecond // after the system had no file or memory for a connection
)

// maxConns is how many connections are open at most.
const maxConns = 256

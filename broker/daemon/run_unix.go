//go:build unix

package daemon

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"aivault/broker/internal/peer"
	"aivault/broker/serve"
	"aivault/keys/fault"
)

// Run is the life of a daemon: it returns nil when it left as it should, for
// whichever of the reasons in the package's comment, and an error when it could
// not start or its handler could not close. An end of ctx is a signal to leave.
//
// Errors are invalid_request, for a path that is no place for a socket or a
// lock, vault_busy, when somebody serves there already, and io_error.
func Run(ctx context.Context, cfg Config) error {
	if cfg.Notice == nil {
		cfg.Notice = func(string) {}
	}
	if err := prepare(cfg); err != nil {
		return err
	}
	held, err := lock(cfg.Lock, cfg.Version)
	if err != nil {
		return err
	}
	defer func() { _ = held.Close() }()
	d := &daemon{Config: cfg, conns: newConns(), leave: make(chan struct{}, 1)}
	for _, at := range cfg.places() {
		s, err := take(ctx, at)
		if err != nil {
			d.deafen()
			return err
		}
		d.sockets = append(d.sockets, s)
	}
	return d.live(ctx)
}

// places returns all places where to listen.
func (cfg *Config) places() []Place {
	return append([]Place{{cfg.Socket, cfg.Shared}}, cfg.More...)
}

func prepare(cfg Config) error {
	locks, prepared := filepath.Dir(cfg.Lock), false
	for _, at := range cfg.places() {
		if err := checkPath(at.Path); err != nil {
			return err
		}
		dir := filepath.Dir(at.Path)
		if err := prepareDir(dir, at.Shared); err != nil {
			return err
		}
		prepared = prepared || dir == locks
	}
	if prepared {
		return nil
	}
	return prepareDir(locks, false)
}

// take listens at a place, if nobody else does.
func take(ctx context.Context, at Place) (*socket, error) {
	if err := clearStale(ctx, at.Path); err != nil {
		return nil, err
	}
	return listen(at.Path, at.Shared)
}

type daemon struct {
	Config
	sockets []*socket
	conns   *conns
	leave   chan struct{} // holds something when a connection found a reason to leave
	seen    atomic.Bool   // the vault's file was there
}

// live serves until there is a reason to leave, and leaves.
func (d *daemon) live(ctx context.Context) error {
	d.gone() // so that it is seen from the start
	// Requests outlive ctx for a while.
	requests, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	var accepting sync.WaitGroup
	for _, s := range d.sockets {
		accepting.Go(func() { d.accept(requests, s) })
	}
	if d.Ready != nil {
		d.Ready()
	}
	tell(d.Notify, "READY=1")
	d.wait(ctx)
	tell(d.Notify, "STOPPING=1")

	// Whoever connects from here on starts a daemon of their own, which waits
	// for our lock; those who did before are in the queue, and are served.
	for _, s := range d.sockets {
		s.remove()
		_ = s.SetDeadline(time.Now().Add(acceptWait))
	}
	accepting.Wait()
	d.deafen()
	d.drain(cancel)

	// What the handler holds is closed however long that takes, within reason.
	end, stop := context.WithTimeout(context.WithoutCancel(ctx), graceTime)
	defer stop()
	return d.Handler.Close(end)
}

// deafen listens no more.
func (d *daemon) deafen() {
	for _, s := range d.sockets {
		s.remove()
		_ = s.Close()
	}
}

// inPlace reports whether all sockets are where clients look for them.
func (d *daemon) inPlace() bool {
	return !slices.ContainsFunc(d.sockets, func(s *socket) bool { return !s.inPlace() })
}

// wait returns when there is a reason to leave.
func (d *daemon) wait(ctx context.Context) {
	for {
		pause := lookTime
		if d.Idle > 0 && !d.Handler.KeepsKey() {
			left := d.Idle - d.conns.idleFor(d.Handler.Busy())
			if left <= 0 {
				return
			}
			pause = min(pause, left)
		}
		select {
		case <-ctx.Done():
			return
		case <-d.Handler.Stopping():
			return
		case <-d.leave:
			return
		case <-time.After(pause):
		}
		if d.gone() || !d.inPlace() {
			return
		}
	}
}

// gone reports whether the vault's file was there and is no more.
func (d *daemon) gone() bool {
	if d.File == "" {
		return false
	}
	_, err := os.Lstat(d.File)
	if err == nil {
		d.seen.Store(true)
	}
	return errors.Is(err, fs.ErrNotExist) && d.seen.Load()
}

// goAway has wait return.
func (d *daemon) goAway() {
	select {
	case d.leave <- struct{}{}:
	default: // it knows
	}
}

// drain lets what is under way end, and cancels what takes too long.
func (d *daemon) drain(cancel context.CancelFunc) {
	for deadline := time.Now().Add(graceTime); d.conns.drain() > 0 && time.Now().Before(deadline); {
		time.Sleep(acceptWait)
	}
	cancel()
	for deadline := time.Now().Add(endTime); d.conns.drain() > 0 && time.Now().Before(deadline); {
		time.Sleep(acceptWait)
	}
	if !d.conns.closeAll(endTime) {
		d.Notice("a request did not end when it was told to")
	}
}

// accept takes connections until the socket is closed, or its deadline. When
// files or memory run out it waits: to give up would be to leave everybody
// without a daemon. Room is made by what is idle.
func (d *daemon) accept(requests context.Context, s *socket) {
	for {
		u, err := s.AcceptUnix()
		switch {
		case err == nil:
			d.admit(requests, u, s.shared)
		case errors.Is(err, os.ErrDeadlineExceeded), errors.Is(err, net.ErrClosed):
			return
		case errors.Is(err, syscall.EMFILE), errors.Is(err, syscall.ENFILE):
			if s.awaited() {
				d.conns.shed()
			}
			time.Sleep(acceptWait)
		default: // a client that left the queue, memory that is short
			time.Sleep(acceptWait)
		}
	}
}

// admit serves u, if it may be here, and there is room.
func (d *daemon) admit(requests context.Context, u *net.UnixConn, shared bool) {
	uid, pid, err := peer.Of(u)
	p := serve.Peer{UID: uid, PID: pid, Operator: uid == os.Geteuid()}
	if err != nil || !p.Operator && !shared {
		_ = u.Close()
		return
	}
	if d.gone() {
		_ = u.Close()
		d.goAway()
		return
	}
	if c := d.conns.add(u, p); c != nil {
		go d.serve(requests, c)
		return
	}
	_ = u.Close()
}

// serve has the handler answer what comes on c.
func (d *daemon) serve(requests context.Context, c *conn) {
	served := 0
	defer func() {
		if bug := recover(); bug != nil {
			// Its text may hold what a request held; its kind does not.
			d.Notice(fmt.Sprintf("a bug in aivault ended a connection (%T)", bug))
		}
		d.conns.done(c, served)
		if d.Once && served > 0 {
			d.goAway()
		}
	}()
	served, err := d.Handler.Serve(requests, c, c.peer)
	if err != nil && fault.CodeOf(err) != fault.Canceled {
		d.Notice("a connection ended: " + err.Error())
	}
}

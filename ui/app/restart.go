package app

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"sync"
	"syscall"
	"time"

	"aivault/broker/remote"
	"aivault/keys/fault"
	"aivault/vault"
)

// CheckDaemon is a check of a doctor's: of who answers at the socket of the vault.
func (s *Session) CheckDaemon(ctx context.Context) vault.Check {
	const name = "daemon"
	if s.inProcess() {
		return vault.Check{Name: name, OK: true, Detail: "there is to be none here"}
	}
	socket := s.operatorSocket()
	c, err := s.dial(ctx, socket)
	switch {
	case err == nil:
		defer c.Close()
		h := c.Hello()
		return vault.Check{Name: name, OK: true, Detail: fmt.Sprintf("process %d answers, of this version", h.PID)}
	case errors.Is(err, syscall.ECONNREFUSED):
		return vault.Check{Name: name, OK: true, Detail: "none runs; one that was killed left its socket, which the next one takes away"}
	case remote.IsAbsent(err):
		return vault.Check{Name: name, OK: true, Detail: "none runs"}
	}
	return vault.Check{Name: name, Detail: err.Error(), Code: fault.CodeOf(err), Remedy: fault.HintOf(err)}
}

// Restart ends the daemon of the vault, if there is one, and starts another. It
// returns its socket.
func (s *Session) Restart(ctx context.Context) (socket string, err error) {
	if s.inProcess() {
		return "", fault.New(fault.InvalidRequest, "there is to be no daemon here").WithHint("unset AIVAULTD_DISABLE")
	}
	s.Backend()
	socket = s.operatorSocket()
	// Each daemon of the vault listens at its own socket, too.
	for _, at := range slices.Compact([]string{socket, s.PrivateSocket()}) {
		if err := s.stop(ctx, at); err != nil {
			return socket, err
		}
	}
	// The one that leaves lets go of the lock when what it has under way is done.
	for deadline := time.Now().Add(wayTime); ; {
		err := s.launch(ctx, socket)
		if fault.CodeOf(err) != fault.VaultBusy || time.Now().After(deadline) {
			return socket, err
		}
	}
}

// stop has the daemon at a socket leave, of whatever version it is, if there is
// one, and waits until nobody can connect to it any more. One that does not answer
// is killed.
func (s *Session) stop(ctx context.Context, socket string) error {
	err := remote.Stop(ctx, remote.Options{Socket: socket, Version: Version(), OwnerUID: os.Geteuid()})
	if remote.IsAbsent(err) {
		return nil
	}
	if pid, ok := remote.Silent(err); ok && pid > 0 {
		return s.kill(ctx, socket, pid, err)
	}
	for deadline := time.Now().Add(wayTime); err == nil; {
		if _, missing := os.Lstat(socket); missing != nil {
			return nil
		}
		if time.Now().After(deadline) {
			return fault.New(fault.VaultBusy, "the daemon does not leave").WithHint("end its process, which `aivault status` names")
		}
		select {
		case <-ctx.Done():
			err = fault.Wrap(fault.Canceled, context.Cause(ctx), "waiting for the daemon to leave")
		case <-time.After(wayPoll):
		}
	}
	return err
}

// kill ends a daemon of ours that does not answer, as err says, and waits until
// it is gone.
func (s *Session) kill(ctx context.Context, socket string, pid int, err error) error {
	p, lost := os.FindProcess(pid)
	if lost == nil {
		lost = p.Kill()
	}
	if lost != nil && !errors.Is(lost, os.ErrProcessDone) {
		return err
	}
	for deadline := time.Now().Add(wayTime); ; time.Sleep(wayPoll) {
		c, left := s.connect(ctx, socket, os.Geteuid())
		if left == nil {
			c.Close()
		}
		if remote.IsAbsent(left) {
			break
		}
		if left == nil || ctx.Err() != nil || time.Now().After(deadline) {
			return err // another listens there, or it cannot end, as one whose disk hangs
		}
	}
	s.opts.Notice(err.Error() + ", and was killed; the audit log says unknown of calls that it had under way")
	return nil
}

// quietTime is for how long a daemon that did not answer is not asked again.
const quietTime = 10 * time.Second

// A quiet remembers a daemon that does not answer: each look at it takes seconds.
type quiet struct {
	mu     sync.Mutex
	socket string
	err    error
	since  time.Time
}

func (q *quiet) note(socket string, err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.socket, q.err, q.since = socket, err, time.Now()
}

// of returns the error of the daemon at a socket, if it was silent just now.
func (q *quiet) of(socket string) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.socket != socket || time.Since(q.since) > quietTime {
		return nil
	}
	return q.err
}

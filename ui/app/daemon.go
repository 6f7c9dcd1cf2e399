package app

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"time"

	"aivault/broker"
	"aivault/broker/daemon"
	"aivault/broker/remote"
	"aivault/keys"
	"aivault/keys/fault"
	"aivault/keys/opaque"
	"aivault/vault"
)

// How long a daemon stays without anything to do: as long as somebody may come
// back to their work, or, where a program chose the vault, not longer than a few
// of its calls are apart.
const (
	idleTime    = 15 * time.Minute
	idleTimeOwn = 10 * time.Second
)

// askAgain is how long a session that found no daemon with the key does not look
// for one again.
const askAgain = time.Second

// A link is the connection of a session with the daemon of its vault.
type link struct {
	mu     sync.Mutex
	client *remote.Client // nil: none
	asked  time.Time      // when none was found that keeps the key
}

// close ends the connection.
func (l *link) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.client != nil {
		l.client.Close()
		l.client = nil
	}
}

// keeper returns the daemon if somebody gave it the key of the vault, and nil
// where this process can do without: it was given what opens the vault, or has
// opened it.
func (s *Session) keeper(ctx context.Context) *remote.Client {
	if s.given() || s.vault.IsOpen() || s.inProcess() {
		return nil
	}
	s.link.mu.Lock()
	defer s.link.mu.Unlock()
	if c := s.link.client; c != nil {
		if c.Kept() {
			return c
		}
		c.Close() // it was locked, or is gone
		s.link.client = nil
	}
	if time.Since(s.link.asked) < askAgain {
		return nil
	}
	c, err := s.dial(ctx, s.operatorSocket())
	switch {
	case err != nil: // what can be done without it is
	case c.Kept():
		s.link.client = c
		return c
	default:
		c.Close()
	}
	s.link.asked = time.Now()
	return nil
}

// Kept reports whether the daemon keeps the key of the vault, so that this session
// works by it.
func (s *Session) Kept(ctx context.Context) bool {
	s.Backend()
	return s.keeper(ctx) != nil
}

// given reports whether this session was given what opens the vault.
func (s *Session) given() bool {
	return s.opts.Passphrase != (Passphrase{}) || s.opts.Given != nil && s.opts.Given()
}

// inProcess reports whether there is to be no daemon.
func (s *Session) inProcess() bool {
	return runtime.GOOS == "windows" || truthy(strings.TrimSpace(s.env.Getenv("AIVAULTD_DISABLE")))
}

// mayStart reports whether a daemon may be started where none answers.
func (s *Session) mayStart() bool {
	v := strings.TrimSpace(s.env.Getenv("AIVAULTD_AUTOSTART"))
	return v == "" || truthy(v)
}

// namedSocket returns the socket that AIVAULTD_SOCKET names; empty: none.
func (s *Session) namedSocket() string { return strings.TrimSpace(s.env.Getenv("AIVAULTD_SOCKET")) }

// operatorSocket returns the socket where the daemon of this vault takes
// everything from its owner.
func (s *Session) operatorSocket() string {
	if path := s.namedSocket(); path != "" {
		return path
	}
	return s.PrivateSocket()
}

// dial connects to a daemon of this user.
func (s *Session) dial(ctx context.Context, socket string) (*remote.Client, error) {
	return s.connect(ctx, socket, os.Geteuid())
}

func (s *Session) connect(ctx context.Context, socket string, owner int) (*remote.Client, error) {
	return remote.Dial(ctx, remote.Options{Socket: socket, Local: s.vault, Version: Version(), OwnerUID: owner})
}

// anyOwner is for a socket that was named, or is the machine's: whoever put it
// there is trusted with what a call holds, never with a key.
const anyOwner = -1

// Caller returns the broker for a call: the daemon that the environment names, or
// that of the vault, which is started if need be; where neither can be, this
// process. Close of the session closes it.
func (s *Session) Caller(ctx context.Context) (broker.Service, error) {
	be := s.Backend()
	if s.inProcess() || s.given() {
		return be, nil
	}
	if path := s.namedSocket(); path != "" {
		c, err := s.connect(ctx, path, anyOwner)
		if remote.IsAbsent(err) && path != s.env.SharedSocket() {
			c, err = s.start(ctx, path)
		}
		if err != nil {
			return nil, err
		}
		s.keep(c)
		return c, nil
	}
	c, err := s.dial(ctx, s.PrivateSocket())
	if remote.IsAbsent(err) {
		c, err = s.second(ctx)
	}
	switch {
	case err != nil:
		return nil, err
	case c == nil:
		return be, nil
	case c.Hello().Operator && !c.Hello().Open && c.Unlock(ctx) != nil:
		c.Close() // it has no key, and this process may be given it
		return be, nil
	}
	s.keep(c)
	return c, nil
}

// second is what there is where the daemon of this vault does not answer: a new
// one, or for who has no vault of their own the one that serves the machine; nil
// for neither.
func (s *Session) second(ctx context.Context) (*remote.Client, error) {
	st, err := s.vault.Exists()
	if err != nil {
		return nil, err
	}
	shared, named := s.env.SharedSocket(), strings.TrimSpace(s.env.Getenv("AIVAULTD_SHARED_SOCKET")) != ""
	if named || !st && !s.own {
		c, err := s.connect(ctx, shared, anyOwner)
		if err == nil || named && !st || !remote.IsAbsent(err) {
			return c, err
		}
	}
	if !st || !s.mayStart() {
		return nil, nil
	}
	c, err := s.start(ctx, s.PrivateSocket())
	if err != nil {
		s.opts.Notice("no daemon could be started, so this process makes the call: " + err.Error())
		return nil, nil
	}
	return c, nil
}

// keep has the session close a connection at its end.
func (s *Session) keep(c *remote.Client) {
	s.link.mu.Lock()
	defer s.link.mu.Unlock()
	if s.link.client != nil {
		s.link.client.Close()
	}
	s.link.client = c
}

// start starts the daemon of this vault, and connects to it.
func (s *Session) start(ctx context.Context, socket string) (*remote.Client, error) {
	if !s.mayStart() {
		return nil, fault.New(fault.KeyUnavailable, "no daemon answers at %s, and autostart is disabled", socket).
			WithHint("start one with `aivault daemon`, or unset AIVAULTD_AUTOSTART")
	}
	if err := s.launch(ctx, socket); err != nil {
		return nil, err
	}
	return s.dial(ctx, socket)
}

// launch starts a daemon that outlives this process.
func (s *Session) launch(ctx context.Context, socket string) error {
	env, err := s.daemonEnv(ctx)
	if err != nil {
		return err
	}
	idle := idleTime
	if s.own {
		idle = idleTimeOwn
	}
	args := []string{"aivault", "daemon", "--idle", idle.String()}
	if socket != s.PrivateSocket() {
		args = append(args, "--socket", socket)
	}
	return daemon.Start(ctx, daemon.Launch{Args: args, Env: env, Socket: socket})
}

// AskNobody is Options.AskPassphrase of who must not ask, as a daemon: whoever
// needs the vault open unlocks it.
func AskNobody(_ context.Context, q keys.Question) (opaque.Bytes, error) {
	return nil, fault.New(fault.VaultLocked, "the vault is locked by a %s", q.Typed).WithHint("run `aivault unlock`")
}

// daemonEnv is the environment of a daemon: nothing of the caller's, who may be
// anybody, but where things are and what the slots of the vault need.
func (s *Session) daemonEnv(ctx context.Context) ([]string, error) {
	home, err := s.env.Home()
	if err != nil {
		home = "/"
	}
	env := []string{"HOME=" + home, "PATH=/usr/bin:/bin:/usr/sbin:/sbin"}
	if s.own {
		env = append(env, "AIVAULT_DIR="+s.root)
	}
	st, err := s.vault.Status(ctx)
	if err != nil {
		return nil, err
	}
	pass := append([]string{"USER", "LOGNAME", "TZ", "XDG_RUNTIME_DIR", "DBUS_SESSION_BUS_ADDRESS"}, s.env.PassOn...)
	for _, slot := range st.Slots {
		if slot.Key.Kind == keys.KindEnv {
			pass = append(pass, keyVar(slot.Key))
		}
	}
	for _, name := range pass {
		if v := s.env.Getenv(name); v != "" {
			env = append(env, name+"="+v)
		}
	}
	return env, nil
}

func keyVar(c keys.Config) string {
	if c.Var == "" {
		return keys.DefaultVar
	}
	return c.Var
}

// Unlock gives the key of the vault to its daemon, which is started if need be,
// and keeps it for so long, or with 0 until it is locked. It returns what that
// says of the vault.
func (s *Session) Unlock(ctx context.Context, limit time.Duration) (vault.Status, error) {
	be := s.Backend()
	if s.inProcess() {
		return vault.Status{}, fault.New(fault.InvalidRequest, "there is to be no daemon here, which would keep the key").
			WithHint("unset AIVAULTD_DISABLE; or give the passphrase to each command, with --passphrase-file")
	}
	exists, err := s.vault.Exists()
	if err != nil {
		return vault.Status{}, err
	}
	if !exists {
		return be.Status(ctx)
	}
	slot, key, err := s.vault.FetchKey(ctx)
	if err != nil {
		return vault.Status{}, err
	}
	defer key.Clear()
	socket := s.operatorSocket()
	c, err := s.dial(ctx, socket)
	if remote.IsAbsent(err) {
		c, err = s.start(ctx, socket)
	}
	if err != nil {
		return vault.Status{}, err
	}
	s.keep(c)
	if err := c.HandOver(ctx, slot, key, limit); err != nil {
		return vault.Status{}, err
	}
	return c.Status(ctx)
}

// Daemon returns the daemon of the vault, or nil if none answers. Close of the
// session closes it.
func (s *Session) Daemon(ctx context.Context) (*remote.Client, error) {
	s.Backend()
	if s.inProcess() {
		return nil, nil
	}
	c, err := s.dial(ctx, s.operatorSocket())
	if remote.IsAbsent(err) {
		return nil, nil
	}
	if err == nil {
		s.keep(c)
	}
	return c, err
}

// Look returns what the daemon of the vault says of itself; nil if none answers,
// or one of another aivault.
func (s *Session) Look(ctx context.Context) *remote.Hello {
	s.Backend()
	if s.inProcess() {
		return nil
	}
	c, err := s.dial(ctx, s.operatorSocket())
	if err != nil {
		return nil
	}
	defer c.Close()
	h := c.Hello()
	return &h
}

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
	if err := s.stop(ctx, socket); err != nil {
		return socket, err
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
// one, and waits until nobody can connect to it any more.
func (s *Session) stop(ctx context.Context, socket string) error {
	err := remote.Stop(ctx, remote.Options{Socket: socket, Version: Version(), OwnerUID: os.Geteuid()})
	if remote.IsAbsent(err) {
		return nil
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

package app

import (
	"context"
	"os"
	"runtime"
	"strings"
	"sync"
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
	told   bool           // that it cannot be used
	quiet  quiet
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
		if !remote.IsAbsent(err) && ctx.Err() == nil && !s.link.told {
			s.link.told = true
			s.opts.Notice("without the daemon of the vault: " + err.Error())
		}
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
func (s *Session) namedSocket() string { return s.env.socketIn("AIVAULTD_SOCKET") }

// operatorSocket returns the socket where the daemon of this vault takes
// everything from its owner.
func (s *Session) operatorSocket() string {
	if path := s.namedSocket(); path != "" {
		return path
	}
	return s.PrivateSocket()
}

// dial connects to a daemon of this user. One that did not answer just now is
// not waited for again.
func (s *Session) dial(ctx context.Context, socket string) (*remote.Client, error) {
	if err := s.link.quiet.of(socket); err != nil {
		return nil, err
	}
	c, err := s.connect(ctx, socket, os.Geteuid())
	if _, ok := remote.Silent(err); ok {
		s.link.quiet.note(socket, err)
	}
	return c, err
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
	case fault.CodeOf(err) == fault.Conflict: // an update must not stop anybody's work
		s.opts.Notice(err.Error() + ", so this process makes the call: `aivault restart` replaces it")
		return be, nil
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
		return nil, errNoStart(socket)
	}
	if err := s.launch(ctx, socket); err != nil {
		return nil, err
	}
	return s.dial(ctx, socket)
}

func errNoStart(socket string) error {
	return fault.New(fault.KeyUnavailable, "no daemon answers at %s, and autostart is disabled", socket).
		WithHint("start one with `aivault daemon`, or unset AIVAULTD_AUTOSTART")
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
			pass = append(pass, slot.Key.Variable())
		}
	}
	for _, name := range pass {
		if v := s.env.Getenv(name); v != "" {
			env = append(env, name+"="+v)
		}
	}
	return env, nil
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
	socket := s.operatorSocket()
	if err := s.canStart(ctx, socket); err != nil {
		return vault.Status{}, err // before somebody is asked
	}
	slot, key, err := s.vault.FetchKey(ctx)
	if err != nil {
		return vault.Status{}, err
	}
	defer key.Clear()
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

// canStart returns why there can be no daemon at a socket, if there can be none.
func (s *Session) canStart(ctx context.Context, socket string) error {
	c, err := s.dial(ctx, socket)
	switch {
	case err == nil:
		c.Close()
	case remote.IsAbsent(err) && !s.mayStart():
		return errNoStart(socket)
	case remote.IsAbsent(err):
		return nil
	}
	return err
}

// Daemon returns the daemon of the vault, or nil if none answers: at the socket
// that the environment names, or at the vault's own, where each daemon of it
// listens. Who wants the key forgotten means one that this session would not use,
// too. Close of the session closes it.
func (s *Session) Daemon(ctx context.Context) (*remote.Client, error) {
	s.Backend()
	if runtime.GOOS == "windows" {
		return nil, nil
	}
	for _, socket := range []string{s.operatorSocket(), s.PrivateSocket()} {
		c, err := s.dial(ctx, socket)
		switch {
		case err == nil:
			s.keep(c)
			return c, nil
		case !remote.IsAbsent(err):
			return nil, err
		}
	}
	return nil, nil
}

// Look returns what the daemon of the vault says of itself; nil if there is none.
// The error is that of one which is there and cannot be used.
func (s *Session) Look(ctx context.Context) (*remote.Hello, error) {
	s.Backend()
	if s.inProcess() {
		return nil, nil
	}
	c, err := s.dial(ctx, s.operatorSocket())
	switch {
	case remote.IsAbsent(err):
		return nil, nil
	case err != nil:
		return nil, err
	}
	defer c.Close()
	h := c.Hello()
	return &h, nil
}

package app

import (
	"context"
	"os"
	"path/filepath"
	"time"

	"aivault/broker/daemon"
	"aivault/broker/remote"
	"aivault/broker/serve"
	"aivault/keys/fault"
)

// ServeOptions say how a daemon serves.
type ServeOptions struct {
	Socket string        // one more, besides the vault's own; empty: none
	Shared bool          // other users may call: at Socket, or else at the machine's
	Once   bool          // leave after the first request
	Idle   time.Duration // leave after so long without one; 0: never
	Ready  func(sockets []string)
}

// Serve is the life of a daemon: it serves the vault until ctx ends, or there is
// another reason to leave. Whoever started it by launch hears how that began.
func (s *Session) Serve(ctx context.Context, o ServeOptions) error {
	report := daemon.OpenReport()
	err := s.serve(ctx, o, report)
	if err != nil {
		report.Failed(err)
	}
	return err
}

func (s *Session) serve(ctx context.Context, o ServeOptions, report *daemon.Report) error {
	more, err := s.furtherPlaces(o)
	if err != nil {
		return err
	}
	s.Backend()
	server := serve.New(serve.Config{Vault: s.vault, Broker: s.broker, Version: Version(), Shared: o.Shared, Now: s.env.Now})
	config := daemon.Config{
		Socket:  s.PrivateSocket(),
		More:    more,
		Lock:    filepath.Join(filepath.Dir(s.PrivateSocket()), "daemon.lock"),
		Once:    o.Once,
		Idle:    o.Idle,
		File:    s.vault.File(),
		Version: Version(),
		Notify:  s.env.Getenv("NOTIFY_SOCKET"),
		Handler: server,
		Notice:  s.opts.Notice,
		Ready: func() {
			report.Ready()
			if o.Ready != nil {
				paths := []string{s.PrivateSocket()}
				for _, at := range more {
					paths = append(paths, at.Path)
				}
				o.Ready(paths)
			}
		},
	}
	for deadline := time.Now().Add(wayTime); ; {
		err := daemon.Run(ctx, config)
		if !o.Shared || fault.CodeOf(err) != fault.VaultBusy || time.Now().After(deadline) || !s.makeWay(ctx) {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(wayPoll):
		}
	}
}

// How long a daemon may take to make way, which is more than it gives what is
// under way, and how often it is looked whether it has.
const (
	wayTime = 10 * time.Second
	wayPoll = 50 * time.Millisecond
)

// makeWay has the daemon of this vault leave that is in the way of one for other
// users: commands start one whenever there is none, and who manages the other
// would have to wait for hours. False: it does not leave, as it is for other
// users itself.
func (s *Session) makeWay(ctx context.Context) bool {
	c, err := s.dial(ctx, s.PrivateSocket())
	switch {
	case remote.IsAbsent(err):
		return true // it is leaving, and holds the lock to the last
	case fault.CodeOf(err) == fault.Conflict: // of another version, which understands that much
		return remote.Stop(ctx, remote.Options{Socket: s.PrivateSocket(), Version: Version(), OwnerUID: os.Geteuid()}) == nil
	case err != nil:
		return false
	}
	defer c.Close()
	if c.Hello().Shared || c.Stop(ctx) != nil {
		return false
	}
	if c.Hello().Kept {
		s.opts.Notice("the daemon that kept the vault unlocked makes way for this one: unlock it again with `aivault unlock`")
	}
	return true
}

// furtherPlaces returns where to listen besides the vault's own socket, at which
// its owner always finds the daemon.
func (s *Session) furtherPlaces(o ServeOptions) ([]daemon.Place, error) {
	path := o.Socket
	if path == "" && o.Shared {
		path = s.env.SharedSocket()
	}
	if path == "" {
		return nil, nil
	}
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, fault.Wrap(fault.IO, err, "finding the socket")
	}
	if path != s.PrivateSocket() {
		return []daemon.Place{{Path: path, Shared: o.Shared}}, nil
	}
	if o.Shared {
		return nil, fault.New(fault.Usage, "the socket of the vault is its owner's: --shared needs another one")
	}
	return nil, nil
}

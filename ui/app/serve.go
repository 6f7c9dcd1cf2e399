package app

import (
	"context"
	"path/filepath"
	"slices"
	"time"

	"aivault/broker/daemon"
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
	sockets := []daemon.Socket{{Path: s.PrivateSocket()}}
	switch {
	case o.Socket != "":
		path, err := filepath.Abs(o.Socket)
		if err != nil {
			return fault.Wrap(fault.IO, err, "finding the socket")
		}
		sockets = append(sockets, daemon.Socket{Path: path, Shared: o.Shared})
	case o.Shared:
		sockets = append(sockets, daemon.Socket{Path: s.env.SharedSocket(), Shared: true})
	}
	s.Backend()
	var paths []string
	for _, socket := range sockets {
		if !slices.Contains(paths, socket.Path) {
			paths = append(paths, socket.Path)
		}
	}
	server := serve.New(serve.Config{Vault: s.vault, Broker: s.broker, Version: Version(), Now: s.env.Now})
	return daemon.Run(ctx, daemon.Config{
		Sockets: sockets,
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
				o.Ready(paths)
			}
		},
	})
}

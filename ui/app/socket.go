package app

import (
	"path/filepath"
	"runtime"
	"strings"

	"aivault/ui/setup"
)

// PrivateSocket returns the path of the socket at which the daemon of this
// vault answers its owner: in run/ of the directory that moves with the vault,
// which is AIVAULT_DIR, or else ~/.aivault.
func (s *Session) PrivateSocket() string { return filepath.Join(s.moves, "run", setup.SocketName) }

// SharedSocket returns the path of the socket at which a daemon answers other
// users, too: the one that AIVAULTD_SHARED_SOCKET names, or that of the system.
func (e *Env) SharedSocket() string {
	if path := e.socketIn("AIVAULTD_SHARED_SOCKET"); path != "" {
		return path
	}
	return setup.SharedSocket(runtime.GOOS)
}

// socketIn returns the path of a socket that a variable names; empty: none. A
// relative one is from here, and not from where a daemon works.
func (e *Env) socketIn(name string) string {
	path := strings.TrimSpace(e.Getenv(name))
	if path == "" {
		return ""
	}
	abs, err := filepath.Abs(path)
	if err != nil {
		return path // a directory that is gone: to connect says so
	}
	return abs
}

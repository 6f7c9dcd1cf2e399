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
	if path := strings.TrimSpace(e.Getenv("AIVAULTD_SHARED_SOCKET")); path != "" {
		return path
	}
	return setup.SharedSocket(runtime.GOOS)
}

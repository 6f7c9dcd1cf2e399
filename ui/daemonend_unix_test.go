//go:build unix

package ui_test

import (
	"os"
	"path/filepath"
	"syscall"
)

// holdsLock reports whether the daemon of a vault holds its lock, which it does to
// the last.
func holdsLock(vault string) bool {
	f, err := os.Open(filepath.Join(vault, "run", "daemon.lock"))
	if err != nil {
		return false
	}
	defer f.Close()
	return syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) != nil
}

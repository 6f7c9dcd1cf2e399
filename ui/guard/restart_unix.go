//go:build unix

package guard

import (
	"os"
	"syscall"
)

// restart replaces this process by a new one of the same program, with the
// same arguments and the environment as it is now. That has none of the
// variables which lead here, so it happens once. Where it fails, this process
// goes on: what Go code reads of the environment is clean already.
func restart() {
	_ = syscall.Exec(self(), os.Args, os.Environ())
}

// self returns the path of the running program. The one in /proc stays right
// when an update has replaced the file.
func self() string {
	const proc = "/proc/self/exe"
	if _, err := os.Stat(proc); err == nil {
		return proc
	}
	exe, err := os.Executable()
	if err != nil {
		return ""
	}
	return exe
}

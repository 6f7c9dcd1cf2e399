//go:build unix && !aivault_dumpable

package guard

import "syscall"

// noCore has the kernel write no core file of this process and those that it
// starts.
func noCore() { _ = syscall.Setrlimit(syscall.RLIMIT_CORE, &syscall.Rlimit{}) }

//go:build unix

package app

import "syscall"

// openNonblock keeps the opening of a pipe without a writer from waiting.
const openNonblock = syscall.O_NONBLOCK

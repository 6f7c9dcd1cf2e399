//go:build !aivault_dumpable

package guard

import "syscall"

// hide closes /proc/PID/environ, mem and fd of this process and attaching to it
// to other processes of the same user, who may be the code that nobody trusts,
// and keeps its memory out of core dumps, also of those that the kernel pipes
// to a collector: prctl(2), PR_SET_DUMPABLE. An exec undoes the former, so each
// aivault does it anew.
func hide() {
	_, _, _ = syscall.RawSyscall(syscall.SYS_PRCTL, syscall.PR_SET_DUMPABLE, 0, 0)
	noCore()
}

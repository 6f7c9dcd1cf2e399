//go:build unix && !linux

package keys

import (
	"os/exec"
	"syscall"
)

// isolate gives the helper a process group of its own, which is killed as one.
func isolate(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
}

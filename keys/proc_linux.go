package keys

import (
	"os/exec"
	"syscall"
)

// isolate gives the helper a process group of its own, which is killed as one,
// and has the kernel kill it when we end.
func isolate(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
}

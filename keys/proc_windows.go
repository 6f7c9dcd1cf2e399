package keys

import (
	"os/exec"
	"syscall"

	"golang.org/x/sys/windows"
)

// isolate keeps the helper from opening a console. It starts nothing itself,
// so that killing it, as exec.Cmd does, leaves nothing behind.
func isolate(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{HideWindow: true, CreationFlags: windows.CREATE_NO_WINDOW}
}

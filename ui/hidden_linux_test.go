package ui_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"aivault/broker/brokertest"
)

// stranger is a user without rights, for tests that run as root.
const stranger = 65534

// asStranger has a command run as a user without rights: the stranger, or, where
// that is who runs the test, as it is.
func asStranger(cmd *exec.Cmd) *exec.Cmd {
	if os.Getuid() == 0 {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: stranger, Gid: stranger}}
	}
	return cmd
}

// spy has a program of the same user look at a file of a process.
func spy(program string, pid int, file string) (string, error) {
	cmd := asStranger(exec.Command(program, fmt.Sprintf("/proc/%d/%s", pid, file)))
	cmd.Env = []string{"LC_ALL=C", "PATH=" + os.Getenv("PATH")}
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// Other processes of the same user see neither the environment of a running
// aivault, in which a key may be, nor its memory and what it has open; of
// another program they see all that.
func TestHiddenFromTheSameUser(t *testing.T) {
	t.Parallel()
	exe, secret := binary(t), brokertest.Word(t)
	home := t.TempDir()
	if os.Getuid() == 0 {
		if err := os.Chmod(filepath.Dir(exe), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.Chown(home, stranger, stranger); err != nil {
			t.Fatal(err)
		}
	}
	env := []string{"PATH=" + os.Getenv("PATH"), "HOME=" + home, "AIVAULT_DIR=" + filepath.Join(home, "vault"), "AIVAULT_KEY=" + secret}

	open := asStranger(exec.Command("sleep", "600"))
	open.Env = env
	if err := open.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = open.Process.Kill(); _ = open.Wait() })
	cmd := asStranger(exec.Command(exe, "secrets", "create", "--name", "X", "--value-stdin"))
	cmd.Env = env
	hidden := untilItWaits(t, cmd).cmd.Process.Pid

	if out, err := spy("cat", open.Process.Pid, "environ"); err != nil || !strings.Contains(out, secret) {
		t.Fatalf("the environment of another program: %v, %d bytes: the test shows nothing", err, len(out))
	}
	for file, program := range map[string]string{"environ": "cat", "mem": "cat", "maps": "cat", "fd": "ls"} {
		const denied = "Permission denied"
		if out, _ := spy(program, open.Process.Pid, file); strings.Contains(out, denied) {
			t.Errorf("%s of another program is hidden: the test shows nothing", file)
		}
		out, err := spy(program, hidden, file)
		if err == nil || !strings.Contains(out, denied) || strings.Contains(out, secret) {
			t.Errorf("%s is open to others: %v, %d bytes", file, err, len(out))
		}
	}
	limits, err := os.ReadFile(fmt.Sprintf("/proc/%d/limits", hidden))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(limits)) {
		if f := strings.Fields(line); strings.HasPrefix(line, "Max core file size") && (f[4] != "0" || f[5] != "0") {
			t.Errorf("core files are allowed: %s", line)
		}
	}
}

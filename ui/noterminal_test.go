//go:build linux

package ui_test

import (
	"bytes"
	"os/exec"
	"strings"
	"syscall"
	"testing"
)

// Checklist 4. Where nobody could see the screens, or no key reach them, one
// sentence says what to do instead.
func TestWithoutATerminal(t *testing.T) {
	t.Parallel()
	exe := binary(t)
	for _, test := range []struct {
		name    string
		in, out bool // is a terminal
		args    []string
	}{
		{"neither", false, false, nil},
		{"no input", false, true, nil},
		{"no output", true, false, nil},
		{"with flags", false, false, []string{"--no-mouse", "--theme", "dark"}},
		{"accessible", false, false, []string{"--accessible"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			term := newTerminal(t)
			cmd := exec.Command(exe, test.args...)
			cmd.Env = plainEnv(t)
			var out, errs bytes.Buffer
			cmd.Stdout, cmd.Stderr = &out, &errs
			if test.in {
				cmd.Stdin = term.tty
			}
			if test.out {
				cmd.Stdout = term.tty
			}
			cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
			_ = cmd.Run()
			if got := cmd.ProcessState.ExitCode(); got != 2 {
				t.Errorf("exit status %d", got)
			}
			said := errs.String()
			if strings.Count(said, "\n") != 1 || !strings.Contains(said, "aivault help") || !strings.Contains(said, "aivault status") {
				t.Errorf("it says %q", said)
			}
			if wrote := said + out.String() + term.text(); strings.Contains(wrote, "\x1b") || out.Len() > 0 {
				t.Errorf("it wrote %q", wrote)
			}
		})
	}
}

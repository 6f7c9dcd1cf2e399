//go:build linux

package ui_test

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"aivault/broker/brokertest"
)

// Who restores an older backup on a terminal is told what that costs, and asked.
// Anything but a yes leaves the vault as it is.
func TestRestoreAsks(t *testing.T) {
	t.Parallel()
	env, dir, exe := testEnv(t)
	run := func(stdin string, args ...string) string {
		t.Helper()
		cmd := exec.Command(exe, args...)
		cmd.Env, cmd.Stdin = env, strings.NewReader(stdin)
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		return string(out)
	}
	run(brokertest.Word(t), "secrets", "create", "--name", "EARLY", "--value-stdin")
	backup := filepath.Join(dir, "backup")
	run("", "backup", backup)
	run(brokertest.Word(t), "secrets", "create", "--name", "LATE", "--value-stdin")
	for _, test := range []struct {
		answer string
		status int
		late   bool
	}{
		{"no\n", 9, true},
		{"y\n", 9, true},
		{"\n", 9, true},
		{"\x04", 2, true},
		{"\x03", 130, true},
		{" Yes\n", 0, false},
	} {
		term := newTerminal(t)
		cmd := term.start(env, exe, "restore", backup)
		term.await("Type yes to go on: ")
		for _, says := range []string{
			"the backup ends with event 3", "the vault ends with event 4", "lost would be 1 event, of which 1 changed something",
			"secret.create LATE",
		} {
			term.await(says)
		}
		term.typing(test.answer)
		_ = cmd.Wait()
		if got := cmd.ProcessState.ExitCode(); got != test.status {
			t.Errorf("%q: exit status %d, want %d\n%s", test.answer, got, test.status, term.text())
		}
		if late := strings.Contains(run("", "secrets", "list"), "LATE"); late != test.late {
			t.Errorf("%q: the later secret is there: %t", test.answer, late)
		}
	}
	// Where nothing is lost, nobody is asked.
	run("", "backup", backup, "--force")
	term := newTerminal(t)
	cmd := term.start(env, exe, "restore", backup)
	if err := cmd.Wait(); err != nil {
		t.Errorf("%v\n%s", err, term.text())
	}
}

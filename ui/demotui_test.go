//go:build linux

package ui_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/creack/pty"
)

// The demonstration in the terminal interface shows a vault with something in
// it, takes nothing of the user's, and leaves nothing behind, however it ends.
func TestDemoOnATerminal(t *testing.T) {
	t.Parallel()
	exe := binary(t)
	for name, test := range map[string]struct {
		end    func(*terminal, *os.Process)
		status int
	}{
		"somebody quits": {func(term *terminal, _ *os.Process) { term.typing("q") }, 0},
		"ctrl+c":         {func(term *terminal, _ *os.Process) { term.typing("\x03") }, 0},
		"it is ended": {func(_ *terminal, p *os.Process) {
			if err := p.Signal(syscall.SIGTERM); err != nil {
				t.Error(err)
			}
		}, 143},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			tmp := filepath.Join(dir, "tmp")
			if err := os.Mkdir(tmp, 0o700); err != nil {
				t.Fatal(err)
			}
			term := newTerminal(t)
			if err := pty.Setsize(term.keys, &pty.Winsize{Rows: 30, Cols: 100}); err != nil {
				t.Fatal(err)
			}
			env := append(slices.Clone(plainEnv(t)), "TERM=xterm-256color", "TMPDIR="+tmp, "HOME="+dir, "AIVAULT_DIR="+filepath.Join(dir, "mine"))
			cmd := term.start(env, exe, "demo", "--tui")
			term.await("STRIPE_API_KEY")
			term.typing("4")
			term.await("policy_viol")
			test.end(term, cmd.Process)
			_ = cmd.Wait()
			if got := cmd.ProcessState.ExitCode(); got != test.status {
				t.Errorf("exit status %d, not %d", got, test.status)
			}
			if s := term.text(); strings.Contains(s, "demo-key") || !strings.Contains(s, "\x1b[?1049l") || !term.echo() {
				t.Error("it shows a key, or does not give the terminal back")
			}
			left, err := os.ReadDir(tmp)
			if mine, _ := filepath.Glob(filepath.Join(dir, "mine*")); err != nil || len(left) > 0 || len(mine) > 0 {
				t.Errorf("left behind: %v, %v, %v", left, mine, err)
			}
		})
	}
}

// Package program builds programs of this module for tests that need a real
// process: with an environment, arguments and output of its own.
package program

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// Build builds the program of a package, an import path or a directory that
// begins with a dot, as aivault itself is built, and returns its path in dir.
func Build(dir, pkg string, tags ...string) (string, error) {
	exe := filepath.Join(dir, filepath.Base(pkg))
	cmd := exec.Command("go", append(append([]string{"build", "-o", exe}, tags...), pkg)...)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("building %s: %w\n%s", pkg, err, out)
	}
	return exe, nil
}

// NeedGo skips a test where there is no go command, or fails it in CI.
func NeedGo(t testing.TB) {
	t.Helper()
	if _, err := exec.LookPath("go"); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("the go command is not in PATH")
		}
		t.Skip("the go command is not in PATH")
	}
}

//go:build linux

package guard

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"aivault/broker/brokertest/program"
)

// A program that crashes leaves no core file, whatever its user allows; one
// without the guard, or built to be debugged, does, or else this test would show
// nothing.
func TestNoCoreFile(t *testing.T) {
	t.Parallel()
	program.NeedGo(t)
	for _, test := range []struct {
		name, tags string
		want       bool
	}{
		{"with guard", "", false},
		{"without guard", "unguarded", true},
		{"for debugging", "aivault_dumpable", true},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			exe, err := program.Build(dir, "./testdata/probe", "-tags="+test.tags)
			if err != nil {
				t.Fatal(err)
			}
			cmd := exec.Command("/bin/sh", "-c", `ulimit -c unlimited && exec "$0"`, exe)
			cmd.Dir, cmd.Env = dir, append(os.Environ(), "GOTRACEBACK=crash")
			out, err := cmd.CombinedOutput()
			status, ok := cmd.ProcessState.Sys().(syscall.WaitStatus)
			if exit := (*exec.ExitError)(nil); !errors.As(err, &exit) || !ok || status.Signal() != syscall.SIGABRT {
				t.Fatalf("it did not crash: %v\n%.300s", err, out)
			}
			files, err := filepath.Glob(filepath.Join(dir, "core*"))
			if err != nil {
				t.Fatal(err)
			}
			if dumped := status.CoreDump() || len(files) > 0; dumped != test.want {
				if test.want && test.tags == "unguarded" {
					t.Skip("this system writes no core files")
				}
				t.Errorf("a core file was written: %v, want %v", dumped, test.want)
			}
		})
	}
}

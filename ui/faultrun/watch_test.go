//go:build linux && (amd64 || arm64)

package faultrun_test

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"aivault/broker/brokertest/program"
	"aivault/ui/faultrun"
)

// needWatch skips a test where the kernel does not ask, or this user may not
// look; it fails it in CI.
func needWatch(t testing.TB) {
	t.Helper()
	program.NeedGo(t) // as nobody can skip where a world is made for several tests
	dir := scratch(t)
	err := faultrun.Watch{Dir: dir, Decide: func(faultrun.Call) faultrun.Fate { return faultrun.Fate{} }}.Run(exec.Command("/bin/true"))
	if err == nil {
		return
	}
	if os.Getenv("CI") == "true" && os.Geteuid() == 0 {
		t.Fatalf("no program can be watched here: %v", err)
	}
	t.Skipf("no program can be watched here: %v", err)
}

// The calls that are counted are those that strace sees.
func TestCallsAreThoseThatStraceSees(t *testing.T) {
	t.Parallel()
	needWatch(t)
	strace, err := exec.LookPath("strace")
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("strace is not in PATH")
		}
		t.Skip("strace is not in PATH")
	}
	w := furnish(t)
	command := w.command([]string{"secrets", "rotate", "--id", w.ids["ONE"], "--value-file", "value2"})
	calls := w.record(t, w.copy(t), command)
	names := []string{"pwrite64", "fdatasync", "fsync", "ftruncate", "openat"}
	got := map[string]int{}
	for _, c := range calls {
		got[c.Name]++
	}
	dir := w.copy(t)
	log := filepath.Join(dir, "log")
	cmd := command(dir)
	cmd.Args = append([]string{strace, "-f", "-qq", "-y", "-o", log, "-e", "trace=" + strings.Join(names, ","), cmd.Path}, cmd.Args[1:]...)
	cmd.Path = strace
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Skipf("strace does not work here: %v: %s", err, out)
	}
	b, err := os.ReadFile(log)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		// A call that another thread interrupts has a second line, "resumed".
		seen := regexp.MustCompile(`(?m)^\d+ +`+name+`\(.*`+regexp.QuoteMeta(dir)+`/`).FindAll(b, -1)
		if got[name] != len(seen) || name == "pwrite64" && len(seen) < 4 {
			t.Errorf("%s: %d calls, and strace sees %d", name, got[name], len(seen))
		}
	}
}

// A program that is killed before a call has not made it, and one whose call
// fails is told so.
func TestFates(t *testing.T) {
	t.Parallel()
	needWatch(t)
	dir := scratch(t)
	for _, test := range []struct {
		name string
		fate faultrun.Fate
		says string
		made bool
	}{
		{"happens", faultrun.Fate{}, "", true},
		{"fails", faultrun.Fate{Errno: syscall.ENOSPC}, "No space left", false},
		{"killed", faultrun.Fate{Kill: true}, "", false},
	} {
		path := filepath.Join(dir, test.name)
		cmd := exec.Command("/usr/bin/touch", path)
		var out bytes.Buffer
		cmd.Stderr = &out
		asked := 0
		err := faultrun.Watch{Dir: dir, Decide: func(c faultrun.Call) faultrun.Fate {
			asked++
			if c.Name != "openat" || c.Path != path {
				t.Errorf("%s: asked about %v", test.name, c)
			}
			return test.fate
		}}.Run(cmd)
		if failed, ok := errors.AsType[*faultrun.Error](err); ok {
			t.Fatal(failed)
		}
		if _, serr := os.Stat(path); (serr == nil) != test.made || asked != 1 || (err == nil) != test.made {
			t.Errorf("%s: asked %d times, made: %t, %v", test.name, asked, serr == nil, err)
		}
		status := cmd.ProcessState.Sys().(syscall.WaitStatus)
		if status.Signaled() != test.fate.Kill || !strings.Contains(out.String(), test.says) {
			t.Errorf("%s: %v, says %q", test.name, cmd.ProcessState, out.String())
		}
	}
}

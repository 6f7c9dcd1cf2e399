//go:build unix

package daemon_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"aivault/broker/daemon"
	"aivault/keys/fault"
)

// pidOf returns the process that the daemon says it is.
func pidOf(t *testing.T, socket string) int {
	t.Helper()
	answer, err := ask(socket, "process")
	var pid int
	if _, err2 := fmt.Sscanf(answer, "pid=%d", &pid); err != nil || err2 != nil {
		t.Fatalf("%q, %v", answer, err)
	}
	return pid
}

// ends has the daemon at the socket end with the test.
func (s spec) ends(t *testing.T) {
	t.Cleanup(func() { _, _ = ask(s.socket(), "stop") })
}

// Case 131. What a daemon is given is what we built, and nothing of ours: the
// program that runs, the arguments, the environment, the root directory, a
// session of its own, no file but its socket and lock.
func TestStartGivesNothingOfOurs(t *testing.T) {
	t.Parallel()
	if _, err := os.Stat("/proc/self/fd"); err != nil {
		t.Skip("this system has no /proc")
	}
	s := place(t)
	s.ends(t)
	// The shell opens a file that who starts the daemon knows nothing of.
	args := append([]string{"-c", `exec "$@" 7</etc/passwd 8>&1`, "sh", must(os.Executable())}, s.args(startArg)[1:]...)
	if out, err := exec.Command("/bin/sh", args...).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	pid, exe := pidOf(t, s.socket()), must(os.Executable())
	// Of the sockets one listens and one is ours. It may be about to close more:
	// the way on which it told that it is ready, an earlier connection.
	want := fmt.Sprintf(`pid=%d sid=%d dir=/ exe=%s env=["GIVEN=this"] args=["aivaultd" "__daemon"] open=["daemon.lock" "socket" "socket"]`, pid, pid, exe)
	got := ""
	for deadline := time.Now().Add(long); got != want && time.Now().Before(deadline); {
		var err error
		if got, err = ask(s.socket(), "process"); err != nil {
			t.Fatal(err)
		}
	}
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// Case 131. Who replaced the file of a program that runs does not choose what
// that program starts.
func TestStartAfterProgramWasReplaced(t *testing.T) {
	t.Parallel()
	s := place(t)
	s.Replace = true
	s.ends(t)
	path := filepath.Join(s.Dir, "aivault")
	text, err := os.ReadFile(must(os.Executable()))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, text, 0o700); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(path, s.args(startArg)[1:]...)
	if _, err := os.Stat("/proc/self/exe"); err != nil {
		t.Skip("this system has no /proc")
	}
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	mustAsk(t, s.socket(), "echo a", "a")
	if _, err := os.Stat(filepath.Join(s.Dir, "hostile")); err == nil {
		t.Error("what was put in our place ran")
	}
}

// Fault F13. Twenty clients at once that all want a daemon get one.
func TestStartByManyAtOnce(t *testing.T) {
	t.Parallel()
	s := place(t)
	s.ends(t)
	pids := make([]int, 20)
	var all sync.WaitGroup
	for i := range pids {
		all.Go(func() {
			cmd := exec.Command(must(os.Executable()), s.args(startArg)[1:]...)
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("%v: %s", err, out)
				return
			}
			pids[i] = pidOf(t, s.socket())
		})
	}
	all.Wait()
	for _, pid := range pids {
		if pid != pids[0] {
			t.Fatalf("more than one daemon: %v", pids)
		}
	}
}

// Fault F13. A second daemon says at once whose vault it is, and after the
// first was killed the next one starts within a second.
func TestKilled(t *testing.T) {
	t.Parallel()
	s := place(t)
	s.ends(t)
	if err := daemon.Start(t.Context(), s.launch()); err != nil {
		t.Fatal(err)
	}
	pid := pidOf(t, s.socket())

	began := time.Now()
	err := daemon.Run(t.Context(), s.config(newScript()))
	if took := time.Since(began); took > time.Second {
		t.Errorf("it took %s", took)
	}
	want := fmt.Sprintf("a daemon serves this vault already (process %d)", pid)
	if fault.CodeOf(err) != fault.VaultBusy || err.Error() != want {
		t.Errorf("%s: %v, want %s", fault.CodeOf(err), err, want)
	}
	if text, err := os.ReadFile(s.config(nil).Lock); string(text) != strconv.Itoa(pid)+" v1\n" {
		t.Errorf("the lock says %q, %v", text, err)
	}

	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	eventually(t, "it is dead", func() bool { return syscall.Kill(pid, 0) == syscall.ESRCH })
	began = time.Now()
	if err := daemon.Start(t.Context(), s.launch()); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(began); took > time.Second {
		t.Errorf("the next one took %s", took)
	}
	if next := pidOf(t, s.socket()); next == pid {
		t.Error("the process that was killed answers")
	}
}

// A daemon that ended is no zombie of who started it.
func TestStartLeavesNoProcess(t *testing.T) {
	t.Parallel()
	s := place(t)
	if err := daemon.Start(t.Context(), s.launch()); err != nil {
		t.Fatal(err)
	}
	pid := pidOf(t, s.socket())
	mustAsk(t, s.socket(), "stop", "done")
	eventually(t, "it is gone", func() bool { return syscall.Kill(pid, 0) == syscall.ESRCH })
}

// What keeps a daemon from starting is what its client is told, with the hint.
func TestStartTellsWhy(t *testing.T) {
	t.Parallel()
	s := place(t)
	write(t, filepath.Join(s.Dir, "run"))
	err := daemon.Start(t.Context(), s.launch())
	if fault.CodeOf(err) != fault.InvalidRequest || !strings.Contains(err.Error(), "run is not a directory") || fault.HintOf(err) != "move it away" {
		t.Errorf("%s: %v (%s)", fault.CodeOf(err), err, fault.HintOf(err))
	}

	l := s.launch()
	l.Args = []string{"aivaultd", "-test.run=^$"} // a program that says nothing and ends
	if err := daemon.Start(t.Context(), l); fault.CodeOf(err) != fault.Internal {
		t.Errorf("%s: %v", fault.CodeOf(err), err)
	}
	l.Path = filepath.Join(s.Dir, "absent")
	if err := daemon.Start(t.Context(), l); fault.CodeOf(err) != fault.IO {
		t.Errorf("%s: %v", fault.CodeOf(err), err)
	}
}

// A daemon that never says anything is given ten seconds, and does not stay; a
// user who loses patience is not kept.
func TestStartWaits(t *testing.T) {
	t.Parallel()
	s := place(t)
	s.Mute = true
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	began := time.Now()
	if err := daemon.Start(ctx, s.launch()); fault.CodeOf(err) != fault.Canceled || time.Since(began) > time.Second {
		t.Errorf("%s: %v after %s", fault.CodeOf(err), err, time.Since(began))
	}
	if testing.Short() {
		return
	}
	began = time.Now()
	err := daemon.Start(t.Context(), s.launch())
	if took := time.Since(began).Round(time.Second); fault.CodeOf(err) != fault.Timeout || took < 10*time.Second {
		t.Errorf("%s: %v after %s", fault.CodeOf(err), err, took)
	}
}

// Fault F18. A daemon that gets SIGTERM during a request answers it, removes its
// socket, and ends well. Signals from the terminal of who started it do not
// reach it: it is of another session, as TestStartGivesNothingOfOurs says.
func TestSIGTERM(t *testing.T) {
	t.Parallel()
	s := place(t)
	cmd := exec.Command(must(os.Executable()), s.args(daemonArg)[1:]...)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "it listens", func() bool { _, err := ask(s.socket(), "echo a"); return err == nil })
	conn, err := net.Dial("unix", s.socket())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(conn, "slow 500ms\n"); err != nil {
		t.Fatal(err)
	}
	time.Sleep(100 * time.Millisecond)
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(conn)
	if string(text) != "done\n" || err != nil {
		t.Errorf("%q, %v", text, err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("it ended with %v", err)
	}
	if _, err := os.Lstat(s.socket()); err == nil {
		t.Error("it left its socket")
	}
}

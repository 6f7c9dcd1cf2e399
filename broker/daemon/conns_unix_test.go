//go:build unix

package daemon_test

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// foreign is a user that is not ours.
const foreign = 65534

// as runs the test program as a client of another user, and returns its output.
// Only root can.
func (s spec) as(t *testing.T, uid int) string {
	t.Helper()
	cmd := exec.Command("/proc/self/exe", s.args(connectArg)[1:]...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(uid)}}
	cmd.Dir = "/"
	out, err := cmd.CombinedOutput()
	if err != nil {
		return fmt.Sprintf("%v: %s", err, out)
	}
	return string(out)
}

func needRoot(t *testing.T) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("only root can be another user")
	}
}

// open lets everybody through to the socket, as a mistake of its owner would.
func (s spec) open(t *testing.T) {
	t.Helper()
	for path, mode := range map[string]os.FileMode{s.Dir: 0o755, filepath.Dir(s.socket()): 0o755, s.socket(): 0o666} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
	}
}

// Case 121. Another user who gets through to a private socket is turned away
// before a byte is read; through to a shared one, is known as who it is.
func TestForeignUser(t *testing.T) {
	t.Parallel()
	needRoot(t)
	for _, test := range []struct {
		name   string
		shared bool
		want   string
	}{
		{"private", false, "exit status 1"},
		{"shared", true, "65534 %d false"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := place(t)
			s.Shared, s.Send = test.shared, "who"
			r := run(t, s.config(nil))
			if out := s.as(t, foreign); !strings.Contains(out, "permission denied") {
				t.Errorf("modes let others through: %s", out)
			}
			s.open(t)
			out := s.as(t, foreign)
			if test.shared {
				var uid, pid int
				var operator bool
				if _, err := fmt.Sscan(out, &uid, &pid, &operator); err != nil || uid != foreign || pid <= 0 || pid == os.Getpid() || operator {
					t.Errorf("it is known as %q", out)
				}
			} else if !strings.Contains(out, "exit status 1") || r.read.Load() != 0 {
				t.Errorf("%q, %d lines read", out, r.read.Load())
			}
			mustAsk(t, r.socket, "who", fmt.Sprint(os.Geteuid(), os.Getpid(), true))
		})
	}
}

// Case 121. Root is another user, too, where the daemon is not root's.
func TestRootIsNoOperator(t *testing.T) {
	t.Parallel()
	needRoot(t)
	s := place(t)
	s.Shared = true
	if err := os.Chown(s.Dir, foreign, foreign); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("/proc/self/exe", s.args(daemonArg)[1:]...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: foreign, Gid: foreign}}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = cmd.Wait() }()
	defer func() { _ = cmd.Process.Signal(syscall.SIGTERM) }()
	eventually(t, "it answers", func() bool { _, err := ask(s.socket(), "echo a"); return err == nil })
	mustAsk(t, s.socket(), "who", fmt.Sprint(0, os.Getpid(), false))
}

// Case 125. Two thousand idle connections: the oldest ones are closed for the
// newest, one with a request under way is not, and everybody is served.
func TestManyIdleConnections(t *testing.T) {
	t.Parallel()
	const limit, n = 256, 2000
	var files syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &files); err != nil || files.Cur < 2*limit+n {
		t.Skipf("this process may open %d files only", files.Cur)
	}
	r := run(t, place(t).config(nil))
	working, err := net.Dial("unix", r.socket)
	if err != nil {
		t.Fatal(err)
	}
	answer := make(chan string, 1)
	go func() {
		text, err := askOn(working, "slow 1s")
		answer <- fmt.Sprint(text, err)
	}()
	eventually(t, "a request is under way", func() bool { return r.Busy() == 1 })
	idle := make([]net.Conn, n)
	for i := range idle {
		if idle[i], err = dialUntil(r.socket, long); err != nil {
			t.Fatal(err)
		}
		defer func() { _ = idle[i].Close() }()
	}
	mustAsk(t, r.socket, "echo there", "there") // in the queue behind them
	oldest, newest := idle[:n-limit], idle[n-limit:]
	if open := stillOpen(oldest); open != 0 {
		t.Errorf("%d of the oldest connections are open", open)
	}
	if open := stillOpen(newest); open < limit-2 || open > limit {
		t.Errorf("%d of the newest %d connections are open", open, limit)
	}
	if got := <-answer; got != "done<nil>" {
		t.Errorf("what was under way: %s", got)
	}
}

// Case 125. When there is a request under way on each, the newest has to go.
func TestNoRoomAtAll(t *testing.T) {
	t.Parallel()
	const limit = 256
	r := run(t, place(t).config(nil))
	for range limit {
		conn, err := dialUntil(r.socket, long)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = conn.Close() }()
		if _, err := conn.Write([]byte("stuck\n")); err != nil {
			t.Fatal(err)
		}
	}
	eventually(t, "a request is under way on each", func() bool { return r.Busy() == limit })
	if answer, err := ask(r.socket, "echo b"); err == nil {
		t.Errorf("there was room for %q", answer)
	}
	close(r.stuck)
	eventually(t, "they are answered", func() bool { return r.Busy() == 0 })
	mustAsk(t, r.socket, "echo c", "c")
}

// start starts a daemon in a process of its own.
func (s spec) start(t *testing.T) {
	t.Helper()
	cmd := exec.Command(must(os.Executable()), s.args(daemonArg)[1:]...)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Signal(syscall.SIGTERM); _ = cmd.Wait() })
	eventually(t, "it listens", func() bool { _, err := ask(s.socket(), "echo a"); return err == nil })
}

// Case 125, Fault F20. With few files, all of them in use by a request, the
// daemon goes on: one idle connection, not all, gives its file to the next
// client, and the one after that waits in the queue until there is a file again.
func TestNoFilesLeft(t *testing.T) {
	t.Parallel()
	s := place(t)
	s.Files = 24
	s.start(t)
	idle := make([]net.Conn, 2)
	for i := range idle {
		var err error
		if idle[i], err = net.Dial("unix", s.socket()); err != nil {
			t.Fatal(err)
		}
		defer func() { _ = idle[i].Close() }()
		if _, err := askOn(idle[i], "echo a"); err != nil {
			t.Fatal(err)
		}
	}
	flag, hog := filepath.Join(s.Dir, "hogging"), make(chan string, 1)
	go func() {
		text, err := ask(s.socket(), "hog "+flag)
		hog <- fmt.Sprint(text, err)
	}()
	eventually(t, "there are no files", func() bool { _, err := os.Stat(flag); return err == nil })

	last, err := net.Dial("unix", s.socket())
	if err != nil {
		t.Fatal(err)
	}
	if answer, err := askOn(last, "echo b"); answer != "b" || err != nil {
		t.Errorf("%q, %v", answer, err)
	}
	time.Sleep(100 * time.Millisecond)
	if stillOpen(idle[:1]) != 0 || stillOpen(idle[1:]) != 1 {
		t.Error("it is not one idle connection that was closed, the older")
	}
	_ = idle[1].Close()
	go func() { _, _ = askOn(last, "slow 200ms") }()
	mustAsk(t, s.socket(), "echo c", "c")

	remove(t, flag)
	if got := <-hog; got != "done<nil>" {
		t.Errorf("what was under way: %s", got)
	}
	mustAsk(t, s.socket(), "echo d", "d")
}

// Case 125. In shared mode agents displace each other, and never the operator,
// for whom half of the room is kept.
func TestAgentsHaveHalf(t *testing.T) {
	t.Parallel()
	needRoot(t)
	alone := place(t)
	alone.Shared, alone.Idlers, alone.Send = true, 400, "echo a"
	run(t, alone.config(nil))
	alone.open(t)
	if out := alone.as(t, foreign); out != "a\n127\n" { // and the one that asks
		t.Errorf("%q", out)
	}

	s := place(t)
	s.Shared = true
	r := run(t, s.config(nil))
	s.open(t)
	operators := make([]net.Conn, 200) // more than half, so that agents get what is left
	for i := range operators {
		var err error
		if operators[i], err = net.Dial("unix", r.socket); err != nil {
			t.Fatal(err)
		}
		defer func() { _ = operators[i].Close() }()
	}
	s.Idlers, s.Send = 400, "echo a"
	if out := s.as(t, foreign); out != "a\n55\n" { // and the one that asks
		t.Errorf("%q", out)
	}
	if open := stillOpen(operators); open != len(operators) {
		t.Errorf("%d of the operator's %d connections are open", open, len(operators))
	}
}

//go:build unix

package daemon_test

import (
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"aivault/broker/daemon"
)

const (
	short = 300 * time.Millisecond
	long  = 4 * time.Second
)

// Each reason to leave, and what is no reason.
func TestLeaves(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name string
		spec spec
		do   func(t *testing.T, r *running, s spec)
		stay bool
	}{
		{name: "idle", spec: spec{Idle: short}},
		{name: "idle after a request", spec: spec{Idle: short}, do: func(t *testing.T, r *running, _ spec) {
			mustAsk(t, r.socket, "echo a", "a")
		}},
		{name: "idle with a client that asks nothing", spec: spec{Idle: short}, do: func(t *testing.T, r *running, _ spec) {
			t.Cleanup(dial(t, r.socket))
		}},
		{name: "idle after many requests on one connection", spec: spec{Idle: short}, do: func(t *testing.T, r *running, _ spec) {
			conn, err := net.Dial("unix", r.socket)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = conn.Close() })
			for range 12 { // in all it takes much longer than the idle time
				if _, err := askOn(conn, "echo a"); err != nil {
					t.Fatal(err)
				}
				time.Sleep(short / 3)
			}
		}},
		{name: "no idle time", stay: true},
		{name: "somebody's key is kept", spec: spec{Idle: short}, stay: true, do: func(t *testing.T, r *running, _ spec) {
			mustAsk(t, r.socket, "keep yes", "done")
		}},
		{name: "the key was given up", spec: spec{Idle: short}, do: func(t *testing.T, r *running, _ spec) {
			mustAsk(t, r.socket, "keep yes", "done")
			r.stays(t, 3*short)
			mustAsk(t, r.socket, "keep no", "done")
		}},
		{name: "a request takes long", spec: spec{Idle: short}, stay: true, do: func(t *testing.T, r *running, _ spec) {
			go func() { _, _ = ask(r.socket, "slow 2s") }()
		}},
		{name: "once", spec: spec{Once: true}, do: func(t *testing.T, r *running, _ spec) {
			mustAsk(t, r.socket, "echo a", "a")
		}},
		{name: "once, and nothing was asked", spec: spec{Once: true}, stay: true, do: func(t *testing.T, r *running, _ spec) {
			dial(t, r.socket)()
		}},
		{name: "a client said so", do: func(t *testing.T, r *running, _ spec) {
			mustAsk(t, r.socket, "stop", "done")
		}},
		{name: "the vault is gone", do: func(t *testing.T, _ *running, s spec) {
			remove(t, s.file())
		}},
		{name: "everything is gone", do: func(t *testing.T, _ *running, s spec) {
			if err := os.RemoveAll(s.Dir); err != nil {
				t.Fatal(err)
			}
		}},
		{name: "its socket is gone", do: func(t *testing.T, r *running, _ spec) {
			remove(t, r.socket)
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := test.spec
			s.Dir = place(t).Dir
			write(t, s.file())
			cfg := s.config(nil)
			cfg.File = s.file()
			r := run(t, cfg)
			if test.do != nil {
				test.do(t, r, s)
			}
			if test.stay {
				r.stays(t, 4*short)
				mustAsk(t, r.socket, "echo there", "there")
				return
			}
			r.left(t, long)
		})
	}
}

func (s spec) file() string { return filepath.Join(s.Dir, "vault.db") }

func remove(t *testing.T, path string) {
	t.Helper()
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
}

func write(t *testing.T, path string) {
	t.Helper()
	if err := os.WriteFile(path, []byte("made up"), 0o600); err != nil {
		t.Fatal(err)
	}
}

func dial(t *testing.T, socket string) (hangUp func()) {
	t.Helper()
	conn, err := net.Dial("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	return func() { _ = conn.Close() }
}

// Where there is no vault yet, there is none to be gone; and nothing is served
// after it was taken away, not even within the second until that is noticed.
func TestServesNoVaultThatIsGone(t *testing.T) {
	t.Parallel()
	s := place(t)
	cfg := s.config(nil)
	cfg.File = s.file()
	r := run(t, cfg)
	mustAsk(t, r.socket, "echo a", "a")
	write(t, s.file())
	mustAsk(t, r.socket, "echo b", "b")
	remove(t, s.file())
	if answer, err := ask(r.socket, "echo c"); err == nil {
		t.Errorf("it answers %q for a vault that is gone", answer)
	}
	if n := r.read.Load(); n != 2 {
		t.Errorf("%d requests were read", n)
	}
	r.left(t, time.Second)
}

// A socket that somebody put in place of ours is not ours to remove.
func TestLeavesAnothersSocket(t *testing.T) {
	t.Parallel()
	s := place(t)
	r := run(t, s.config(nil))
	remove(t, r.socket)
	other, err := net.Listen("unix", r.socket)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = other.Close() }()
	select {
	case err := <-r.done:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(long):
		t.Fatal("it did not notice")
	}
	dial(t, r.socket)()
}

// Fault F18. What is under way when a signal comes is answered; what takes too
// long is cancelled, and can still say so.
func TestFinishesWhatIsUnderWay(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, line, want string
		least, most      time.Duration
	}{
		{"short", "slow 500ms", "done", 0, 3 * time.Second},
		{"long", "slow 1m", "canceled", 5 * time.Second, 7 * time.Second},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			r := run(t, place(t).config(nil))
			idle, err := net.Dial("unix", r.socket)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := askOn(idle, "echo a"); err != nil {
				t.Fatal(err)
			}
			answers := make(chan string, 1)
			go func() {
				answer, err := ask(r.socket, test.line)
				answers <- answer
				if err != nil {
					t.Error(err)
				}
			}()
			eventually(t, "the request is under way", func() bool { return r.Busy() == 1 })
			began := time.Now()
			r.stop()
			_ = idle.SetReadDeadline(time.Now().Add(time.Second))
			if _, err := idle.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
				t.Errorf("an idle connection is not closed at once: %v", err)
			}
			if _, err := net.Dial("unix", r.socket); err == nil {
				t.Error("it still accepts connections")
			}
			if got := <-answers; got != test.want {
				t.Errorf("answer %q, want %q", got, test.want)
			}
			r.left(t, 10*time.Second)
			if took := time.Since(began); took < test.least || took > test.most {
				t.Errorf("it left after %s, want between %s and %s", took, test.least, test.most)
			}
		})
	}
}

// A request that does not even end with its context keeps nobody for ever.
func TestLeavesWhatIsStuck(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("it takes ten seconds")
	}
	cfg := place(t).config(nil)
	var notices notebook
	cfg.Notice = notices.add
	r := run(t, cfg)
	defer close(r.stuck)
	go func() { _, _ = ask(r.socket, "stuck") }()
	eventually(t, "the request is under way", func() bool { return r.Busy() == 1 })
	r.stop()
	r.left(t, 15*time.Second)
	if text := notices.text(); !strings.Contains(text, "did not end") {
		t.Errorf("notices: %q", text)
	}
}

// A client that connected before the socket was gone, and had no time yet to
// ask, gets its answer from a daemon that is about to leave.
func TestServesWhoCameInTime(t *testing.T) {
	t.Parallel()
	r := run(t, place(t).config(nil))
	conn, err := net.Dial("unix", r.socket)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	r.stop()
	eventually(t, "the socket is gone", func() bool { _, err := os.Lstat(r.socket); return err != nil })
	time.Sleep(100 * time.Millisecond)
	if got, err := askOn(conn, "echo still"); got != "still" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
	r.left(t, long)
}

// Fault F25. A bug in what serves one client is not the others' matter, and the
// text of a panic, which may hold anything, goes nowhere.
func TestPanicEndsOneConnection(t *testing.T) {
	t.Parallel()
	cfg := place(t).config(nil)
	var notices notebook
	cfg.Notice = notices.add
	r := run(t, cfg)
	if answer, err := ask(r.socket, "panic secret-word"); err == nil {
		t.Errorf("it answered %q", answer)
	}
	mustAsk(t, r.socket, "echo a", "a")
	eventually(t, "somebody is told", func() bool { return strings.Contains(notices.text(), "a bug in aivault") })
	if text := notices.text(); strings.Contains(text, "secret-word") {
		t.Errorf("notices: %q", text)
	}
}

type notebook struct {
	mu    sync.Mutex
	lines []string
}

func (n *notebook) add(line string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.lines = append(n.lines, line)
}

func (n *notebook) text() string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return strings.Join(n.lines, "\n")
}

// TestNothingStays is not parallel, as it counts the goroutines of all.
func TestNothingStays(t *testing.T) {
	before := runtime.NumGoroutine()
	for range 3 {
		r := run(t, place(t).config(nil))
		for range 20 {
			t.Cleanup(dial(t, r.socket)) // clients that never hang up
			mustAsk(t, r.socket, "echo a", "a")
		}
		r.stop()
		r.left(t, long)
	}
	eventually(t, "goroutines ended", func() bool { return runtime.NumGoroutine() <= before })
}

// The service manager hears when clients can connect, and when that ends.
func TestNotifies(t *testing.T) {
	t.Parallel()
	s := place(t)
	address := filepath.Join(s.Dir, "notify")
	manager, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: address, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = manager.Close() }()
	cfg := s.config(nil)
	cfg.Notify = address
	r := run(t, cfg)
	for _, want := range []string{"READY=1", "STOPPING=1"} {
		text := make([]byte, 100)
		_ = manager.SetReadDeadline(time.Now().Add(long))
		n, err := manager.Read(text)
		if got := string(text[:n]); got != want || err != nil {
			t.Errorf("%q, %v, want %q", got, err, want)
		}
		r.stop()
	}
	r.left(t, long)
}

var _ daemon.Handler = (*script)(nil)

//go:build unix

package daemon_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"aivault/broker/daemon"
	"aivault/keys/fault"
)

// What this program is when its first argument is one of these.
const (
	daemonArg  = "__daemon"  // a daemon
	startArg   = "__start"   // somebody who starts one
	connectArg = "__connect" // a client
)

// A spec is what the test program is told to be.
type spec struct {
	Dir     string // the socket is in its directory run
	Shared  bool
	Once    bool
	Idle    time.Duration
	Umask   int    // of a daemon; -1: as it is
	Files   uint64 // how many a daemon may open; 0: as it is
	Mute    bool   // a daemon that never says anything
	Replace bool   // who starts one replaces its own program first
	Send    string // what a client sends; empty: nothing
	Idlers  int    // how many connections a client opens that stay idle
}

func (s spec) socket() string { return filepath.Join(s.Dir, "run", "aivaultd.sock") }

func (s spec) config(h daemon.Handler) daemon.Config {
	return daemon.Config{
		Socket: s.socket(), Lock: filepath.Join(s.Dir, "run", "daemon.lock"),
		Shared: s.Shared, Once: s.Once, Idle: s.Idle,
		Version: "v1", Handler: h,
	}
}

// args are the arguments that make the test program what is wanted.
func (s spec) args(what string) []string {
	text, err := json.Marshal(s)
	if err != nil {
		panic(err)
	}
	return []string{"aivaultd", what, string(text)}
}

func (s spec) launch() daemon.Launch {
	return daemon.Launch{Args: s.args(daemonArg), Env: []string{"GIVEN=this"}, Socket: s.socket()}
}

func TestMain(m *testing.M) {
	if len(os.Args) != 3 {
		os.Exit(m.Run())
	}
	var s spec
	if err := json.Unmarshal([]byte(os.Args[2]), &s); err != nil {
		os.Exit(m.Run())
	}
	var err error
	switch os.Args[1] {
	case daemonArg:
		err = s.beDaemon()
	case startArg:
		err = s.beStarter()
	case connectArg:
		err = s.beClient(os.Stdout)
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "%s: %s\n", fault.CodeOf(err), err)
		os.Exit(1)
	}
}

func (s spec) beDaemon() error {
	report := daemon.OpenReport()
	if s.Umask >= 0 {
		syscall.Umask(s.Umask)
	}
	if s.Files > 0 {
		if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &syscall.Rlimit{Cur: s.Files, Max: s.Files}); err != nil {
			return err
		}
	}
	if s.Mute {
		time.Sleep(time.Minute)
		return nil
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	cfg := s.config(newScript())
	cfg.Ready = report.Ready
	err := daemon.Run(ctx, cfg)
	if err != nil {
		report.Failed(err)
	}
	return err
}

func (s spec) beStarter() error {
	if s.Replace {
		if err := os.Remove(os.Args[0]); err != nil {
			return err
		}
		if err := os.WriteFile(os.Args[0], []byte("#!/bin/sh\ntouch "+s.Dir+"/hostile\n"), 0o700); err != nil {
			return err
		}
	}
	return daemon.Start(context.Background(), s.launch())
}

// beClient opens connections that stay idle, sends a line on one more, and
// writes the answer, and how many of the idle ones are open then.
func (s spec) beClient(out io.Writer) error {
	idlers := make([]net.Conn, s.Idlers)
	for i := range idlers {
		var err error
		if idlers[i], err = dialUntil(s.socket(), time.Second); err != nil {
			return err
		}
	}
	answer, err := ask(s.socket(), s.Send)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "%s\n%d\n", answer, stillOpen(idlers))
	return err
}

// ask sends a line on a new connection and returns the line that comes back.
func ask(socket, line string) (string, error) {
	conn, err := net.Dial("unix", socket)
	if err != nil {
		return "", err
	}
	defer func() { _ = conn.Close() }()
	return askOn(conn, line)
}

func askOn(conn net.Conn, line string) (string, error) {
	if _, err := io.WriteString(conn, line+"\n"); err != nil {
		return "", err
	}
	_ = conn.SetReadDeadline(time.Now().Add(20 * time.Second))
	answer, err := bufio.NewReader(conn).ReadString('\n')
	return strings.TrimSuffix(answer, "\n"), err
}

// dialUntil connects, as soon as whoever listens has room for one more to wait.
func dialUntil(socket string, within time.Duration) (net.Conn, error) {
	for deadline := time.Now().Add(within); ; time.Sleep(time.Millisecond) {
		conn, err := net.Dial("unix", socket)
		if !errors.Is(err, syscall.EAGAIN) || time.Now().After(deadline) {
			return conn, err
		}
	}
}

// stillOpen returns how many of the connections the other end has not closed.
func stillOpen(conns []net.Conn) int {
	open := 0
	for _, c := range conns {
		_ = c.SetReadDeadline(time.Now().Add(time.Millisecond))
		if _, err := c.Read(make([]byte, 1)); errors.Is(err, os.ErrDeadlineExceeded) {
			open++
		}
	}
	return open
}

// place returns a specification of a daemon in a new directory, whose name is
// short, as sockets want it. It does not stay when a test is interrupted.
func place(t *testing.T) spec {
	t.Helper()
	dir, err := os.MkdirTemp("", "avd")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return spec{Dir: dir, Umask: -1, Idle: time.Minute}
}

// A running is a daemon in this process.
type running struct {
	*script
	socket string
	stop   context.CancelFunc
	done   chan error
}

// run runs a daemon until it leaves, or the test ends.
func run(t *testing.T, cfg daemon.Config) *running {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	r := &running{script: newScript(), socket: cfg.Socket, stop: stop, done: make(chan error, 1)}
	ready := make(chan struct{})
	cfg.Handler, cfg.Ready = r.script, func() { close(ready) }
	ended := make(chan struct{})
	go func() { r.done <- daemon.Run(ctx, cfg); close(ended) }()
	t.Cleanup(func() { stop(); <-ended })
	select {
	case <-ready:
	case err := <-r.done:
		t.Fatalf("it did not start: %v", err)
	}
	return r
}

// left waits for the daemon to leave by itself.
func (r *running) left(t *testing.T, within time.Duration) {
	t.Helper()
	select {
	case err := <-r.done:
		if err != nil {
			t.Errorf("it left with %v", err)
		}
	case <-time.After(within):
		t.Fatalf("it is still there after %s", within)
	}
	if _, err := os.Lstat(r.socket); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("it left its socket: %v", err)
	}
	if n := r.closed.Load(); n != 1 {
		t.Errorf("the handler was closed %d times", n)
	}
}

func (r *running) stays(t *testing.T, during time.Duration) {
	t.Helper()
	select {
	case err := <-r.done:
		t.Fatalf("it left (%v)", err)
	case <-time.After(during):
	}
}

func mustAsk(t *testing.T, socket, line, want string) {
	t.Helper()
	if got, err := ask(socket, line); got != want || err != nil {
		t.Errorf("%s: %q, %v, want %q", line, got, err, want)
	}
}

// eventually waits for a condition that comes without anything to wait on.
func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); !is(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not within 10 s: %s", what)
		}
	}
}

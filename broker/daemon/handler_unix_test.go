//go:build unix

package daemon_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"aivault/broker/daemon"
	"aivault/broker/serve"
)

// A script is a handler whose clients send a command a line, and get a line.
type script struct {
	keeps    atomic.Bool
	busy     atomic.Int32
	stopping chan struct{}
	stopOnce sync.Once
	closed   atomic.Int32
	canceled atomic.Int32  // requests that saw their context end
	read     atomic.Int32  // lines that were read
	stuck    chan struct{} // commands "stuck" wait for it, whatever their context says
}

func newScript() *script {
	return &script{stopping: make(chan struct{}), stuck: make(chan struct{})}
}

func (s *script) Busy() int                   { return int(s.busy.Load()) }
func (s *script) KeepsKey() bool              { return s.keeps.Load() }
func (s *script) Stopping() <-chan struct{}   { return s.stopping }
func (s *script) Close(context.Context) error { s.closed.Add(1); return nil }

func (s *script) Serve(ctx context.Context, conn net.Conn, peer serve.Peer) (served int, err error) {
	defer func() { _ = conn.Close() }()
	defer context.AfterFunc(ctx, func() { _ = conn.SetReadDeadline(time.Now()) })()
	for lines := bufio.NewScanner(conn); lines.Scan(); served++ {
		s.read.Add(1)
		answer := s.answer(ctx, conn.(daemon.Working), peer, lines.Text())
		if _, err := io.WriteString(conn, answer+"\n"); err != nil {
			return served, nil
		}
		conn.(daemon.Working).Working(false)
	}
	return served, nil
}

func (s *script) answer(ctx context.Context, w daemon.Working, peer serve.Peer, line string) string {
	s.busy.Add(1)
	defer s.busy.Add(-1)
	w.Working(true)
	command, arg, _ := strings.Cut(line, " ")
	switch command {
	case "echo":
		return arg
	case "who":
		return fmt.Sprint(peer.UID, peer.PID, peer.Operator)
	case "process":
		return process()
	case "slow":
		return s.slow(ctx, arg)
	case "hog":
		hog(arg)
	case "stuck":
		<-s.stuck
	case "keep":
		s.keeps.Store(arg == "yes")
	case "stop":
		s.stopOnce.Do(func() { close(s.stopping) })
	case "panic":
		panic("the panic's text " + arg)
	}
	return "done"
}

func (s *script) slow(ctx context.Context, length string) string {
	d, err := time.ParseDuration(length)
	if err != nil {
		return err.Error()
	}
	select {
	case <-time.After(d):
		return "done"
	case <-ctx.Done():
		s.canceled.Add(1)
		return "canceled"
	}
}

// hog opens files until there are no more to be had, says so by a directory,
// and closes them when that is gone.
func hog(flag string) {
	var files []*os.File
	for {
		f, err := os.Open(os.DevNull)
		if err != nil {
			break
		}
		files = append(files, f)
	}
	_ = os.Mkdir(flag, 0o700)
	for there := true; there; time.Sleep(time.Millisecond) {
		_, err := os.Lstat(flag)
		there = err == nil
	}
	for _, f := range files {
		_ = f.Close()
	}
}

// process says of this process what it was given by whoever started it.
func process() string {
	exe, _ := os.Executable()
	dir, _ := os.Getwd()
	links, _ := filepath.Glob("/proc/self/fd/*")
	var open []string
	for _, l := range links {
		to, err := os.Readlink(l)
		if err != nil || to == os.DevNull || strings.HasPrefix(to, "anon_inode:") || strings.HasPrefix(to, "/sys/fs/cgroup/") {
			continue // the standard streams, and what the runtime opens
		}
		kind, _, _ := strings.Cut(to, ":")
		open = append(open, filepath.Base(kind))
	}
	slices.Sort(open)
	sid, _ := unix.Getsid(0)
	return fmt.Sprintf("pid=%d sid=%d dir=%s exe=%s env=%q args=%q open=%q",
		os.Getpid(), sid, dir, exe, os.Environ(), os.Args[:2], open)
}

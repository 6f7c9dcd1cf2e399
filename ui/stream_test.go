package ui_test

import (
	"bufio"
	"bytes"
	"io"
	"net/http"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"aivault/broker/brokertest"
	"aivault/broker/brokertest/upstream"
)

// A stepper is an upstream that sends an event, and the next one only when it
// is told to. It tells when its client is gone.
type stepper struct {
	service *upstream.Server
	step    chan struct{}
	gone    chan struct{}
}

func newStepper(t *testing.T) *stepper {
	t.Helper()
	s := &stepper{brokertest.New(t), make(chan struct{}), make(chan struct{})}
	s.service.Handle(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		for i := 0; ; i++ {
			if _, err := io.WriteString(w, "data: "+strings.Repeat("x", i)+"\n\n"); err != nil {
				close(s.gone)
				return
			}
			_ = http.NewResponseController(w).Flush()
			select {
			case _, ok := <-s.step:
				if !ok {
					return
				}
			case <-r.Context().Done():
				close(s.gone)
				return
			}
		}
	})
	return s
}

// isGone waits until the upstream lost its client.
func (s *stepper) isGone(t *testing.T) {
	t.Helper()
	select {
	case <-s.gone:
	case <-time.After(10 * time.Second):
		t.Error("the call goes on upstream")
	}
}

// A streaming is a command that prints an answer as it arrives.
type streaming struct {
	t      *testing.T
	cmd    *exec.Cmd
	stdout io.ReadCloser
	lines  *bufio.Scanner
	stderr bytes.Buffer
}

func startStreaming(t *testing.T, v *realVault) *streaming {
	t.Helper()
	s := &streaming{t: t, cmd: exec.Command(v.exe, "invoke", "acme/items", "--stream")}
	s.cmd.Env, s.cmd.Stderr = v.env, &s.stderr
	var err error
	if s.stdout, err = s.cmd.StdoutPipe(); err != nil {
		t.Fatal(err)
	}
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.cmd.Process.Kill() })
	s.lines = bufio.NewScanner(s.stdout)
	return s
}

// expect reads an event of so many letters.
func (s *streaming) expect(letters int) {
	s.t.Helper()
	want := "data: " + strings.Repeat("x", letters)
	if !s.lines.Scan() || s.lines.Text() != want || !s.lines.Scan() {
		s.t.Fatalf("got %q, %v, want %q\n%s", s.lines.Text(), s.lines.Err(), want, s.stderr.String())
	}
}

func (s *streaming) status() int {
	_ = s.cmd.Wait()
	return s.cmd.ProcessState.ExitCode()
}

// bothWays runs a test of calls that a command makes itself, and of such that the
// daemon makes for it: nobody is to see a difference.
func bothWays(t *testing.T, name string, test func(t *testing.T, through func(*realVault))) {
	t.Run(name, func(t *testing.T) {
		t.Parallel()
		test(t, func(*realVault) {})
	})
	t.Run(name+", through the daemon", func(t *testing.T) {
		t.Parallel()
		test(t, (*realVault).withDaemon)
	})
}

// An event is printed before the next one is sent, and after the last one the
// command ends well.
func TestStreamsAsItArrives(t *testing.T) {
	t.Parallel()
	bothWays(t, "events", func(t *testing.T, through func(*realVault)) {
		service := newStepper(t)
		v := newRealVault(t, service.service)
		through(v)
		s := startStreaming(t, v)
		for i := range 3 {
			s.expect(i) // the upstream waits: it can only be here if nothing is held back
			service.step <- struct{}{}
		}
		s.expect(3)
		close(service.step)
		if s.lines.Scan() {
			t.Errorf("one more line: %q", s.lines.Text())
		}
		if status := s.status(); status != 0 || s.stderr.Len() > 0 {
			t.Errorf("status %d\n%s", status, s.stderr.String())
		}
	})
}

// A command that is interrupted, and one whose output nobody reads any more, end
// the call upstream; the audit log has what came of it.
//
// Case 126.
func TestStreamEndsUpstream(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("Windows has no signals")
	}
	for _, test := range []struct {
		name   string
		end    func(*streaming)
		status int
		says   string
	}{
		{"interrupted", func(s *streaming) { _ = s.cmd.Process.Signal(syscall.SIGINT) }, 130, "aivault: "},
		{"terminated", func(s *streaming) { _ = s.cmd.Process.Signal(syscall.SIGTERM) }, 143, "aivault: "},
		{"a closed pipe", func(s *streaming) { _ = s.stdout.Close() }, 141, ""},
	} {
		bothWays(t, test.name, func(t *testing.T, through func(*realVault)) {
			service := newStepper(t)
			v := newRealVault(t, service.service)
			through(v)
			s := startStreaming(t, v)
			s.expect(0)
			test.end(s)
			service.isGone(t) // though it sends nothing more
			if got := s.status(); got != test.status {
				t.Errorf("status %d, want %d", got, test.status)
			}
			if says := s.stderr.String(); !strings.HasPrefix(says, test.says) || test.says == "" && says != "" {
				t.Errorf("it says %q", says)
			}
			v.logged("acme/items", "canceled")
		})
	}
}

// A command whose output is open but not read ends all the same, when it is told
// to and when its time is over: a pipe that is full blocks it otherwise.
func TestEndsWhileNobodyReads(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("Windows has no signals")
	}
	for _, test := range []struct {
		name    string
		args    []string
		status  int
		outcome string
	}{
		{"a stream that is interrupted", []string{"--stream"}, 130, "canceled"},
		{"a stream whose time is over", []string{"--stream", "--timeout-ms", "1000"}, 10, "timeout"},
		{"an answer that is printed", nil, 130, "ok"},
	} {
		bothWays(t, test.name, func(t *testing.T, through func(*realVault)) {
			service := brokertest.New(t)
			full := make(chan struct{})
			service.Handle(func(w http.ResponseWriter, _ *http.Request) {
				_, _ = io.WriteString(w, strings.Repeat("x", 1<<20))
				close(full)
			})
			v := newRealVault(t, service)
			through(v)
			cmd := exec.Command(v.exe, append([]string{"invoke", "acme/items"}, test.args...)...)
			cmd.Env = v.env
			if _, err := cmd.StdoutPipe(); err != nil {
				t.Fatal(err)
			}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			stuck := time.AfterFunc(20*time.Second, func() { _ = cmd.Process.Kill() })
			defer stuck.Stop()
			<-full
			time.Sleep(300 * time.Millisecond) // it prints by now
			if test.status == 130 {
				_ = cmd.Process.Signal(syscall.SIGINT)
			}
			state, err := cmd.Process.Wait()
			if err != nil || state.ExitCode() != test.status {
				t.Errorf("%v, %v, want status %d", state, err, test.status)
			}
			v.logged("acme/items", test.outcome)
		})
	}
}

// A call whose outcome cannot be recorded was made: its answer is printed, and
// a notice says what the audit log lacks.
func TestUnrecordedOutcome(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("Windows does not move a directory that is in use")
	}
	service := brokertest.New(t)
	v := newRealVault(t, service)
	service.Handle(func(w http.ResponseWriter, _ *http.Request) {
		if err := os.Rename(v.dir, v.dir+".away"); err != nil {
			t.Error(err)
		}
		_, _ = io.WriteString(w, "ok")
	})
	out, errs := v.run(nil, "invoke", "acme/items")
	if out != "ok" || strings.Count(errs, "aivault: ") != 1 || !strings.HasPrefix(errs, "aivault: notice: what came of the call is not in the audit log") {
		t.Errorf("output %q, errors %q", out, errs)
	}
	if err := os.Rename(v.dir+".away", v.dir); err != nil {
		t.Fatal(err)
	}
	if out, _ = v.run(nil, "audit", "--limit", "1"); !strings.Contains(out, "unknown") {
		t.Errorf("the audit log has\n%s", out)
	}
}

package ui_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"

	"aivault/broker/brokertest"
	"aivault/broker/brokertest/program"
	"aivault/broker/brokertest/upstream"
)

// builtIn is the directory of the real program, once it was built.
var builtIn string

// buildOnce builds the real program, which has no hooks for tests.
var buildOnce = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "aivault-binary-")
	if err != nil {
		return "", err
	}
	builtIn = dir
	return program.Build(dir, "aivault")
})

// binary returns the path of the real program.
func binary(t *testing.T) string {
	t.Helper()
	program.NeedGo(t)
	exe, err := buildOnce()
	if err != nil {
		t.Fatalf("building aivault: %v", err)
	}
	return exe
}

// Cases 52 to 54: under GODEBUG=http2debug=2, net/http prints the Authorization
// header; proxies and authorities are taken from the environment. Not here.
func TestEnvironmentDoesNotLeak(t *testing.T) {
	t.Parallel()
	service := brokertest.NewWith(t, upstream.Options{HTTP2: true})
	service.Handle(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "ok") })
	v := newRealVault(t, service)
	hostile := []string{
		"GODEBUG=http2debug=2", "GOTRACEBACK=crash", "SSL_CERT_FILE=/nowhere", "SSL_CERT_DIR=/nowhere",
		"HTTPS_PROXY=http://127.0.0.1:1", "https_proxy=http://127.0.0.1:1", "ALL_PROXY=http://127.0.0.1:1",
	}
	out, errs := v.run(hostile, "invoke", "acme/items")
	if out != "ok" || errs != "" {
		t.Errorf("output %q, errors %q", out, errs)
	}
	brokertest.Scan(t, "the output", []byte(out+errs), v.secret)
	last := service.Requests()[len(service.Requests())-1]
	if last.Proto != "HTTP/2.0" || last.Get("Authorization") != "Bearer "+v.secret {
		t.Errorf("the upstream got %s, with the right key: %v", last.Proto, last.Get("Authorization") == "Bearer "+v.secret)
	}
}

// The process that works has a clean environment from its first moment.
func TestStartsAgainWithCleanEnvironment(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		t.Skip("there is no /proc to look into")
	}
	exe := binary(t)
	if os.Getuid() != 0 { // who then cannot look into it
		var err error
		if exe, err = program.Build(t.TempDir(), "aivault", "-tags=aivault_dumpable"); err != nil {
			t.Fatal(err)
		}
	}
	p := startWaiting(t, exe, "GODEBUG=gctrace=1", "SSL_CERT_FILE=/nowhere", "KEPT=yes")
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/environ", p.cmd.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	env := strings.Split(string(b), "\x00")
	kept := false
	for _, v := range env {
		if strings.HasPrefix(v, "GODEBUG=") || strings.HasPrefix(v, "SSL_CERT_FILE=") {
			t.Errorf("the environment has %s", v)
		}
		kept = kept || v == "KEPT=yes"
	}
	if !kept {
		t.Error("the environment lost a variable that is harmless")
	}
}

// A waiting is a command that reads its standard input, and waits.
type waiting struct {
	cmd    *exec.Cmd
	stderr bytes.Buffer
}

// startWaiting starts a command that waits for its input.
func startWaiting(t *testing.T, exe string, env ...string) *waiting {
	t.Helper()
	cmd := exec.Command(exe, "secrets", "create", "--name", "X", "--value-stdin")
	cmd.Env = append(os.Environ(), append(env, "AIVAULT_DIR="+filepath.Join(t.TempDir(), "vault"))...)
	return untilItWaits(t, cmd)
}

// untilItWaits starts a command and returns when it waits for its input: the
// notice about a variable that is not honoured comes just before that.
func untilItWaits(t *testing.T, cmd *exec.Cmd) *waiting {
	t.Helper()
	p := &waiting{cmd: cmd}
	cmd.Env = append(cmd.Env, "AIVAULT_DISABLE_DISK_LOGS=1")
	stdin, err := p.cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stderr, err := p.cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = stdin.Close()
		_ = p.cmd.Process.Kill()
		_ = p.cmd.Wait()
	})
	buf := make([]byte, 4096)
	for !strings.Contains(p.stderr.String(), "not honoured") {
		n, err := stderr.Read(buf)
		p.stderr.Write(buf[:n])
		if err != nil {
			t.Fatalf("it ended: %s", p.stderr.String())
		}
	}
	return p
}

// A command that waits for input ends when it is asked to, and says by what.
// Case 150. Fault F18.
func TestSignalEndsACommand(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("Windows has no signals")
	}
	for _, s := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP} {
		t.Run(s.String(), func(t *testing.T) {
			t.Parallel()
			p := startWaiting(t, binary(t))
			if err := p.cmd.Process.Signal(s); err != nil {
				t.Fatal(err)
			}
			_ = p.cmd.Wait()
			if got := p.cmd.ProcessState.ExitCode(); got != 128+int(s) {
				t.Errorf("exit status %d, want %d", got, 128+int(s))
			}
		})
	}
}

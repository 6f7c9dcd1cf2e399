package ui_test

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"aivault/broker/brokertest"
)

// A login without a terminal and without a browser of its own: an agent reads
// the address from the errors, shows it to the owner, and waits. Nothing that
// the command prints holds a token.
func TestLoginShowsTheAddress(t *testing.T) {
	t.Parallel()
	access, refresh, code := brokertest.Word(t), brokertest.Word(t), brokertest.Word(t)
	service := brokertest.New(t)
	v := newRealVault(t, service)
	service.Handle(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = fmt.Fprintf(w, `{"access_token":%q,"refresh_token":%q,"token_type":"Bearer","expires_in":3600}`, access, refresh)
	})
	login := startLogin(t, v, service.Port())
	back := url.Values{"state": {login.consent.Query().Get("state")}, "code": {code}}
	resp, err := http.Get(login.consent.Query().Get("redirect_uri") + "?" + back.Encode())
	if err != nil {
		t.Fatal(err)
	}
	page, _ := io.ReadAll(resp.Body)
	_ = resp.Body.Close()
	if err := login.end(); err != nil {
		t.Fatalf("%v\n%s", err, login.said.String())
	}
	out, _ := v.run(nil, "secrets", "list")
	if !strings.Contains(login.stdout.String(), "TOKENS holds the tokens") || !strings.Contains(out, "TOKENS") {
		t.Errorf("output %q; secrets\n%s", login.stdout.String(), out)
	}
	for name, b := range map[string][]byte{"output": login.stdout.Bytes(), "errors": login.said.Bytes(), "page": page} {
		brokertest.Scan(t, name, b, access, refresh, code)
	}
	brokertest.ScanDir(t, v.dir, access, refresh, code)
}

// A login that is interrupted ends at once, and stores nothing.
func TestLoginInterrupted(t *testing.T) {
	t.Parallel()
	service := brokertest.New(t)
	v := newRealVault(t, service)
	login := startLogin(t, v, service.Port())
	if err := login.cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Skipf("this system has no SIGINT: %v", err)
	}
	_ = login.end()
	if got := login.cmd.ProcessState.ExitCode(); got != 130 {
		t.Errorf("exit status %d, want 130\n%s", got, login.said.String())
	}
	if out, _ := v.run(nil, "secrets", "list"); strings.Contains(out, "TOKENS") {
		t.Errorf("stored:\n%s", out)
	}
}

// A waitingLogin is a login that has said where to consent.
type waitingLogin struct {
	cmd     *exec.Cmd
	consent *url.URL
	stdout  bytes.Buffer
	said    bytes.Buffer
	stderr  *bufio.Scanner
}

func startLogin(t *testing.T, v *realVault, port int) *waitingLogin {
	t.Helper()
	host := fmt.Sprintf("https://localhost:%d", port)
	l := &waitingLogin{cmd: exec.Command(v.exe, "oauth", "login", "--provider", "acme", "--auth-url", host+"/authorize", "--token-endpoint", host+"/token",
		"--client-id", "app", "--name", "TOKENS", "--allow-private", "--ca-cert", filepath.Join(filepath.Dir(v.dir), "ca.pem"))}
	l.cmd.Env, l.cmd.Stdout = v.env, &l.stdout
	stderr, err := l.cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := l.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.cmd.Process.Kill() })
	l.stderr = bufio.NewScanner(stderr)
	for l.consent == nil {
		if !l.stderr.Scan() {
			t.Fatalf("it never said where to consent:\n%s", l.said.String())
		}
		l.said.WriteString(l.stderr.Text() + "\n")
		if strings.HasPrefix(l.stderr.Text(), host) {
			if l.consent, err = url.Parse(l.stderr.Text()); err != nil {
				t.Fatal(err)
			}
		}
	}
	return l
}

// end waits for the end.
func (l *waitingLogin) end() error {
	for l.stderr.Scan() {
		l.said.WriteString(l.stderr.Text() + "\n")
	}
	return l.cmd.Wait()
}

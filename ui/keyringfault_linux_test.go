package ui_test

import (
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"aivault/broker/brokertest"
	"aivault/keys"
	"aivault/keys/keystest/desktop"
)

// A desk is a person's session with a vault whose key is in the keyring, and
// with a recovery key for the day on which it is not.
type desk struct {
	*testing.T
	exe      string
	home     string
	session  *desktop.Session
	account  string // of the vault's entry
	recovery string
}

// newDesk makes the vault, with one secret, in a session with a keyring.
func newDesk(t *testing.T, s *desktop.Session) *desk {
	t.Helper()
	d := &desk{T: t, exe: binary(t), home: t.TempDir(), session: s}
	term := newTerminal(t)
	if err := term.start(append(d.env(s.Env), "TERM=xterm", "NO_COLOR=1"), d.exe, "init").Wait(); err != nil {
		t.Fatalf("%v\n%s", err, term.text())
	}
	d.recovery = onScreen(t, term)
	if out, status := d.run(s.Env, "made-up-value", "secrets", "create", "--name", "ONE", "--value-stdin"); status != 0 {
		t.Fatalf("exit status %d: %s", status, out)
	}
	out, _ := d.run(s.Env, "", "status", "--json")
	found := regexp.MustCompile(`"aivault/([0-9a-f-]{36})"`).FindStringSubmatch(out)
	if found == nil {
		t.Fatalf("no account in %s", out)
	}
	d.account = found[1]
	return d
}

// env is the environment of a program in a session, which is that of the desk or
// what became of it.
func (d *desk) env(session []string) []string {
	return append(session[:len(session):len(session)], "PATH="+os.Getenv("PATH"), "HOME="+d.home)
}

// run runs a command that nobody sees, and returns what it said.
func (d *desk) run(session []string, stdin string, args ...string) (said string, status int) {
	d.Helper()
	cmd := exec.Command(d.exe, args...)
	cmd.Env, cmd.Stdin = d.env(session), strings.NewReader(stdin)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	out, err := cmd.CombinedOutput()
	if cmd.ProcessState == nil {
		d.Fatal(err)
	}
	return string(out), cmd.ProcessState.ExitCode()
}

// keyring is what holds the desk's keys, as another program of its user sees it.
func (d *desk) keyring() keys.HelperKeyring {
	return keys.HelperKeyring{Command: []string{d.exe, keys.HelperArg}, Env: d.session.Env, Timeout: 4 * patience}
}

// shut fails the test unless the vault is shut, for reading and writing, with an
// error that says why and how to get in; the recovery key does get in.
func (d *desk) shut(session []string, want ...string) {
	d.Helper()
	want = append(want, `"aivault"`, d.account, "the recovery key opens the vault too", "--passphrase-file", "aivault key add")
	for _, args := range [][]string{{"secrets", "list"}, {"secrets", "create", "--name", "TWO", "--value-stdin"}} {
		said, status := d.run(session, "another made-up value", args...)
		if status != 6 {
			d.Errorf("%s: exit status %d\n%s", args, status, said)
		}
		for _, w := range want {
			if !strings.Contains(said, w) {
				d.Errorf("%s: %q is missing in\n%s", args, w, said)
			}
		}
		brokertest.Scan(d.T, "the error", []byte(said), append(forms(d.recovery), "CANARY", "\x1b")...)
	}
	if said, status := d.run(session, d.recovery, "secrets", "list", "--passphrase-file", "-"); status != 0 || !strings.Contains(said, "ONE") || strings.Contains(said, "TWO") {
		d.Errorf("the recovery key: exit status %d\n%s", status, said)
	}
	if said, status := d.run(session, "", "init"); status != 9 {
		d.Errorf("init: exit status %d\n%s", status, said)
	}
}

// opens fails the test unless the keyring opens the vault.
func (d *desk) opens() {
	d.Helper()
	if said, status := d.run(d.session.Env, "", "secrets", "list"); status != 0 || !strings.Contains(said, "ONE") {
		d.Errorf("exit status %d\n%s", status, said)
	}
}

// What can become of an entry in the real keyring: it is deleted, replaced, by
// another vault's key among others, the keyring is locked, or there is none. The
// vault stays shut, nothing is put in place of its key, and the recovery key is
// the way in.
//
// Fault F10, F11.
func TestRealKeyringFaults(t *testing.T) {
	t.Parallel()
	s := desktop.New(t)
	s.Gnome(t, "pw")
	d, other := newDesk(t, s), newDesk(t, s)
	ring := d.keyring()
	key, err := ring.Get(t.Context(), keys.KeyringService, d.account)
	if err != nil {
		t.Fatal(err)
	}
	others, err := ring.Get(t.Context(), keys.KeyringService, other.account)
	if err != nil || bytes.Equal(key, others) {
		t.Fatalf("the other vault has no key of its own: %v", err)
	}
	d.opens()
	other.opens()
	// becomes puts content into the entry, and returns what is there later.
	becomes := func(content []byte) (later func() []byte) {
		err := ring.Delete(t.Context(), keys.KeyringService, d.account)
		if content != nil {
			err = ring.Set(t.Context(), keys.KeyringService, d.account, content)
		}
		if err != nil {
			t.Fatal(err)
		}
		return func() []byte {
			there, _ := ring.Get(t.Context(), keys.KeyringService, d.account)
			return there
		}
	}
	for _, c := range []struct {
		name    string
		content []byte
		want    string
	}{
		{"deleted", nil, "there is no keyring entry of service"},
		{"another vault's", others, "does not open this vault"},
		{"garbage", []byte("CANARY \x1b[2J garbage"), "does not hold a key"},
	} {
		later := becomes(c.content)
		d.shut(s.Env, c.want)
		if !bytes.Equal(later(), c.content) {
			t.Errorf("%s: something was put into the entry", c.name)
		}
		other.opens()
		becomes(key)
		d.opens()
	}
	d.shut([]string{"XDG_RUNTIME_DIR=" + d.home}, "this session has no keyring")
	d.shut([]string{"DBUS_SESSION_BUS_ADDRESS=unix:path=" + filepath.Join(d.home, "no-bus")}, "no-bus: connect: no such file or directory")
	s.Lock(t)
	d.shut(s.Env, "the keyring is locked")
	s.Left(t)
	if _, err := os.Stat(filepath.Join(d.home, ".aivault", "keys")); !os.IsNotExist(err) {
		t.Errorf("there is a key file: %v", err)
	}
}

// keyringWait is how long a command waits for the keyring where nobody sits at
// a terminal.
const keyringWait = 5 * time.Second

// A keyring that takes its time gives the key. Where one takes too long, asks
// somebody who is not there, or is behind a bus that hangs, a command says so
// after 5 s, and no process of it goes on waiting.
//
// Fault F11.
func TestSlowKeyring(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		manner desktop.Manner
		hangs  bool // the bus itself
	}{
		{name: "3 s", manner: desktop.Manner{Delay: 3 * time.Second}},
		{name: "30 s", manner: desktop.Manner{Delay: 30 * time.Second}},
		{name: "prompts forever", manner: desktop.Manner{Prompts: true}},
		{name: "the bus hangs", hangs: true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := desktop.New(t)
			service := s.Serve(t)
			d := newDesk(t, s)
			service.Behave(c.manner)
			env, gone := s.Env, func() { s.Left(t) }
			if c.hangs {
				env, gone = hangingBus(t)
			}
			begin := time.Now()
			said, status := d.run(env, "", "secrets", "list")
			took := time.Since(begin)
			gone()
			if 0 < c.manner.Delay && c.manner.Delay < keyringWait {
				if status != 0 || !strings.Contains(said, "ONE") || took < c.manner.Delay {
					t.Errorf("after %v: exit status %d\n%s", took, status, said)
				}
				return
			}
			if status != 6 || took < keyringWait || took > keyringWait+2*patience {
				t.Errorf("after %v: exit status %d", took, status)
			}
			for _, want := range []string{`"aivault"`, d.account, "did not answer in time", "the recovery key opens the vault too"} {
				if !strings.Contains(said, want) {
					t.Errorf("%q is missing in\n%s", want, said)
				}
			}
			// What is given opens it, without a call into the keyring.
			begin = time.Now()
			said, status = d.run(env, d.recovery, "secrets", "list", "--passphrase-file", "-")
			if took := time.Since(begin); status != 0 || took > keyringWait {
				t.Errorf("the recovery key: after %v, exit status %d\n%s", took, status, said)
			}
		})
	}
}

// hangingBus is the session of a bus that accepts and never answers. gone fails
// the test unless those who connected to it have left.
func hangingBus(t *testing.T) (env []string, gone func()) {
	t.Helper()
	dir, err := os.MkdirTemp("", "bus")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	l, err := net.Listen("unix", filepath.Join(dir, "bus"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	conns := make(chan net.Conn, 16)
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			conns <- conn
		}
	}()
	return []string{"DBUS_SESSION_BUS_ADDRESS=unix:path=" + filepath.Join(dir, "bus")}, func() {
		t.Helper()
		if len(conns) == 0 {
			t.Error("nobody connected to the bus")
		}
		for range len(conns) {
			conn := <-conns
			_ = conn.SetReadDeadline(time.Now().Add(patience))
			if _, err := io.Copy(io.Discard, conn); errors.Is(err, os.ErrDeadlineExceeded) {
				t.Error("a process is still connected to the bus")
			}
			_ = conn.Close()
		}
	}
}

// A command that waits for the keyring ends when it is told to, in whatever way,
// and its helper with it.
//
// Fault F11, F18.
func TestSignalWhileTheKeyringIsWaitedFor(t *testing.T) {
	t.Parallel()
	s := desktop.New(t)
	service := s.Serve(t)
	d := newDesk(t, s)
	for _, sig := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGKILL} {
		service.Behave(desktop.Manner{Delay: time.Hour})
		before := service.Searches()
		cmd := exec.Command(d.exe, "secrets", "list")
		cmd.Env = d.env(s.Env)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		for deadline := time.Now().Add(keyringWait); service.Searches() == before && time.Now().Before(deadline); {
			time.Sleep(time.Millisecond)
		}
		begin := time.Now()
		_ = cmd.Process.Signal(sig)
		_ = cmd.Wait()
		if took := time.Since(begin); took > keyringWait/2 {
			t.Errorf("%v: it went on for %v", sig, took)
		}
		if got := cmd.ProcessState.ExitCode(); sig != syscall.SIGKILL && got != 128+int(sig) {
			t.Errorf("%v: exit status %d", sig, got)
		}
		s.Left(t)
	}
}

// Package desktop is a desktop session for tests: a session bus of its own, and
// on it the real keyring, gnome-keyring, or one that can be told to misbehave.
package desktop

import (
	"bufio"
	"io"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/godbus/dbus/v5"
)

// patience is how long a test waits for what must happen at once.
const patience = 20 * time.Second

const (
	serviceName = "org.freedesktop.secrets"
	servicePath = "/org/freedesktop/secrets"
	loginPath   = "/org/freedesktop/secrets/collection/login"

	// busConfig is a session bus that starts nothing by itself.
	busConfig = `<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <listen>unix:path=DIR/bus</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
  </policy>
</busconfig>
`
)

// A Session is a session bus with nothing on it yet. It ends with the test.
type Session struct {
	Env     []string // by which its programs find it: the bus, HOME and XDG_RUNTIME_DIR
	bus     *dbus.Conn
	address string
}

// New starts a session. It skips the test where there is no dbus-daemon, but
// fails it in CI.
func New(t testing.TB) *Session {
	t.Helper()
	need(t, "dbus-daemon")
	if _, err := user.LookupId(strconv.Itoa(os.Getuid())); err != nil {
		t.Skip("a bus serves only users that the system knows: ", err)
	}
	dir, err := os.MkdirTemp("", "desk") // short, as the paths of sockets must be
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	config := filepath.Join(dir, "bus.conf")
	if err := os.WriteFile(config, []byte(strings.ReplaceAll(busConfig, "DIR", dir)), 0o600); err != nil {
		t.Fatal(err)
	}
	s := &Session{address: "unix:path=" + dir + "/bus"}
	s.Env = []string{"DBUS_SESSION_BUS_ADDRESS=" + s.address, "HOME=" + dir, "XDG_RUNTIME_DIR=" + dir}
	ready := s.daemon(t, "", "dbus-daemon", "--config-file="+config, "--nofork", "--nopidfile", "--print-address=1")
	if _, err := bufio.NewReader(ready).ReadString('\n'); err != nil {
		t.Fatal("the bus does not start: ", err)
	}
	s.bus = s.connect(t)
	return s
}

// need skips the test where a program is absent, but fails it in CI.
func need(t testing.TB, program string) {
	t.Helper()
	if _, err := exec.LookPath(program); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("%s is not installed", program)
		}
		t.Skipf("%s is not installed", program)
	}
}

// daemon starts a program of the session that runs until the test ends, and
// returns its stdout.
func (s *Session) daemon(t testing.TB, stdin string, command ...string) io.Reader {
	t.Helper()
	cmd := exec.Command(command[0], command[1:]...)
	cmd.Env = append(s.Env[:len(s.Env):len(s.Env)], "PATH="+os.Getenv("PATH"))
	cmd.Stdin = strings.NewReader(stdin)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		_ = cmd.Wait()
	})
	return out
}

func (s *Session) connect(t testing.TB) *dbus.Conn {
	t.Helper()
	conn, err := dbus.Connect(s.address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// Gnome starts gnome-keyring. Its login collection is made and unlocked if there
// is a password.
func (s *Session) Gnome(t testing.TB, password string) {
	t.Helper()
	need(t, "gnome-keyring-daemon")
	signals := make(chan *dbus.Signal, 16)
	s.bus.Signal(signals)
	defer s.bus.RemoveSignal(signals)
	if err := s.bus.AddMatchSignal(dbus.WithMatchMember("NameOwnerChanged"), dbus.WithMatchArg(0, serviceName)); err != nil {
		t.Fatal(err)
	}
	command := []string{"gnome-keyring-daemon", "--foreground", "--components=secrets"}
	if password != "" {
		command = append(command, "--unlock")
	}
	s.daemon(t, password, command...)
	timeout := time.After(patience)
	for {
		select {
		case sig := <-signals:
			if sig.Name == "org.freedesktop.DBus.NameOwnerChanged" && len(sig.Body) == 3 && sig.Body[2] != "" {
				return
			}
		case <-timeout:
			t.Fatal("gnome-keyring does not come up")
		}
	}
}

// Lock locks gnome-keyring's login collection. Nobody answers its prompts.
func (s *Session) Lock(t testing.TB) {
	t.Helper()
	call := s.bus.Object(serviceName, servicePath).Call("org.freedesktop.Secret.Service.Lock", 0, []dbus.ObjectPath{loginPath})
	if call.Err != nil {
		t.Fatal(call.Err)
	}
}

// Left fails the test if a helper is still connected to the bus: all but the
// bus itself, the test and the owner of the keyring's name.
func (s *Session) Left(t testing.TB) {
	t.Helper()
	var owner string
	_ = s.bus.BusObject().Call("org.freedesktop.DBus.GetNameOwner", 0, serviceName).Store(&owner) // there may be none
	var left []string
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		var names []string
		if err := s.bus.BusObject().Call("org.freedesktop.DBus.ListNames", 0).Store(&names); err != nil {
			t.Fatal(err)
		}
		left = nil
		for _, name := range names {
			if strings.HasPrefix(name, ":") && name != owner && name != s.bus.Names()[0] {
				left = append(left, name)
			}
		}
		if left == nil { // the bus takes a moment to see that a process is gone
			return
		}
	}
	t.Errorf("there are still connected: %q", left)
}

//go:build linux

package keys_test

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/godbus/dbus/v5"

	"aivault/keys"
	"aivault/keys/fault"
)

// These tests speak to a real Secret Service, gnome-keyring, on a bus of their
// own.

const (
	secretService = "org.freedesktop.secrets"
	loginKeyring  = "/org/freedesktop/secrets/collection/login"

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

// need skips the test where a program is absent, but fails it in CI.
func need(t *testing.T, programs ...string) {
	t.Helper()
	for _, p := range programs {
		if _, err := exec.LookPath(p); err != nil {
			if os.Getenv("CI") == "true" {
				t.Fatalf("%s is not installed", p)
			}
			t.Skipf("%s is not installed", p)
		}
	}
}

// daemon starts a program that runs until the test ends, and returns its
// stdout.
func daemon(t *testing.T, env []string, stdin string, command ...string) io.Reader {
	t.Helper()
	cmd := exec.Command(command[0], command[1:]...)
	cmd.Env = append(env, "PATH="+os.Getenv("PATH"))
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

// session starts a session bus without any service on it.
func session(t *testing.T) (env []string, bus *dbus.Conn) {
	t.Helper()
	need(t, "dbus-daemon")
	if _, err := user.LookupId(strconv.Itoa(os.Getuid())); err != nil {
		t.Skip("a bus serves only users that the system knows: ", err)
	}
	dir := shortDir(t)
	config := filepath.Join(dir, "bus.conf")
	writeKey(t, config, []byte(strings.ReplaceAll(busConfig, "DIR", dir)))
	env = []string{"DBUS_SESSION_BUS_ADDRESS=unix:path=" + dir + "/bus", "HOME=" + dir, "XDG_RUNTIME_DIR=" + dir}
	ready := daemon(t, env, "", "dbus-daemon", "--config-file="+config, "--nofork", "--nopidfile", "--print-address=1")
	if _, err := bufio.NewReader(ready).ReadString('\n'); err != nil {
		t.Fatal("the bus does not start: ", err)
	}
	bus, err := dbus.Connect("unix:path=" + dir + "/bus")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = bus.Close() })
	return env, bus
}

// gnomeKeyring starts a session with gnome-keyring on its bus; its collection
// is made and unlocked if there is a password.
func gnomeKeyring(t *testing.T, password string) (env []string, bus *dbus.Conn) {
	t.Helper()
	need(t, "gnome-keyring-daemon")
	env, bus = session(t)
	signals := make(chan *dbus.Signal, 16)
	bus.Signal(signals)
	if err := bus.AddMatchSignal(dbus.WithMatchMember("NameOwnerChanged"), dbus.WithMatchArg(0, secretService)); err != nil {
		t.Fatal(err)
	}
	command := []string{"gnome-keyring-daemon", "--foreground", "--components=secrets"}
	if password != "" {
		command = append(command, "--unlock")
	}
	daemon(t, env, password, command...)
	timeout := time.After(patience)
	for {
		select {
		case s := <-signals:
			if s.Name == "org.freedesktop.DBus.NameOwnerChanged" && len(s.Body) == 3 && s.Body[2] != "" {
				return env, bus
			}
		case <-timeout:
			t.Fatal("gnome-keyring does not come up")
		}
	}
}

func TestSecretService(t *testing.T) {
	env, bus := gnomeKeyring(t, "pw")
	k := helper(patience, env...)
	if there, err := k.Present(t.Context()); !there || err != nil {
		t.Fatalf("Present: %v, %v; want true, nil", there, err)
	}
	p := provider(t, keys.Source{Keyring: k}, entry())
	_, err := p.Load(t.Context())
	wantCode(t, err, fault.KeyUnavailable)
	namesEntry(t, err)

	made, err := p.Create(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	loaded, err := p.Load(t.Context())
	if err != nil || !loaded.Equal(made) {
		t.Fatalf("the key that was made is not loaded: %v", err)
	}
	_, err = p.Create(t.Context())
	wantCode(t, err, fault.AlreadyExists)

	// Another vault's entry beside it.
	other := provider(t, keys.Source{Keyring: k}, keys.Config{Kind: keys.KindKeyring, Service: "aivault", Account: `it's "2" \$x`})
	second, err := other.Create(t.Context())
	if err != nil || second.Equal(made) {
		t.Fatalf("a second entry does not get a key of its own: %v", err)
	}
	if loaded, err = p.Load(t.Context()); err != nil || !loaded.Equal(made) {
		t.Errorf("the first entry has changed: %v", err)
	}

	// Somebody stores something else there, or too much, or removes it.
	for _, content := range [][]byte{[]byte("CANARY"), canary(), bytes.Repeat([]byte("C"), 3000)} {
		if err := k.Set(t.Context(), "aivault", "vault-1", content); err != nil {
			t.Fatal(err)
		}
		if got, err := k.Get(t.Context(), "aivault", "vault-1"); err != nil || !bytes.Equal(got, content) {
			t.Errorf("%d bytes do not come back: %v", len(content), err)
		}
		_, err = p.Load(t.Context())
		wantCode(t, err, fault.KeyUnavailable)
	}
	if err := k.Delete(t.Context(), "aivault", "vault-1"); err != nil {
		t.Fatal(err)
	}
	if err := k.Delete(t.Context(), "aivault", "vault-1"); !errors.Is(err, keys.ErrNoEntry) {
		t.Errorf("a second Delete: %v, want %v", err, keys.ErrNoEntry)
	}
	_, err = p.Load(t.Context())
	wantCode(t, err, fault.KeyUnavailable)
	if _, err := other.Load(t.Context()); err != nil {
		t.Errorf("the other entry is gone: %v", err)
	}

	// A bus that hangs does not disturb the next call to one that works.
	hanging, _ := mute(t)
	_, err = helper(200*time.Millisecond, hanging...).Get(t.Context(), "aivault", "vault-1")
	wantCode(t, err, fault.KeyUnavailable)
	if _, err := other.Load(t.Context()); err != nil {
		t.Errorf("after a call that hung: %v", err)
	}

	// Many at once.
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			if got, err := other.Load(t.Context()); err != nil || !got.Equal(second) {
				t.Errorf("one of many: %v", err)
			}
		})
	}
	all.Wait()

	// Locked, with nobody there to answer the prompt.
	lock := bus.Object(secretService, "/org/freedesktop/secrets").Call("org.freedesktop.Secret.Service.Lock", 0, []dbus.ObjectPath{loginKeyring})
	if lock.Err != nil {
		t.Fatal(lock.Err)
	}
	k.Timeout = 2 * time.Second
	for name, op := range operations(k) {
		err := op(t.Context())
		wantCode(t, err, fault.KeyUnavailable)
		if fault.HintOf(err) == "" {
			t.Errorf("%s: %q comes without a hint", name, err)
		}
		if name == "Get" {
			namesEntry(t, err)
		}
	}
}

// TestSecretServiceWithoutCollection: a keyring that nobody ever logged in to
// is there, and cannot be used.
func TestSecretServiceWithoutCollection(t *testing.T) {
	env, _ := gnomeKeyring(t, "")
	for _, op := range operations(helper(2*time.Second, env...)) {
		wantCode(t, op(t.Context()), fault.KeyUnavailable)
	}
}

// TestBusWithoutSecretService: a bus alone is no keyring.
func TestBusWithoutSecretService(t *testing.T) {
	env, _ := session(t)
	// Found by its place in the runtime directory, too.
	for _, env := range [][]string{env, {env[2]}} {
		k := helper(patience, env...)
		if there, err := k.Present(t.Context()); there || err != nil {
			t.Errorf("Present: %v, %v; want false, nil", there, err)
		}
		for name, op := range operations(k) {
			if err := op(t.Context()); name != "Present" {
				wantCode(t, err, fault.KeyUnavailable)
				namesEntry(t, err)
			}
		}
	}
}

func BenchmarkKeyringLoad(b *testing.B) {
	address := os.Getenv("DBUS_SESSION_BUS_ADDRESS")
	if address == "" {
		b.Skip("there is no session bus")
	}
	k := keys.NewHelperKeyring(os.Getenv, 0)
	if there, err := k.Present(b.Context()); !there {
		b.Skip("there is no keyring: ", err)
	}
	for b.Loop() {
		if _, err := k.Get(b.Context(), "aivault", "benchmark-no-such-entry"); !errors.Is(err, keys.ErrNoEntry) {
			b.Fatal(err)
		}
	}
}

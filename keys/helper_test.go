//go:build linux

package keys_test

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aivault/keys"
	"aivault/keys/fault"
)

// patience is how long a test waits for what must happen at once.
const patience = 20 * time.Second

// shortDir returns a directory whose name leaves room for that of a socket.
func shortDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "keys")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

// getenv returns a lookup in what an environment of NAME=value holds.
func getenv(env ...string) func(string) string {
	return func(name string) string {
		for _, kv := range env {
			if v, ok := strings.CutPrefix(kv, name+"="); ok {
				return v
			}
		}
		return ""
	}
}

// helper returns the keyring that an environment leads to. Its processes do
// not wait a second before they end, as they otherwise do with -race.
func helper(timeout time.Duration, env ...string) keys.HelperKeyring {
	k := keys.NewHelperKeyring(getenv(env...), timeout)
	k.Env = append(k.Env, "GORACE=atexit_sleep_ms=0")
	return k
}

// noBus returns an environment in which there is no session bus, whatever
// session the test runs in.
func noBus(t *testing.T) []string { return []string{"XDG_RUNTIME_DIR=" + shortDir(t)} }

// mute listens as a bus that accepts and never answers. The channel gives its
// connections.
func mute(t *testing.T) (env []string, conns <-chan net.Conn) {
	t.Helper()
	path := filepath.Join(shortDir(t), "bus")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	accepted := make(chan net.Conn, 100)
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			accepted <- c
		}
	}()
	t.Cleanup(func() { _ = l.Close() })
	return []string{"DBUS_SESSION_BUS_ADDRESS=unix:path=" + path}, accepted
}

// waitClosed returns when the other end of a connection to a mute bus is gone.
func waitClosed(t *testing.T, conns <-chan net.Conn) {
	t.Helper()
	select {
	case c := <-conns:
		_ = c.SetReadDeadline(time.Now().Add(patience))
		if _, err := io.Copy(io.Discard, c); err != nil && !errors.Is(err, os.ErrClosed) && errors.Is(err, os.ErrDeadlineExceeded) {
			t.Error("the helper is still connected")
		}
		_ = c.Close()
	case <-time.After(patience):
		t.Fatal("no helper connected to the bus")
	}
}

// running returns the processes that have arg as one of their arguments.
func running(t *testing.T, arg string) []string {
	t.Helper()
	files, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err == nil && slices.Contains(strings.Split(string(b), "\x00"), arg) {
			found = append(found, f)
		}
	}
	return found
}

// operations calls every method of a keyring once.
func operations(k keys.Keyring) map[string]func(context.Context) error {
	return map[string]func(context.Context) error{
		"Present": func(ctx context.Context) error { _, err := k.Present(ctx); return err },
		"Get":     func(ctx context.Context) error { _, err := k.Get(ctx, "aivault", "vault-1"); return err },
		"Set":     func(ctx context.Context) error { return k.Set(ctx, "aivault", "vault-1", canary()) },
		"Delete":  func(ctx context.Context) error { return k.Delete(ctx, "aivault", "vault-1") },
	}
}

// TestHelperNoBus: without a bus there is no keyring, and nothing is started
// to find that out.
//
// Fault F11.
func TestHelperNoBus(t *testing.T) {
	for name, address := range map[string]string{"unset": "", "autolaunch": "autolaunch:", "disabled": "disabled:"} {
		t.Run(name, func(t *testing.T) {
			trace := filepath.Join(t.TempDir(), "started")
			k := helper(time.Minute, append(noBus(t), "DBUS_SESSION_BUS_ADDRESS="+address)...)
			k.Command = []string{"/bin/sh", "-c", ": >" + trace}
			if there, err := k.Present(t.Context()); there || err != nil {
				t.Errorf("Present: %v, %v; want false, nil", there, err)
			}
			for name, op := range operations(k) {
				if err := op(t.Context()); name != "Present" {
					wantCode(t, err, fault.KeyUnavailable)
					namesEntry(t, err)
				}
			}
			if _, err := os.Stat(trace); err == nil {
				t.Error("a process was started")
			}
			k.Env = append(k.Env, "DBUS_SESSION_BUS_ADDRESS=unix:path=/nowhere")
			_, _ = k.Present(t.Context())
			if _, err := os.Stat(trace); err != nil {
				t.Error("the trace does not show a process that was started: ", err)
			}
		})
	}
}

// TestHelperDeadBus: a bus that should be there and is not is an error; only
// where there is none may a key go elsewhere.
//
// Fault F11.
func TestHelperDeadBus(t *testing.T) {
	k := helper(time.Minute, "DBUS_SESSION_BUS_ADDRESS=unix:path="+filepath.Join(shortDir(t), "bus"))
	for name, op := range operations(k) {
		err := op(t.Context())
		wantCode(t, err, fault.KeyUnavailable)
		if fault.HintOf(err) == "" {
			t.Errorf("%s: %q comes without a hint", name, err)
		}
	}
}

// TestHelperMuteBus: a bus that never answers costs the time allowed and no
// more, leaves no process behind, and does not disturb the next call.
//
// Fault F11.
func TestHelperMuteBus(t *testing.T) {
	for name := range operations(keys.HelperKeyring{}) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			env, conns := mute(t)
			marker := "mute-" + name + strconv.Itoa(os.Getpid())
			k := helper(2*time.Second, env...)
			k.Command = append(k.Command, marker)
			start := time.Now()
			err := operations(k)[name](t.Context())
			wantCode(t, err, fault.KeyUnavailable)
			if d := time.Since(start); d < k.Timeout || d > patience {
				t.Errorf("it took %v, allowed are %v", d, k.Timeout)
			}
			if msg := err.Error(); !strings.Contains(msg, "did not answer in time") || fault.HintOf(err) == "" {
				t.Errorf("%q does not say that the keyring is slow, or comes without a hint", msg)
			}
			if left := running(t, marker); left != nil {
				t.Errorf("the helper is still there: %q", left)
			}
			waitClosed(t, conns)
		})
	}
	t.Run("canceled", func(t *testing.T) {
		t.Parallel()
		env, conns := mute(t)
		ctx, cancel := context.WithCancel(t.Context())
		k := helper(time.Hour, env...)
		failed := make(chan error, 1)
		go func() { _, err := k.Get(ctx, "aivault", "vault-1"); failed <- err }()
		c := <-conns // the helper is there, and waits
		cancel()
		select {
		case err := <-failed:
			wantCode(t, err, fault.Canceled)
		case <-time.After(patience):
			t.Error("the call goes on")
		}
		_ = c.Close()
	})
	t.Run("the caller's deadline", func(t *testing.T) {
		t.Parallel()
		env, _ := mute(t)
		ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
		defer cancel()
		_, err := helper(time.Hour, env...).Get(ctx, "aivault", "vault-1")
		wantCode(t, err, fault.KeyUnavailable)
	})
}

// TestHelperOrphan: a helper does not outlive a parent that is killed.
func TestHelperOrphan(t *testing.T) {
	env, conns := mute(t)
	marker := "orphan-" + strconv.Itoa(os.Getpid())
	parent := exec.Command("/proc/self/exe", orphanArg, marker)
	parent.Env = env
	if err := parent.Start(); err != nil {
		t.Fatal(err)
	}
	c := <-conns
	if left := running(t, marker); len(left) != 2 {
		t.Errorf("parent and helper should be running, found %q", left)
	}
	if err := parent.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = parent.Wait()
	_ = c.SetReadDeadline(time.Now().Add(patience))
	if _, err := io.Copy(io.Discard, c); errors.Is(err, os.ErrDeadlineExceeded) {
		t.Error("the helper outlived its parent")
	}
	_ = c.Close()
}

// TestHelperGroup: what a helper started ends with it.
func TestHelperGroup(t *testing.T) {
	seconds := "3600." + strconv.Itoa(os.Getpid())
	pipe := filepath.Join(t.TempDir(), "grandchild")
	if out, err := exec.Command("mkfifo", pipe).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	k := keys.HelperKeyring{
		// The grandchild alone holds the pipe open for writing.
		Command: []string{"/bin/sh", "-c", "/bin/sleep " + seconds + " >" + pipe + " & wait"},
		Env:     []string{"DBUS_SESSION_BUS_ADDRESS=unix:path=/nowhere"},
		Timeout: 2 * time.Second,
	}
	ended := make(chan error, 1)
	go func() { _, err := os.ReadFile(pipe); ended <- err }()
	_, err := k.Get(t.Context(), "aivault", "vault-1")
	wantCode(t, err, fault.KeyUnavailable)
	select {
	case err := <-ended:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(patience):
		t.Errorf("the grandchild is still there: %q", running(t, seconds))
	}
}

// TestHelperBroken: what does not speak our protocol is an error, and what it
// prints is not shown.
func TestHelperBroken(t *testing.T) {
	env := []string{"DBUS_SESSION_BUS_ADDRESS=unix:path=/nowhere"}
	for name, command := range map[string][]string{
		"none":       nil,
		"not there":  {"/nowhere/aivault"},
		"silent":     {"/bin/sh", "-c", "exit 0"},
		"fails":      {"/bin/sh", "-c", "echo CANARY >&2; exit 1"},
		"chatters":   {"/bin/sh", "-c", "echo CANARY-0123456789-0123456789-KEY"},
		"truncated":  {"/bin/sh", "-c", `printf '\000\010k'`},
		"no field":   {"/bin/sh", "-c", `printf '\000\001k'`},
		"bad field":  {"/bin/sh", "-c", `printf '\000\003k\000\005'`},
		"unknown":    {"/bin/sh", "-c", `printf '\000\003?\000\000'`},
		"controls":   {"/bin/sh", "-c", `printf '\000\006x\000\003\033[2'`},
		"reads none": {"/bin/sh", "-c", "exec <&-; exit 3"},
	} {
		t.Run(name, func(t *testing.T) {
			k := keys.HelperKeyring{Command: command, Env: env, Timeout: time.Minute}
			_, err := k.Get(t.Context(), "aivault", "vault-1")
			wantCode(t, err, fault.KeyUnavailable)
			namesEntry(t, err)
			if strings.Contains(err.Error(), "\x1b") {
				t.Errorf("control characters of the helper are shown: %q", err)
			}
		})
	}
}

// TestHelperSees: the helper gets the variables that a keyring needs and no
// others, and the secret through its stdin only.
func TestHelperSees(t *testing.T) {
	out := filepath.Join(t.TempDir(), "seen")
	k := keys.NewHelperKeyring(func(name string) string {
		if name == "DBUS_SESSION_BUS_ADDRESS" {
			return "unix:path=/nowhere;autolaunch:"
		}
		return "value-of-" + name
	}, time.Minute)
	k.Command = []string{"/bin/sh", "-c", "/bin/cat /proc/$$/environ /proc/$$/cmdline >" + out}
	wantCode(t, k.Set(t.Context(), "aivault", "vault-1", canary()), fault.KeyUnavailable)
	seen, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	noCanary(t, string(seen))
	var names []string
	for kv := range strings.SplitSeq(string(seen), "\x00") {
		if name, value, ok := strings.Cut(kv, "="); ok && name == strings.ToUpper(name) {
			names = append(names, name)
			if name == "DBUS_SESSION_BUS_ADDRESS" && value != "unix:path=/nowhere" {
				t.Errorf("the bus is %q", value)
			}
		}
	}
	slices.Sort(names)
	want := []string{"DBUS_SESSION_BUS_ADDRESS", "DISPLAY", "HOME", "LANG", "USER", "WAYLAND_DISPLAY", "XDG_RUNTIME_DIR"}
	if diff := cmp.Diff(want, names); diff != "" {
		t.Errorf("variables -want +got:\n%s", diff)
	}
}

package ui_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"aivault/keys"
	"aivault/keys/fault"
	"aivault/ui"
	"aivault/ui/app"
	"aivault/ui/setup"
	"aivault/ui/setup/setuptest"
)

// Variables by which a script tells the aivault of the test binary what its
// Env is; the real program knows none of them.
const (
	varClock      = "TEST_CLOCK_MS"   // the time of day
	varKeyring    = "TEST_KEYRING"    // absent, locked, hanging, or a directory that is one
	varUpstream   = "TEST_UPSTREAM"   // where all connections go
	varRoots      = "TEST_ROOTS"      // a file of certificates that are trusted
	varTranscript = "TEST_TRANSCRIPT" // a file that gets all output
	varHost       = "TEST_HOST"       // the machine to set up: SYSTEM UID DIRECTORY
)

// testAivault is main, in an environment of the test's.
func testAivault() int {
	ctx, stop := app.WithSignals(context.Background())
	defer stop()
	env := app.System()
	fakeWorld(env)
	if path := os.Getenv(varTranscript); path != "" {
		f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
		if err != nil {
			panic(err)
		}
		defer f.Close()
		if !env.IsTerminal(env.Stdout) {
			env.Stdout = io.MultiWriter(env.Stdout, f)
		}
		if !env.IsTerminal(env.Stderr) {
			env.Stderr = io.MultiWriter(env.Stderr, f)
		}
	}
	return ui.Main(ctx, env, ui.Arguments(os.Args))
}

// fakeWorld makes of an environment what its variables say.
func fakeWorld(env *app.Env) {
	env.KDF = cheapKDF
	env.PassOn = []string{varClock, varKeyring, varUpstream, varRoots, "GORACE"}
	env.Keyring = func(time.Duration) keys.Keyring { return dirKeyring(env.Getenv(varKeyring)) }
	if ms, err := strconv.ParseInt(env.Getenv(varClock), 10, 64); err == nil {
		env.Now = func() time.Time { return time.UnixMilli(ms) }
	}
	if addr := env.Getenv(varUpstream); addr != "" {
		env.Dial = func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "tcp", addr)
		}
		env.Resolve = func(context.Context, string) ([]netip.Addr, error) {
			return []netip.Addr{netip.AddrFrom4([4]byte{1, 1, 1, 1})}, nil // any public one
		}
	}
	if path := env.Getenv(varRoots); path != "" {
		env.Roots, _ = os.ReadFile(path)
	}
	if host := strings.Fields(env.Getenv(varHost)); len(host) == 3 {
		fakeHost(env, host[0], host[1], host[2])
	}
}

// fakeHost makes a user of a machine in a directory the one who runs aivault.
func fakeHost(env *app.Env, goos, uid, dir string) {
	m := setuptest.New(goos, dir)
	m.As = func(ctx context.Context, c setup.Command) (setup.Output, error) {
		exe, err := os.Executable()
		if err != nil {
			return setup.Output{}, err
		}
		var out, errs bytes.Buffer
		cmd := exec.CommandContext(ctx, exe, c.Argv[1:]...)
		cmd.Args[0] = "aivault" // which of the test binary's programs it is
		cmd.Env = append(os.Environ(), fmt.Sprintf("%s=%s %d %s", varHost, goos, c.As.UID, dir), "SUDO_USER=", "HOME="+dir+c.As.Home, varTranscript+"=")
		cmd.Env = append(cmd.Env, c.Env...)
		cmd.Stdin, cmd.Stdout, cmd.Stderr = c.Stdin, &out, &errs
		if c.File != nil {
			cmd.ExtraFiles = []*os.File{c.File}
		}
		if err := cmd.Run(); cmd.ProcessState == nil {
			return setup.Output{}, err
		}
		return setup.Output{Stdout: out.Bytes(), Stderr: errs.Bytes(), Status: cmd.ProcessState.ExitCode()}, nil
	}
	n, err := strconv.Atoi(uid)
	if err != nil {
		panic(err)
	}
	env.Host = func() *setup.Host { return m.Host(n) }
	env.Executable = func() (string, error) { return setuptest.Program, nil }
}

// cheapKDF is the least that a passphrase may cost.
func cheapKDF() (keys.KDF, error) {
	salt := make([]byte, 16)
	_, err := rand.Read(salt)
	return keys.KDF{Time: 1, MemoryKiB: 19 << 10, Threads: 1, Salt: salt}, err
}

// A dirKeyring is a keyring whose entries are files in a directory, or one that
// fails in the way that its name says. The empty one is absent.
type dirKeyring string

func (k dirKeyring) Present(context.Context) (bool, error) {
	switch k {
	case "", "absent":
		return false, nil
	case "locked", "hanging":
		return true, k.fail()
	}
	return true, nil
}

func (k dirKeyring) fail() error {
	switch k {
	case "", "absent":
		return fault.New(fault.KeyUnavailable, "there is no keyring")
	case "locked":
		return fault.New(fault.KeyUnavailable, "the keyring is locked").WithHint("unlock it")
	case "hanging":
		return fault.New(fault.KeyUnavailable, "the keyring does not answer")
	}
	return nil
}

func (k dirKeyring) path(service, account string) string {
	return filepath.Join(string(k), service+"."+account)
}

func (k dirKeyring) Get(_ context.Context, service, account string) ([]byte, error) {
	if err := k.fail(); err != nil {
		return nil, err
	}
	b, err := os.ReadFile(k.path(service, account))
	if errors.Is(err, os.ErrNotExist) {
		err = keys.ErrNoEntry
	}
	return b, err
}

func (k dirKeyring) Set(_ context.Context, service, account string, secret []byte) error {
	if err := k.fail(); err != nil {
		return err
	}
	return os.WriteFile(k.path(service, account), secret, 0o600)
}

func (k dirKeyring) Delete(_ context.Context, service, account string) error {
	return os.Remove(k.path(service, account))
}

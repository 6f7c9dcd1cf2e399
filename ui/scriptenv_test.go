package ui_test

import (
	"context"
	"crypto/rand"
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"aivault/keys"
	"aivault/keys/fault"
	"aivault/ui"
	"aivault/ui/app"
)

// Variables by which a script tells the aivault of the test binary what its
// Env is; the real program knows none of them.
const (
	varClock      = "TEST_CLOCK_MS"   // the time of day
	varKeyring    = "TEST_KEYRING"    // absent, locked, hanging, or a directory that is one
	varUpstream   = "TEST_UPSTREAM"   // where all connections go
	varRoots      = "TEST_ROOTS"      // a file of certificates that are trusted
	varTranscript = "TEST_TRANSCRIPT" // a file that gets all output
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

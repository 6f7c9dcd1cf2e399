// Package app is what the ways of using aivault share, the command line and
// the terminal interface: the outside world as they see it ([Env]), the vault
// and broker that they work on ([Session], [Backend]), how people are asked
// for what must not be seen, and which exit status an error has.
//
// It is the only place that builds the object graph, so it is also where the
// environment is read: no package below it looks at a variable.
package app

import (
	"context"
	"io"
	"net"
	"net/netip"
	"os"
	"time"

	"golang.org/x/term"

	"aivault/keys"
	"aivault/ui/setup"
)

// An Env is the outside world. [System] returns the real one.
type Env struct {
	Stdin  io.Reader
	Stdout io.Writer
	Stderr io.Writer

	Getenv     func(name string) string
	Now        func() time.Time
	IsTerminal func(stream any) bool                // of Stdin, Stdout, Stderr
	OpenTTY    func() (in, out *os.File, err error) // the terminal that a person sits at
	Home       func() (string, error)               // the user's home directory
	Executable func() (string, error)               // the path of this program

	// Keyring returns the keyring of this session; a call into it may take so
	// long.
	Keyring func(timeout time.Duration) keys.Keyring
	// KDF returns the cost of a new passphrase.
	KDF func() (keys.KDF, error)
	// Host returns this machine, to set it up for shared mode.
	Host func() *setup.Host

	// PassOn names further variables that a daemon gets which is started.
	PassOn []string

	// For tests, as in broker.Config. All nil in production.
	Resolve func(ctx context.Context, host string) ([]netip.Addr, error)
	Dial    func(ctx context.Context, network, addr string) (net.Conn, error)
	Roots   []byte
}

// System returns the environment of this process.
func System() *Env {
	return &Env{
		Stdin:      os.Stdin,
		Stdout:     os.Stdout,
		Stderr:     os.Stderr,
		Getenv:     os.Getenv,
		Now:        time.Now,
		IsTerminal: isTerminal,
		OpenTTY:    openTTY,
		Home:       os.UserHomeDir,
		Executable: os.Executable,
		Keyring:    func(timeout time.Duration) keys.Keyring { return keys.NewHelperKeyring(os.Getenv, timeout) },
		KDF:        keys.DefaultKDF,
		Host:       setup.Local,
	}
}

// isTerminal reports whether stream is a terminal.
func isTerminal(stream any) bool {
	f, ok := stream.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// Columns returns the width of a terminal, or 0: the stream is none, or does not
// know.
func (e *Env) Columns(stream any) int {
	f, ok := stream.(*os.File)
	if !ok || !e.IsTerminal(stream) {
		return 0
	}
	n, _, err := term.GetSize(int(f.Fd()))
	if err != nil {
		return 0
	}
	return n
}

// Interactive reports whether somebody is there to answer a question: the
// input is a terminal, and so is where questions and notices go.
func (e *Env) Interactive() bool { return e.IsTerminal(e.Stdin) && e.IsTerminal(e.Stderr) }

// truthy reports whether a variable is set to a yes.
func truthy(value string) bool {
	switch value {
	case "1", "true", "TRUE", "True", "yes", "YES", "Yes", "on", "ON", "On":
		return true
	}
	return false
}

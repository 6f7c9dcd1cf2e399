package uitest

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"aivault/keys"
	"aivault/keys/fault"
	"aivault/keys/keystest"
	"aivault/ui/app"
)

// Env returns the outside world of a program with these variables: home is the
// user's, keyring, unless nil, the session's, and there is no terminal.
// Passphrases cost next to nothing.
func Env(vars map[string]string, home string, clock *Clock, keyring keys.Keyring) *app.Env {
	if keyring == nil {
		none := new(keystest.Keyring)
		none.SetMode(keystest.Absent)
		keyring = none
	}
	return &app.Env{
		Stdin:      strings.NewReader(""),
		Stdout:     io.Discard,
		Stderr:     io.Discard,
		Getenv:     func(name string) string { return vars[name] },
		Now:        clock.Now,
		IsTerminal: func(any) bool { return false },
		OpenTTY: func() (in, out *os.File, err error) {
			return nil, nil, fault.New(fault.IO, "there is no terminal")
		},
		Home:       func() (string, error) { return home, nil },
		Executable: func() (string, error) { return filepath.Join(home, "aivault"), nil },
		Keyring:    func(time.Duration) keys.Keyring { return keyring },
		KDF:        func() (keys.KDF, error) { return keystest.FastKDF(), nil },
	}
}

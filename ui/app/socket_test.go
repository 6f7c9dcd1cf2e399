package app_test

import (
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"aivault/ui/app"
)

// Scripts and units of people name these paths.
func TestSockets(t *testing.T) {
	t.Parallel()
	home, vault := t.TempDir(), t.TempDir()
	for _, test := range []struct {
		env             map[string]string
		private, shared string // shared: of Linux
	}{
		{nil, filepath.Join(home, ".aivault", "run", "aivaultd.sock"), "/var/run/aivault/aivaultd.sock"},
		{map[string]string{"AIVAULT_DIR": vault}, filepath.Join(vault, "run", "aivaultd.sock"), "/var/run/aivault/aivaultd.sock"},
		{map[string]string{"AIVAULTD_SHARED_SOCKET": " /srv/x.sock "}, filepath.Join(home, ".aivault", "run", "aivaultd.sock"), "/srv/x.sock"},
	} {
		env := sessionEnv("")
		env.Getenv = func(name string) string { return test.env[name] }
		env.Home = func() (string, error) { return home, nil }
		s, err := app.Open(env, app.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if got := s.PrivateSocket(); got != test.private {
			t.Errorf("%v: private socket %q, want %q", test.env, got, test.private)
		}
		want := test.shared
		if runtime.GOOS == "darwin" && !strings.HasPrefix(want, "/srv") {
			want = "/Users/Shared/aivault/run/aivaultd.sock"
		}
		if got := env.SharedSocket(); got != want {
			t.Errorf("%v: shared socket %q, want %q", test.env, got, want)
		}
		s.Close()
	}
}

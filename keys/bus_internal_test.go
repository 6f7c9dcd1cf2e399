//go:build linux || freebsd || openbsd || netbsd || dragonfly

package keys

import (
	"net"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestBusAddress(t *testing.T) {
	mk := func() string {
		dir, err := os.MkdirTemp("", "bus") // short, as socket paths must be
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = os.RemoveAll(dir) })
		return dir
	}
	empty, file, socket := mk(), mk(), filepath.Join(mk(), "a,b")
	if err := os.WriteFile(filepath.Join(file, "bus"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(socket, 0o700); err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("unix", filepath.Join(socket, "bus"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })

	for _, c := range []struct {
		name, address, dir, want string
	}{
		{"set", "unix:path=/x", empty, "unix:path=/x"},
		{"several", "unix:path=/x;tcp:host=h", empty, "unix:path=/x;tcp:host=h"},
		{"or launch", "unix:path=/x;autolaunch:", empty, "unix:path=/x"},
		{"launch", "autolaunch:", empty, ""},
		{"launch with options", "autolaunch:scope=*user", empty, ""},
		{"disabled", "disabled:", empty, ""},
		{"no address", "/dev/null", empty, ""},
		{"nothing", "", empty, ""},
		{"not a socket", "", file, ""},
		{"of the login session", "", socket, "unix:path=" + filepath.Dir(socket) + "/a%2cb/bus"},
		{"of the login session, rather than launch", "autolaunch:", socket, "unix:path=" + filepath.Dir(socket) + "/a%2cb/bus"},
	} {
		t.Run(c.name, func(t *testing.T) {
			env := []string{"HOME=/h", busVar + "=" + c.address, "XDG_RUNTIME_DIR=" + c.dir}
			if got := busAddress(env); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
			got, ok := sessionEnv(env)
			if ok != (c.want != "") {
				t.Fatalf("there is a bus: %v", ok)
			}
			want := []string{"HOME=/h", "XDG_RUNTIME_DIR=" + c.dir, busVar + "=" + c.want}
			if diff := cmp.Diff(want, got); ok && diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

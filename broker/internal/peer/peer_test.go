//go:build linux || darwin

package peer_test

import (
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"aivault/broker/internal/peer"
	"aivault/keys/fault"
)

// clientArg makes this program a client that connects, and ends.
const clientArg = "__client"

func TestMain(m *testing.M) {
	if len(os.Args) == 3 && os.Args[1] == clientArg {
		conn, err := net.Dial("unix", os.Args[2])
		if err != nil {
			os.Exit(1)
		}
		_, _ = conn.Write([]byte("x"))
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func listen(t *testing.T) *net.UnixListener {
	t.Helper()
	dir, err := os.MkdirTemp("", "avp")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: filepath.Join(dir, "s"), Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l
}

// Case 121. Both ends learn who the other is, and a closed connection is nobody.
func TestOf(t *testing.T) {
	t.Parallel()
	l := listen(t)
	client, err := net.DialUnix("unix", nil, l.Addr().(*net.UnixAddr))
	if err != nil {
		t.Fatal(err)
	}
	server, err := l.AcceptUnix()
	if err != nil {
		t.Fatal(err)
	}
	for name, end := range map[string]*net.UnixConn{"client": server, "server": client} {
		uid, pid, err := peer.Of(end)
		if uid != os.Geteuid() || pid != os.Getpid() || err != nil {
			t.Errorf("the %s is user %d, process %d, %v", name, uid, pid, err)
		}
		_ = end.Close()
		if uid, pid, err := peer.Of(end); uid != -1 || pid != 0 || fault.CodeOf(err) != fault.IO || !errors.Is(err, net.ErrClosed) {
			t.Errorf("a closed connection is of user %d, process %d, %v", uid, pid, err)
		}
	}
}

// Case 130. Who connected is known when that process has ended, and cannot be
// taken for whatever runs under its number by then: nothing is looked up.
func TestOfProcessThatEnded(t *testing.T) {
	t.Parallel()
	l := listen(t)
	cmd := exec.Command(os.Args[0], clientArg, l.Addr().String())
	if err := cmd.Run(); err != nil {
		t.Fatal(err)
	}
	conn, err := l.AcceptUnix()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	uid, pid, err := peer.Of(conn)
	if uid != os.Geteuid() || pid != cmd.Process.Pid || err != nil {
		t.Errorf("user %d, process %d, %v; it was process %d", uid, pid, err, cmd.Process.Pid)
	}
}

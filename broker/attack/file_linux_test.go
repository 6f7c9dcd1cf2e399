package attack_test

import (
	"net"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

func TestCase059FilesThatAreNone(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	dir := t.TempDir()
	fifo, socket := filepath.Join(dir, "fifo"), filepath.Join(dir, "s")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	link := filepath.Join(dir, "link")
	if err := os.Symlink("/dev/zero", link); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{fifo, socket, link, "/dev/zero", "/dev/tty", "/dev/full", dir, "/proc/self/mem", "/proc/self", filepath.Join(dir, "absent")} {
		for _, flag := range []string{"--body-file-path", "--request-file"} {
			w.refuseCommand(t, exitInvalid, flag, path)
		}
	}
	// What counts is what is read: this one says that it has no bytes.
	w.refuseCommand(t, exitInvalid, "--request-file", "/proc/self/environ")
	big := filepath.Join(dir, "big")
	f, err := os.Create(big)
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Truncate(64<<20 + 1); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	w.refuseCommand(t, exitLimits, "--body-file-path", big)
	w.refuseCommand(t, exitLimits, "--request-file", big)
}

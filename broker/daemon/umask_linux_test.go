package daemon_test

import (
	"bytes"
	"encoding/binary"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"
)

// Case 122. Under umask 000 others cannot connect for a moment. The kernel tells
// all that happens to the socket's name, in order: it comes from elsewhere, once,
// with its mode, and is neither made there nor changed there.
func TestUmask(t *testing.T) {
	t.Parallel()
	s := place(t)
	s.Umask = 0
	dir := filepath.Dir(s.socket())
	mkdir(t, dir, 0o755) // so that nothing but the socket's mode keeps others away
	fd, err := unix.InotifyInit1(unix.IN_CLOEXEC | unix.IN_NONBLOCK)
	if err != nil {
		t.Fatal(err)
	}
	watch := os.NewFile(uintptr(fd), "inotify")
	defer func() { _ = watch.Close() }()
	if _, err := unix.InotifyAddWatch(fd, dir, unix.IN_CREATE|unix.IN_MOVED_TO|unix.IN_ATTRIB); err != nil {
		t.Fatal(err)
	}
	s.start(t)
	if info, err := os.Lstat(s.socket()); err != nil || info.Mode() != fs.ModeSocket|0o600 {
		t.Errorf("the socket: %v, %v", info.Mode(), err)
	}

	buf := make([]byte, 64<<10)
	_ = watch.SetReadDeadline(time.Now().Add(long))
	n, err := watch.Read(buf)
	if err != nil {
		t.Fatal(err)
	}
	var happened []uint32
	for rest := buf[:n]; len(rest) >= unix.SizeofInotifyEvent; {
		mask, size := binary.NativeEndian.Uint32(rest[4:]), binary.NativeEndian.Uint32(rest[12:])
		name := bytes.TrimRight(rest[unix.SizeofInotifyEvent:][:size], "\x00")
		rest = rest[unix.SizeofInotifyEvent+size:]
		switch string(name) {
		case filepath.Base(s.socket()):
			happened = append(happened, mask)
		case "", "daemon.lock":
		default: // the directory in which it was made, by mkdir(2) with mode 0700
			if mask != unix.IN_CREATE|unix.IN_ISDIR {
				t.Errorf("%s: %#x", name, mask)
			}
		}
	}
	if diff := cmp.Diff(happened, []uint32{unix.IN_MOVED_TO}); diff != "" {
		t.Errorf("what happened to the socket's name (-got +want):\n%s", diff)
	}
}

//go:build unix

package daemon_test

import (
	"context"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"aivault/broker/daemon"
	"aivault/keys/fault"
)

func mkdir(t *testing.T, path string, mode fs.FileMode) {
	t.Helper()
	if err := os.Mkdir(path, mode); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
}

// stale leaves a socket at path that nobody listens on.
func stale(t *testing.T, path string) {
	t.Helper()
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	l.SetUnlinkOnClose(false)
	_ = l.Close()
}

// Case 123. Paths that are no place for a socket or a lock: each is refused with
// what is wrong and what to do, and nothing that is there is changed.
func TestRefusesPaths(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name       string
		make       func(t *testing.T, s spec, cfg *daemon.Config)
		code       fault.Code
		text, hint string
	}{
		{"too long", func(_ *testing.T, s spec, cfg *daemon.Config) {
			cfg.Socket = longPath(s.Dir, maxPath+1)
		}, fault.InvalidRequest, "too long by 1 bytes", "shorter"},
		{"not absolute", func(_ *testing.T, _ spec, cfg *daemon.Config) {
			cfg.Socket = "run/aivaultd.sock"
		}, fault.InvalidRequest, "not absolute", ""},
		{"directory is a link", func(t *testing.T, s spec, _ *daemon.Config) {
			mkdir(t, filepath.Join(s.Dir, "elsewhere"), 0o700)
			symlink(t, "elsewhere", filepath.Join(s.Dir, "run"))
		}, fault.InvalidRequest, "run is a symbolic link", "directory itself"},
		{"directory is a file", func(t *testing.T, s spec, _ *daemon.Config) {
			write(t, filepath.Join(s.Dir, "run"))
		}, fault.InvalidRequest, "run is not a directory", "move it away"},
		{"others can write", func(t *testing.T, s spec, _ *daemon.Config) {
			mkdir(t, filepath.Join(s.Dir, "run"), 0o702)
		}, fault.InvalidRequest, "mode 0702", "chmod go-w"},
		{"the group can write", func(t *testing.T, s spec, cfg *daemon.Config) {
			cfg.Shared = true
			mkdir(t, filepath.Join(s.Dir, "run"), 0o770)
		}, fault.InvalidRequest, "mode 0770", "chmod go-w"},
		{"shared, nothing above it", func(_ *testing.T, s spec, cfg *daemon.Config) {
			cfg.Shared, cfg.Socket = true, filepath.Join(s.Dir, "absent", "run", "s")
		}, fault.IO, "no such file", "directory above"},
		{"a file", func(t *testing.T, s spec, cfg *daemon.Config) {
			mkdir(t, filepath.Join(s.Dir, "run"), 0o700)
			write(t, cfg.Socket)
		}, fault.InvalidRequest, "is not a socket", "move it away"},
		{"a directory", func(t *testing.T, s spec, cfg *daemon.Config) {
			mkdir(t, filepath.Join(s.Dir, "run"), 0o700)
			mkdir(t, cfg.Socket, 0o700)
		}, fault.InvalidRequest, "is not a socket", "move it away"},
		{"a link to a stale socket", func(t *testing.T, s spec, cfg *daemon.Config) {
			mkdir(t, filepath.Join(s.Dir, "run"), 0o700)
			stale(t, filepath.Join(s.Dir, "s"))
			symlink(t, "../s", cfg.Socket)
		}, fault.InvalidRequest, "is not a socket", "move it away"},
		{"a live socket", func(t *testing.T, s spec, cfg *daemon.Config) {
			mkdir(t, filepath.Join(s.Dir, "run"), 0o700)
			l, err := net.Listen("unix", cfg.Socket)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = l.Close() })
		}, fault.VaultBusy, "another process listens", "another path"},
		{"the lock is a link", func(t *testing.T, s spec, cfg *daemon.Config) {
			mkdir(t, filepath.Join(s.Dir, "run"), 0o700)
			symlink(t, "../victim", cfg.Lock)
		}, fault.InvalidRequest, "is a symbolic link", "remove it"},
		{"the lock is a pipe", func(t *testing.T, s spec, cfg *daemon.Config) {
			mkdir(t, filepath.Join(s.Dir, "run"), 0o700)
			if err := syscall.Mkfifo(cfg.Lock, 0o600); err != nil {
				t.Fatal(err)
			}
		}, fault.InvalidRequest, "is not a regular file", "remove it"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := place(t)
			h := newScript()
			cfg := s.config(h)
			test.make(t, s, &cfg)
			before := tree(t, s.Dir)
			ctx, cancel := context.WithTimeout(t.Context(), long)
			defer cancel()
			err := daemon.Run(ctx, cfg)
			if fault.CodeOf(err) != test.code || !strings.Contains(err.Error(), test.text) || !strings.Contains(fault.HintOf(err), test.hint) {
				t.Errorf("%s: %v (hint %q)", fault.CodeOf(err), err, fault.HintOf(err))
			}
			after := tree(t, s.Dir)
			delete(after, "run/daemon.lock") // it is made first, and stays
			delete(before, "run/daemon.lock")
			if diff := cmp.Diff(after, before); diff != "" {
				t.Errorf("files (-got +want):\n%s", diff)
			}
			if h.closed.Load() != 0 {
				t.Error("the handler of a daemon that did not start was closed")
			}
		})
	}
}

// maxPath is what sockaddr_un has room for, less a zero.
const maxPath = len(syscall.RawSockaddrUnix{}.Path) - 1

// longPath returns a path below dir of the given length, of directories that
// are as long as names may be.
func longPath(dir string, length int) string {
	base := "/run/aivaultd.sock"
	return filepath.Join(dir, strings.Repeat("x", length-len(dir)-1-len(base)), base)
}

func symlink(t *testing.T, to, path string) {
	t.Helper()
	if err := os.Symlink(to, path); err != nil {
		t.Fatal(err)
	}
}

// tree returns what is below dir: the modes of all, and the text of files.
func tree(t *testing.T, dir string) map[string]string {
	t.Helper()
	all := make(map[string]string)
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || path == dir {
			return err
		}
		info, err := e.Info()
		if err != nil {
			return err
		}
		name, _ := filepath.Rel(dir, path)
		all[name] = info.Mode().String()
		if info.Mode().IsRegular() {
			text, err := os.ReadFile(path)
			all[name] += " " + string(text)
			return err
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// Case 123. A path may be as long as the system lets it be, and directories are
// made for the owner only.
func TestMakesDirectories(t *testing.T) {
	t.Parallel()
	s := place(t)
	cfg := s.config(nil)
	cfg.Socket = longPath(s.Dir, maxPath)
	run(t, cfg)
	mustAsk(t, cfg.Socket, "echo a", "a")
	for _, path := range []string{cfg.Lock, cfg.Socket} {
		for dir := filepath.Dir(path); dir != s.Dir; dir = filepath.Dir(dir) {
			if info, err := os.Stat(dir); err != nil || info.Mode().Perm() != 0o700 {
				t.Errorf("%s: %v, %v", dir, info.Mode(), err)
			}
		}
	}
	if at, _ := filepath.Glob(filepath.Dir(cfg.Socket) + "/*"); len(at) != 1 {
		t.Errorf("beside the socket: %q", at)
	}
}

// A directory that setup made is left as it is, and its group may connect.
func TestSharedModes(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name      string
		made      fs.FileMode
		dir, sock fs.FileMode
	}{
		{"new", 0, 0o750, 0o660},
		{"made by setup", 0o750 | fs.ModeSetgid, 0o750 | fs.ModeSetgid, 0o660},
		{"made by hand", 0o750, 0o750, 0o660},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := place(t)
			s.Shared = true
			cfg := s.config(nil)
			dir := filepath.Dir(cfg.Socket)
			if test.made != 0 {
				mkdir(t, dir, test.made)
			}
			group := os.Getegid()
			if os.Geteuid() == 0 && test.made != 0 {
				group = 65534
				if err := os.Chown(dir, -1, group); err != nil {
					t.Fatal(err)
				}
				if err := os.Chmod(dir, test.made); err != nil {
					t.Fatal(err)
				}
			}
			run(t, cfg)
			for path, want := range map[string]fs.FileMode{dir: test.dir | fs.ModeDir, cfg.Socket: test.sock | fs.ModeSocket} {
				info, err := os.Lstat(path)
				if err != nil || info.Mode() != want {
					t.Errorf("%s: %v, %v, want %v", path, info.Mode(), err, want)
				}
				if st, ok := info.Sys().(*syscall.Stat_t); !ok || int(st.Gid) != group {
					t.Errorf("%s has group %d, want %d", path, st.Gid, group)
				}
			}
		})
	}
}

// Case 123. A socket of a daemon that is gone is replaced, but only under the
// lock: here a daemon holds it whose socket is elsewhere.
func TestStaleSocket(t *testing.T) {
	t.Parallel()
	s := place(t)
	cfg := s.config(nil)
	mkdir(t, filepath.Dir(cfg.Socket), 0o700)
	stale(t, cfg.Socket)

	elsewhere := cfg
	elsewhere.Socket += "2"
	holder := run(t, elsewhere)
	second := cfg
	second.Handler = newScript()
	err := daemon.Run(t.Context(), second)
	if fault.CodeOf(err) != fault.VaultBusy {
		t.Errorf("a second daemon: %v", err)
	}
	if info, err := os.Lstat(cfg.Socket); err != nil || info.Mode().Type() != fs.ModeSocket {
		t.Errorf("the socket was touched without the lock: %v", err)
	}
	holder.stop()
	holder.left(t, long)

	run(t, cfg)
	mustAsk(t, cfg.Socket, "echo a", "a")
}

// Fault F13. Whoever removes the lock's file does not make room for a second
// daemon: the socket still answers.
func TestLockFileRemoved(t *testing.T) {
	t.Parallel()
	cfg := place(t).config(nil)
	first := run(t, cfg)
	remove(t, cfg.Lock)
	second := cfg
	second.Handler = newScript()
	ctx, cancel := context.WithTimeout(t.Context(), long)
	defer cancel()
	if err := daemon.Run(ctx, second); fault.CodeOf(err) != fault.VaultBusy {
		t.Errorf("a second daemon: %v", err)
	}
	mustAsk(t, first.socket, "echo a", "a")
}

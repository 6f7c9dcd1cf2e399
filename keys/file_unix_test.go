//go:build unix

package keys_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"aivault/keys"
	"aivault/keys/fault"
)

func mode(t *testing.T, path string) os.FileMode {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return info.Mode().Perm()
}

func TestFileModes(t *testing.T) {
	root := t.TempDir()
	if err := os.Chmod(root, 0o755); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(root, "a", "b", "kek.key")
	if _, err := provider(t, keys.Source{}, fileConfig(path)).Create(t.Context()); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]os.FileMode{
		root:                     0o755, // there before: left alone
		filepath.Join(root, "a"): 0o700, filepath.Join(root, "a", "b"): 0o700, path: 0o600,
	} {
		if got := mode(t, name); got != want {
			t.Errorf("%s has mode %04o, want %04o", name, got, want)
		}
	}
}

func TestFileRefused(t *testing.T) {
	dir := t.TempDir()
	target := filepath.Join(dir, "it's a key")
	writeKey(t, target, []byte(base64.StdEncoding.EncodeToString(canary())))
	link := filepath.Join(dir, "link")
	dangling := filepath.Join(dir, "dangling")
	pipe := filepath.Join(dir, "pipe")
	socket := filepath.Join(dir, "socket")
	for _, err := range []error{
		os.Symlink(target, link),
		os.Symlink(filepath.Join(dir, "nothing"), dangling),
		syscall.Mkfifo(pipe, 0o600),
		listen(t, socket),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, path := range []string{link, dangling, pipe, socket, "/dev/zero"} {
		p := provider(t, keys.Source{}, fileConfig(path))
		for _, get := range []func(context.Context) (keys.Key, error){p.Load, p.Create} {
			_, err := get(t.Context())
			wantCode(t, err, fault.KeyUnavailable)
			if !strings.Contains(err.Error(), path) {
				t.Errorf("%q does not name the file", err)
			}
		}
	}
	if got := names(t, dir); len(got) != 5 {
		t.Errorf("the directory holds %q, want what the test made", got)
	}

	p := provider(t, keys.Source{}, fileConfig(target))
	for _, m := range []os.FileMode{0o640, 0o604, 0o660, 0o644, 0o601} {
		if err := os.Chmod(target, m); err != nil {
			t.Fatal(err)
		}
		_, err := p.Load(t.Context())
		wantCode(t, err, fault.KeyUnavailable)
		if want := `chmod 600 '` + strings.ReplaceAll(target, "'", `'\''`) + `'`; fault.HintOf(err) != want {
			t.Errorf("mode %04o: hint %q, want %q", m, fault.HintOf(err), want)
		}
	}
	if err := os.Chmod(target, 0o400); err != nil {
		t.Fatal(err)
	}
	if key, err := p.Load(t.Context()); err != nil || !bytes.Equal(key.Reveal(), canary()) {
		t.Errorf("a file that its owner may only read does not give the key: %v", err)
	}
}

// listen makes a socket that lives as long as the test.
func listen(t *testing.T, path string) error {
	fd, err := syscall.Socket(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
	if err != nil {
		return err
	}
	t.Cleanup(func() { _ = syscall.Close(fd) })
	return syscall.Bind(fd, &syscall.SockaddrUnix{Name: path})
}

func TestFileForeignOwner(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can give a file away")
	}
	path := filepath.Join(t.TempDir(), "kek.key")
	writeKey(t, path, []byte(base64.StdEncoding.EncodeToString(canary())))
	if err := os.Chown(path, 12345, 12345); err != nil {
		t.Skip("no file can be given away here: ", err)
	}
	_, err := provider(t, keys.Source{}, fileConfig(path)).Load(t.Context())
	wantCode(t, err, fault.KeyUnavailable)
	if !strings.Contains(err.Error(), "another user") {
		t.Errorf("got %q", err)
	}
}

func TestFileCannotBeMade(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "dangling")
	if err := os.Symlink("nowhere", dir); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "kek.key")
	_, err := provider(t, keys.Source{}, fileConfig(path)).Create(t.Context())
	wantCode(t, err, fault.IO)
	if fault.HintOf(err) == "" || strings.Count(err.Error(), dir) != 1 {
		t.Errorf("%q does not name the file once, or comes without a hint", err)
	}
}

func TestFileReadOnlyDirectory(t *testing.T) {
	if os.Geteuid() == 0 {
		t.Skip("root may write everywhere")
	}
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o500); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.Chmod(dir, 0o700) })
	for _, path := range []string{filepath.Join(dir, "kek.key"), filepath.Join(dir, "new", "kek.key")} {
		_, err := provider(t, keys.Source{}, fileConfig(path)).Create(t.Context())
		wantCode(t, err, fault.IO)
		if fault.HintOf(err) == "" {
			t.Errorf("%q comes without a hint", err)
		}
	}
	if got := mode(t, dir); got != 0o500 {
		t.Errorf("the directory now has mode %04o", got)
	}
}

//go:build unix

package attack_test

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"aivault/keys/fault"
)

// workFull makes a call, one while the disk is full, and one when it is not any
// more. It prints how each ended, and how often an upstream was dialled by then.
func workFull(p *process) error {
	var was syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &was); err != nil {
		return err
	}
	full := syscall.Rlimit{Cur: 100, Max: was.Max} // not even a page that is there
	for _, limit := range []syscall.Rlimit{was, full, was} {
		if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
			return err
		}
		p.broker.Close() // each call has to dial
		ended := p.call()
		if _, err := fmt.Fprintln(p.out, ended, p.dialed.Load()); err != nil {
			return err
		}
	}
	return nil
}

// Fault F3, F22.
func TestCase101FullDisk(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	want := map[string]int{"200 1": 1, "audit_unavailable 1": 1, "200 2": 1}
	if got := w.processes(t, 1, "full"); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("it ended with %v, want %v", got, want)
	}
	if n := len(w.up.Requests()); n != 2 {
		t.Errorf("the upstream got %d requests", n)
	}
}

// nobody is a user without any rights.
const nobody = 65534

// Fault F5, F22.
func TestCase101ReadOnly(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(dir string) error{
		"file":              func(dir string) error { return os.Chmod(filepath.Join(dir, "vault.db"), 0o400) },
		"file of no rights": func(dir string) error { return os.Chmod(filepath.Join(dir, "vault.db"), 0) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.allow(t, get(prefix))
			before := w.mark(t)
			cmd := w.worker(t, "calls", "1")
			w.asNobody(t, cmd)
			if err := change(w.dir); err != nil {
				t.Fatal(err)
			}
			out, err := cmd.CombinedOutput()
			if err != nil || string(out) != string(fault.AuditUnavailable)+"\n" {
				t.Errorf("it ended with %q, %v", out, err)
			}
			if n := w.up.Connections() - before.conns; n != 0 {
				t.Errorf("%d connections", n)
			}
			if err := os.Chmod(filepath.Join(w.dir, "vault.db"), 0o600); err != nil {
				t.Fatal(err)
			}
			w.belongTo(t, os.Geteuid())
			w.allow(t, get(prefix))
		})
	}
}

// asNobody has a worker run without the rights of the superuser, to whom no file
// is closed, if the test has them.
func (w *world) asNobody(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	if os.Geteuid() != 0 {
		return
	}
	// What it needs must be in a directory that it can enter.
	above := filepath.Dir(w.dir)
	exe, authority := filepath.Join(above, "worker"), filepath.Join(above, "ca.pem")
	copyFile(t, exe, cmd.Path)
	copyFile(t, authority, cmd.Args[3])
	cmd.Path, cmd.Args[3] = exe, authority
	for _, dir := range []string{above, filepath.Dir(above)} {
		if err := os.Chmod(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	w.belongTo(t, nobody)
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
}

// belongTo gives the vault's directory to a user.
func (w *world) belongTo(t *testing.T, uid int) {
	t.Helper()
	if os.Geteuid() != 0 {
		return
	}
	err := filepath.WalkDir(w.dir, func(path string, _ os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return os.Lchown(path, uid, uid)
	})
	if err != nil {
		t.Fatal(err)
	}
}

func copyFile(t *testing.T, to, from string) {
	t.Helper()
	in, err := os.Open(from)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = in.Close() }()
	out, err := os.OpenFile(to, os.O_CREATE|os.O_WRONLY|os.O_EXCL, 0o755)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(out, in); err != nil {
		t.Fatal(err)
	}
	if err := out.Close(); err != nil {
		t.Fatal(err)
	}
}

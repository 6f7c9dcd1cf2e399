package ui_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"aivault/broker/brokertest"
	"aivault/broker/brokertest/upstream"
	"aivault/ui/setup"
)

// Variables that say that this process is in a machine of its own, and where the
// real program is.
const (
	varMachine = "TEST_SHARED_MACHINE"
	varProgram = "TEST_SHARED_PROGRAM"
)

// sharedSocket is where agents find the daemon.
const sharedSocket = "/var/run/aivault/aivaultd.sock"

// inOwnMachine runs the calling test again as root of a machine of its own: this
// one, but for the files in /etc and /run, of which it has copies. So it has
// users, groups and directories of the system that nobody else sees, and that
// are gone with it.
func inOwnMachine(t *testing.T) {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("only root makes users")
	}
	for _, name := range []string{"unshare", "cp", "useradd", "usermod", "groupadd", "install"} {
		if _, err := exec.LookPath(name); err != nil {
			if os.Getenv("CI") == "true" {
				t.Fatalf("%s is not in PATH", name)
			}
			t.Skipf("%s is not in PATH", name)
		}
	}
	dir, err := os.MkdirTemp("", "aivault-shared-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(ctx, "unshare", "--mount", "--propagation", "private", "--",
		exe, "-test.run", "^"+t.Name()+"$", "-test.v", "-test.timeout", "3m")
	cmd.Env = append(os.Environ(), varMachine+"="+dir, varProgram+"="+binary(t))
	out, err := cmd.CombinedOutput()
	if err != nil || !bytes.Contains(out, []byte("--- PASS: "+t.Name())) {
		t.Errorf("%v\n%s", err, out)
	}
}

// A sharedWorld is that machine, with users, and a service to call.
type sharedWorld struct {
	t       *testing.T
	dir     string // on a file system of its own, which everybody can enter
	exe     string // the real program
	service *upstream.Server
	secret  string
	printed bytes.Buffer // all that programs printed
}

// enterMachine makes the machine, in the process that inOwnMachine started.
func enterMachine(t *testing.T, dir string) *sharedWorld {
	t.Helper()
	mine, err := os.Readlink("/proc/self/ns/mnt")
	theirs, err2 := os.Readlink(fmt.Sprintf("/proc/%d/ns/mnt", os.Getppid()))
	if err != nil || err2 != nil || mine == theirs {
		t.Fatalf("this is nobody's own machine: %v, %v", err, err2)
	}
	w := &sharedWorld{t: t, dir: dir, exe: filepath.Join(dir, "bin", "aivault"), secret: brokertest.Word(t)}
	w.mount("tmpfs", dir, "tmpfs", "mode=755,size=256m")
	for _, name := range []string{"bin", "home", "etc", "run"} {
		w.check(os.Mkdir(filepath.Join(dir, name), 0o755))
	}
	w.root("cp", "-a", "/etc/.", dir+"/etc")
	w.root("install", "-m", "0755", os.Getenv(varProgram), w.exe)
	w.check(os.WriteFile(dir+"/etc/default/useradd", []byte("CREATE_MAIL_SPOOL=no\n"), 0o644))
	w.moveRoot()
	w.mount(dir+"/etc", "/etc", "", "")
	w.mount("tmpfs", "/run", "tmpfs", "mode=755,size=16m")
	w.check(os.MkdirAll("/run/lock", 0o755))
	uid := 58_000
	for _, name := range []string{"alice", "agent", "guest", "eve"} {
		for free := false; !free; uid++ {
			_, err := user.LookupId(strconv.Itoa(uid))
			_, free = errors.AsType[user.UnknownUserIdError](err)
		}
		w.root("useradd", "--no-log-init", "--uid", strconv.Itoa(uid-1), "--user-group", "--create-home", "--home-dir", dir+"/home/"+name, name)
	}
	w.service = brokertest.New(t)
	w.service.Handle(func(rw http.ResponseWriter, _ *http.Request) { _, _ = rw.Write([]byte("fine")) })
	return w
}

// moveRoot gives root a home directory of this machine, which was made by cp.
func (w *sharedWorld) moveRoot() {
	w.t.Helper()
	b, err := os.ReadFile(w.dir + "/etc/passwd")
	w.check(err)
	home := w.dir + "/home/root"
	w.check(os.Mkdir(home, 0o700))
	text, moved := strings.CutPrefix("\n"+string(b), "\nroot:")
	fields := strings.SplitN(text, ":", 6) // password, uid, gid, comment, home, the rest
	if !moved || len(fields) < 6 {
		w.t.Fatal("root is not the first user in /etc/passwd")
	}
	fields[4] = home
	w.check(os.WriteFile(w.dir+"/etc/passwd", []byte("root:"+strings.Join(fields, ":")), 0o644))
}

func (w *sharedWorld) mount(source, target, kind, options string) {
	w.t.Helper()
	flags := uintptr(syscall.MS_NOSUID | syscall.MS_NODEV)
	if kind == "" {
		flags = syscall.MS_BIND
	}
	w.check(syscall.Mount(source, target, kind, flags, options))
}

func (w *sharedWorld) check(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// root runs a program of the system that has to succeed.
func (w *sharedWorld) root(name string, args ...string) {
	w.t.Helper()
	if out, err := exec.Command(name, args...).CombinedOutput(); err != nil {
		w.t.Fatalf("%s %v: %v\n%s", name, args, err, out)
	}
}

// user returns an account as it is now.
func (w *sharedWorld) user(name string) setup.User {
	w.t.Helper()
	u, err := setup.Local().Lookup(name)
	w.check(err)
	return u
}

// as makes a command that a user runs who has just logged in.
func (w *sharedWorld) as(name string, argv ...string) *exec.Cmd {
	w.t.Helper()
	u := w.user(name)
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Dir = u.Home
	cmd.Env = []string{"HOME=" + u.Home, "USER=" + name, "LOGNAME=" + name, "PATH=" + filepath.Dir(w.exe) + ":/usr/sbin:/usr/bin:/sbin:/bin"}
	cred := &syscall.Credential{Uid: uint32(u.UID), Gid: uint32(u.GID)}
	for _, g := range u.Groups {
		cred.Groups = append(cred.Groups, uint32(g))
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: cred}
	return cmd
}

// A result is what a command came to.
type result struct {
	out, errs string
	status    int
}

// run runs a command to its end; what it printed is kept to look for the key in.
func (w *sharedWorld) run(cmd *exec.Cmd) result {
	w.t.Helper()
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil && cmd.ProcessState == nil {
		w.t.Fatal(err)
	}
	w.printed.Write(out.Bytes())
	w.printed.Write(errs.Bytes())
	return result{out.String(), errs.String(), cmd.ProcessState.ExitCode()}
}

// aivault runs the real program as a user.
func (w *sharedWorld) aivault(name string, args ...string) result {
	w.t.Helper()
	return w.run(w.as(name, append([]string{w.exe}, args...)...))
}

// must is aivault, of what has to succeed.
func (w *sharedWorld) must(name string, args ...string) string {
	w.t.Helper()
	r := w.aivault(name, args...)
	if r.status != 0 {
		w.t.Fatalf("%s: aivault %s: status %d\n%s%s", name, strings.Join(args, " "), r.status, r.out, r.errs)
	}
	return r.out
}

// sudo runs the real program as root, as alice does by sudo.
func (w *sharedWorld) sudo(args ...string) result {
	w.t.Helper()
	alice := w.user("alice")
	cmd := w.as("root", append([]string{w.exe}, args...)...)
	cmd.Env = append(cmd.Env, "SUDO_USER=alice", fmt.Sprintf("SUDO_UID=%d", alice.UID))
	return w.run(cmd)
}

// store gives alice a vault, with a key that every context may use.
func (w *sharedWorld) store() {
	w.t.Helper()
	alice := w.user("alice")
	file := func(name, content string) string {
		path := filepath.Join(alice.Home, name)
		w.check(os.WriteFile(path, []byte(content), 0o600))
		w.check(os.Chown(path, alice.UID, alice.GID))
		return path
	}
	key, ca := file("key", w.secret), file("ca.pem", string(w.service.CAPEM()))
	id := uuids.FindString(w.must("alice", "secrets", "create", "--name", "ALICES_KEY", "--value-file", key, "--json"))
	w.must("alice", "credential", "create", "acme", "--provider", "acme", "--secret-ref", id, "--value-file", key, "--auth", "header",
		"--host", fmt.Sprintf("localhost:%d", w.service.Port()), "--allow-private", "--ca-cert", ca)
	w.must("alice", "capability", "create", "acme/items", "--credential", "acme", "--method", "GET", "--path", "/items")
	w.must("alice", "capability", "create", "acme/others", "--credential", "acme", "--method", "GET", "--path", "/others")
	w.check(os.Remove(key))
}

// A sharedDaemon is a daemon of alice's that others may call.
type sharedDaemon struct {
	cmd  *exec.Cmd
	errs bytes.Buffer
	done chan struct{} // closed at its end
}

// startDaemon starts it, whatever the umask, and waits until it listens.
func (w *sharedWorld) startDaemon() *sharedDaemon {
	w.t.Helper()
	d := &sharedDaemon{cmd: w.as("alice", "sh", "-c", `umask 000; exec "$0" daemon --shared`, w.exe), done: make(chan struct{})}
	d.cmd.Stdout, d.cmd.Stderr = &d.errs, &d.errs
	w.check(d.cmd.Start())
	go func() {
		_ = d.cmd.Wait()
		close(d.done)
	}()
	w.t.Cleanup(func() { d.end(w.t, syscall.SIGKILL) })
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		conn, err := net.Dial("unix", sharedSocket)
		if err == nil {
			_ = conn.Close()
			return d
		}
		select {
		case <-d.done:
			w.t.Fatalf("the daemon ended: %s", d.errs.String())
		default:
		}
		if time.Now().After(deadline) {
			w.t.Fatalf("the daemon does not listen: %v", err)
		}
	}
}

// end ends the daemon by a signal.
func (d *sharedDaemon) end(t *testing.T, s syscall.Signal) {
	t.Helper()
	_ = d.cmd.Process.Signal(s)
	select {
	case <-d.done:
	case <-time.After(20 * time.Second):
		t.Error("the daemon does not end")
	}
}

// owned checks the owners and the mode of a path.
func (w *sharedWorld) owned(path, owner, group string, mode fs.FileMode) {
	w.t.Helper()
	h := setup.Local()
	st, err := h.Stat(path)
	w.check(err)
	gid, _, err := h.Group(group)
	w.check(err)
	if st.UID != w.user(owner).UID || st.GID != gid || st.Mode != mode {
		w.t.Errorf("%s has mode %v and belongs to %d and %d, want %v, %s and %s", path, st.Mode, st.UID, st.GID, mode, owner, group)
	}
}

// strangers returns what is in a directory and is not a user's.
func (w *sharedWorld) strangers(dir, owner string) []string {
	w.t.Helper()
	var found []string
	uid := w.user(owner).UID
	w.check(filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if st, err := setup.Local().Stat(path); err != nil || st.UID != uid {
			found = append(found, path)
		}
		return nil
	}))
	return slices.Clip(found)
}

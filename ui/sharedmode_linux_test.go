package ui_test

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"aivault/broker/brokertest"
)

// TestSharedMode is the life of shared mode with real users: alice has the
// vault, agent was granted a context, guest may connect and has no grant, and
// eve is somebody else.
func TestSharedMode(t *testing.T) {
	dir := os.Getenv(varMachine)
	if dir == "" {
		t.Parallel()
		inOwnMachine(t)
		return
	}
	w := enterMachine(t, dir)
	t.Run("Setup", w.testSetup)
	t.Run("NotThroughTraps", w.testTraps)
	w.must("alice", "invoke", "acme/items") // which starts a daemon for her alone
	d := w.startDaemon()
	t.Run("OneDaemon", w.testOneDaemon)
	t.Run("Socket", w.testSocket)
	t.Run("Calls", w.testCalls)
	t.Run("NothingElse", w.testNothingElse)
	t.Run("Files", func(t *testing.T) { w.testFiles(t, d) })
	t.Run("Audit", w.testAudit)
	t.Run("TakenBack", w.testTakenBack)
	t.Run("End", func(t *testing.T) { w.testEnd(t, d) })
	t.Run("Unlocked", w.testUnlocked)
	brokertest.Scan(t, "what programs printed", w.printed.Bytes(), w.secret)
	brokertest.ScanDir(t, filepath.Join(dir, "home"), w.secret)
}

// in runs a subtest of the world with its own testing.T.
func (w *sharedWorld) in(t *testing.T) *sharedWorld {
	t.Helper()
	outer := w.t
	w.t = t
	t.Cleanup(func() { w.t = outer })
	return w
}

func (w *sharedWorld) testSetup(t *testing.T) {
	w.in(t)
	w.store()
	setup := []string{"setup", "agent-access", "--agent-user", "agent", "--workspace-id", "shop", "--group-id", "payments"}
	if r := w.sudo(slices.Concat(setup, []string{"--dry-run"})...); r.status != 0 || !strings.Contains(r.out, "\n$ usermod -aG aivault agent\n") {
		t.Errorf("dry run: status %d\n%s%s", r.status, r.out, r.errs)
	}
	if _, err := os.Lstat("/run/aivault"); err == nil || w.aivault("alice", "setup", "agent-access", "--list").out != "No other user may call.\n" {
		t.Error("the dry run did something")
	}
	if r := w.aivault("alice", setup...); r.status != 3 || !strings.Contains(r.errs, "it takes root") {
		t.Errorf("without root: status %d\n%s", r.status, r.errs)
	}
	hidden := w.as("root", filepath.Join(w.user("root").Home, "aivault"))
	w.root("install", "-m", "0755", w.exe, hidden.Path)
	hidden.Args, hidden.Env = append(hidden.Args, "setup", "agent-access", "--list"), append(hidden.Env, "SUDO_USER=alice")
	if r := w.run(hidden); r.status != 2 || !strings.Contains(r.errs, "user alice cannot run "+hidden.Path) {
		t.Errorf("a program that alice cannot reach: status %d\n%s%s", r.status, r.out, r.errs)
	}
	if r := w.sudo(setup...); r.status != 0 || strings.Count(r.out, "done ") != 6 {
		t.Errorf("status %d\n%s%s", r.status, r.out, r.errs)
	}
	if r := w.sudo(setup...); r.status != 0 || strings.Contains(r.out, "done ") || strings.Count(r.out, "already ") != 6 {
		t.Errorf("the second time: status %d\n%s%s", r.status, r.out, r.errs)
	}
	if r := w.sudo("setup", "agent-access", "--agent-user", "guest"); r.status != 0 {
		t.Errorf("guest: status %d\n%s%s", r.status, r.out, r.errs)
	}
	if found := w.strangers(w.user("alice").Home, "alice"); len(found) > 0 {
		t.Errorf("in alice's home directory, these are not hers: %v", found)
	}
	w.owned("/run/aivault", "alice", "aivault", fs.ModeDir|fs.ModeSetgid|0o750)
	w.owned("/etc/tmpfiles.d/aivault.conf", "root", "root", 0o644)

	// Nobody else says who may call.
	for _, name := range []string{"agent", "eve"} {
		if r := w.aivault(name, "setup", "agent-access", "--agent-user", "eve", "--workspace-id", "shop", "--daemon-user", "alice"); r.status != 3 {
			t.Errorf("%s granted something: status %d\n%s%s", name, r.status, r.out, r.errs)
		}
	}

	// A boot: /run is empty again.
	if tmpfiles, err := exec.LookPath("systemd-tmpfiles"); err == nil {
		w.check(os.RemoveAll("/run/aivault"))
		w.root(tmpfiles, "--create", "/etc/tmpfiles.d/aivault.conf")
		w.owned("/run/aivault", "alice", "aivault", fs.ModeDir|fs.ModeSetgid|0o750)
	}
}

// Case 123. Neither setup nor the daemon goes through what somebody could have
// put in the place of the socket's directory.
func (w *sharedWorld) testTraps(t *testing.T) {
	w.in(t)
	refuses := func(what, says string) {
		t.Helper()
		if r := w.sudo("setup", "agent-access", "--agent-user", "agent"); r.status != 9 || !strings.Contains(r.errs, says) {
			t.Errorf("%s: setup, status %d\n%s%s", what, r.status, r.out, r.errs)
		}
		r := w.run(w.as("alice", "timeout", "-k", "1", "5", w.exe, "daemon", "--shared"))
		if r.status == 0 || r.status >= 124 {
			t.Errorf("%s: the daemon started: status %d\n%s%s", what, r.status, r.out, r.errs)
		}
	}
	trap := filepath.Join(w.user("eve").Home, "trap")
	w.check(os.Mkdir(trap, 0o755))
	w.check(os.Rename("/run/aivault", "/run/away"))
	w.check(os.Symlink(trap, "/run/aivault"))
	refuses("a link", "is a symbolic link")
	if st, err := os.Stat(trap); err != nil || st.Mode().Perm() != 0o755 {
		t.Errorf("what the link points to is now %v, %v", st, err)
	}
	w.check(os.Remove("/run/aivault"))
	w.check(os.Mkdir("/run/aivault", 0o755))
	w.check(os.Chown("/run/aivault", w.user("eve").UID, -1))
	refuses("eve's directory", fmt.Sprintf("belongs to user %d", w.user("eve").UID))
	w.check(os.Remove("/run/aivault"))
	w.check(os.Rename("/run/away", "/run/aivault"))
	w.check(os.Chmod("/run/aivault", 0o777))
	if r := w.run(w.as("alice", "timeout", "-k", "1", "5", w.exe, "daemon", "--shared")); r.status == 0 || r.status >= 124 {
		t.Errorf("the daemon started where all can write: status %d\n%s%s", r.status, r.out, r.errs)
	}
	if r := w.sudo("setup", "agent-access", "--agent-user", "agent"); r.status != 0 || strings.Count(r.out, "done ") != 1 {
		t.Errorf("a wrong mode was not put right: status %d\n%s%s", r.status, r.out, r.errs)
	}
	w.owned("/run/aivault", "alice", "aivault", fs.ModeDir|fs.ModeSetgid|0o750)
}

// Fault F13. A daemon that a command of alice's started makes way for the shared
// one, which serves her too; a second shared one does not start.
func (w *sharedWorld) testOneDaemon(t *testing.T) {
	w.in(t)
	if r := w.run(w.as("alice", "timeout", "-k", "1", "20", w.exe, "daemon", "--shared")); r.status != 9 || !strings.Contains(r.errs, "serves this vault already") {
		t.Errorf("a second shared daemon: status %d\n%s%s", r.status, r.out, r.errs)
	}
	w.must("alice", "invoke", "acme/items")
	running := 0
	all, err := filepath.Glob("/proc/[0-9]*")
	w.check(err)
	for _, dir := range all {
		exe, err := os.Readlink(dir + "/exe")
		line, err2 := os.ReadFile(dir + "/cmdline")
		if err == nil && err2 == nil && exe == w.exe && strings.Contains(string(line), "\x00daemon\x00") {
			running++
		}
	}
	if running != 1 {
		t.Errorf("%d daemons run", running)
	}
}

// Case 121, 122.
func (w *sharedWorld) testSocket(t *testing.T) {
	w.in(t)
	w.owned(sharedSocket, "alice", "aivault", fs.ModeSocket|0o660)
	if r := w.run(w.as("eve", "ls", "/run/aivault/")); r.status == 0 {
		t.Errorf("eve looks into the directory: %s", r.out)
	}
	for _, name := range []string{"agent", "guest"} {
		for _, script := range []string{
			"touch /run/aivault/x", "mkdir /run/aivault/x", "ln -s /tmp /run/aivault/x", "rm -f " + sharedSocket,
			"mv " + sharedSocket + " /run/aivault/y", "chmod 777 " + sharedSocket, "chmod 777 /run/aivault",
		} {
			if r := w.run(w.as(name, "sh", "-c", script)); r.status == 0 {
				t.Errorf("%s did: %s", name, script)
			}
		}
	}
	w.owned(sharedSocket, "alice", "aivault", fs.ModeSocket|0o660)
}

// Case 95, 97. A call is made in the context that was granted, by the user to
// whom it was, and what is refused says nothing of what there is.
func (w *sharedWorld) testCalls(t *testing.T) {
	w.in(t)
	granted := []string{"--workspace-id", "shop", "--group-id", "payments"}
	before := len(w.service.Requests())
	call := func(name, capability string, context ...string) result {
		t.Helper()
		return w.aivault(name, slices.Concat([]string{"invoke", capability}, context, []string{"--json"})...)
	}
	for range 2 {
		if r := call("agent", "acme/items", granted...); r.status != 0 || !strings.Contains(r.out, `fine`) {
			t.Fatalf("status %d\n%s%s", r.status, r.out, r.errs)
		}
	}
	if r := w.aivault("agent", "invoke", "acme/others", "--stream", "--workspace-id", "shop", "--group-id", "payments"); r.status != 0 || r.out != "fine" {
		t.Errorf("another capability, streamed: status %d\n%s%s", r.status, r.out, r.errs)
	}
	all := w.service.Requests()[before:]
	if len(all) != 3 || all[0].Get("Authorization") != "Bearer "+w.secret {
		t.Fatalf("the service got %d requests, or not the key", len(all))
	}
	if r := call("agent", "acme/nothing", granted...); r.status != 5 {
		t.Errorf("a capability that there is not: status %d\n%s%s", r.status, r.out, r.errs)
	}
	said := map[string]bool{}
	for _, test := range []struct {
		name    string
		context []string
	}{
		{"agent", nil},
		{"agent", []string{"--workspace-id", "shop"}},
		{"agent", []string{"--workspace-id", "shop", "--group-id", "refunds"}},
		{"agent", []string{"--workspace-id", "other", "--group-id", "payments"}},
		{"guest", granted},
		{"root", granted},
	} {
		for _, capability := range []string{"acme/items", "acme/nothing"} {
			r := call(test.name, capability, test.context...)
			if r.status != 3 || !strings.Contains(r.errs, `"policy_violation"`) {
				t.Errorf("%s %v, %s: status %d\n%s%s", test.name, test.context, capability, r.status, r.out, r.errs)
			}
			said[r.errs] = true
		}
	}
	if len(said) != 6 {
		t.Errorf("what is refused depends on what there is: %v", said)
	}
	if r := call("eve", "acme/items", granted...); r.status == 0 {
		t.Errorf("eve called: %s", r.out)
	}
	if n := len(w.service.Requests()) - before; n != 3 {
		t.Errorf("the service got %d requests", n)
	}
}

// The audit log says whose call each one was.
func (w *sharedWorld) testAudit(t *testing.T) {
	w.in(t)
	var rows []struct {
		Kind, Outcome, Actor, WorkspaceID, GroupID, Capability string
		UID, PID                                               int
	}
	w.check(json.Unmarshal([]byte(w.must("alice", "audit", "--json", "--limit", "1000")), &rows))
	calls, agent, guest := 0, w.user("agent").UID, w.user("guest").UID
	refused := map[int]bool{}
	for _, r := range rows {
		switch {
		case r.Capability == "" || r.Kind == "capability.create":
		case r.Outcome == "ok" && r.UID == agent && r.PID > 0 && r.Actor == "agent" && r.WorkspaceID == "shop" && r.GroupID == "payments":
			calls++
		case r.UID == w.user("alice").UID && r.WorkspaceID == "" && r.Actor == "operator": // her own
		case r.UID == w.user("alice").UID:
			t.Errorf("a call by somebody else has alice's name: %+v", r)
		default:
			refused[r.UID] = true
		}
	}
	if calls == 0 || !refused[agent] || !refused[guest] || !refused[0] {
		t.Errorf("%d calls of the agent, refused were %v", calls, refused)
	}
	w.must("alice", "audit", "verify")
}

// A grant that is taken back is gone with the next call.
func (w *sharedWorld) testTakenBack(t *testing.T) {
	w.in(t)
	invoke := []string{"invoke", "acme/items", "--workspace-id", "shop", "--group-id", "payments"}
	if r := w.sudo("setup", "agent-access", "--remove", "--agent-user", "agent", "--workspace-id", "shop", "--group-id", "payments"); r.status != 0 {
		t.Errorf("status %d\n%s%s", r.status, r.out, r.errs)
	}
	if r := w.aivault("agent", invoke...); r.status != 3 {
		t.Errorf("without the grant: status %d\n%s%s", r.status, r.out, r.errs)
	}
	w.must("alice", "setup", "agent-access", "--agent-user", "agent", "--workspace-id", "shop", "--group-id", "payments")
	if r := w.aivault("agent", invoke...); r.status != 0 {
		t.Errorf("with the grant: status %d\n%s%s", r.status, r.out, r.errs)
	}
}

// Asked to end, the daemon leaves no socket; killed, it leaves one that the next
// daemon takes away.
func (w *sharedWorld) testEnd(t *testing.T, d *sharedDaemon) {
	w.in(t)
	d.end(t, syscall.SIGTERM)
	if left, err := os.ReadDir("/run/aivault"); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
	invoke := []string{"invoke", "acme/items", "--workspace-id", "shop", "--group-id", "payments"}
	if r := w.aivault("agent", invoke...); r.status == 0 {
		t.Errorf("without a daemon: %s", r.out)
	}
	w.startDaemon().end(t, syscall.SIGKILL)
	w.startDaemon()
	if r := w.aivault("agent", invoke...); r.status != 0 {
		t.Errorf("after a kill: status %d\n%s%s", r.status, r.out, r.errs)
	}
	if found := w.strangers(w.user("alice").Home, "alice"); len(found) > 0 {
		t.Errorf("in alice's home directory, these are not hers: %v", found)
	}
}

// A vault that a passphrase opens serves agents once its owner has unlocked it,
// until she locks it; they learn of it no more than that.
func (w *sharedWorld) testUnlocked(t *testing.T) {
	w.in(t)
	alice := w.user("alice")
	phrase := filepath.Join(alice.Home, "phrase")
	w.check(os.WriteFile(phrase, []byte(brokertest.Word(t)+"\n"), 0o600))
	w.check(os.Chown(phrase, alice.UID, alice.GID))
	slot := uuids.FindString(w.must("alice", "key", "list", "--json"))
	w.must("alice", "key", "add", "--provider", "passphrase", "--new-passphrase-file", phrase)
	w.must("alice", "key", "remove", slot, "--passphrase-file", phrase)
	w.startDaemon()
	invoke := []string{"invoke", "acme/items", "--workspace-id", "shop", "--group-id", "payments"}
	locked := func(when string) {
		t.Helper()
		if r := w.aivault("agent", invoke...); r.status != 6 || strings.Contains(r.errs, "passphrase") {
			t.Errorf("%s: status %d\n%s%s", when, r.status, r.out, r.errs)
		}
	}
	locked("locked")
	w.must("alice", "unlock", "--passphrase-file", phrase)
	if r := w.aivault("agent", invoke...); r.status != 0 {
		t.Errorf("unlocked: status %d\n%s%s", r.status, r.out, r.errs)
	}
	w.must("alice", "lock")
	locked("locked again")
}

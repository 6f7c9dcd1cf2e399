package ui_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"aivault/keys/fault"
)

// Case 128. An agent may make calls; every other method of the vault and the
// broker is refused, and its own commands show nothing of alice's.
func (w *sharedWorld) testNothingElse(t *testing.T) {
	w.in(t)
	for _, name := range []string{"agent", "guest", "root"} {
		r := w.run(w.as(name, w.probe(), sharedSocket))
		var p probed
		if err := json.Unmarshal([]byte(r.out), &p); err != nil {
			t.Fatalf("%s: status %d: %v\n%s%s", name, r.status, err, r.out, r.errs)
		}
		if h := p.Hello; h.Operator || h.Open || h.Kept || h.PID != 0 || !h.Shared {
			t.Errorf("%s: the daemon says %+v of itself", name, p.Hello)
		}
		if len(p.Codes) < 55 {
			t.Errorf("%s: only %d methods were called", name, len(p.Codes))
		}
		for method, code := range p.Codes {
			want := fault.OperatorAuthRequired
			switch method {
			case "Invoke", "Stream":
				want = fault.PolicyViolation
			case "State", "Init", "AddSlot", "Compare", "Restore", "Salvage", "Backup", "RotateMaster", "FinishRotation":
				if code != "" { // that of having no vault to do it in, perhaps
					want = code
				}
			}
			if code != want {
				t.Errorf("%s: %s: got %q, want %q", name, method, code, want)
			}
		}
	}
	if r := w.aivault("agent", "invoke", "acme/items", "--workspace-id", "shop", "--group-id", "payments"); r.status != 0 {
		t.Errorf("the daemon was stopped or locked: status %d\n%s", r.status, r.errs)
	}
	for _, args := range [][]string{
		{"secrets", "list"},
		{"credential", "list"},
		{"audit"},
		{"key", "list"},
		{"capability", "bindings"},
		{"setup", "agent-access", "--list"},
		{"status"},
		{"doctor"},
		{"capability", "list"},
		{"explain", "acme/items", "--workspace-id", "shop", "--group-id", "payments"},
	} {
		r := w.aivault("agent", args...)
		if strings.Contains(r.out+r.errs, "ALICES_KEY") || strings.Contains(r.out, "acme") || strings.Contains(r.out+r.errs, w.user("alice").Home) {
			t.Errorf("aivault %s shows of alice's:\n%s%s", strings.Join(args, " "), r.out, r.errs)
		}
	}
	for _, args := range [][]string{{"secrets", "list"}, {"audit"}, {"lock"}, {"backup", "x"}, {"invoke", "acme/items"}} {
		cmd := w.as("agent", append([]string{w.exe}, args...)...)
		cmd.Env = append(cmd.Env, "AIVAULT_DIR="+filepath.Join(w.user("alice").Home, ".aivault/data/vault"))
		if r := w.run(cmd); r.status == 0 {
			t.Errorf("agent did, in alice's vault: aivault %s\n%s", strings.Join(args, " "), r.out)
		}
	}
}

// probe returns the path of a program that calls every method of a daemon.
func (w *sharedWorld) probe() string {
	w.t.Helper()
	path := filepath.Join(w.dir, "bin", "probe")
	if _, err := os.Stat(path); err != nil {
		exe, err := os.Executable()
		w.check(err)
		w.root("install", "-m", "0755", exe, path)
	}
	return path
}

// Nothing that would give the key away can be read, neither where the vault is
// nor in the daemon's process.
func (w *sharedWorld) testFiles(t *testing.T, d *sharedDaemon) {
	w.in(t)
	home, proc := filepath.Join(w.user("alice").Home, ".aivault"), fmt.Sprintf("/proc/%d", d.cmd.Process.Pid)
	if r := w.run(w.as("alice", "ls", "-R", home)); r.status != 0 || !strings.Contains(r.out, "vault.db") || !strings.Contains(r.out, "kek.key") {
		t.Fatalf("this is not where the vault is: %s%s", r.out, r.errs)
	}
	for _, name := range []string{"agent", "guest", "eve"} {
		for _, argv := range [][]string{
			{"ls", home},
			{"cat", home + "/data/vault/vault.db"},
			{"cat", home + "/keys/kek.key"},
			{"ls", home + "/run"},
			{"ls", home + "/state"},
			{"cat", proc + "/environ"},
			{"cat", proc + "/mem"},
			{"cat", proc + "/maps"},
			{"cat", proc + "/auxv"},
			{"cat", proc + "/stack"},
			{"ls", proc + "/fd/"},
			{"ls", proc + "/cwd/"},
			{"ls", proc + "/root/"},
			{"readlink", proc + "/exe"},
			{"kill", "-TERM", fmt.Sprint(d.cmd.Process.Pid)},
			{"kill", "-ABRT", fmt.Sprint(d.cmd.Process.Pid)},
		} {
			if r := w.run(w.as(name, argv...)); r.status == 0 {
				t.Errorf("%s did: %s", name, strings.Join(argv, " "))
			}
		}
	}
}

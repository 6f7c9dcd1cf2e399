//go:build unix

package setup_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"aivault/keys/fault"
	"aivault/ui/setup"
	"aivault/ui/setup/setuptest"
)

// Case 131. A program that root runs is the system's, whatever PATH says, and
// gets nothing of the environment that somebody else made.
func TestRunsProgramsOfTheSystem(t *testing.T) {
	trap := t.TempDir()
	for _, name := range []string{"env", "aivault-no-such-program"} {
		if err := os.WriteFile(filepath.Join(trap, name), []byte("#!/bin/sh\necho trapped\n"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("PATH", trap)
	t.Setenv("LD_PRELOAD", "/nowhere/trap.so")
	t.Setenv("AIVAULT_DIR", trap)
	h := setup.Local()
	out, err := h.Run(t.Context(), setup.Command{Argv: []string{"env"}, Env: []string{"MORE=1"}})
	if err != nil || out.Status != 0 {
		t.Fatalf("%v, %+v", err, out)
	}
	want := []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C", "LC_ALL=C", "MORE=1"}
	if diff := cmp.Diff(want, strings.Fields(string(out.Stdout))); diff != "" {
		t.Errorf("its environment (-want +got):\n%s", diff)
	}
	if _, err := h.Run(t.Context(), setup.Command{Argv: []string{"aivault-no-such-program"}}); fault.CodeOf(err) != fault.IO || fault.HintOf(err) == "" {
		t.Errorf("a program that the system does not have: %v", err)
	}
}

func TestRun(t *testing.T) {
	t.Parallel()
	h := setup.Local()
	open, err := os.Open("local_unix_test.go")
	if err != nil {
		t.Fatal(err)
	}
	defer open.Close()
	out, err := h.Run(t.Context(), setup.Command{
		Argv: []string{"sh", "-c", "pwd; cat; head -1 <&3; echo no >&2; exit 3"}, Stdin: strings.NewReader("in\n"), File: open,
	})
	if err != nil || out.Status != 3 || string(out.Stdout) != "/\nin\n//go:build unix\n" || string(out.Stderr) != "no\n" {
		t.Errorf("%v, status %d, %q, %q", err, out.Status, out.Stdout, out.Stderr)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := h.Run(ctx, setup.Command{Argv: []string{"sleep", "60"}}); fault.CodeOf(err) != fault.Canceled {
		t.Errorf("got %v", err)
	}
}

// This machine is looked at as it is.
func TestLocal(t *testing.T) {
	t.Parallel()
	h := setup.Local()
	root, err := h.Lookup("root")
	if err != nil || root.UID != 0 || len(root.Groups) == 0 {
		t.Errorf("root is %+v, %v", root, err)
	}
	if again, err := h.UserOf(0); err != nil || again.Name != "root" {
		t.Errorf("user 0 is %+v, %v", again, err)
	}
	if _, ok, err := h.Group("aivault-no-such-group"); ok || err != nil {
		t.Errorf("a group that there is not: %v, %v", ok, err)
	}
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink("/", link); err != nil {
		t.Fatal(err)
	}
	if st, err := h.Stat(link); err != nil || st.Mode&fs.ModeSymlink == 0 || st.UID != os.Getuid() {
		t.Errorf("a link is %+v, %v", st, err)
	}
	if _, err := h.Stat(link + "-not"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v", err)
	}
}

// systemd itself finds nothing to say against the unit.
func TestSystemdTakesTheUnit(t *testing.T) {
	t.Parallel()
	analyze, err := exec.LookPath("systemd-analyze")
	if err != nil {
		t.Skip("there is no systemd-analyze")
	}
	m := setuptest.New("linux", t.TempDir())
	h := m.Host(0)
	s := service(t, h)
	s.Dir = "/srv/vault"
	p, err := h.Systemd(t.Context(), s, true)
	if err != nil {
		t.Fatal(err)
	}
	// Of a unit, it also looks for the program and the user.
	text := strings.NewReplacer("User=alice", "User=root", "Group=aivault", "Group=root", setuptest.Program, "/bin/sh").
		Replace(p.Steps[fileIndex(t, p)].File.Content)
	path := filepath.Join(t.TempDir(), "aivaultd-shared.service")
	if err := file(text, 0o644)(path); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command(analyze, "verify", path).CombinedOutput(); err != nil || strings.Contains(string(out), path) || strings.Contains(string(out), "aivaultd-shared") {
		t.Errorf("%v: %s\n%s", err, out, text)
	}
}

//go:build unix

package setup_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"os/user"
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

// A user of a directory service is one, too, though the files of the system do
// not have it; what getent prints is not trusted to be well formed.
func TestUsersOfAService(t *testing.T) {
	t.Parallel()
	const name, uid = "aivault-no-such-user", 4_000_000_001
	for _, test := range []struct {
		passwd, groups string
		status         int
		want           *setup.User // nil: it is an error
		absent         bool        // there is no such user
	}{
		{name + ":*:4000000001:70:Some One:/home/x:/bin/sh\n", "70 990\n", 0, &setup.User{Name: name, Home: "/home/x", UID: uid, GID: 70, Groups: []int{70, 990}}, false},
		{"", "", 2, nil, true},
		{"other:*:1:70::/:/bin/sh\n", "70\n", 0, nil, false},
		{"garbage\n", "70\n", 0, nil, false},
		{name + ":*:-1:70::/home/x:/bin/sh\n", "70\n", 0, nil, false},
		{name + ":*:4000000001:4294967296::/home/x:/bin/sh\n", "70\n", 0, nil, false},
		{name + ":*:4000000001:70::/home/x:/bin/sh\n", "70 wheel\n", 0, nil, false},
		{name + ":*:4000000001:70::/home/x:/bin/sh:more\n", "70\n", 0, nil, false},
	} {
		h := setup.Local()
		h.OS = "linux"
		h.Run = func(_ context.Context, c setup.Command) (setup.Output, error) {
			switch {
			case c.Argv[0] == "getent":
				return setup.Output{Stdout: []byte(test.passwd), Status: test.status}, nil
			case strings.Join(c.Argv, " ") == "id -G "+name:
				return setup.Output{Stdout: []byte(test.groups)}, nil
			}
			return setup.Output{Status: 1}, nil
		}
		for by, lookup := range map[string]func() (setup.User, error){
			"name":   func() (setup.User, error) { return h.User(name) },
			"number": func() (setup.User, error) { return h.UserOf(uid) },
		} {
			got, err := lookup()
			if test.want != nil {
				if diff := cmp.Diff(*test.want, got); diff != "" || err != nil {
					t.Errorf("%q by %s: %v (-want +got):\n%s", test.passwd, by, err, diff)
				}
				continue
			}
			_, noName := errors.AsType[user.UnknownUserError](err)
			_, noID := errors.AsType[user.UnknownUserIdError](err)
			if err == nil || test.absent != (noName || noID) {
				t.Errorf("%q by %s: got %+v, %v", test.passwd, by, got, err)
			}
		}
	}
}

// Whatever a directory service says, who is returned is who was asked for, and
// can be set up or is refused.
func FuzzUsersOfAService(f *testing.F) {
	f.Add("nobody-here", "nobody-here:*:70001:70::/home/x:/bin/sh\n", "70 990\n")
	f.Add("70001", "nobody-here:*:70001:70::/home/x:/bin/sh\n", "70\n")
	f.Add("a%n", "a%n:x:1:1::/:/\n", "1")
	f.Fuzz(func(t *testing.T, name, passwd, groups string) {
		h := setup.Local()
		h.OS = "linux"
		h.Run = func(_ context.Context, c setup.Command) (setup.Output, error) {
			return setup.Output{Stdout: []byte(map[bool]string{true: passwd, false: groups}[c.Argv[0] == "getent"])}, nil
		}
		u, err := h.Lookup(name)
		if err != nil {
			return
		}
		if u.Name != name || u.UID < 0 || u.GID < 0 || len(u.Groups) == 0 || u.Groups[0] != u.GID || !filepath.IsAbs(u.Home) || strings.ContainsAny(name, " \n%$:/") {
			t.Errorf("%q is %+v", name, u)
		}
	})
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

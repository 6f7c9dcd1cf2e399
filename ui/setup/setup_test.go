package setup_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"aivault/keys/fault"
	"aivault/ui/setup"
	"aivault/ui/setup/setuptest"
)

const (
	tmpfiles = "/etc/tmpfiles.d/aivault.conf"
	unit     = "/etc/systemd/system/aivaultd-shared.service"
	plist    = "/home/alice/Library/LaunchAgents/com.aivault.aivaultd.shared.plist"
)

// A kind is one of the things that are set up, on a system.
type kind struct {
	name, goos string
	uid        int // who does it
	plan       func(t *testing.T, h *setup.Host) (setup.Plan, error)
	runs       []string // its commands, on a machine where nothing was done
	writes     string   // its file
}

func kinds() []kind {
	access := func(t *testing.T, h *setup.Host) (setup.Plan, error) {
		return h.AgentAccess(lookup(t, h, "agent"), lookup(t, h, "alice"))
	}
	return []kind{
		{"agent-access on Linux", "linux", 0, access, []string{
			"groupadd --system aivault",
			"usermod -aG aivault alice",
			"usermod -aG aivault agent",
			"install -d -m 2750 -o alice -g aivault /run/aivault",
		}, tmpfiles},
		{"agent-access on macOS", "darwin", 0, access, []string{
			"dseditgroup -o create aivault",
			"dseditgroup -o edit -a alice -t user aivault",
			"dseditgroup -o edit -a agent -t user aivault",
			"mkdir -m 0755 /Users/Shared/aivault",
			"install -d -m 2750 -o alice -g aivault /Users/Shared/aivault/run",
		}, ""},
		{"systemd", "linux", 0, func(t *testing.T, h *setup.Host) (setup.Plan, error) {
			return h.Systemd(t.Context(), service(t, h), false)
		}, []string{
			"groupadd --system aivault",
			"systemctl daemon-reload",
			"systemctl enable --now aivaultd-shared.service",
		}, unit},
		{"launchd", "darwin", setuptest.Alice, func(t *testing.T, h *setup.Host) (setup.Plan, error) {
			return h.Launchd(t.Context(), service(t, h), false)
		}, []string{
			"mkdir -p /home/alice/Library/LaunchAgents",
			"launchctl enable gui/1001/com.aivault.aivaultd.shared",
			"launchctl bootstrap gui/1001 " + plist,
			"launchctl kickstart gui/1001/com.aivault.aivaultd.shared",
		}, plist},
	}
}

func lookup(t *testing.T, h *setup.Host, name string) setup.User {
	t.Helper()
	u, err := h.Lookup(name)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func service(t *testing.T, h *setup.Host) setup.Service {
	t.Helper()
	return setup.Service{Owner: lookup(t, h, "alice"), Program: setuptest.Program}
}

// take carries out what a plan has left.
func take(t *testing.T, h *setup.Host, p setup.Plan) {
	t.Helper()
	for i := range p.Steps {
		if err := h.Take(t.Context(), &p.Steps[i]); err != nil {
			t.Fatalf("%s: %v", p.Steps[i].What, err)
		}
	}
}

// What is done twice does nothing the second time, and who only plans changes
// nothing at all.
func TestIdempotent(t *testing.T) {
	t.Parallel()
	for _, k := range kinds() {
		t.Run(k.name, func(t *testing.T) {
			t.Parallel()
			m := setuptest.New(k.goos, t.TempDir())
			h := m.Host(k.uid)
			before := tree(t, m)
			p, err := k.plan(t, h)
			if err != nil {
				t.Fatal(err)
			}
			if !p.Pending() || p.Missing() == "" {
				t.Error("nothing is to be done")
			}
			if diff := cmp.Diff(before, tree(t, m)); diff != "" || len(m.Ran) > 0 {
				t.Errorf("planning ran %v and changed the machine (-before +after):\n%s", m.Ran, diff)
			}
			take(t, h, p)
			if diff := cmp.Diff(k.runs, m.Ran); diff != "" {
				t.Errorf("commands (-want +got):\n%s", diff)
			}
			m.Ran = nil
			again, err := k.plan(t, h)
			if err != nil {
				t.Fatal(err)
			}
			if again.Pending() {
				t.Errorf("it is still to be done that %s", again.Missing())
			}
			take(t, h, again)
			if len(m.Ran) > 0 {
				t.Errorf("the second time it ran %v", m.Ran)
			}
		})
	}
}

func tree(t *testing.T, m *setuptest.Machine) []string {
	t.Helper()
	list, err := m.Tree()
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// A step that fails ends it, and says why in one line; what was done before is
// skipped the next time.
func TestGoesOnWhereItFailed(t *testing.T) {
	t.Parallel()
	m := setuptest.New("linux", t.TempDir())
	m.Fail("usermod")
	h, access := m.Host(0), kinds()[0]
	p, err := access.plan(t, h)
	if err != nil {
		t.Fatal(err)
	}
	for i := range p.Steps {
		if err = h.Take(t.Context(), &p.Steps[i]); err != nil {
			break
		}
	}
	if fault.CodeOf(err) != fault.IO || err.Error() != "usermod ended with status 1: usermod: it fails today" {
		t.Errorf("got %v", err)
	}
	m.Fail("")
	m.Ran = nil
	if p, err = access.plan(t, h); err != nil {
		t.Fatal(err)
	}
	take(t, h, p)
	if diff := cmp.Diff(access.runs[1:], m.Ran); diff != "" {
		t.Errorf("commands (-want +got):\n%s", diff)
	}
}

// A file of somebody else's stays, whatever it is; an older one of ours goes.
func TestFilesInTheWay(t *testing.T) {
	t.Parallel()
	for _, k := range kinds() {
		if k.writes == "" {
			continue
		}
		for _, test := range []struct {
			name string
			put  func(path string) error
			says string // empty: it is replaced
		}{
			{"nothing", func(string) error { return nil }, ""},
			{"an older one of ours", file("# Made by aivault setup, and different\n", 0o644), ""},
			{"one of ours that others can write to", file("# Made by aivault setup\n", 0o666), ""},
			{"another program's", file("[Service]\nExecStart=/bin/true\n", 0o644), "was not made by aivault"},
			{"an empty one", file("", 0o644), "was not made by aivault"},
			{"a link", func(path string) error { return os.Symlink("/dev/null", path) }, "is a symbolic link"},
			{"a link to one of ours", func(path string) error {
				if err := file("# Made by aivault setup\n", 0o644)(path + ".other"); err != nil {
					return err
				}
				return os.Symlink(path+".other", path)
			}, "is a symbolic link"},
			{"a directory", func(path string) error { return os.Mkdir(path, 0o755) }, "is a directory"},
		} {
			t.Run(k.name+": "+test.name, func(t *testing.T) {
				t.Parallel()
				m := setuptest.New(k.goos, t.TempDir())
				h, path := m.Host(k.uid), m.Dir+k.writes
				if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
					t.Fatal(err)
				}
				if err := test.put(path); err != nil {
					t.Fatal(err)
				}
				before := tree(t, m)
				p, err := k.plan(t, h)
				if test.says != "" {
					if fault.CodeOf(err) != fault.Conflict || !strings.Contains(err.Error(), test.says) || fault.HintOf(err) == "" {
						t.Errorf("got %v, want a conflict that says %q", err, test.says)
					}
					if diff := cmp.Diff(before, tree(t, m)); diff != "" {
						t.Errorf("files (-before +after):\n%s", diff)
					}
					return
				}
				if err != nil {
					t.Fatal(err)
				}
				take(t, h, p)
				st, err := h.Stat(path)
				if err != nil || st.Mode != 0o644 {
					t.Errorf("the file is %v, %v", st, err)
				}
				want := p.Steps[fileIndex(t, p)].File.Content
				if got, err := os.ReadFile(path); err != nil || string(got) != want {
					t.Errorf("the file holds %q, %v", got, err)
				}
				if left, _ := filepath.Glob(filepath.Dir(path) + "/.*.tmp"); len(left) > 0 {
					t.Errorf("left behind: %v", left)
				}
			})
		}
	}
}

func file(content string, mode fs.FileMode) func(string) error {
	return func(path string) error {
		if err := os.WriteFile(path, []byte(content), mode); err != nil {
			return err
		}
		return os.Chmod(path, mode)
	}
}

func fileIndex(t *testing.T, p setup.Plan) int {
	t.Helper()
	for i, s := range p.Steps {
		if s.File != nil {
			return i
		}
	}
	t.Fatal("the plan has no file")
	return 0
}

// A unit that is changed takes effect in a daemon that runs.
func TestRestartsWhatRuns(t *testing.T) {
	t.Parallel()
	m := setuptest.New("linux", t.TempDir())
	h, systemd := m.Host(0), kinds()[2]
	p, err := systemd.plan(t, h)
	if err != nil {
		t.Fatal(err)
	}
	take(t, h, p)
	s := service(t, h)
	s.Dir = "/srv/vault"
	m.Ran = nil
	if p, err = h.Systemd(t.Context(), s, false); err != nil {
		t.Fatal(err)
	}
	take(t, h, p)
	want := []string{"systemctl daemon-reload", "systemctl restart aivaultd-shared.service"}
	if diff := cmp.Diff(want, m.Ran); diff != "" {
		t.Errorf("commands (-want +got):\n%s", diff)
	}
	b, err := os.ReadFile(m.Dir + unit)
	if err != nil || !strings.Contains(string(b), "\nEnvironment=AIVAULT_DIR=/srv/vault\n") || !strings.Contains(string(b), "\nReadWritePaths=-/srv/vault\n") {
		t.Errorf("%v, the unit is\n%s", err, b)
	}

	mac := setuptest.New("darwin", t.TempDir())
	h = mac.Host(setuptest.Alice)
	if p, err = h.Launchd(t.Context(), service(t, h), false); err != nil {
		t.Fatal(err)
	}
	take(t, h, p)
	mac.Ran = nil
	if p, err = h.Launchd(t.Context(), s, false); err != nil {
		t.Fatal(err)
	}
	take(t, h, p)
	if len(mac.Ran) < 2 || mac.Ran[0] != "launchctl bootout gui/1001/com.aivault.aivaultd.shared" || !strings.HasPrefix(mac.Ran[2], "launchctl bootstrap ") {
		t.Errorf("it ran %v", mac.Ran)
	}
}

// Names go into commands that root runs, and into files of systemd, which gives
// some characters a meaning: such a name is refused before anybody is asked.
func TestNames(t *testing.T) {
	t.Parallel()
	h := setuptest.New("linux", t.TempDir()).Host(0)
	asked := ""
	h.User = func(name string) (setup.User, error) {
		asked = name
		return setup.User{Name: name, Home: "/home/x", UID: 1, GID: 1}, nil
	}
	for _, name := range []string{"alice", "_svc", "a", "first.last", "x-y_z", "CORP+alice", "alice@example.com", "1password", strings.Repeat("a", 128)} {
		if _, err := h.Lookup(name); err != nil || asked != name {
			t.Errorf("%q: %v", name, err)
		}
	}
	asked = ""
	for _, name := range []string{
		"", "-rf", "--root=/tmp", "a b", "a\nd /etc 0777 x - -", "a\x00b", "a:b", "a/b", "../root", "%u", "a%n", "$HOME", "a;id", "`id`",
		"a\tb", "a\\x20", "a\"b", "a'b", "é", "a\u202eb", ".a", "@a", "+a", "a,b", "a=b", "#1", strings.Repeat("a", 129), "a\xff",
	} {
		if _, err := h.Lookup(name); fault.CodeOf(err) != fault.InvalidRequest || fault.HintOf(err) == "" {
			t.Errorf("%q: got %v", name, err)
		}
	}
	if asked != "" {
		t.Errorf("the system was asked for %q", asked)
	}
	h = setuptest.New("linux", t.TempDir()).Host(0)
	if _, err := h.Lookup("mallory"); fault.CodeOf(err) != fault.InvalidRequest || !strings.Contains(err.Error(), `there is no user "mallory"`) {
		t.Errorf("got %v", err)
	}
	h.User = func(name string) (setup.User, error) { return setup.User{Name: "a%n", Home: "/home/x"}, nil }
	if _, err := h.Lookup("alias"); fault.CodeOf(err) != fault.InvalidRequest {
		t.Errorf("the system's own name for alias was taken: %v", err)
	}
	h.User = func(name string) (setup.User, error) { return setup.User{}, errors.New("the directory is down") }
	if _, err := h.Lookup("alice"); fault.CodeOf(err) != fault.IO {
		t.Errorf("got %v", err)
	}
}

// Whom no wall can keep from the keys gets none that looks like one.
func TestAgentThatIsNone(t *testing.T) {
	t.Parallel()
	h := setuptest.New("linux", t.TempDir()).Host(0)
	alice, root := lookup(t, h, "alice"), lookup(t, h, "root")
	for _, agent := range []setup.User{alice, root} {
		if _, err := h.AgentAccess(agent, alice); fault.CodeOf(err) != fault.InvalidRequest || fault.HintOf(err) == "" {
			t.Errorf("%s: got %v", agent.Name, err)
		}
	}
	h = setuptest.New("windows", t.TempDir()).Host(0)
	if _, err := h.AgentAccess(lookup(t, h, "agent"), alice); fault.CodeOf(err) != fault.InvalidRequest {
		t.Errorf("Windows: got %v", err)
	}
}

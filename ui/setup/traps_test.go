package setup_test

import (
	"encoding/xml"
	"errors"
	"io"
	"os"
	"strings"
	"testing"
	"unicode/utf8"

	"aivault/keys/fault"
	"aivault/ui/setup"
	"aivault/ui/setup/setuptest"
)

// Case 123. What is where the socket's directory belongs may be a trap: root
// would give away what a link points to, or take over another user's daemon.
func TestDirectoryInTheWay(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, goos string
		put        func(t *testing.T, m *setuptest.Machine) error
		says       string // empty: it is put right
	}{
		{"a link", "linux", link("/run/aivault"), "is a symbolic link"},
		{"a link", "darwin", link("/Users/Shared/aivault/run"), "is a symbolic link"},
		{"a link above it", "darwin", link("/Users/Shared/aivault"), "is not a directory of root's"},
		{"a file", "linux", func(_ *testing.T, m *setuptest.Machine) error { return file("", 0o644)(m.Dir + "/run/aivault") }, "is a special file"},
		{"another user's", "linux", dir("/run/aivault", 0o2750, setuptest.Bob), "belongs to user 1003"},
		{"the agent's", "linux", dir("/run/aivault", 0o777, setuptest.Agent), "belongs to user 1002"},
		{"another user's above it", "darwin", dir("/Users/Shared/aivault", 0o755, setuptest.Agent), "is not a directory of root's"},
		{"one above it that all can write to", "darwin", dir("/Users/Shared/aivault", 0o777, 0), "is not a directory of root's"},
		{"root's", "linux", dir("/run/aivault", 0o755, 0), ""},
		{"one with a wrong mode", "linux", dir("/run/aivault", 0o777, setuptest.Alice), ""},
		{"one with a wrong group", "linux", dir("/run/aivault", 0o2750, setuptest.Alice), ""},
		{"root's above it", "darwin", dir("/Users/Shared/aivault", 0o755, 0), ""},
	} {
		t.Run(test.goos+": "+test.name, func(t *testing.T) {
			t.Parallel()
			m := setuptest.New(test.goos, t.TempDir())
			h := m.Host(0)
			if err := test.put(t, m); err != nil {
				t.Fatal(err)
			}
			p, err := h.AgentAccess(lookup(t, h, "agent"), lookup(t, h, "alice"))
			if test.says != "" {
				if err == nil || fault.CodeOf(err) != fault.Conflict || !strings.Contains(err.Error(), test.says) || fault.HintOf(err) == "" {
					t.Errorf("got %v, want a conflict that says %q", err, test.says)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			take(t, h, p)
			again, err := h.AgentAccess(lookup(t, h, "agent"), lookup(t, h, "alice"))
			if err != nil || again.Pending() {
				t.Errorf("it was not put right: %v, %s", err, again.Missing())
			}
		})
	}
	m := setuptest.New("linux", t.TempDir())
	if err := dir("/run/aivault", 0o2750, setuptest.Bob)(t, m); err != nil {
		t.Fatal(err)
	}
	if _, err := m.Host(0).Systemd(t.Context(), service(t, m.Host(0)), false); fault.CodeOf(err) != fault.Conflict {
		t.Errorf("systemd takes another user's directory: %v", err)
	}
}

func link(path string) func(*testing.T, *setuptest.Machine) error {
	return func(t *testing.T, m *setuptest.Machine) error {
		if err := os.MkdirAll(m.Dir+path, 0o755); err != nil { // what is above it
			return err
		}
		if err := os.Remove(m.Dir + path); err != nil {
			return err
		}
		return os.Symlink(t.TempDir(), m.Dir+path)
	}
}

func dir(path string, mode os.FileMode, uid int) func(*testing.T, *setuptest.Machine) error {
	return func(_ *testing.T, m *setuptest.Machine) error {
		bits := mode & 0o777
		if mode&0o2000 != 0 {
			bits |= os.ModeSetgid
		}
		m.Own(path, uid, uid)
		if err := os.MkdirAll(m.Dir+path, 0o755); err != nil {
			return err
		}
		return os.Chmod(m.Dir+path, bits)
	}
}

// Case 131. The system starts no program in whose place somebody else than its
// user and root can put another one.
func TestProgramOfOthers(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name string
		put  func(m *setuptest.Machine) error
		says string // empty: it is good
	}{
		{"root's", func(*setuptest.Machine) error { return nil }, ""},
		{"the user's own", func(m *setuptest.Machine) error {
			m.Own(setuptest.Program, setuptest.Alice, setuptest.Alice)
			return nil
		}, ""},
		{"its own group's", func(m *setuptest.Machine) error {
			m.Own("/usr/local/bin", setuptest.Alice, setuptest.Alice)
			return os.Chmod(m.Dir+"/usr/local/bin", 0o775)
		}, ""},
		{"another user's", func(m *setuptest.Machine) error { m.Own(setuptest.Program, setuptest.Agent, 0); return nil }, "belongs to user 1002"},
		{"in another user's directory", func(m *setuptest.Machine) error { m.Own("/usr/local", setuptest.Agent, 0); return nil }, "/usr/local belongs to user 1002"},
		{"all can write to", func(m *setuptest.Machine) error { return os.Chmod(m.Dir+setuptest.Program, 0o777) }, "can be written to by others"},
		{"a group can write to", func(m *setuptest.Machine) error {
			m.Own(setuptest.Program, 0, 50)
			return os.Chmod(m.Dir+setuptest.Program, 0o775)
		}, "can be written to by others"},
		{"in a directory that all can write to", func(m *setuptest.Machine) error { return os.Chmod(m.Dir+"/usr/local/bin", 0o1777) }, "/usr/local/bin can be written to by others"},
		{"not there", func(m *setuptest.Machine) error { return os.Remove(m.Dir + setuptest.Program) }, "no such file"},
		{"a link", func(m *setuptest.Machine) error {
			if err := os.Rename(m.Dir+setuptest.Program, m.Dir+"/usr/local/other"); err != nil {
				return err
			}
			return os.Symlink("../other", m.Dir+setuptest.Program)
		}, "is a symbolic link"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			m := setuptest.New("linux", t.TempDir())
			if err := test.put(m); err != nil {
				t.Fatal(err)
			}
			h := m.Host(0)
			_, err := h.Systemd(t.Context(), service(t, h), true)
			switch {
			case test.says == "" && err != nil:
				t.Errorf("got %v", err)
			case test.says != "" && (fault.CodeOf(err) != fault.InvalidRequest || !strings.Contains(err.Error(), test.says)):
				t.Errorf("got %v, want it to say %q", err, test.says)
			}
		})
	}
}

// A path with what means something in a unit is refused; launchd's files can
// hold everything but control characters.
func TestPathsInSettings(t *testing.T) {
	t.Parallel()
	h := setuptest.New("linux", t.TempDir()).Host(0)
	mac := setuptest.New("darwin", t.TempDir()).Host(setuptest.Alice)
	for _, path := range []string{
		"/a b", "/a%h", "/a\nUser=root", "/a\\n", "/a\"", "/a'b", "/a$b", "/a;b", "relative", "/a\tb", "/a\u2028b", "/a\xff",
	} {
		s := service(t, h)
		for name, change := range map[string]func(*setup.Service){
			"program": func(s *setup.Service) { s.Program = path },
			"home":    func(s *setup.Service) { s.Owner.Home = path },
			"vault":   func(s *setup.Service) { s.Dir = path },
		} {
			hostile := s
			change(&hostile)
			if _, err := h.Systemd(t.Context(), hostile, true); fault.CodeOf(err) != fault.InvalidRequest {
				t.Errorf("systemd, %s %q: got %v", name, path, err)
			}
			p, err := mac.Launchd(t.Context(), hostile, true)
			if strings.ContainsAny(path, "\n\t") || !utf8.ValidString(path) {
				if fault.CodeOf(err) != fault.InvalidRequest {
					t.Errorf("launchd, %s %q: got %v", name, path, err)
				}
				continue
			}
			if err != nil {
				t.Errorf("launchd, %s %q: %v", name, path, err)
				continue
			}
			wellFormed(t, p.Steps[fileIndex(t, p)].File.Content)
		}
	}
	s := service(t, mac)
	s.Program = "/Applications/A & B</string>/aivault"
	p, err := mac.Launchd(t.Context(), s, true)
	if err != nil {
		t.Fatal(err)
	}
	text := p.Steps[fileIndex(t, p)].File.Content
	wellFormed(t, text)
	if !strings.Contains(text, "<string>/Applications/A &amp; B&lt;/string&gt;/aivault</string>") {
		t.Errorf("the agent is\n%s", text)
	}
}

func wellFormed(t *testing.T, text string) {
	t.Helper()
	for d := xml.NewDecoder(strings.NewReader(text)); ; {
		if _, err := d.Token(); errors.Is(err, io.EOF) {
			return
		} else if err != nil {
			t.Errorf("%v in\n%s", err, text)
			return
		}
	}
}

// Where something does not exist, it is said, and can still be looked at.
func TestOtherSystems(t *testing.T) {
	t.Parallel()
	linux, mac := setuptest.New("linux", t.TempDir()), setuptest.New("darwin", t.TempDir())
	refused := func(what string, err error) {
		t.Helper()
		if fault.CodeOf(err) != fault.InvalidRequest {
			t.Errorf("%s: got %v", what, err)
		}
	}
	_, err := mac.Host(0).Systemd(t.Context(), service(t, mac.Host(0)), true)
	refused("systemd on macOS", err)
	_, err = linux.Host(setuptest.Alice).Launchd(t.Context(), service(t, linux.Host(0)), false)
	refused("launchd on Linux", err)
	p, err := linux.Host(setuptest.Alice).Launchd(t.Context(), service(t, linux.Host(0)), true)
	if err != nil || !p.Pending() {
		t.Errorf("launchd on Linux, dry: %v", err)
	}
	s := service(t, mac.Host(0))
	s.Owner = lookup(t, mac.Host(0), "root")
	_, err = mac.Host(0).Launchd(t.Context(), s, false)
	refused("launchd as root", err)
	if err := os.Remove(linux.Dir + "/run/systemd/system"); err != nil {
		t.Fatal(err)
	}
	_, err = linux.Host(0).Systemd(t.Context(), service(t, linux.Host(0)), false)
	refused("systemd where it does not run", err)
	if _, err := linux.Host(0).Systemd(t.Context(), service(t, linux.Host(0)), true); err != nil {
		t.Errorf("systemd where it does not run, dry: %v", err)
	}
	if setup.SharedSocket("linux") != "/var/run/aivault/aivaultd.sock" || setup.SharedSocket("darwin") != "/Users/Shared/aivault/run/aivaultd.sock" {
		t.Error("the documented paths of the shared socket have changed")
	}
}

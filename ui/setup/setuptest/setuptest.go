// Package setuptest is a machine to set up that is a directory: its users are
// made up, and its commands change nothing but that directory.
package setuptest

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"maps"
	"os"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"aivault/keys/fault"
	"aivault/ui/setup"
)

// The users of the machine, and its program.
const (
	Alice   = 1001 // who has a vault
	Agent   = 1002
	Bob     = 1003
	Program = "/usr/local/bin/aivault"
)

// A Machine is a directory that passes for one. What becomes of it stays in
// there, for the next process.
type Machine struct {
	OS  string
	Dir string
	// As runs a command as another user; nil: there is nothing to run.
	As func(ctx context.Context, c setup.Command) (setup.Output, error)

	Ran []string // the commands that were run by this process, in order
}

// state is what is not in the directory's files themselves.
type state struct {
	Group   int               // the number of group aivault; 0: there is none
	Members []string          // of it
	Owners  map[string][2]int // user and group of what is not root's
	Up      []string          // what systemd or launchd was told
	Fail    string            // a program that fails
}

// New returns a machine in an empty directory.
func New(goos, dir string) *Machine {
	m := &Machine{OS: goos, Dir: dir}
	for _, path := range []string{"/etc/systemd/system", "/run/systemd/system", "/usr/local/bin", "/Users/Shared"} {
		_ = os.MkdirAll(dir+path, 0o755)
	}
	if _, err := os.Stat(dir + Program); errors.Is(err, fs.ErrNotExist) {
		_ = os.WriteFile(dir+Program, []byte("aivault"), 0o755)
	}
	return m
}

// Host returns the machine as a process of a user sees it.
func (m *Machine) Host(uid int) *setup.Host {
	return &setup.Host{
		OS: m.OS, UID: uid, Base: m.Dir,
		User: func(name string) (setup.User, error) {
			if u, ok := m.users()[name]; ok {
				return u, nil
			}
			return setup.User{}, user.UnknownUserError(name)
		},
		UserOf: func(uid int) (setup.User, error) {
			for _, u := range m.users() {
				if u.UID == uid {
					return u, nil
				}
			}
			return setup.User{}, user.UnknownUserIdError(uid)
		},
		Group: func(string) (int, bool, error) {
			gid := m.load().Group
			return gid, gid != 0, nil
		},
		Stat: m.stat,
		Run:  m.run,
	}
}

// Own makes a user and a group the owners of a path.
func (m *Machine) Own(path string, uid, gid int) {
	m.change(func(s *state) { s.Owners[path] = [2]int{uid, gid} })
}

// Fail has a program fail from now on.
func (m *Machine) Fail(program string) { m.change(func(s *state) { s.Fail = program }) }

func (m *Machine) users() map[string]setup.User {
	users := map[string]setup.User{}
	s := m.load()
	for name, uid := range map[string]int{"root": 0, "alice": Alice, "agent": Agent, "bob": Bob} {
		u := setup.User{Name: name, Home: "/home/" + name, UID: uid, GID: uid, Groups: []int{uid}}
		if slices.Contains(s.Members, name) {
			u.Groups = append(u.Groups, s.Group)
		}
		users[name] = u
	}
	return users
}

func (m *Machine) load() state {
	s := state{Owners: map[string][2]int{}}
	if b, err := os.ReadFile(filepath.Join(m.Dir, ".state")); err == nil {
		if err := json.Unmarshal(b, &s); err != nil {
			panic(err) // we wrote it
		}
	}
	return s
}

func (m *Machine) change(f func(*state)) {
	s := m.load()
	f(&s)
	b, err := json.Marshal(s)
	if err == nil {
		err = os.WriteFile(filepath.Join(m.Dir, ".state"), b, 0o600)
	}
	if err != nil {
		panic(err)
	}
}

// stat has the modes of the files, and owners of its own.
func (m *Machine) stat(path string) (setup.Stat, error) {
	fi, err := os.Lstat(path)
	if err != nil {
		return setup.Stat{}, err
	}
	owner := m.load().Owners[strings.TrimPrefix(path, m.Dir)]
	return setup.Stat{Mode: fi.Mode(), UID: owner[0], GID: owner[1]}, nil
}

// run does in the directory what a command does on a machine.
func (m *Machine) run(ctx context.Context, c setup.Command) (setup.Output, error) {
	if c.As != nil {
		return m.As(ctx, c)
	}
	args := c.Argv
	s := m.load()
	unit := slices.Contains(s.Up, args[len(args)-1])
	looks := slices.Contains(args, "print") || slices.Contains(args, "--quiet")
	switch {
	case looks && !unit:
		return setup.Output{Status: 3}, nil
	case looks:
		return setup.Output{}, nil
	case s.Fail == args[0]:
		return setup.Output{Status: 1, Stderr: []byte(args[0] + ": it fails today\nusage: ...\n")}, nil
	}
	m.Ran = append(m.Ran, strings.Join(args, " "))
	last := args[len(args)-1]
	switch args[0] {
	case "groupadd":
		m.change(func(s *state) { s.Group = 990 })
	case "usermod":
		m.change(func(s *state) { s.Members = append(s.Members, last) })
	case "dseditgroup":
		m.change(func(s *state) {
			if args[2] == "create" {
				s.Group = 990
			} else {
				s.Members = append(s.Members, args[4])
			}
		})
	case "mkdir":
		return setup.Output{}, os.MkdirAll(m.Dir+last, 0o755)
	case "install":
		return setup.Output{}, m.install(args, last)
	case "systemctl":
		if args[1] != "daemon-reload" {
			m.change(func(s *state) { s.Up = append(s.Up, last) })
		}
	case "launchctl":
		if args[1] == "bootstrap" {
			m.change(func(s *state) { s.Up = append(s.Up, args[2]+"/"+strings.TrimSuffix(filepath.Base(last), ".plist")) })
		}
	default:
		return setup.Output{}, fault.New(fault.IO, "this system has no %s", args[0])
	}
	return setup.Output{}, nil
}

// install is install(1): -d -m MODE -o USER -g GROUP DIRECTORY.
func (m *Machine) install(args []string, dir string) error {
	flags := map[string]string{}
	for i := 2; i+1 < len(args); i += 2 {
		flags[args[i]] = args[i+1]
	}
	mode, err := strconv.ParseUint(flags["-m"], 8, 32)
	if err != nil {
		return err
	}
	bits := fs.FileMode(mode & 0o777)
	if mode&0o2000 != 0 {
		bits |= fs.ModeSetgid
	}
	if err := os.MkdirAll(m.Dir+dir, 0o700); err != nil {
		return err
	}
	m.Own(dir, m.users()[flags["-o"]].UID, m.load().Group)
	return os.Chmod(m.Dir+dir, bits)
}

// Tree lists what is in the directory, but for its state.
func (m *Machine) Tree() ([]string, error) {
	paths := map[string]bool{}
	err := filepath.WalkDir(m.Dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && d.Name() != ".state" {
			paths[strings.TrimPrefix(path, m.Dir)] = true
		}
		return err
	})
	return slices.Sorted(maps.Keys(paths)), err
}

package setup

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"

	"aivault/keys/fault"
)

// A Host is the machine that is set up. [Local] returns this one.
type Host struct {
	OS   string // as runtime.GOOS
	UID  int    // of this process
	Base string // what all paths are below; empty but in tests

	User   func(name string) (User, error) // user.UnknownUserError: there is none
	UserOf func(uid int) (User, error)     // user.UnknownUserIdError
	// Group returns the number of a group; false if there is none.
	Group func(name string) (gid int, ok bool, err error)
	// Stat tells what is at a path, of a link itself.
	Stat func(path string) (Stat, error)
	// Run runs a command to its end. That it could not be started is an error;
	// what it ends with is not.
	Run func(ctx context.Context, c Command) (Output, error)
}

// A User is an account of the machine.
type User struct {
	Name   string
	Home   string
	UID    int
	GID    int
	Groups []int // that the user is in, GID too
}

// A Stat says what is at a path, and who owns it.
type Stat struct {
	Mode     fs.FileMode
	UID, GID int
}

// A Command is a program with its arguments. It is looked for where the programs
// of the system are, unless it is a path, and gets an environment of our making.
type Command struct {
	Argv []string
	// As is who runs it; nil: who runs this process. Its environment is that of
	// the user, with what Env adds.
	As  *User
	Env []string
	// Terminal leaves it the terminal of this process, to ask on. Another user's
	// program could type on it.
	Terminal bool
	Stdin    io.Reader // nil: empty
	File     *os.File  // its descriptor 3, if there is one
}

// Output is what became of a command.
type Output struct {
	Stdout, Stderr []byte
	Status         int // 0: it succeeded; -1: a signal ended it
}

// Local returns the machine on which this process runs.
func Local() *Host {
	h := &Host{OS: runtime.GOOS, UID: os.Getuid(), Group: groupID, Stat: stat, Run: run}
	h.User = func(name string) (User, error) {
		u, err := account(user.Lookup(name))
		if _, absent := errors.AsType[user.UnknownUserError](err); absent {
			return h.elsewhere(name, err)
		}
		return u, err
	}
	h.UserOf = func(uid int) (User, error) {
		key := strconv.Itoa(uid)
		u, err := account(user.LookupId(key))
		if _, absent := errors.AsType[user.UnknownUserIdError](err); absent {
			return h.elsewhere(key, err)
		}
		return u, err
	}
	return h
}

// account makes a User of what the system says.
func account(u *user.User, err error) (User, error) {
	if err != nil {
		return User{}, err
	}
	out := User{Name: u.Username, Home: u.HomeDir}
	if out.UID, err = strconv.Atoi(u.Uid); err != nil {
		return out, err
	}
	if out.GID, err = strconv.Atoi(u.Gid); err != nil {
		return out, err
	}
	ids, err := u.GroupIds()
	if err != nil {
		return out, err
	}
	out.Groups = []int{out.GID}
	for _, id := range ids {
		if n, err := strconv.Atoi(id); err == nil && n != out.GID {
			out.Groups = append(out.Groups, n)
		}
	}
	return out, nil
}

func groupID(name string) (int, bool, error) {
	g, err := user.LookupGroup(name)
	if _, absent := errors.AsType[user.UnknownGroupError](err); absent {
		return 0, false, nil
	}
	if err != nil {
		return 0, false, err
	}
	gid, err := strconv.Atoi(g.Gid)
	return gid, err == nil, err
}

// Lookup returns a user by name. A name that could mean something else in a
// command or a unit file is refused before anybody is asked: fault.InvalidRequest,
// as for one that there is not.
func (h *Host) Lookup(name string) (User, error) {
	if err := checkName(name); err != nil {
		return User{}, err
	}
	u, err := h.User(name)
	if _, absent := errors.AsType[user.UnknownUserError](err); absent {
		return u, fault.New(fault.InvalidRequest, "there is no user %q", name).
			WithHint("make it first, as with `sudo useradd -m %s`", name)
	}
	if err != nil {
		return u, fault.Wrap(fault.IO, err, "looking for user %q", name)
	}
	return u, u.check()
}

// Current returns the user of this process.
func (h *Host) Current() (User, error) {
	u, err := h.UserOf(h.UID)
	if err != nil {
		return u, fault.Wrap(fault.IO, err, "finding out who user %d is", h.UID)
	}
	return u, u.check()
}

// check checks what goes into commands and files.
func (u *User) check() error {
	if err := checkName(u.Name); err != nil {
		return err
	}
	if !filepath.IsAbs(u.Home) {
		return fault.New(fault.InvalidRequest, "user %s has no home directory", u.Name)
	}
	return nil
}

// checkName checks the name of a user.
func checkName(name string) error {
	const longest, letters = 128, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_"
	bad := func(r rune) bool { return !strings.ContainsRune(letters+".-@+", r) }
	if name == "" || len(name) > longest || strings.ContainsFunc(name, bad) || strings.IndexByte(letters, name[0]) < 0 {
		return fault.New(fault.InvalidRequest, "%.40q is no name of a user that can be set up", name).
			WithHint("it is made of letters, digits and . _ - @ +, and begins with a letter, a digit or _")
	}
	return nil
}

// member reports whether a user is in a group, by its number.
func (u *User) member(gid int) bool { return slices.Contains(u.Groups, gid) }

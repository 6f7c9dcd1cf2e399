//go:build unix

package setup

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"aivault/keys/fault"
)

// systemPath is where programs are looked for: what the caller's PATH says
// counts for nothing, as most of this is done as root.
const systemPath = "/usr/sbin:/usr/bin:/sbin:/bin"

// stat is Host.Stat.
func stat(path string) (Stat, error) {
	fi, err := os.Lstat(path)
	if err != nil {
		return Stat{}, err
	}
	sys, ok := fi.Sys().(*syscall.Stat_t)
	if !ok {
		return Stat{}, &fs.PathError{Op: "lstat", Path: path, Err: errors.ErrUnsupported}
	}
	return Stat{Mode: fi.Mode(), UID: int(sys.Uid), GID: int(sys.Gid)}, nil
}

// run is Host.Run.
func run(ctx context.Context, c Command) (Output, error) {
	program, err := find(c.Argv[0])
	if err != nil {
		return Output{}, err
	}
	var stdout, stderr bytes.Buffer
	cmd := exec.CommandContext(ctx, program, c.Argv[1:]...)
	cmd.Dir, cmd.WaitDelay = "/", time.Second
	cmd.Stdin, cmd.Stdout, cmd.Stderr = c.Stdin, &stdout, &stderr
	cmd.Env = []string{"PATH=" + systemPath, "LANG=C", "LC_ALL=C"}
	if c.File != nil {
		cmd.ExtraFiles = []*os.File{c.File}
	}
	if c.As != nil {
		cmd.Env = append(cmd.Env, c.As.environ()...)
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: c.As.credential(), Setsid: !c.Terminal}
	}
	cmd.Env = append(cmd.Env, c.Env...)
	err = cmd.Run()
	out := Output{Stdout: stdout.Bytes(), Stderr: stderr.Bytes()}
	if _, ended := errors.AsType[*exec.ExitError](err); ended && ctx.Err() == nil {
		out.Status, err = cmd.ProcessState.ExitCode(), nil
	}
	switch {
	case err == nil:
		return out, nil
	case ctx.Err() != nil:
		return out, fault.Wrap(fault.Canceled, context.Cause(ctx), "running %s", c.Argv[0])
	case c.As != nil && errors.Is(err, fs.ErrPermission):
		return out, fault.New(fault.InvalidRequest, "user %s cannot run %s", c.As.Name, program).
			WithHint("install it where everybody can: sudo install -m 0755 %s /usr/local/bin/", filepath.Base(program))
	}
	return out, fault.Wrap(fault.IO, err, "running %s", c.Argv[0])
}

// find returns the path of a program.
func find(name string) (string, error) {
	if filepath.IsAbs(name) {
		return name, nil
	}
	for dir := range strings.SplitSeq(systemPath, ":") {
		path := filepath.Join(dir, name)
		if fi, err := os.Stat(path); err == nil && fi.Mode().IsRegular() && fi.Mode()&0o111 != 0 {
			return path, nil
		}
	}
	return "", fault.New(fault.IO, "this system has no %s", name).
		WithHint("make it so by the means of the system, and run this again: it skips what is so; --dry-run shows what has to be")
}

// environ is the environment of a user's program. The session's bus, where the
// keyring is, is that of the user if there is one.
func (u *User) environ() []string {
	env := []string{"HOME=" + u.Home, "USER=" + u.Name, "LOGNAME=" + u.Name}
	dir := fmt.Sprintf("/run/user/%d", u.UID)
	if st, err := stat(dir + "/bus"); err == nil && st.UID == u.UID && st.Mode&fs.ModeSocket != 0 {
		env = append(env, "XDG_RUNTIME_DIR="+dir, "DBUS_SESSION_BUS_ADDRESS=unix:path="+dir+"/bus")
	}
	return env
}

func (u *User) credential() *syscall.Credential {
	c := &syscall.Credential{Uid: uint32(u.UID), Gid: uint32(u.GID)}
	for _, gid := range u.Groups {
		c.Groups = append(c.Groups, uint32(gid))
	}
	return c
}

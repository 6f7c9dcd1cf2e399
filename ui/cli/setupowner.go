package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"os/user"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"aivault/keys/fault"
	"aivault/ui/app"
	"aivault/ui/setup"
	"aivault/vault"
)

// An ownerVault is the vault of the user who shares it. It is worked on as that
// user, always: what root wrote into a home directory would be root's. For root,
// that is a process of its own, which is this program again.
type ownerVault struct {
	sh    *shell
	h     *setup.Host
	owner setup.User
	cmd   *cobra.Command
}

// reachable returns an error if this process can neither be the owner nor
// become it.
func (v ownerVault) reachable() error {
	if v.h.UID == 0 || v.h.UID == v.owner.UID {
		return nil
	}
	return fault.New(fault.OperatorAuthRequired, "who may call with %s's keys is for %s to say", v.owner.Name, v.owner.Name).
		WithHint("run it as %s, or with sudo", v.owner.Name)
}

// A grantJSON is a grant.
type grantJSON struct {
	UID       int     `json:"uid"`
	User      *string `json:"user"` // null: there is no such user any more
	Workspace string  `json:"workspaceId"`
	Group     string  `json:"groupId,omitempty"`
	CreatedAt *int64  `json:"createdAtMs"`
}

func (v ownerVault) toGrant(g vault.Grant) (grantJSON, error) {
	out := grantJSON{UID: g.UID, Workspace: g.Context.Workspace, Group: g.Context.Group, CreatedAt: millis(g.CreatedAt)}
	switch u, err := v.h.UserOf(g.UID); {
	case err == nil:
		out.User = &u.Name
	case !isUnknown(err):
		return out, fault.Wrap(fault.IO, err, "finding out who user %d is", g.UID)
	}
	return out, nil
}

func isUnknown(err error) bool {
	_, ok := errors.AsType[user.UnknownUserIdError](err)
	return ok
}

// grant makes a grant; false if there was one already.
func (v ownerVault) grant(ctx context.Context, agent setup.User, c vault.Context) (*grantJSON, bool, error) {
	if v.h.UID == v.owner.UID {
		be, err := v.backend()
		if err != nil {
			return nil, false, err
		}
		g, added, err := be.Grant(ctx, agent.UID, c)
		if err != nil {
			return nil, false, err
		}
		out, err := v.toGrant(g)
		return &out, added, err
	}
	var out accessJSON
	err := v.ask(ctx, &out, v.args(agent.Name, c)...)
	return out.Grant, out.Added, err
}

// revoke takes a grant back; false if there was none.
func (v ownerVault) revoke(ctx context.Context, agent setup.User, c vault.Context) (bool, error) {
	if v.h.UID == v.owner.UID {
		be, err := v.backend()
		if err != nil {
			return false, err
		}
		return be.Revoke(ctx, agent.UID, c)
	}
	var out removedJSON
	err := v.ask(ctx, &out, append(v.args(agent.Name, c), "--remove")...)
	return out.Removed, err
}

// grants lists the grants.
func (v ownerVault) grants(ctx context.Context) ([]grantJSON, error) {
	var out []grantJSON
	if v.h.UID != v.owner.UID {
		err := v.ask(ctx, &out, "setup", "agent-access", "--list")
		return out, err
	}
	be, err := v.backend()
	if err != nil {
		return nil, err
	}
	list, err := be.Grants(ctx)
	if err != nil {
		return nil, err
	}
	for _, g := range list {
		one, err := v.toGrant(g)
		if err != nil {
			return nil, err
		}
		out = append(out, one)
	}
	return out, nil
}

// statusOf returns the status of a user's vault; nil: this user cannot see it.
func (sh *shell) statusOf(cmd *cobra.Command, h *setup.Host, owner setup.User) (*statusJSON, error) {
	v := ownerVault{sh: sh, h: h, owner: owner, cmd: cmd}
	var out statusJSON
	switch h.UID {
	case owner.UID:
		be, err := v.backend()
		if err != nil {
			return nil, err
		}
		st, err := be.Status(cmd.Context())
		if err != nil {
			return nil, err
		}
		out = toStatus(st, nil, nil)
	case 0:
		if err := v.ask(cmd.Context(), &out, "status"); err != nil {
			return nil, err
		}
	default:
		return nil, nil
	}
	return &out, nil
}

// backend opens the vault in this process, which is the owner's.
func (v ownerVault) backend() (app.Backend, error) {
	session, err := v.sh.open(v.cmd)
	if err != nil {
		return nil, err
	}
	return session.Backend(), nil
}

// args is the command that grants, without the name of the program.
func (v ownerVault) args(agent string, c vault.Context) []string {
	args := []string{"setup", "agent-access", "--agent-user", agent}
	if c.Workspace != "" {
		args = append(args, "--workspace-id", c.Workspace)
	}
	if c.Group != "" {
		args = append(args, "--group-id", c.Group)
	}
	return args
}

// command is args for people: what to run, or what is run here, as the owner.
func (v ownerVault) command(agent string, c vault.Context) []string {
	argv := append([]string{"aivault"}, v.args(agent, c)...)
	if v.h.UID != v.owner.UID {
		argv = append([]string{"sudo", "-u", v.owner.Name}, argv...)
	}
	return argv
}

// ask runs this program as the owner, and decodes what it prints. Its error is
// the error of that; its notices are passed on.
func (v ownerVault) ask(ctx context.Context, out any, args ...string) error {
	if err := v.reachable(); err != nil {
		return err
	}
	program, err := v.sh.env.Executable()
	if err != nil {
		return fault.Wrap(fault.IO, err, "finding this program")
	}
	c := setup.Command{Argv: slices.Concat([]string{program}, args, []string{"--json"}), As: &v.owner}
	if dir := v.sh.vaultDir(); dir != "" {
		c.Env = append(c.Env, "AIVAULT_DIR="+dir)
	}
	// The terminal is left to the one who sits at it.
	c.Terminal = v.sh.env.Getenv("SUDO_UID") == strconv.Itoa(v.owner.UID)
	if err := v.passOn(&c); err != nil {
		return err
	}
	ended, err := v.h.Run(ctx, c)
	if err != nil {
		return err
	}
	err = v.heard(ended.Stderr)
	switch {
	case err != nil:
		return err
	case ended.Status != 0:
		return fault.New(fault.Internal, "aivault, run as %s, ended with status %d and did not say why", v.owner.Name, ended.Status)
	}
	if err := json.Unmarshal(ended.Stdout, out); err != nil {
		return fault.New(fault.Internal, "what aivault, run as %s, printed cannot be read", v.owner.Name)
	}
	return nil
}

// passOn gives a command the passphrase that this one was given, where nobody
// can read it on the way.
func (v ownerVault) passOn(c *setup.Command) error {
	switch p := v.sh.pass; {
	case p.Text != "":
		c.Argv, c.Stdin = append(c.Argv, "--passphrase-file", "-"), strings.NewReader(p.Text)
	case p.File == "-":
		c.Argv, c.Stdin = append(c.Argv, "--passphrase-file", "-"), v.sh.env.Stdin
	case p.File != "":
		c.Argv = append(c.Argv, "--passphrase-file", p.File)
	case p.FD != "":
		n, err := strconv.ParseUint(p.FD, 10, 16)
		if err != nil {
			return fault.New(fault.Usage, "--passphrase-fd takes the number of an open descriptor")
		}
		c.Argv, c.File = append(c.Argv, "--passphrase-fd", "3"), os.NewFile(uintptr(n), "passphrase")
	}
	return nil
}

// heard reads what this program said as JSON, one line each.
func (v ownerVault) heard(stderr []byte) error {
	for line := range bytes.Lines(stderr) {
		var said struct {
			Notice string     `json:"notice"`
			Error  *errorJSON `json:"error"`
		}
		if json.Unmarshal(line, &said) != nil {
			continue
		}
		if said.Error != nil {
			return &fault.Error{Code: said.Error.Code, Msg: said.Error.Message, Hint: said.Error.Hint}
		}
		if said.Notice != "" {
			v.sh.out.notice(said.Notice)
		}
	}
	return nil
}

// momentMs is moment, of a time in JSON.
func momentMs(ms *int64) string {
	if ms == nil {
		return moment(time.Time{})
	}
	return moment(time.UnixMilli(*ms))
}

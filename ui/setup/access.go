package setup

import (
	"errors"
	"fmt"
	"io/fs"

	"aivault/keys/fault"
)

// Supported returns an error where there is no shared mode.
func (h *Host) Supported() error {
	if h.OS == "linux" || h.OS == "darwin" {
		return nil
	}
	return errNoSharedMode(h.OS)
}

// errNoSharedMode is the error of a system that has no shared mode.
func errNoSharedMode(goos string) error {
	return fault.New(fault.InvalidRequest, "there is no shared mode on %s: it is for Linux and macOS", goos)
}

// AgentAccess plans what lets an agent's user reach the daemon of an owner's: a
// group of both, and the directory of the socket. It is done as root. What the
// agent may do there is for the owner's vault to say.
func (h *Host) AgentAccess(agent, owner User) (Plan, error) {
	if err := h.Supported(); err != nil {
		return Plan{}, err
	}
	switch {
	case agent.UID == owner.UID:
		return Plan{}, fault.New(fault.InvalidRequest, "%s owns the vault: nothing stands between that user and its keys", agent.Name).
			WithHint("give agents a user of their own, and name it with --agent-user")
	case agent.UID == 0:
		return Plan{}, fault.New(fault.InvalidRequest, "root reads everything, the vault and the memory of its daemon too").
			WithHint("give agents a user of their own, and name it with --agent-user")
	}
	gid, ok, err := h.Group(Group)
	if err != nil {
		return Plan{}, fault.Wrap(fault.IO, err, "looking for group %s", Group)
	}
	if !ok {
		gid = -1
	}
	if h.OS == "darwin" {
		return h.macAccess(agent, owner, gid)
	}
	return h.linuxAccess(agent, owner, gid)
}

// groupStep makes the step of making the group; gid is its number, -1 if there
// is none yet.
func (h *Host) groupStep(gid int) Step {
	s := Step{What: "group " + Group + " exists", Done: gid >= 0, Argv: []string{"groupadd", "--system", Group}}
	if h.OS == "darwin" {
		s.Argv = []string{"dseditgroup", "-o", "create", Group}
	}
	return s
}

// memberStep makes the step of putting a user into the group.
func (h *Host) memberStep(u User, gid int) Step {
	s := Step{
		What: u.Name + " is in group " + Group, Done: gid >= 0 && u.member(gid),
		Argv: []string{"usermod", "-aG", Group, u.Name},
	}
	if h.OS == "darwin" {
		s.Argv = []string{"dseditgroup", "-o", "edit", "-a", u.Name, "-t", "user", Group}
	}
	return s
}

func (h *Host) linuxAccess(agent, owner User, gid int) (Plan, error) {
	boot, err := h.fileStep(linuxDir+" is made at each boot", File{
		Path: "/etc/tmpfiles.d/aivault.conf", Mode: 0o644,
		Content: fmt.Sprintf("# %s agent-access: where the socket is that agents reach.\nd %s %s %s %s -\n",
			mark, linuxDir, dirMode, owner.Name, Group),
	})
	if err != nil {
		return Plan{}, err
	}
	dir, err := h.socketDirStep(linuxDir, owner, gid)
	if err != nil {
		return Plan{}, err
	}
	p := Plan{Steps: []Step{h.groupStep(gid), h.memberStep(owner, gid), h.memberStep(agent, gid), boot, dir}}
	if !h.runsSystemd() {
		p.Notes = append(p.Notes, "this system does not run systemd: after each boot, run this command again, as "+linuxDir+" is gone then")
	}
	h.note(&p, agent, gid, fmt.Sprintf("`sudo aivault setup systemd --daemon-user %s` starts the daemon with the system; or %s runs `aivault daemon --shared`", owner.Name, owner.Name))
	return p, nil
}

// note adds what is still to do, once a plan is carried out, until the agent
// reaches the daemon; start says how that is started.
func (h *Host) note(p *Plan, agent User, gid int, start string) {
	if !agent.member(gid) {
		p.Notes = append(p.Notes, fmt.Sprintf("%s has to log in again to be in group %s", agent.Name, Group))
	}
	if st, err := h.Stat(h.Base + SharedSocket(h.OS)); err != nil || st.Mode&fs.ModeSocket == 0 {
		p.Notes = append(p.Notes, start)
	}
}

// macAccess plans for a directory that stays, in one in which every user may
// make files: so what is there already may be a trap.
func (h *Host) macAccess(agent, owner User, gid int) (Plan, error) {
	base := Step{What: macBase + " belongs to root", Argv: []string{"mkdir", "-m", "0755", macBase}}
	st, err := h.Stat(h.Base + macBase)
	switch {
	case errors.Is(err, fs.ErrNotExist): // mkdir fails where something came to be meanwhile
	case err != nil:
		return Plan{}, fault.Wrap(fault.IO, fault.WithoutPath(err), "looking at %s", macBase)
	case !st.Mode.IsDir() || st.UID != 0 || st.Mode.Perm()&0o022 != 0:
		return Plan{}, fault.New(fault.Conflict, "%s is there already, and is not a directory of root's that nobody else may write to", macBase).
			WithHint("look at it, and remove it if nothing needs it")
	default:
		base.Done = true
	}
	dir, err := h.socketDirStep(macDir, owner, gid)
	if err != nil {
		return Plan{}, err
	}
	p := Plan{Steps: []Step{h.groupStep(gid), h.memberStep(owner, gid), h.memberStep(agent, gid), base, dir}}
	h.note(&p, agent, gid, fmt.Sprintf("%s starts the daemon with `aivault setup launchd`, or runs `aivault daemon --shared`", owner.Name))
	return p, nil
}

// socketDirStep makes the step of making the directory of the socket, in one
// that only root may write to. Somebody else's is not taken away: fault.Conflict.
func (h *Host) socketDirStep(dir string, owner User, gid int) (Step, error) {
	s := Step{
		What: fmt.Sprintf("%s belongs to %s and group %s", dir, owner.Name, Group),
		Argv: []string{"install", "-d", "-m", dirMode, "-o", owner.Name, "-g", Group, dir},
	}
	st, err := h.Stat(h.Base + dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return s, nil
	case err != nil:
		return s, fault.Wrap(fault.IO, fault.WithoutPath(err), "looking at %s", dir)
	case !st.Mode.IsDir():
		return s, fault.New(fault.Conflict, "%s is %s, and no directory", dir, kindOf(st.Mode)).
			WithHint("remove it, and try again")
	case st.UID != owner.UID && st.UID != 0:
		return s, fault.New(fault.Conflict, "%s belongs to user %d: a vault of that user's is shared already", dir, st.UID).
			WithHint("to share %s's vault in its place, stop that daemon and remove the directory", owner.Name)
	}
	s.Done = gid >= 0 && st.UID == owner.UID && st.GID == gid && st.Mode == fs.ModeDir|fs.ModeSetgid|0o750
	return s, nil
}

// runsSystemd reports whether systemd looks after this system (sd_booted(3)).
func (h *Host) runsSystemd() bool {
	st, err := h.Stat(h.Base + "/run/systemd/system")
	return err == nil && st.Mode.IsDir()
}

package cli

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"aivault/keys/fault"
	"aivault/ui/setup"
	"aivault/vault"
)

// setupAccess is what `setup agent-access` takes.
type setupAccess struct {
	agent, owner     string
	workspace, group string
	list, remove     bool
	dry              bool
	cmd              *cobra.Command
}

func newSetupAccess(sh *shell) *cobra.Command {
	var f setupAccess
	cmd := &cobra.Command{
		Use:   "agent-access --agent-user USER [--workspace-id ID [--group-id ID]] [--daemon-user USER] [--dry-run] | --remove | --list",
		Short: "let another user call, in a workspace or a group",
		Long: `Lets a user, as whom agents run, make calls in one workspace, or in one group of
it, and nowhere else. Run it again for a further context.

As root, through sudo, it also makes what the two users need to meet: a group
and the directory of the socket. The grant itself is always made as the user
whose vault it is, and is all that is left to do the next time, without root.

--list shows the grants of the vault, --remove takes one back.`,
		Example: `sudo aivault setup agent-access --agent-user agent --workspace-id shop
aivault setup agent-access --agent-user agent --workspace-id shop --group-id payments
aivault setup agent-access --list
aivault setup agent-access --remove --agent-user agent --workspace-id shop`,
		DisableFlagsInUseLine: true,
		Args:                  noArgs,
	}
	f.cmd = cmd
	fs := cmd.Flags()
	fs.SortFlags = false
	text(fs, &f.agent, "agent-user", "USER", "the user as whom agents run")
	text(fs, &f.workspace, "workspace-id", "ID", "the workspace in which it may call")
	text(fs, &f.group, "group-id", "ID", "the group in that workspace, instead of all of it")
	text(fs, &f.owner, "daemon-user", "USER", "the user whose vault is shared (default: who ran sudo, or you)")
	fs.BoolVar(&f.list, "list", false, "list the grants, of one user with --agent-user")
	fs.BoolVar(&f.remove, "remove", false, "take a grant back")
	dryRun(cmd, &f.dry)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error { return f.run(cmd.Context(), sh) }
	return cmd
}

func (f *setupAccess) run(ctx context.Context, sh *shell) error {
	c, err := f.parse()
	if err != nil {
		return err
	}
	sh.acting = true
	h := sh.env.Host()
	if err := h.Supported(); err != nil {
		return err
	}
	owner, err := f.ownerOf(sh, h)
	if err != nil {
		return err
	}
	at := ownerVault{sh: sh, h: h, owner: owner, cmd: f.cmd}
	switch {
	case f.list:
		return f.runList(ctx, at)
	case f.remove:
		return f.runRemove(ctx, at, c)
	}
	return f.runGrant(ctx, at, c)
}

// parse checks the flags, and returns the context that they name; it is empty
// where they name none.
func (f *setupAccess) parse() (vault.Context, error) {
	c := vault.Context{Workspace: f.workspace, Group: f.group}
	if err := refuseEmpty(f.cmd.Flags(), leaveOut, "agent-user", "daemon-user", "workspace-id", "group-id"); err != nil {
		return c, err
	}
	switch {
	case f.list && f.remove:
		return c, fault.New(fault.Usage, "provide only one of --list and --remove")
	case f.list && (c != vault.Context{} || f.dry):
		return c, fault.New(fault.Usage, "--list goes with --agent-user and --daemon-user only")
	case f.agent == "" && !f.list:
		return c, fault.New(fault.Usage, "--agent-user is required")
	case f.remove && f.workspace == "":
		return c, fault.New(fault.Usage, "--remove goes with --workspace-id, and with --group-id if the grant has a group").
			WithHint("`aivault setup agent-access --list` shows the grants")
	}
	return c, c.Validate()
}

// ownerOf returns the user whose vault it is about: the one that was named,
// who became root by sudo, or who runs this.
func (f *setupAccess) ownerOf(sh *shell, h *setup.Host) (setup.User, error) {
	if f.owner != "" {
		return h.Lookup(f.owner)
	}
	if name := sh.env.Getenv("SUDO_USER"); h.UID == 0 && name != "" {
		return h.Lookup(name)
	}
	return h.Current()
}

// accessJSON is what came of `setup agent-access`.
type accessJSON struct {
	planJSON
	AgentUser  string     `json:"agentUser"`
	AgentUID   int        `json:"agentUid"`
	DaemonUser string     `json:"daemonUser"`
	Socket     string     `json:"socket"`
	Grant      *grantJSON `json:"grant"` // null: no context was named, or it is a dry run
	Added      bool       `json:"added"` // false: it was there already
}

func (f *setupAccess) runGrant(ctx context.Context, at ownerVault, c vault.Context) error {
	sh, h := at.sh, at.h
	agent, err := h.Lookup(f.agent)
	if err != nil {
		return err
	}
	plan, err := h.AgentAccess(agent, at.owner)
	if err != nil {
		return err
	}
	root := at.args(agent.Name, c)
	if f.owner != "" {
		root = append(root, "--daemon-user", at.owner.Name)
	}
	if err := needRoot(h, &plan, f.dry, strings.Join(root, " ")); err != nil {
		return err
	}
	if c == (vault.Context{}) {
		plan.Notes = append(plan.Notes, agent.Name+" may call nowhere yet: name a context with --workspace-id")
	} else if err := at.reachable(); err != nil && !f.dry {
		return err
	}
	if sh.env.Getenv("AIVAULTD_SHARED_SOCKET") != "" {
		sh.out.notice("AIVAULTD_SHARED_SOCKET changes nothing here: it is made ready where everybody looks for the socket by default")
	}
	if f.dry && c != (vault.Context{}) {
		plan.Steps = append(plan.Steps, setup.Step{What: agent.Name + " may call in " + contextName(c), Argv: at.command(agent.Name, c)})
	}
	if err := sh.takeSteps(ctx, h, &plan, f.dry); err != nil {
		return err
	}
	out := accessJSON{AgentUser: agent.Name, AgentUID: agent.UID, DaemonUser: at.owner.Name, Socket: setup.SharedSocket(h.OS)}
	if !f.dry && c != (vault.Context{}) {
		if out.Grant, out.Added, err = at.grant(ctx, agent, c); err != nil {
			return err
		}
	}
	if out.planJSON = toPlan(&plan, f.dry); sh.out.json {
		return sh.out.printJSON(out)
	}
	if out.Grant != nil {
		sh.out.printf("%s  %s may call in %s", map[bool]string{true: "done   ", false: "already"}[out.Added], agent.Name, contextName(c))
	}
	sh.printNotes(&plan)
	return nil
}

// removedJSON is what came of taking a grant back.
type removedJSON struct {
	Removed   bool   `json:"removed"`
	User      string `json:"agentUser"` // a number, of one who is gone
	UID       int    `json:"agentUid"`
	Workspace string `json:"workspaceId"`
	Group     string `json:"groupId,omitempty"`
}

func (f *setupAccess) runRemove(ctx context.Context, at ownerVault, c vault.Context) error {
	agent, err := f.agentOf(at.h)
	if err != nil {
		return err
	}
	if f.dry {
		plan := setup.Plan{Steps: []setup.Step{{
			What: agent.Name + " may no longer call in " + contextName(c), Argv: append(at.command(agent.Name, c), "--remove"),
		}}}
		return at.sh.carryOut(ctx, at.h, &plan, true)
	}
	out := removedJSON{User: agent.Name, UID: agent.UID, Workspace: c.Workspace, Group: c.Group}
	if out.Removed, err = at.revoke(ctx, agent, c); err != nil {
		return err
	}
	sh := at.sh
	switch {
	case sh.out.json:
		return sh.out.printJSON(out)
	case !out.Removed:
		sh.out.printf("%s had no grant for %s", agent.Name, contextName(c))
	default:
		sh.out.printf("%s may no longer call in %s", agent.Name, contextName(c))
		sh.out.printf("note: who is in group %s still reaches the socket, and may do nothing there without a grant", setup.Group)
	}
	return nil
}

// agentOf returns the user that --agent-user names. One who is gone is named by
// number, so that its grants go before somebody else gets that.
func (f *setupAccess) agentOf(h *setup.Host) (setup.User, error) {
	uid, err := strconv.ParseUint(f.agent, 10, 32)
	if err != nil {
		return h.Lookup(f.agent)
	}
	return setup.User{Name: f.agent, UID: int(uid)}, nil
}

func (f *setupAccess) runList(ctx context.Context, at ownerVault) error {
	list, err := at.grants(ctx)
	if err != nil {
		return err
	}
	sh := at.sh
	if f.agent != "" {
		agent, err := f.agentOf(at.h)
		if err != nil {
			return err
		}
		kept := list[:0]
		for _, g := range list {
			if g.UID == agent.UID {
				kept = append(kept, g)
			}
		}
		list = kept
	}
	if sh.out.json {
		return sh.out.printJSON(orEmpty(list))
	}
	if len(list) == 0 {
		sh.out.printf("No other user may call.")
		return nil
	}
	rows := [][]cell{heading("USER", "UID", "WORKSPACE", "GROUP", "SINCE")}
	for _, g := range list {
		name := "(gone)"
		if g.User != nil {
			name = *g.User
		}
		rows = append(rows, cells(name, strconv.Itoa(g.UID), g.Workspace, orDash(g.Group), momentMs(g.CreatedAt)))
	}
	sh.out.table(rows)
	sh.out.printf("%s", count(len(list), "grant"))
	return nil
}

// contextName is a context in words.
func contextName(c vault.Context) string {
	if c.Group == "" {
		return "workspace " + c.Workspace
	}
	return fmt.Sprintf("workspace %s, group %s", c.Workspace, c.Group)
}

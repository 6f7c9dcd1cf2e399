package cli

import (
	"context"

	"github.com/spf13/cobra"

	"aivault/ui/app"
	"aivault/vault"
)

func newAttachGroup(sh *shell) *cobra.Command {
	cmd := groupCommand(sh, "attach-group", app.Backend.AttachGroup, "attached to", "was attached to %s before")
	cmd.Short = "share a secret with a group"
	cmd.Long = `Shares a secret, whatever its scope, with a group: there it counts as the
group's own. It takes effect for the next call.`
	cmd.Example = `aivault secrets attach-group --id 3f2a91bc --workspace-id shop --group-id payments`
	return cmd
}

func newDetachGroup(sh *shell) *cobra.Command {
	cmd := groupCommand(sh, "detach-group", app.Backend.DetachGroup, "detached from", "was not attached to %s")
	cmd.Short = "end the sharing of a secret with a group"
	cmd.Long = `Ends what attach-group began. It takes effect for the next call.`
	cmd.Example = `aivault secrets detach-group --id 3f2a91bc --workspace-id shop --group-id payments`
	return cmd
}

// groupCommand makes a command that changes whom a secret is shared with.
func groupCommand(
	sh *shell, name string,
	change func(app.Backend, context.Context, vault.ID, vault.GroupRef, vault.IfRevision) (vault.Secret, bool, error),
	done, notice string,
) *cobra.Command {
	var g vault.GroupRef
	cmd := &cobra.Command{
		Use:                   name + " --id ID --workspace-id ID --group-id ID",
		DisableFlagsInUseLine: true,
		Args:                  noArgs,
	}
	fs := cmd.Flags()
	fs.SortFlags = false
	id := idFlag(cmd)
	text(fs, &g.Workspace, "workspace-id", "ID", "the workspace of the group")
	text(fs, &g.Group, "group-id", "ID", "the group")
	require(cmd, "workspace-id", "group-id")
	rev := revision(cmd)
	cmd.RunE = sh.run(func(ctx context.Context, be app.Backend, _ []string) error {
		if err := g.Scope().Validate(); err != nil {
			return err
		}
		s, err := be.FindSecret(ctx, *id)
		if err != nil {
			return err
		}
		s, changed, err := change(be, ctx, s.ID, g, ifRevision(rev))
		if err != nil {
			return err
		}
		if !changed {
			if s.Scope == g.Scope() {
				sh.out.noticef("nothing changed: %s is the scope of %s itself", g, s.Name)
			} else {
				sh.out.noticef("nothing changed: %s "+notice, s.Name, g)
			}
		}
		if changed || sh.out.json {
			return sh.printSecret(s, done+" "+g.String())
		}
		return nil
	})
	return cmd
}

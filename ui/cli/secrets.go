package cli

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"aivault/broker"
	"aivault/keys/fault"
	"aivault/ui/app"
	"aivault/vault"
)

func newSecrets(sh *shell) *cobra.Command {
	return family("secrets", `A secret is a named value, with a scope: global, of a workspace, or of a group
within a workspace. Its value goes in and never comes out: no command shows it.
A name that a provider claims, such as OPENAI_API_KEY, pins the secret to that
provider: it works there, and nowhere else, for good.`,
		newSecretsCreate(sh), newSecretsList(sh), newSecretsUpdate(sh), newSecretsRotate(sh),
		newSecretsDelete(sh), newAttachGroup(sh), newDetachGroup(sh), newSecretsImport(sh))
}

// idFlag adds the flag that names a secret.
func idFlag(cmd *cobra.Command) *string {
	id := new(string)
	text(cmd.Flags(), id, "id", "ID", "the secret: its id, vault:secret:ID, or the first digits of its id, at least six")
	require(cmd, "id")
	return id
}

func newSecretsCreate(sh *shell) *cobra.Command {
	var s vault.NewSecret
	var scope scopeFlags
	var value valueFlags
	cmd := &cobra.Command{
		Use:   "create --name NAME [--value-file PATH | --value-stdin]",
		Short: "store a secret",
		Long: `Stores a secret. Without a flag that gives the value, it is asked for, and does
not show. The newline at the end of a one-line value is not part of it. The
first secret makes the vault.`,
		Example: `aivault secrets create --name OPENAI_API_KEY
aivault secrets create --name STRIPE_API_KEY --workspace-id shop --value-file key.txt
pass show github | aivault secrets create --name GITHUB_TOKEN --value-stdin`,
		DisableFlagsInUseLine: true,
		Args:                  noArgs,
	}
	fs := cmd.Flags()
	fs.SortFlags = false
	text(fs, &s.Name, "name", "NAME", "the name, unique in the scope")
	value.add(cmd)
	scope.add(cmd)
	many(fs, &s.Aliases, "alias", "NAME", "a further name to find it by")
	fs.BoolVar(&s.AttachedOnly, "attached-only", false, "of a global secret: only groups that it is attached to may use it")
	require(cmd, "name")
	cmd.RunE = sh.run(func(ctx context.Context, be app.Backend, _ []string) (err error) {
		if s.Scope, err = scope.parse(); err != nil {
			return err
		}
		if s.AttachedOnly && s.Scope.Level != vault.Global {
			return fault.New(fault.Usage, "--attached-only is for global secrets")
		}
		if s.Value, err = value.read(ctx, sh); err != nil {
			return err
		}
		defer s.Value.Clear()
		stored, err := be.CreateSecret(ctx, s)
		if err != nil {
			return err
		}
		sh.noteShort(s.Value)
		if err := sh.printSecret(stored, "stored"); err != nil {
			return err
		}
		p, err := be.Provisioned(ctx, stored)
		if err != nil {
			return fault.Afterwards(err)
		}
		sh.notePinned(stored, p)
		sh.noteLooks(stored, s.Value, p)
		return nil
	})
	return cmd
}

func newSecretsUpdate(sh *shell) *cobra.Command {
	var name string
	var aliases []string
	var clearAliases bool
	cmd := &cobra.Command{
		Use:   "update --id ID [--name NAME] [--alias NAME] [--clear-aliases]",
		Short: "rename a secret, or change its aliases",
		Long: `Changes the name of a secret, or its aliases. Aliases that are given replace
those that it has. A name that a provider claims pins the secret to it; renaming
it again does not undo that.`,
		Example:               `aivault secrets update --id 3f2a91bc --name STRIPE_API_KEY`,
		DisableFlagsInUseLine: true,
		Args:                  noArgs,
	}
	fs := cmd.Flags()
	fs.SortFlags = false
	id := idFlag(cmd)
	text(fs, &name, "name", "NAME", "the new name")
	many(fs, &aliases, "alias", "NAME", "a further name to find it by")
	fs.BoolVar(&clearAliases, "clear-aliases", false, "take all aliases away")
	rev := revision(cmd)
	cmd.RunE = sh.run(func(ctx context.Context, be app.Backend, _ []string) error {
		var change vault.SecretChange
		if fs.Changed("name") {
			change.Name = &name
		}
		switch {
		case clearAliases && len(aliases) > 0:
			return fault.New(fault.Usage, "provide only one of --alias and --clear-aliases")
		case clearAliases, len(aliases) > 0:
			change.Aliases = &aliases
		case change.Name == nil:
			return fault.New(fault.Usage, "there is nothing to change")
		}
		s, err := be.FindSecret(ctx, *id)
		if err != nil {
			return err
		}
		changed, err := be.UpdateSecret(ctx, s.ID, change, ifRevision(rev))
		if err != nil {
			return err
		}
		if err := sh.printSecret(changed, "changed"); err != nil || changed.Name == s.Name {
			return err
		}
		return sh.provisioned(ctx, be, changed)
	})
	return cmd
}

func newSecretsRotate(sh *shell) *cobra.Command {
	var value valueFlags
	cmd := &cobra.Command{
		Use:   "rotate --id ID [--value-file PATH | --value-stdin]",
		Short: "give a secret a new value",
		Long: `Replaces the value of a secret. Its id, scope, attachments, credentials and
bindings stay. Without a flag that gives the value, it is asked for.`,
		Example: `aivault secrets rotate --id 3f2a91bc
aivault secrets rotate --id 3f2a91bc --value-file new-key.txt`,
		DisableFlagsInUseLine: true,
		Args:                  noArgs,
	}
	cmd.Flags().SortFlags = false
	id := idFlag(cmd)
	value.add(cmd)
	rev := revision(cmd)
	cmd.RunE = sh.run(func(ctx context.Context, be app.Backend, _ []string) error {
		s, err := be.FindSecret(ctx, *id) // before anybody types a value for nothing
		if err != nil {
			return err
		}
		v, err := value.read(ctx, sh)
		if err != nil {
			return err
		}
		defer v.Clear()
		rotated, err := be.RotateSecret(ctx, s.ID, v, ifRevision(rev))
		if err != nil {
			return err
		}
		sh.noteShort(v)
		if err := sh.printSecret(rotated, fmt.Sprintf("rotated to version %d", rotated.Version)); err != nil {
			return err
		}
		p, err := be.Provisioned(ctx, rotated)
		if err != nil {
			return fault.Afterwards(err)
		}
		sh.noteLooks(rotated, v, p)
		return nil
	})
	return cmd
}

func newSecretsDelete(sh *shell) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "delete --id ID",
		Short: "delete a secret with all that depends on it",
		Long: `Deletes a secret with its value, and with it every credential, attachment and
binding that needs it. Its name is free again. The audit log keeps what was
done.`,
		Example:               `aivault secrets delete --id 3f2a91bc`,
		DisableFlagsInUseLine: true,
		Args:                  noArgs,
	}
	cmd.Flags().SortFlags = false
	id := idFlag(cmd)
	rev := revision(cmd)
	cmd.RunE = sh.run(func(ctx context.Context, be app.Backend, _ []string) error {
		s, err := be.FindSecret(ctx, *id)
		if err != nil {
			return err
		}
		removed, err := be.DeleteSecret(ctx, s.ID, ifRevision(rev))
		if err != nil {
			return err
		}
		return sh.printRemoved(removed)
	})
	return cmd
}

// printSecret prints one secret after something was done to it.
func (sh *shell) printSecret(s vault.Secret, done string) error {
	if sh.out.json {
		return sh.out.printJSON(toSecret(s))
	}
	sh.out.printf("%s %s, %s", sh.out.strong(s.Name), done, s.Scope)
	sh.out.printf("id %s", s.ID)
	return nil
}

func (sh *shell) printRemoved(r vault.Removed) error {
	if sh.out.json {
		s := toSecret(r.Secret)
		s.RevokedAt = millis(r.At)
		return sh.out.printJSON(struct {
			secretJSON
			Credentials []string `json:"removedCredentials"`
			Bindings    int      `json:"removedBindings"`
		}{s, orEmpty(r.Credentials), len(r.Bindings)})
	}
	sh.out.printf("%s deleted, %s", sh.out.strong(r.Secret.Name), r.Secret.Scope)
	if len(r.Credentials) > 0 {
		sh.out.printf("with it: credential %s", strings.Join(r.Credentials, ", "))
	}
	if len(r.Bindings) > 0 {
		sh.out.printf("with it: %s", count(len(r.Bindings), "binding"))
	}
	return nil
}

// provisioned tells what the registry made of a secret that was just stored or
// renamed.
func (sh *shell) provisioned(ctx context.Context, be app.Backend, s vault.Secret) error {
	p, err := be.Provisioned(ctx, s)
	if err == nil {
		sh.notePinned(s, p)
	}
	return fault.Afterwards(err)
}

// notePinned says what the registry made of a secret; p is nil if nothing.
func (sh *shell) notePinned(s vault.Secret, p *broker.Provision) {
	switch {
	case p == nil:
	case p.NeedsHost != "":
		sh.out.noticef("%s is pinned to %s; make a credential that names your host: `aivault credential create my-%s --provider %s --secret-ref %.8s --host %s`",
			s.Name, p.Provider, p.Provider, p.Provider, s.ID, strings.Replace(p.NeedsHost, "*", "YOURS", 1))
	case len(p.Missing) > 0:
		sh.out.noticef("%s is pinned to %s, which waits for %s in the same scope", s.Name, p.Provider, strings.Join(p.Missing, ", "))
	case p.Disabled:
		sh.out.noticef("%s is pinned to %s; its credential %s was deleted, `aivault credential create %s` brings it back",
			s.Name, p.Provider, p.Credential, p.Credential)
	case p.Credential != "":
		sh.out.noticef("%s is pinned to %s: credential %s carries %s", s.Name, p.Provider, p.Credential, count(p.Capabilities, "capability"))
	default:
		sh.out.noticef("%s is pinned to %s", s.Name, p.Provider)
	}
}

// noteLooks says that a value that was just stored does not begin as those of
// its name do: most likely it is another one.
func (sh *shell) noteLooks(s vault.Secret, value vault.Value, p *broker.Provision) {
	if p == nil || broker.LooksLike(value, p.LooksLike) {
		return
	}
	sh.out.noticef("the value does not look like one for %s: those begin with %s; `aivault secrets rotate --id %.8s` replaces it",
		s.Name, strings.Join(p.LooksLike, " or "), s.ID)
}

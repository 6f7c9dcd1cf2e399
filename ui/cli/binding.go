package cli

import (
	"context"
	"slices"

	"github.com/spf13/cobra"

	"aivault/broker"
	"aivault/keys/fault"
	"aivault/keys/opaque"
	"aivault/ui/app"
)

func newBind(sh *shell) *cobra.Command {
	var n broker.NewBinding
	var ref string
	var scope scopeFlags
	var proof valueFlags
	cmd := &cobra.Command{
		Use:   "bind --capability ID --secret-ref REF",
		Short: "choose the secret of a capability in a scope",
		Long: `Chooses the secret that calls of a capability use, in a scope, and for one
consumer if --consumer is given. It replaces an earlier choice. The secret must
be visible where it is used: a binding opens nothing.`,
		Example:               `aivault capability bind --capability stripe/charges --secret-ref 3f2a91bc --workspace-id shop`,
		DisableFlagsInUseLine: true,
		Args:                  noArgs,
	}
	fs := cmd.Flags()
	fs.SortFlags = false
	text(fs, &n.Capability, "capability", "ID", "the capability")
	text(fs, &ref, "secret-ref", "REF", "the secret: vault:secret:ID, its id, or the first digits of its id")
	scope.add(cmd)
	text(fs, &n.Consumer, "consumer", "NAME", "for this consumer only")
	proof.addSources(cmd)
	require(cmd, "capability", "secret-ref")
	cmd.RunE = sh.run(func(ctx context.Context, be app.Backend, _ []string) (err error) {
		if n.Scope, err = scope.parse(); err != nil {
			return err
		}
		if err := refuseEmpty(fs, leaveOut, "consumer"); err != nil {
			return err
		}
		s, err := be.FindSecret(ctx, ref)
		if err != nil {
			return err
		}
		n.Secret = s.ID
		return proof.withProof(ctx, sh, func(proof opaque.Bytes) error {
			n.Proof = proof
			b, err := be.Bind(ctx, n)
			if err != nil {
				return err
			}
			if sh.out.json {
				return sh.out.printJSON(toBinding(b))
			}
			sh.out.printf("%s uses %s in %s%s", sh.out.strong(b.Capability), s.Name, b.Scope, forConsumer(b.Consumer))
			return nil
		})
	})
	return cmd
}

func forConsumer(name string) string {
	if name == "" {
		return ""
	}
	return ", for consumer " + name
}

func newUnbind(sh *shell) *cobra.Command {
	var capability, consumer string
	var scope scopeFlags
	cmd := &cobra.Command{
		Use:   "unbind --capability ID",
		Short: "take back a choice of bind",
		Long: `Removes the binding of a capability at a scope, and for a consumer if it is
given.`,
		Example:               `aivault capability unbind --capability stripe/charges --workspace-id shop`,
		DisableFlagsInUseLine: true,
		Args:                  noArgs,
	}
	fs := cmd.Flags()
	fs.SortFlags = false
	text(fs, &capability, "capability", "ID", "the capability")
	scope.add(cmd)
	text(fs, &consumer, "consumer", "NAME", "the consumer that the binding is for")
	require(cmd, "capability")
	cmd.RunE = sh.run(func(ctx context.Context, be app.Backend, _ []string) error {
		s, err := scope.parse()
		if err != nil {
			return err
		}
		if err := refuseEmpty(fs, leaveOut, "consumer"); err != nil {
			return err
		}
		removed, err := be.Unbind(ctx, capability, s, consumer)
		if err != nil {
			return err
		}
		if sh.out.json {
			path, err := storePath(ctx, be)
			if err != nil {
				return fault.Afterwards(err)
			}
			return sh.out.printJSON(struct {
				Removed bool   `json:"removed"`
				Path    string `json:"path"`
			}{removed, path})
		}
		sh.out.removed(removed, "binding of "+capability+" in "+s.String()+forConsumer(consumer))
		return nil
	})
	return cmd
}

func newBindings(sh *shell) *cobra.Command {
	var capability, consumer string
	var scope scopeFlags
	cmd := &cobra.Command{
		Use:   "bindings [--capability ID] [--scope SCOPE] [--workspace-id ID [--group-id ID]]",
		Short: "list which secrets capabilities use",
		Long: `Lists the bindings that were made by hand, and, marked auto, what the
credentials that aivault makes amount to. All filters that are given must fit.`,
		Example:               `aivault capability bindings --workspace-id shop`,
		DisableFlagsInUseLine: true,
		Args:                  noArgs,
	}
	fs := cmd.Flags()
	fs.SortFlags = false
	text(fs, &capability, "capability", "ID", "of this capability only")
	scope.add(cmd)
	text(fs, &consumer, "consumer", "NAME", "for this consumer only")
	cmd.RunE = sh.run(func(ctx context.Context, be app.Backend, _ []string) error {
		s, err := scope.parse()
		if err != nil {
			return err
		}
		if err := refuseEmpty(fs, leaveOut, "capability", "consumer"); err != nil {
			return err
		}
		list, err := be.Bindings(ctx, capability)
		if err != nil {
			return err
		}
		list = slices.DeleteFunc(list, func(b broker.Binding) bool {
			return scope.given() && b.Scope != s || fs.Changed("consumer") && b.Consumer != consumer
		})
		if sh.out.json {
			return sh.out.printJSON(mapTo(list, toBinding))
		}
		sh.printBindings(list)
		return nil
	})
	return cmd
}

func (sh *shell) printBindings(list []broker.Binding) {
	if len(list) == 0 {
		sh.out.printf("No bindings. Without one, the narrowest credential that covers a call is used.")
		return
	}
	rows := [][]cell{heading("CAPABILITY", "SCOPE", "CONSUMER", "SECRET", "")}
	for _, b := range list {
		row := cells(b.Capability, b.Scope.String(), orDash(b.Consumer), b.Secret.String()[:8], "")
		if b.Auto {
			row[4] = cell{"auto", dim}
		}
		rows = append(rows, row)
	}
	sh.out.table(rows)
	sh.out.printf("%s", count(len(list), "binding"))
}

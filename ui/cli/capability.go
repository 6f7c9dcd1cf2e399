package cli

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"aivault/broker"
	"aivault/ui/app"
)

func newCapability(sh *shell) *cobra.Command {
	return family("capability", `A capability is an allowed operation of a provider: one host, some methods, some
path prefixes. Code names a capability to make a call, and can call nothing
else.`,
		newCapabilityList(sh), newCapabilityDescribe(sh), newCapabilityCreate(sh), newCapabilityDelete(sh), newPolicy(sh),
		newBind(sh), newUnbind(sh), newBindings(sh), newInvoke(sh), newJSON(sh), newMarkdown(sh))
}

func newCapabilityCreate(sh *shell) *cobra.Command {
	var n broker.NewCapability
	cmd := &cobra.Command{
		Use:   "create ID --method METHOD --path PREFIX [--credential ID | --provider NAME --host HOST]",
		Short: "allow an operation",
		Long: `Allows an operation. Its id is provider/name. Provider and host are those of the
credential that --credential names, if they are not given. A path prefix matches
whole segments: /v1/items allows /v1/items and /v1/items/7, not /v1/items-old.`,
		Example: `aivault capability create intranet/reports --credential intranet --method GET --path /v1/reports
aivault capability create acme/items --host api.acme.example --method GET --method POST --path /v1/items`,
		DisableFlagsInUseLine: true,
		Args:                  oneArg("capability's id"),
	}
	fs := cmd.Flags()
	fs.SortFlags = false
	many(fs, &n.Methods, "method", "METHOD", "an HTTP method")
	many(fs, &n.Paths, "path", "PREFIX", "a path prefix")
	text(fs, &n.FromCred, "credential", "ID", "take provider and host from this credential")
	text(fs, &n.Provider, "provider", "NAME", "the provider; if not given, the first part of the id")
	many(fs, &n.Hosts, "host", "HOST", "the host")
	many(fs, &n.AllowHeads, "allow-header", "NAME", "a request header that may pass; if none is given, all that are harmless may")
	require(cmd, "method", "path")
	cmd.RunE = sh.run(func(ctx context.Context, be app.Backend, args []string) error {
		n.ID = args[0]
		c, err := be.CreateCapability(ctx, n)
		if err != nil {
			return err
		}
		if sh.out.json {
			return sh.out.printJSON(toCapability(c))
		}
		sh.out.printf("capability %s made", sh.out.strong(c.ID))
		sh.out.printf("%s", summary(c))
		return nil
	})
	return cmd
}

// summary says in a line what a capability allows.
func summary(c broker.Capability) string {
	return fmt.Sprintf("%s %s %s", strings.Join(c.Allow.Methods, ", "), strings.Join(c.Allow.Hosts, ", "), strings.Join(c.Allow.Paths, ", "))
}

func newCapabilityList(sh *shell) *cobra.Command {
	var f capabilityFilter
	cmd := &cobra.Command{
		Use:   "list [--provider NAME] [--ready] [WORD...]",
		Short: "list capabilities",
		Long: `Lists capabilities, by provider. Those that a credential carries, in some scope,
are ready; the others wait for a secret. Words are looked for in ids, hosts and
descriptions, and all of them must be there.`,
		Example: `aivault capability list
aivault capability list --provider github
aivault capability list --ready send mail`,
		DisableFlagsInUseLine: true,
	}
	fs := cmd.Flags()
	fs.SortFlags = false
	text(fs, &f.provider, "provider", "NAME", "of this provider only")
	fs.BoolVar(&f.ready, "ready", false, "those only that are ready")
	cmd.RunE = sh.run(func(ctx context.Context, be app.Backend, args []string) error {
		if err := refuseEmpty(fs, leaveOut, "provider"); err != nil {
			return err
		}
		f.words = args
		list, err := be.Capabilities(ctx)
		if err != nil {
			return err
		}
		// As documented: those of the store, with all of any provider
		// that has a credential, and those that only the registry has.
		var ours, others []broker.Capability
		for _, c := range list {
			switch {
			case !f.takes(&c):
			case c.Ready || !c.Builtin:
				ours = append(ours, c)
			default:
				others = append(others, c)
			}
		}
		if sh.out.json {
			return sh.printCapabilitiesJSON(ctx, be, ours, others)
		}
		sh.printCapabilities(ours, others, f.narrow())
		return nil
	})
	return cmd
}

// A capabilityFilter says which capabilities to list.
type capabilityFilter struct {
	provider string
	ready    bool
	words    []string
}

// narrow reports whether few enough are left to tell what each is.
func (f *capabilityFilter) narrow() bool { return f.provider != "" || len(f.words) > 0 }

func (f *capabilityFilter) takes(c *broker.Capability) bool {
	if f.provider != "" && c.Provider != f.provider || f.ready && !c.Ready {
		return false
	}
	within := strings.ToLower(strings.Join(append([]string{c.ID, c.Provider, c.Description}, c.Allow.Hosts...), "\n"))
	for _, word := range f.words {
		if !strings.Contains(within, strings.ToLower(word)) {
			return false
		}
	}
	return true
}

func (sh *shell) printCapabilitiesJSON(ctx context.Context, be app.Backend, ours, others []broker.Capability) error {
	policies, err := be.Policies(ctx)
	if err != nil {
		return err
	}
	path, err := storePath(ctx, be)
	if err != nil {
		return err
	}
	return sh.out.printJSON(struct {
		Capabilities []capabilityJSON `json:"capabilities"`
		Registry     []capabilityJSON `json:"registryCapabilities"`
		Policies     []policyJSON     `json:"policies"`
		Path         string           `json:"path"`
	}{mapTo(ours, toCapability), mapTo(others, toCapability), mapTo(policies, toPolicy), path})
}

// printCapabilities shows of those that are not ready how many each provider has,
// or if they are few, each with what it is.
func (sh *shell) printCapabilities(ours, others []broker.Capability, few bool) {
	if len(ours)+len(others) == 0 {
		sh.out.printf("No such capabilities. 'aivault capability list' lists all.")
		return
	}
	if len(others) > 0 {
		rows := [][]cell{{{"Available, once a secret is stored", bold}}}
		for i := 0; i < len(others); {
			end := i
			for end < len(others) && others[end].Provider == others[i].Provider {
				end++
			}
			if few {
				for _, c := range others[i:end] {
					rows = append(rows, []cell{{"  " + c.ID, plain}, {c.Description, dim}})
				}
			} else {
				rows = append(rows, []cell{{"  " + others[i].Provider, plain}, {count(end-i, "capability"), dim}})
			}
			i = end
		}
		sh.out.table(rows)
		sh.out.printf("")
	}
	rows := [][]cell{{{"Ready", bold}}}
	ready := 0
	for _, c := range ours {
		row := cells("  "+c.ID, strings.Join(c.Allow.Methods, ","), strings.Join(c.Allow.Hosts, ","), "")
		if c.Ready {
			ready++
		} else {
			row[3] = cell{"not ready: no credential", yellow}
		}
		rows = append(rows, row)
	}
	sh.out.table(rows)
	sh.out.printf("%d ready, %d available; `aivault capability describe ID` tells how to use one", ready, len(others))
}

func newCapabilityDelete(sh *shell) *cobra.Command {
	return &cobra.Command{
		Use:   "delete ID",
		Short: "delete a capability with its limits and bindings",
		Long: `Deletes a capability that was made by hand, with its limits and bindings. A
built-in one stays, and so do its.`,
		Example:               "aivault capability delete intranet/reports",
		DisableFlagsInUseLine: true,
		Args:                  oneArg("capability's id"),
		RunE: sh.run(func(ctx context.Context, be app.Backend, args []string) error {
			removed, err := be.DeleteCapability(ctx, args[0])
			if err != nil {
				return err
			}
			if sh.out.json {
				return sh.out.printJSON(struct {
					Capability bool   `json:"removedCapability"`
					Policy     bool   `json:"removedPolicy"`
					ID         string `json:"id"`
				}{removed.Capability, removed.Policy, args[0]})
			}
			switch {
			case removed.Capability && removed.Policy:
				sh.out.printf("capability %s deleted, with its limits", args[0])
			case removed.Capability:
				sh.out.printf("capability %s deleted", args[0])
			default:
				sh.out.printf("there is no capability %s that could be deleted", args[0])
			}
			return nil
		}),
	}
}

package cli

import (
	"context"
	"strings"

	"github.com/spf13/cobra"

	"aivault/broker"
	"aivault/ui/app"
	"aivault/vault"
)

func newProvider(sh *shell) *cobra.Command {
	return family("provider", `A provider is a service with an API: its hosts, the names under which its
secrets are kept, how each authenticates, and what there is to allow. Many are
built in. You can define others, in the same format; they are kept sealed in the
vault.`,
		newProviderList(sh), newProviderAdd(sh), newProviderRemove(sh), newProviderValidate(sh))
}

func newProviderList(sh *shell) *cobra.Command {
	var own bool
	cmd := &cobra.Command{
		Use:   "list [--own]",
		Short: "list providers",
		Long: `Lists providers, those that are built in and your own. Ready says how many of
the capabilities of one a credential carries, in some scope.`,
		Example:               "aivault provider list",
		DisableFlagsInUseLine: true,
		Args:                  noArgs,
	}
	cmd.Flags().BoolVar(&own, "own", false, "your own only")
	cmd.RunE = sh.run(func(ctx context.Context, be app.Backend, _ []string) error {
		all, err := be.Providers(ctx)
		if err != nil {
			return err
		}
		var list []broker.Provider
		for _, p := range all {
			if p.Own || !own {
				list = append(list, p)
			}
		}
		if sh.out.json {
			path, err := storePath(ctx, be)
			if err != nil {
				return err
			}
			return sh.out.printJSON(struct {
				Providers []providerJSON `json:"providers"`
				Path      string         `json:"path"`
			}{mapTo(list, toProvider), path})
		}
		sh.printProviders(list)
		return nil
	})
	return cmd
}

// providerJSON is the record of a provider. Providers are no programs to install:
// whatever is listed is installed and enabled, at no place of its own.
type providerJSON struct {
	ID           string   `json:"id"`
	Version      *string  `json:"version"`
	Official     bool     `json:"official"` // built in
	Installed    bool     `json:"installed"`
	Enabled      bool     `json:"enabled"`
	InstallDir   *string  `json:"installDir"`
	Executable   *string  `json:"executable"`
	Bundled      *string  `json:"bundledBinary"`
	Capabilities []string `json:"capabilities"`

	Name        string   `json:"name"` // ours, as what follows
	Ready       int      `json:"ready"`
	SecretNames []string `json:"secretNames"`
	Hosts       []string `json:"hosts"`
	DocsURL     string   `json:"docsUrl,omitempty"`
}

func toProvider(p broker.Provider) providerJSON {
	return providerJSON{
		ID: p.ID, Official: !p.Own, Installed: true, Enabled: !p.Unreadable, Capabilities: orEmpty(p.Capabilities),
		Name: p.Name, Ready: p.Ready, SecretNames: orEmpty(p.SecretNames), Hosts: orEmpty(p.Hosts), DocsURL: p.DocsURL,
	}
}

func (sh *shell) printProviders(list []broker.Provider) {
	if len(list) == 0 {
		sh.out.printf("No providers of your own. 'aivault provider add FILE' adds one.")
		return
	}
	rows := [][]cell{heading("ID", "NAME", "", "CAPABILITIES", "READY")}
	for _, p := range list {
		row := cells(p.ID, p.Name, "", count(len(p.Capabilities), "capability"), "")
		if p.Own {
			row[2] = cell{"own", bold}
		}
		switch {
		case p.Unreadable:
			row[3] = cell{"this version cannot read it", red}
		case p.Ready == len(p.Capabilities):
			row[4] = cell{"ready", green}
		case p.Ready > 0:
			row[4] = cell{count(p.Ready, "capability") + " ready", green}
		}
		rows = append(rows, row)
	}
	sh.out.table(rows)
	sh.out.printf("%s", count(len(list), "provider"))
}

func newProviderAdd(sh *shell) *cobra.Command {
	return &cobra.Command{
		Use:   "add FILE",
		Short: "define a provider of your own",
		Long: `Adds a provider that a file defines, as JSON, or - for the standard input.
Secrets that get a name which it claims from then on are pinned to it: they go
to its hosts and no others. What is built in keeps its meaning: ids and secret
names of other providers are refused.

Adding it again with other content replaces it. While secrets are pinned to it,
that may take hosts away, and adds none.`,
		Example:               "aivault provider add acme.json",
		DisableFlagsInUseLine: true,
		Args:                  oneArg("file"),
		RunE: sh.run(func(ctx context.Context, be app.Backend, args []string) error {
			return sh.changeProvider(ctx, args[0], be.AddProvider, "added")
		}),
	}
}

func newProviderValidate(sh *shell) *cobra.Command {
	return &cobra.Command{
		Use:   "validate FILE",
		Short: "tell whether a provider could be added",
		Long: `Tells what 'aivault provider add' would do with a file, or why it would refuse
it.`,
		Example:               "aivault provider validate acme.json",
		DisableFlagsInUseLine: true,
		Args:                  oneArg("file"),
		RunE: sh.run(func(ctx context.Context, be app.Backend, args []string) error {
			return sh.changeProvider(ctx, args[0], be.CheckProvider, "is good")
		}),
	}
}

// changeProvider has a definition added or checked, and says what came of it.
func (sh *shell) changeProvider(ctx context.Context, file string, act func(context.Context, []byte) (broker.ProviderChange, error), done string) error {
	definition, err := sh.env.ReadFile(ctx, file, vault.MaxDefinition)
	if err != nil {
		return err
	}
	p, err := act(ctx, definition)
	if err != nil {
		return err
	}
	if sh.out.json {
		return sh.out.printJSON(struct {
			Provider providerJSON `json:"provider"`
			Replaces bool         `json:"replaces"`
			Same     bool         `json:"same"`
		}{toProvider(p.Provider), p.Replaces, p.Same})
	}
	switch {
	case p.Same:
		done = "is there already"
	case p.Replaces:
		done += ", in the place of another definition"
	}
	sh.out.printf("provider %s %s: %s at %s", sh.out.strong(p.ID), done, count(len(p.Capabilities), "capability"), strings.Join(p.Hosts, ", "))
	sh.out.printf("secrets that are stored from then on as %s are pinned to it", strings.Join(p.SecretNames, ", "))
	return nil
}

func newProviderRemove(sh *shell) *cobra.Command {
	return &cobra.Command{
		Use:   "remove ID",
		Short: "remove a provider of your own",
		Long: `Removes a provider of your own, with the limits of its capabilities. One that is
in use stays: delete the secrets that are pinned to it, and the credentials,
capabilities and bindings of it, first. What is built in cannot be removed.`,
		Example:               "aivault provider remove acme",
		DisableFlagsInUseLine: true,
		Args:                  oneArg("provider's id"),
		RunE: sh.run(func(ctx context.Context, be app.Backend, args []string) error {
			removed, err := be.RemoveProvider(ctx, args[0])
			if err != nil {
				return err
			}
			return sh.printGone(removed, "provider", args[0])
		}),
	}
}

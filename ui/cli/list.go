package cli

import (
	"context"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"aivault/ui/app"
	"aivault/vault"
)

func newSecretsList(sh *shell) *cobra.Command {
	var scope scopeFlags
	cmd := &cobra.Command{
		Use:   "list [--scope SCOPE] [--workspace-id ID [--group-id ID]]",
		Short: "list secrets, of all scopes, of one, or as a context sees them",
		Long: `Lists what is known about secrets; values are never shown.

Without flags: all secrets, with their scopes. With --scope: the secrets of that
scope only. With ids alone: what a call from that workspace or group sees, where
each comes from, and which ones a narrower one shadows.`,
		Example: `aivault secrets list
aivault secrets list --scope workspace --workspace-id shop
aivault secrets list --workspace-id shop --group-id payments`,
		DisableFlagsInUseLine: true,
		Args:                  noArgs,
	}
	cmd.Flags().SortFlags = false
	scope.add(cmd)
	cmd.RunE = sh.run(func(ctx context.Context, be app.Backend, _ []string) error {
		s, err := scope.parse()
		switch {
		case err != nil:
			return err
		case !scope.given():
			return sh.listSecrets(ctx, be, nil)
		case scope.scope != "":
			return sh.listSecrets(ctx, be, &s)
		}
		return sh.listEffective(ctx, be, vault.Context{Workspace: s.Workspace, Group: s.Group})
	})
	return cmd
}

// listSecrets lists the secrets of a scope, or of all if it is nil.
func (sh *shell) listSecrets(ctx context.Context, be app.Backend, scope *vault.Scope) error {
	list, err := be.Secrets(ctx, scope)
	if err != nil {
		return err
	}
	if sh.out.json {
		return sh.out.printJSON(mapTo(list, toSecret))
	}
	if len(list) == 0 {
		sh.out.printf("No secrets. Store one with: aivault secrets create --name NAME")
		return nil
	}
	short := shortIDs(list, func(s vault.Secret) vault.ID { return s.ID })
	rows := [][]cell{heading("NAME", "SCOPE", "ID", "PINNED TO", "LAST USED")}
	for i, s := range list {
		rows = append(rows, cells(s.Name, s.Scope.String(), short[i], orDash(s.PinnedProvider), moment(s.LastUsedAt)))
		rows = append(rows, details(s)...)
	}
	sh.out.table(rows)
	sh.out.printf("%s", count(len(list), "secret"))
	return nil
}

// listEffective lists what a context sees.
func (sh *shell) listEffective(ctx context.Context, be app.Backend, c vault.Context) error {
	list, err := be.Effective(ctx, c)
	if err != nil {
		return err
	}
	if sh.out.json {
		return sh.out.printJSON(mapTo(list, func(e vault.Effective) secretJSON {
			s := toSecret(e.Secret)
			s.From = e.From(c)
			if e.ShadowedBy != nil {
				s.ShadowedBy = e.ShadowedBy.String()
			}
			return s
		}))
	}
	if len(list) == 0 {
		sh.out.printf("No secrets are visible from %s.", c.Scope())
		return nil
	}
	short := shortIDs(list, func(e vault.Effective) vault.ID { return e.ID })
	rows := [][]cell{heading("NAME", "FROM", "SCOPE", "ID", "")}
	for i, e := range list {
		row := cells(e.Name, e.From(c), e.Scope.String(), short[i], "")
		if e.ShadowedBy != nil {
			row[4].text = "shadowed"
			for j := range row {
				row[j].style = dim
			}
		}
		rows = append(rows, row)
	}
	sh.out.table(rows)
	sh.out.printf("%s visible from %s", count(len(list), "secret"), c.Scope())
	return nil
}

// details are the lines below a secret.
func details(s vault.Secret) [][]cell {
	var rows [][]cell
	line := func(s string) { rows = append(rows, []cell{{"  " + s, dim}}) }
	if len(s.Aliases) > 0 {
		line("also " + strings.Join(s.Aliases, ", "))
	}
	if s.AttachedOnly {
		line("for attached groups only")
	}
	if len(s.Attached) > 0 {
		groups := mapTo(s.Attached, vault.GroupRef.String)
		line("attached to " + strings.Join(groups, ", "))
	}
	if len(s.Hosts) > 0 {
		hosts := mapTo(s.Hosts, func(h vault.Host) string { return h.Name })
		slices.Sort(hosts)
		line("goes to " + strings.Join(slices.Compact(hosts), ", "))
	}
	return rows
}

// shortIDs returns the first digits of the ids: as many as tell them apart, and
// at least eight.
func shortIDs[T any](list []T, id func(T) vault.ID) []string {
	texts := mapTo(list, func(t T) string { return id(t).String() })
	sorted := slices.Clone(texts)
	slices.Sort(sorted)
	digits := 8
	for i := 1; i < len(sorted); i++ {
		if sorted[i] == sorted[i-1] {
			continue
		}
		same := 0
		for sorted[i][same] == sorted[i-1][same] {
			same++
		}
		digits = max(digits, same+1)
	}
	for i := range texts {
		texts[i] = texts[i][:digits]
	}
	return texts
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

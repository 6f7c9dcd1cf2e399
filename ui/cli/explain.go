package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"aivault/broker"
	"aivault/ui/app"
	"aivault/vault"
)

func newExplain(sh *shell) *cobra.Command {
	var c contextFlags
	var credential string
	cmd := &cobra.Command{
		Use:   "explain CAPABILITY [--workspace-id ID [--group-id ID]] [--consumer NAME]",
		Short: "tell which secret a call would use, and why",
		Long: `Shows which credential or binding a call from a context would use: every
candidate from the narrowest to the widest, the one taken, and why the others
were not. Nothing is called, and no value is shown.`,
		Example:               "aivault explain openai/chat-completions --workspace-id shop --group-id payments",
		DisableFlagsInUseLine: true,
		Args:                  oneArg("capability's id"),
	}
	cmd.Flags().SortFlags = false
	c.add(cmd.Flags())
	text(cmd.Flags(), &credential, "credential", "ID", "as if the call named this credential")
	cmd.RunE = sh.run(func(ctx context.Context, be app.Backend, args []string) error {
		where, err := c.parse()
		if err != nil {
			return err
		}
		ladder, err := be.Explain(ctx, args[0], where, credential)
		if err != nil {
			return err
		}
		if sh.out.json {
			return sh.out.printJSON(toLadder(ladder))
		}
		sh.printLadder(ladder)
		return nil
	})
	return cmd
}

type ladderJSON struct {
	Capability string      `json:"capability"`
	Provider   string      `json:"provider"`
	Context    contextJSON `json:"context"`
	Via        *string     `json:"via"` // credential or binding
	Credential *string     `json:"credential"`
	Lender     *string     `json:"lender"`
	Secret     *string     `json:"secretId"`
	Tier       vault.Level `json:"tier"` // 3 group, 2 workspace, 1 global, 0 none
	Rungs      []rungJSON  `json:"rungs"`
	Error      *errorJSON  `json:"error"`
}

type contextJSON struct {
	Workspace *string `json:"workspaceId"`
	Group     *string `json:"groupId"`
	Consumer  *string `json:"consumer"`
}

type rungJSON struct {
	Tier   vault.Level `json:"tier"`
	Kind   string      `json:"kind"`
	ID     string      `json:"id"`
	Secret *string     `json:"secretId"`
	Taken  bool        `json:"taken"`
	Reason string      `json:"reason"`
}

func toLadder(l *broker.Ladder) ladderJSON {
	return ladderJSON{
		Capability: l.Capability, Provider: l.Provider,
		Context: contextJSON{orNull(l.Context.Workspace), orNull(l.Context.Group), orNull(l.Context.Consumer)},
		Via:     orNull(l.Via), Credential: orNull(l.Credential), Lender: orNull(l.Lender), Secret: idOrNull(l.Secret), Tier: l.Tier,
		Rungs: mapTo(l.Rungs, func(r broker.Rung) rungJSON {
			return rungJSON{r.Tier, r.Kind, r.ID, idOrNull(r.Secret), r.Taken, r.Reason}
		}),
		Error: errorOrNil(l.Err),
	}
}

func idOrNull(id vault.ID) *string {
	if id == (vault.ID{}) {
		return nil
	}
	return new(id.String())
}

// printLadder prints the rungs by tier, the narrowest first, and what comes of
// them.
func (sh *shell) printLadder(l *broker.Ladder) {
	from := l.Context.Scope().String()
	if l.Context.Consumer != "" {
		from += ", consumer " + l.Context.Consumer
	}
	sh.out.printf("%s from %s", sh.out.strong(l.Capability), from)
	tier := vault.Level(99)
	var rows [][]cell
	for _, r := range l.Rungs {
		if r.Tier != tier {
			tier = r.Tier
			rows = append(rows, []cell{{tierName(tier), bold}})
		}
		mark, st := " ", plain
		switch {
		case r.Taken:
			mark, st = ">", green
		case r.Tier == 0:
			st = dim
		}
		secret := r.SecretName
		if id := idOrNull(r.Secret); id != nil {
			secret += " " + (*id)[:8]
		}
		rows = append(rows,
			[]cell{{"  " + mark + " " + r.Kind, st}, {orDash(r.ID), st}, {secret, st}},
			[]cell{{"      " + r.Reason, dim}})
	}
	sh.out.table(rows)
	if l.Err != nil {
		e := toError(l.Err)
		sh.out.printf("Nothing is used: %s (%s)", e.Message, string(e.Code))
		return
	}
	used := fmt.Sprintf("secret %s", l.SecretName)
	if l.Via == "binding" {
		used += " by binding, with the authentication of " + l.Lender
	} else {
		used += " by credential " + l.Credential
	}
	sh.out.printf("Used: %s", used)
}

func tierName(l vault.Level) string {
	if l == 0 {
		return "not for this context"
	}
	return l.String()
}

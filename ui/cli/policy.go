package cli

import (
	"context"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"aivault/keys/fault"
	"aivault/ui/app"
	"aivault/vault"
)

func newPolicy(sh *shell) *cobra.Command {
	cmd := family("policy", `Limits of a capability: how often it may be called, how much may be sent and
come back, and which fields of an answer are kept back. They hold over all
contexts, processes and restarts.`,
		newPolicySet(sh), newPolicyShow(sh))
	cmd.Short = "limit the calls of a capability"
	return cmd
}

func newPolicySet(sh *shell) *cobra.Command {
	var p vault.Policy
	var rate, request, response int64
	cmd := &cobra.Command{
		Use:   "set --capability ID [--rate-limit-per-minute N] [--max-response-body-bytes N] [--response-block NAME]",
		Short: "set the limits of a capability",
		Long: `Sets the limits of a capability, built-in or not, in the place of those that it
has: a limit that is not given is none. Without any, all are taken away.

The rate holds in any 60 seconds; 0 stops all calls. Of an answer that is too
large, no more than the limit is printed, and the exit status is 11. In an
answer that is JSON, the value of a field that --response-block names becomes
"[REDACTED]", however deep it is.`,
		Example: `aivault capability policy set --capability openai/chat-completions --rate-limit-per-minute 30
aivault capability policy set --capability github/users --max-response-body-bytes 1000000 --response-block email`,
		DisableFlagsInUseLine: true,
		Args:                  noArgs,
	}
	fs := cmd.Flags()
	fs.SortFlags = false
	text(fs, &p.Capability, "capability", "ID", "the capability")
	number(fs, &rate, "rate-limit-per-minute", "N", 0, "how many calls may be made in any 60 seconds")
	number(fs, &request, "max-request-body-bytes", "N", 0, "how long the body of a request may be")
	number(fs, &response, "max-response-body-bytes", "N", 0, "how long the body of an answer may be, once it is decoded")
	many(fs, &p.Block, "response-block", "NAME", "a field of answers whose value is kept back")
	require(cmd, "capability")
	rev := revision(cmd)
	cmd.RunE = sh.run(func(ctx context.Context, be app.Backend, _ []string) error {
		if err := refuseEmpty(fs, leaveOut, "response-block"); err != nil {
			return err
		}
		for name, limit := range map[string]struct {
			to   **int64
			from *int64
		}{
			"rate-limit-per-minute":   {&p.Rate, &rate},
			"max-request-body-bytes":  {&p.MaxRequest, &request},
			"max-response-body-bytes": {&p.MaxResponse, &response},
		} {
			if fs.Changed(name) {
				*limit.to = limit.from
			}
		}
		set, err := be.SetPolicy(ctx, p, ifRevision(rev))
		if err != nil {
			return err
		}
		return sh.printPolicy(set)
	})
	return cmd
}

func newPolicyShow(sh *shell) *cobra.Command {
	return &cobra.Command{
		Use:                   "show [CAPABILITY]",
		Short:                 "show the limits of a capability, or of all",
		Long:                  `Shows the limits of a capability, or all limits that were set.`,
		Example:               "aivault capability policy show openai/chat-completions",
		DisableFlagsInUseLine: true,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 1 || len(args) == 1 && args[0] == "" {
				return fault.New(fault.Usage, "the command takes one capability's id, or none")
			}
			return nil
		},
		RunE: sh.run(func(ctx context.Context, be app.Backend, args []string) error {
			if len(args) == 1 {
				p, err := be.Policy(ctx, args[0])
				if err != nil {
					return err
				}
				return sh.printPolicy(p)
			}
			list, err := be.Policies(ctx)
			if err != nil {
				return err
			}
			return sh.printPolicies(list)
		}),
	}
}

// printPolicy prints the limits of one capability.
func (sh *shell) printPolicy(p vault.Policy) error {
	if sh.out.json {
		return sh.out.printJSON(toPolicy(p))
	}
	limits := policyLines(p)
	if len(limits) == 0 {
		sh.out.printf("%s has no limits of its own", sh.out.strong(p.Capability))
		return nil
	}
	sh.out.printf("%s", sh.out.strong(p.Capability))
	for _, line := range limits {
		sh.out.printf("  %s", line)
	}
	return nil
}

// printPolicies prints the limits of many capabilities.
func (sh *shell) printPolicies(list []vault.Policy) error {
	if sh.out.json {
		return sh.out.printJSON(mapTo(list, toPolicy))
	}
	if len(list) == 0 {
		sh.out.printf("No limits. Set some with: aivault capability policy set --capability ID")
		return nil
	}
	rows := [][]cell{heading("CAPABILITY", "CALLS/MINUTE", "REQUEST", "ANSWER", "KEPT BACK")}
	for _, p := range list {
		rows = append(rows, cells(p.Capability, orNone(p.Rate), orNone(p.MaxRequest), orNone(p.MaxResponse), orDash(strings.Join(p.Block, ", "))))
	}
	sh.out.table(rows)
	return nil
}

// orNone is a limit for people.
func orNone(n *int64) string {
	if n == nil {
		return "-"
	}
	return strconv.FormatInt(*n, 10)
}

// policyLines says in words what a policy limits.
func policyLines(p vault.Policy) []string {
	var lines []string
	add := func(n *int64, format func(int64) string) {
		if n != nil {
			lines = append(lines, format(*n))
		}
	}
	add(p.Rate, func(n int64) string {
		if n == 0 {
			return "no calls"
		}
		return count(int(n), "call") + " in any 60 s"
	})
	bytes := func(what string) func(int64) string {
		return func(n int64) string { return what + " of at most " + count(int(n), "byte") }
	}
	add(p.MaxRequest, bytes("a request"))
	add(p.MaxResponse, bytes("an answer"))
	if len(p.Block) > 0 {
		lines = append(lines, "kept back: "+strings.Join(p.Block, ", "))
	}
	return lines
}

// policyJSON is the documented shape of a capability's limits.
type policyJSON struct {
	Capability string     `json:"capabilityId"`
	Policy     limitsJSON `json:"policy"`

	UpdatedAt *int64 `json:"updatedAtMs,omitempty"` // ours, as what follows
	Revision  uint64 `json:"revision,omitempty"`
}

// limitsJSON are limits, null where there is none.
type limitsJSON struct {
	Rate        *int64   `json:"rateLimitPerMinute"`
	MaxRequest  *int64   `json:"maxRequestBodyBytes"`
	MaxResponse *int64   `json:"maxResponseBodyBytes"`
	Block       []string `json:"responseBodyBlocklist"`
}

func toLimits(p vault.Policy) limitsJSON {
	return limitsJSON{p.Rate, p.MaxRequest, p.MaxResponse, orEmpty(p.Block)}
}

func toPolicy(p vault.Policy) policyJSON {
	return policyJSON{p.Capability, toLimits(p), millis(p.UpdatedAt), p.Revision}
}

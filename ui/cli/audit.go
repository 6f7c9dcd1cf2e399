package cli

import (
	"context"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"aivault/keys/fault"
	"aivault/ui/app"
	"aivault/ui/auditrow"
	"aivault/vault"
)

// How many events are shown if nobody says, and how many rows before those that
// --follow waits for.
const (
	defaultAudit  = 200
	defaultFollow = 10
)

// maxAudit is how many events are shown at the most.
const maxAudit = 1_000_000

// auditFlags are the flags of audit.
type auditFlags struct {
	limit, before int64
	since         string
	kind          string
	capability    string
	secret        string
	workspace     string
	group         string
	actor         string
	outcome       string
	follow        bool
	set           *pflag.FlagSet
}

func newAudit(sh *shell) *cobra.Command {
	var f auditFlags
	cmd := &cobra.Command{
		Use:   "audit [--since TIME] [--capability ID] [--secret REF] [--outcome WORD] [--limit N] [--follow]",
		Short: "show who did what",
		Long: `Lists the audit log, newest first: every call with the context, credential and
secret that it used, and every change. A call whose outcome was never recorded
reads unknown. Calls that were denied for the same reason within a minute are
one row, which says how many there were.

All filters that are given must fit. With --follow, the last rows come oldest
first, and new ones as they happen, until it is interrupted; as JSON, each event
is a line of its own.`,
		Example: `aivault audit --limit 20
aivault audit --since 2h --capability openai/chat-completions --workspace-id shop
aivault audit --kind secret --secret 3f2a91bc
aivault audit --outcome denied
aivault audit --outcome rate_limited --since 1d
aivault audit --follow
aivault audit --json | jq '.[] | select(.status == 429)'`,
		DisableFlagsInUseLine: true,
		Args:                  noArgs,
	}
	f.add(cmd)
	cmd.AddCommand(newAuditVerify(sh))
	cmd.RunE = sh.run(func(ctx context.Context, be app.Backend, _ []string) error {
		q, err := f.parse(ctx, sh, be)
		switch {
		case err != nil:
			return err
		case f.follow:
			return sh.follow(ctx, be, q)
		case sh.out.json:
			events, err := be.Audit(ctx, q)
			if err != nil {
				return err
			}
			return sh.out.printJSON(mapTo(events, toEvent))
		}
		rows, err := auditRows(ctx, be, q)
		if err != nil {
			return err
		}
		sh.printAudit(rows, unfiltered(q))
		return nil
	})
	return cmd
}

func (f *auditFlags) add(cmd *cobra.Command) {
	fs := cmd.Flags()
	fs.SortFlags = false
	f.set = fs
	text(fs, &f.since, "since", "TIME", "no older ones: a time as 2026-01-31T12:00:00Z, a day, or an age as 90m, 2h or 7d")
	text(fs, &f.kind, "kind", "KIND", "of this kind, such as secret.create, or family of kinds, such as secret")
	text(fs, &f.capability, "capability", "ID", "about this capability")
	text(fs, &f.secret, "secret", "REF", "about this secret: its id, vault:secret:ID, or the first digits of its id")
	text(fs, &f.workspace, "workspace-id", "ID", "about this workspace")
	text(fs, &f.group, "group-id", "ID", "about this group of the workspace")
	text(fs, &f.actor, "actor", "NAME", "done by this actor, such as operator")
	text(fs, &f.outcome, "outcome", "WORD", "that came to this: ok, denied, error or unknown, or a code such as rate_limited")
	number(fs, &f.limit, "limit", "N", 0, "show at most so many (default 200, with --follow 10)")
	number(fs, &f.before, "before-ts-ms", "MS", math.MinInt64, "show strictly older ones only, in milliseconds since 1970")
	fs.BoolVar(&f.follow, "follow", false, "go on with new ones as they happen")
}

// parse turns the flags into a query.
func (f *auditFlags) parse(ctx context.Context, sh *shell, be app.Backend) (vault.AuditQuery, error) {
	q := vault.AuditQuery{Capability: f.capability, Workspace: f.workspace, Group: f.group, Kind: f.kind, Actor: f.actor, Outcome: f.outcome}
	err := refuseEmpty(f.set, leaveOut, "since", "kind", "capability", "secret", "workspace-id", "group-id", "actor", "outcome")
	switch {
	case err != nil:
		return q, err
	case f.group != "" && f.workspace == "":
		return q, fault.New(fault.Usage, "--group-id goes with --workspace-id")
	case f.follow && f.before > 0:
		return q, fault.New(fault.Usage, "--follow does not go with --before-ts-ms")
	case f.outcome != "" && !auditrow.IsOutcome(f.outcome):
		return q, fault.New(fault.Usage, "%q is no outcome", f.outcome).
			WithHint("choose ok, denied, error or unknown, or an error's code such as rate_limited")
	case f.follow && f.outcome == vault.OutcomeUnknown:
		return q, fault.New(fault.Usage, "--follow does not go with --outcome unknown: what is going on has no outcome yet")
	case f.set.Changed("limit"):
		q.Limit = int(min(max(f.limit, 1), maxAudit)) // of 0, as documented, it is one
	case f.follow:
		q.Limit = defaultFollow
	default:
		q.Limit = defaultAudit
	}
	if f.before > 0 {
		q.Before = time.UnixMilli(f.before)
	}
	if f.since != "" {
		if q.Since, err = parseSince(f.since, sh.env.Now()); err != nil {
			return q, err
		}
	}
	if f.kind != "" && !strings.Contains(f.kind, ".") {
		q.Kind += "." // every kind has a dot, so this is a family
	}
	if f.secret != "" {
		q.Secret, err = findEver(ctx, be, f.secret)
	}
	return q, err
}

// parseSince is auditrow.Since for the flag.
func parseSince(s string, now time.Time) (time.Time, error) {
	if t, ok := auditrow.Since(s, now); ok {
		return t, nil
	}
	return time.Time{}, fault.New(fault.Usage, "--since is a time as 2026-01-31T12:00:00Z, a day as 2026-01-31, or an age as 90m, 2h or 7d")
}

// findEver returns the id of a secret, which may be gone if it is given whole.
func findEver(ctx context.Context, be app.Backend, ref string) (vault.ID, error) {
	if id, err := vault.ParseSecretRef(ref); err == nil {
		return id, nil
	}
	s, err := be.FindSecret(ctx, ref)
	return s.ID, err
}

// auditRows returns the newest rows. A call is two events and one row; with
// many calls at once the two are far apart, so more events are read until there
// are enough rows.
func auditRows(ctx context.Context, be app.Backend, q vault.AuditQuery) ([]vault.Event, error) {
	want := q.Limit
	q, keep := auditrow.ForRows(q)
	for q.Limit = 2 * want; ; q.Limit *= 4 {
		events, err := be.Audit(ctx, q)
		if err != nil {
			return nil, err
		}
		more := len(events) == q.Limit
		if events, err = withOutcomes(ctx, be, q, events); err != nil {
			return nil, err
		}
		rows := slices.DeleteFunc(auditrow.Merge(events, q.Before.IsZero()), func(e vault.Event) bool { return !keep(e) })
		if len(rows) >= want || !more {
			return rows[:min(len(rows), want)], nil
		}
	}
}

// withOutcomes adds the outcomes of calls that the filters of a query left out.
func withOutcomes(ctx context.Context, be app.Backend, q vault.AuditQuery, events []vault.Event) ([]vault.Event, error) {
	open := map[uint64]bool{}
	first := uint64(math.MaxUint64)
	for _, e := range events {
		switch e.Kind {
		case vault.KindInvokeIntent:
			open[e.Seq] = true
		case vault.KindInvokeOutcome:
			delete(open, e.Intent)
		}
	}
	for seq := range open {
		first = min(first, seq)
	}
	if len(open) == 0 || unfiltered(q) {
		return events, nil
	}
	outcomes, err := be.Audit(ctx, vault.AuditQuery{Kind: vault.KindInvokeOutcome, After: first, Limit: maxAudit})
	for _, e := range outcomes {
		if open[e.Intent] {
			events = append(events, e)
		}
	}
	return events, err
}

// unfiltered reports whether a query says no more than how much and until when.
func unfiltered(q vault.AuditQuery) bool {
	return q == vault.AuditQuery{Limit: q.Limit, Before: q.Before}
}

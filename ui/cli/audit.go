package cli

import (
	"context"
	"fmt"
	"math"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"aivault/ui/app"
	"aivault/vault"
)

// defaultAudit is how many events are shown if nobody says.
const defaultAudit = 200

func newAudit(sh *shell) *cobra.Command {
	limit, before := int64(defaultAudit), int64(0)
	cmd := &cobra.Command{
		Use:   "audit [--limit N] [--before-ts-ms MS]",
		Short: "show who did what",
		Long: `Lists the audit log, newest first: every call with the context, credential and
secret that it used, and every change. A call whose outcome was never recorded
reads unknown.`,
		Example: `aivault audit --limit 20
aivault audit --json | jq '.[] | select(.outcome == "denied")'`,
		DisableFlagsInUseLine: true,
		Args:                  noArgs,
	}
	fs := cmd.Flags()
	fs.SortFlags = false
	number(fs, &limit, "limit", "N", 0, "show at most so many events (default 200)")
	number(fs, &before, "before-ts-ms", "MS", math.MinInt64, "show strictly older ones only, in milliseconds since 1970")
	cmd.RunE = sh.run(func(ctx context.Context, be app.Backend, _ []string) error {
		q := vault.AuditQuery{Limit: int(min(max(limit, 1), maxAudit))}
		if before > 0 {
			q.Before = time.UnixMilli(before)
		}
		if sh.out.json {
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
		sh.printAudit(rows)
		return nil
	})
	return cmd
}

// maxAudit is how many events are shown at the most.
const maxAudit = 1_000_000

// auditRows returns the newest rows. A call is two events and one row; with
// many calls at once the two are far apart, so more events are read until there
// are enough rows.
func auditRows(ctx context.Context, be app.Backend, q vault.AuditQuery) ([]vault.Event, error) {
	want := q.Limit
	for q.Limit = 2 * want; ; q.Limit *= 4 {
		events, err := be.Audit(ctx, q)
		if err != nil {
			return nil, err
		}
		rows := mergeCalls(events, q.Before.IsZero())
		if len(rows) >= want || len(events) < q.Limit {
			return rows[:min(len(rows), want)], nil
		}
	}
}

// mergeCalls makes one event of the two of a call: the intent, with the
// outcome's result. An intent without an outcome is unknown; unless the list
// does not reach up to now, where the outcome may just be left out. An outcome
// whose intent is older than the list is left out.
func mergeCalls(events []vault.Event, complete bool) []vault.Event {
	outcomes := map[uint64]vault.Event{}
	for _, e := range events {
		if e.Kind == vault.KindInvokeOutcome {
			outcomes[e.Intent] = e
		}
	}
	var rows []vault.Event
	for _, e := range events {
		switch {
		case e.Kind == vault.KindInvokeOutcome:
			continue
		case e.Kind == vault.KindInvokeIntent:
			end, ended := outcomes[e.Seq]
			switch {
			case ended:
				e.Outcome, e.Code, e.Status, e.Duration = end.Outcome, end.Code, end.Status, end.Duration
				e.ResponseBytes, e.Redactions, e.Note = end.ResponseBytes, end.Redactions, end.Note
			case complete:
				e.Outcome = vault.OutcomeUnknown
			default:
				e.Outcome = "later"
			}
		}
		rows = append(rows, e)
	}
	return rows
}

func (sh *shell) printAudit(events []vault.Event) {
	if len(events) == 0 {
		sh.out.printf("The audit log is empty.")
		return
	}
	rows := [][]cell{heading("TIME", "WHAT", "OUTCOME", "CONTEXT", "DETAIL")}
	for _, e := range events {
		outcome := cell{e.Outcome, plain}
		switch e.Outcome {
		case vault.OutcomeOK:
			outcome.style = green
		case vault.OutcomeDenied, vault.OutcomeError:
			outcome.style = red
		case vault.OutcomeUnknown:
			outcome.style = yellow
		}
		if e.Code != "" {
			outcome.text = string(e.Code)
		}
		rows = append(rows, []cell{
			{e.Time.Local().Format("01-02 15:04:05"), dim},
			{auditWhat(e), plain},
			outcome,
			{auditContext(e), plain},
			{auditDetail(e), plain},
		})
	}
	sh.out.table(rows)
}

// auditWhat is what was done, or which capability was called.
func auditWhat(e vault.Event) string {
	switch e.Kind {
	case vault.KindInvokeIntent, vault.KindInvokeOutcome, vault.KindInvokeDenied:
		if e.Capability != "" {
			return e.Capability
		}
	}
	return e.Kind
}

// auditContext is the context that a caller stated, or the scope of a change.
func auditContext(e vault.Event) string {
	switch {
	case e.Group != "":
		return e.Workspace + "/" + e.Group
	case e.Workspace != "":
		return e.Workspace
	}
	return e.Scope
}

// auditDetail is what else there is to say in a line.
func auditDetail(e vault.Event) string {
	s := ""
	add := func(format string, args ...any) {
		if s != "" {
			s += " "
		}
		s += fmt.Sprintf(format, args...)
	}
	if e.Method != "" {
		add("%s %s", e.Method, e.Path)
	} else {
		if e.Capability != "" && auditWhat(e) != e.Capability {
			add("%s", e.Capability)
		}
		if e.Host != "" {
			add("%s", e.Host)
		}
	}
	if e.Status != 0 {
		add("%s", strconv.Itoa(e.Status))
	}
	switch {
	case e.Credential != "":
		add("by %s", e.Credential)
	case e.Secret != vault.ID{}:
		add("secret %s", e.Secret.String()[:8])
	}
	if e.Note != "" && e.Note != e.Credential {
		add("%s", e.Note)
	}
	return s
}

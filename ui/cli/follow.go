package cli

import (
	"context"
	"maps"
	"slices"
	"time"

	"aivault/keys/fault"
	"aivault/ui/app"
	"aivault/ui/auditrow"
	"aivault/vault"
)

const (
	followEvery = 250 * time.Millisecond // between two looks at the log
	// How long a call may take before it is a row that says unknown. Its
	// outcome, if it comes, is another row.
	followAwait = 30 * time.Second
)

// A follower prints the audit log as it grows, for people: one row a call, when
// its outcome is there.
type follower struct {
	sh      *shell
	keep    func(vault.Event) bool // is it a row, or as JSON a line
	waiting map[uint64]vault.Event // intents whose outcome was not seen
	late    map[uint64]vault.Event // and those of them that were printed nevertheless
	widths  []int                  // of the columns so far
}

// follow prints the last events, oldest first, and then every new one, until
// ctx ends.
func (sh *shell) follow(ctx context.Context, be app.Backend, q vault.AuditQuery) error {
	ctx, stop := app.WhileRead(ctx, sh.env.Stdout)
	defer stop()
	f := &follower{sh: sh, waiting: map[uint64]vault.Event{}, late: map[uint64]vault.Event{}}
	newest, err := be.Audit(ctx, vault.AuditQuery{Limit: 1})
	if err != nil {
		return err
	}
	last, outcome := q.Limit, q.Outcome
	keep := func(vault.Event) bool { return true }
	f.keep = func(e vault.Event) bool {
		return keep(e) && (outcome == "" || outcome == e.Outcome || outcome == string(e.Code))
	}
	if !sh.out.json {
		q, keep = auditrow.ForRows(q)
		q.Limit = 2 * last // a call is two events
		f.widths = sh.out.tableFrom(nil, auditHeading())
	}
	tick := time.NewTicker(followEvery)
	defer tick.Stop()
	for ; ; last = maxAudit {
		events, err := be.Audit(ctx, q)
		if err != nil {
			return err
		}
		for _, e := range append(events, newest...) { // filters may let pass none
			q.After = max(q.After, e.Seq)
		}
		slices.Reverse(events)
		if err := f.print(events, last); err != nil {
			return err
		}
		q.Limit, newest = maxAudit, nil
		if !sh.out.json {
			q.Outcome = "" // of a call that goes on it is known later
		}
		select {
		case <-ctx.Done():
			return fault.Wrap(fault.Canceled, context.Cause(ctx), "following the audit log")
		case <-tick.C:
		}
	}
}

// print prints the last of what events, oldest first, amount to.
func (f *follower) print(events []vault.Event, last int) error {
	if f.sh.out.json {
		for _, e := range events {
			if !f.keep(e) { // the beginning of a call whose end is a line of its own
				continue
			}
			if err := f.sh.out.printLine(toEvent(e)); err != nil {
				return err
			}
		}
		return f.sh.out.err
	}
	rows := f.rows(events)
	if rows = rows[max(0, len(rows)-last):]; len(rows) > 0 {
		f.widths = f.sh.out.tableFrom(f.widths, mapTo(rows, auditRow))
	}
	return f.sh.out.err
}

// rows returns the rows that events add, and those of calls that take long.
func (f *follower) rows(events []vault.Event) []vault.Event {
	var rows []vault.Event
	for _, e := range events {
		switch {
		case e.Kind == vault.KindInvokeIntent:
			f.waiting[e.Seq] = e
		case e.Kind == vault.KindInvokeOutcome:
			if intent, ok := f.waiting[e.Intent]; ok {
				rows = append(rows, auditrow.WithOutcome(intent, e))
			} else if intent, ok := f.late[e.Intent]; ok {
				rows = append(rows, auditrow.WithOutcome(intent, e))
			}
			delete(f.waiting, e.Intent)
			delete(f.late, e.Intent)
		case e.Kind == vault.KindOAuthRefresh && e.Outcome == "": // its end is the row
		default:
			rows = append(rows, e)
		}
	}
	for _, seq := range slices.Sorted(maps.Keys(f.waiting)) {
		e := f.waiting[seq]
		if f.sh.env.Now().Sub(e.Time) < followAwait {
			continue
		}
		delete(f.waiting, seq)
		f.late[seq] = e
		e.Outcome = vault.OutcomeUnknown
		at, _ := slices.BinarySearchFunc(rows, e, func(a, b vault.Event) int { return a.Time.Compare(b.Time) })
		rows = slices.Insert(rows, at, e)
	}
	return slices.DeleteFunc(rows, func(e vault.Event) bool { return !f.keep(e) })
}

package audit

import (
	"context"
	"slices"

	"aivault/ui/app"
	"aivault/vault"
)

// How much is read at once.
const (
	pageSize = 400 // events
	pageRows = 250 // rows that are enough
	// A search reads the log in stretches, small ones first, so that what is
	// near shows soon, and its news come often enough.
	firstStretch = 1_000
	lastStretch  = 20_000
	// endsWithin is among how many events behind the beginning of a call its
	// end is looked for, as vault.AuditQuery has it.
	endsWithin = 5_000
	// patience is how many events in a row have to be older than
	// AuditQuery.Since for what is before them to be of no interest, as
	// vault.AuditQuery has it.
	patience = 5_000
)

// A scan reads a part of the log, off the event loop.
type scan struct {
	q    vault.AuditQuery // what is looked for, Limit, UpTo and After aside
	from uint64           // the first event to look at; 0: the newest
	up   bool             // towards the newest
	to   uint64           // going up, the last one to look at; 0: the newest
	want int              // when so many are found, it is enough
	ends bool             // look also for the ends of calls behind what is read
}

// A piece is what a scan found in a stretch of the log.
type piece struct {
	lo, hi uint64        // that was looked through, both included; hi 0: the log is empty
	newest uint64        // event of the log
	events []vault.Event // newest first, without the ends of calls
	ends   []vault.Event
}

// searches reports whether a query leaves events out.
func searches(q vault.AuditQuery) bool { return q != vault.AuditQuery{} }

// newest returns the number of the newest event, 0 if there is none.
func newest(ctx context.Context, be app.Backend) (uint64, error) {
	events, err := be.Audit(ctx, vault.AuditQuery{Limit: 1})
	if err != nil || len(events) == 0 {
		return 0, err
	}
	return events[0].Seq, nil
}

// run reads until there is enough, and emits what it finds.
func (s scan) run(ctx context.Context, be app.Backend, emit func(piece)) error {
	last, err := newest(ctx, be)
	if err != nil {
		return err
	}
	if last == 0 {
		emit(piece{lo: 1})
		return nil
	}
	to := last
	if s.to > 0 {
		to = min(to, s.to)
	}
	at, size, old := min(s.from, last), uint64(pageSize), uint64(0)
	if at == 0 {
		at = last
	}
	if searches(s.q) {
		size = firstStretch
	}
	for found := 0; ; size = min(2*size, lastStretch) {
		p := piece{lo: at - min(size, at) + 1, hi: at}
		if s.up {
			p = piece{lo: at, hi: max(min(at+size-1, to), at)}
		}
		if err := s.fetch(ctx, be, &p); err != nil {
			return err
		}
		if old, err = s.tooOld(ctx, be, p, old); err != nil {
			return err
		}
		if old > patience {
			p.lo = 1
		}
		p.newest = last
		emit(p)
		found += len(p.events)
		if found >= s.want || s.up && p.hi >= to || !s.up && p.lo == 1 {
			return nil
		}
		if at = p.lo - 1; s.up {
			at = p.hi + 1
		}
	}
}

// fetch reads a stretch, or the part of it that comes first and has enough.
func (s scan) fetch(ctx context.Context, be app.Backend, p *piece) error {
	q := s.q
	q.UpTo, q.After, q.Limit = p.hi, p.lo-1, int(p.hi-p.lo+1)
	enough := s.want * 2 // as a call is two events
	if !s.up {
		q.Limit = min(q.Limit, enough)
	}
	events, err := be.Audit(ctx, q)
	if err != nil {
		return err
	}
	if len(events) == q.Limit {
		p.lo = events[len(events)-1].Seq
	}
	if s.up && len(events) > enough {
		events = events[len(events)-enough:]
		p.hi = events[0].Seq
	}
	open := map[uint64]bool{} // calls
	for _, e := range events {
		if e.Kind == vault.KindInvokeOutcome {
			p.ends = append(p.ends, e)
			open[e.Intent] = false
			continue
		}
		p.events = append(p.events, e)
		if _, ended := open[e.Seq]; e.Kind == vault.KindInvokeIntent && !ended {
			open[e.Seq] = true
		}
	}
	if !s.ends && !searches(s.q) {
		return nil
	}
	return s.findEnds(ctx, be, p, open)
}

// findEnds looks for the ends of calls that the filters of a query left out, or
// that are behind the stretch.
func (s scan) findEnds(ctx context.Context, be app.Backend, p *piece, open map[uint64]bool) error {
	var calls []uint64
	for seq, is := range open {
		if is {
			calls = append(calls, seq)
		}
	}
	if len(calls) == 0 {
		return nil
	}
	first, last := slices.Min(calls), slices.Max(calls)+endsWithin
	ends, err := be.Audit(ctx, vault.AuditQuery{
		Kind: vault.KindInvokeOutcome, After: first, UpTo: last, Limit: int(last - first),
	})
	for _, e := range ends {
		if open[e.Intent] {
			p.ends = append(p.ends, e)
		}
	}
	return err
}

// tooOld returns how many events in a row are older than a query asks for.
func (s scan) tooOld(ctx context.Context, be app.Backend, p piece, old uint64) (uint64, error) {
	if s.up || s.q.Since.IsZero() || len(p.events) > 0 {
		return 0, nil
	}
	some, err := be.Audit(ctx, vault.AuditQuery{Since: s.q.Since, UpTo: p.hi, After: p.lo - 1, Limit: 1})
	if err != nil || len(some) > 0 {
		return 0, err
	}
	return old + p.hi - p.lo + 1, nil
}

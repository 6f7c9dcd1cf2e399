package audit

import (
	"maps"
	"slices"

	"aivault/ui/auditrow"
	"aivault/vault"
)

// maxHeld is how many events are held at the most: several screens in either
// direction. What is further away is read again when people come there.
const maxHeld = 2_000

// A part is the part of the log that is held.
type part struct {
	lo, hi uint64                 // what was looked through, both included; hi 0: nothing is there
	events []vault.Event          // of these, the ones that are asked for, newest first, without ends of calls
	ends   map[uint64]vault.Event // of calls, by their beginnings
}

// replace forgets everything but a piece.
func (l *part) replace(p piece) {
	l.lo, l.hi, l.events, l.ends = p.lo, p.hi, p.events, map[uint64]vault.Event{}
	l.take(p)
}

// older adds a piece at the old end.
func (l *part) older(p piece) {
	l.lo, l.events = p.lo, append(l.events, p.events...)
	l.take(p)
	if n := len(l.events) - maxHeld; n > 0 {
		l.events = slices.Clone(l.events[n:])
		l.hi = l.events[0].Seq
		maps.DeleteFunc(l.ends, func(intent uint64, _ vault.Event) bool { return intent > l.hi })
	}
}

// newer adds a piece at the new end, in the place of what of it was there.
func (l *part) newer(p piece) {
	n, _ := slices.BinarySearchFunc(l.events, p.lo, func(e vault.Event, lo uint64) int {
		if e.Seq >= lo {
			return -1
		}
		return 1
	})
	l.hi, l.events = p.hi, slices.Concat(p.events, l.events[n:])
	l.take(p)
	if len(l.events) > maxHeld {
		l.events = slices.Clip(l.events[:maxHeld])
		l.lo = l.events[maxHeld-1].Seq
		maps.DeleteFunc(l.ends, func(intent uint64, _ vault.Event) bool { return intent+endsWithin < l.lo })
	}
}

func (l *part) take(p piece) {
	for _, e := range p.ends {
		l.ends[e.Intent] = e
	}
}

// rows returns what the part amounts to; complete: it goes up to the newest
// event.
func (l *part) rows(complete bool) []vault.Event {
	return auditrow.Merge(slices.Concat(slices.Collect(maps.Values(l.ends)), l.events), complete)
}

// Package auditrow says what an event of the audit log is in one row, for people:
// the command line and the terminal interface show the same.
package auditrow

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"aivault/keys/fault"
	"aivault/vault"
)

// Time is a time in the log, for people.
const Time = "01-02 15:04:05"

// What is what was done, or which capability was called.
func What(e vault.Event) string {
	switch e.Kind {
	case vault.KindInvokeIntent, vault.KindInvokeOutcome, vault.KindInvokeDenied:
		if e.Capability != "" {
			return e.Capability
		}
	}
	return e.Kind
}

// Outcome is the word for how it ended: a code says more than that it is an
// error. It is empty of an event that is no end.
func Outcome(e vault.Event) string {
	if e.Code != "" {
		return string(e.Code)
	}
	return e.Outcome
}

// Context is the context that a caller stated, or the scope of a change.
func Context(e vault.Event) string {
	switch {
	case e.Group != "":
		return e.Workspace + "/" + e.Group
	case e.Workspace != "":
		return e.Workspace
	}
	return e.Scope
}

// Detail is what else there is to say in a line.
func Detail(e vault.Event) string {
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
		if e.Capability != "" && What(e) != e.Capability {
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
	note, _, _ := strings.Cut(e.Note, "; sha256 ") // digests are for programs
	switch {
	case note == "" || note == e.Credential:
	case e.Outcome == vault.OutcomeDenied && s != "":
		s += ": " + note // why
	default:
		add("%s", note)
	}
	switch {
	case e.Count > 1 && e.Last.Before(e.Time): // summed up afterwards
		add("x%d, the last at %s", e.Count, lastOf(e))
	case e.Count > 1:
		add("x%d until %s", e.Count, lastOf(e))
	}
	return s
}

// lastOf is when the last of several denials was, with its day if that is
// another one.
func lastOf(e vault.Event) string {
	last, first := e.Last.Local(), e.Time.Local()
	if last.Format(time.DateOnly) != first.Format(time.DateOnly) {
		return last.Format(Time)
	}
	return last.Format(time.TimeOnly)
}

// WithOutcome returns the intent of a call with what came of it.
func WithOutcome(intent, end vault.Event) vault.Event {
	e := intent
	e.Outcome, e.Code, e.Status, e.Duration = end.Outcome, end.Code, end.Status, end.Duration
	e.RequestBytes, e.ResponseBytes, e.Redactions, e.Note = end.RequestBytes, end.ResponseBytes, end.Redactions, end.Note
	return e
}

// Merge makes one event of the two of a call: the intent, with the
// outcome's result. An intent without an outcome is unknown; unless the list
// does not reach up to now, where the outcome may just be left out. An outcome
// whose intent is older than the list is left out. Of the two events of a
// renewal, the end is the row.
func Merge(events []vault.Event, complete bool) []vault.Event {
	outcomes := map[uint64]vault.Event{}
	for _, e := range events {
		if e.Kind == vault.KindInvokeOutcome {
			outcomes[e.Intent] = e
		}
	}
	var rows []vault.Event
	renewed := map[uint64]int{} // ends of renewals, by call, whose beginnings are still to come
	for _, e := range events {
		switch {
		case e.Kind == vault.KindInvokeOutcome:
			continue
		case e.Kind == vault.KindOAuthRefresh && e.Outcome != "":
			renewed[e.Intent]++
		case e.Kind == vault.KindOAuthRefresh && renewed[e.Intent] > 0:
			renewed[e.Intent]--
			continue
		case e.Kind == vault.KindOAuthRefresh && complete:
			e.Outcome = vault.OutcomeUnknown
		case e.Kind == vault.KindInvokeIntent:
			end, ended := outcomes[e.Seq]
			switch {
			case ended:
				e = WithOutcome(e, end)
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

// ForRows returns the query whose events make the rows that q asks for, and
// which of them: who asks for intents or outcomes alone gets calls.
func ForRows(q vault.AuditQuery) (vault.AuditQuery, func(vault.Event) bool) {
	if q.Kind != vault.KindInvokeIntent && q.Kind != vault.KindInvokeOutcome {
		return q, func(vault.Event) bool { return true }
	}
	q.Kind = "invoke."
	return q, func(e vault.Event) bool { return e.Kind == vault.KindInvokeIntent }
}

// IsOutcome reports whether an event, or a call, can have come to this: an
// outcome, or the code of an error.
func IsOutcome(s string) bool {
	switch s {
	case vault.OutcomeOK, vault.OutcomeDenied, vault.OutcomeError, vault.OutcomeUnknown:
		return true
	}
	return slices.Contains(fault.Codes(), fault.Code(s))
}

// Since reads the time from which events are wanted: as RFC 3339 has it, the
// beginning of a day, or an age such as 90m, 2h or 7d.
func Since(s string, now time.Time) (t time.Time, ok bool) {
	if t, err := time.Parse(time.RFC3339, s); err == nil {
		return t, true
	}
	if t, err := time.ParseInLocation(time.DateOnly, s, time.Local); err == nil {
		return t, true
	}
	if days, ok := strings.CutSuffix(s, "d"); ok {
		if n, err := strconv.ParseUint(days, 10, 16); err == nil {
			return now.AddDate(0, 0, -int(n)), true
		}
	}
	if d, err := time.ParseDuration(s); err == nil && d >= 0 {
		return now.Add(-d), true
	}
	return time.Time{}, false
}

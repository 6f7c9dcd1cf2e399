package cli

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"aivault/vault"
)

// printAudit prints rows; all says that nothing was left out.
func (sh *shell) printAudit(events []vault.Event, all bool) {
	switch {
	case len(events) == 0 && all:
		sh.out.printf("The audit log is empty.")
		return
	case len(events) == 0:
		sh.out.printf("The audit log has nothing of that.")
		return
	}
	sh.out.table(append(auditHeading(), mapTo(events, auditRow)...))
}

func auditHeading() [][]cell {
	return [][]cell{heading("TIME", "WHAT", "OUTCOME", "CONTEXT", "DETAIL")}
}

// auditRow is an event for people.
func auditRow(e vault.Event) []cell {
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
	return []cell{
		{e.Time.Local().Format(auditTime), dim},
		{auditWhat(e), plain},
		outcome,
		{auditContext(e), plain},
		{auditDetail(e), plain},
	}
}

// auditTime is a time in the log, for people.
const auditTime = "01-02 15:04:05"

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
		return last.Format(auditTime)
	}
	return last.Format(time.TimeOnly)
}

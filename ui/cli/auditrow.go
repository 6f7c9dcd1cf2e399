package cli

import (
	"aivault/ui/auditrow"
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
	outcome := cell{auditrow.Outcome(e), plain}
	switch e.Outcome {
	case vault.OutcomeOK:
		outcome.style = green
	case vault.OutcomeDenied, vault.OutcomeError:
		outcome.style = red
	case vault.OutcomeUnknown:
		outcome.style = yellow
	}
	return []cell{
		{e.Time.Local().Format(auditrow.Time), dim},
		{auditrow.What(e), plain},
		outcome,
		{auditrow.Context(e), plain},
		{auditrow.Detail(e), plain},
	}
}

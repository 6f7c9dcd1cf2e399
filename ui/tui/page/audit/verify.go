package audit

import (
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"aivault/keys/fault"
	"aivault/ui/tui/ops"
	"aivault/ui/tui/task"
	"aivault/ui/tui/text"
	"aivault/ui/tui/view"
	"aivault/vault"
)

// byItself is how long a log may be that is verified without being asked to:
// that takes a moment only.
const byItself = 20_000

// A chain is what is known of the chain of events.
type chain struct {
	known bool
	state vault.AuditState
	err   error // it does not verify, or could not be
	at    time.Time
}

// verifyOnce verifies the chain after the first look at a log that is not long.
func (p *page) verifyOnce() tea.Cmd {
	if _, busy := p.tasks.Busy("verify"); busy || p.chain.known || p.newest == 0 || p.newest >= byItself {
		return nil
	}
	return p.verification(false)
}

// verify verifies the chain.
func (p *page) verify() tea.Cmd {
	return tea.Batch(view.Send(view.LineMsg{Line: ops.VerifyLine()}), p.verification(true))
}

func (p *page) verification(asked bool) tea.Cmd {
	return task.Go(p.tasks, "verify", p.host.Backend.VerifyAudit, func(s vault.AuditState, err error) tea.Cmd {
		p.chain = chain{known: true, state: s, err: err, at: p.host.Now()}
		switch {
		case err != nil:
			return view.Fail("verifying the audit log", err, p.verify)
		case asked:
			return view.Note(text.Plural(int(s.Events), "event") + " verified: none was changed or is missing")
		}
		return nil
	})
}

// words say what is known of the chain: "chain ok to #18,231, 2m ago".
func (c chain) words(now time.Time) string {
	switch {
	case !c.known:
		return "not verified yet"
	case fault.CodeOf(c.err) == fault.AuditBroken:
		return "chain broken"
	case c.err != nil:
		return "could not be verified"
	case c.state.Events == 0:
		return "nothing to verify"
	}
	return "chain ok to #" + text.Number(int(c.state.Events)) + ", " + ago(c.at, now)
}

// broken says loudly that the chain does not verify; empty if nothing of that
// is known.
func (c chain) broken() string {
	if fault.CodeOf(c.err) != fault.AuditBroken {
		return ""
	}
	s := c.err.Error()
	if hint := fault.HintOf(c.err); hint != "" {
		s += ". Next: " + hint
	}
	return s
}

package vault

import "aivault/keys/fault"

// cameTo reports whether a query asks for what came to such an end.
func (q *AuditQuery) cameTo(outcome string, code fault.Code) bool {
	return q.Outcome == "" || q.Outcome == outcome || q.Outcome == string(code)
}

// ends are how calls and renewals ended whose beginnings are still to come, to
// whoever reads the log from its end. A call begins once; it may renew a secret
// more than once, one after the other.
type ends struct {
	calls    map[uint64]end   // by intent
	renewals map[uint64][]end // by intent, the last one first
}

type end struct {
	outcome string
	code    fault.Code
}

func newEnds() ends {
	return ends{calls: map[uint64]end{}, renewals: map[uint64][]end{}}
}

// of returns the outcome of an event, or of what it begins.
func (s *ends) of(e *Event) (outcome string, code fault.Code) {
	own := end{e.Outcome, e.Code}
	switch {
	case e.Kind == KindInvokeOutcome:
		s.calls[e.Intent] = own
	case e.Kind == KindInvokeIntent:
		own = end{outcome: OutcomeUnknown}
		if last, ok := s.calls[e.Seq]; ok {
			own = last
			delete(s.calls, e.Seq)
		}
		delete(s.renewals, e.Seq) // none is older than its call
	case e.Kind != KindOAuthRefresh || e.Outcome == OutcomeDenied: // one that was refused did not begin
	case e.Outcome != "":
		s.renewals[e.Intent] = append(s.renewals[e.Intent], own)
	default:
		own = end{outcome: OutcomeUnknown}
		if left := s.renewals[e.Intent]; len(left) > 0 {
			own, s.renewals[e.Intent] = left[len(left)-1], left[:len(left)-1]
		}
	}
	return own.outcome, own.code
}

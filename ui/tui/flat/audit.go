package flat

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"aivault/keys/fault"
	"aivault/ui/tui/ops"
	"aivault/ui/tui/text"
	"aivault/vault"
)

// audit shows the whole log, newest first.
func (t *talk) audit(ctx context.Context) error { return t.events(ctx, vault.AuditQuery{}) }

// A logView is a part of the audit log that is looked at.
type logView struct {
	t        *talk
	q        vault.AuditQuery
	outcomes map[uint64]vault.Event // of calls, by the number of their intent
}

// events shows the events of a query, a page at a time.
func (t *talk) events(ctx context.Context, q vault.AuditQuery) error {
	q.Limit = page
	v := &logView{t: t, q: q, outcomes: map[uint64]vault.Event{}}
	return t.loop(ctx, v.menu)
}

func (v *logView) menu(ctx context.Context) (menu, error) {
	list, err := v.t.be.Audit(ctx, v.q)
	if err == nil {
		err = v.findOutcomes(ctx, list)
	}
	if err != nil {
		return menu{}, err
	}
	m := menu{title: "Audit log, newest first" + filterText(v.q) + "."}
	for _, e := range list {
		if e.Kind == vault.KindInvokeOutcome && v.q.Kind != vault.KindInvokeOutcome {
			continue // the call that it belongs to tells it
		}
		e := v.whole(e)
		m.items = append(m.items, choice{eventRow(&e), func(context.Context) error { v.t.event(&e); return same }})
	}
	if len(list) == 0 {
		m.notes = []string{"There is nothing of that."}
	}
	if len(list) == v.q.Limit && list[len(list)-1].Seq > 1 {
		m.more = append(m.more, choice{"o older ones", func(context.Context) error { v.q.UpTo = list[len(list)-1].Seq - 1; return nil }})
	}
	m.more = append(m.more,
		choice{"n the newest ones", func(context.Context) error { v.q.UpTo = 0; return nil }},
		choice{"f choose which ones", v.filter},
		choice{"v verify the whole log", v.verify})
	v.t.print("")
	v.t.line(ops.AuditLine(v.q))
	return m, nil
}

// outcomeReach is within how many events after the beginning of a call its
// outcome is looked for.
const outcomeReach = 5_000

// findOutcomes finds what came of the calls in a list, which its filters may
// have left out.
func (v *logView) findOutcomes(ctx context.Context, list []vault.Event) error {
	for _, e := range list {
		if e.Kind == vault.KindInvokeOutcome {
			v.outcomes[e.Intent] = e
		}
	}
	first, last := uint64(0), uint64(0)
	for _, e := range list { // newest first
		if _, ended := v.outcomes[e.Seq]; e.Kind == vault.KindInvokeIntent && !ended {
			first, last = e.Seq, max(last, e.Seq)
		}
	}
	if first == 0 {
		return nil
	}
	ends, err := v.t.be.Audit(ctx, vault.AuditQuery{
		Kind: vault.KindInvokeOutcome, After: first, UpTo: last + outcomeReach, Limit: outcomeReach,
	})
	for _, e := range ends {
		v.outcomes[e.Intent] = e
	}
	return err
}

// whole is an event with what came of it, if that was seen.
func (v *logView) whole(e vault.Event) vault.Event {
	if e.Kind != vault.KindInvokeIntent {
		return e
	}
	end, ended := v.outcomes[e.Seq]
	if !ended {
		e.Outcome = vault.OutcomeUnknown
		return e
	}
	e.Outcome, e.Code, e.Status, e.Duration = end.Outcome, end.Code, end.Status, end.Duration
	e.RequestBytes, e.ResponseBytes, e.Redactions, e.Note = end.RequestBytes, end.ResponseBytes, end.Redactions, end.Note
	return e
}

// filterText says what a query selects.
func filterText(q vault.AuditQuery) string {
	var parts []string
	add := func(what, value string) {
		if value != "" {
			parts = append(parts, what+" "+value)
		}
	}
	add("kind", strings.TrimSuffix(q.Kind, "."))
	add("capability", q.Capability)
	if q.Secret != (vault.ID{}) {
		add("secret", q.Secret.String()[:8])
	}
	add("workspace", q.Workspace)
	add("group", q.Group)
	add("actor", q.Actor)
	add("outcome", q.Outcome)
	if !q.Since.IsZero() {
		add("since", text.Moment(q.Since))
	}
	if parts == nil {
		return ""
	}
	return "; only " + strings.Join(parts, ", ")
}

// filter asks which events to show.
func (v *logView) filter(ctx context.Context) error {
	q := vault.AuditQuery{Limit: v.q.Limit}
	v.t.say("Every filter that is given must fit. A dash takes one away.")
	for _, f := range []struct {
		what, ret string
		to        *string
	}{
		{"Kind, such as secret.create, or secret for all about secrets", strings.TrimSuffix(v.q.Kind, "."), &q.Kind},
		{"Capability", v.q.Capability, &q.Capability},
		{"Workspace", v.q.Workspace, &q.Workspace},
		{"Actor", v.q.Actor, &q.Actor},
	} {
		if err := v.askFilter(ctx, f.what, f.ret, f.to); err != nil {
			return err
		}
	}
	if q.Kind != "" && !strings.Contains(q.Kind, ".") {
		q.Kind += "." // a family of kinds
	}
	if q.Workspace != "" {
		if err := v.askFilter(ctx, "Group of that workspace", v.q.Group, &q.Group); err != nil {
			return err
		}
	}
	for _, ask := range []func(context.Context, *vault.AuditQuery) error{v.askOutcome, v.askSecret, v.askSince} {
		if err := ask(ctx, &q); err != nil {
			return err
		}
	}
	v.q = q
	return nil
}

// askFilter asks for a text to filter by.
func (v *logView) askFilter(ctx context.Context, what, ret string, to *string) error {
	s, err := v.t.askText(ctx, what, ret, true)
	if err == nil && s != "-" {
		*to = s
	}
	return err
}

// askOutcome asks what events came to.
func (v *logView) askOutcome(ctx context.Context, q *vault.AuditQuery) error {
	known := []string{"", vault.OutcomeOK, vault.OutcomeDenied, vault.OutcomeError, vault.OutcomeUnknown}
	for _, code := range fault.Codes() {
		known = append(known, string(code))
	}
	for {
		err := v.askFilter(ctx, "Outcome: ok, denied, error, unknown, or a code such as rate_limited", v.q.Outcome, &q.Outcome)
		if err != nil || slices.Contains(known, q.Outcome) {
			return err
		}
		v.t.fail(fault.New(fault.InvalidRequest, "%q is no outcome", q.Outcome))
		q.Outcome = ""
	}
}

// askSecret asks for the secret that events are about; it may be gone.
func (v *logView) askSecret(ctx context.Context, q *vault.AuditQuery) error {
	ret := ""
	if v.q.Secret != (vault.ID{}) {
		ret = v.q.Secret.String()
	}
	for {
		s, err := v.t.askText(ctx, "Secret, by its id or the first digits of it", ret, true)
		if err != nil || s == "" || s == "-" {
			return err
		}
		if q.Secret, err = vault.ParseSecretRef(s); err == nil {
			return nil
		}
		found, err := v.t.be.FindSecret(ctx, s)
		if err == nil {
			q.Secret = found.ID
			return nil
		}
		if ends(err) {
			return err
		}
		v.t.fail(err)
	}
}

// askSince asks how far back events go.
func (v *logView) askSince(ctx context.Context, q *vault.AuditQuery) error {
	ret := ""
	if !v.q.Since.IsZero() {
		ret = v.q.Since.Local().Format(time.RFC3339)
	}
	for {
		s, err := v.t.askText(ctx, "Not older than, such as 90m, 2h, 7d or 2026-01-31", ret, true)
		if err != nil || s == "" || s == "-" {
			return err
		}
		if since, ok := parseSince(s, v.t.env.Now()); ok {
			q.Since = since
			return nil
		}
		v.t.fail(fault.New(fault.InvalidRequest, "%q is no time", s).WithHint("type an age as 90m, 2h or 7d, or a day as 2026-01-31"))
	}
}

// parseSince reads a time, a day, or an age.
func parseSince(s string, now time.Time) (since time.Time, ok bool) {
	if t, err := time.Parse(time.RFC3339, s); err == nil {
		return t, true
	}
	if day, err := time.ParseInLocation(time.DateOnly, s, time.Local); err == nil {
		return day, true
	}
	if days, found := strings.CutSuffix(s, "d"); found {
		n, err := strconv.ParseUint(days, 10, 16)
		return now.AddDate(0, 0, -int(n)), err == nil
	}
	d, err := time.ParseDuration(s)
	return now.Add(-d), err == nil && d >= 0
}

// verify verifies the whole log.
func (v *logView) verify(ctx context.Context) error {
	st, err := v.t.be.VerifyAudit(ctx)
	if err != nil {
		return err
	}
	v.t.say("The chain is whole: %s, none was changed or is missing.", text.Plural(int(st.Events), "event"))
	v.t.line(ops.VerifyLine())
	return same
}

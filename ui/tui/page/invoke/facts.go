package invoke

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/charmbracelet/lipgloss"

	"aivault/broker"
	"aivault/keys/fault"
	"aivault/ui/tui/text"
)

// stageWords say what a call is doing.
func stageWords(s broker.Stage) string {
	switch s {
	case broker.StageChecking:
		return "checking the call"
	case broker.StageRecording:
		return "recording the intent"
	case broker.StageOpening:
		return "opening the secret"
	case broker.StageRenewing:
		return "renewing the token"
	case broker.StageResolving:
		return "looking up the host"
	case broker.StageConnecting:
		return "connecting"
	case broker.StageSecuring:
		return "securing the connection"
	case broker.StageSending:
		return "sending the request"
	case broker.StageWaiting:
		return "waiting for the answer"
	case broker.StageReceiving:
		return "receiving the answer"
	}
	return "beginning"
}

// progress says how far a call is: "securing the connection · 0.4 s".
func (p *page) progress(r *run) string {
	dot := " " + p.host.Theme.Dot + " "
	s := stageWords(r.news.stage) + dot + fmt.Sprintf("%.1f s", p.host.Now().Sub(r.begun).Seconds())
	if r.news.head != nil {
		s += dot + text.Bytes(r.news.total)
	}
	return s
}

// statusWords are the status of an answer and what it means: "404 Not Found".
func statusWords(a *broker.Answer) string {
	return strings.TrimSpace(strconv.Itoa(a.Status) + " " + a.Reason())
}

// said is what a service says by a status, for whom numbers say nothing.
func said(status int) string {
	switch {
	case status < 300:
		return ""
	case status < 400:
		return "a redirect that was not followed"
	case status == 401:
		return "the service does not take the secret"
	case status == 403:
		return "the service does not allow it"
	case status == 429:
		return "the service wants fewer calls"
	case status < 500:
		return "the service refused the request"
	}
	return "the service failed"
}

func (p *page) statusStyle(status int) lipgloss.Style {
	th := p.host.Theme
	switch {
	case status < 300:
		return th.Good
	case status < 400:
		return th.Warn
	}
	return th.Bad
}

// failure says in a few words what kind of failure kept a call from an answer.
func failure(err error) string {
	switch fault.CodeOf(err) {
	case fault.PolicyViolation, fault.InvalidRequest, fault.RequestTooLarge, fault.RateLimited:
		return "refused before anything was sent"
	case fault.CredentialNotFound, fault.CredentialAmbiguous, fault.SecretNotFound, fault.SecretNotAccessible, fault.CapabilityNotFound:
		return "nothing to send it with"
	case fault.Timeout:
		return "no answer in time"
	case fault.UpstreamUnreachable:
		return "the service was not reached"
	case fault.AuthFailed, fault.OAuthRefreshRequired:
		return "the service did not take the secret"
	case fault.AuditUnavailable:
		return "not sent: it could not be recorded"
	}
	return "no answer"
}

// facts are what stands above an answer, the most important line first.
func (p *page) facts(w int) []string {
	th, r := p.host.Theme, p.run
	dot := " " + th.Dot + " "
	var lines []string
	add := func(style lipgloss.Style, s string) {
		for _, line := range text.Wrap(s, max(w, 1)) {
			lines = append(lines, style.Render(line))
		}
	}
	a := r.answer
	if a == nil {
		a = r.news.head
	}
	if a != nil {
		lead := statusWords(a)
		if s := said(a.Status); s != "" {
			lead += dot + s
		}
		add(p.statusStyle(a.Status).Bold(true), lead)
	}
	switch {
	case r.answer != nil:
	case !r.over && !r.stopped:
		elapsed := p.host.Now().Sub(r.begun)
		lines = append(lines, th.Warn.Render(text.Cut(th.Spinner(int(elapsed/spinEvery))+" "+p.progress(r), w)))
	case r.stopped:
		add(th.Warn, th.Alert+" "+stopWords(r))
	default:
		add(th.Bad, th.Fail+" "+failure(r.err))
	}
	if r.answer == nil {
		if a != nil {
			for _, line := range flow(timings(a.Timing), w) { // as many as there will be
				add(th.Dim, line)
			}
		}
		return lines
	}
	about := []string{text.Bytes(r.news.total), text.Duration(r.took)}
	if a.MediaType != "" {
		about = slices.Insert(about, 0, a.MediaType)
	}
	add(th.Dim, strings.Join(about, dot))
	for _, s := range r.warnings() {
		add(th.Warn, th.Alert+" "+s)
	}
	for _, line := range flow(timings(a.Timing), w) {
		add(th.Dim, line)
	}
	return lines
}

// flow puts words into lines of at most w cells.
func flow(words []string, w int) []string {
	var lines []string
	for _, s := range words {
		if n := len(lines) - 1; n >= 0 && text.Width(lines[n])+2+text.Width(s) <= w {
			lines[n] += "  " + s
		} else {
			lines = append(lines, s)
		}
	}
	return lines
}

// spinEvery is how long a step of the spinner takes.
const spinEvery = 100 * time.Millisecond

// stopWords say what may have become of a call that was stopped.
func stopWords(r *run) string {
	if r.sent {
		return "stopped; the service may have got it"
	}
	return "stopped before anything was sent"
}

// warnings are what to know about an answer that was changed on its way, or is
// not whole.
func (r *run) warnings() []string {
	a := r.answer
	var out []string
	switch {
	case r.stopped:
		out = append(out, "cut off: "+stopWords(r))
	case r.err != nil:
		out = append(out, "cut off: "+r.err.Error())
	}
	if a.Redactions > 0 {
		echo := " echoes of the secret redacted"
		if a.Redactions == 1 {
			echo = " echo of the secret redacted"
		}
		out = append(out, text.Number(a.Redactions)+echo)
	}
	if a.Blocked > 0 {
		out = append(out, text.Plural(a.Blocked, "field")+" kept back by the policy")
	}
	if a.Redirects > 0 {
		out = append(out, text.Plural(a.Redirects, "redirect")+" followed")
	}
	if a.Unrecorded != nil {
		out = append(out, "what came of it is not in the audit log: "+a.Unrecorded.Error())
	}
	return out
}

// timings say how long the parts of a call took.
func timings(t broker.Timing) []string {
	var parts []string
	add := func(name string, d time.Duration) {
		if d >= time.Microsecond {
			parts = append(parts, name+" "+text.Duration(d))
		}
	}
	if t.Reused {
		parts = append(parts, "connection reused")
	}
	add("dns", t.DNS)
	add("connect", t.Connect)
	add("tls", t.TLS)
	add("wait", t.Wait)
	add("body", t.Body)
	return parts
}

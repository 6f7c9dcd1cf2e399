package invoke

import (
	"fmt"
	"slices"
	"strings"

	"aivault/broker"
	"aivault/keys/fault"
	"aivault/ui/tui/text"
)

// fill puts what is to be read into the answer's pane. Where one was scrolled to
// stays.
func (p *page) fill() {
	var lines []string
	switch r := p.run; {
	case p.shows == showDry && p.dry != nil:
		lines = p.dryLines(p.dry)
	case p.shows != showRun || r == nil:
	case !r.over:
		lines = p.partLines(r)
		if r.news.head != nil && arrives(r.news.head.MediaType) && !r.followed {
			r.followed = true
			p.text.Follow(true)
		}
	case r.answer == nil:
		lines = errorLines(r)
	default:
		p.text.Follow(false)
		lines = append(p.bodyLines(r), aboutLines(r)...)
	}
	p.text.SetText(lines)
}

// arrives reports whether a media type is one of answers that come in pieces,
// each to be read by itself.
func arrives(media string) bool {
	switch media {
	case "text/event-stream", "application/x-ndjson", "application/ndjson", "application/jsonl", "application/json-seq", "application/stream+json":
		return true
	}
	return false
}

// partLines are the lines of what has come so far.
func (p *page) partLines(r *run) []string {
	n := r.news
	switch {
	case n.head == nil && r.stopped:
		return errorLines(r)
	case n.head == nil || len(n.body) == 0:
		return nil
	case kindOf(n.head.MediaType, n.body, false) == kindBinary:
		return hexLines(n.body, p.perLine())
	}
	return textLines(n.body[:len(n.body)-unfinished(n.body)])
}

// bodyLines are the lines of the body, with what is to be known of it.
func (p *page) bodyLines(r *run) []string {
	body := r.news.body
	note := bodyNote(r.kind, r.answer.MediaType, int64(len(body)), r.news.total)
	var lines []string
	if note != "" {
		lines = append(lines, note, "")
	}
	switch {
	case r.kind == kindNone:
		return lines[:1]
	case r.kind == kindBinary:
		return append(lines, hexLines(body, p.perLine())...)
	case r.indent != nil && !p.raw:
		return append(lines, textLines(r.indent)...)
	}
	if int64(len(body)) < r.news.total {
		body = body[:len(body)-unfinished(body)]
	}
	return append(lines, textLines(body)...)
}

// perLine is how many bytes of a hex view there is room for.
func (p *page) perLine() int {
	if p.textWidth >= 72 {
		return 16
	}
	return 8
}

// aboutLines are what else is known of an answer: its header, and the call.
func aboutLines(r *run) []string {
	a := r.answer
	lines := []string{"", "Headers of the answer"}
	names := make([]string, 0, len(a.Header))
	for name := range a.Header {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		for _, v := range a.Header[name] {
			lines = append(lines, "  "+name+": "+v)
		}
	}
	if len(names) == 0 {
		lines = append(lines, "  none")
	}
	with := "with " + a.Secret
	if a.Credential != "" {
		with += ", credential " + a.Credential
	}
	lines = append(lines, "", "The call", "  "+a.Method+" "+a.URL, "  from "+contextText(r.call.Context)+", "+with,
		fmt.Sprintf("  %s sent, %s received, %s in all", text.Bytes(a.RequestBytes), text.Bytes(a.ResponseBytes), text.Duration(r.took)))
	if parts := timings(a.Timing); len(parts) > 0 {
		lines = append(lines, "  "+strings.Join(parts, "  "))
	}
	if a.Intent != 0 {
		lines = append(lines, fmt.Sprintf("  event %d of the audit log", a.Intent))
	}
	return lines
}

// errorLines say why there is no answer, and what to do.
func errorLines(r *run) []string {
	if r.stopped {
		return []string{"You stopped the call.", "", "ctrl+s sends it again."}
	}
	lines := []string{r.err.Error()}
	hint := fault.HintOf(r.err)
	if fault.CodeOf(r.err) == fault.Timeout && r.call.Timeout > 0 {
		hint = "give it longer than " + timeoutText(r.call.Timeout) + ", in the field Timeout"
	}
	if hint != "" {
		lines = append(lines, "", "Next: "+hint)
	}
	again := "r or ctrl+s tries again."
	if r.dry {
		again = "r tries the dry run again."
	}
	return append(lines, "", "Code: "+string(fault.CodeOf(r.err)), "", again)
}

// dryLines are the request of a dry run, as it would be sent.
func (p *page) dryLines(v *broker.Preview) []string {
	lines := []string{v.Method + " " + v.URL}
	for _, h := range v.Headers {
		lines = append(lines, h.Name+": "+h.Value)
	}
	if v.Certificate != "" {
		lines = append(lines, "", "The client certificate in "+v.Certificate+" is shown in the TLS handshake.")
	}
	if len(v.Body) == 0 {
		return lines
	}
	lines = append(lines, "")
	switch kindOf("", v.Body, true) {
	case kindBinary:
		return append(lines, hexLines(v.Body, p.perLine())...)
	default:
		return append(lines, textLines(v.Body)...)
	}
}

package invoke

import (
	"context"
	"strings"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"aivault/broker"
	"aivault/keys/fault"
	"aivault/ui/app"
	"aivault/ui/tui/ops"
	"aivault/ui/tui/task"
	"aivault/ui/tui/text"
	"aivault/ui/tui/widget"
	"aivault/vault"
)

// settle is how long nothing is typed before the call is judged.
const settle = 150 * time.Millisecond

// A verdict is what would become of a call, before anything is sent.
type verdict struct {
	call    broker.Call
	ladder  *broker.Ladder  // nil: the question cannot be asked
	preview *broker.Preview // nil: it would be refused
	limits  vault.Policy
	err     error // why it would be refused
}

// changed has the call judged soon.
func (p *page) changed() tea.Cmd {
	p.stale = true
	return task.After(p.tasks, "settle", settle, p.check)
}

// check has the call judged now.
func (p *page) check() tea.Cmd {
	if p.req == nil {
		return nil
	}
	p.stale = true
	call, field, err := p.req.parse()
	if field != nil {
		p.tasks.Cancel("check")
		p.judged(&verdict{call: call, err: fault.Wrap(fault.InvalidRequest, err, "the %s", strings.ToLower(field.Label()))})
		return nil
	}
	be := p.host.Backend
	return task.Go(p.tasks, "check", func(ctx context.Context) (*verdict, error) {
		return judge(ctx, be, call), nil
	}, func(v *verdict, _ error) tea.Cmd {
		p.judged(v)
		return nil
	})
}

func (p *page) judged(v *verdict) {
	p.verdict, p.stale = v, false
	p.details = p.verdictDetails()
	p.before.SetDetails(p.details)
}

// judge asks what would become of a call. Nothing is recorded, decrypted or
// sent.
func judge(ctx context.Context, be app.Backend, call broker.Call) *verdict {
	v := &verdict{call: call}
	v.preview, v.err = be.Preview(ctx, call)
	if l, err := be.Explain(ctx, call.Capability, call.Context, call.Credential); err == nil {
		v.ladder = l
	}
	if limits, err := be.Policy(ctx, call.Capability); err == nil {
		v.limits = limits
	}
	return v
}

// word is the verdict in one line: the glyph, and what it is.
func (p *page) word() (glyph, words string) {
	th := p.host.Theme
	switch v := p.verdict; {
	case v == nil || p.stale:
		return th.Dot, "checking"
	case v.err != nil:
		return th.Fail, "refused: " + v.err.Error()
	default:
		return th.OK, "allowed"
	}
}

// verdictDetails say what would become of the call.
func (p *page) verdictDetails() *widget.Details {
	th, v := p.host.Theme, p.verdict
	d := widget.NewDetails(th)
	if v == nil {
		return d
	}
	if v.err != nil {
		d.Styled("Verdict", th.Fail+" refused: "+v.err.Error(), th.Bad)
		if hint := fault.HintOf(v.err); hint != "" {
			d.Styled("Next", hint, th.Strong)
		}
	} else {
		d.Styled("Verdict", th.OK+" allowed", th.Good)
	}
	if l := v.ladder; l != nil && l.Via != "" {
		d.Row("Secret", used(l))
		d.Row("By", via(l))
	}
	if v.preview != nil {
		d.Row("Sends", v.preview.Method+" "+v.preview.URL)
	}
	d.Row("Limits", strings.Join(limitWords(v.limits), ", "))
	if p.desc != nil && p.desc.OpaqueBody {
		d.Row("Body", "says itself what is done; the paths do not limit that")
	}
	d.Row("Shell", ops.InvokeLine(v.call).String())
	return d
}

// summary is the verdict in a line, where there is no room for more.
func (p *page) summary(w int) string {
	th, v := p.host.Theme, p.verdict
	glyph, words := p.word()
	style := th.Dim
	switch glyph {
	case th.OK:
		style = th.Good
		if l := v.ladder; l != nil && l.Via != "" {
			words += ", uses " + used(l)
		}
	case th.Fail:
		style = th.Bad
	}
	return style.Render(text.Fit(glyph+" "+words, w))
}

// used names the secret of a ladder, and where it comes from.
func used(l *broker.Ladder) string {
	return l.SecretName + " (" + l.Tier.String() + ")"
}

// via says what led to the secret, and why.
func via(l *broker.Ladder) string {
	s := "credential " + l.Credential
	if l.Via == "binding" {
		s = "a binding, with the authentication of " + l.Lender
	}
	for _, r := range l.Rungs {
		if r.Taken && r.Reason != "" {
			return s + ", " + r.Reason
		}
	}
	return s
}

// limitWords say what a policy limits.
func limitWords(p vault.Policy) []string {
	var out []string
	switch {
	case p.Rate == nil:
	case *p.Rate == 0:
		out = append(out, "no calls")
	default:
		out = append(out, text.Plural(int(*p.Rate), "call")+" in any 60 s")
	}
	if n := p.MaxRequest; n != nil {
		out = append(out, "a body of at most "+text.Bytes(*n))
	}
	if n := p.MaxResponse; n != nil {
		out = append(out, "an answer of at most "+text.Bytes(*n))
	}
	if len(p.Block) > 0 {
		out = append(out, "kept back: "+strings.Join(p.Block, ", "))
	}
	if out == nil {
		out = append(out, "the broker's own")
	}
	return out
}

// verdictContext is the context that the verdict is about.
func (p *page) verdictContext() vault.Context {
	if p.verdict == nil {
		return p.call.Context
	}
	return p.verdict.call.Context
}

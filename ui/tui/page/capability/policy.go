package capability

import (
	"context"
	"math"
	"slices"
	"strconv"
	"strings"

	tea "github.com/charmbracelet/bubbletea"

	"aivault/keys/fault"
	"aivault/ui/app"
	"aivault/ui/tui/form"
	"aivault/ui/tui/ops"
	"aivault/ui/tui/page/browse"
	"aivault/ui/tui/task"
	"aivault/ui/tui/view"
	"aivault/vault"
)

// A policyForm is the form of a capability's limits.
type policyForm struct {
	*form.Form
	host  *view.Host
	tasks *task.Group
	was   vault.Policy // the limits as the form knows them

	rate, request, answer *form.Text
	block                 *form.List
}

// setPolicy opens the form of the capability under the cursor.
func (p *page) setPolicy() tea.Cmd { return p.setPolicyOf(p.current().ID) }

// setPolicyOf opens the form with the limits that there are.
func (p *page) setPolicyOf(id string) tea.Cmd {
	be := p.host.Backend
	return task.Go(p.tasks, "policy", func(ctx context.Context) (vault.Policy, error) {
		return be.Policy(ctx, id)
	}, func(now vault.Policy, err error) tea.Cmd {
		if err != nil {
			return view.Fail("reading the limits of "+id, err, func() tea.Cmd { return p.setPolicyOf(id) })
		}
		return view.Dialog(newPolicyForm(p.host, now))
	})
}

func newPolicyForm(host *view.Host, now vault.Policy) *policyForm {
	th := host.Theme
	f := &policyForm{
		host: host, tasks: host.Tasks.Group(), was: now,
		rate:    form.NewText(th, "Calls per minute", ""),
		request: form.NewText(th, "Largest request", ""),
		answer:  form.NewText(th, "Largest answer", ""),
		block:   form.NewList(th, "Kept back"),
	}
	for _, t := range []*form.Text{f.rate, f.request, f.answer} {
		t.Placeholder = "no limit"
		t.SetLimit(24)
	}
	f.rate.Help = "in any 60 seconds, over all contexts; 0 stops all calls"
	f.rate.Validate = func(s string) error { _, err := parseLimit(s, false); return err }
	f.request.Validate, f.answer.Validate = checkSize, checkSize
	f.request.Help = "of its body, in bytes, or as 64 KB or 2 MB"
	f.answer.Help = "of its body once it is decoded, in bytes, or as 64 KB or 2 MB"
	f.block.Help = "names of JSON fields whose values do not leave, at any depth; with spaces between them"
	f.Form = form.New(host, "Limits of "+now.Capability, f.rate, f.request, f.answer, f.block)
	f.Owner, f.Verb, f.Submit, f.Hint = f, "set", f.submit, f.hint
	f.fill(now)
	return f
}

// Close ends what is under way.
func (f *policyForm) Close() {
	f.tasks.Close()
	f.Form.Close()
}

// fill puts limits into the fields.
func (f *policyForm) fill(p vault.Policy) {
	f.was = p
	f.rate.SetValue(digits(p.Rate))
	f.request.SetValue(digits(p.MaxRequest))
	f.answer.SetValue(digits(p.MaxResponse))
	f.block.SetWords(p.Block...)
}

func digits(n *int64) string {
	if n == nil {
		return ""
	}
	return strconv.FormatInt(*n, 10)
}

// typed returns the limits that the fields say.
func (f *policyForm) typed() (vault.Policy, error) {
	p := vault.Policy{Capability: f.was.Capability, Block: f.block.Words()}
	for _, t := range []struct {
		from *form.Text
		to   **int64
		size bool
	}{{f.rate, &p.Rate, false}, {f.request, &p.MaxRequest, true}, {f.answer, &p.MaxResponse, true}} {
		var err error
		if *t.to, err = parseLimit(t.from.Value(), t.size); err != nil {
			return p, err
		}
	}
	return p.Normal()
}

// hint says what the limits come to.
func (f *policyForm) hint(w int) []string {
	th := f.host.Theme
	p, err := f.typed()
	if err != nil {
		return nil // the field says it
	}
	if p.Empty() {
		return browse.Said(th.Dim, th.Dot, "no limits: calls are limited by the provider alone", w)
	}
	var out []string
	for _, s := range ops.Limits(p) {
		style, glyph := th.Text, th.Dot
		if p.Rate != nil && *p.Rate == 0 && len(out) == 0 {
			style, glyph = th.Warn, th.Alert
		}
		out = append(out, browse.Said(style, glyph, s, w)...)
	}
	return out
}

func (f *policyForm) submit() tea.Cmd {
	p, err := f.typed()
	if err != nil {
		f.Failed(browse.ForForm(err), f.block) // all else was checked by its field
		return nil
	}
	be, was := f.host.Backend, f.was
	return task.Write(f.tasks, "setting the limits of "+p.Capability, func(ctx context.Context) (ops.Done, error) {
		return store(ctx, be, p, was)
	}, func(d ops.Done, err error) tea.Cmd {
		if err != nil {
			return f.failed(err)
		}
		f.Done()
		return tea.Batch(view.Close(f), view.Finish(d))
	})
}

// store sets limits in the place of others. Where there were none, they have no
// revision to be compared, so it is looked whether there are some now.
func store(ctx context.Context, be app.Backend, p, was vault.Policy) (ops.Done, error) {
	now, err := be.Policy(ctx, p.Capability)
	if err != nil {
		return ops.Done{}, err
	}
	if now.Revision != was.Revision || now.Digest() != was.Digest() {
		return ops.Done{}, fault.New(fault.Conflict, "the limits of %s were changed meanwhile", p.Capability)
	}
	d, _, err := ops.SetPolicy(ctx, be, p, vault.IfRevision(was.Revision))
	return d, err
}

// failed says what went wrong. If somebody changed the limits since the form
// knew them, it asks what is to be done about that.
func (f *policyForm) failed(err error) tea.Cmd {
	f.Failed(browse.ForForm(err), nil)
	if fault.CodeOf(err) != fault.Conflict {
		return nil
	}
	be, id := f.host.Backend, f.was.Capability
	return task.Go(f.tasks, "conflict", func(ctx context.Context) (vault.Policy, error) {
		return be.Policy(ctx, id)
	}, func(now vault.Policy, err error) tea.Cmd {
		if err != nil {
			f.Failed(err, nil)
			return nil
		}
		return view.Dialog(f.ask(now))
	})
}

func (f *policyForm) ask(now vault.Policy) view.Screen {
	words := ops.Limits(now)
	if len(words) == 0 {
		words = []string{"none"}
	}
	say := "Somebody changed the limits of " + now.Capability + " while you were typing. They are now: " + strings.Join(words, "; ") + "."
	return form.NewChoose(
		f.host, "Changed meanwhile", say,
		form.Button{Label: "Cancel"},
		form.Button{Label: "Reload", Do: func() tea.Cmd {
			f.Failed(nil, nil)
			f.fill(now)
			return view.Note("these are the limits as they are now; nothing was saved yet")
		}},
		form.Button{Label: "Overwrite", Danger: true, Do: func() tea.Cmd {
			f.was = now
			return f.Save()
		}},
	)
}

// checkSize checks a size that is typed.
func checkSize(s string) error {
	n, err := parseLimit(s, true)
	if err == nil {
		_, err = vault.Policy{Capability: "any", MaxRequest: n}.Normal()
	}
	return err
}

// parseLimit reads a limit: a number, with commas or without, and of sizes with
// KB, MB or GB of 1,024 each. Nothing is no limit.
func parseLimit(s string, size bool) (*int64, error) {
	s = strings.ToUpper(strings.ReplaceAll(strings.TrimSpace(s), ",", ""))
	if s == "" {
		return nil, nil
	}
	times := int64(1)
	if size {
		for i, unit := range []string{"K", "M", "G", "T"} {
			if rest, ok := cutUnit(s, unit); ok {
				s, times = rest, 1<<(10*(i+1))
				break
			}
		}
		s = strings.TrimSpace(strings.TrimSuffix(s, "B"))
	}
	digits := func(r rune) bool { return r >= '0' && r <= '9' }
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || !slices.ContainsFunc([]rune(s), digits) || strings.ContainsAny(s, "+-") || n > math.MaxInt64/times {
		if size {
			return nil, fault.New(fault.InvalidRequest, "this is no size: type a number of bytes, or such as 64 KB")
		}
		return nil, fault.New(fault.InvalidRequest, "this is no number: type one, such as 30, or nothing for no limit")
	}
	n *= times
	return &n, nil
}

// cutUnit cuts a unit off: "K", "KB" or "KIB".
func cutUnit(s, unit string) (string, bool) {
	for _, u := range []string{unit + "IB", unit + "B", unit} {
		if rest, ok := strings.CutSuffix(s, u); ok {
			return strings.TrimSpace(rest), true
		}
	}
	return s, false
}

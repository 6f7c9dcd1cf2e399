package audit

import (
	"strconv"
	"strings"
	"time"

	"github.com/charmbracelet/lipgloss"

	"aivault/ui/auditrow"
	"aivault/ui/tui/text"
	"aivault/ui/tui/widget"
	"aivault/vault"
)

// A row is an event, or a call with what came of it.
type row struct {
	vault.Event
	key  string
	text string // in lower case, for the filter; made when it is needed
}

func keyOf(seq uint64) string { return strconv.FormatUint(seq, 10) }

// goesOn is how long a call without an end is taken to be under way.
const goesOn = 30 * time.Second

// outcome is the word for how it ended.
func (r *row) outcome(now time.Time) string {
	if r.Outcome == vault.OutcomeUnknown && r.Kind == vault.KindInvokeIntent && now.Sub(r.Time) < goesOn {
		return "under way"
	}
	return auditrow.Outcome(r.Event)
}

// where is the context that a caller stated, or the scope of a change, as a path.
func (r *row) where() string {
	s := auditrow.Context(r.Event)
	if kind, rest, ok := strings.Cut(s, ":"); ok && r.Workspace == "" {
		switch kind {
		case "workspace":
			return rest
		case "group":
			return strings.Replace(rest, ":", "/", 1)
		}
	}
	return s
}

func (p *page) outcomeStyle(r *row) lipgloss.Style {
	th := p.host.Theme
	switch r.Outcome {
	case vault.OutcomeOK:
		return th.Good
	case vault.OutcomeDenied, vault.OutcomeError:
		return th.Bad
	case vault.OutcomeUnknown:
		return th.Warn
	}
	return th.Text
}

// newList makes the list. Where there is little room, an age is all that is said
// about when.
func (p *page) newList() {
	p.list = widget.NewList(
		p.host.Theme,
		widget.Column{Title: "AGE", Min: 4, Max: 4, Right: true},
		widget.Column{Title: "TIME", Min: len(auditrow.Time), Max: len(auditrow.Time), Drop: 3},
		widget.Column{Title: "WHAT", Min: 17, Max: 40},
		widget.Column{Title: "OUTCOME", Min: 12, Max: 22},
		widget.Column{Title: "CONTEXT", Min: 8, Max: 30, Drop: 2},
		widget.Column{Title: "DETAIL", Min: 12, Grow: true, Drop: 1},
	)
}

// listRow is what the list shows of a row.
func (p *page) listRow(i int) widget.Row {
	th, now := p.host.Theme, p.host.Now()
	r := &p.rows[p.shown[i]]
	return widget.Row{Cells: []widget.Cell{
		{Text: text.Age(r.Time, now), Style: th.Dim},
		{Text: r.Time.Local().Format(auditrow.Time), Style: th.Dim},
		{Text: auditrow.What(r.Event), Style: th.Text},
		{Text: r.outcome(now), Style: p.outcomeStyle(r)},
		{Text: r.where(), Style: th.Text},
		{Text: auditrow.Detail(r.Event), Style: th.Dim},
	}}
}

// words say what the row is: "openai/models ok, in shop/payments, 2m ago".
func (r *row) words(now time.Time) string {
	s := auditrow.What(r.Event)
	if o := r.outcome(now); o != "" {
		s += " " + o
	}
	if c := r.where(); c != "" {
		s += ", in " + c
	}
	return s + ", " + ago(r.Time, now)
}

func ago(t, now time.Time) string {
	if s := text.Age(t, now); s != "now" {
		return s + " ago"
	}
	return "just now"
}

// fields are what the filter line knows.
func fields() []string { return []string{"what:", "kind:", "outcome:", "ws:", "group:", "actor:"} }

// matches reports whether the filter lets the row through.
func (r *row) matches(f widget.Filter) bool {
	if r.text == "" {
		r.text = strings.ToLower(strings.Join([]string{
			r.Kind, auditrow.What(r.Event), auditrow.Outcome(r.Event), r.where(), auditrow.Detail(r.Event),
			r.Actor, r.Consumer, r.Secret.String(), "#" + r.key,
		}, " "))
	}
	return f.Match(r.text, func(name, value string) bool {
		workspace, group, _ := strings.Cut(r.where(), "/")
		has := map[string]string{
			"what": auditrow.What(r.Event), "kind": r.Kind, "outcome": auditrow.Outcome(r.Event),
			"ws": workspace, "group": group, "actor": r.Actor,
		}[name]
		return strings.Contains(strings.ToLower(has), value)
	})
}

package secrets

import (
	"strings"

	"aivault/ui/tui/ops"
	"aivault/ui/tui/text"
	"aivault/ui/tui/widget"
	"aivault/vault"
)

// newList makes the list of a node: its columns are as wide as what is in them.
func (p *page) newList() {
	from := widget.Column{Title: "FROM", Min: 8, Max: 20}
	provider := widget.Column{Title: "PROVIDER", Min: 8, Grow: true, Drop: 3}
	if p.node.all { // where they are is more than whose
		from = widget.Column{Title: "SCOPE", Min: 14, Max: 40}
		provider.Min = 14
	}
	p.list = widget.NewList(
		p.host.Theme,
		widget.Column{Title: "NAME", Min: 14, Max: 48},
		from,
		widget.Column{Title: "USED", Min: 4, Max: 5, Right: true, Drop: 2},
		widget.Column{Title: "AGE  ", Min: 5, Max: 7, Right: true, Drop: 1},
		provider,
	)
}

// listRow is what the list shows of a row. Of one that is overridden, times
// are of no interest: who overrides it takes their place.
func (p *page) listRow(i int) widget.Row {
	th, now := p.host.Theme, p.host.Now()
	r := &p.rows[p.shown[i]]
	name := widget.Cell{Text: r.Name, Style: th.Text}
	from := widget.Cell{Text: r.from, Style: th.Dim}
	if r.winner != "" {
		return widget.Row{
			Cells: []widget.Cell{name, from, {Text: "overridden by " + r.winner, Style: th.Dim}},
			Lead:  th.Shadow, Dim: true,
		}
	}
	out := widget.Row{}
	if r.twin {
		out.Lead = th.Alert
	}
	age := widget.Cell{Text: text.Age(r.RotatedAt, now) + "  ", Style: th.Text}
	if r.isOverdue(now) {
		age = widget.Cell{Text: text.Age(r.RotatedAt, now) + " " + th.Alert, Style: th.Warn}
	}
	out.Cells = []widget.Cell{
		name, from,
		{Text: text.Age(r.LastUsedAt, now), Style: th.Dim},
		age,
		{Text: r.PinnedProvider, Style: th.Dim},
	}
	return out
}

// words say what the row is: "STRIPE_KEY, own secret of group payments in
// web-shop, pinned to stripe".
func (r *row) words(of node) string {
	parts := []string{r.Name}
	whose := "secret of " + scopeWords(r.Scope)
	switch {
	case r.attached:
		parts = append(parts, "attached here, "+whose)
	case !of.all && r.Scope == of.scope:
		parts = append(parts, "own "+whose)
	default:
		parts = append(parts, whose)
	}
	if r.winner != "" {
		parts = append(parts, "overridden by "+r.winner)
	}
	if r.twin {
		parts = append(parts, "ambiguous with another one attached here")
	}
	if r.PinnedProvider != "" {
		parts = append(parts, "pinned to "+r.PinnedProvider)
	}
	return strings.Join(parts, ", ")
}

// listTitle names the list, and counts what is in it.
func (p *page) listTitle() (title, note string) {
	title = p.of.title()
	switch {
	case !p.loaded:
	case p.of.all:
		note = text.Plural(len(p.rows), "secret")
	case p.own:
		note = text.Number(len(p.shown)) + " own only"
	default:
		note = text.Number(p.effective()) + " effective"
	}
	if p.failed && p.loaded {
		note = "could not be read again"
	}
	if n := p.list.MarkCount(); n > 0 {
		note = text.Number(n) + " marked"
	}
	return title, note
}

// effective is how many secrets the node sees that nothing overrides.
func (p *page) effective() int {
	n := 0
	for i := range p.rows {
		if p.rows[i].winner == "" {
			n++
		}
	}
	return n
}

// emptiness says what would be in the list, and how to make it.
func (p *page) emptiness() []string {
	s := p.of.scope
	switch {
	case !p.loaded && p.failed:
		return []string{"The secrets could not be read.", "", "R reads them again."}
	case !p.loaded:
		return nil
	case len(p.rows) > 0 && p.filter.Shows():
		return []string{"No secret matches the filter.", "", "esc clears it."}
	case len(p.rows) > 0:
		return []string{"No secret belongs to " + scopeWords(s) + " itself.", "", "o shows what is effective here, n stores one."}
	case p.of.all || s.Level == vault.Global:
		return []string{"No secrets yet.", "", "n stores one. On a command line:", ops.CreateLine(vault.GlobalScope()).String()}
	}
	out := []string{"Nothing is effective in " + scopeWords(s) + " yet.", "", "n stores a secret here"}
	if s.Level == vault.Group {
		out[2] += ", a attaches one that exists"
	}
	out[2] += ". On a command line:"
	return append(out, ops.CreateLine(s).String())
}

package capability

import (
	"cmp"
	"slices"
	"strings"

	"aivault/broker"
	"aivault/ui/tui/text"
	"aivault/ui/tui/widget"
	"aivault/vault"
)

// A row is a capability with its limits.
type row struct {
	broker.Capability
	limits vault.Policy // the zero Policy if there are none
	search string       // what the filter looks through, in lower case
}

// rowsOf makes the rows: providers of which something works first, and of each
// what works first.
func rowsOf(list []broker.Capability, policies []vault.Policy) []row {
	limits := map[string]vault.Policy{}
	for _, p := range policies {
		limits[p.Capability] = p
	}
	works := map[string]bool{}
	rows := make([]row, len(list))
	for i, c := range list {
		works[c.Provider] = works[c.Provider] || c.Ready
		words := []string{c.ID, c.Provider, c.Description, strings.Join(c.Allow.Hosts, " "), strings.Join(c.Allow.Paths, " ")}
		rows[i] = row{Capability: c, limits: limits[c.ID], search: strings.ToLower(strings.Join(words, "\n"))}
	}
	last := func(holds bool) int {
		if holds {
			return 0
		}
		return 1
	}
	slices.SortStableFunc(rows, func(a, b row) int {
		return cmp.Or(
			cmp.Compare(last(works[a.Provider]), last(works[b.Provider])), strings.Compare(a.Provider, b.Provider),
			cmp.Compare(last(a.Ready), last(b.Ready)), strings.Compare(a.ID, b.ID))
	})
	return rows
}

// is answers the filter: whether a field of the row has a value, which is in
// lower case.
func (r *row) is(name, value string) bool {
	switch name {
	case "provider":
		return strings.Contains(strings.ToLower(r.Provider), value)
	case "ready":
		return r.Ready
	case "custom":
		return !r.Builtin
	case "limited":
		return !r.limits.Empty()
	}
	return false
}

// words say what the row is, for the last line.
func (r *row) words() string {
	parts := []string{text.Line(r.ID), "not ready"}
	if r.Ready {
		parts[1] = "ready"
	}
	if !r.Builtin {
		parts = append(parts, "custom")
	}
	if !r.limits.Empty() {
		parts = append(parts, "limited")
	}
	return strings.Join(parts, ", ")
}

// A node of the tree: a provider's name, or one of the two that are none.
type node string

const (
	all    node = ""
	custom node = "\x00custom" // no provider has such a name
)

// has reports whether a row is of the node.
func (n node) has(r *row) bool {
	switch n {
	case all:
		return true
	case custom:
		return !r.Builtin
	}
	return r.Provider == string(n)
}

func (n node) label() string {
	switch n {
	case all:
		return "all"
	case custom:
		return "custom"
	}
	return string(n)
}

func (n node) title() string {
	switch n {
	case all:
		return "All capabilities"
	case custom:
		return "Custom capabilities"
	}
	return "Capabilities of " + string(n)
}

// A tally is how many of how many capabilities work.
type tally struct{ ready, all int }

func (t tally) String() string { return text.Number(t.ready) + "/" + text.Number(t.all) }

func (t tally) words() string {
	return text.Number(t.ready) + " of " + text.Number(t.all) + " ready"
}

// nodesOf lists the nodes with their tallies: all, the custom ones, and the
// providers, those that work first.
func nodesOf(rows []row) ([]node, map[node]tally) {
	counts := map[node]tally{all: {}, custom: {}}
	var providers []node
	for i := range rows {
		r := &rows[i]
		of := []node{all, node(r.Provider)}
		if !r.Builtin {
			of = append(of, custom)
		}
		if _, known := counts[of[1]]; !known {
			providers = append(providers, of[1]) // the rows are in this order
		}
		for _, n := range of {
			t := counts[n]
			t.all++
			if r.Ready {
				t.ready++
			}
			counts[n] = t
		}
	}
	return slices.Concat([]node{all, custom}, providers), counts
}

// listRow is what the list shows of a row.
func (p *page) listRow(i int) widget.Row {
	th := p.host.Theme
	r := &p.rows[p.shown[i]]
	ready := widget.Cell{Text: "not ready", Style: th.Dim}
	if r.Ready {
		ready = widget.Cell{Text: th.OK + " ready", Style: th.Good}
	}
	name := widget.Cell{Text: r.ID, Style: th.Text}
	if !r.Ready {
		name.Style = th.Dim
	}
	return widget.Row{Cells: []widget.Cell{
		name, ready,
		{Text: short(r.limits), Style: th.Warn},
		{Text: strings.Join(r.Allow.Methods, " "), Style: th.Dim},
		{Text: strings.Join(r.Allow.Paths, " "), Style: th.Dim},
	}}
}

// short is a policy in a word or two: its first limit, and how many more it has.
func short(p vault.Policy) string {
	var parts []string
	if p.Rate != nil {
		parts = append(parts, text.Number(int(*p.Rate))+"/min")
	}
	if p.MaxRequest != nil || p.MaxResponse != nil {
		parts = append(parts, "size")
	}
	if len(p.Block) > 0 {
		parts = append(parts, "fields")
	}
	switch len(parts) {
	case 0:
		return ""
	case 1:
		return parts[0]
	}
	return parts[0] + " +" + text.Number(len(parts)-1)
}

// emptiness says what would be in the list, and how to make it.
func (p *page) emptiness() []string {
	switch {
	case p.failed && !p.loaded:
		return []string{"The capabilities could not be read.", "", "R reads them again."}
	case !p.loaded:
		return nil
	case p.Filter.Shows():
		return []string{"No capability matches the filter.", "", "esc clears it."}
	case p.node == custom:
		return []string{
			"No custom capabilities yet: calls that no provider of the registry has.", "", "n makes one. On a command line:",
			"aivault capability create acme/items --credential acme --method GET --path /v1/items",
		}
	}
	return []string{"There are no capabilities here."}
}

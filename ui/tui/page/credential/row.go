package credential

import (
	"strings"

	"aivault/broker"
	"aivault/ui/tui/ops"
	"aivault/ui/tui/text"
	"aivault/ui/tui/widget"
)

// A row is a credential.
type row struct {
	broker.Account
	key    string // of the list: a stored one may have the id of a disabled one
	search string // what the filter looks through, in lower case
}

func rowsOf(list []broker.Account) []row {
	rows := make([]row, len(list))
	for i, a := range list {
		key := a.ID
		if !a.Auto {
			key += "\x00"
		}
		words := []string{a.ID, a.Provider, a.Auth.Kind, ops.Place(a.Scope), strings.Join(a.Names, " "), strings.Join(a.Hosts, " ")}
		rows[i] = row{Account: a, key: key, search: strings.ToLower(strings.Join(words, "\n"))}
	}
	return rows
}

// tally is how many there are, and how many of them do not work.
func tally(rows []row) string {
	off := 0
	for i := range rows {
		if !rows[i].Works() {
			off++
		}
	}
	s := text.Plural(len(rows)-off, "credential")
	if off > 0 {
		s += ", " + text.Number(off) + " not in use"
	}
	return s
}

// made is a word for where the credential comes from, or why it is not there.
func (r *row) made() string {
	switch {
	case r.Disabled:
		return "disabled"
	case len(r.Missing) > 0 || r.NeedsHost != "":
		return "waits"
	case r.Auto:
		return "registry"
	}
	return "by hand"
}

// waitsFor names what is missing: secrets, or a host that only people know.
func (r *row) waitsFor() string {
	if len(r.Missing) > 0 {
		return strings.Join(r.Missing, " and ")
	}
	return "a credential with your host under " + r.NeedsHost
}

// secrets are the names of the secrets.
func (r *row) secrets() string { return strings.Join(r.Names, ", ") }

// words say what the row is, for the last line.
func (r *row) words() string {
	parts := []string{text.Line(r.ID), r.Auth.Kind, "of " + text.Line(r.Provider), "with " + text.Line(r.secrets())}
	switch r.made() {
	case "disabled":
		parts = append(parts, "disabled")
	case "waits":
		parts = append(parts, "waits for "+r.waitsFor())
	case "registry":
		parts = append(parts, "made by the registry")
	default:
		parts = append(parts, "made by hand")
	}
	return strings.Join(parts, ", ")
}

// is answers the filter: whether a field of the row has a value, which is in
// lower case.
func (r *row) is(name, value string) bool {
	has := func(s string) bool { return strings.Contains(strings.ToLower(s), value) }
	switch name {
	case "provider":
		return has(r.Provider)
	case "ws":
		return has(r.Scope.Workspace)
	case "group":
		return has(r.Scope.Group)
	case "registry":
		return r.Auto
	case "hand":
		return !r.Auto
	case "disabled":
		return r.Disabled
	case "private":
		return r.AllowPrivate
	}
	return false
}

// listRow is what the list shows of a row.
func (p *page) listRow(i int) widget.Row {
	th := p.host.Theme
	r := &p.rows[p.shown[i]]
	made := widget.Cell{Text: r.made(), Style: th.Dim}
	out := widget.Row{Dim: !r.Works()}
	if !r.Works() {
		out.Lead = th.Alert
	}
	hosts := strings.Join(r.Hosts, " ")
	if r.AllowPrivate {
		hosts = "private: " + hosts
	}
	out.Cells = []widget.Cell{
		{Text: r.ID, Style: th.Text},
		made,
		{Text: r.secrets(), Style: th.Text},
		{Text: ops.Place(r.Scope), Style: th.Dim},
		{Text: r.Auth.Kind, Style: th.Dim},
		{Text: r.Provider, Style: th.Dim},
		{Text: hosts, Style: th.Dim},
	}
	return out
}

// emptiness says what would be in the list, and how to make it.
func (p *page) emptiness() []string {
	switch {
	case p.failed && !p.loaded:
		return []string{"The credentials could not be read.", "", "R reads them again."}
	case !p.loaded:
		return nil
	case p.Filter.Shows():
		return []string{"No credential matches the filter.", "", "esc clears it."}
	}
	return []string{
		"No credentials yet.", "", "Store a secret under a name that a provider claims, such as OPENAI_API_KEY, on page 1, and its credential is made by itself.",
		"", "n makes one for another service. On a command line:",
		"aivault credential create acme-main --provider acme --secret-ref ID --auth header --host api.acme.example",
	}
}

package credential

import (
	"strings"

	tea "github.com/charmbracelet/bubbletea"

	"aivault/ui/tui/ops"
	"aivault/ui/tui/text"
	"aivault/ui/tui/widget"
	"aivault/vault"
)

// rest shows the credential under the cursor: all that is known of it was read
// with the list.
func (p *page) rest() tea.Cmd {
	d := widget.NewDetails(p.host.Theme)
	r := p.current()
	key := ""
	if r == nil {
		d.Text("No credential is selected.")
	} else {
		key = r.key
		p.describe(d, r)
	}
	p.Detail.ShowDetails(key, d)
	return nil
}

// describe says what there is to know about a credential.
func (p *page) describe(d *widget.Details, r *row) {
	th := p.host.Theme
	d.Title(r.ID)
	switch {
	case r.Disabled:
		d.Styled("State", th.Alert+" disabled: somebody deleted it; e brings it back", th.Warn)
	case r.made() == "waits":
		what := r.waitsFor()
		if len(r.Missing) > 0 {
			what += " in the same scope"
		}
		d.Styled("State", th.Alert+" waits for "+what, th.Warn)
	default:
		d.Styled("State", th.OK+" in use", th.Good)
	}
	if r.Auto {
		d.Row("Made", "by the registry")
	} else {
		d.Row("Made", "by hand, "+text.Moment(r.CreatedAt))
	}
	d.Row("Provider", r.Provider)
	d.Row("Scope", ops.Place(r.Scope))
	label := "Secret"
	for _, name := range r.Names {
		d.Row(label, name)
		label = " "
	}
	d.Head("Authenticates")
	d.Row("Kind", r.Auth.Kind)
	for _, param := range r.Auth.Params {
		d.Text(strings.ReplaceAll(param.Name, "_", " ") + ": " + param.Value)
	}
	d.Head("Its secret may go to")
	for _, host := range r.Hosts {
		d.Text(host)
	}
	if r.AllowPrivate {
		d.Styled("Private", th.Alert+" these hosts may be private ones, or this machine", th.Warn)
	}
	if len(r.CACert) > 0 {
		d.Row("CA", "trusts its own certificate authority only, sha256 "+vault.CADigest(r.CACert)[:16]+th.Ellipsis)
	}
	p.carried(d, r)
}

// carried lists the capabilities.
func (p *page) carried(d *widget.Details, r *row) {
	var ids []string
	for i := range p.caps {
		if r.Carries(&p.caps[i]) {
			ids = append(ids, p.caps[i].ID)
		}
	}
	head := "Carries " + text.Plural(len(ids), "capability")
	if !r.Works() {
		head = "Would carry " + text.Plural(len(ids), "capability")
	}
	d.Head(head)
	for _, id := range ids {
		d.Text(id)
	}
	if len(ids) == 0 {
		d.Text("Nothing may be called with it yet: c makes a capability of it.")
	}
}

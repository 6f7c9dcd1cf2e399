package why

import (
	"slices"
	"strings"

	tea "github.com/charmbracelet/bubbletea"

	"aivault/ui/tui/action"
	"aivault/ui/tui/form"
	"aivault/ui/tui/text"
	"aivault/ui/tui/view"
	"aivault/vault"
)

// A place is the context as three fields that can be edited.
type place struct {
	host   *view.Host
	fields [3]*form.Text // workspace, group, consumer
	at     int
	open   bool   // it is edited
	wrong  string // why what is typed is no context
}

func newPlace(host *view.Host, c vault.Context, known func() *facts, changed func() tea.Cmd) *place {
	p := &place{host: host}
	for i, f := range []struct{ label, value, hint string }{
		{"workspace", c.Workspace, "none: what is global"}, {"group", c.Group, "none"}, {"consumer", c.Consumer, "any"},
	} {
		p.fields[i] = form.NewText(host.Theme, f.label, f.value)
		p.fields[i].Placeholder = f.hint
		p.fields[i].OnChange = changed
		p.fields[i].Suggest = func(typed string) []string { return p.suggest(i, known(), typed) }
	}
	return p
}

// suggest lists what there is that could be meant.
func (p *place) suggest(field int, f *facts, typed string) []string {
	if f == nil || typed == "" {
		return nil
	}
	list := [][]string{f.workspaces, f.groups[p.context().Workspace], f.consumers}[field]
	typed = strings.ToLower(typed)
	var out []string
	for _, s := range list {
		if strings.Contains(strings.ToLower(s), typed) {
			out = append(out, s)
		}
	}
	slices.SortStableFunc(out, func(a, b string) int {
		return strings.Index(strings.ToLower(a), typed) - strings.Index(strings.ToLower(b), typed)
	})
	return out
}

// context is what the fields say; it may be none.
func (p *place) context() vault.Context {
	value := func(i int) string { return strings.TrimSpace(p.fields[i].Value()) }
	return vault.Context{Workspace: value(0), Group: value(1), Consumer: value(2)}
}

// actions are those while it is edited.
func (p *place) actions() []action.Bound {
	return []action.Bound{
		{ID: action.Next, Run: func() tea.Cmd { return p.move(1) }},
		{ID: action.Prev, Hidden: true, Run: func() tea.Cmd { return p.move(-1) }},
		{ID: action.Cancel, Short: "done", Run: p.leave},
	}
}

// move goes to another field, and takes what is suggested where the cursor is on
// it.
func (p *place) move(by int) tea.Cmd {
	if cmd, stays := p.fields[p.at].Step(by < 0); stays {
		return cmd
	}
	p.at = (p.at + by + len(p.fields)) % len(p.fields)
	return nil
}

// leave closes what is suggested, or ends the editing.
func (p *place) leave() tea.Cmd {
	if !p.fields[p.at].Escape() {
		p.open = false
	}
	return nil
}

// key edits. Enter goes on, and ends it after the last field.
func (p *place) key(k tea.KeyMsg) tea.Cmd {
	cmd, taken := p.fields[p.at].Key(k)
	if taken || k.Paste {
		return cmd
	}
	switch k.String() {
	case "enter":
		if p.at == len(p.fields)-1 {
			p.open = false
			return cmd
		}
		return p.move(1)
	case "down":
		return p.move(1)
	case "up":
		return p.move(-1)
	}
	return cmd
}

// say is the field with the cursor.
func (p *place) say() string {
	f := p.fields[p.at]
	s := f.Label() + " of the context, " + f.Say()
	if p.wrong != "" {
		s += ", wrong: " + p.wrong
	}
	return s + ", field " + text.Number(p.at+1) + " of " + text.Number(len(p.fields))
}

// labelWidth is that of the labels of the page, in cells.
const labelWidth = 12

// view is the context in a line, or while it is edited the fields, in at most h
// lines of w cells; where there is no room for all of them, the one with the
// cursor.
func (p *place) view(w, h int) []string {
	th := p.host.Theme
	if !p.open {
		return []string{th.Dim.Render(text.Pad("from", labelWidth)) + th.Text.Render(text.Cut(contextName(p.context()), max(w-labelWidth, 0)))}
	}
	var out []string
	for i, f := range p.fields {
		lead, style := "  ", th.Dim
		if i == p.at {
			lead, style = th.Cursor0+" ", th.Strong
		}
		for y, s := range f.View(max(min(w-labelWidth-2, 48), 1), i == p.at) {
			label := strings.Repeat(" ", labelWidth)
			if y == 0 {
				label = style.Render(text.Fit(lead+f.Label(), labelWidth))
			}
			if i == p.at || h > 2*len(p.fields) {
				out = append(out, label+s)
			}
		}
	}
	if p.wrong != "" {
		out = append(out[:min(len(out), max(h-1, 1))], th.Bad.Render(text.Cut(th.Fail+" "+p.wrong, w)))
	}
	return out[:min(len(out), h)]
}

// contextName names a context for people.
func contextName(c vault.Context) string {
	s := "outside every workspace"
	switch {
	case c.Group != "":
		s = c.Workspace + "/" + c.Group
	case c.Workspace != "":
		s = "workspace " + c.Workspace
	}
	if c.Consumer != "" {
		return s + ", consumer " + c.Consumer
	}
	return s + ", any consumer"
}

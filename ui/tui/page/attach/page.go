// Package attach is the page by which secrets are shared with groups: one
// checklist, of the groups for some secrets, or of the secrets for a group. What
// is checked differently is applied all at once, and before that a preview says
// what it does to calls.
package attach

import (
	"context"

	tea "github.com/charmbracelet/bubbletea"

	"aivault/keys/fault"
	// It puts back the TERM that the guard hides from bubbletea's init.
	_ "aivault/ui/guard/release"
	"aivault/ui/tui/action"
	"aivault/ui/tui/form"
	"aivault/ui/tui/ops"
	"aivault/ui/tui/task"
	"aivault/ui/tui/text"
	"aivault/ui/tui/view"
	"aivault/ui/tui/widget"
	"aivault/vault"
)

// A Page is the checklist with its preview.
type Page struct {
	host  *view.Host
	tasks *task.Group
	ask   view.OpenAttach

	sheet  *sheet // what was read; nil: nothing yet
	failed string // why nothing was
	behind bool   // it was read again since, and the list stayed as it was
	stale  bool   // somebody else changed what there are changes to

	list    *form.Checklist
	preview *preview
	panes   *widget.Panes
	rects   []widget.Rect
	saving  bool
	closed  bool
}

// The panes.
const (
	listPane = iota
	previewPane
)

// New returns the page that a message asks for.
func New(host *view.Host, ask view.OpenAttach) view.Screen {
	p := &Page{host: host, tasks: host.Tasks.Group(), ask: ask, preview: newPreview(host)}
	p.list = p.newList()
	p.panes = widget.NewPanes("Attach", "What changes")
	p.panes.Weights = []int{11, 9}
	p.panes.Max = []int{96, 0}
	return p
}

// toGroup reports whether the page is about a group, not about secrets.
func (p *Page) toGroup() bool { return len(p.ask.Secrets) == 0 }

func (p *Page) newList() *form.Checklist {
	l := form.NewChecklist(p.host.Theme, form.Words{
		Was: "attached", Add: "will be attached", Remove: "will be detached", Some: "attached in part",
	})
	l.OnChange = func() tea.Cmd { return p.look(rest) }
	l.Empty = "no secret is stored yet; aivault secrets create --name NAME stores one"
	if !p.toGroup() {
		l.Free = p.newGroup
		l.Empty = "there is no group yet; press / and type one, such as web-shop/payments"
	}
	return l
}

// Title names what is attached, or what to.
func (p *Page) Title() string {
	switch {
	case p.toGroup():
		return "Attach to " + p.ask.Group.String()
	case p.sheet != nil && len(p.sheet.secrets) == 1:
		return "Attach " + p.sheet.secrets[0].Name
	}
	return "Attach " + text.Plural(len(p.ask.Secrets), "secret")
}

// Load reads the secrets and the groups. While there are changes here, the list
// stays what they were made to: it is only looked whether that is still so.
func (p *Page) Load() tea.Cmd {
	be, ask := p.host.Backend, p.ask
	return task.Go(p.tasks, "load", func(ctx context.Context) (*sheet, error) {
		return read(ctx, be, ask)
	}, func(s *sheet, err error) tea.Cmd {
		switch {
		case err != nil:
			p.failed = err.Error()
			return view.Fail("reading what can be attached", err, p.Load)
		case p.sheet != nil && (p.list.Dirty() || p.saving):
			p.behind, p.stale = true, s.outdates(p.changes())
			return p.look(0)
		}
		p.show(s)
		return nil
	})
}

// show shows what was read.
func (p *Page) show(s *sheet) {
	p.sheet, p.failed, p.behind, p.stale = s, "", false, false
	p.list.SetItems(s.items)
	p.preview.none()
}

// changes are what was checked differently than it was read.
func (p *Page) changes() []vault.Sharing {
	if p.sheet == nil {
		return nil
	}
	on, off := p.list.Changes()
	return p.sheet.changes(p.ask, on, off)
}

// apply makes the changes, or the new group under the cursor.
func (p *Page) apply() tea.Cmd {
	if p.list.Offers() {
		return p.listKey(tea.KeyMsg{Type: tea.KeyEnter})
	}
	return p.save(p.changes())
}

func (p *Page) save(changes []vault.Sharing) tea.Cmd {
	if p.saving || p.closed {
		return nil
	}
	p.saving = true
	be, what := p.host.Backend, "attaching and detaching"
	return task.Write(p.tasks, what, func(ctx context.Context) (ops.Done, error) {
		d, _, err := ops.Share(ctx, be, changes...)
		return d, err
	}, func(d ops.Done, err error) tea.Cmd {
		p.saving = false
		switch {
		case fault.CodeOf(err) == fault.Conflict && !p.closed:
			return p.conflict(changes)
		case err != nil:
			return view.Fail(what, err, func() tea.Cmd { return p.save(changes) })
		}
		p.closed = true // nothing here is worth a question any more
		return tea.Batch(view.Close(p), view.Finish(d))
	})
}

// conflict asks what to do where somebody else changed one of the secrets.
func (p *Page) conflict(changes []vault.Sharing) tea.Cmd {
	p.stale = true
	return view.Dialog(form.NewChoose(p.host, "Changed meanwhile",
		"Somebody else changed a secret since it was read here. Nothing was applied yet.",
		form.Button{Label: "Reload: drop my changes", Do: func() tea.Cmd {
			key, _ := p.list.Selected()
			p.list, p.stale = p.newList(), false
			if p.sheet != nil {
				p.show(p.sheet)
			}
			p.list.Select(key)
			return p.Load()
		}},
		form.Button{Label: "Overwrite: apply them to it as it is now", Do: func() tea.Cmd {
			for i := range changes {
				changes[i].Revision = 0
			}
			return p.save(changes)
		}},
		form.Button{Label: "Cancel"}))
}

// Close ends what is under way, but for changes that are being made.
func (p *Page) Close() {
	p.closed = true
	p.tasks.Close()
}

// Dirty reports whether there are changes that were not applied.
func (p *Page) Dirty() bool { return !p.closed && p.list.Dirty() }

// Captures reports whether a filter is typed.
func (p *Page) Captures() bool { return p.list.Captures() }

// Actions are checking, applying and finding.
func (p *Page) Actions() []action.Bound {
	all := action.Bound{ID: action.Cancel, Short: "show all", Run: func() tea.Cmd { p.list.Escape(); return nil }}
	if p.list.Captures() { // enter and space are the filter's
		return []action.Bound{all}
	}
	out := []action.Bound{
		{ID: action.Check, Off: p.cannotCheck(), Run: func() tea.Cmd { return p.listKey(tea.KeyMsg{Type: tea.KeySpace, Runes: []rune{' '}}) }},
		{ID: action.Share, Off: p.cannotApply(), Run: p.apply},
		{ID: action.Filter, Run: p.filter},
		{ID: action.NextPane, Short: "preview", Run: func() tea.Cmd { p.panes.Next(); return nil }},
		{ID: action.PrevPane, Hidden: true, Run: func() tea.Cmd { p.panes.Prev(); return nil }},
		{ID: action.Zoom, Hidden: true, Run: func() tea.Cmd { p.panes.Zoom(); return nil }},
	}
	if p.panes.Focus() == previewPane {
		out[3].Short = "list"
	}
	switch {
	case p.list.Filtered():
		return append(out, all)
	case p.panes.Zoomed():
		out = append(out, action.Bound{ID: action.Cancel, Short: "unzoom", Run: func() tea.Cmd { p.panes.Back(); return nil }})
	}
	return out
}

func (p *Page) filter() tea.Cmd {
	p.panes.SetFocus(listPane)
	return p.list.Filter()
}

// cannotCheck says why no row can be checked.
func (p *Page) cannotCheck() string {
	switch {
	case p.sheet == nil:
		return "it is still being read"
	case p.panes.Focus() != listPane:
		return "go back to the list first: tab"
	case p.list.Len() == 0 && !p.list.Offers():
		return "there is nothing to check"
	case p.saving:
		return "the changes are being made"
	}
	return ""
}

// cannotApply says why there is nothing to apply.
func (p *Page) cannotApply() string {
	switch {
	case p.saving:
		return "the changes are being made"
	case !p.list.Dirty() && !p.list.Offers():
		return "nothing is changed yet: space attaches or detaches"
	}
	return ""
}

// Key moves, and types the filter.
func (p *Page) Key(k tea.KeyMsg) tea.Cmd {
	if p.panes.Focus() == previewPane && !p.list.Captures() {
		p.preview.viewer.KeyMsg(k)
		return nil
	}
	return p.listKey(k)
}

func (p *Page) listKey(k tea.KeyMsg) tea.Cmd {
	if p.saving || p.sheet == nil {
		return nil
	}
	cmd, _ := p.list.Key(k)
	return cmd
}

// Mouse gives the pane that was clicked the focus, and the click.
func (p *Page) Mouse(m tea.MouseMsg) tea.Cmd {
	for i, r := range p.rects {
		x, y := m.X-r.X, m.Y-r.Y
		if x < 0 || y < 0 || x >= r.W || y >= r.H {
			continue
		}
		if m.Action == tea.MouseActionPress && m.Button == tea.MouseButtonLeft {
			p.panes.SetFocus(i)
		}
		if i == previewPane {
			p.preview.viewer.Mouse(x, y, m)
		} else if !p.saving && p.sheet != nil {
			return p.list.Mouse(x, y, m)
		}
	}
	return nil
}

// Say is the row under the cursor, and what is about to change.
func (p *Page) Say() string {
	switch {
	case p.sheet == nil && p.failed != "":
		return "could not be read; R reads it again"
	case p.sheet == nil:
		return "being read"
	case p.panes.Focus() == previewPane:
		return "what changes, " + p.preview.viewer.Say()
	}
	s := p.list.Say()
	if n := len(p.changes()); n > 0 {
		s += ", " + text.Plural(n, "change") + " to apply"
	}
	return s
}

// Package attach is the page by which secrets are shared with groups: one
// checklist, of the groups for some secrets, or of the secrets for a group. What
// is checked differently is applied all at once, and before that a preview says
// what it does to calls.
package attach

import (
	"context"
	"slices"

	tea "github.com/charmbracelet/bubbletea"

	"aivault/keys/fault"
	// It puts back the TERM that the guard hides from bubbletea's init.
	_ "aivault/ui/guard/release"
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
	pending []vault.Sharing // what is checked differently than it was read
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
			p.behind, p.stale = true, s.outdates(p.pending)
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
	p.weigh()
	p.preview.none()
}

// weigh notes what is checked differently than it was read.
func (p *Page) weigh() {
	p.pending = nil
	if p.sheet != nil {
		on, off := p.list.Changes()
		p.pending = p.sheet.changes(p.ask, on, off)
	}
}

// apply makes the changes, or the new group under the cursor.
func (p *Page) apply() tea.Cmd {
	if p.list.Offers() {
		return p.listKey(tea.KeyMsg{Type: tea.KeyEnter})
	}
	return p.save(slices.Clone(p.pending))
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
		"Somebody else changed a secret since it was read here. Nothing was applied yet. "+
			"Reload drops your changes and shows what is there now; overwrite applies them to it as it is now.",
		form.Button{Label: "Reload", Do: func() tea.Cmd {
			key, _ := p.list.Selected()
			p.list, p.stale = p.newList(), false
			if p.sheet != nil {
				p.show(p.sheet)
			}
			p.list.Select(key)
			return p.Load()
		}},
		form.Button{Label: "Overwrite", Do: func() tea.Cmd {
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

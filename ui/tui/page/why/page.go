// Package why is the page that tells which secret a call would use, and why:
// everything that was looked at, from the narrowest scope to the widest, the one
// that is taken, and what kept the others from it. The context can be changed in
// place. Of a secret it tells what its name means there, and for each capability
// that it serves whether a call would use it.
package why

import (
	"context"

	tea "github.com/charmbracelet/bubbletea"

	"aivault/broker"
	// It puts back the TERM that the guard hides from bubbletea's init.
	_ "aivault/ui/guard/release"
	"aivault/ui/tui/action"
	"aivault/ui/tui/ops"
	"aivault/ui/tui/task"
	"aivault/ui/tui/text"
	"aivault/ui/tui/view"
	"aivault/ui/tui/widget"
	"aivault/vault"
)

// A Page is the explanation.
type Page struct {
	host  *view.Host
	tasks *task.Group

	asked  question
	facts  *facts // the answer; nil: there is none yet
	failed string // why there is none
	picked bool   // it was asked once what the page is about

	place  *place
	list   *widget.List // of capabilities, where the page is about a secret
	ladder *ladder
	panes  *widget.Panes
	rects  []widget.Rect
}

// The panes.
const (
	listPane = iota
	ladderPane
)

// New returns the page that a message asks for.
func New(host *view.Host, ask view.OpenWhy) view.Screen {
	p := &Page{
		host: host, tasks: host.Tasks.Group(), ladder: &ladder{th: host.Theme},
		asked: question{capability: ask.Capability, secret: ask.Secret, context: ask.Context},
	}
	if ask.Capability != "" {
		p.asked.secret = vault.ID{}
	}
	p.place = newPlace(host, ask.Context, func() *facts { return p.facts }, p.moved)
	p.list = widget.NewList(host.Theme, widget.Column{Title: "CAPABILITY", Min: 14, Grow: true}, widget.Column{Title: "USES HERE", Min: 10, Max: 24})
	p.list.Header = true
	p.list.Empty = []string{
		"no credential and no binding uses this secret yet", "",
		"make one: aivault credential create, or b on a capability",
	}
	p.panes = widget.NewPanes("Capabilities", "Ladder")
	p.panes.Weights = []int{1, 1}
	p.panes.Max = []int{52, 0}
	if !p.asked.ofSecret() {
		p.panes.SetFocus(ladderPane)
	}
	return p
}

// Title names what is explained.
func (p *Page) Title() string {
	switch {
	case p.asked.capability != "":
		return "Why " + p.asked.capability
	case p.facts != nil && p.asked.ofSecret():
		return "Why " + p.facts.secret.Name
	}
	return "Why"
}

// Load finds the answer. Where it is not known what the page is about, that is
// asked first.
func (p *Page) Load() tea.Cmd {
	if p.asked.open() {
		if p.picked {
			return nil
		}
		p.picked = true
		return p.pick()
	}
	be, q := p.host.Backend, p.asked
	return task.Go(p.tasks, "load", func(ctx context.Context) (*facts, error) {
		return read(ctx, be, q)
	}, func(f *facts, err error) tea.Cmd {
		if err != nil {
			p.facts, p.failed = nil, err.Error()
			p.ladder.set(nil)
			p.list.SetRows(0, nil, nil)
			return view.Fail("explaining what is used", err, p.Load)
		}
		p.facts, p.failed = f, ""
		p.list.SetRows(len(f.caps), func(i int) string { return f.caps[i] }, func(i int) widget.Row { return p.row(f, f.caps[i]) })
		return p.climb()
	})
}

// row is a capability, and what a call of it uses here.
func (p *Page) row(f *facts, id string) widget.Row {
	th := p.host.Theme
	words, this, none := f.serves(id)
	use := widget.Cell{Text: words, Style: th.Text}
	switch {
	case this:
		use = widget.Cell{Text: th.OK + " " + words, Style: th.Good}
	case none:
		use.Style = th.Warn
	}
	return widget.Row{Cells: []widget.Cell{{Text: id, Style: th.Text}, use}}
}

// capability is the one whose ladder shows; empty: none.
func (p *Page) capability() string {
	switch {
	case p.asked.capability != "":
		return p.asked.capability
	case p.facts == nil:
		return ""
	}
	return p.list.Key()
}

// climb shows the ladder of the capability, and names the command line that
// does.
func (p *Page) climb() tea.Cmd {
	id := p.capability()
	var l *broker.Ladder
	if p.facts != nil {
		l = p.facts.ladders[id]
	}
	p.ladder.set(l)
	p.panes.Name(ladderPane, "Ladder")
	if id != "" {
		p.panes.Name(ladderPane, id)
	}
	if l == nil {
		return nil
	}
	return view.Send(view.LineMsg{Line: ops.ExplainLine(id, l.Context, "")})
}

// moved looks from another context, once what is typed is one.
func (p *Page) moved() tea.Cmd {
	c := p.place.context()
	p.place.wrong = ""
	if err := c.Validate(); err != nil {
		p.tasks.Cancel("load")
		p.place.wrong = err.Error()
		return nil
	}
	p.asked.context = c
	return p.Load()
}

// Close ends what is under way.
func (p *Page) Close() { p.tasks.Close() }

// Captures reports whether the context is edited.
func (p *Page) Captures() bool { return p.place.open }

// Actions are looking from elsewhere, and going to what is seen.
func (p *Page) Actions() []action.Bound {
	if p.place.open {
		return p.place.actions()
	}
	none := ""
	if p.capability() == "" {
		none = "choose a capability first: p"
	}
	out := []action.Bound{
		p.enter(),
		{ID: action.EditContext, Run: func() tea.Cmd { p.place.open = true; return nil }},
		{ID: action.RunTest, Off: none, Run: func() tea.Cmd {
			return view.Send(view.OpenTest{Capability: p.capability(), Context: p.asked.context})
		}},
		{ID: action.PickCapability, Run: p.pick},
		{ID: action.Log, Off: none, Run: func() tea.Cmd {
			return view.Send(view.ShowAudit{Query: vault.AuditQuery{Capability: p.capability()}})
		}},
	}
	if p.asked.ofSecret() {
		out = append(out,
			action.Bound{ID: action.NextPane, Run: func() tea.Cmd { p.panes.Next(); return nil }},
			action.Bound{ID: action.PrevPane, Hidden: true, Run: func() tea.Cmd { p.panes.Prev(); return nil }},
			action.Bound{ID: action.Zoom, Hidden: true, Run: func() tea.Cmd { p.panes.Zoom(); return nil }})
		if p.panes.Zoomed() || p.panes.Focus() == ladderPane {
			out = append(out, action.Bound{ID: action.Cancel, Short: "capabilities", Run: func() tea.Cmd {
				p.panes.Back()
				return nil
			}})
		}
	}
	return out
}

// enter goes to the ladder, or to the secret of the rung under the cursor.
func (p *Page) enter() action.Bound {
	if p.asked.ofSecret() && p.panes.Focus() == listPane {
		b := action.Bound{ID: action.Open, Short: "ladder", Run: func() tea.Cmd { p.panes.Open(); return nil }}
		if p.list.Len() == 0 {
			b.Off = "the secret serves no capability"
		}
		return b
	}
	r := p.ladder.rung()
	b := action.Bound{ID: action.Open, Short: "secret"}
	switch {
	case p.asked.open():
		b.Short, b.Run = "capability", p.pick
	case r == nil || r.Secret == vault.ID{}:
		b.Off = "there is no secret here to go to"
	default:
		id := r.Secret
		b.Run = func() tea.Cmd { return view.Send(view.ShowSecret{ID: id}) }
	}
	return b
}

// Key edits the context, or moves.
func (p *Page) Key(k tea.KeyMsg) tea.Cmd {
	switch {
	case p.place.open:
		return p.place.key(k)
	case p.panes.Focus() == ladderPane:
		p.ladder.key(k)
	case p.list.KeyMsg(k):
		return p.climb()
	}
	return nil
}

// Mouse selects what is clicked.
func (p *Page) Mouse(m tea.MouseMsg) tea.Cmd {
	for i, r := range p.rects {
		x, y := m.X-r.X, m.Y-r.Y
		if x < 0 || y < 0 || x >= r.W || y >= r.H {
			continue
		}
		if m.Action == tea.MouseActionPress && m.Button == tea.MouseButtonLeft {
			p.place.open = false
			p.panes.SetFocus(i)
		}
		if i == ladderPane {
			p.ladder.mouse(y, m)
		} else if p.list.Mouse(x, y, m) {
			return p.climb()
		}
	}
	return nil
}

// Say is the field, the capability or the rung under the cursor.
func (p *Page) Say() string {
	switch {
	case p.place.open:
		return p.place.say()
	case p.asked.open():
		return "no capability is chosen; enter chooses one"
	case p.failed != "":
		return "could not be read; R reads it again"
	case p.facts == nil:
		return "being read"
	case p.panes.Focus() == listPane && p.list.Len() > 0:
		words, _, _ := p.facts.serves(p.list.Key())
		return text.Line(p.list.Key()) + ", uses " + text.Line(words) + " here, " + p.list.Say()
	case p.panes.Focus() == listPane:
		return "no capability, nothing uses this secret yet"
	}
	return p.ladder.say()
}

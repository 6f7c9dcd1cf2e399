package why

import (
	"github.com/charmbracelet/lipgloss"

	"aivault/ui/tui/ops"
	"aivault/ui/tui/text"
	"aivault/ui/tui/widget"
)

// Sizes, in cells.
const (
	framed     = 13 // lines from which on there is room for frames
	mostSaying = 4  // lines of the sentence about what is used
	widest     = 120
)

// View returns the question, the ladder below it, and the answer in a sentence.
func (p *Page) View(w, h int) []string {
	th := p.host.Theme
	head := p.head(w, max(h/2, 1))
	if p.asked.open() {
		return fit(append(head, "", th.Dim.Render(text.Cut("no capability is chosen yet; enter chooses one", w))), w, h)
	}
	most := mostSaying
	if h < framed {
		most = 2
	}
	saying := p.saying(min(w, widest), most)
	room := max(h-len(head)-len(saying), 0)
	body := p.body(w, room, len(head))
	return fit(append(append(head, body...), saying...), w, h)
}

// fit makes exactly h lines of w cells.
func fit(lines []string, w, h int) []string {
	out := make([]string, h)
	for i := range out {
		if i < len(lines) {
			out[i] = lines[i]
		}
		out[i] = widget.Clip(out[i], w)
	}
	return out
}

// head says what is asked: of what, and from where.
func (p *Page) head(w, h int) []string {
	th := p.host.Theme
	row := func(label, value string, style lipgloss.Style) string {
		return th.Dim.Render(text.Pad(label, labelWidth)) + style.Render(text.Cut(value, max(w-labelWidth, 0)))
	}
	var out []string
	switch {
	case p.asked.capability != "":
		out = append(out, row("capability", p.asked.capability, th.Strong))
	case p.asked.ofSecret() && p.facts != nil:
		s := p.facts.secret
		about := s.Name + ", of " + ops.Place(s.Scope) + ", id " + s.ID.String()[:8]
		if s.PinnedProvider != "" {
			about += ", pinned to " + s.PinnedProvider
		}
		out = append(out, row("secret", about, th.Strong))
	}
	if p.place.open && h < 4 {
		out = nil // what is edited comes first
	}
	out = append(out, p.place.view(w, max(h-len(out), 1))...)
	if p.asked.ofSecret() && p.facts != nil && len(out) < h && !p.place.open {
		out = append(out, row("", p.facts.meaning(), th.Text))
	}
	return out
}

// body is the ladder, beside the capabilities where the page is about a secret.
func (p *Page) body(w, h, y int) []string {
	th := p.host.Theme
	if !p.asked.ofSecret() {
		if h < framed-4 {
			p.rects = []widget.Rect{{}, {Y: y + 1, W: w, H: h - 1}}
			return append([]string{th.Head.Render(text.Cut("Ladder", w))}, p.pane(ladderPane, w, max(h-1, 0))...)
		}
		r := widget.Rect{Y: y, W: min(w, widest), H: h}
		iw, ih := r.Inner()
		p.rects = []widget.Rect{{}, {X: 1, Y: y + 1, W: iw, H: ih}}
		return widget.Box(th, "Ladder", p.note(ladderPane), !p.place.open, r.W, h, p.pane(ladderPane, iw, ih))
	}
	p.rects = p.panes.Layout(w, h)
	var boxes [][]string
	for i := range p.rects {
		r := &p.rects[i]
		if r.W == 0 {
			continue
		}
		iw, ih := r.Inner()
		title := p.paneTitle(i)
		boxes = append(boxes, widget.Box(th, title, p.note(i), i == p.panes.Focus() && !p.place.open, r.W, r.H, p.pane(i, iw, ih)))
		*r = widget.Rect{X: r.X + 1, Y: y + 1, W: iw, H: ih}
	}
	return widget.Join(boxes...)
}

// paneTitle names a pane, and the way to it where it is the only one.
func (p *Page) paneTitle(i int) string {
	if crumb := p.panes.Crumb(); crumb != "" {
		return crumb
	}
	if id := p.capability(); i == ladderPane && id != "" {
		return id
	}
	if i == ladderPane {
		return "Ladder"
	}
	return "Capabilities"
}

func (p *Page) note(i int) string {
	switch {
	case p.facts == nil:
		return ""
	case i == ladderPane && len(p.ladder.rungs) > 0:
		return text.Plural(len(p.ladder.rungs), "rung")
	case i == listPane:
		return text.Number(p.list.Len())
	}
	return ""
}

func (p *Page) pane(i, w, h int) []string {
	th := p.host.Theme
	switch {
	case p.failed != "":
		return fit([]string{th.Bad.Render(text.Cut(th.Fail+" could not be read: "+p.failed, w))}, w, h)
	case p.facts == nil:
		line := ""
		if since, ok := p.tasks.Busy("load"); ok {
			line = widget.Waiting(th, "looking what would be used", since, p.host.Now())
		}
		return fit([]string{line}, w, h)
	case i == listPane:
		return p.list.View(w, h, p.panes.Focus() == listPane && !p.place.open)
	}
	return p.ladder.view(w, h, p.panes.Focus() == ladderPane && !p.place.open)
}

// saying is the answer in a sentence, in at most so many lines.
func (p *Page) saying(w, most int) []string {
	th := p.host.Theme
	if p.ladder.of == nil {
		return nil
	}
	s, used := verdict(p.ladder.of)
	glyph, style := th.OK, th.Good
	if !used {
		glyph, style = th.Alert, th.Warn
	}
	var out []string
	lines := text.Wrap(s, max(w-2, 1))
	for i, line := range lines {
		if i == most-1 && len(lines) > most {
			line = text.Fit(line, max(w-3, 1)) + th.Ellipsis
		}
		if i == most {
			break
		}
		lead := "  "
		if i == 0 {
			lead = glyph + " "
		}
		out = append(out, style.Render(lead+line))
	}
	return out
}

package why

import (
	"strings"

	"github.com/charmbracelet/lipgloss"

	"aivault/ui/tui/ops"
	"aivault/ui/tui/text"
	"aivault/ui/tui/theme"
	"aivault/ui/tui/widget"
)

// Sizes, in cells.
const (
	framed     = 13 // lines from which on there is room for frames
	mostSaying = 4  // lines of the sentence about what is used
	widest     = 120
	widestTwo  = 160
)

// View returns the question, the ladder below it, and the answer in a sentence.
func (p *Page) View(w, h int) []string {
	th := p.host.Theme
	small := h < framed
	head, most := p.head(w, max(h/2, 1), small), mostSaying
	if small {
		most = 1
	}
	if p.asked.open() {
		return fit(append(head, "", th.Dim.Render(text.Cut("no capability is chosen yet; enter chooses one", w))), w, h)
	}
	saying := p.saying(min(w, widest), most)
	body := p.body(w, max(h-len(head)-len(saying), 0), len(head), small)
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
func (p *Page) head(w, h int, small bool) []string {
	th := p.host.Theme
	what, name, about := "", "", ""
	switch {
	case p.asked.capability != "":
		what, name = "capability", p.asked.capability
	case p.asked.ofSecret() && p.facts != nil:
		s := p.facts.secret
		what, name, about = "secret", s.Name, ", of "+ops.Place(s.Scope)+", id "+s.ID.String()[:8]
		if s.PinnedProvider != "" {
			about += ", pinned to " + s.PinnedProvider
		}
	}
	switch {
	case small && p.place.open:
		return p.place.view(w, h) // what is edited comes first
	case small:
		from := " from " + contextName(p.asked.context)
		return []string{th.Strong.Render(text.Cut(name, w)) + th.Text.Render(text.Cut(from, max(w-text.Width(text.Line(name)), 0)))}
	}
	var out []string
	if what != "" {
		out = row(th, what, name+about, th.Strong, w)[:1]
	}
	out = append(out, p.place.view(w, max(h-len(out), 1))...)
	if p.asked.ofSecret() && p.facts != nil && !p.place.open {
		out = append(out, row(th, "", p.facts.meaning(), th.Text, w)...)
	}
	return out
}

// row is a label with a text in lines of at most w cells.
func row(th *theme.Theme, label, s string, style lipgloss.Style, w int) []string {
	lines := text.Wrap(s, max(w-labelWidth, 1))
	for i, line := range lines {
		lines[i] = th.Dim.Render(text.Pad(label, labelWidth)) + style.Render(line)
		label = ""
	}
	return lines
}

// body is the ladder, beside the capabilities where the page is about a secret.
func (p *Page) body(w, h, y int, small bool) []string {
	p.rects = []widget.Rect{{}, {W: min(w, widest), H: h}}
	if p.asked.ofSecret() {
		p.rects = p.panes.Layout(min(w, widestTwo), h)
	}
	var boxes [][]string
	for i := range p.rects {
		r := &p.rects[i]
		if r.W == 0 {
			continue
		}
		if small {
			boxes = append(boxes, p.bare(i, r.W, h))
			*r = widget.Rect{X: r.X, Y: y + 1, W: r.W, H: max(h-1, 0)}
			continue
		}
		iw, ih := r.Inner()
		focused := i == p.panes.Focus() && !p.place.open
		boxes = append(boxes, widget.Box(p.host.Theme, p.paneTitle(i), p.note(i), focused, r.W, r.H, p.pane(i, iw, ih)))
		*r = widget.Rect{X: r.X + 1, Y: y + 1, W: iw, H: ih}
	}
	return widget.Join(boxes...)
}

// bare is a pane without a frame, for which there is no room.
func (p *Page) bare(i, w, h int) []string {
	th := p.host.Theme
	lead, style := "  ", th.Head
	if i == p.panes.Focus() && !p.place.open {
		lead, style = th.Cursor0+" ", th.Accent
	}
	title := widget.Clip(style.Render(text.Cut(lead+p.paneTitle(i), w)), w)
	return append([]string{title}, p.pane(i, w, max(h-1, 0))...)[:max(h, 0)]
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
	lines := text.Wrap(s, max(w-2, 1))
	if len(lines) > most {
		lines = append(lines[:most-1], text.Cut(strings.Join(lines[most-1:], " "), max(w-2, 1)))
	}
	for i, line := range lines {
		lead := "  "
		if i == 0 {
			lead = glyph + " "
		}
		lines[i] = style.Render(lead + line)
	}
	return lines
}

package gate

import (
	"strings"

	"github.com/charmbracelet/lipgloss"

	"aivault/ui/tui/text"
	"aivault/ui/tui/widget"
)

const (
	cardWidth = 72 // of a card with its frame, in cells, at the most
	inset     = 2  // cells between the frame and the text
	// roomy is the height from which on a card has a frame.
	roomy = 14
)

// Title says what is the matter, for the line at the top.
func (g *Gate) Title() string { return g.card().head }

// View draws the card in the middle. Where there is little room, the frame and
// the empty lines go; what can be done stays.
func (g *Gate) View(w, h int) []string {
	width := max(min(cardWidth, w-2), 1)
	framed := h >= roomy && width > 4*inset
	var card []string
	if framed {
		card = g.framed(width, h)
	}
	if card == nil {
		card = g.bare(width, h)
	}
	out := make([]string, 0, h)
	left := strings.Repeat(" ", max(w-width, 0)/2)
	for range max(h-len(card), 0) / 3 {
		out = append(out, "")
	}
	for _, line := range card {
		out = append(out, left+line)
	}
	for len(out) < h {
		out = append(out, "")
	}
	for i := range out[:h] {
		out[i] = widget.Clip(out[i], w)
	}
	return out[:h]
}

// framed returns the card in a frame, nil if it does not fit.
func (g *Gate) framed(w, h int) []string {
	top, end := g.lines(w - 2 - 2*inset)
	body := append(append([]string{""}, top...), "")
	body = append(append(body, end...), "")
	if len(body)+2 > h {
		return nil
	}
	for i := range body {
		body[i] = strings.Repeat(" ", inset) + body[i]
	}
	return widget.Box(g.host.Theme, "", "", false, w, len(body)+2, body)
}

// bare returns the card without a frame, and without what does not fit in its
// middle.
func (g *Gate) bare(w, h int) []string {
	top, end := g.lines(w)
	if len(top)+1+len(end) <= h {
		return append(append(top, ""), end...)
	}
	top = solid(top)
	end = end[max(len(end)-max(h-1, 0), 0):]
	return append(top[:min(len(top), max(h-len(end), 0))], end...)
}

// solid leaves empty lines out.
func solid(lines []string) []string {
	var out []string
	for _, line := range lines {
		if line != "" {
			out = append(out, line)
		}
	}
	return out
}

// lines returns what the card says, and what can be done, in w cells.
func (g *Gate) lines(w int) (top, end []string) {
	th, c := g.host.Theme, g.card()
	paragraph := func(out []string, style lipgloss.Style, s string) []string {
		for _, line := range text.Wrap(s, w) {
			out = append(out, style.Render(line))
		}
		return out
	}
	head := th.Accent
	if c.bad {
		head, c.head = th.Bad.Bold(true), th.Fail+" "+c.head
	}
	top = paragraph(top, head, c.head)
	if s := g.waits(); s != "" {
		top = append(top, "", s)
	}
	for _, s := range c.say {
		top = paragraph(append(top, ""), th.Text, s)
	}
	if g.state == asking {
		top = append(top, "")
		top = append(top, g.field.View(w, true)...)
		if e := g.field.Error(); e != "" {
			top = paragraph(top, th.Bad, th.Fail+" "+e)
		}
	}
	for _, s := range c.next {
		end = paragraph(end, th.Text, th.Dot+" "+s)
	}
	if c.command != "" {
		end = paragraph(end, th.Dim, th.Dot+" on a command line: "+c.command)
	}
	return top, end
}

// waits shows that something is under way, and for how long.
func (g *Gate) waits() string {
	switch g.state {
	case looking, opening, creating:
		return widget.Waiting(g.host.Theme, "please wait", g.since, g.host.Now())
	case absent, stopped, asking, failed:
	}
	return ""
}

// Say says what the screen is about.
func (g *Gate) Say() string {
	if g.state == asking {
		s := g.status.Typed().String() + ", " + g.field.Say()
		if e := g.field.Error(); e != "" {
			s += ", wrong: " + text.Line(e)
		}
		return s
	}
	c := g.card()
	say := c.head
	if len(c.say) > 0 {
		say += ": " + text.Line(c.say[0])
	}
	return say
}

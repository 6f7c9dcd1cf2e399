package gate

import (
	"strings"

	"github.com/charmbracelet/lipgloss"

	"aivault/ui/tui/text"
	"aivault/ui/tui/widget"
)

// cardWidth is how wide the text of a card is at the most, in cells.
const cardWidth = 64

// Title says what is the matter, for the line at the top.
func (g *Gate) Title() string { return g.card().head }

// View draws the card in the middle.
func (g *Gate) View(w, h int) []string {
	width := min(cardWidth, w-4)
	lines := g.lines(width)
	out := make([]string, 0, h)
	left := strings.Repeat(" ", (w-width)/2)
	for range max(min((h-len(lines))/3, h-len(lines)), 0) {
		out = append(out, "")
	}
	for _, line := range lines {
		out = append(out, left+line)
	}
	for len(out) < h {
		out = append(out, "")
	}
	return out[:h]
}

// lines returns the card in w cells.
func (g *Gate) lines(w int) []string {
	th, c := g.host.Theme, g.card()
	var out []string
	add := func(style lipgloss.Style, s string) {
		for _, line := range text.Wrap(s, w) {
			out = append(out, style.Render(line))
		}
	}
	head := th.Accent
	if c.bad {
		head, c.head = th.Bad.Bold(true), th.Fail+" "+c.head
	}
	add(head, c.head)
	out = append(out, "")
	if s := widget.Waiting(th, "", g.since, g.host.Now()); s != "" && (g.state == looking || g.state == opening || g.state == creating) {
		out = append(out, s, "")
	}
	for _, s := range c.say {
		add(th.Text, s)
		out = append(out, "")
	}
	if g.state == asking {
		out = append(out, g.field.View(w, true)...)
		if e := g.field.Error(); e != "" {
			add(th.Bad, th.Fail+" "+e)
		}
		out = append(out, "")
	}
	for _, s := range c.next {
		add(th.Text, th.Dot+" "+s)
	}
	if c.command != "" {
		add(th.Dim, "on a command line: "+c.command)
	}
	return out
}

// Say says what the screen is about.
func (g *Gate) Say() string {
	if g.state == asking {
		return "passphrase, " + g.field.Say()
	}
	c := g.card()
	say := c.head
	if len(c.say) > 0 {
		say += ": " + c.say[0]
	}
	return say
}

// Package widget is what screens are made of: lists, trees, texts, panes and
// pickers. Widgets know nothing of vaults. Each is a struct with pointer
// methods for the event loop only; View returns exactly h lines of exactly w
// cells, for any w and h, and costs what is visible, not what there is: a list
// of 100,000 rows is drawn as fast as one of ten.
//
// What is given to a widget is text as people and upstreams wrote it; the
// display form of package text is made here, where it is drawn, together with
// the styles around it. Styled lines hold SGR sequences and no others.
package widget

import (
	"strings"
	"unicode/utf8"

	"github.com/charmbracelet/lipgloss"

	"aivault/ui/tui/text"
	"aivault/ui/tui/theme"
)

// An ink puts styles around display forms. lipgloss takes microseconds for each
// piece of text, and with underline for each rune; so it is asked once for each
// look, and what it puts before and after a text is kept.
type ink struct {
	th   *theme.Theme
	seen map[look]codes
}

// A look is what the theme's styles differ in.
type look struct {
	fg, bg                                          lipgloss.TerminalColor
	bold, faint, italic, underline, reverse, strike bool
}

// Codes begin and end a style.
type codes struct{ on, off string }

func newInk(th *theme.Theme) *ink { return &ink{th: th, seen: map[look]codes{}} }

func (k *ink) codes(s lipgloss.Style) codes {
	l := look{
		fg: s.GetForeground(), bg: s.GetBackground(), bold: s.GetBold(), faint: s.GetFaint(), italic: s.GetItalic(),
		underline: s.GetUnderline(), reverse: s.GetReverse(), strike: s.GetStrikethrough(),
	}
	if l == (look{fg: lipgloss.NoColor{}, bg: lipgloss.NoColor{}}) {
		return codes{}
	}
	c, ok := k.seen[l]
	if !ok {
		c.on, c.off, _ = strings.Cut(s.Render("x"), "x")
		k.seen[l] = c
	}
	return c
}

// put writes a display form in a style.
func (k *ink) put(b *strings.Builder, s lipgloss.Style, form string) {
	if form == "" {
		return
	}
	c := k.codes(s)
	b.WriteString(c.on)
	b.WriteString(form)
	b.WriteString(c.off)
}

// paint returns a display form in a style.
func (k *ink) paint(s lipgloss.Style, form string) string {
	var b strings.Builder
	k.put(&b, s, form)
	return b.String()
}

// line returns the display form of s in one line.
func (k *ink) line(s string) string { return k.plain(text.Line(s)) }

// plain makes a display form one that the terminal can draw. It is done before
// anything is measured, as a question mark is not as wide as what it stands for.
func (k *ink) plain(form string) string {
	if k.th.ASCII {
		return text.ASCII(form)
	}
	return form
}

// perCell is how many bytes of a text are looked at for each cell that there is
// room for: more than any text needs that is not made to waste time.
const perCell = 16

// enough returns how many bytes of s are looked at for w cells: runes without
// width would make a row of any length.
func enough(s string, w int) int {
	n := perCell * (max(w, 0) + 16)
	if n >= len(s) {
		return len(s)
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return n
}

// cut returns the display form of s in one line of at most w cells.
func (k *ink) cut(s string, w int) string {
	if n := enough(s, w); n < len(s) {
		s = s[:n] + text.Ellipsis
	}
	return k.trim(k.line(s), w)
}

// trim cuts a display form to at most w cells.
func (k *ink) trim(form string, w int) string {
	switch {
	case text.Width(form) <= w:
		return form
	case w <= 0:
		return ""
	}
	return text.Slice(form, 0, w-1) + k.th.Ellipsis
}

// blank is n spaces, none if n is negative.
func blank(n int) string { return strings.Repeat(" ", max(n, 0)) }

// empty is a view with nothing in it.
func empty(w, h int) []string {
	lines := make([]string, max(h, 0))
	for i := range lines {
		lines[i] = blank(w)
	}
	return lines
}

package widget

import (
	"strings"

	"github.com/charmbracelet/lipgloss"

	"aivault/ui/tui/text"
)

// A Span is text in one style.
type Span struct {
	Text  string
	Style lipgloss.Style
}

// Styled is a line of several styles.
type Styled []Span

// reset ends all styles.
const reset = "\x1b[0m"

// segment cuts the first piece off a styled line: an escape sequence, or the
// display form up to the next one.
func segment(s string) (piece, rest string, escape bool) {
	if s[0] != '\x1b' {
		if i := strings.IndexByte(s, '\x1b'); i > 0 {
			return s[:i], s[i:], false
		}
		return s, "", false
	}
	if i := strings.IndexByte(s, 'm'); i > 0 {
		return s[:i+1], s[i+1:], true
	}
	return s, "", true
}

// Width returns how many cells a styled line takes.
func Width(s string) int {
	n := 0
	for s != "" {
		piece, rest, escape := segment(s)
		if !escape {
			n += text.Width(piece)
		}
		s = rest
	}
	return n
}

// Clip returns a styled line cut, or filled up with spaces, to exactly w cells.
func Clip(s string, w int) string {
	n := Width(s)
	if n > w {
		s = Part(s, 0, w)
		n = Width(s)
	}
	if n == w {
		return s
	}
	return s + blank(w-n)
}

// Part returns the part of a styled line from cell x on, at most w cells, in
// the styles that it has there.
func Part(s string, x, w int) string {
	var b strings.Builder
	at, style := 0, "" // where we are; what began and has not ended
	pending := false   // style is not in b yet
	for s != "" && at < x+w {
		piece, rest, escape := segment(s)
		s = rest
		switch {
		case escape && (piece == reset || piece == "\x1b[m"):
			if style != "" && !pending {
				b.WriteString(reset)
			}
			style, pending = "", false
		case escape && at >= x && !pending:
			style += piece
			b.WriteString(piece)
		case escape:
			style, pending = style+piece, true
		default:
			n := text.Width(piece)
			if at+n > x {
				if pending {
					b.WriteString(style)
					pending = false
				}
				if at < x || at+n > x+w {
					piece = text.Slice(piece, max(x-at, 0), x+w-max(at, x))
				}
				b.WriteString(piece)
			}
			at += n
		}
	}
	if style != "" && !pending {
		b.WriteString(reset)
	}
	return b.String()
}

// Over draws the lines of top over those of base, its corner at cell x of line
// y. What does not fit is cut off.
func Over(base, top []string, x, y int) []string {
	out := append([]string(nil), base...)
	for i, line := range top {
		if y+i < 0 || y+i >= len(out) {
			continue
		}
		under := out[y+i]
		whole, w := Width(under), Width(line)
		if x < 0 {
			line = Part(line, -x, w)
		}
		left, right := max(x, 0), max(x+w, 0)
		out[y+i] = Part(Clip(Part(under, 0, left), left)+line+Part(under, right, whole), 0, whole)
	}
	return out
}

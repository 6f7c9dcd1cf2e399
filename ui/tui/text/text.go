// Package text is the only road of a string to the screen. What people named,
// what upstreams sent and what errors say may hold characters that drive a
// terminal, or that terminals disagree about; a frame in which one row is a
// cell wider than the program believes is a broken frame.
//
// So every function here first makes the display form of its input: controls
// and bidirectional marks as visible escapes, and of what terminals draw in
// different widths the part that they agree on (emoji without variation
// selectors, skin tones and joined followers). The width of a display form is
// the sum of the widths of its runes, as terminals count, in cells.
//
// Styles are put around results, never around inputs.
package text

import (
	"strings"
	"unicode/utf8"

	"github.com/mattn/go-runewidth"

	"aivault/ui/neutral"
)

// cond measures runes as terminals outside East Asia do.
func cond() *runewidth.Condition {
	return &runewidth.Condition{StrictEmojiNeutral: true}
}

// Ellipsis stands for what was cut off.
const Ellipsis = "…"

// Line returns the display form of s in one line: line breaks and tabs are
// escapes in it.
func Line(s string) string {
	s = form(neutral.Text(s))
	if strings.ContainsAny(s, "\n\t") {
		s = strings.NewReplacer("\n", `\n`, "\t", `\t`).Replace(s)
	}
	return s
}

// tabStop is how far apart tab stops are, in cells.
const tabStop = 4

// Lines returns the display form of a text of many lines, with tabs expanded.
// A line feed at its end ends the last line and begins none.
func Lines(s string) []string {
	s = strings.TrimSuffix(form(neutral.Text(s)), "\n")
	lines := strings.Split(s, "\n")
	for i, line := range lines {
		if strings.Contains(line, "\t") {
			lines[i] = untab(line)
		}
	}
	return lines
}

func untab(line string) string {
	var b strings.Builder
	col, c := 0, cond()
	for _, r := range line {
		if r != '\t' {
			b.WriteRune(r)
			col += c.RuneWidth(r)
			continue
		}
		n := tabStop - col%tabStop
		b.WriteString(strings.Repeat(" ", n))
		col += n
	}
	return b.String()
}

// Runes that terminals draw in widths of their own.
const (
	zwj        = '\u200d'
	vs15, vs16 = '\ufe0e', '\ufe0f'
	toneFirst  = '\U0001f3fb'
	toneLast   = '\U0001f3ff'
)

// form drops what terminals disagree about. Zero width joiners are escapes by
// now, unless an emoji is before them: then what they join goes, as a family
// shows as its first member.
func form(s string) string {
	plain := true
	for _, r := range s {
		if r == vs15 || r == vs16 || r >= toneFirst && r <= toneLast || r == '\\' {
			plain = false
			break
		}
	}
	if plain {
		return s
	}
	var b strings.Builder
	emoji := false // the rune before can be joined
	for i := 0; i < len(s); {
		if emoji {
			if n := joined(s[i:]); n > 0 {
				i += n
				continue
			}
		}
		r, n := rune(s[i]), 1
		if r >= 0x80 {
			for _, r = range s[i:] {
				break
			}
			n = len(string(r))
		}
		switch {
		case r == vs15 || r == vs16, emoji && r >= toneFirst && r <= toneLast:
		default:
			b.WriteString(s[i : i+n])
			emoji = isEmoji(r)
		}
		i += n
	}
	return b.String()
}

// escapedZWJ is a zero width joiner as neutral.Text leaves it.
const escapedZWJ = `\u200d`

// joined returns the length of a joiner with the emoji that it joins, at the
// beginning of s; 0 if there is none.
func joined(s string) int {
	rest, ok := strings.CutPrefix(s, escapedZWJ)
	if !ok {
		return 0
	}
	for i, r := range rest {
		if i == 0 && !isEmoji(r) {
			return 0
		}
		if i > 0 && r != vs16 && (r < toneFirst || r > toneLast) {
			return len(escapedZWJ) + i
		}
	}
	if rest == "" {
		return 0
	}
	return len(s)
}

// isEmoji reports whether r is one that others can be joined to.
func isEmoji(r rune) bool {
	return r >= 0x1f000 && r <= 0x1faff || r >= 0x2600 && r <= 0x27bf || r >= 0x2190 && r <= 0x21ff || r >= 0x2b00 && r <= 0x2bff
}

// Width returns how many cells a display form takes.
func Width(s string) int {
	if ascii(s) {
		return len(s)
	}
	n, c := 0, cond()
	for _, r := range s {
		n += c.RuneWidth(r)
	}
	return n
}

// ascii reports whether every byte of a display form is a cell.
func ascii(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}

// Cut returns the display form of s in one line of at most w cells; where it
// does not fit, an ellipsis ends it.
func Cut(s string, w int) string { return cut(Line(s), w) }

func cut(s string, w int) string {
	if Width(s) <= w {
		return s
	}
	if w <= 0 {
		return ""
	}
	return s[:prefix(s, w-1)] + Ellipsis
}

// prefix returns the length, in bytes, of the longest beginning of a display
// form that fits into w cells.
func prefix(s string, w int) int {
	n, c := 0, cond()
	for i, r := range s {
		if n += c.RuneWidth(r); n > w {
			return i
		}
	}
	return len(s)
}

// Fit is Cut, filled up with spaces to exactly w cells.
func Fit(s string, w int) string { return Pad(Cut(s, w), w) }

// FitRight is Fit with the spaces before the text, for numbers.
func FitRight(s string, w int) string {
	s = Cut(s, w)
	return strings.Repeat(" ", max(w-Width(s), 0)) + s
}

// Pad fills a display form up with spaces to w cells.
func Pad(s string, w int) string { return s + strings.Repeat(" ", max(w-Width(s), 0)) }

// Slice returns the part of a display form from cell x on, at most w cells: a
// window that moves over a long line. A wide rune that is cut through becomes
// spaces.
func Slice(s string, x, w int) string {
	if ascii(s) {
		from := min(max(x, 0), len(s))
		return s[from:max(min(x+w, len(s)), from)]
	}
	var b strings.Builder
	at, c := 0, cond()
	for _, r := range s {
		n := c.RuneWidth(r)
		switch {
		case n > 0 && at >= x+w:
			return b.String()
		case at >= x && at+n <= x+w:
			b.WriteRune(r)
		case n > 0 && at < x+w && at+n > x:
			b.WriteString(strings.Repeat(" ", min(at+n, x+w)-max(at, x)))
		}
		at += n
	}
	return b.String()
}

// Wrap returns the display form of s in lines of at most w cells, broken at
// spaces where there are any. Line breaks of s stay.
func Wrap(s string, w int) []string {
	var out []string
	for _, line := range Lines(s) {
		out = append(out, wrapLine(line, max(w, 1))...)
	}
	return out
}

func wrapLine(line string, w int) []string {
	var out []string
	for {
		n := prefix(line, w) // not the width of all that is left, which may be long
		if n == len(line) {
			return append(out, line)
		}
		if i := strings.LastIndexByte(line[:min(n+1, len(line))], ' '); i > 0 && strings.TrimLeft(line[:i], " ") != "" {
			out = append(out, strings.TrimRight(line[:i], " "))
			line = strings.TrimLeft(line[i:], " ")
			continue
		}
		if n == 0 { // a rune that is wider than the line
			if _, n = utf8.DecodeRuneInString(line); n == len(line) {
				return append(out, line)
			}
		}
		out = append(out, line[:n])
		line = line[n:]
	}
}

// Plural is "1 secret", "2 secrets".
func Plural(n int, one string) string {
	switch {
	case n == 1:
		return "1 " + one
	case strings.HasSuffix(one, "y"):
		return Number(n) + " " + strings.TrimSuffix(one, "y") + "ies"
	}
	return Number(n) + " " + one + "s"
}

// ASCII returns a display form, styled or not, for a terminal that draws ASCII
// only: what has no counterpart becomes a question mark.
func ASCII(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r < 0x80:
			return r
		case r == '…':
			return '~'
		case r == '•', r == '●':
			return '*'
		case r == '·', r == '—', r == '–':
			return '-'
		case r == '›', r == '▸':
			return '>'
		case r == 'µ':
			return 'u'
		}
		return '?'
	}, s)
}

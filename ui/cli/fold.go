package cli

import "strings"

// minFold is the narrowest column that is worth folding text in.
const minFold = 24

// fold breaks a line between its words into lines of at most width columns. What
// stands between backquotes is one word, as a command that is broken cannot be
// copied; a word that is too long has a line of its own. A width that is too
// small for words, or is not known and 0, breaks nothing.
func fold(s string, width int) []string {
	if width < minFold || columns(s) <= width {
		return []string{s}
	}
	lines := []string{""}
	for word := range unquotedWords(s) {
		last := &lines[len(lines)-1]
		switch {
		case *last == "":
			*last = word
		case columns(*last)+1+columns(word) <= width:
			*last += " " + word
		default:
			lines = append(lines, word)
		}
	}
	return lines
}

// unquotedWords yields what is between spaces that no backquotes surround.
func unquotedWords(s string) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		quoted, start := false, 0
		for i := range len(s) {
			switch {
			case s[i] == '`':
				quoted = !quoted
			case s[i] == ' ' && !quoted:
				if i > start && !yield(s[start:i]) {
					return
				}
				start = i + 1
			}
		}
		if start < len(s) {
			yield(s[start:])
		}
	}
}

// paragraph folds text for a terminal of that width; all lines after the first
// are indented. Line breaks in it stay.
func paragraph(s string, width int) string {
	const indent = "  "
	var b strings.Builder
	for line := range strings.SplitSeq(s, "\n") {
		lines := fold(line, width)
		b.WriteString(lines[0] + "\n")
		if len(lines) == 1 {
			continue
		}
		for _, l := range fold(strings.Join(lines[1:], " "), width-len(indent)) {
			b.WriteString(indent + l + "\n")
		}
	}
	return b.String()
}

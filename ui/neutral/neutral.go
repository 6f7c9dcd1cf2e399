// Package neutral makes text harmless for a terminal: what people and upstreams
// wrote must neither drive it nor change how the text around it shows.
package neutral

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// Text replaces the characters of s that could drive a terminal, or change how
// the text around them shows, by visible escapes: controls but line feed and
// tab, the bidirectional and other invisible format characters, and what is no
// UTF-8. A line feed swallows a carriage return before it.
func Text(s string) string { return replace(s, escapeText) }

// JSON does so in JSON, whose meaning stays: these characters can stand in a
// string of it only.
func JSON(s string) string { return replace(s, escapeJSON) }

func replace(s string, escape func(r rune, b byte) string) string {
	if !strings.ContainsFunc(s, Drives) && utf8.ValidString(s) {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == '\r' && strings.HasPrefix(s[i:], "\r\n"):
		case r == utf8.RuneError && n == 1, Drives(r):
			b.WriteString(escape(r, s[i]))
		default:
			b.WriteString(s[i : i+n])
		}
		i += n
	}
	return b.String()
}

// Drives reports characters that must not reach a terminal.
func Drives(r rune) bool {
	switch {
	case r == '\n' || r == '\t':
		return false
	case r < ' ', r >= 0x7f && r < 0xa0: // C0, DEL, C1
		return true
	case r == 0xad, r == 0x61c, r == 0x180e, r == 0xfeff: // soft hyphen, letter mark, separators without width
		return true
	case r >= 0x200b && r <= 0x200f, r >= 0x2028 && r <= 0x202e, r >= 0x2060 && r <= 0x206f: // zero width, line separators, bidi
		return true
	case r >= 0xfff9 && r <= 0xfffb, r >= 0xe0000 && r <= 0xe007f: // annotations, tags
		return true
	}
	return false
}

func escapeText(r rune, b byte) string {
	switch {
	case r == utf8.RuneError:
		return fmt.Sprintf(`\x%02x`, b)
	case r < 0x80:
		return fmt.Sprintf(`\x%02x`, r)
	case r > 0xffff:
		return fmt.Sprintf(`\U%08x`, r)
	}
	return fmt.Sprintf(`\u%04x`, r)
}

// escapeJSON is for characters that can stand in a JSON string only.
func escapeJSON(r rune, _ byte) string {
	if r > 0xffff {
		r -= 0x10000
		return fmt.Sprintf(`\u%04x\u%04x`, 0xd800+r>>10, 0xdc00+r&0x3ff)
	}
	return fmt.Sprintf(`\u%04x`, r)
}

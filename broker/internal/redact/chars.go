package redact

import (
	"bytes"
	"strings"
)

// shortEscape returns the letter that stands for c after a backslash in a JSON
// string (RFC 8259, section 7), or 0.
func shortEscape(c byte) byte {
	for _, letter := range []byte(`"\/bfnrt`) {
		if longEscape(letter) == c {
			return letter
		}
	}
	return 0
}

// longEscape returns what a letter after a backslash stands for, or 0.
func longEscape(letter byte) byte {
	switch letter {
	case '"', '\\', '/':
		return letter
	case 'b':
		return '\b'
	case 'f':
		return '\f'
	case 'n':
		return '\n'
	case 'r':
		return '\r'
	case 't':
		return '\t'
	}
	return 0
}

// hexValue returns the value of a hexadecimal digit, or -1.
func hexValue(c byte) int {
	switch {
	case '0' <= c && c <= '9':
		return int(c - '0')
	case 'a' <= c|0x20 && c|0x20 <= 'f':
		return int(c|0x20-'a') + 10
	}
	return -1
}

func isAlnum(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'z'
}

func isBreak(c byte) bool { return c == '\r' || c == '\n' }

// endsWord reports whether a word may begin after text: at its beginning, after
// a character that is no letter or digit, and after an escape of any sort.
func endsWord(text []byte) bool {
	n := len(text)
	if n == 0 || !isAlnum(text[n-1]) {
		return true
	}
	return n >= 2 && text[n-2] == '\\' || n >= 3 && text[n-3] == '%' || n >= 6 && bytes.HasPrefix(text[n-6:], []byte(`\u`))
}

// partialWidth returns the length of what completes an encoding in base64: one
// character, and its padding. It is cut off if more could belong to it.
func partialWidth(text []byte) (width int, cut bool) {
	if len(text) == 0 {
		return 0, true
	}
	if !isAlnum(text[0]) && strings.IndexByte("+/-_", text[0]) < 0 {
		return 0, false
	}
	width = 1
	for range 2 {
		pad := padWidth(text[width:])
		if pad == 0 {
			rest := text[width:]
			return width, len(rest) == 0 || rest[0] == '%' && len(rest) < 3 && (len(rest) == 1 || rest[1] == '3')
		}
		width += pad
	}
	return width, false
}

// padWidth returns the length of the padding character that text begins with.
func padWidth(text []byte) int {
	for _, pad := range [...]string{"=", "%3D", "%3d"} {
		if bytes.HasPrefix(text, []byte(pad)) {
			return len(pad)
		}
	}
	return 0
}

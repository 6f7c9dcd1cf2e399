package redact

import (
	"bytes"
	"unicode/utf8"
)

// maxReference is the length of the longest reference that is read, in bytes:
// &#x10ffff;
const maxReference = 10

// entityName returns the name that stands for c between & and ; (XML 1.0,
// section 4.6), or an empty one.
func entityName(c byte) string {
	switch c {
	case '&':
		return "amp"
	case '<':
		return "lt"
	case '>':
		return "gt"
	case '"':
		return "quot"
	case '\'':
		return "apos"
	}
	return ""
}

// reference reads a reference such as &amp; or &#38; or &#x26; at the beginning
// of text. Its width is 0 if there is none.
func reference(text []byte) (r rune, width int) {
	end := bytes.IndexByte(text[:min(len(text), maxReference)], ';')
	if end < 0 {
		return 0, 0
	}
	name := text[1:end]
	for _, c := range []byte(`&<>"'`) {
		if string(name) == entityName(c) {
			return rune(c), end + 1
		}
	}
	digits, base := digitsOf(name)
	for _, c := range digits {
		v := hexValue(c)
		if v < 0 || v >= base {
			return 0, 0
		}
		r = r*rune(base) + rune(v) // at most 7 digits: no overflow
	}
	if len(digits) == 0 || !utf8.ValidRune(r) {
		return 0, 0
	}
	return r, end + 1
}

// digitsOf returns what of a reference to a character is its number, and in
// which base that is. There is none if the reference is no such.
func digitsOf(name []byte) (digits []byte, base int) {
	switch {
	case len(name) < 2 || name[0] != '#':
		return nil, 10
	case name[1]|0x20 == 'x':
		return name[2:], 16
	}
	return name[1:], 10
}

// isCutReference reports whether a reference can begin with text, and does not
// end in it.
func isCutReference(text []byte) bool {
	if len(text) >= maxReference || bytes.IndexByte(text, ';') >= 0 {
		return false
	}
	name := text[1:]
	for _, c := range []byte(`&<>"'`) {
		if bytes.HasPrefix([]byte(entityName(c)), name) {
			return true
		}
	}
	digits, base := digitsOf(name)
	for _, c := range digits {
		if v := hexValue(c); v < 0 || v >= base {
			return false
		}
	}
	return name[0] == '#'
}

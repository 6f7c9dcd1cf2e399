package redact

import (
	"unicode/utf16"
	"unicode/utf8"
)

// The encodings in which a pattern can stand in a text. In each of them there
// is one way only to read the text, so that no comparison ever goes back.
type encoding int

const (
	plain   encoding = iota
	percent          // %41, and + for a space
	escaped          // \n and \u0041, as in a JSON string
	entity           // &amp; and &#38;, as in HTML and XML
)

// isSpecial reports whether c can mean something else than itself.
func isSpecial(c byte) bool { return c == '%' || c == '\\' || c == '+' || c == '&' }

// decode returns the bytes that the beginning of text stands for, and how long
// that beginning is. Text that is no escape stands for itself.
func decode(buf *[utf8.UTFMax]byte, enc encoding, text []byte) (got []byte, width int) {
	switch {
	case enc == percent && text[0] == '%' && len(text) >= 3:
		if hi, lo := hexValue(text[1]), hexValue(text[2]); hi >= 0 && lo >= 0 {
			return append(buf[:0], byte(hi<<4|lo)), 3
		}
	case enc == escaped && text[0] == '\\' && len(text) >= 2:
		if c := longEscape(text[1]); c != 0 {
			return append(buf[:0], c), 2
		}
		r, ok := codeUnit(text)
		if !ok {
			break
		}
		if utf16.IsSurrogate(r) {
			if low, ok := codeUnit(text[6:]); ok && utf16.DecodeRune(r, low) != utf8.RuneError {
				return utf8.AppendRune(buf[:0], utf16.DecodeRune(r, low)), 12
			}
		}
		return utf8.AppendRune(buf[:0], r), 6
	case enc == entity && text[0] == '&':
		if r, width := reference(text); width > 0 {
			return utf8.AppendRune(buf[:0], r), width
		}
	}
	return append(buf[:0], text[0]), 1
}

// codeUnit reads an escape such as \u00e9.
func codeUnit(text []byte) (rune, bool) {
	if len(text) < 6 || text[0] != '\\' || text[1] != 'u' {
		return 0, false
	}
	r := 0
	for _, c := range text[2:6] {
		v := hexValue(c)
		if v < 0 {
			return 0, false
		}
		r = r<<4 | v
	}
	return rune(r), true
}

// isCut reports whether text, which is not empty, is the beginning of an escape
// whose end is not there. What it stands for is not known then.
func isCut(enc encoding, text []byte) bool {
	switch {
	case enc == percent && text[0] == '%':
		return len(text) == 1 || len(text) == 2 && hexValue(text[1]) >= 0
	case enc == escaped && text[0] == '\\':
		if r, ok := codeUnit(text); ok {
			return utf16.IsSurrogate(r) && isCutUnit(text[6:])
		}
		return isCutUnit(text)
	case enc == entity && text[0] == '&':
		return isCutReference(text)
	}
	return false
}

// isCutUnit reports whether an escape such as \u00e9 can begin with text, which
// may be empty, and does not end in it.
func isCutUnit(text []byte) bool {
	for i, c := range text {
		switch {
		case i == 6 || i >= 2 && hexValue(c) < 0:
			return false
		case i < 2 && c != `\u`[i]:
			return false
		}
	}
	return len(text) < 6
}

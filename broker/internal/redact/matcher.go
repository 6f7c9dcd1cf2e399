package redact

import (
	"iter"
	"unicode/utf16"
	"unicode/utf8"
)

// A matcher finds patterns in text. Most positions of a text are dismissed by
// a look at two bytes; only where some pattern could begin are they compared.
// It works on a text that is there as a whole, and holds no state between two.
type matcher struct {
	patterns []pattern
	pairs    [1 << 16 / 64]uint64 // bit b0<<8|b1: a pattern can begin with these bytes
	heads    [][2]byte            // of each pattern, the first byte and its alternative
}

// A pattern is a sequence of bytes, each with an alternative: a[i] or b[i].
type pattern struct {
	a, b    []byte
	word    bool // only between characters that are no letters and digits
	partial bool // base64 that ends within a character: that one and padding belong to it
}

// The encodings in which a pattern can stand in a text. In each of them there
// is one way only to read the text, so that no comparison ever goes back.
type encoding int

const (
	plain   encoding = iota
	percent          // %41, and + for a space
	escaped          // \n and \u0041, as in a JSON string
)

func (m *matcher) add(p pattern) {
	m.patterns = append(m.patterns, p)
	m.heads = append(m.heads, [2]byte{p.a[0], p.b[0]})
	for _, c := range [...]byte{p.a[0], p.b[0]} {
		m.addPairs(c, p)
		if c == ' ' {
			m.addPairs('+', p)
		}
		m.pair('%', upperHex[c>>4])
		m.pair('%', upperHex[c>>4]|0x20) // a digit has that bit already
		if letter := shortEscape(c); letter != 0 {
			m.pair('\\', letter)
		}
	}
	m.pair('\\', 'u')
}

const upperHex = "0123456789ABCDEF"

// addPairs notes what can follow the first byte of a pattern if that stands
// there as c.
func (m *matcher) addPairs(c byte, p pattern) {
	if len(p.a) == 1 {
		for next := range 256 {
			m.pair(c, byte(next))
		}
		return
	}
	m.pair(c, '%')
	m.pair(c, '\\')
	for _, next := range [...]byte{p.a[1], p.b[1]} {
		m.pair(c, next)
		if next == ' ' {
			m.pair(c, '+')
		}
	}
}

func (m *matcher) pair(b0, b1 byte) {
	k := uint(b0)<<8 | uint(b1)
	m.pairs[k>>6] |= 1 << (k & 63)
}

func (m *matcher) clear() {
	for _, p := range m.patterns {
		clear(p.a)
		clear(p.b)
	}
	clear(m.heads)
	*m = matcher{}
}

// spans yields start and end of what is found in text, in order. Matches that
// overlap are one span, so that of neither a rest remains.
func (m *matcher) spans(text []byte) iter.Seq2[int, int] {
	return func(yield func(int, int) bool) {
		start, end := 0, 0
		for i := range text {
			if i+1 < len(text) {
				k := uint(text[i])<<8 | uint(text[i+1])
				if m.pairs[k>>6]&(1<<(k&63)) == 0 {
					continue
				}
			}
			e := m.longest(text, i)
			switch {
			case e == 0:
			case i < end:
				end = max(end, e)
			default:
				if end > 0 && !yield(start, end) {
					return
				}
				start, end = i, e
			}
		}
		if end > 0 {
			yield(start, end)
		}
	}
}

// longest returns the end of the longest match that begins at i, or 0.
func (m *matcher) longest(text []byte, i int) int {
	end := 0
	var buf [utf8.UTFMax]byte
	for _, enc := range [...]encoding{plain, percent, escaped} {
		c := text[i]
		if isSpecial(c) {
			got, _ := decode(&buf, enc, text[i:])
			c = got[0]
		} else if enc != plain {
			break // read alike in every encoding: match has tried them all
		}
		for j, head := range m.heads {
			if c == head[0] || c == head[1] || c == '+' && head[0] == ' ' {
				end = max(end, m.patterns[j].match(text, i, enc))
			}
		}
	}
	return end
}

// match returns the end of the match of p in text at i, or 0. A text that does
// not begin with an escape is tried in each encoding if enc is plain.
func (p *pattern) match(text []byte, i int, enc encoding) int {
	j := 0
	for j < len(p.a) && i+j < len(text) && !isSpecial(text[i+j]) {
		if c := text[i+j]; c != p.a[j] && c != p.b[j] {
			return 0
		}
		j++
	}
	switch {
	case j == len(p.a):
		return p.finish(text, i, i+j)
	case i+j == len(text):
		return 0
	case j == 0 || enc != plain:
		return p.matchRest(text, i, j, enc)
	}
	return max(p.matchRest(text, i, j, plain), p.matchRest(text, i, j, percent), p.matchRest(text, i, j, escaped))
}

// matchRest goes on after the first j bytes, which had no escapes.
func (p *pattern) matchRest(text []byte, start, j int, enc encoding) int {
	var buf [utf8.UTFMax]byte
	i := start + j
	for j < len(p.a) {
		if i == len(text) {
			return 0
		}
		got, width := decode(&buf, enc, text[i:])
		for _, c := range got {
			if j == len(p.a) || c != p.a[j] && c != p.b[j] && !(enc == percent && width == 1 && c == '+' && p.a[j] == ' ') {
				return 0
			}
			j++
		}
		i += width
	}
	return p.finish(text, start, i)
}

// finish decides on a match whose bytes are there.
func (p *pattern) finish(text []byte, start, end int) int {
	if p.word && !(endsWord(text[:start]) && (end == len(text) || !isAlnum(text[end]))) {
		return 0
	}
	if p.partial {
		end += partialWidth(text[end:])
	}
	return end
}

// isSpecial reports whether c can mean something else than itself.
func isSpecial(c byte) bool { return c == '%' || c == '\\' || c == '+' }

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

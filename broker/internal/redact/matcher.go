package redact

import "unicode/utf8"

// A matcher finds patterns in text. Most positions of a text are dismissed by
// a look at two bytes; only where some pattern could begin are they compared.
// It holds no state: of a text that comes in pieces, what it cannot decide yet
// is put before it again when there is more.
type matcher struct {
	patterns []pattern
	pairs    [1 << 16 / 64]uint64 // bit b0<<8|b1: a pattern can begin with these bytes
	heads    [][2]byte            // of each pattern, the first byte and its alternative
}

// A pattern is a sequence of bytes, each with an alternative: a[i] or b[i].
type pattern struct {
	a, b    []byte
	word    bool // only between characters that are no letters and digits
	lines   bool // base64: single line breaks may stand in it
	partial bool // base64 that ends within a character: that one and padding belong to it
}

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
		if name := entityName(c); name != "" {
			m.pair('&', name[0])
		}
	}
	m.pair('\\', 'u')
	m.pair('&', '#')
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
	m.pair(c, '&')
	if p.lines {
		m.pair(c, '\r')
		m.pair(c, '\n')
	}
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

// open is the answer "perhaps" in place of the end of a match: what is there so
// far fits, and what comes after the end of the text decides.
const open = -1

// next returns start and end of the first match that begins at from or later,
// and len(text), 0 if there is none. Matches may overlap. Where the text is not
// the whole, the end may be open; nothing begins before that start.
func (m *matcher) next(text []byte, from int, whole bool) (start, end int) {
	last := len(text) - 1
	for i := from; i < last; i++ {
		k := uint(text[i])<<8 | uint(text[i+1])
		if m.pairs[k>>6]&(1<<(k&63)) == 0 {
			continue
		}
		if e := m.longest(text, i, whole); e != 0 {
			return i, e
		}
	}
	if from <= last {
		if e := m.longest(text, last, whole); e != 0 {
			return last, e
		}
	}
	return len(text), 0
}

// longest returns the end of the longest match that begins at i, 0 if there is
// none, and open if one could still become the longest.
func (m *matcher) longest(text []byte, i int, whole bool) int {
	if len(m.patterns) == 0 {
		return 0
	}
	end := 0
	var buf [utf8.UTFMax]byte
	for _, enc := range [...]encoding{plain, percent, escaped, entity} {
		c := text[i]
		if isSpecial(c) {
			if !whole && isCut(enc, text[i:]) {
				return open
			}
			got, _ := decode(&buf, enc, text[i:])
			c = got[0]
		} else if enc != plain {
			break // read alike in every encoding: match has tried them all
		}
		for j, head := range m.heads {
			if c == head[0] || c == head[1] || c == '+' && head[0] == ' ' {
				e := m.patterns[j].match(text, i, enc, whole)
				if e == open {
					return open
				}
				end = max(end, e)
			}
		}
	}
	return end
}

// match returns the end of the match of p in text at i, 0, or open. A text that
// does not begin with an escape is tried in each encoding if enc is plain.
func (p *pattern) match(text []byte, i int, enc encoding, whole bool) int {
	if p.word && !endsWord(text[:i]) {
		return 0
	}
	j := 0
	for j < len(p.a) && i+j < len(text) && !isSpecial(text[i+j]) {
		if c := text[i+j]; c != p.a[j] && c != p.b[j] {
			if j > 0 && p.lines && isBreak(c) {
				break
			}
			return 0
		}
		j++
	}
	switch {
	case j == len(p.a):
		return p.finish(text, i+j, whole)
	case i+j == len(text):
		return openUnless(whole)
	case j == 0 || enc != plain:
		return p.matchRest(text, i, j, enc, whole)
	}
	end := 0
	for _, enc := range [...]encoding{plain, percent, escaped, entity} {
		e := p.matchRest(text, i, j, enc, whole)
		if e == open {
			return open
		}
		end = max(end, e)
	}
	return end
}

// matchRest goes on after the first j bytes, which had no escapes.
func (p *pattern) matchRest(text []byte, start, j int, enc encoding, whole bool) int {
	var buf [utf8.UTFMax]byte
	var lineEnd byte // what was read of a line break: CR, LF or CR LF
	i := start + j
	for j < len(p.a) {
		if i == len(text) || !whole && isCut(enc, text[i:]) {
			return openUnless(whole)
		}
		got, width := decode(&buf, enc, text[i:])
		i += width
		if c := got[0]; p.lines && j > 0 && isBreak(c) {
			if lineEnd == '\n' || lineEnd == c {
				return 0
			}
			lineEnd = c
			continue
		}
		lineEnd = 0
		for _, c := range got {
			if j == len(p.a) || c != p.a[j] && c != p.b[j] && !(enc == percent && width == 1 && c == '+' && p.a[j] == ' ') {
				return 0
			}
			j++
		}
	}
	return p.finish(text, i, whole)
}

// finish decides on a match whose bytes are there.
func (p *pattern) finish(text []byte, end int, whole bool) int {
	if p.word {
		switch {
		case end == len(text):
			if !whole {
				return open
			}
		case isAlnum(text[end]):
			return 0
		}
	}
	if p.partial {
		width, cut := partialWidth(text[end:])
		if cut && !whole {
			return open
		}
		end += width
	}
	return end
}

// openUnless is the answer at the end of a text that may be the whole.
func openUnless(whole bool) int {
	if whole {
		return 0
	}
	return open
}

package form

import (
	"bytes"
	"encoding/json"
	"unicode/utf8"

	"aivault/ui/tui/text"
)

// A buffer holds bytes that must not be printed, in the order in which they
// were typed and pasted. It is made as large as it may become, because growing
// would leave a copy behind.
type buffer struct {
	b      []byte
	pastes []stretch
}

// A stretch is what came with one paste.
type stretch struct{ from, to int }

// newBuffer returns a buffer for limit bytes, and a line end that is not stored.
func newBuffer(limit int) *buffer { return &buffer{b: make([]byte, 0, limit+1)} }

func (v *buffer) limit() int { return cap(v.b) - 1 }

// add appends runes, with the line ends of all systems as line feeds. It adds
// nothing and returns false if that would be more than can be stored; n is how
// many bytes they have.
func (v *buffer) add(runes []rune, paste bool) (n int, ok bool) {
	for i, r := range runes {
		if r != '\n' || i == 0 || runes[i-1] != '\r' {
			n += runeSize(r)
		}
	}
	from := len(v.b)
	if n > cap(v.b)-from {
		return n, false
	}
	for i, r := range runes {
		switch {
		case r == '\n' && i > 0 && runes[i-1] == '\r':
		case r == '\r':
			v.b = append(v.b, '\n')
		default:
			v.b = utf8.AppendRune(v.b, r)
		}
	}
	if len(v.stored()) > v.limit() {
		v.cut(from)
		return n, false
	}
	if paste && n > 0 {
		v.pastes = append(v.pastes, stretch{from, len(v.b)})
	}
	return n, true
}

// back takes the last rune away, or, where that came with a paste, the whole
// paste: what does not show cannot be edited.
func (v *buffer) back() {
	to := len(v.b)
	if last := len(v.pastes) - 1; last >= 0 && v.pastes[last].to == to {
		to = v.pastes[last].from
	} else {
		_, n := utf8.DecodeLastRune(v.b)
		to -= n
	}
	v.cut(to)
}

// cut overwrites everything from an offset on.
func (v *buffer) cut(to int) {
	clear(v.b[to:])
	v.b = v.b[:to]
	for len(v.pastes) > 0 && v.pastes[len(v.pastes)-1].to > to {
		v.pastes = v.pastes[:len(v.pastes)-1]
	}
}

// stored is what the vault keeps: the line end at the end of a one-line value
// is no part of it.
func (v *buffer) stored() []byte {
	if line, ok := bytes.CutSuffix(v.b, []byte("\n")); ok && !v.lines() {
		return line
	}
	return v.b
}

// lines reports whether there are several: a line end that is not the last
// byte.
func (v *buffer) lines() bool {
	i := bytes.IndexByte(v.b, '\n')
	return i >= 0 && i < len(v.b)-1
}

// begins reports whether it begins as something of several lines does.
func (v *buffer) begins() bool {
	b := bytes.TrimLeft(v.b, " \t\n")
	return bytes.HasPrefix(b, []byte("-----BEGIN")) || bytes.HasPrefix(b, []byte("{")) || bytes.HasPrefix(b, []byte("["))
}

// smallSize is the size, in bytes, under which it could help a guess.
const smallSize = 256

// summary says what there is, as far as that gives nothing away: of one line,
// neither what it is nor how long.
func (v *buffer) summary() string {
	if len(v.b) == 0 {
		return ""
	}
	ends := v.b[len(v.b)-1] == '\n'
	if !v.lines() {
		if ends {
			return "one line; stored without its final line end"
		}
		return "one line"
	}
	n := bytes.Count(v.b, []byte("\n"))
	if !ends {
		n++
	}
	s := v.kind() + text.Plural(n, "line")
	if len(v.b) >= smallSize {
		s += ", " + text.Bytes(int64(len(v.b)))
	}
	if ends {
		s += "; its final line end is kept"
	}
	return s
}

// kind names what several lines are, if that is plain.
func (v *buffer) kind() string {
	b := bytes.TrimSpace(v.b)
	switch {
	case bytes.HasPrefix(b, []byte("-----BEGIN ")) && bytes.Contains(b, []byte("\n-----END ")):
		return "PEM, "
	case bytes.HasPrefix(b, []byte("-----BEGIN ")):
		return "PEM without its last line, "
	case v.begins() && json.Valid(b):
		return "JSON, "
	}
	return "text, "
}

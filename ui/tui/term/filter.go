package term

import (
	"bytes"
	"fmt"
	"unicode/utf8"
)

// maxPaste is the size of the largest paste, in bytes. Bubble Tea takes time
// that grows with the square of it.
const maxPaste = 256 << 10

const (
	maxSequence = 64   // bytes of an escape sequence; a longer one is none
	maxReply    = 4096 // bytes of an OSC, DCS or APC reply that are dropped
)

const (
	esc        = 0x1b
	pasteBegin = "\x1b[200~"
	pasteEnd   = "\x1b[201~"
)

// A refused paste ends in refusal, which cannot be part of one that is not: what
// holds the noncharacter U+FDD0 is refused as no text. So word of it comes in
// its place among the keys. The letter after it is why, then come the bytes.
const (
	refusal      = '\uFDD0'
	refusedLarge = 'L'
	refusedText  = 'T'
)

// mode is what the next byte of a stream continues.
type mode int

const (
	ground mode = iota // nothing
	escape             // ESC, or ESC ESC
	csi                // ESC [
	ss3                // ESC O: one byte more
	x10                // ESC [ M: three bytes more, of any kind
	letter             // the first bytes of a UTF-8 sequence
	reply              // an OSC, DCS or APC string, which is dropped
	paste              // between the marks of a paste
	burst              // a paste without marks, between marks of ours
)

// A filter makes of what a terminal sends what Bubble Tea understands. It
// passes everything on as it is, and at once, but for:
//
//   - the end of a piece that may be incomplete, which it holds;
//   - replies of the terminal, which nobody here asked for: dropped;
//   - a paste that is too large, or no text: see refusal.
//
// It knows no time: its user tells when the terminal has been silent.
type filter struct {
	mode mode
	held []byte // incomplete, of this mode; in a paste maybe its end mark

	size    int    // bytes of the paste so far
	bad     bool   // it is no text
	partial []byte // the beginning of a UTF-8 sequence in it
	dropped int    // bytes of the reply so far
	ending  bool   // of which the last was an ESC
	late    bool   // a paste was closed before its end mark came
}

// feed appends what is to be passed on of src to dst.
func (f *filter) feed(dst, src []byte) []byte {
	for _, b := range src {
		dst = f.byte(dst, b)
	}
	return dst
}

// silence ends what a terminal would not leave incomplete for so long: the ESC
// that is held is the key.
func (f *filter) silence(dst []byte) []byte {
	switch f.mode {
	case paste, burst:
		f.late = f.mode == paste
		return f.endPaste(dst)
	case reply:
		f.ending = false // its end got lost; or it was alt and a key, and is held
	}
	return f.release(dst)
}

// release passes on what is held, as it is.
func (f *filter) release(dst []byte) []byte {
	dst = append(dst, f.held...)
	f.held, f.mode = f.held[:0], ground
	return dst
}

// hold keeps b until it is known what it is part of.
func (f *filter) hold(m mode, b byte) { f.mode, f.held = m, append(f.held, b) }

func (f *filter) byte(dst []byte, b byte) []byte {
	switch f.mode {
	case ground:
		return f.first(dst, b)
	case escape:
		return f.afterEscape(dst, b)
	case csi:
		return f.inCSI(dst, b)
	case ss3:
		if b < ' ' {
			return f.first(f.release(dst), b)
		}
		f.hold(ss3, b)
		return f.release(dst)
	case x10:
		f.hold(x10, b)
		if len(f.held) >= f.escapes()+5 {
			return f.release(dst)
		}
	case letter:
		if utf8.RuneStart(b) {
			return f.first(f.release(dst), b)
		}
		f.hold(letter, b)
		if utf8.FullRune(bytes.TrimLeft(f.held, "\x1b")) {
			return f.release(dst)
		}
	case reply:
		return f.inReply(dst, b)
	case paste:
		return f.inPaste(dst, b)
	case burst:
		if b < ' ' && b != '\r' && b != '\n' && b != '\t' || b == 0x7f {
			return f.first(f.endPaste(dst), b)
		}
		return f.content(dst, b)
	}
	return dst
}

// first takes a byte that continues nothing.
func (f *filter) first(dst []byte, b byte) []byte {
	switch {
	case b == esc:
		f.hold(escape, b)
	case b >= utf8.RuneSelf && !utf8.FullRune([]byte{b}):
		f.hold(letter, b)
	default:
		dst = append(dst, b)
	}
	return dst
}

// escapes returns how many ESC are held: two, where alt comes as one.
func (f *filter) escapes() int { return len(f.held) - len(bytes.TrimLeft(f.held, "\x1b")) }

func (f *filter) afterEscape(dst []byte, b byte) []byte {
	switch {
	case b == esc && len(f.held) > 1: // a third: the first was a key
		return append(dst, esc)
	case b == esc:
		f.hold(escape, b)
	case b == '[':
		f.hold(csi, b)
	case b == 'O':
		f.hold(ss3, b)
	case b == ']' || b == 'P' || b == '_': // a reply, if it goes on like one
		f.hold(reply, b)
		f.dropped = 0
	case b >= utf8.RuneSelf && !utf8.FullRune([]byte{b}):
		f.hold(letter, b)
	default:
		f.hold(escape, b)
		return f.release(dst)
	}
	return dst
}

// inReply drops a string up to its end, BEL or ESC \. Alt with ], P or _ begins
// like one.
func (f *filter) inReply(dst []byte, b byte) []byte {
	if len(f.held) > 0 {
		kind := f.held[len(f.held)-1]
		switch {
		case kind == ']' && (b < '0' || b > '9'), kind == '_' && b != 'G',
			kind == 'P' && (b > '9' || b < '0') && b != '>' && b != '!' && b != '$' && b != '+':
			return f.byte(f.release(dst), b)
		}
		f.held = f.held[:0]
	}
	f.dropped++
	switch {
	case b == '\a', b == '\\' && f.ending:
		f.mode, f.ending = ground, false
		return dst
	case b == esc:
		f.ending = true
		return dst
	case f.ending: // by a new sequence
		f.mode, f.ending = ground, false
		return f.byte(f.byte(dst, esc), b)
	case b < ' ' || f.dropped > maxReply: // no reply has control characters
		f.mode = ground
		return f.first(dst, b)
	}
	return dst
}

func (f *filter) inCSI(dst []byte, b byte) []byte {
	n := len(f.held) - f.escapes() // with [
	switch {
	case b < ' ' || b > '~' || len(f.held) >= maxSequence:
		return f.first(f.release(dst), b)
	case b == '[' && n == 1: // the Linux console's function keys
		f.hold(csi, b)
		return dst
	case b == 'M' && n == 1:
		f.hold(x10, b)
		return dst
	case b < '@':
		f.hold(csi, b)
		return dst
	}
	f.hold(csi, b)
	seq := f.held[f.escapes()-1:] // an ESC before what is dropped goes with it: alone it would be alt for what follows
	switch {
	case string(seq) == pasteBegin:
		f.held = f.held[:0]
		return f.beginPaste(dst, paste)
	case string(seq) == pasteEnd: // of a paste that was closed before
		f.late = false
		f.held, f.mode = f.held[:0], ground
		return dst
	case isReply(seq[2:]):
		f.held, f.mode = f.held[:0], ground
		return dst
	}
	return f.release(dst)
}

// isReply reports whether a sequence, without ESC [, is an answer and no key:
// the cursor's position, the kind of terminal, a mode, a size.
func isReply(seq []byte) bool {
	last := seq[len(seq)-1]
	switch {
	case seq[0] == '?' || seq[0] == '>' || seq[0] == '=':
		return true
	case len(seq) > 1 && (last == 'n' || last == 'c' || last == 't'):
		return true
	case last != 'R':
		return false
	}
	// CSI 1;5R may also be ctrl+F3.
	row, column, ok := bytes.Cut(seq[:len(seq)-1], []byte(";"))
	return ok && (string(row) != "1" || len(column) > 1 || string(column) > "8")
}

func (f *filter) beginPaste(dst []byte, m mode) []byte {
	f.mode, f.size, f.bad, f.partial, f.late = m, 0, false, f.partial[:0], false
	return append(dst, pasteBegin...)
}

// inPaste passes bytes on up to the end mark.
func (f *filter) inPaste(dst []byte, b byte) []byte {
	f.held = append(f.held, b)
	if bytes.HasPrefix([]byte(pasteEnd), f.held) {
		if len(f.held) < len(pasteEnd) {
			return dst
		}
		f.held = f.held[:0]
		return f.endPaste(dst)
	}
	begun := f.held[:len(f.held)-1]
	for _, c := range begun { // looked like the end mark
		dst = f.content(dst, c)
	}
	f.held = f.held[:0]
	if b == esc && len(begun) > 0 {
		f.held = append(f.held, b)
		return dst
	}
	return f.content(dst, b)
}

// content passes a byte of a paste on, while it is not too large, and sees
// whether it is text: Bubble Tea would drop what is not, silently.
func (f *filter) content(dst []byte, b byte) []byte {
	f.size++
	f.partial = append(f.partial, b)
	if utf8.FullRune(f.partial) {
		r, n := utf8.DecodeRune(f.partial)
		f.bad = f.bad || r == utf8.RuneError || r == refusal || n < len(f.partial)
		f.partial = f.partial[:0]
	}
	if f.size > maxPaste {
		return dst
	}
	return append(dst, b)
}

// endPaste closes a paste, and says if it is to be refused.
func (f *filter) endPaste(dst []byte) []byte {
	for _, c := range f.held {
		dst = f.content(dst, c)
	}
	switch {
	case f.size > maxPaste:
		dst = fmt.Appendf(dst, "%c%c%d", refusal, refusedLarge, f.size)
	case f.bad || len(f.partial) > 0:
		dst = fmt.Appendf(dst, "%c%c%d", refusal, refusedText, f.size)
	}
	f.mode, f.held, f.bad, f.partial = ground, f.held[:0], false, f.partial[:0]
	return append(dst, pasteEnd...)
}

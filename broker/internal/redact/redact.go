// Package redact removes injected secrets from what comes back.
//
// An upstream that echoes a request, in an error message or on purpose, sends
// the injected secret back to code that must not see it. A [Redactor] finds it
// in the encodings that servers use:
//
//   - as it is, and with its ASCII letters in another case
//   - percent-encoded, with any choice of characters to encode, digits in
//     either case, and + for a space
//   - as part of a JSON string, with any choice of characters to escape
//   - as part of an HTML page or an XML document, with any choice of characters
//     to write as references (&amp; &#38; &#x26;)
//   - in hexadecimal, in either case
//   - in base64 of the standard and the URL alphabet, padded or not, at each
//     of the three alignments that text before it can give, on one line or on
//     many (RFC 2045, section 6.8); and base64 that is itself percent-encoded
//     or inside JSON
//   - in all of these, what is not ASCII read in the wrong one of UTF-8 and
//     Latin-1
//
// Instead of a list of encoded forms, which would have to guess what each
// encoder leaves alone, the text is decoded on the fly: a form is a sequence of
// bytes to be found in the text as it is, in the text without percent-encoding,
// in the text without JSON escapes, or in the text without references (see
// matcher).
//
// An answer that streams goes through a [Stream], which finds the same wherever
// the connection cuts it, and holds back no more than what could be the
// beginning of a form.
//
// What it does not find: encodings within encodings beyond those above,
// compressed text, a secret in pieces. In base64 the character that a secret
// shares with what stands before it stays, and with it up to four bits; so does
// the one that it shares with what follows, if a line break separates them.
//
// A value under 8 bytes is too likely to be part of other text, and is taken
// only where it stands alone, between characters that are no letters and
// digits, and not in hexadecimal and base64. The empty value is ignored.
package redact

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"unicode/utf8"

	"aivault/keys/opaque"
)

// Marker replaces what is found.
const Marker = "[REDACTED]"

// minAnywhere is the length from which on a value is found anywhere in a text,
// in bytes.
const minAnywhere = 8

// A Redactor finds certain values in text. It holds copies of them until
// [Redactor.Clear]. It is safe for concurrent use until then.
type Redactor struct {
	m matcher
}

// New returns a Redactor for the values, which it copies.
func New(values ...opaque.Bytes) *Redactor {
	r := new(Redactor)
	for i, v := range values {
		if v.Len() == 0 || containsEqual(values[:i], v) {
			continue
		}
		r.add(v.Reveal())
		for _, misread := range misreadings(v.Reveal()) {
			r.add(misread)
			clear(misread)
		}
	}
	return r
}

// add has the redactor find a value, which it copies, in all its forms.
func (r *Redactor) add(value []byte) {
	if len(value) < minAnywhere {
		r.m.add(pattern{a: bytes.Clone(value), b: bytes.Clone(value), word: true})
		return
	}
	r.m.add(textPattern(value))
	lower := hex.AppendEncode(nil, value)
	r.m.add(pattern{a: lower, b: bytes.ToUpper(lower)})
	for before := range 3 {
		r.m.add(base64Pattern(value, before))
	}
}

// misreadings returns what becomes of a value that is not ASCII where a server
// takes it for another charset: the bytes of a header read as Latin-1 (RFC
// 9110, section 5.5) and written as UTF-8, or the other way round.
func misreadings(value []byte) [][]byte {
	var asUTF8, asLatin1 []byte
	ascii := true
	for _, c := range value {
		asUTF8 = utf8.AppendRune(asUTF8, rune(c))
		ascii = ascii && c < utf8.RuneSelf
	}
	if ascii {
		return nil
	}
	for _, c := range string(value) {
		if c > 0xff {
			return [][]byte{asUTF8}
		}
		asLatin1 = append(asLatin1, byte(c))
	}
	return [][]byte{asUTF8, asLatin1}
}

func containsEqual(values []opaque.Bytes, v opaque.Bytes) bool {
	for _, other := range values {
		if other.Equal(v) {
			return true
		}
	}
	return false
}

// textPattern matches the value itself, letters of ASCII in either case.
func textPattern(value []byte) pattern {
	p := pattern{a: bytes.Clone(value), b: bytes.Clone(value)}
	for i, c := range value {
		if 'a' <= c|0x20 && c|0x20 <= 'z' {
			p.a[i], p.b[i] = c|0x20, c&^0x20
		}
	}
	return p
}

// base64Pattern matches those characters of an encoding that the value alone
// decides on, if before bytes, modulo three, stand before it.
func base64Pattern(value []byte, before int) pattern {
	padded := append(make([]byte, before, before+len(value)), value...)
	text := base64.RawStdEncoding.AppendEncode(nil, padded)
	clear(padded)
	first, end := (before*8+5)/6, len(padded)*8/6
	p := pattern{a: text[first:end], lines: true, partial: len(padded)%3 != 0}
	p.b = bytes.Clone(p.a)
	for i, c := range p.b {
		switch c {
		case '+':
			p.b[i] = '-'
		case '/':
			p.b[i] = '_'
		}
	}
	return p
}

// Bytes returns b with each occurrence replaced by [Marker], and how many there
// were; occurrences that overlap count as one. If there are none, it returns b
// itself, else a new slice.
func (r *Redactor) Bytes(b []byte) (out []byte, n int) {
	done := 0
	for from := 0; ; {
		start, end := r.m.next(b, from, true)
		if end == 0 {
			break
		}
		from = start + 1
		if start >= done {
			out = append(out, b[done:start]...)
			out = append(out, Marker...)
			n++
		}
		done = max(done, end)
	}
	if n == 0 {
		return b, 0
	}
	return append(out, b[done:]...), n
}

// String is [Redactor.Bytes] for a string, such as a header value or the text
// of an error.
func (r *Redactor) String(s string) (out string, n int) {
	b, n := r.Bytes([]byte(s))
	if n == 0 {
		return s, 0
	}
	return string(b), n
}

// Clear overwrites the copies of the values with zeros. The Redactor finds
// nothing any more.
func (r *Redactor) Clear() { r.m.clear() }

package invoke

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"unicode/utf8"

	"aivault/ui/tui/text"
)

// What of a body is worth the memory and the time.
const (
	keep       = 1 << 20 // bytes of it that are kept to be looked at
	hexed      = 256     // bytes of one that is no text
	prettySize = 8 << 20 // bytes that the indented form may have
)

// A kind is how a body shows.
type kind int

const (
	kindNone   kind = iota // there is none
	kindText               // as it came
	kindJSON               // one JSON value: it can be indented
	kindBinary             // some bytes, in hexadecimal
)

// kindOf looks at a body that came as a media type. All says that it is there to
// its end: what was cut off is no JSON any more.
func kindOf(media string, body []byte, all bool) kind {
	switch {
	case len(body) == 0:
		return kindNone
	case !isText(media, body, all):
		return kindBinary
	case all && json.Valid(body):
		return kindJSON
	}
	return kindText
}

// isText reports whether a body is for reading. Bytes that are no UTF-8 are, if
// the service says so: most of it will be in another charset.
func isText(media string, body []byte, all bool) bool {
	if !all {
		body = body[:len(body)-unfinished(body)]
	}
	named := strings.HasPrefix(media, "text/") || strings.HasSuffix(media, "json") || strings.HasSuffix(media, "xml")
	if !utf8.Valid(body) {
		return named && bytes.IndexByte(body, 0) < 0
	}
	return named || !bytes.ContainsFunc(body, func(r rune) bool { return r == 0 || r > 0 && r < 7 })
}

// unfinished returns how many bytes at the end of b begin a character whose rest
// is not there.
func unfinished(b []byte) int {
	for n := 1; n < utf8.UTFMax && n <= len(b); n++ {
		if tail := b[len(b)-n:]; utf8.RuneStart(tail[0]) {
			if utf8.FullRune(tail) {
				return 0
			}
			return n
		}
	}
	return 0
}

// pretty indents JSON, and leaves its tokens as they are: the order of members,
// numbers of any size, escapes. A body whose indented form would be too large,
// as of arrays nested a thousandfold, is not indented.
func pretty(body []byte) ([]byte, bool) {
	if indentedSize(body) > prettySize {
		return nil, false
	}
	var b bytes.Buffer
	if err := json.Indent(&b, bytes.TrimSpace(body), "", "  "); err != nil {
		return nil, false
	}
	return b.Bytes(), true
}

// indentedSize is how long the indented form of a JSON value is at most.
func indentedSize(body []byte) int {
	size, depth, quoted := len(body), 0, false
	for i := 0; i < len(body); i++ {
		switch c := body[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '{' || c == '[':
			depth++
			size += 1 + 2*depth
		case c == '}' || c == ']':
			depth = max(depth-1, 0)
			size += 1 + 2*depth
		case c == ',':
			size += 1 + 2*depth
		case c == ':':
			size++
		}
	}
	return size
}

// hexLines shows the first bytes of a body, so many in a line.
func hexLines(body []byte, perLine int) []string {
	body = body[:min(len(body), hexed)]
	var lines []string
	for at := 0; at < len(body); at += perLine {
		row := body[at:min(at+perLine, len(body))]
		digits := hex.EncodeToString(row)
		var b strings.Builder
		fmt.Fprintf(&b, "%02x", at)
		for i := range perLine {
			if i < len(row) {
				b.WriteString(" " + digits[2*i:2*i+2])
			} else {
				b.WriteString("   ")
			}
		}
		b.WriteString("  ")
		for _, c := range row {
			if c < ' ' || c > '~' {
				c = '.'
			}
			b.WriteByte(c)
		}
		lines = append(lines, b.String())
	}
	return lines
}

// bodyNote says what stands in the place of a body, or is to be known of it;
// empty: it shows as it came.
func bodyNote(k kind, media string, kept, total int64) string {
	var notes []string
	switch k {
	case kindNone:
		return "The answer has no body."
	case kindBinary:
		what := "bytes that are no text"
		if media != "" {
			what = media + ", which is no text"
		}
		note := text.Bytes(total) + " of " + what
		if total > hexed {
			note += fmt.Sprintf("; these are the first %d", hexed)
		}
		return note + "."
	}
	if kept < total {
		notes = append(notes, fmt.Sprintf("The first %s of %s were kept to be shown.", text.Bytes(kept), text.Bytes(total)))
	}
	return strings.Join(notes, " ")
}

// textLines are the lines of a text as they came, for what shows them to make
// harmless.
func textLines(body []byte) []string {
	s := strings.TrimSuffix(string(body), "\n")
	return strings.Split(strings.ReplaceAll(s, "\r\n", "\n"), "\n")
}

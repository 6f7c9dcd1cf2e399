package fields

import "strings"

// A kind is how fields are found in a body.
type kind int

const (
	unknown   kind = iota // what it begins with decides
	untouched             // it has no fields
	refused               // its fields are not to be found
	document              // one JSON value
	either                // one JSON value, or one a line
	lines                 // one JSON value a line
	events                // an event stream
)

// sniffed is how much of the beginning of a body decides at most, in bytes.
// What begins with more white space than that is taken for JSON.
const sniffed = 4 << 10

// kindOf returns what a media type says, or unknown.
func kindOf(mediaType string) kind {
	mediaType, _, _ = strings.Cut(strings.ToLower(mediaType), ";")
	top, sub, _ := strings.Cut(strings.TrimSpace(mediaType), "/")
	sub = strings.TrimPrefix(sub, "x-")
	switch sub {
	case "json":
		return document
	case "ndjson", "jsonl", "jsonlines", "json-lines", "ldjson", "stream+json", "json-seq":
		return lines
	case "event-stream":
		return events
	case "javascript", "ecmascript", "jsonp":
		return refused // JSON in a call of a function (JSONP): a caller may ask for that
	}
	switch {
	case strings.HasSuffix(sub, "+json"):
		return document
	case strings.HasSuffix(sub, "+json-seq"):
		return lines
	case top == "multipart":
		return refused // documents in a document
	}
	return unknown
}

// sniff returns what the beginning of a body says, or unknown if that is too
// little. A body that is said to be an event stream is one if it does not begin
// with JSON.
func sniff(text []byte, said kind) kind {
	head := text[:min(len(text), sniffed)]
	rest := head
	for len(rest) > 0 && mayComeFirst(rest[0]) {
		rest = rest[1:]
	}
	switch {
	case len(rest) == 0 && len(head) < sniffed:
		return unknown
	case len(rest) == 0, rest[0] == '{', rest[0] == '[':
		return either
	case said == events:
		return events
	case rest[0] == ')': // as in )]}' before JSON that is not to be run as a script
		return refused
	}
	return sniffEvents(rest)
}

// mayComeFirst reports whether a byte may stand before JSON: white space and
// byte order marks, in UTF-8, UTF-16 and UTF-32.
func mayComeFirst(c byte) bool {
	return isSpace(c) || c == 0x1e || c == 0 || strings.IndexByte(bom+"\xfe\xff", c) >= 0
}

// sniffEvents returns events if a text begins with a field of an event stream
// or a comment in one, untouched if not, and unknown if that is not clear yet.
func sniffEvents(text []byte) kind {
	for _, name := range [...]string{"data:", "event:", "id:", "retry:", ":"} {
		n := min(len(name), len(text))
		if string(text[:n]) != name[:n] {
			continue
		}
		if n < len(name) {
			return unknown
		}
		return events
	}
	return untouched
}

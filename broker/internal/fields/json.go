package fields

import (
	"bytes"
	"encoding/json"
	"unicode/utf8"
)

// space is the white space of JSON (RFC 8259, section 2), and the record
// separator that begins a text of a JSON sequence (RFC 7464).
const space = " \t\r\n\x1e"

// bom is the byte order mark in UTF-8. It may stand before JSON and before an
// event stream.
const bom = "\ufeff"

// A span is a part of a text that is to be replaced.
type span struct{ start, end int }

// find returns where the values of the fields are in a document, in order.
func (f *Filter) find(doc []byte) ([]span, error) {
	text := bytes.TrimPrefix(doc, []byte(bom))
	text = bytes.TrimLeft(text, space)
	if !utf8.Valid(text) || !json.Valid(text) {
		return nil, errInvalid()
	}
	w := walker{text: doc, at: len(doc) - len(text), names: f.names}
	if err := w.walk(); err != nil {
		return nil, err
	}
	return w.found, nil
}

// A walker goes through a text that is known to be one JSON value.
type walker struct {
	text  []byte
	at    int
	names map[string]bool
	found []span
}

// walk looks at each key. The grammar was checked: what a character means
// follows from the innermost bracket and from what came before it.
func (w *walker) walk() error {
	var objects []bool // for each open bracket, whether it is a brace
	key := false       // the next string is one
	for w.at < len(w.text) {
		switch c := w.text[w.at]; c {
		case '{', '[':
			if len(objects) == MaxDepth {
				return errDepth()
			}
			objects = append(objects, c == '{')
			key = c == '{'
		case '}', ']':
			objects = objects[:len(objects)-1]
			key = false
		case ',':
			key = objects[len(objects)-1]
		case '"':
			start := w.at
			w.skipString()
			if !key {
				continue
			}
			key = false
			if !w.isBlocked(w.text[start:w.at]) {
				continue
			}
			if err := w.takeValue(MaxDepth - len(objects)); err != nil {
				return err
			}
			continue
		}
		w.at++
	}
	return nil
}

// isBlocked reports whether a key, which is still in quotes, is one of the
// names.
func (w *walker) isBlocked(quoted []byte) bool {
	if bytes.IndexByte(quoted, '\\') < 0 {
		return w.names[string(quoted[1:len(quoted)-1])]
	}
	var key string
	if json.Unmarshal(quoted, &key) != nil {
		return true // not reached: the grammar was checked
	}
	return w.names[key]
}

// takeValue notes the value that follows a key, and goes to its end. It may
// nest to the given depth.
func (w *walker) takeValue(depth int) error {
	for w.text[w.at] == ':' || isSpace(w.text[w.at]) {
		w.at++
	}
	start, open := w.at, 0
	for {
		switch w.text[w.at] {
		case '"':
			w.skipString()
		case '{', '[':
			if open == depth {
				return errDepth()
			}
			open++
			w.at++
		case '}', ']':
			open--
			w.at++
		default:
			w.at++
		}
		if open > 0 {
			continue
		}
		if c := w.text[start]; c == '"' || c == '{' || c == '[' || endsScalar(w.text[w.at]) {
			break
		}
	}
	w.found = append(w.found, span{start, w.at})
	return nil
}

// skipString goes behind the string that begins here.
func (w *walker) skipString() {
	for w.at++; w.text[w.at] != '"'; w.at++ {
		if w.text[w.at] == '\\' {
			w.at++
		}
	}
	w.at++
}

// endsScalar reports whether c comes after a number or a word in an object.
func endsScalar(c byte) bool { return c == ',' || c == '}' || isSpace(c) }

func isSpace(c byte) bool { return c == ' ' || c == '\t' || c == '\r' || c == '\n' }

// Package fields holds back JSON fields of an answer: the values of certain
// names, at any depth, do not leave the broker.
//
// A [Filter] puts [Marker] in the place of such a value, be it text, a number,
// an object or an array. All other bytes stay as they were, white space, the
// order of keys and the digits of numbers included. A name is compared with a
// key as that reads, so that no choice of escapes hides it, and every key of
// the name counts, should an object have several.
//
// What has no fields passes: pictures, text, HTML. What has, or may have, and
// cannot be read is refused, as a field could hide in it; see [Filter.Body].
// JSON that is the text of a string, as in the arguments of a tool call, is
// text here.
//
// In the broker this comes before package redact: a value that is held back
// needs no redaction, and what redaction replaces is inside values.
package fields

import (
	"bytes"

	"aivault/keys/fault"
)

// Marker is the JSON value that stands for one that is held back.
const Marker = `"[REDACTED]"`

// MaxDepth is how deep arrays and objects may nest.
const MaxDepth = 512

// MaxUnit is the limit of a line of NDJSON and of an event, in bytes.
const MaxUnit = 16 << 20

// A Filter holds back the fields of certain names. It is safe for concurrent
// use.
type Filter struct {
	names map[string]bool
}

// New returns a Filter for the names, each of which is a key of an object,
// upper and lower case told apart. Without names it changes and refuses
// nothing.
func New(names []string) *Filter {
	f := &Filter{names: make(map[string]bool, len(names))}
	for _, name := range names {
		f.names[name] = true
	}
	return f
}

// Body returns b without the values of the fields, and how many there were; b
// itself if there are none. The media type may have parameters, and decides
// together with what b begins with:
//
//   - application/json, and all of the suffix +json (RFC 6839): one value
//   - application/x-ndjson and its like: one value a line
//   - text/event-stream, or a text that begins as one: the data of each event,
//     as one value or line by line. Data that is no JSON stays as it is
//   - all else that begins with a brace or bracket: one value, or one a line
//   - a script, which can be JSON in a call of a function, and multipart: refused
//
// An error is a fault.UpstreamStatus for what should be JSON and is not (it has
// to be in UTF-8), and for JSON that nests deeper than [MaxDepth]; it is a
// fault.ResponseTooLarge for a line or event longer than [MaxUnit].
func (f *Filter) Body(mediaType string, b []byte) (out []byte, n int, err error) {
	s := f.Stream(mediaType)
	if s.kind == untouched {
		return b, 0, nil
	}
	out, err = s.Write(b)
	if err != nil {
		return nil, 0, err
	}
	out = bytes.Clone(out)
	rest, err := s.End()
	if err != nil {
		return nil, 0, err
	}
	if s.Count() == 0 {
		return b, 0, nil
	}
	return append(out, rest...), s.Count(), nil
}

// document appends a document of one value to dst, without the values of the
// fields, and returns how many there were. White space alone is a document too.
func (f *Filter) document(dst, doc []byte) ([]byte, int, error) {
	if len(bytes.TrimLeft(doc, space)) == 0 {
		return append(dst, doc...), 0, nil
	}
	edits, err := f.find(doc)
	if err != nil {
		return dst, 0, err
	}
	done := 0
	for _, e := range edits {
		dst = append(dst, doc[done:e.start]...)
		dst = append(dst, Marker...)
		done = e.end
	}
	return append(dst, doc[done:]...), len(edits), nil
}

// lines is document for one value a line.
func (f *Filter) lines(dst, text []byte) (_ []byte, n int, err error) {
	for line := range bytes.Lines(text) {
		var found int
		if dst, found, err = f.document(dst, line); err != nil {
			return dst, n, err
		}
		n += found
	}
	return dst, n, nil
}

// either is document or lines, whatever the text is.
func (f *Filter) either(dst, text []byte) ([]byte, int, error) {
	if out, n, err := f.document(dst, text); err == nil {
		return out, n, nil
	}
	return f.lines(dst, text)
}

func errInvalid() error {
	return fault.New(fault.UpstreamStatus, "the answer is no valid JSON, so that its fields cannot be held back").
		WithHint("the policy of the capability holds back fields; ask the service for JSON, or for what has no fields")
}

func errDepth() error {
	return fault.New(fault.UpstreamStatus, "the JSON of the answer nests deeper than %d levels, so that its fields cannot be held back", MaxDepth)
}

func errTooLong() error {
	return fault.New(fault.ResponseTooLarge, "a line or an event of the answer is longer than %d bytes, so that its fields cannot be held back", MaxUnit)
}

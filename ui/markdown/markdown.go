// Package markdown renders a JSON value as markdown, for people and for models.
//
// A value at the top, or in an object (a member), is rendered so:
//
//   - text as it is; numbers with the digits that they came with
//   - null, blank text, an empty array and an empty object as None; null at
//     the top as nothing
//   - an object as a section for each key, in the order of their bytes: a
//     heading of the first level with the key as a title, an empty line, the
//     value. Empty lines separate sections. The title of created_at is
//     "Created At"
//   - an array of text, numbers, true, false and null as a list, one bullet for
//     each, indented by two spaces; null and blank text as None. Further lines
//     of a text are indented by four
//   - an array of objects as these, with empty lines between
//   - any other array element by element, none of them left out: an array or
//     object in tags with empty lines around them, everything else as a bullet
//
// A member that is an object or an array of objects is in tags that have its
// key, and so is an array or object within an array of several sorts:
//
//	<begin owner>
//	# Login
//
//	octocat
//	</end owner>
//
// Without a key, in an array at the top, the tag says item. [Options.Wrap] puts
// text into tags, and [Options.Namespace] the whole.
//
// What is in tags may be hostile, and must not pretend to end there. In text
// and keys the < of what reads as a tag, white space, invisible characters and
// other widths of the letters included, becomes &lt;. A tag whose name is open
// already has a number added, as in <begin owner 2>, so that a name of the
// caller's is closed once, by its own end tag. Text without a namespace around
// it, and without JSON, is not in tags, and stays as it is.
//
// The text of a value is markdown of whoever wrote it, and can have headings of
// its own: what matters must be in tags. Control characters of text are left
// to who prints it on a terminal.
package markdown

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"unicode/utf8"

	"aivault/keys/fault"
)

// MaxDepth is how deep arrays and objects may nest.
const MaxDepth = 512

const none = "None"

// Options say what to leave out and what to put into tags.
type Options struct {
	Namespace string   // the name of tags around the whole; blank: none
	Exclude   []string // keys of objects that are left out, at every depth
	Wrap      []string // keys whose value is put into tags if it is text
}

// Render returns body as markdown: as JSON if it is JSON, else as text. There
// is no line break at the end but with a namespace, whose tags are lines. An
// empty body stays empty, and has no tags around it. (JSON of more levels than
// encoding/json reads, 10,000, is text.)
//
// An error is a fault.UpstreamStatus: the body is not in UTF-8, or nests deeper
// than [MaxDepth].
func Render(body []byte, o Options) ([]byte, error) {
	if len(body) == 0 {
		return nil, nil
	}
	if !utf8.Valid(body) {
		return nil, fault.New(fault.UpstreamStatus, "the answer is neither JSON nor text in UTF-8, so that it cannot be shown as markdown").
			WithHint("use invoke, which passes it on as it is")
	}
	w := newWriter(o)
	inTags := !isBlank(o.Namespace)
	if inTags {
		w.begin(o.Namespace)
	}
	start := w.out.Len()
	if value, err := decode(body); err != nil {
		w.topText(string(body))
	} else if err := w.top(value); err != nil {
		return nil, err
	}
	if w.out.Len() == start {
		return nil, nil
	}
	if inTags {
		w.end()
		w.out.WriteByte('\n')
	}
	return w.out.Bytes(), nil
}

// decode returns the one value of a JSON document, numbers as json.Number. Of
// equal keys the last counts.
func decode(body []byte) (any, error) {
	dec := json.NewDecoder(bytes.NewReader(bytes.TrimPrefix(body, []byte("\ufeff"))))
	dec.UseNumber()
	var value any
	if err := dec.Decode(&value); err != nil {
		return nil, err
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("more than one value")
	}
	return value, nil
}

func errDepth() error {
	return fault.New(fault.UpstreamStatus, "the JSON of the answer nests deeper than %d levels", MaxDepth).
		WithHint("use invoke, which passes it on as it is")
}

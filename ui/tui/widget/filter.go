package widget

import (
	"slices"
	"strings"

	"aivault/keys/fault"
)

// A Filter says which rows of a list are shown. All of its parts must hold:
//
//	word         the text has it somewhere, whatever the case
//	"two words"  the same, with spaces; nothing in quotes is a field
//	ws:shop      a field has this value; what that means is the list's
//	pinned       a field without a value, if the list has one of that name
//	!part        the part does not hold
//
// A colon makes a field of the letters before it, except where what follows is
// "//" or has a colon of its own: addresses and ids are words.
type Filter struct {
	parts []part
}

// A part of a filter: a word if it has no field.
type part struct {
	not          bool
	field, value string
}

// ParseFilter reads a filter. Fields are the names that a list knows: as "ws:"
// with a value, as "pinned" without. A field that it does not know is an error;
// one that has no value yet is no part of the filter.
func ParseFilter(q string, fields []string) (Filter, error) {
	var f Filter
	for q = strings.TrimLeft(q, " "); q != ""; q = strings.TrimLeft(q, " ") {
		var tok token
		tok, q = next(q)
		p := part{not: tok.not}
		name, value, colon := strings.Cut(tok.text, ":")
		low := strings.ToLower(name)
		switch {
		case tok.quoted == 0: // begins with a quote
			p.value = strings.ToLower(tok.text)
		case colon && slices.Contains(fields, low+":"):
			p.field, p.value = low, strings.ToLower(value)
		case colon && letters(name) && (tok.quoted == len(name)+1 || !strings.HasPrefix(value, "//") && !strings.Contains(value, ":")):
			return Filter{}, unknown(low, fields)
		case !colon && slices.Contains(fields, low):
			p.field = low
			f.parts = append(f.parts, p)
			continue
		default:
			p.value = strings.ToLower(tok.text)
		}
		if p.value != "" {
			f.parts = append(f.parts, p)
		}
	}
	return f, nil
}

// A token is a part of a filter as it is typed, without its quotes.
type token struct {
	not    bool
	text   string
	quoted int // where in text the quotes began, -1 if there are none
}

// next cuts the first token off. A quote that nothing closes goes to the end.
func next(q string) (token, string) {
	t := token{quoted: -1}
	if rest, ok := strings.CutPrefix(q, "!"); ok {
		t.not, q = true, rest
	}
	var b strings.Builder
	in := false
	for i := 0; i < len(q); i++ {
		switch c := q[i]; {
		case c == '"':
			in = !in
			if t.quoted < 0 {
				t.quoted = b.Len()
			}
		case c == ' ' && !in:
			t.text = b.String()
			return t, q[i:]
		default:
			b.WriteByte(c)
		}
	}
	t.text = b.String()
	return t, ""
}

func letters(s string) bool {
	for i := 0; i < len(s); i++ {
		if c := lower(s[i]); c < 'a' || c > 'z' {
			return false
		}
	}
	return s != ""
}

func unknown(name string, fields []string) error {
	err := fault.New(fault.InvalidRequest, "there is no field %q", name+":")
	if len(fields) == 0 {
		return err.WithHint("put it into quotes to look for the words")
	}
	return err.WithHint("fields are %s", strings.Join(fields, ", "))
}

// Any reports whether the filter lets everything through.
func (f Filter) Any() bool { return len(f.parts) == 0 }

// Match reports whether a row is shown. The text is what words are looked for
// in, in lower case; field says whether a field of the row, by its name without
// the colon, has a value, in lower case, which is empty for fields without one.
func (f Filter) Match(text string, field func(name, value string) bool) bool {
	for _, p := range f.parts {
		var holds bool
		if p.field == "" {
			holds = strings.Contains(text, p.value)
		} else {
			holds = field(p.field, p.value)
		}
		if holds == p.not {
			return false
		}
	}
	return true
}

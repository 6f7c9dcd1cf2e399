package oauth

// An object says where the members of a JSON object are in its text, so that
// values can be replaced and all else be left as it is.
type object struct {
	open, end int // of the braces
	members   []member
}

// A member is a key and its value; numbers are offsets in the text, and an end
// is the offset after it.
type member struct {
	start, finish   int // with the space around it, without commas
	key, keyEnd     int // with the quotes
	value, valueEnd int
	field           field
}

// scan finds the members of an object. The text must be known to be a valid
// one.
func scan(doc []byte) object {
	o := object{open: skipSpace(doc, 0)}
	at := o.open + 1
	for {
		m := member{start: at, field: fieldUnknown}
		m.key = skipSpace(doc, at)
		if doc[m.key] == '}' { // an empty object
			o.end = m.key
			return o
		}
		m.keyEnd = skipString(doc, m.key)
		m.value = skipSpace(doc, skipSpace(doc, m.keyEnd)+1) // after the colon
		m.valueEnd = skipValue(doc, m.value)
		m.finish = skipSpace(doc, m.valueEnd)
		o.members = append(o.members, m)
		if doc[m.finish] == '}' {
			o.end = m.finish
			return o
		}
		at = m.finish + 1
	}
}

func skipSpace(doc []byte, at int) int {
	for doc[at] == ' ' || doc[at] == '\t' || doc[at] == '\n' || doc[at] == '\r' {
		at++
	}
	return at
}

// skipString returns the offset after the string that begins at a quote.
func skipString(doc []byte, at int) int {
	for at++; doc[at] != '"'; at++ {
		if doc[at] == '\\' {
			at++
		}
	}
	return at + 1
}

// skipValue returns the offset after a value.
func skipValue(doc []byte, at int) int {
	for depth := 0; ; {
		switch doc[at] {
		case '"':
			at = skipString(doc, at)
		case '{', '[':
			depth++
			at++
		case '}', ']':
			depth--
			at++
		default:
			at++
		}
		if depth > 0 {
			continue
		}
		switch doc[at-1] {
		case '"', '}', ']':
			return at
		}
		switch doc[at] { // what ends a number, true, false or null
		case ',', '}', ']', ' ', '\t', '\n', '\r':
			return at
		}
	}
}

// An edit is what becomes of a field.
type edit struct {
	changed bool
	value   []byte // JSON; nil: the field goes away
}

// edited returns the text with the fields changed. New ones come last, laid
// out as the member before them.
func (o *object) edited(doc []byte, edits [fieldCount]edit, snake bool) []byte {
	size := len(doc)
	for _, e := range edits {
		size += len(e.value) + 64 // a key and its layout
	}
	var kept []member
	for _, m := range o.members {
		if m.field == fieldUnknown || !edits[m.field].changed || edits[m.field].value != nil {
			kept = append(kept, m)
		}
		size += int(fieldCount) * (m.value - m.start) // a layout may be used again
	}
	e := editor{doc: doc, out: make([]byte, 0, size), edits: edits}
	e.out = append(e.out, doc[:o.open+1]...)
	for i, m := range kept {
		if i > 0 {
			e.out = append(e.out, ',')
		}
		e.write(m)
		if i == len(kept)-1 {
			e.writeRest(doc[m.start:m.key], doc[m.keyEnd:m.value], ",", snake)
		}
		e.out = append(e.out, doc[m.valueEnd:m.finish]...)
	}
	if len(kept) == 0 {
		e.writeRest(nil, []byte(":"), "", snake)
	}
	return append(e.out, doc[o.end:]...)
}

// An editor writes the members of an object anew.
type editor struct {
	doc, out []byte
	edits    [fieldCount]edit
}

// write writes a member up to the end of its value.
func (e *editor) write(m member) {
	value := e.doc[m.value:m.valueEnd]
	if m.field != fieldUnknown && e.edits[m.field].changed {
		value = e.edits[m.field].value
		e.edits[m.field].value = nil
	}
	e.out = append(append(e.out, e.doc[m.start:m.value]...), value...)
}

// writeRest writes the fields that were not there before. Lead is what stands
// before a key, colon what stands after it, comma what stands before the first
// of them.
func (e *editor) writeRest(lead, colon []byte, comma string, snake bool) {
	for f := range fieldCount {
		if e.edits[f].value == nil {
			continue
		}
		e.out = append(append(e.out, comma...), lead...)
		e.out = append(append(append(e.out, '"'), nameOf(f, snake)...), '"')
		e.out = append(append(e.out, colon...), e.edits[f].value...)
		comma = ","
	}
}

package fields

import "bytes"

// A piece is the value of a data line of an event.
type piece struct {
	at  int // where it begins in the text of the event
	doc int // where it begins in the data of the event
	len int
}

// event appends an event to dst, without the values of its fields, and returns
// how many there were. The data of an event is its data lines, joined by line
// breaks (WHATWG HTML, section 9.2.6); some readers take each of them alone. It
// is filtered as one value if it is one, else line by line.
func (f *Filter) event(dst, text []byte) ([]byte, int, error) {
	pieces, data, err := dataLines(text)
	if err != nil {
		return dst, 0, err
	}
	edits, err := f.find(data)
	if err != nil {
		if edits, err = f.findInLines(data); err != nil {
			return dst, 0, err
		}
	}
	done, i := 0, 0
	for _, e := range edits {
		for e.start >= pieces[i].doc+pieces[i].len {
			i++
		}
		dst = append(dst, text[done:pieces[i].at+e.start-pieces[i].doc]...)
		dst = append(dst, Marker...)
		for ; ; i++ {
			p := pieces[i]
			to := min(e.end, p.doc+p.len)
			done = p.at + to - p.doc
			if to == e.end {
				break
			}
			dst = append(dst, text[done:pieces[i+1].at]...) // the value goes on in the next data line
		}
	}
	return append(dst, text[done:]...), len(edits), nil
}

// findInLines is find for each line of data that is no JSON as a whole. A line
// that is no JSON either, such as [DONE], has no fields, unless it looks as if
// it were to be JSON.
func (f *Filter) findInLines(data []byte) ([]span, error) {
	var all []span
	at := 0
	for line := range bytes.Lines(data) {
		edits, err := f.find(line)
		if err != nil && mayHaveFields(line) {
			return nil, err
		}
		for _, e := range edits {
			all = append(all, span{at + e.start, at + e.end})
		}
		at += len(line)
	}
	return all, nil
}

// mayHaveFields reports whether a lenient reader could take a line for JSON
// with a field in it.
func mayHaveFields(line []byte) bool {
	line = bytes.TrimLeft(bytes.TrimPrefix(line, []byte(bom)), space)
	return bytes.HasPrefix(line, []byte("{")) || bytes.HasPrefix(line, []byte("[")) && bytes.ContainsAny(line, `"'{`)
}

// dataLines returns the data of an event, and where it is. A line outside it
// that may have fields is an error.
func dataLines(text []byte) (pieces []piece, data []byte, err error) {
	for at := 0; at < len(text); {
		line, next := cutLine(text, at)
		end := at + len(line)
		if at == 0 {
			line = bytes.TrimPrefix(line, []byte(bom))
		}
		value, ok := dataValue(line)
		if !ok && mayHaveFields(line) {
			return nil, nil, errInvalid()
		}
		if ok {
			if len(pieces) > 0 {
				data = append(data, '\n')
			}
			pieces = append(pieces, piece{at: end - len(value), doc: len(data), len: len(value)})
			data = append(data, value...)
		}
		at = next
	}
	return pieces, data, nil
}

// cutLine returns the line that begins at a place, and where the next begins.
// Between CR and LF it finds an empty line, which means nothing here.
func cutLine(text []byte, at int) (line []byte, next int) {
	n := bytes.IndexAny(text[at:], "\r\n")
	if n < 0 {
		return text[at:], len(text)
	}
	return text[at : at+n], at + n + 1
}

// dataValue returns the value of a data line. Some readers take a line with
// space before it for one too.
func dataValue(line []byte) ([]byte, bool) {
	value, ok := bytes.CutPrefix(bytes.TrimLeft(line, space), []byte("data"))
	if !ok || len(value) == 0 {
		return value, ok
	}
	if value[0] != ':' {
		return nil, false
	}
	return bytes.TrimPrefix(value[1:], []byte(" ")), true
}

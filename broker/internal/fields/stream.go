package fields

import "bytes"

// A Stream is a [Filter] for a body that comes in pieces. What it returns is
// together what [Filter.Body] makes of the whole, wherever the body is cut.
//
// An event or a line leaves when it is complete. A document of one value is
// held until the end: the caller bounds what it writes. What has no fields
// passes at once.
//
// It is for one goroutine.
type Stream struct {
	f    *Filter
	said kind // what the media type says
	kind kind
	buf  []byte
	out  []byte
	n    int
	err  error

	// Of lines and events, in buf:
	start int  // where the one begins that is to be completed
	at    int  // up to where it was looked through
	line  int  // where the line begins that at is in
	cr    bool // CR came before at, and LF would belong to it
}

// Stream returns a Stream for a body of the media type; see [Filter.Body].
func (f *Filter) Stream(mediaType string) *Stream {
	s := &Stream{f: f, said: kindOf(mediaType)}
	switch {
	case len(f.names) == 0:
		s.kind = untouched
	case s.said != events:
		s.kind = s.said
	}
	return s
}

// Write takes the next piece of the body, and returns what may leave now; it
// is valid until the next call. It keeps nothing of p. Together with an error,
// which is as that of [Filter.Body], it returns what came before that; nothing
// is returned after it.
func (s *Stream) Write(p []byte) ([]byte, error) {
	s.out = s.out[:0]
	if s.err != nil {
		return nil, s.err
	}
	if s.kind == untouched {
		s.out = append(s.out, p...)
		return s.out, nil
	}
	s.buf = append(s.buf, p...)
	if s.kind == unknown {
		s.kind = sniff(s.buf, s.said)
	}
	switch s.kind {
	case untouched:
		s.out = append(s.out, s.buf...)
		s.buf = nil
	case refused:
		s.err = s.refuse()
	case lines:
		s.err = s.split(s.endOfLine, s.f.document)
	case events:
		s.err = s.split(s.endOfEvent, s.f.event)
	}
	return s.out, s.err
}

// End returns the rest of the body, when that is complete. A last line or event
// needs no line break. Nothing may be written after it.
func (s *Stream) End() ([]byte, error) {
	s.out = s.out[:0]
	if s.err != nil {
		return nil, s.err
	}
	switch s.kind {
	case unknown:
		s.out = append(s.out, s.buf...)
	case document, lines:
		s.err = s.put(s.f.document, s.buf)
	case either:
		s.err = s.put(s.f.either, s.buf)
	case events:
		s.err = s.put(s.f.event, s.buf)
	}
	s.buf = nil
	return s.out, s.err
}

// Cut returns the rest of a body that broke off: nothing of a line, an event or
// a document that is not complete. Nothing may be written after it.
func (s *Stream) Cut() []byte {
	s.out = s.out[:0]
	if s.kind == unknown && s.err == nil {
		s.out = append(s.out, s.buf...)
	}
	s.buf = nil
	return s.out
}

// Count returns how many values were held back so far.
func (s *Stream) Count() int { return s.n }

// refuse is the error of a body whose fields cannot be found, unless there is
// no body.
func (s *Stream) refuse() error {
	if len(s.buf) == 0 {
		return nil
	}
	return errInvalid()
}

// put lets a unit leave, without the values of its fields.
func (s *Stream) put(filter func(dst, text []byte) ([]byte, int, error), unit []byte) error {
	out, n, err := filter(s.out, unit)
	if err != nil {
		return err
	}
	s.out = out
	s.n += n
	return nil
}

// split puts each unit that is complete, and keeps the rest.
func (s *Stream) split(isEnd func() bool, filter func(dst, text []byte) ([]byte, int, error)) error {
	for s.at < len(s.buf) {
		if !isEnd() {
			continue
		}
		unit := s.buf[s.start:s.at]
		if len(unit) > MaxUnit {
			return errTooLong()
		}
		if err := s.put(filter, unit); err != nil {
			return err
		}
		s.start = s.at
	}
	if s.at-s.start > MaxUnit {
		return errTooLong()
	}
	if s.start == 0 {
		return nil
	}
	s.buf = s.buf[:copy(s.buf, s.buf[s.start:])]
	s.at -= s.start
	s.line -= s.start
	s.start = 0
	return nil
}

// endOfLine goes on to the end of the line, and reports whether that is there.
func (s *Stream) endOfLine() bool {
	n := bytes.IndexByte(s.buf[s.at:], '\n')
	if n < 0 {
		s.at = len(s.buf)
		return false
	}
	s.at += n + 1
	return true
}

// endOfEvent goes on to the end of the line, and reports whether an event may
// leave: after that of an empty line. Lines end in LF, CR or both, and the LF
// may come when the event has left already.
func (s *Stream) endOfEvent() bool {
	n := bytes.IndexAny(s.buf[s.at:], "\r\n")
	if n < 0 {
		s.at, s.cr = len(s.buf), false
		return false
	}
	end := s.at + n
	afterCR := s.cr && n == 0
	isEmpty := s.line == end
	s.at, s.line = end+1, end+1
	s.cr = s.buf[end] == '\r'
	if s.buf[end] == '\n' && afterCR {
		return s.start == end
	}
	return isEmpty
}

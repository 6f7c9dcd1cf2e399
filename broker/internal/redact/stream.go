package redact

// lookback is how much of the text before a match decides on it, in bytes: the
// longest escape after which a word may begin.
const lookback = 6

// minCut is how many bytes of what could be a form leave a [Marker] behind
// where a text is cut off.
const minCut = 4

// A Stream finds what its [Redactor] finds, in a text that comes in pieces:
// what it returns is together what [Redactor.Bytes] makes of the whole,
// wherever the text is cut.
//
// It holds back a tail only as long as that is the beginning of some form, or
// of an escape that is not all there; so at most the longest form of the
// longest value. A complete event of a stream ends in an empty line, with which
// no form goes on unless the value has one, and so leaves at once.
//
// It is for one goroutine.
type Stream struct {
	m    *matcher
	buf  []byte // up to lookback bytes that are done with, then what is not decided
	from int    // in buf, where the next match could begin
	done int    // in buf, up to where the text has left or was replaced: from, or within a match more
	out  []byte
	n    int
}

// Stream returns a Stream that finds what r finds. The Redactor must not be
// cleared before the Stream has come to its end.
func (r *Redactor) Stream() *Stream { return &Stream{m: &r.m} }

// Write takes the next piece of the text, and returns what may leave now; it
// is valid until the next call. It keeps nothing of p.
func (s *Stream) Write(p []byte) []byte {
	s.buf = append(s.buf, p...)
	s.advance(false)
	s.trim()
	return s.out
}

// End returns the rest of the text, when that is complete. Nothing may be
// written after it.
func (s *Stream) End() []byte {
	s.advance(true)
	s.clear()
	return s.out
}

// Cut returns the rest of a text that broke off. What could be the beginning
// of a form is dropped, as it may be that of a secret whose end will not come;
// if that is a form, or four bytes and more of one, a [Marker] stands for it.
// Nothing may be written after it.
func (s *Stream) Cut() []byte {
	s.out = s.out[:0]
	if held := s.buf[s.from:]; s.done == s.from && len(held) > 0 {
		_, end := s.m.next(s.buf, s.from, true)
		if end != 0 || len(held) >= minCut {
			s.out = append(s.out, Marker...)
			s.n++
		}
	}
	s.clear()
	return s.out
}

// Count returns how many occurrences were replaced so far.
func (s *Stream) Count() int { return s.n }

// advance decides on as much as can be decided, and puts into s.out what may
// leave.
func (s *Stream) advance(whole bool) {
	s.out = s.out[:0]
	for {
		start, end := s.m.next(s.buf, s.from, whole)
		if start > s.done {
			s.out = append(s.out, s.buf[s.done:start]...)
			s.done = start
		}
		s.from = start
		if end <= 0 { // none, or open
			return
		}
		if start >= s.done {
			s.out = append(s.out, Marker...)
			s.n++
		}
		s.done = max(s.done, end)
		s.from++
	}
}

// trim forgets what no later decision needs.
func (s *Stream) trim() {
	drop := s.from - lookback
	if drop <= 0 {
		return
	}
	rest := copy(s.buf, s.buf[drop:])
	clear(s.buf[rest:])
	s.buf = s.buf[:rest]
	s.from -= drop
	s.done -= drop
}

// clear overwrites what was held: it may be part of a secret.
func (s *Stream) clear() {
	clear(s.buf[:cap(s.buf)])
	s.buf, s.from, s.done = s.buf[:0], 0, 0
}

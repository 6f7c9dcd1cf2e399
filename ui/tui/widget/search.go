package widget

import (
	"sort"
	"strings"
	"unicode"
	"unicode/utf8"
)

// A search is what people look for in a viewer, and where it was found.
type search struct {
	needle needle
	gen    int // counts needles
	hits   []hit
	total  int
	at     int // the hit that was gone to
	nth    int // which match of its line
	origin place
}

// A hit is a line with matches, and how many there are before it.
type hit struct{ line, before int }

// A needle is what is looked for, without regard to case.
type needle struct {
	ascii string // in lower case, if it is ASCII
	runes []rune // otherwise
}

func newNeedle(q string) needle {
	runes := []rune(q)
	for i, r := range runes {
		runes[i] = unicode.ToLower(r)
	}
	if low := string(runes); isASCII(low) {
		return needle{ascii: low}
	}
	return needle{runes: runes}
}

func (n needle) none() bool { return n.ascii == "" && n.runes == nil }

// find returns the first match in s at or after a byte; from is -1 if there is
// none.
func (n needle) find(s string, at int) (from, to int) {
	if n.none() {
		return -1, 0
	}
	if n.runes == nil {
		for ; at+len(n.ascii) <= len(s); at++ {
			if lower(s[at]) == n.ascii[0] && n.same(s[at:]) {
				return at, at + len(n.ascii)
			}
		}
		return -1, 0
	}
	for at < len(s) {
		if size := n.prefix(s[at:]); size > 0 {
			return at, at + size
		}
		_, size := utf8.DecodeRuneInString(s[at:])
		at += size
	}
	return -1, 0
}

func lower(c byte) byte {
	if c >= 'A' && c <= 'Z' {
		c += 'a' - 'A'
	}
	return c
}

func (n needle) same(s string) bool {
	for i := 1; i < len(n.ascii); i++ {
		if lower(s[i]) != n.ascii[i] {
			return false
		}
	}
	return true
}

// prefix returns the length of the match that s begins with.
func (n needle) prefix(s string) int {
	i := 0
	for _, want := range n.runes {
		r, size := utf8.DecodeRuneInString(s[i:])
		if size == 0 || unicode.ToLower(r) != want {
			return 0
		}
		i += size
	}
	return i
}

// all returns every match in s.
func (n needle) all(s string) (out [][2]int) {
	for at := 0; ; {
		from, to := n.find(s, at)
		if from < 0 {
			return out
		}
		out = append(out, [2]int{from, to})
		at = to
	}
}

// count returns how many matches there are in s.
func (n needle) count(s string) int {
	for at, c := 0, 0; ; c++ {
		from, to := n.find(s, at)
		if from < 0 {
			return c
		}
		at = to
	}
}

// Search looks for q as it is typed, goes to the first match at or after what
// showed when it began, and returns how many there are. An empty q ends it.
func (v *Viewer) Search(q string) (matches int) {
	if v.needle.none() {
		line, row := v.first()
		v.origin = place{line, v.start(line, row)}
	}
	v.needle = newNeedle(v.ink.line(q)) // as it shows
	v.gen++
	v.hits, v.total, v.at, v.nth = nil, 0, 0, 0
	v.count(0)
	if v.total == 0 {
		return 0
	}
	at := sort.Search(len(v.hits), func(i int) bool { return v.hits[i].line >= v.origin.line })
	nth := 0
	if at < len(v.hits) && v.hits[at].line == v.origin.line {
		found := v.matches(v.hits[at].line)
		nth = sort.Search(len(found), func(i int) bool { return found[i][0] >= v.origin.off })
		if nth == len(found) {
			at, nth = at+1, 0
		}
	}
	v.at, v.nth = at%len(v.hits), nth
	v.reveal()
	return v.total
}

// count counts the matches from a line on.
func (v *Viewer) count(from int) {
	if v.needle.none() {
		return
	}
	for i := from; i < v.Len(); i++ {
		if n := v.needle.count(v.searched(i)); n > 0 {
			v.hits = append(v.hits, hit{i, v.total})
			v.total += n
		}
	}
}

// searched returns the display form of a line, which is not kept: a search
// looks at all lines.
func (v *Viewer) searched(i int) string {
	if v.styled == nil && printable(v.raw[i], !strings.Contains(v.needle.ascii, " ")) {
		return v.raw[i] // its own display form, or one with tabs for spaces
	}
	if d := v.cache[i]; d != nil {
		return d.form
	}
	return v.make(i).form
}

// printable reports whether s is printable ASCII, or tabs where they will do.
func printable(s string, tabs bool) bool {
	for i := 0; i < len(s); i++ {
		if (s[i] < ' ' || s[i] > '~') && (s[i] != '\t' || !tabs) {
			return false
		}
	}
	return true
}

// matches returns the matches in a line.
func (v *Viewer) matches(i int) [][2]int {
	if v.needle.none() {
		return nil
	}
	d := v.line(i)
	if d.gen != v.gen {
		d.found, d.gen = v.needle.all(d.form), v.gen
	}
	return d.found
}

// Next goes to the next match, after the last one to the first.
func (v *Viewer) Next() {
	if v.total == 0 {
		return
	}
	if v.nth++; v.nth >= len(v.matches(v.hits[v.at].line)) {
		v.at, v.nth = (v.at+1)%len(v.hits), 0
	}
	v.reveal()
}

// Prev goes to the match before.
func (v *Viewer) Prev() {
	if v.total == 0 {
		return
	}
	if v.nth--; v.nth < 0 {
		v.at = (v.at + len(v.hits) - 1) % len(v.hits)
		v.nth = len(v.matches(v.hits[v.at].line)) - 1
	}
	v.reveal()
}

// Match returns which match was gone to, from 1 on, of how many.
func (v *Viewer) Match() (n, of int) {
	if v.total == 0 {
		return 0, 0
	}
	return v.hits[v.at].before + v.nth + 1, v.total
}

func (v *Viewer) isCurrent(line, m int) bool {
	return v.total > 0 && v.hits[v.at].line == line && v.nth == m
}

// clampMatch keeps the match that is gone to among those of a new text.
func (v *Viewer) clampMatch() {
	if v.at >= len(v.hits) {
		v.at, v.nth = 0, 0
	}
	if v.total > 0 {
		v.nth = min(v.nth, len(v.matches(v.hits[v.at].line))-1)
	}
}

// reveal scrolls to the match that is gone to, unless it shows.
func (v *Viewer) reveal() {
	line := v.hits[v.at].line
	found := v.matches(line)[v.nth]
	v.tail = false
	row := v.rowOf(line, found[0])
	if !v.visible(line, row) {
		v.goTo(line, row)
		v.scroll(-v.h / 3)
	}
	if v.Wrap {
		return
	}
	d := v.line(line)
	from, to := d.cellOf(found[0]), d.cellOf(found[1])
	if from < v.x || to > v.x+v.w-1 {
		v.x = max(from-v.w/3, 0)
	}
}

// visible reports whether a row shows.
func (v *Viewer) visible(line, row int) bool {
	l, r := v.first()
	for range v.h {
		if l == line && r == row {
			return true
		}
		if r++; l < v.Len() && r >= v.rows(l) {
			l, r = l+1, 0
		}
	}
	return false
}

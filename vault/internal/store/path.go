package store

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
	"sort"
)

// paths looks at the pages on the way to a key before bbolt goes there. In a
// damaged tree a page may lead back to itself, or to one above it: bbolt follows
// until it has used up the stack, which no program survives, or all the memory
// of the machine.
type paths struct {
	file  *opened // nil: a file that we are making, in which nothing is damaged
	size  int64   // of a page
	known map[uint64][]byte
	spare []byte // for the next page
}

// branch returns a page with all that belongs to it if it is a branch, and nil
// for a leaf that holds something.
func (p *paths) branch(id uint64) ([]byte, error) {
	if b, ok := p.known[id]; ok {
		return b, nil
	}
	b, err := p.read(id)
	if err != nil {
		return nil, err
	}
	if p.known == nil {
		p.known = map[uint64][]byte{}
	}
	p.known[id] = b
	return b, nil
}

func (p *paths) read(id uint64) ([]byte, error) {
	const farthest, longest = 1 << 42, 1 << 28 // no file has a page behind, and none is longer
	if id >= farthest {
		return nil, fmt.Errorf("%w: it has no page %d", ErrDamaged, id)
	}
	if p.spare == nil {
		p.spare = make([]byte, p.size)
	}
	if _, err := p.file.ReadAt(p.spare, int64(id)*p.size); err != nil {
		return nil, explainPage(id, err)
	}
	switch binary.NativeEndian.Uint16(p.spare[8:]) {
	case branchPage:
	case leafPage:
		return nil, nil
	default:
		return nil, fmt.Errorf("%w: page %d is no part of its tree", ErrDamaged, id)
	}
	n := (int64(binary.NativeEndian.Uint32(p.spare[12:])) + 1) * p.size
	if n > longest {
		return nil, fmt.Errorf("%w: page %d is too long", ErrDamaged, id)
	}
	if n == p.size {
		b := p.spare
		p.spare = nil
		return b, nil
	}
	b := make([]byte, n)
	_, err := p.file.ReadAt(b, int64(id)*p.size)
	return b, explainPage(id, err)
}

func explainPage(id uint64, err error) error {
	if errors.Is(err, io.EOF) {
		return fmt.Errorf("%w: it has no page %d", ErrDamaged, id)
	}
	return err
}

// A step is where one page leads: a leaf, and the keys between which those in it
// are; nil: there is no such bound.
type step struct {
	leaf         uint64
	lower, upper []byte
}

// A pick chooses one of n pages, of each of which it can ask for the first key.
type pick func(n int, key func(int) []byte) int

// to picks the page in which a key is, as bbolt does.
func to(key []byte) pick {
	return func(n int, first func(int) []byte) int {
		i := sort.Search(n, func(i int) bool { return bytes.Compare(first(i), key) >= 0 })
		if i > 0 && (i == n || !bytes.Equal(first(i), key)) {
			i--
		}
		return i
	}
}

// before picks the page in which the last key before another one is.
func before(key []byte) pick {
	return func(n int, first func(int) []byte) int {
		return max(0, sort.Search(n, func(i int) bool { return bytes.Compare(first(i), key) >= 0 })-1)
	}
}

// last picks the last page.
func last(n int, _ func(int) []byte) int { return n - 1 }

// follow goes from the root to a leaf.
func (p *paths) follow(root uint64, choose pick) (s step, err error) {
	var way []uint64
	for s.leaf = root; ; {
		if slices.Contains(way, s.leaf) {
			return s, fmt.Errorf("%w: page %d leads in a circle", ErrDamaged, s.leaf)
		}
		way = append(way, s.leaf)
		b, err := p.branch(s.leaf)
		if b == nil || err != nil {
			return s, err
		}
		n := int(binary.NativeEndian.Uint16(b[10:]))
		if n == 0 || !fits(b, n) {
			return s, fmt.Errorf("%w: page %d does not end", ErrDamaged, s.leaf)
		}
		first := func(i int) []byte {
			at := pageHeader + i*element
			from := at + int(binary.NativeEndian.Uint32(b[at:]))
			return b[from : from+int(binary.NativeEndian.Uint32(b[at+4:]))]
		}
		i := choose(n, first)
		if i > 0 {
			s.lower = first(i)
		}
		if i+1 < n {
			s.upper = first(i + 1)
		}
		s.leaf = binary.NativeEndian.Uint64(b[pageHeader+i*element+8:])
	}
}

// fits reports whether all keys of a branch are in it.
func fits(b []byte, n int) bool {
	if pageHeader+n*element > len(b) {
		return false
	}
	for i := range n {
		at := pageHeader + i*element
		if end := at + int(binary.NativeEndian.Uint32(b[at:])) + int(binary.NativeEndian.Uint32(b[at+4:])); end > len(b) {
			return false
		}
	}
	return true
}

// edge returns the first key of a leaf, or its last one; false if it has none.
func (p *paths) edge(leaf uint64, lastOne bool) ([]byte, bool) {
	b := make([]byte, p.size) // keys are short, and come first
	if _, err := p.file.ReadAt(b, int64(leaf)*p.size); err != nil {
		return nil, false
	}
	n := int(binary.NativeEndian.Uint16(b[10:]))
	at := pageHeader
	if lastOne {
		at += (n - 1) * element
	}
	if n == 0 || at+element > len(b) {
		return nil, false
	}
	from := at + int(binary.NativeEndian.Uint32(b[at+4:]))
	end := from + int(binary.NativeEndian.Uint32(b[at+8:]))
	if end > len(b) {
		return nil, false
	}
	return b[from:end], true
}

// A walker goes before a cursor from leaf to leaf: it knows of the leaf that
// comes next whether there is a way to it.
type walker struct {
	p       *paths
	root    uint64
	reverse bool
	here    step
	next    step
	err     error  // there is no way to the next leaf
	stop    []byte // then, the key of this leaf after which there is no way
}

// start goes to the leaf of a key; nil: the last one.
func (p *paths) start(root uint64, key []byte, reverse bool) (*walker, error) {
	w := &walker{p: p, root: root, reverse: reverse}
	if p.file == nil || root == 0 { // what is in the page above is in no page of its own
		w.root = 0
		return w, nil
	}
	choose := last
	if key != nil {
		choose = to(key)
	}
	var err error
	if w.here, err = p.follow(root, choose); err != nil {
		return nil, err
	}
	// To look for a key that is behind the end of its leaf leads to the next one.
	if key != nil && w.here.upper != nil {
		if _, err := p.follow(root, to(w.here.upper)); err != nil {
			if end, ok := p.edge(w.here.leaf, true); !ok || bytes.Compare(end, key) < 0 {
				return nil, err
			}
		}
	}
	return w, w.ahead()
}

// ahead looks for the way to the next leaf. The error is one that leaves no way
// at all.
func (w *walker) ahead() error {
	bound, choose := w.here.upper, to
	if w.reverse {
		bound, choose = w.here.lower, before
	}
	if bound == nil {
		return nil
	}
	if w.next, w.err = w.p.follow(w.root, choose(bound)); w.err == nil {
		return nil
	}
	var ok bool
	if w.stop, ok = w.p.edge(w.here.leaf, !w.reverse); !ok {
		return w.err
	}
	return nil
}

// leave reports whether there is a way on from a key, an error if not.
func (w *walker) leave(key []byte) error {
	if w.err != nil && (bytes.Compare(key, w.stop) < 0) == w.reverse || w.err != nil && bytes.Equal(key, w.stop) {
		return w.err
	}
	return nil
}

// arrive notes where the cursor is.
func (w *walker) arrive(key []byte) error {
	if w.root == 0 || w.err != nil {
		return nil
	}
	if w.reverse && w.here.lower != nil && bytes.Compare(key, w.here.lower) < 0 ||
		!w.reverse && w.here.upper != nil && bytes.Compare(key, w.here.upper) >= 0 {
		w.here = w.next
		return w.ahead()
	}
	return nil
}

// unreadable is what a look ends with that has no error of its own: see guard.
type unreadable struct{ err error }

// need panics unless there is a way to a key.
func (p *paths) need(root uint64, key []byte) {
	if p.file == nil || root == 0 {
		return
	}
	if _, err := p.follow(root, to(key)); err != nil {
		p.file.noWay = true
		panic(unreadable{err})
	}
}

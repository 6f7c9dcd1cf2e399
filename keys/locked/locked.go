// Package locked keeps keys where little else gets at them: in two pages of
// memory outside the Go heap, which the garbage collector neither moves, copies
// nor leaves behind, which are not swapped out (mlock(2)), and on Linux are in no
// core dump and empty in a forked child (madvise(2), MADV_DONTDUMP,
// MADV_WIPEONFORK).
//
// Each of that is a precaution, and none a condition: where the system refuses
// one, as under a small RLIMIT_MEMLOCK, the others are still taken; where it
// gives no such memory, or the pages are full, a key is on the heap. Windows has
// keys on the heap.
//
// What computes with a key makes copies of its own, a cipher's or a hash's
// state, which are out of reach.
package locked

import "sync"

// Size is the length of the longest key that goes into a page, in bytes.
const Size = 32

// arenaSize is room for 256 keys; a vault that is open has nine.
const arenaSize = 8192

// A Key is a key in such memory. Bytes may be called by several goroutines at
// once, as long as none calls Free.
type Key struct {
	b     []byte
	place []byte // what is given back; nil on the heap
}

// New moves a key to where it is kept: what it is given is wiped. A key longer
// than Size goes to the heap.
func New(key []byte) *Key {
	k := pages.take(len(key))
	copy(k.b, key)
	clear(key)
	return k
}

// Bytes returns the key itself, not a copy. It is valid until Free, after which
// Bytes returns as many zeros.
func (k *Key) Bytes() []byte { return k.b }

// Free wipes the key and gives its place back. It may be called again.
func (k *Key) Free() { Wipe(k.b) }

// Wipe overwrites b with zeros. If b is what Bytes of a Key returned, the Key is
// freed with it.
func Wipe(b []byte) {
	clear(b)
	pages.release(b)
}

// pages is where the keys of this process are. There is one, as a page is much
// for a key: this state is the package's purpose.
var pages arena

// An arena is memory in places of Size bytes. It is mapped when the first place
// is taken, and stays.
type arena struct {
	mu     sync.Mutex
	mapped bool           // or it was tried
	free   [][]byte       // places that nobody has, full of zeros
	owners map[*byte]*Key // who has the others, by their first byte
}

// take returns a key of n zeros.
func (a *arena) take(n int) *Key {
	if n == 0 || n > Size {
		return &Key{b: make([]byte, n)}
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if !a.mapped {
		a.mapped = true
		a.owners = make(map[*byte]*Key)
		for mem := mapPages(arenaSize); len(mem) >= Size; mem = mem[Size:] {
			a.free = append(a.free, mem[:Size:Size])
		}
	}
	last := len(a.free) - 1
	if last < 0 {
		return &Key{b: make([]byte, n)}
	}
	k := &Key{b: a.free[last][:n:n], place: a.free[last]}
	a.free = a.free[:last]
	a.owners[&k.b[0]] = k
	return k
}

// release takes back the place of the key that b is, if it is one. Whoever still
// has the Key finds zeros there, and never what comes to the place next.
func (a *arena) release(b []byte) {
	if len(b) == 0 {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	k := a.owners[&b[0]]
	if k == nil || len(k.b) != len(b) {
		return
	}
	delete(a.owners, &b[0])
	a.free = append(a.free, k.place)
	k.b, k.place = make([]byte, len(b)), nil
}

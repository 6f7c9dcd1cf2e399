package locked_test

import (
	"bytes"
	"slices"
	"sync"
	"testing"

	"aivault/keys/locked"
)

// pattern returns n bytes that are not zero.
func pattern(n int) []byte { return bytes.Repeat([]byte{0xa5}, n) }

func TestKeyIsMovedAndWiped(t *testing.T) {
	t.Parallel()
	for _, n := range []int{0, 1, 31, 32, 33, 1000} {
		given := pattern(n)
		k := locked.New(given)
		inside := k.Bytes()
		if !bytes.Equal(inside, pattern(n)) || cap(inside) != n {
			t.Errorf("of %d bytes, %d are there, with room for %d", n, len(inside), cap(inside))
		}
		if !bytes.Equal(given, make([]byte, n)) {
			t.Errorf("%d bytes are left where they came from", n)
		}
		k.Free()
		if !bytes.Equal(k.Bytes(), make([]byte, n)) {
			t.Errorf("%d bytes are left after Free", n)
		}
	}
}

// Whoever frees a key again, or wipes what it was, does nothing to the one that
// has its place since.
func TestFreeTwice(t *testing.T) {
	old := locked.New(pattern(locked.Size))
	place := &old.Bytes()[0]
	old.Free()
	next := locked.New(pattern(locked.Size))
	if &next.Bytes()[0] != place {
		t.Fatal("the place was not given to the next key: the test shows nothing")
	}
	old.Free()
	locked.Wipe(old.Bytes())
	locked.Wipe(next.Bytes()[:4:4])
	if got := next.Bytes(); !bytes.Equal(got[4:], pattern(locked.Size-4)) {
		t.Error("the key that came next is gone")
	}
	if other := locked.New(pattern(locked.Size)); &other.Bytes()[0] == place {
		t.Error("two keys have one place")
	} else {
		other.Free()
	}
	locked.Wipe(next.Bytes())
	if !bytes.Equal(next.Bytes(), make([]byte, locked.Size)) || &next.Bytes()[0] == place {
		t.Error("Wipe of its bytes does not free a key")
	}
}

// Where the pages are full, keys go elsewhere, and no two to one place.
func TestMoreKeysThanThereIsRoomFor(t *testing.T) {
	const n = 1000
	held := make([]*locked.Key, n)
	var all sync.WaitGroup
	for at := range slices.Chunk(held, 100) {
		all.Go(func() {
			for i := range at {
				at[i] = locked.New(pattern(locked.Size))
			}
		})
	}
	all.Wait()
	seen := map[*byte]bool{}
	for _, k := range held {
		seen[&k.Bytes()[0]] = true
	}
	if len(seen) != n {
		t.Errorf("%d keys have %d places", n, len(seen))
	}
	for _, k := range held {
		k.Free()
	}
}

func BenchmarkNewAndFree(b *testing.B) {
	key := pattern(locked.Size)
	for b.Loop() {
		locked.New(key).Free()
	}
}

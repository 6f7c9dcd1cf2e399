package seal_test

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"

	"aivault/vault/internal/codec"
	"aivault/vault/internal/seal"
)

// TestIndexKeysAreInjective: fields that are cut elsewhere are other fields.
func TestIndexKeysAreInjective(t *testing.T) {
	r := testRing(1, vaultA, 1)
	seen := map[[16]byte]string{}
	for _, kind := range []uint8{1, 2} {
		for _, fields := range [][]string{
			nil,
			{""},
			{"", ""},
			{"a"},
			{"a", ""},
			{"", "a"},
			{"a", "b"},
			{"ab"},
			{"ab", ""},
			{"a", "b", ""},
			{"a\x00b"},
			{"\x00\x00\x00\x01a"},
			{"A"},
		} {
			name := fmt.Sprintf("%d %q", kind, fields)
			key := r.Index(kind, fields...)
			if other, taken := seen[key]; taken {
				t.Errorf("%s and %s have one key", name, other)
			}
			seen[key] = name
			if key != r.Index(kind, fields...) {
				t.Errorf("%s has two keys", name)
			}
			if key == testRing(2, vaultA, 1).Index(kind, fields...) || key == testRing(1, vaultB, 1).Index(kind, fields...) {
				t.Errorf("%s has the same key in another vault", name)
			}
		}
	}
}

// A change is a record put into a set, or taken out of it.
type change struct{ table, key, value byte }

func TestSetHashIsThatOfTheSet(t *testing.T) {
	r := testRing(1, vaultA, 1)
	rng := rand.New(rand.NewPCG(1, 2))
	var h seal.SetHash
	set := map[change]bool{}
	for range 2000 {
		c := change{byte(rng.IntN(2)), byte(rng.IntN(4)), byte(rng.IntN(4))}
		if set[c] {
			h.Remove(r, c.table, []byte{c.key}, []byte{c.value})
			delete(set, c)
		} else {
			h.Add(r, c.table, []byte{c.key}, []byte{c.value})
			set[c] = true
		}
	}
	var anew seal.SetHash
	for c := range set { // in any order
		anew.Add(r, c.table, []byte{c.key}, []byte{c.value})
	}
	if h != anew {
		t.Error("the hash depends on the way to the set")
	}
	if len(set) == 0 || h == (seal.SetHash{}) {
		t.Error("the set is empty: the test shows nothing")
	}
	var w codec.Writer
	h.Write(&w)
	if got := seal.ReadSetHash(codec.NewReader(w.Bytes())); got != h {
		t.Error("the hash is not read as it was written")
	}
}

func TestSetHashTellsSetsApart(t *testing.T) {
	r := testRing(1, vaultA, 1)
	hash := func(r *seal.Ring, records ...[3]string) (h seal.SetHash) {
		for _, rec := range records {
			h.Add(r, rec[0][0], []byte(rec[1]), []byte(rec[2]))
		}
		return h
	}
	a, b := [3]string{"1", "k1", "v1"}, [3]string{"1", "k2", "v2"}
	sets := map[string]seal.SetHash{
		"both":            hash(r, a, b),
		"one":             hash(r, a),
		"none":            hash(r),
		"one twice":       hash(r, a, a, b),
		"exchanged":       hash(r, [3]string{"1", "k1", "v2"}, [3]string{"1", "k2", "v1"}),
		"another table":   hash(r, [3]string{"2", "k1", "v1"}, b),
		"cut elsewhere":   hash(r, [3]string{"1", "k1v", "1"}, b),
		"another root":    hash(testRing(2, vaultA, 1), a, b),
		"another vault":   hash(testRing(1, vaultB, 1), a, b),
		"an empty record": hash(r, a, b, [3]string{"1", "", ""}),
	}
	seen := map[seal.SetHash]string{}
	for name, h := range sets {
		if other, taken := seen[h]; taken {
			t.Errorf("%s and %s have one hash", name, other)
		}
		seen[h] = name
	}
}

func TestChain(t *testing.T) {
	r := testRing(1, vaultA, 1)
	c := r.NewChain(1)
	var (
		entries [][]byte
		links   = [][seal.LinkSize]byte{{}}
	)
	for seq := range uint64(4) {
		entry, link := c.Append(seq+1, links[seq], fmt.Appendf(nil, "event %d", seq+1))
		entries, links = append(entries, entry), append(links, link)
	}
	reopened, err := r.OpenChain(1, r.SealChain(c))
	if err != nil {
		t.Fatal(err)
	}
	for i, entry := range entries {
		seq := uint64(i + 1)
		event, link, err := reopened.Open(seq, entry)
		if err != nil || string(event) != fmt.Sprint("event ", seq) || link != links[seq] || !reopened.Verify(seq, links[i], entry) {
			t.Errorf("event %d: %q, %v", seq, event, err)
		}
		if _, _, err := c.Open(seq+1, entry); !errors.Is(err, seal.ErrOpen) {
			t.Errorf("event %d passes for its successor: %v", seq, err)
		}
		if c.Verify(seq, links[i+1], entry) || c.Verify(seq+1, links[i], entry) {
			t.Errorf("event %d follows another than the one before it", seq)
		}
	}
	if _, err := testRing(1, vaultA, 2).OpenChain(1, r.SealChain(c)); err == nil {
		t.Error("another generation of the root key opens the keys")
	}
	if _, err := r.OpenChain(2, r.SealChain(c)); err == nil {
		t.Error("the keys pass for those of another generation")
	}
	if r.NewChain(1).Verify(1, links[0], entries[0]) {
		t.Error("other keys verify the event")
	}
	c.Clear()
	if c.Verify(1, links[0], entries[0]) {
		t.Error("the keys are still there after Clear")
	}
}

// TestClearWaitsForWhoHolds: keys must not turn to zeros in the middle of a
// transaction that seals with them.
func TestClearWaitsForWhoHolds(t *testing.T) {
	r := testRing(1, vaultA, 1)
	rec := r.SealMeta(1, id1, 1, []byte("x"))
	r.Hold()
	r.Hold()
	r.Clear()
	r.Release()
	if _, _, err := r.OpenMeta(1, id1, rec); err != nil {
		t.Fatalf("the keys went while they were held: %v", err)
	}
	r.Release()
	if _, _, err := r.OpenMeta(1, id1, rec); !errors.Is(err, seal.ErrOpen) {
		t.Error("the keys are there after the last Release")
	}
	zero := testRing(0, vaultA, 1)
	if bytes.Equal(r.SlotMAC(nil), zero.SlotMAC(nil)) {
		t.Error("a root key of zeros and no keys are the same")
	}
}

package store_test

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"sort"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"aivault/vault/internal/store"
)

// TestRangeAgainstAModel compares spans of every kind with what a sorted list
// gives.
func TestRangeAgainstAModel(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	letters := []byte{0, 1, 'a', 0xfe, 0xff}
	word := func(max int) []byte {
		b := make([]byte, rng.IntN(max+1))
		for i := range b {
			b[i] = letters[rng.IntN(len(letters))]
		}
		return b
	}
	keys := map[string]bool{}
	for range 200 {
		keys[string(word(4))] = true
	}
	delete(keys, "") // no key of bbolt
	var pairs []pair
	for k := range keys {
		pairs = append(pairs, pair{k, "v" + k})
	}
	sort.Slice(pairs, func(i, j int) bool { return pairs[i].Key < pairs[j].Key })
	b, _ := create(t, pairs...)
	err := b.View(t.Context(), func(tx store.Tx) error {
		for range 3000 {
			s := store.Span{Reverse: rng.IntN(2) == 0}
			if rng.IntN(2) == 0 {
				s.Prefix = word(2)
			}
			if rng.IntN(2) == 0 { // with the prefix, as anything else starts outside of the span
				s.From = append(bytes.Clone(s.Prefix), word(3)...)
			}
			limit := rng.IntN(50)
			var got []pair
			err := tx.Range(store.Records, s, func(k, v []byte) error {
				got = append(got, pair{string(k), string(v)})
				if len(got) == limit {
					return store.ErrStop
				}
				return nil
			})
			if err != nil {
				return err
			}
			if diff := cmp.Diff(got, model(pairs, s, limit)); diff != "" {
				t.Fatalf("span %+v (-got +want):\n%s", s, diff)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// model is what a Range that stops at limit (0: never) should give.
func model(pairs []pair, s store.Span, limit int) (out []pair) {
	for _, p := range pairs {
		if !strings.HasPrefix(p.Key, string(s.Prefix)) {
			continue
		}
		if s.From != nil && (!s.Reverse && p.Key < string(s.From) || s.Reverse && p.Key > string(s.From)) {
			continue
		}
		out = append(out, p)
	}
	if s.Reverse {
		slices.Reverse(out)
	}
	if limit > 0 && len(out) > limit {
		out = out[:limit]
	}
	return out
}

package store_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"slices"
	"testing"

	"aivault/vault/internal/store"
)

// Fault F7. A page that leads back to itself, to the root or to a page where no
// way should lead is found by whoever comes by: not in a loop without an end, and
// not when all memory is used up. What is before it, and behind it, can be read.
func TestPagesThatLeadBack(t *testing.T) {
	b, whole := paged(t)
	keys := func() (forward, backward int, err error) {
		err = b.View(t.Context(), func(tx store.Tx) error {
			err := tx.Range(store.Values, store.Span{}, func(_, _ []byte) error { forward++; return nil })
			return errors.Join(err, tx.Range(store.Values, store.Span{Reverse: true}, func(_, _ []byte) error { backward++; return nil }))
		})
		return forward, backward, err
	}
	all, same, err := keys()
	if err != nil || all != 340 || same != all {
		t.Fatalf("%d keys, %d backwards, %v", all, same, err)
	}
	size := os.Getpagesize()
	branches, partly := 0, 0
	for at := 2 * size; at < len(whole); at += size {
		page := whole[at:]
		if binary.NativeEndian.Uint16(page[8:]) != 0x01 || binary.NativeEndian.Uint64(page) != uint64(at/size) {
			continue // no branch
		}
		n := int(binary.NativeEndian.Uint16(page[10:]))
		for _, i := range []int{0, 1, n / 2, n - 2, n - 1} {
			child := at + 16 + 16*i + 8
			for what, id := range map[string]uint64{"itself": uint64(at / size), "a head": 0, "the next one": binary.NativeEndian.Uint64(whole[child:]) + 1, "nowhere": 1 << 50} {
				broken := bytes.Clone(whole)
				binary.NativeEndian.PutUint64(broken[child:], id)
				if err := os.WriteFile(b.Path(), broken, 0o600); err != nil {
					t.Fatal(err)
				}
				forward, backward, err := keys()
				name := fmt.Sprintf("page %d, %d of %d leads to %s", at/size, i, n, what)
				if err == nil && (forward != all || backward != all) || err != nil && !errors.Is(err, store.ErrDamaged) {
					t.Errorf("%s: %d keys, %d backwards, %v", name, forward, backward, err)
				}
				if err == nil {
					continue // the page is of an older state
				}
				if branches++; forward > 0 && backward > 0 {
					partly++
				}
				lookAll(t, b, name)
			}
		}
	}
	t.Logf("%d of %d can be read in part", partly, branches)
	if branches < 20 || partly < branches/5 {
		t.Errorf("%d of %d can be read in part", partly, branches)
	}
}

// lookAll looks for every key, and writes one: it ends, in an error of the right
// kind or in none.
func lookAll(t *testing.T, b *store.Bolt, name string) {
	t.Helper()
	for i := range 400 {
		key := fmt.Appendf(nil, "%06d", i)
		err := b.View(t.Context(), func(tx store.Tx) error {
			tx.Get(store.Values, key)
			return tx.Range(store.Values, store.Span{Reverse: i%2 == 0, From: key}, func(_, _ []byte) error { return store.ErrStop })
		})
		if err != nil && !errors.Is(err, store.ErrDamaged) {
			t.Errorf("%s: key %d: %v", name, i, err)
		}
		if i%100 != 0 {
			continue
		}
		err = b.Update(t.Context(), func(tx store.Tx) error { return tx.Put(store.Values, key, []byte("new")) })
		if err != nil && !errors.Is(err, store.ErrDamaged) {
			t.Errorf("%s: writing key %d: %v", name, i, err)
		}
	}
}

// A range starts at any key, also between two and at the edges of pages, and sees
// what there is.
func TestRangesOverManyPages(t *testing.T) {
	b, _ := paged(t)
	err := b.View(t.Context(), func(tx store.Tx) error {
		var all []string
		err := tx.Range(store.Values, store.Span{}, func(k, _ []byte) error { all = append(all, string(k)); return nil })
		for i := range 400 {
			for _, from := range []string{fmt.Sprintf("%06d", i), fmt.Sprintf("%06d~", i)} {
				for _, reverse := range []bool{false, true} {
					var got []string
					err = errors.Join(err, tx.Range(store.Values, store.Span{From: []byte(from), Reverse: reverse}, func(k, _ []byte) error {
						got = append(got, string(k))
						return nil
					}))
					at, exact := slices.BinarySearch(all, from)
					want := all[at:]
					if reverse {
						if exact {
							at++
						}
						want = slices.Clone(all[:at])
						slices.Reverse(want)
					}
					if !slices.Equal(got, want) {
						t.Errorf("from %q, reverse %t: %d keys, want %d", from, reverse, len(got), len(want))
					}
				}
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

package store_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"testing"
	"time"

	"aivault/vault/internal/store"
)

// paged returns a store of several levels of pages, of which some are free.
func paged(t testing.TB) (b *store.Bolt, whole []byte) {
	t.Helper()
	b = store.NewBolt(t.TempDir(), time.Second)
	err := b.Create(t.Context(), func(tx store.Tx) error {
		for i := range 400 {
			if err := tx.Put(store.Values, fmt.Appendf(nil, "%06d", i), bytes.Repeat([]byte("x"), 100+i*20)); err != nil {
				return err
			}
		}
		return nil
	})
	if err == nil {
		err = b.Update(t.Context(), func(tx store.Tx) error {
			for i := range 60 {
				if err := tx.Delete(store.Values, fmt.Appendf(nil, "%06d", 5*i)); err != nil {
					return err
				}
			}
			return nil
		})
	}
	if err != nil {
		t.Fatal(err)
	}
	whole, err = os.ReadFile(b.Path())
	if err != nil {
		t.Fatal(err)
	}
	return b, whole
}

// Fault F7. A list of free pages that names one which is in use, or one twice, is
// found before anything is written there.
func TestPagesThatAreFreeAndInUse(t *testing.T) {
	b, whole := paged(t)
	if err := b.CheckPages(t.Context()); err != nil {
		t.Fatalf("in order: %v", err)
	}
	size := os.Getpagesize()
	lists := 0
	for at := 2 * size; at < len(whole); at += size {
		page := whole[at:]
		if binary.NativeEndian.Uint16(page[8:]) != 0x10 || binary.NativeEndian.Uint64(page) != uint64(at/size) {
			continue // no list of free pages
		}
		for name, id := range map[string]uint64{
			"in use": 4, "listed twice": binary.NativeEndian.Uint64(page[24:]), "that of the list": uint64(at / size), "none": 1 << 40, "a head": 1,
		} {
			broken := bytes.Clone(whole)
			binary.NativeEndian.PutUint64(broken[at+16:], id)
			if err := os.WriteFile(b.Path(), broken, 0o600); err != nil {
				t.Fatal(err)
			}
			if err := b.CheckPages(t.Context()); errors.Is(err, store.ErrDamaged) {
				lists++ // an older list is not looked at
			} else if err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
	if lists < 4 {
		t.Errorf("only %d broken lists are found", lists)
	}
}

// FuzzCheckPages: whatever is in a file, looking at its pages ends, and in an
// error of the right kind.
func FuzzCheckPages(f *testing.F) {
	_, whole := paged(f)
	f.Add(uint32(4100), []byte{1, 2, 3})
	f.Add(uint32(0), []byte{})
	f.Add(uint32(8192), []byte("\xff\xff\xff\xff"))
	f.Fuzz(func(t *testing.T, at uint32, data []byte) {
		b := store.NewBolt(t.TempDir(), time.Second)
		broken := bytes.Clone(whole)
		copy(broken[int(at)%len(broken):], data)
		if err := os.WriteFile(b.Path(), broken, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := b.CheckPages(t.Context()); err != nil && !errors.Is(err, store.ErrDamaged) {
			t.Errorf("%v", err)
		}
	})
}

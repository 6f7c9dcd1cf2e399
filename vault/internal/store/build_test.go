package store_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"aivault/vault/internal/store"
)

// TestBuild makes a file of more than one transaction, which is a store for its
// owner alone.
func TestBuild(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "built")
	const n, size = 3000, 4096 // 12 MB
	err := store.Build(path, func(b *store.Builder) error {
		for i := range uint32(n) {
			key := binary.BigEndian.AppendUint32(nil, i)
			if err := b.Put(store.Records, key, bytes.Repeat([]byte{byte(i)}, size)); err != nil {
				return err
			}
			if err := b.Put(store.Index, key, nil); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if fi, err := os.Stat(path); err != nil || fi.Mode().Perm() != 0o600 && os.PathSeparator == '/' {
		t.Errorf("%v, %v", fi.Mode(), err)
	}
	err = store.NewCopy(path, time.Second).View(t.Context(), func(tx store.Tx) error {
		i := uint32(0)
		err := tx.Range(store.Records, store.Span{}, func(k, v []byte) error {
			if binary.BigEndian.Uint32(k) != i || len(v) != size || v[0] != byte(i) || tx.Get(store.Index, k) == nil {
				t.Fatalf("record %d is %x", i, k)
			}
			i++
			return nil
		})
		if i != n {
			t.Errorf("%d records", i)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
	if err := store.Build(path, func(*store.Builder) error { return nil }); !errors.Is(err, fs.ErrExist) {
		t.Errorf("over a file that is there: %v", err)
	}
}

// TestBuildFails without leaving a file, in whichever transaction.
func TestBuildFails(t *testing.T) {
	t.Parallel()
	broken := errors.New("made up")
	for _, n := range []uint32{0, 3000} {
		path := filepath.Join(t.TempDir(), "built")
		err := store.Build(path, func(b *store.Builder) error {
			for i := range n {
				if err := b.Put(store.Values, binary.BigEndian.AppendUint32(nil, i), make([]byte, 4096)); err != nil {
					return err
				}
			}
			return broken
		})
		if !errors.Is(err, broken) {
			t.Errorf("%v", err)
		}
		if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("there is a file: %v", err)
		}
	}
}

// TestRebuild puts a file in the place of the store's, and keeps nothing of it.
func TestRebuild(t *testing.T) {
	t.Parallel()
	b, dir := create(t, pair{"a", "1"})
	old := copyOf(t, b)
	if err := b.Update(t.Context(), put(pair{"a", "2"})); err != nil {
		t.Fatal(err)
	}
	leftover := filepath.Join(dir, store.RebuiltFile)
	if err := os.WriteFile(leftover, []byte("of one that was killed"), 0o600); err != nil {
		t.Fatal(err)
	}
	fill := func(path string) error {
		whole, err := os.ReadFile(old)
		if err != nil {
			return err
		}
		return os.WriteFile(path, whole, 0o600)
	}
	broken := errors.New("made up")
	if err := b.Rebuild(t.Context(), func(path string) error { return errors.Join(fill(path), broken) }); !errors.Is(err, broken) {
		t.Errorf("%v", err)
	}
	wantContent(t, b, pair{"a", "2"})
	if err := b.Rebuild(t.Context(), fill); err != nil {
		t.Fatal(err)
	}
	wantContent(t, b, pair{"a", "1"})
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 2 {
		t.Errorf("beside it: %v, %v", entries, err)
	}
	none := store.NewBolt(t.TempDir(), time.Second)
	if err := none.Rebuild(context.Background(), fill); !errors.Is(err, store.ErrAbsent) {
		t.Errorf("of no store: %v", err)
	}
}

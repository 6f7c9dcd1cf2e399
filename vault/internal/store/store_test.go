package store_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	bolt "go.etcd.io/bbolt"

	"aivault/vault/internal/store"
)

// pair is a key and its value.
type pair struct{ Key, Value string }

// create makes a store in a directory of its own, with the pairs in Records.
func create(t testing.TB, pairs ...pair) (*store.Bolt, string) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "store")
	b := store.NewBolt(dir, 10*time.Second)
	if err := b.Create(t.Context(), put(pairs...)); err != nil {
		t.Fatal(err)
	}
	return b, dir
}

func put(pairs ...pair) func(store.Tx) error {
	return func(tx store.Tx) error {
		for _, p := range pairs {
			if err := tx.Put(store.Records, []byte(p.Key), []byte(p.Value)); err != nil {
				return err
			}
		}
		return nil
	}
}

// content reads all of Records.
func content(ctx context.Context, s store.Store) ([]pair, error) {
	var out []pair
	err := s.View(ctx, func(tx store.Tx) error {
		return tx.Range(store.Records, store.Span{}, func(k, v []byte) error {
			out = append(out, pair{string(k), string(v)})
			return nil
		})
	})
	return out, err
}

func wantContent(t testing.TB, s store.Store, want ...pair) {
	t.Helper()
	got, err := content(t.Context(), s)
	if diff := cmp.Diff(got, want); diff != "" || err != nil {
		t.Errorf("%v; content (-got +want):\n%s", err, diff)
	}
}

func TestCreateOnceOnly(t *testing.T) {
	b, dir := create(t, pair{"a", "1"})
	if err := b.Create(t.Context(), put(pair{"a", "2"})); !errors.Is(err, store.ErrExists) {
		t.Errorf("a second Create: %v", err)
	}
	wantContent(t, b, pair{"a", "1"})
	fi, err := os.Stat(filepath.Join(dir, store.File))
	if err != nil || fi.Mode().Perm() != 0o600 {
		t.Errorf("the file: %v, %v", fi.Mode(), err)
	}
	fi, err = os.Stat(dir)
	if err != nil || fi.Mode().Perm() != 0o700 {
		t.Errorf("the directory: %v, %v", fi.Mode(), err)
	}
}

func TestAFailedCreateLeavesNothing(t *testing.T) {
	dir := t.TempDir()
	b := store.NewBolt(dir, time.Second)
	failure := errors.New("no")
	if err := b.Create(t.Context(), func(store.Tx) error { return failure }); !errors.Is(err, failure) {
		t.Fatal(err)
	}
	if exists, err := b.Exists(); exists || err != nil {
		t.Errorf("there is a file: %v, %v", exists, err)
	}
	if _, err := os.Lstat(filepath.Join(dir, store.TempFile)); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the file in the making stayed: %v", err)
	}
	if err := b.Create(t.Context(), put(pair{"a", "1"})); err != nil {
		t.Fatal(err)
	}
	wantContent(t, b, pair{"a", "1"})
}

func TestALeftoverOfACrashIsReplaced(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, store.TempFile), []byte("half a file"), 0o600); err != nil {
		t.Fatal(err)
	}
	b := store.NewBolt(dir, time.Second)
	if err := b.Create(t.Context(), put(pair{"a", "1"})); err != nil {
		t.Fatal(err)
	}
	wantContent(t, b, pair{"a", "1"})
}

func TestAbsent(t *testing.T) {
	b := store.NewBolt(filepath.Join(t.TempDir(), "none"), time.Second)
	if err := b.View(t.Context(), put()); !errors.Is(err, store.ErrAbsent) {
		t.Errorf("View: %v", err)
	}
	if err := b.Update(t.Context(), put()); !errors.Is(err, store.ErrAbsent) {
		t.Errorf("Update: %v", err)
	}
	if _, err := os.Lstat(filepath.Dir(b.Path())); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the directory was made: %v", err)
	}
}

func TestUpdateIsAllOrNothing(t *testing.T) {
	b, _ := create(t, pair{"a", "1"}, pair{"b", "2"})
	failure := errors.New("no")
	err := b.Update(t.Context(), func(tx store.Tx) error {
		if err := tx.Put(store.Records, []byte("a"), []byte("changed")); err != nil {
			return err
		}
		if err := tx.Delete(store.Records, []byte("b")); err != nil {
			return err
		}
		return failure
	})
	if !errors.Is(err, failure) {
		t.Fatal(err)
	}
	wantContent(t, b, pair{"a", "1"}, pair{"b", "2"})
	err = b.Update(t.Context(), func(tx store.Tx) error {
		if err := tx.Put(store.Records, []byte("a"), []byte("changed")); err != nil {
			return err
		}
		if got := tx.Get(store.Records, []byte("a")); string(got) != "changed" {
			t.Errorf("a transaction does not see its own change: %q", got)
		}
		return tx.Delete(store.Records, []byte("b"))
	})
	if err != nil {
		t.Fatal(err)
	}
	wantContent(t, b, pair{"a", "changed"})
}

func TestAViewChangesNothing(t *testing.T) {
	b, _ := create(t, pair{"a", "1"})
	before, err := os.ReadFile(b.Path())
	if err != nil {
		t.Fatal(err)
	}
	err = b.View(t.Context(), func(tx store.Tx) error {
		if tx.Put(store.Records, []byte("a"), []byte("2")) == nil || tx.Delete(store.Records, []byte("a")) == nil {
			t.Error("a View may write")
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	after, err := os.ReadFile(b.Path())
	if err != nil || !bytes.Equal(before, after) {
		t.Errorf("the file changed, %v", err)
	}
}

func TestRangeEndsWithTheErrorOfItsFunction(t *testing.T) {
	b, _ := create(t, pair{"a", "1"}, pair{"b", "2"})
	failure := errors.New("no")
	n := 0
	err := b.View(t.Context(), func(tx store.Tx) error {
		return tx.Range(store.Records, store.Span{}, func(_, _ []byte) error { n++; return failure })
	})
	if !errors.Is(err, failure) || n != 1 {
		t.Errorf("%v after %d calls", err, n)
	}
}

func TestAPanicOfTheCallerPasses(t *testing.T) {
	b, _ := create(t, pair{"a", "1"})
	for name, run := range map[string]func(func(store.Tx) error) error{
		"View":   func(f func(store.Tx) error) error { return b.View(t.Context(), f) },
		"Update": func(f func(store.Tx) error) error { return b.Update(t.Context(), f) },
	} {
		func() {
			defer func() {
				if p := recover(); p != "a bug" {
					t.Errorf("%s: recovered %v", name, p)
				}
			}()
			err := run(func(store.Tx) error { panic("a bug") })
			t.Errorf("%s returned %v", name, err)
		}()
	}
	if err := b.Update(t.Context(), put(pair{"b", "2"})); err != nil { // the locks are free
		t.Error(err)
	}
}

// fill puts n values of 1 KiB into the store.
func fill(t testing.TB, b *store.Bolt, n int, marker string) {
	t.Helper()
	err := b.Update(t.Context(), func(tx store.Tx) error {
		for i := range n {
			value := bytes.Repeat([]byte(marker), 1024/len(marker))
			if err := tx.Put(store.Values, fmt.Appendf(nil, "%06d", i), value); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestCompaction: when more than a quarter of a large file is free, a commit
// leaves a small one, with everything that is there and nothing that was.
// Case 118.
func TestCompaction(t *testing.T) {
	b, dir := create(t, pair{"a", "1"})
	fill(t, b, 4000, "deleted-marker--")
	large, err := os.Stat(b.Path())
	if err != nil {
		t.Fatal(err)
	}
	err = b.Update(t.Context(), func(tx store.Tx) error {
		for i := range 3990 {
			if err := tx.Delete(store.Values, fmt.Appendf(nil, "%06d", i)); err != nil {
				return err
			}
		}
		return tx.Put(store.Values, []byte("kept"), []byte("kept-marker"))
	})
	if err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(b.Path())
	if err != nil {
		t.Fatal(err)
	}
	if len(data) > int(large.Size())/4 {
		t.Errorf("%d bytes are left of %d", len(data), large.Size())
	}
	if got := bytes.Count(data, []byte("deleted-marker--")); got != 10*64 {
		t.Errorf("%d marks of what was deleted are in the file, %d are of what was not", got, 10*64)
	}
	wantContent(t, b, pair{"a", "1"})
	n := 0
	err = b.View(t.Context(), func(tx store.Tx) error {
		if got := tx.Get(store.Values, []byte("kept")); string(got) != "kept-marker" {
			t.Errorf("the last change is lost: %q", got)
		}
		return tx.Range(store.Values, store.Span{}, func(_, _ []byte) error { n++; return nil })
	})
	if err != nil || n != 11 {
		t.Errorf("%d values, %v", n, err)
	}
	if fi, err := os.Stat(b.Path()); err != nil || fi.Mode().Perm() != 0o600 {
		t.Errorf("the new file: %v, %v", fi.Mode(), err)
	}
	if _, err := os.Lstat(filepath.Join(dir, store.TempFile)); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the file in the making stayed: %v", err)
	}
}

// TestOtherDatabases: neither an empty file nor another program's database is
// a store, and none is made of it.
// Fault F8.
func TestOtherDatabases(t *testing.T) {
	files := map[string]func(path string) error{
		"empty":    func(path string) error { return os.WriteFile(path, nil, 0o600) },
		"one byte": func(path string) error { return os.WriteFile(path, []byte{1}, 0o600) },
		"garbage":  func(path string) error { return os.WriteFile(path, bytes.Repeat([]byte("garbage "), 5000), 0o600) },
		"zeros":    func(path string) error { return os.WriteFile(path, make([]byte, 1<<16), 0o600) },
		"a sparse terabyte": func(path string) error {
			if err := os.WriteFile(path, nil, 0o600); err != nil {
				return err
			}
			return os.Truncate(path, 1<<40)
		},
		"another bbolt database": func(path string) error {
			db, err := bolt.Open(path, 0o600, nil)
			if err != nil {
				return err
			}
			return errors.Join(db.Update(func(tx *bolt.Tx) error {
				_, err := tx.CreateBucket([]byte("other"))
				return err
			}), db.Close())
		},
	}
	for name, write := range files {
		t.Run(name, func(t *testing.T) {
			b := store.NewBolt(t.TempDir(), time.Second)
			if err := write(b.Path()); errors.Is(err, errors.ErrUnsupported) || err != nil && strings.Contains(name, "sparse") {
				t.Skipf("this file system has no such files: %v", err)
			} else if err != nil {
				t.Fatal(err)
			}
			before := digest(t, b.Path())
			if err := b.View(t.Context(), put()); !errors.Is(err, store.ErrDamaged) {
				t.Errorf("View: %v", err)
			}
			if err := b.Update(t.Context(), put(pair{"a", "1"})); !errors.Is(err, store.ErrDamaged) {
				t.Errorf("Update: %v", err)
			}
			if err := b.Create(t.Context(), put()); !errors.Is(err, store.ErrExists) {
				t.Errorf("Create: %v", err)
			}
			if digest(t, b.Path()) != before {
				t.Error("the file was changed")
			}
		})
	}
}

// digest tells a file's size and its first 64 KiB, which is all that differs
// in these tests.
func digest(t testing.TB, path string) string {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	fi, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	head := make([]byte, 1<<16)
	n, _ := f.ReadAt(head, 0)
	return fmt.Sprintf("%d %x", fi.Size(), head[:n])
}

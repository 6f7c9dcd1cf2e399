package store_test

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"aivault/vault/internal/store"
)

// copyOf writes a copy of a store to a file of its own.
func copyOf(t *testing.T, b *store.Bolt) string {
	t.Helper()
	var buf bytes.Buffer
	n, err := b.WriteTo(t.Context(), &buf)
	if err != nil || n != int64(buf.Len()) {
		t.Fatalf("%d of %d bytes, %v", n, buf.Len(), err)
	}
	path := filepath.Join(t.TempDir(), "copy")
	if err := os.WriteFile(path, buf.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestACopyStandsForItself: it can be read and written, wherever it is, and what
// it was made of does not change with it.
func TestACopyStandsForItself(t *testing.T) {
	t.Parallel()
	b, _ := create(t, pair{"a", "1"})
	path := copyOf(t, b)
	copied := store.NewCopy(path, time.Second)
	wantContent(t, copied, pair{"a", "1"})
	if err := copied.Update(t.Context(), put(pair{"a", "2"})); err != nil {
		t.Fatal(err)
	}
	wantContent(t, copied, pair{"a", "2"})
	wantContent(t, b, pair{"a", "1"})
	if entries, err := os.ReadDir(filepath.Dir(path)); len(entries) != 1 || err != nil {
		t.Errorf("beside it: %v, %v", entries, err)
	}
	if err := os.Truncate(path, 5000); err != nil {
		t.Fatal(err)
	}
	if _, err := copied.WriteTo(t.Context(), new(bytes.Buffer)); !errors.Is(err, store.ErrDamaged) {
		t.Errorf("a copy of half a file: %v", err)
	}
}

// TestReplace puts a file in the place of the store's or leaves that as it is,
// and nothing in between.
func TestReplace(t *testing.T) {
	t.Parallel()
	b, dir := create(t, pair{"a", "old"})
	path := copyOf(t, b)
	if err := store.NewCopy(path, time.Second).Update(t.Context(), put(pair{"a", "new"})); err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	incoming, replaced := filepath.Join(dir, store.IncomingFile), filepath.Join(dir, store.ReplacedFile)
	if err := os.WriteFile(incoming, []byte("of a restore that was cut off"), 0o600); err != nil {
		t.Fatal(err)
	}
	failure := errors.New("no")
	err = b.Replace(t.Context(), func(to string) error {
		if _, err := os.Lstat(to); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("there is a file: %v", err)
		}
		return errors.Join(os.WriteFile(to, content, 0o600), failure)
	})
	if !errors.Is(err, failure) {
		t.Errorf("Replace: %v", err)
	}
	err = b.Replace(t.Context(), func(string) error { return &store.CommitError{Err: failure} })
	if _, replaced := errors.AsType[*store.CommitError](err); replaced || !errors.Is(err, failure) {
		t.Errorf("a failed commit to the other file reads as if that were in its place: %v", err)
	}
	for _, gone := range []string{incoming, replaced} {
		if _, err := os.Lstat(gone); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s stayed: %v", gone, err)
		}
	}
	wantContent(t, b, pair{"a", "old"})
	for _, was := range []string{"old", "new"} { // the second one replaces what the first one kept
		if err := b.Replace(t.Context(), func(to string) error { return os.WriteFile(to, content, 0o600) }); err != nil {
			t.Fatal(err)
		}
		wantContent(t, b, pair{"a", "new"})
		wantContent(t, store.NewCopy(replaced, time.Second), pair{"a", was})
	}
	if err := os.Remove(b.Path()); err != nil {
		t.Fatal(err)
	}
	if err := b.Replace(t.Context(), func(to string) error { return os.WriteFile(to, content, 0o600) }); err != nil {
		t.Fatal(err)
	}
	wantContent(t, b, pair{"a", "new"})
}

// TestReplaceWaits for those who use the store, and lets nobody in meanwhile.
func TestReplaceWaits(t *testing.T) {
	t.Parallel()
	b, dir := create(t, pair{"a", "1"})
	hasty := store.NewBolt(dir, 50*time.Millisecond)
	path := copyOf(t, b)
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	fill := func(to string) error { return os.WriteFile(to, content, 0o600) }
	in, out := make(chan struct{}), make(chan struct{})
	done := make(chan error, 1)
	go func() {
		done <- b.Replace(t.Context(), func(to string) error { close(in); <-out; return fill(to) })
	}()
	<-in
	if err := hasty.View(t.Context(), put()); !errors.Is(err, store.ErrBusy) {
		t.Errorf("View: %v", err)
	}
	if err := hasty.Replace(t.Context(), fill); !errors.Is(err, store.ErrBusy) {
		t.Errorf("another Replace: %v", err)
	}
	close(out)
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// TestNotes are written over each other, and a link in the place of one leads
// nowhere.
func TestNotes(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "dir", "note")
	if _, err := store.ReadNote(path, 10); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("none: %v", err)
	}
	for _, note := range []string{"0123456789", "abc", "defg"} {
		if err := store.WriteNote(path, []byte(note)); err != nil {
			t.Fatal(err)
		}
		if got, err := store.ReadNote(path, 10); string(got) != note || err != nil {
			t.Errorf("%q, %v; want %q", got, err, note)
		}
	}
	if got, err := store.ReadNote(path, 3); len(got) != 4 || err != nil {
		t.Errorf("a note that is too long is cut to %q, %v", got, err)
	}
	fi, err := os.Stat(path)
	if err != nil || fi.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", fi.Mode(), err)
	}
	if err := store.WriteNote(filepath.Join(filepath.Dir(path), "no", "way", "note"), nil); err == nil {
		t.Error("directories above were made")
	}
}

//go:build unix

package store_test

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"aivault/vault/internal/store"
)

// TestUnsafeFilesAreRefused: what others could have made, read or replaced is
// neither read nor written, and the error says what to do.
// Case 114.
func TestUnsafeFilesAreRefused(t *testing.T) {
	tests := []struct {
		name   string
		spoil  func(path string) error // of a store in order
		root   bool                    // only root can do it
		reason string
		fix    string
	}{
		{"symbolic link", func(p string) error {
			return errors.Join(os.Rename(p, p+".moved"), os.Symlink(p+".moved", p))
		}, false, "symbolic link", "put the file itself there"},
		{"dangling link", func(p string) error {
			return errors.Join(os.Remove(p), os.Symlink(p+".nowhere", p))
		}, false, "symbolic link", "put the file itself there"},
		{"FIFO", func(p string) error { return errors.Join(os.Remove(p), syscall.Mkfifo(p, 0o600)) }, false, "not a regular file", "move it away"},
		{"directory", func(p string) error { return errors.Join(os.Remove(p), os.Mkdir(p, 0o700)) }, false, "not a regular file", "move it away"},
		{"mode 0666", func(p string) error { return os.Chmod(p, 0o666) }, false, "0666", "chmod 600"},
		{"mode 0640", func(p string) error { return os.Chmod(p, 0o640) }, false, "0640", "chmod 600"},
		{"mode 0604", func(p string) error { return os.Chmod(p, 0o604) }, false, "0604", "chmod 600"},
		{"world-writable directory", func(p string) error { return os.Chmod(filepath.Dir(p), 0o777) }, false, "0777", "chmod 700"},
		{"sticky directory", func(p string) error { return os.Chmod(filepath.Dir(p), 0o777|fs.ModeSticky) }, false, "0777", "chmod 700"},
		{"group-writable directory", func(p string) error { return os.Chmod(filepath.Dir(p), 0o770) }, false, "0770", "chmod 700"},
		{"another owner", func(p string) error { return os.Lchown(p, 12345, -1) }, true, "belongs to user 12345", "run aivault as its owner"},
		{"directory of another owner", func(p string) error { return os.Lchown(filepath.Dir(p), 12345, -1) }, true, "belongs to user 12345", "run aivault as its owner"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if test.root && os.Geteuid() != 0 {
				t.Skip("only root can give a file away")
			}
			b, _ := create(t, pair{"a", "1"})
			if err := test.spoil(b.Path()); err != nil {
				t.Fatal(err)
			}
			for name, run := range map[string]func(context.Context, func(store.Tx) error) error{"View": b.View, "Update": b.Update} {
				err := run(t.Context(), func(store.Tx) error { t.Error("the transaction ran"); return nil })
				unsafe, ok := errors.AsType[*store.UnsafeError](err)
				if !ok || !strings.Contains(unsafe.Error(), test.reason) || !strings.Contains(unsafe.Fix, test.fix) {
					t.Errorf("%s: %v, %+v", name, err, unsafe)
				}
			}
			if err := b.Create(t.Context(), put()); err == nil {
				t.Error("Create made another store there")
			}
		})
	}
}

// TestTheLockFileIsNoWayIn: a link in its place leads nowhere, a FIFO does not
// block.
func TestTheLockFileIsNoWayIn(t *testing.T) {
	b, dir := create(t, pair{"a", "1"})
	lock, victim := filepath.Join(dir, store.LockFile), filepath.Join(t.TempDir(), "victim")
	if err := errors.Join(os.Remove(lock), os.Symlink(victim, lock)); err != nil {
		t.Fatal(err)
	}
	if err := b.Update(t.Context(), put()); err == nil {
		t.Error("Update follows a link")
	}
	if _, err := os.Lstat(victim); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the link's target was made: %v", err)
	}
	if err := errors.Join(os.Remove(lock), syscall.Mkfifo(lock, 0o600)); err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		_ = b.View(context.Background(), put()) // whichever way it ends
		close(done)
	}()
	select {
	case <-done:
	case <-time.After(20 * time.Second):
		t.Error("a FIFO blocks")
	}
}

// TestReplacedBeforeCommit: a write must not go into a file that nobody will
// see again.
// Case 115.
func TestReplacedBeforeCommit(t *testing.T) {
	for name, replace := range map[string]func(path string) error{
		"deleted": os.Remove,
		"renamed": func(p string) error { return os.Rename(p, p+".away") },
		"replaced": func(p string) error {
			data, err := os.ReadFile(p)
			if err != nil {
				return err
			}
			return errors.Join(os.WriteFile(p+".new", data, 0o600), os.Rename(p+".new", p))
		},
	} {
		t.Run(name, func(t *testing.T) {
			b, _ := create(t, pair{"a", "1"})
			err := b.Update(t.Context(), func(tx store.Tx) error {
				if err := tx.Put(store.Records, []byte("a"), []byte("2")); err != nil {
					return err
				}
				return replace(b.Path())
			})
			if !errors.Is(err, store.ErrReplaced) {
				t.Errorf("Update: %v", err)
			}
			if name == "replaced" {
				wantContent(t, b, pair{"a", "1"})
			}
		})
	}
}

// holding runs f while a transaction is open.
func holding(t *testing.T, run func(context.Context, func(store.Tx) error) error, f func()) {
	t.Helper()
	in, out, done := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	go func() {
		done <- run(context.Background(), func(store.Tx) error { close(in); <-out; return nil })
	}()
	<-in
	f()
	close(out)
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// Fault F16.
func TestWhoWaitsForWhom(t *testing.T) {
	b, dir := create(t, pair{"a", "1"})
	hasty := store.NewBolt(dir, 50*time.Millisecond)
	holding(t, b.View, func() {
		if err := hasty.View(t.Context(), put()); err != nil {
			t.Errorf("a reader beside a reader: %v", err)
		}
		if err := hasty.Update(t.Context(), put()); !errors.Is(err, store.ErrBusy) {
			t.Errorf("a writer beside a reader: %v", err)
		}
	})
	holding(t, b.Update, func() {
		if err := hasty.View(t.Context(), put()); !errors.Is(err, store.ErrBusy) {
			t.Errorf("a reader beside a writer: %v", err)
		}
		if err := hasty.Update(t.Context(), put()); !errors.Is(err, store.ErrBusy) {
			t.Errorf("a writer beside a writer: %v", err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := b.Update(ctx, put()); !errors.Is(err, context.Canceled) {
			t.Errorf("a writer whose caller went away: %v", err)
		}
	})
	// Those who gave up have let go of the lock, or will as soon as they get it.
	if err := b.Update(t.Context(), put(pair{"b", "2"})); err != nil {
		t.Error(err)
	}
}

// TestAWaiterGetsItsTurn: whoever waits within the deadline is served as soon
// as the lock is free.
func TestAWaiterGetsItsTurn(t *testing.T) {
	b, _ := create(t, pair{"a", "1"})
	const writers = 16
	done := make(chan error, writers)
	holding(t, b.Update, func() {
		for i := range writers {
			go func() { done <- b.Update(context.Background(), put(pair{string(rune('A' + i)), "x"})) }()
		}
	})
	for range writers {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	if got, err := content(t.Context(), b); len(got) != writers+1 || err != nil {
		t.Errorf("%d records, %v", len(got), err)
	}
}

// TestReadOnlyDirectory: reading needs no right to write, not even for the
// lock, and changes nothing.
// Fault F5.
func TestReadOnlyDirectory(t *testing.T) {
	if os.Geteuid() == 0 {
		t.Skip("root may write everywhere")
	}
	b, dir := create(t, pair{"a", "1"})
	if err := errors.Join(os.Remove(filepath.Join(dir, store.LockFile)), os.Chmod(b.Path(), 0o400), os.Chmod(dir, 0o500)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.Chmod(dir, 0o700) })
	wantContent(t, b, pair{"a", "1"})
	if err := b.Update(t.Context(), put()); !errors.Is(err, fs.ErrPermission) {
		t.Errorf("Update: %v", err)
	}
}

// TestKeysOutOfOrder: a tree that leads back to itself must not be walked for
// ever.
func TestKeysOutOfOrder(t *testing.T) {
	var pairs []pair
	for c := 'a'; c <= 'z'; c++ {
		pairs = append(pairs, pair{strings.Repeat(string(c), 8), "v"})
	}
	b, _ := create(t, pairs...)
	data, err := os.ReadFile(b.Path())
	if err != nil {
		t.Fatal(err)
	}
	data = bytes.ReplaceAll(data, []byte("mmmmmmmm"), []byte("bbbbbbbb"))
	if err := os.WriteFile(b.Path(), data, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, reverse := range []bool{false, true} {
		err := b.View(t.Context(), func(tx store.Tx) error {
			return tx.Range(store.Records, store.Span{Reverse: reverse}, func(_, _ []byte) error { return nil })
		})
		if !errors.Is(err, store.ErrDamaged) {
			t.Errorf("reverse %v: %v", reverse, err)
		}
	}
}

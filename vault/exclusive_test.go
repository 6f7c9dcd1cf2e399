package vault_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"aivault/keys/fault"
	"aivault/vault"
	"aivault/vault/internal/store"
	"aivault/vault/vaulttest"
)

// TestExclusive: one at a time, also of two vaults in one process; another name
// is another lock; to release twice releases once.
func TestExclusive(t *testing.T) {
	t.Parallel()
	l, dir := fresh(t)
	vaults := []*vault.Local{l, open(t, dir)}
	var (
		wg    sync.WaitGroup
		had   atomic.Int32
		inUse atomic.Bool
	)
	for i := range 40 {
		wg.Go(func() {
			release, err := vaults[i%2].Exclusive(t.Context(), "name")
			if err != nil {
				t.Error(err)
				return
			}
			if inUse.Swap(true) {
				t.Error("two at a time")
			}
			runtime.Gosched()
			had.Add(1)
			inUse.Store(false)
			release()
			release()
		})
	}
	wg.Wait()
	if had.Load() != 40 {
		t.Errorf("%d had it", had.Load())
	}
	release, err := l.Exclusive(t.Context(), "name")
	must(t, err)
	other, err := l.Exclusive(t.Context(), "other name")
	must(t, err)
	other()
	release()
	release, err = vaults[1].Exclusive(t.Context(), "name")
	must(t, err)
	release()
	if runtime.GOOS == "windows" {
		return
	}
	files := list(t, filepath.Join(dir, store.RunDir))
	if len(files) != 2 {
		t.Errorf("files: %q", files)
	}
	for path, want := range map[string]fs.FileMode{"": fs.ModeDir | 0o700, files[0]: 0o600} {
		if fi, err := os.Lstat(filepath.Join(dir, store.RunDir, path)); err != nil || fi.Mode() != want {
			t.Errorf("%q: %v, %v", path, fi.Mode(), err)
		}
	}
}

// TestExclusiveWaits: a caller that gives up ends at once, whatever another
// holds, leaves nothing that grows, and nobody behind it loses the turn.
func TestExclusiveWaits(t *testing.T) {
	t.Parallel()
	l, dir := fresh(t)
	other := open(t, dir) // as another process does, it holds the file and not the turn
	release, err := other.Exclusive(t.Context(), "name")
	must(t, err)
	for range 50 {
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		if _, err := l.Exclusive(ctx, "name"); !errors.Is(err, context.DeadlineExceeded) || fault.CodeOf(err) != fault.Timeout {
			t.Errorf("with a deadline: %v", err)
		}
		cancel()
		if _, err := l.Exclusive(ctx, "name"); err == nil {
			t.Error("had by a caller that was gone before")
		}
	}
	if open := holders(t, filepath.Join(dir, store.RunDir)); open > 2 {
		t.Errorf("the lock's file is open %d times", open)
	}
	got := make(chan error)
	go func() {
		release, err := l.Exclusive(t.Context(), "name")
		if err == nil {
			release()
		}
		got <- err
	}()
	release()
	if err := <-got; err != nil {
		t.Errorf("the one that waited on: %v", err)
	}
}

// holders counts how often this process has a file of a directory open, where
// the system tells.
func holders(t *testing.T, dir string) (n int) {
	const self = "/proc/self/fd"
	fds, err := os.ReadDir(self)
	if err != nil {
		t.Log(err)
	}
	for _, fd := range fds {
		if path, err := os.Readlink(filepath.Join(self, fd.Name())); err == nil && filepath.Dir(path) == dir {
			n++
		}
	}
	return n
}

// TestExclusiveIsNoWayOut: no link leads to another place, and no vault is made
// for a lock.
func TestExclusiveIsNoWayOut(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("links need a privilege there")
	}
	none := open(t, vaulttest.Dir(t))
	_, err := none.Exclusive(t.Context(), "name")
	wantCode(t, err, fault.InvalidRequest)

	l, dir := fresh(t)
	elsewhere := t.TempDir()
	run := filepath.Join(dir, store.RunDir)
	must(t, os.Symlink(elsewhere, run))
	_, err = l.Exclusive(t.Context(), "name")
	wantCode(t, err, fault.IO)
	if fault.HintOf(err) == "" {
		t.Errorf("no hint: %v", err)
	}
	must(t, os.Remove(run))
	must(t, os.Mkdir(run, 0o700))
	must(t, os.Chmod(run, 0o777))
	_, err = l.Exclusive(t.Context(), "name")
	wantCode(t, err, fault.IO)
	must(t, os.Chmod(run, 0o700))
	release, err := l.Exclusive(t.Context(), "name")
	must(t, err)
	release()
	lock := filepath.Join(run, list(t, run)[0])
	must(t, os.Remove(lock))
	must(t, os.Symlink(filepath.Join(elsewhere, "victim"), lock))
	_, err = l.Exclusive(t.Context(), "name")
	wantCode(t, err, fault.IO)
	if files := list(t, elsewhere); len(files) != 0 {
		t.Errorf("elsewhere: %q", files)
	}
	must(t, os.Remove(lock))
	release, err = l.Exclusive(t.Context(), "name") // an error takes no turn away
	must(t, err)
	release()
}

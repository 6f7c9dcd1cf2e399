package vault_test

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"

	"aivault/keys/fault"
	"aivault/vault"
	"aivault/vault/internal/store"
	"aivault/vault/vaulttest"
)

// workTouch creates a secret: the least that a process can change.
func workTouch(ctx context.Context, l *vault.Local, args []string, _ io.Writer) error {
	_, err := l.CreateSecret(ctx, newSecret(vault.GlobalScope(), args[0], "made-up"))
	return err
}

// Checklist 63.
func TestState(t *testing.T) {
	t.Parallel()
	dir := vaulttest.Dir(t)
	l := open(t, dir)
	var last vault.State
	seen := map[vault.State]string{{}: "no vault"}
	step := func(what string, differs bool) {
		t.Helper()
		s, err := l.State(t.Context())
		if err != nil {
			t.Fatal(what, err)
		}
		if was, ok := seen[s]; differs && ok || !differs && s != last {
			t.Errorf("%s: changed is %v, seen before: %q", what, s != last, was)
		}
		seen[s], last = what, s
	}
	step("no vault", false)
	other := open(t, dir)
	if _, err := other.Init(t.Context(), keyFile(dir)); err != nil {
		t.Fatal(err)
	}
	step("made", true)
	for i := range 20 {
		step("nothing", false)
		if err := worker(t, "touch", dir, fmt.Sprint("N", i)).Run(); err != nil {
			t.Fatal(err)
		}
		step(fmt.Sprint("another process ", i), true)
	}
	s := vaulttest.Create(t, other, vault.GlobalScope(), "A", "made-up")
	step("another Local", true)
	granted(t, other)
	step("a call", true)
	if _, err := l.Secrets(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	if _, err := l.Doctor(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := l.Share(t.Context(), []vault.Sharing{{Secret: s.ID, Group: refs("g")[0], Revision: 9}}); err == nil {
		t.Fatal("a refusal is none")
	}
	step("reading, and a refusal", false)
	l.Close()
	step("without a key", false)
}

// TestStateOfAReplacedFile: also one with the same transaction id, in the place
// of the same inode.
func TestStateOfAReplacedFile(t *testing.T) {
	t.Parallel()
	dir := vaulttest.Dir(t)
	l := open(t, dir)
	seen := map[vault.State]bool{}
	for i := range 5 {
		if _, err := l.Init(t.Context(), keyFile(dir)); err != nil {
			t.Fatal(err)
		}
		s, err := l.State(t.Context())
		if err != nil || seen[s] {
			t.Errorf("vault %d: seen %v, %v", i, seen[s], err)
		}
		seen[s] = true
		must(t, os.Remove(vaultFile(dir)))
		must(t, os.Remove(filepath.Join(dir, "kek.key")))
		if s, err := l.State(t.Context()); err != nil || s != (vault.State{}) {
			t.Errorf("without a vault: %v, %v", s, err)
		}
	}
}

// TestStateWaitsForNobody: a writer that holds the vault does not keep it up.
func TestStateWaitsForNobody(t *testing.T) {
	t.Parallel()
	l, dir := fresh(t)
	before, err := l.State(t.Context())
	must(t, err)
	edit(t, dir, func(tx store.Tx) {
		must(t, tx.Put(store.Audit, []byte("x"), []byte("y")))
		during, err := l.State(t.Context())
		if err != nil || during != before {
			t.Errorf("before the commit: %v, %v", during != before, err)
		}
	})
	after, err := l.State(t.Context())
	if err != nil || after == before {
		t.Errorf("after the commit: %v, %v", after != before, err)
	}
}

// TestStateOfADamagedFile: what cannot be told from another file is an error.
func TestStateOfADamagedFile(t *testing.T) {
	t.Parallel()
	l, dir := fresh(t)
	must(t, os.Truncate(vaultFile(dir), 0))
	empty, err := l.State(t.Context())
	if err != nil || empty == (vault.State{}) {
		t.Errorf("an empty file is no vault: %v", err)
	}
	must(t, os.Remove(vaultFile(dir)))
	must(t, os.Mkdir(vaultFile(dir), 0o700))
	_, err = l.State(t.Context())
	wantCode(t, err, fault.IO)
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := l.State(ended); err == nil {
		t.Error("a state for nobody")
	}
}

// TestLock: the key is fetched again, and what was open is done.
func TestLock(t *testing.T) {
	t.Parallel()
	l, dir := fresh(t)
	s := vaulttest.Create(t, l, vault.GlobalScope(), "A", "made-up")
	intent := granted(t, l)
	if err := l.Finish(t.Context(), intent, vault.Event{Outcome: vault.OutcomeOK}); err != nil {
		t.Fatal(err)
	}
	key := filepath.Join(dir, "kek.key")
	must(t, os.Rename(key, key+".away"))
	if err := l.Lock(t.Context()); err != nil {
		t.Fatal(err)
	}
	if st, err := l.Status(t.Context()); err != nil || !st.Locked {
		t.Errorf("status: %+v, %v", st, err)
	}
	_, err := l.FindSecret(t.Context(), s.ID.String())
	wantCode(t, err, fault.KeyUnavailable)
	if err := l.Lock(t.Context()); err != nil {
		t.Errorf("locked twice: %v", err)
	}
	must(t, os.Rename(key+".away", key))
	events, err := l.Audit(t.Context(), vault.AuditQuery{Limit: 1})
	if err != nil || len(events) != 1 || events[0].Intent != intent {
		t.Errorf("the outcome: %+v, %v", events, err)
	}
}

func BenchmarkState(b *testing.B) {
	bySize(b, func(b *testing.B, l *vault.Local, _ vault.ID) {
		for b.Loop() {
			if _, err := l.State(b.Context()); err != nil {
				b.Fatal(err)
			}
		}
	})
}

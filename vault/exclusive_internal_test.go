package vault

import (
	"path/filepath"
	"testing"
	"time"

	"aivault/keys"
	"aivault/keys/fault"
)

// TestABusyTurn: a turn that does not come in time is an error of its own.
func TestABusyTurn(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	l := New(Options{Root: dir, Keys: keys.Source{Getenv: func(string) string { return "" }}})
	defer l.Close()
	if _, err := l.Init(t.Context(), keys.Config{Kind: keys.KindFile, Path: filepath.Join(dir, "kek.key")}); err != nil {
		t.Fatal(err)
	}
	release, err := l.turn(t.Context(), "name", turnWait)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if _, err := l.turn(t.Context(), "name", time.Millisecond); fault.CodeOf(err) != fault.VaultBusy || fault.HintOf(err) == "" {
			t.Errorf("while it is held: %v", err)
		}
	}
	release()
	release, err = l.turn(t.Context(), "name", turnWait)
	if err != nil {
		t.Fatal(err)
	}
	release()
}

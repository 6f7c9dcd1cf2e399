package vault_test

import (
	"os"
	"path/filepath"
	"testing"

	"aivault/vault"
	"aivault/vault/vaulttest"
)

// BenchmarkAnchor is what remembering costs a change and a look: the same, with
// an anchor and where none can be kept.
func BenchmarkAnchor(b *testing.B) {
	for _, with := range []bool{true, false} {
		l, dir := fresh(b)
		s := vaulttest.Create(b, l, vault.GlobalScope(), "one", "made-up")
		name := "kept"
		if !with {
			name = "none"
			state := filepath.Join(dir, "state")
			must(b, os.RemoveAll(state))
			must(b, os.WriteFile(state, nil, 0o600)) // no directory
		}
		b.Run("change/"+name, func(b *testing.B) {
			for b.Loop() {
				if _, err := l.RotateSecret(b.Context(), s.ID, val("made-up"), 0); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run("look/"+name, func(b *testing.B) {
			for b.Loop() {
				if _, err := l.FindSecret(b.Context(), s.ID.String()); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

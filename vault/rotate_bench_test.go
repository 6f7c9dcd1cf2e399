package vault_test

import (
	"testing"

	"aivault/vault"
)

// BenchmarkRotateMaster is a new root key: everything is sealed anew, verified, and
// renamed into its place.
func BenchmarkRotateMaster(b *testing.B) {
	bySize(b, func(b *testing.B, l *vault.Local, _ vault.ID) {
		for b.Loop() {
			if _, err := l.RotateMaster(b.Context(), vault.RotateOptions{}); err != nil {
				b.Fatal(err)
			}
		}
	})
}

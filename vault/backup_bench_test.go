package vault_test

import (
	"path/filepath"
	"testing"

	"aivault/vault"
)

// BenchmarkBackup is a backup, with its verification, over the one before.
func BenchmarkBackup(b *testing.B) {
	bySize(b, func(b *testing.B, l *vault.Local, _ vault.ID) {
		file := filepath.Join(b.TempDir(), "backup")
		for b.Loop() {
			if _, err := l.Backup(b.Context(), file, true); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkRestore is a restore of the latest backup: a copy, its verification,
// and the comparison of it with the vault.
func BenchmarkRestore(b *testing.B) {
	bySize(b, func(b *testing.B, l *vault.Local, _ vault.ID) {
		file := filepath.Join(b.TempDir(), "backup")
		if _, err := l.Backup(b.Context(), file, false); err != nil {
			b.Fatal(err)
		}
		for b.Loop() {
			if _, err := l.Restore(b.Context(), file, vault.RestoreOptions{Back: true}); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkSalvage is that of a vault in order.
func BenchmarkSalvage(b *testing.B) {
	bySize(b, func(b *testing.B, l *vault.Local, _ vault.ID) {
		for b.Loop() {
			if _, err := l.Salvage(b.Context(), filepath.Join(b.TempDir(), "new")); err != nil {
				b.Fatal(err)
			}
		}
	})
}

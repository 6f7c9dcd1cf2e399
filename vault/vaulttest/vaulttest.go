// Package vaulttest makes vaults for tests: real ones, in a directory of the
// test, with a key file.
package vaulttest

import (
	"context"
	"crypto/rand"
	"os"
	"path/filepath"
	"testing"

	"aivault/keys"
	"aivault/keys/opaque"
	"aivault/vault"
)

// Dir returns a directory for a vault, which holds nothing.
func Dir(t testing.TB) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "vault")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	return dir
}

// Options returns the options of a vault in dir whose key is a file there, and
// which is made at its first use.
func Options(dir string) vault.Options {
	return vault.Options{
		Root: dir,
		Keys: keys.Source{Getenv: func(string) string { return "" }},
		FirstUse: func(context.Context) (keys.Config, error) {
			return keys.Config{Kind: keys.KindFile, Path: filepath.Join(dir, "kek.key")}, nil
		},
	}
}

// New returns a new vault, and has Doctor look at it when the test is over.
func New(t testing.TB, claims vault.Claims) *vault.Local {
	t.Helper()
	opts := Options(Dir(t))
	opts.Claims = claims
	l := vault.New(opts)
	t.Cleanup(func() {
		Healthy(t, l)
		l.Close()
	})
	return l
}

// Healthy fails the test unless everything in the vault verifies.
func Healthy(t testing.TB, l *vault.Local) {
	t.Helper()
	report, err := l.Doctor(context.Background())
	if err == nil {
		err = report.Err()
	}
	if err != nil {
		t.Errorf("doctor: %v", err)
	}
}

// Create stores a secret.
func Create(t testing.TB, v vault.Vault, scope vault.Scope, name, value string) vault.Secret {
	t.Helper()
	s, err := v.CreateSecret(context.Background(), vault.NewSecret{Name: name, Scope: scope, Value: opaque.New([]byte(value))})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// Claims claims names for providers, as a registry does.
type Claims map[string]string

// Claim implements vault.Claims.
func (c Claims) Claim(name string) (string, bool) {
	provider, ok := c[name]
	return provider, ok
}

// CheapKDF returns the least that a passphrase may cost.
func CheapKDF() (keys.KDF, error) {
	salt := make([]byte, 16)
	_, err := rand.Read(salt)
	return keys.KDF{Time: 1, MemoryKiB: 19 << 10, Threads: 1, Salt: salt}, err
}

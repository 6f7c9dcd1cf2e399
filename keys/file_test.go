package keys_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"aivault/keys"
	"aivault/keys/fault"
)

func fileConfig(path string) keys.Config { return keys.Config{Kind: keys.KindFile, Path: path} }

func writeKey(t *testing.T, path string, content []byte) {
	t.Helper()
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
}

// names returns what is in dir.
func names(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, e := range entries {
		all = append(all, e.Name())
	}
	return all
}

func TestFileCreate(t *testing.T) {
	root := t.TempDir()
	path := filepath.Join(root, "a", "b", strings.Repeat("k", 255)) // the longest name there is
	p := provider(t, keys.Source{}, fileConfig(path))

	_, err := p.Load(t.Context())
	wantCode(t, err, fault.KeyUnavailable)
	if !strings.Contains(err.Error(), path) || fault.HintOf(err) == "" {
		t.Errorf("%q does not name the file, or comes without a hint", err)
	}
	if got := names(t, root); len(got) != 0 {
		t.Errorf("Load made %q", got)
	}

	made, err := p.Create(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if string(content) != base64.StdEncoding.EncodeToString(made.Reveal()) {
		t.Error("the file does not hold the base64 of the key and nothing else")
	}
	if got := names(t, filepath.Dir(path)); len(got) != 1 {
		t.Errorf("the directory holds %q, want the key file alone", got)
	}

	again, err := p.Create(t.Context())
	if err != nil || !again.Equal(made) {
		t.Errorf("a second Create does not give the key that is there: %v", err)
	}
	loaded, err := p.Load(t.Context())
	if err != nil || !loaded.Equal(made) {
		t.Errorf("Load does not give the key that is there: %v", err)
	}
}

func TestFileForms(t *testing.T) {
	path := filepath.Join(t.TempDir(), "kek.key")
	p := provider(t, keys.Source{}, fileConfig(path))
	for _, text := range []string{
		base64.StdEncoding.EncodeToString(canary()),
		base64.StdEncoding.EncodeToString(canary()) + "\n",
		hex.EncodeToString(canary()) + "\r\n",
	} {
		writeKey(t, path, []byte(text))
		key, err := p.Load(t.Context())
		if err != nil || !bytes.Equal(key.Reveal(), canary()) {
			t.Errorf("a file of %d bytes does not give the key: %v", len(text), err)
		}
	}
	for name, content := range map[string][]byte{
		"empty":     nil,
		"raw":       canary(),
		"truncated": []byte(base64.StdEncoding.EncodeToString(canary())[:40]),
		"huge":      append([]byte(base64.StdEncoding.EncodeToString(canary())), bytes.Repeat([]byte(" "), 2000)...),
	} {
		t.Run(name, func(t *testing.T) {
			writeKey(t, path, content)
			for _, get := range []func(context.Context) (keys.Key, error){p.Load, p.Create} {
				_, err := get(t.Context())
				wantCode(t, err, fault.KeyUnavailable)
			}
			if got, err := os.ReadFile(path); err != nil || !bytes.Equal(got, content) {
				t.Errorf("the file was changed, or cannot be read: %v", err)
			}
		})
	}
}

// TestFileCreateRace has many make the same file: one key, and no leftovers.
func TestFileCreateRace(t *testing.T) {
	path := filepath.Join(t.TempDir(), "new", "kek.key")
	made := make([]keys.Key, 32)
	errs := make([]error, len(made))
	var all sync.WaitGroup
	start := make(chan struct{})
	for i := range made {
		p := provider(t, keys.Source{}, fileConfig(path))
		all.Go(func() {
			<-start
			made[i], errs[i] = p.Create(t.Context())
		})
	}
	close(start)
	all.Wait()
	for i := range made {
		if errs[i] != nil || !made[i].Equal(made[0]) {
			t.Errorf("number %d does not have the same key: %v", i, errs[i])
		}
	}
	if got := names(t, filepath.Dir(path)); len(got) != 1 {
		t.Errorf("the directory holds %q, want the key file alone", got)
	}
}

func TestFileNotAFile(t *testing.T) {
	dir := t.TempDir()
	p := provider(t, keys.Source{}, fileConfig(dir))
	for _, get := range []func(context.Context) (keys.Key, error){p.Load, p.Create} {
		_, err := get(t.Context())
		wantCode(t, err, fault.KeyUnavailable)
	}
	plain := filepath.Join(dir, "plain")
	writeKey(t, plain, nil)
	_, err := provider(t, keys.Source{}, fileConfig(filepath.Join(plain, "kek.key"))).Create(t.Context())
	wantCode(t, err, fault.KeyUnavailable)
}

func TestFileCanceled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	path := filepath.Join(t.TempDir(), "kek.key")
	_, err := provider(t, keys.Source{}, fileConfig(path)).Create(ctx)
	wantCode(t, err, fault.Canceled)
	if got := names(t, filepath.Dir(path)); len(got) != 0 {
		t.Errorf("Create made %q", got)
	}
}

func BenchmarkFileLoad(b *testing.B) {
	p, err := keys.Source{}.Provider(fileConfig(filepath.Join(b.TempDir(), "kek.key")))
	if err != nil {
		b.Fatal(err)
	}
	if _, err := p.Create(b.Context()); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := p.Load(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
}

package ui_test

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"aivault/broker/brokertest"
	"aivault/broker/remote"
	"aivault/keys/opaque"
	"aivault/vault"
	"aivault/vault/vaulttest"
)

// Whole processes, from start to exit: what a person or a script waits for.
// OneLine is the measure: a Go program that prints a line. The bounds are
// ratios to it, and of a large vault to a small one.

// build compiles the package in a directory as it is released.
func build(b *testing.B, dir string) string {
	b.Helper()
	exe := filepath.Join(b.TempDir(), "program")
	cmd := exec.Command("go", "build", "-trimpath", "-ldflags=-s", "-o", exe, ".")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		b.Skipf("go build: %v\n%s", err, out)
	}
	return exe
}

// run runs a command over and over.
func run(b *testing.B, env []string, exe string, args ...string) {
	b.Helper()
	for b.Loop() {
		cmd := exec.Command(exe, args...)
		cmd.Env = env
		if out, err := cmd.CombinedOutput(); err != nil {
			b.Fatalf("%v\n%s", err, out)
		}
	}
}

func BenchmarkProcess(b *testing.B) {
	aivault := build(b, "..")
	b.Run("OneLine", func(b *testing.B) {
		dir := b.TempDir()
		for name, text := range map[string]string{
			"go.mod":  "module line\n\ngo 1.26\n",
			"main.go": "package main\n\nimport \"fmt\"\n\nfunc main() { fmt.Println(\"a line\") }\n",
		} {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
				b.Fatal(err)
			}
		}
		run(b, nil, build(b, dir))
	})
	b.Run("Version", func(b *testing.B) { run(b, nil, aivault, "--version") })
	for _, n := range []int{10, 1_000, 100_000} {
		env := []string{"AIVAULT_DIR=" + filled(b, n), "HOME=" + b.TempDir()}
		b.Run(fmt.Sprintf("Status/%d", n), func(b *testing.B) { run(b, env, aivault, "status") })
		b.Run(fmt.Sprintf("ListScope/%d", n), func(b *testing.B) {
			run(b, env, aivault, "secrets", "list", "--scope", "workspace", "--workspace-id", "w0")
		})
		b.Run(fmt.Sprintf("Explain/%d", n), func(b *testing.B) { run(b, env, aivault, "explain", "acme/items", "--workspace-id", "w0") })
		b.Run(fmt.Sprintf("Invoke/%d", n), func(b *testing.B) { run(b, env, aivault, "invoke", "acme/items", "--workspace-id", "w0") })
		b.Run(fmt.Sprintf("InvokeAlone/%d", n), func(b *testing.B) {
			run(b, append(env, "AIVAULTD_DISABLE=1"), aivault, "invoke", "acme/items", "--workspace-id", "w0")
		})
	}
	b.Run("CreateClaimed", func(b *testing.B) { benchClaimed(b, aivault) })
	env := []string{"AIVAULT_DIR=" + filled(b, 10), "HOME=" + b.TempDir(), "AIVAULTD_DISABLE=1"}
	b.Run("CapabilityList", func(b *testing.B) { run(b, env, aivault, "capability", "list") })
	b.Run("Describe", func(b *testing.B) { run(b, env, aivault, "capability", "describe", "openai/chat-completions") })
	b.Run("ProviderList", func(b *testing.B) { run(b, env, aivault, "provider", "list") })
	b.Run("InvokeCold", func(b *testing.B) { benchCold(b, aivault) })
	b.Run("Unlock", func(b *testing.B) { benchUnlock(b, aivault) })
}

// benchCold is a call that starts the daemon.
func benchCold(b *testing.B, aivault string) {
	dir := filled(b, 10)
	env := []string{"AIVAULT_DIR=" + dir, "HOME=" + b.TempDir()}
	socket := filepath.Join(dir, "run", "aivaultd.sock")
	for b.Loop() {
		cmd := exec.Command(aivault, "invoke", "acme/items", "--workspace-id", "w0")
		cmd.Env = env
		if out, err := cmd.CombinedOutput(); err != nil {
			b.Fatalf("%v\n%s", err, out)
		}
		b.StopTimer()
		if err := remote.Stop(context.Background(), remote.Options{Socket: socket, OwnerUID: os.Geteuid()}); err != nil {
			b.Fatal(err)
		}
		for holdsLock(dir) {
			time.Sleep(time.Millisecond)
		}
		b.StartTimer()
	}
}

// benchClaimed stores secrets of a name that a provider claims, each in a workspace
// of its own.
func benchClaimed(b *testing.B, aivault string) {
	file := filepath.Join(b.TempDir(), "value")
	if err := os.WriteFile(file, []byte("sk-made-up-value"), 0o600); err != nil {
		b.Fatal(err)
	}
	env := []string{"AIVAULT_DIR=" + filled(b, 10), "HOME=" + b.TempDir(), "AIVAULTD_DISABLE=1"}
	for i := 0; b.Loop(); i++ {
		cmd := exec.Command(aivault, "secrets", "create", "--name", "OPENAI_API_KEY", "--workspace-id", fmt.Sprint("claimed-", i), "--value-file", file)
		cmd.Env = env
		if out, err := cmd.CombinedOutput(); err != nil {
			b.Fatalf("%v\n%s", err, out)
		}
	}
}

// benchUnlock is the making of a key out of a passphrase, and its way to the
// daemon.
func benchUnlock(b *testing.B, aivault string) {
	dir := vaulttest.Dir(b)
	phrase := filepath.Join(b.TempDir(), "phrase")
	if err := os.WriteFile(phrase, []byte("a made-up passphrase"), 0o600); err != nil {
		b.Fatal(err)
	}
	env := []string{"AIVAULT_DIR=" + dir, "HOME=" + b.TempDir()}
	for _, args := range [][]string{{"init", "--provider", "passphrase", "--passphrase-file", phrase}, {"unlock", "--passphrase-file", phrase}} {
		cmd := exec.Command(aivault, args...)
		cmd.Env = env
		if out, err := cmd.CombinedOutput(); err != nil {
			b.Fatalf("%v\n%s", err, out)
		}
	}
	run(b, env, aivault, "unlock", "--passphrase-file", phrase)
}

// filled makes a vault of n secrets, 10 to 200 in a workspace, one of which
// serves acme/items at an upstream. It returns the vault's directory.
func filled(b *testing.B, n int) string {
	b.Helper()
	up := brokertest.New(b, "localhost")
	up.Handle(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("{}\n")) })
	ctx, dir := context.Background(), vaulttest.Dir(b)
	l := vault.New(vaulttest.Options(dir))
	defer l.Close()
	each := min(n, 200)
	for w := range n / each {
		scope, err := vault.NewScope(fmt.Sprintf("w%d", w), "")
		if err != nil {
			b.Fatal(err)
		}
		entries := make([]vault.ImportEntry, each)
		for i := range entries {
			entries[i] = vault.ImportEntry{Name: fmt.Sprintf("SECRET_%d", i), Value: opaque.New([]byte("made-up-value"))}
		}
		if _, err := l.ImportSecrets(ctx, scope, entries, false); err != nil {
			b.Fatal(err)
		}
	}
	scope, err := vault.NewScope("w0", "")
	if err != nil {
		b.Fatal(err)
	}
	secrets, err := l.Secrets(ctx, &scope)
	if err != nil {
		b.Fatal(err)
	}
	host := fmt.Sprintf("localhost:%d", up.Port())
	_, err = l.CreateCredential(ctx, vault.Credential{
		ID: "acme", Provider: "acme", Scope: scope, Secret: secrets[0].ID, Hosts: []string{host},
		Auth:         vault.Auth{Kind: "header", Params: []vault.Param{{Name: "Authorization", Value: "Bearer {{secret}}"}}},
		AllowPrivate: true, CACert: up.CAPEM(),
	}, opaque.New([]byte("made-up-value")))
	if err != nil {
		b.Fatal(err)
	}
	_, err = l.CreateCapability(ctx, vault.Capability{
		ID: "acme/items", Provider: "acme",
		Allow: vault.Allow{Hosts: []string{host}, Methods: []string{"GET"}, Paths: []string{"/items"}},
	})
	if err != nil {
		b.Fatal(err)
	}
	return dir
}

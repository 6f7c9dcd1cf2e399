//go:build linux

package keys_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"aivault/keys"
	"aivault/keys/fault"
	"aivault/keys/keystest/desktop"
)

// The real Secret Service, gnome-keyring: there, empty, with the entry of another
// vault, with something else in ours, with none anymore, and locked.
//
// Fault F10, F11.
func TestSecretService(t *testing.T) {
	s := desktop.New(t)
	s.Gnome(t, "pw")
	k := helper(patience, s.Env...)
	if there, err := k.Present(t.Context()); !there || err != nil {
		t.Fatalf("Present: %v, %v; want true, nil", there, err)
	}
	p := provider(t, keys.Source{Keyring: k}, entry())
	_, err := p.Load(t.Context())
	wantCode(t, err, fault.KeyUnavailable)
	namesEntry(t, err)

	made, err := p.Create(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	loaded, err := p.Load(t.Context())
	if err != nil || !loaded.Equal(made) {
		t.Fatalf("the key that was made is not loaded: %v", err)
	}
	_, err = p.Create(t.Context())
	wantCode(t, err, fault.AlreadyExists)

	// Another vault's entry beside it.
	other := provider(t, keys.Source{Keyring: k}, keys.Config{Kind: keys.KindKeyring, Service: "aivault", Account: `it's "2" \$x`})
	second, err := other.Create(t.Context())
	if err != nil || second.Equal(made) {
		t.Fatalf("a second entry does not get a key of its own: %v", err)
	}
	if loaded, err = p.Load(t.Context()); err != nil || !loaded.Equal(made) {
		t.Errorf("the first entry has changed: %v", err)
	}

	// Somebody stores something else there, or too much, or removes it.
	for _, content := range [][]byte{[]byte("CANARY"), canary(), bytes.Repeat([]byte("C"), 3000)} {
		if err := k.Set(t.Context(), "aivault", "vault-1", content); err != nil {
			t.Fatal(err)
		}
		if got, err := k.Get(t.Context(), "aivault", "vault-1"); err != nil || !bytes.Equal(got, content) {
			t.Errorf("%d bytes do not come back: %v", len(content), err)
		}
		_, err = p.Load(t.Context())
		wantCode(t, err, fault.KeyUnavailable)
	}
	if err := k.Delete(t.Context(), "aivault", "vault-1"); err != nil {
		t.Fatal(err)
	}
	if err := k.Delete(t.Context(), "aivault", "vault-1"); !errors.Is(err, keys.ErrNoEntry) {
		t.Errorf("a second Delete: %v, want %v", err, keys.ErrNoEntry)
	}
	_, err = p.Load(t.Context())
	wantCode(t, err, fault.KeyUnavailable)
	if _, err := other.Load(t.Context()); err != nil {
		t.Errorf("the other entry is gone: %v", err)
	}

	// A bus that hangs does not disturb the next call to one that works.
	hanging, _ := mute(t)
	_, err = helper(200*time.Millisecond, hanging...).Get(t.Context(), "aivault", "vault-1")
	wantCode(t, err, fault.KeyUnavailable)
	if _, err := other.Load(t.Context()); err != nil {
		t.Errorf("after a call that hung: %v", err)
	}

	// Many at once.
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			if got, err := other.Load(t.Context()); err != nil || !got.Equal(second) {
				t.Errorf("one of many: %v", err)
			}
		})
	}
	all.Wait()

	// Locked, with nobody there to answer the prompt.
	s.Lock(t)
	k.Timeout = 2 * time.Second
	for name, op := range operations(k) {
		err := op(t.Context())
		wantCode(t, err, fault.KeyUnavailable)
		if fault.HintOf(err) == "" {
			t.Errorf("%s: %q comes without a hint", name, err)
		}
		if name == "Get" {
			namesEntry(t, err)
		}
	}
}

// TestSecretServiceWithoutCollection: a keyring that nobody ever logged in to
// is there, and cannot be used.
//
// Fault F11.
func TestSecretServiceWithoutCollection(t *testing.T) {
	s := desktop.New(t)
	s.Gnome(t, "")
	for _, op := range operations(helper(2*time.Second, s.Env...)) {
		wantCode(t, op(t.Context()), fault.KeyUnavailable)
	}
}

// TestBusWithoutSecretService: a bus alone is no keyring.
//
// Fault F11.
func TestBusWithoutSecretService(t *testing.T) {
	s := desktop.New(t)
	// Found by its place in the runtime directory, too.
	for _, env := range [][]string{s.Env, {s.Env[2]}} {
		k := helper(patience, env...)
		if there, err := k.Present(t.Context()); there || err != nil {
			t.Errorf("Present: %v, %v; want false, nil", there, err)
		}
		for name, op := range operations(k) {
			if err := op(t.Context()); name != "Present" {
				wantCode(t, err, fault.KeyUnavailable)
				namesEntry(t, err)
			}
		}
	}
}

// A keyring that takes its time, as while somebody answers a prompt, gives the
// key; one that takes longer than the 5 s of a command costs these 5 s, and
// leaves nobody waiting on the bus. So does a prompt that nobody answers.
//
// Fault F11.
func TestSecretServiceSlow(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		manner desktop.Manner
		late   bool
	}{
		{"3 s", desktop.Manner{Delay: 3 * time.Second}, false},
		{"30 s", desktop.Manner{Delay: 30 * time.Second}, true},
		{"prompts forever", desktop.Manner{Prompts: true}, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := desktop.New(t)
			service := s.Serve(t)
			var mu sync.Mutex
			var said []string
			p := provider(t, keys.Source{Keyring: helper(0, s.Env...), Notify: func(msg string) {
				mu.Lock()
				defer mu.Unlock()
				said = append(said, msg)
			}}, entry())
			made, err := p.Create(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			service.Behave(c.manner)
			begin := time.Now()
			got, err := p.Load(t.Context())
			took := time.Since(begin)
			mu.Lock()
			if len(said) != 1 || !strings.Contains(said[0], "prompt") {
				t.Errorf("whoever waited was told %q", said)
			}
			mu.Unlock()
			if !c.late {
				if err != nil || !got.Equal(made) || took < c.manner.Delay {
					t.Errorf("after %v: %v", took, err)
				}
				return
			}
			wantCode(t, err, fault.KeyUnavailable)
			namesEntry(t, err)
			if took < 5*time.Second || took > 5*time.Second+patience/2 {
				t.Errorf("it took %v, allowed are 5 s", took)
			}
			s.Left(t)

			// Whoever goes away earlier leaves nobody behind, either.
			ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
			defer cancel()
			_, err = p.Load(ctx)
			wantCode(t, err, fault.KeyUnavailable)
			s.Left(t)
			service.Behave(desktop.Manner{})
			if got, err := p.Load(t.Context()); err != nil || !got.Equal(made) {
				t.Errorf("afterwards: %v", err)
			}
		})
	}
}

func BenchmarkKeyringLoad(b *testing.B) {
	address := os.Getenv("DBUS_SESSION_BUS_ADDRESS")
	if address == "" {
		b.Skip("there is no session bus")
	}
	k := keys.NewHelperKeyring(os.Getenv, 0)
	if there, err := k.Present(b.Context()); !there {
		b.Skip("there is no keyring: ", err)
	}
	for b.Loop() {
		if _, err := k.Get(b.Context(), "aivault", "benchmark-no-such-entry"); !errors.Is(err, keys.ErrNoEntry) {
			b.Fatal(err)
		}
	}
}

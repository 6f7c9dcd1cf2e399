package app_test

import (
	"context"
	"os"
	"testing"
	"time"

	"aivault/keys"
	"aivault/keys/fault"
	"aivault/keys/keystest"
	"aivault/keys/opaque"
	"aivault/ui/app"
	"aivault/vault/vaulttest"
)

// sessionEnv is an environment without a terminal, whose vault is in dir.
func sessionEnv(dir string) *app.Env {
	return &app.Env{
		Getenv: func(name string) string {
			if name == "AIVAULT_DIR" {
				return dir
			}
			return ""
		},
		Now:        time.Now,
		IsTerminal: func(any) bool { return false },
		OpenTTY:    func() (in, out *os.File, err error) { return nil, nil, os.ErrNotExist },
		Keyring:    func(time.Duration) keys.Keyring { return new(keystest.Keyring) },
		KDF: func() (keys.KDF, error) {
			return keys.KDF{Time: 1, MemoryKiB: 19 << 10, Threads: 1, Salt: make([]byte, 16)}, nil
		},
	}
}

// A program that draws its own screen asks in it, not on the terminal; what the
// command line gives is not asked for.
func TestAskPassphrase(t *testing.T) {
	t.Parallel()
	const phrase = "a made-up passphrase"
	dir := vaulttest.Dir(t)
	var asked []bool
	typed := phrase
	open := func(opts app.Options) *app.Session {
		opts.Notice = func(string) {}
		s, err := app.Open(sessionEnv(dir), opts)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(s.Close)
		return s
	}
	s := open(app.Options{AskPassphrase: func(_ context.Context, q keys.Question) (opaque.Bytes, error) {
		asked = append(asked, q.New)
		return opaque.New([]byte(typed)), nil
	}})
	cfg, err := s.KeyConfig(app.KeyChoice{Kind: keys.KindPassphrase})
	if err != nil {
		t.Fatal(err)
	}
	be := s.Backend()
	if _, err := be.Init(t.Context(), cfg); err != nil {
		t.Fatal(err)
	}
	if err := be.Lock(t.Context()); err != nil {
		t.Fatal(err)
	}
	typed = "another"
	if err := be.Unlock(t.Context()); fault.CodeOf(err) != fault.WrongKey {
		t.Errorf("with another passphrase: %v", err)
	}
	typed = phrase
	if err := be.Unlock(t.Context()); err != nil {
		t.Error(err)
	}
	if len(asked) != 3 || !asked[0] || asked[1] || asked[2] {
		t.Errorf("asked with confirm: %v", asked)
	}
	given := open(app.Options{
		Passphrase: app.Passphrase{Text: phrase},
		AskPassphrase: func(context.Context, keys.Question) (opaque.Bytes, error) {
			t.Error("asked for what is known")
			return nil, fault.New(fault.VaultLocked, "asked")
		},
	})
	if err := given.Backend().Unlock(t.Context()); err != nil {
		t.Error(err)
	}
	// Without either, and without a terminal, nobody can be asked.
	if err := open(app.Options{}).Backend().Unlock(t.Context()); fault.CodeOf(err) != fault.VaultLocked {
		t.Errorf("asked nobody: %v", err)
	}
}

func TestKeyringWait(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		wait     time.Duration
		terminal bool
		want     time.Duration
	}{
		{0, false, 5 * time.Second},
		{0, true, time.Minute},
		{time.Hour, false, time.Hour},
		{time.Hour, true, time.Hour},
	} {
		var got time.Duration
		env := sessionEnv(vaulttest.Dir(t))
		env.IsTerminal = func(any) bool { return test.terminal }
		env.Keyring = func(wait time.Duration) keys.Keyring { got = wait; return new(keystest.Keyring) }
		s, err := app.Open(env, app.Options{KeyringWait: test.wait, Notice: func(string) {}})
		if err != nil {
			t.Fatal(err)
		}
		s.Backend()
		s.Close()
		if got != test.want {
			t.Errorf("%+v: a keyring may take %s", test, got)
		}
	}
}

// What opens the vault and what is a new passphrase come from different places,
// and what somebody typed counts more than what was said beforehand.
func TestNewAndGivenPassphrases(t *testing.T) {
	t.Parallel()
	const old, fresh = "the old made-up one", "the new made-up one"
	dir := vaulttest.Dir(t)
	open := func(opts app.Options) app.Backend {
		opts.Notice = func(string) {}
		s, err := app.Open(sessionEnv(dir), opts)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(s.Close)
		return s.Backend()
	}
	cfg := keystest.PassphraseConfig()
	if _, err := open(app.Options{Passphrase: app.Passphrase{Text: old}}).Init(t.Context(), cfg); err != nil {
		t.Fatal(err)
	}
	be := open(app.Options{Passphrase: app.Passphrase{Text: old}, NewPassphrase: &app.Passphrase{Text: fresh}})
	if _, err := be.AddSlot(t.Context(), cfg); err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{old, fresh} {
		if err := open(app.Options{Passphrase: app.Passphrase{Text: text}}).Unlock(t.Context()); err != nil {
			t.Errorf("%s: %v", text, err)
		}
	}
	typed := false
	be = open(app.Options{
		Passphrase: app.Passphrase{Text: "wrong"},
		Given:      func() bool { return typed },
		AskPassphrase: func(context.Context, keys.Question) (opaque.Bytes, error) {
			return opaque.New([]byte(fresh)), nil
		},
	})
	if err := be.Unlock(t.Context()); fault.CodeOf(err) != fault.WrongKey {
		t.Errorf("with what is wrong: %v", err)
	}
	typed = true
	if err := be.Unlock(t.Context()); err != nil {
		t.Errorf("with what was typed then: %v", err)
	}
	// Where nobody can be shown a recovery key, none is made.
	if _, err := be.AddSlot(t.Context(), keys.Config{Kind: keys.KindRecovery}); fault.CodeOf(err) != fault.Usage {
		t.Errorf("a recovery key for nobody: %v", err)
	}
	if slots, err := be.Slots(t.Context()); len(slots) != 2 || err != nil {
		t.Errorf("slots %v, %v", slots, err)
	}
}

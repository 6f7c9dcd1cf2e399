package keys_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"aivault/keys"
	"aivault/keys/fault"
	"aivault/keys/keystest"
)

// entry is where the key of a vault would be.
func entry() keys.Config {
	return keys.Config{Kind: keys.KindKeyring, Service: keys.KeyringService, Account: "vault-1"}
}

// Fault F10.
func TestKeyring(t *testing.T) {
	ring := new(keystest.Keyring)
	p := provider(t, keys.Source{Keyring: ring}, entry())

	_, err := p.Load(t.Context())
	wantCode(t, err, fault.KeyUnavailable)
	namesEntry(t, err)

	made, err := p.Create(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	stored := ring.Entry("aivault", "vault-1")
	if string(stored) != base64.StdEncoding.EncodeToString(made.Reveal()) {
		t.Error("the entry does not hold the base64 of the key")
	}
	loaded, err := p.Load(t.Context())
	if err != nil || !loaded.Equal(made) {
		t.Errorf("the key that was made is not loaded: %v", err)
	}

	_, err = p.Create(t.Context())
	wantCode(t, err, fault.AlreadyExists)
	namesEntry(t, err)
	if !bytes.Equal(ring.Entry("aivault", "vault-1"), stored) {
		t.Error("the entry was overwritten")
	}
}

func namesEntry(t *testing.T, err error) {
	t.Helper()
	if msg := err.Error(); !strings.Contains(msg, `"aivault"`) || !strings.Contains(msg, `"vault-1"`) {
		t.Errorf("%q does not name service and account", msg)
	}
	if fault.HintOf(err) == "" {
		t.Errorf("%q comes without a hint", err)
	}
}

// Fault F11.
func TestKeyringNeverOverwritesGarbage(t *testing.T) {
	ring := new(keystest.Keyring)
	ring.Put("aivault", "vault-1", []byte("CANARY garbage"))
	p := provider(t, keys.Source{Keyring: ring}, entry())
	_, err := p.Load(t.Context())
	wantCode(t, err, fault.KeyUnavailable)
	namesEntry(t, err)
	_, err = p.Create(t.Context())
	wantCode(t, err, fault.AlreadyExists)
	if string(ring.Entry("aivault", "vault-1")) != "CANARY garbage" {
		t.Error("the entry was changed")
	}
}

// Fault F11.
func TestKeyringFaults(t *testing.T) {
	for _, c := range []struct {
		name string
		mode keystest.Mode
	}{{"absent", keystest.Absent}, {"locked", keystest.Locked}, {"forgetful", keystest.Forgetful}} {
		t.Run(c.name, func(t *testing.T) {
			ring := new(keystest.Keyring)
			ring.SetMode(c.mode)
			p := provider(t, keys.Source{Keyring: ring}, entry())
			_, err := p.Create(t.Context())
			wantCode(t, err, fault.KeyUnavailable)
			_, err = p.Load(t.Context())
			wantCode(t, err, fault.KeyUnavailable)
			if n := ring.Accounts("aivault"); n != 0 {
				t.Errorf("%d entries are left", n)
			}
		})
	}
	t.Run("no keyring", func(t *testing.T) {
		p := provider(t, keys.Source{}, entry())
		_, err := p.Create(t.Context())
		wantCode(t, err, fault.KeyUnavailable)
		_, err = p.Load(t.Context())
		wantCode(t, err, fault.KeyUnavailable)
	})
	t.Run("another key comes back", func(t *testing.T) {
		p := provider(t, keys.Source{Keyring: &swapping{}}, entry())
		_, err := p.Create(t.Context())
		wantCode(t, err, fault.KeyUnavailable)
		namesEntry(t, err)
	})
	t.Run("a plain error", func(t *testing.T) {
		failed := errors.New("the bus fell over")
		p := provider(t, keys.Source{Keyring: &swapping{err: failed}}, entry())
		_, err := p.Load(t.Context())
		wantCode(t, err, fault.KeyUnavailable)
		if !errors.Is(err, failed) {
			t.Errorf("%v does not wrap the cause", err)
		}
		namesService := strings.Contains(err.Error(), `"aivault"`)
		if !namesService {
			t.Errorf("%q does not name the entry", err)
		}
	})
}

// swapping is a keyring that keeps a key of its own.
type swapping struct {
	keystest.Keyring
	set bool
	err error
}

func (s *swapping) Get(context.Context, string, string) ([]byte, error) {
	switch {
	case s.err != nil:
		return nil, s.err
	case !s.set:
		return nil, keys.ErrNoEntry
	}
	return []byte(base64.StdEncoding.EncodeToString(canary())), nil
}

func (s *swapping) Set(context.Context, string, string, []byte) error {
	s.set = true
	return nil
}

// Fault F11.
func TestKeyringWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ring := new(keystest.Keyring)
		ring.SetMode(keystest.Hanging)
		start := time.Now()
		notes := make(chan time.Duration, 10)
		notify := func(string) { notes <- time.Since(start) }
		p := provider(t, keys.Source{Keyring: ring, Notify: notify}, entry())

		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		_, err := p.Load(ctx)
		wantCode(t, err, fault.KeyUnavailable)
		if d := time.Since(start); d != 5*time.Second {
			t.Errorf("it took %v, the deadline is 5s", d)
		}
		if n, after := len(notes), <-notes; n != 1 || after != time.Second {
			t.Errorf("%d notices, the first after %v; want one after 1s", n, after)
		}

		ctx, cancel = context.WithCancel(t.Context())
		time.AfterFunc(time.Second/2, cancel)
		_, err = p.Create(ctx)
		wantCode(t, err, fault.Canceled)

		ring.SetMode(keystest.Working)
		if _, err := p.Create(t.Context()); err != nil {
			t.Error(err)
		}
		time.Sleep(time.Minute) // of the bubble's clock: a forgotten timer would fire
		if n := len(notes); n != 0 {
			t.Errorf("calls of less than a second gave %d notices", n)
		}
	})
}

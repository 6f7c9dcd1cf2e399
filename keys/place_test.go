package keys_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"aivault/keys"
	"aivault/keys/fault"
	"aivault/keys/keystest"
	"aivault/keys/opaque"
)

func noError(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Error(err)
	}
}

// TestStore: a key that somebody has is where it was put, once, and gone when it is
// removed.
func TestStore(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	ring := &keystest.Keyring{}
	src := keys.Source{Keyring: ring}
	path := filepath.Join(t.TempDir(), "made", "kek.key")
	key, other := opaque.New(bytes.Repeat([]byte{7}, keys.KeySize)), opaque.New(bytes.Repeat([]byte{8}, keys.KeySize))
	for _, c := range []keys.Config{
		fileConfig(path),
		{Kind: keys.KindKeyring, Service: "aivault", Account: "made-up"},
	} {
		taken := func(want bool) {
			t.Helper()
			if got, err := src.Taken(ctx, c); got != want || err != nil {
				t.Errorf("%s: taken %v, %v", c, got, err)
			}
		}
		taken(false)
		noError(t, src.Store(ctx, c, key))
		taken(true)
		wantCode(t, src.Store(ctx, c, other), fault.AlreadyExists)
		got, err := provider(t, src, c).Load(ctx)
		if err != nil || !got.Equal(key) {
			t.Errorf("%s: another key is there: %v", c, err)
		}
		for range 2 {
			noError(t, src.Remove(ctx, c))
			taken(false)
		}
	}
	if got := names(t, filepath.Dir(path)); len(got) != 0 {
		t.Errorf("left %q", got)
	}
}

// TestStoreRefuses: where a key cannot be, and what has no key to be removed.
func TestStoreRefuses(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	ring := &keystest.Keyring{}
	src := keys.Source{Keyring: ring}
	key := opaque.New(bytes.Repeat([]byte{7}, keys.KeySize))
	entry := keys.Config{Kind: keys.KindKeyring, Service: "aivault", Account: "made-up"}
	for _, c := range []keys.Config{{Kind: keys.KindEnv}, {Kind: keys.KindRecovery}, keystest.PassphraseConfig(), {Kind: "made-up"}, fileConfig("relative")} {
		wantCode(t, src.Store(ctx, c, key), fault.InvalidRequest)
		noError(t, src.Remove(ctx, keys.Config{Kind: c.Kind, Path: filepath.Join(t.TempDir(), "none")}))
	}
	wantCode(t, keys.Source{}.Store(ctx, entry, key), fault.KeyUnavailable)
	wantCode(t, keys.Source{}.Remove(ctx, entry), fault.KeyUnavailable)
	ring.SetMode(keystest.Forgetful)
	wantCode(t, src.Store(ctx, entry, key), fault.KeyUnavailable)
	ring.SetMode(keystest.Locked)
	wantCode(t, src.Store(ctx, entry, key), fault.KeyUnavailable)
	wantCode(t, src.Remove(ctx, entry), fault.KeyUnavailable)
	if _, err := src.Taken(ctx, entry); fault.CodeOf(err) != fault.KeyUnavailable {
		t.Errorf("%v", err)
	}
	dir := filepath.Join(t.TempDir(), "kek.key")
	if err := os.MkdirAll(filepath.Join(dir, "below"), 0o700); err != nil {
		t.Fatal(err)
	}
	wantCode(t, src.Store(ctx, fileConfig(dir), key), fault.AlreadyExists)
	wantCode(t, src.Remove(ctx, fileConfig(dir)), fault.IO)
	wantCode(t, src.Store(ctx, fileConfig(filepath.Join(os.DevNull, "kek.key")), key), fault.IO)
}

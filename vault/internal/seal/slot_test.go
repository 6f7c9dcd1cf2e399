package seal_test

import (
	"bytes"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"aivault/keys"
	"aivault/keys/keystest"
	"aivault/keys/opaque"
	"aivault/vault/internal/seal"
)

func testKEK(b byte) keys.Key { return opaque.New(bytes.Repeat([]byte{b}, keys.KeySize)) }

func testSlot(t testing.TB, cfg keys.Config) (*seal.Ring, *seal.Slot) {
	t.Helper()
	ring := testRing(1, vaultA, 3)
	slot, err := seal.NewSlot(ring, id1, cfg, testKEK(9))
	if err != nil {
		t.Fatal(err)
	}
	return ring, slot
}

func configs() map[string]keys.Config {
	return map[string]keys.Config{
		"keyring":    {Kind: keys.KindKeyring, Service: "aivault", Account: "a"},
		"file":       {Kind: keys.KindFile, Path: "/made/up/kek.key"},
		"env":        {Kind: keys.KindEnv, Var: "MADE_UP"},
		"passphrase": keystest.PassphraseConfig(),
		"recovery":   {Kind: keys.KindRecovery},
	}
}

func TestASlotGivesBackTheRootKey(t *testing.T) {
	for name, cfg := range configs() {
		t.Run(name, func(t *testing.T) {
			ring, slot := testSlot(t, cfg)
			decoded, err := seal.DecodeSlot(slot.Encode())
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(slot, decoded); diff != "" {
				t.Errorf("decoded (-got +want):\n%s", diff)
			}
			opened, err := decoded.Open(vaultA, testKEK(9))
			if err != nil {
				t.Fatal(err)
			}
			if opened.Generation() != 3 || opened.Vault() != vaultA {
				t.Errorf("the ring is of generation %d", opened.Generation())
			}
			rec := ring.SealMeta(1, id1, 1, []byte("x"))
			if _, _, err := opened.OpenMeta(1, id1, rec); err != nil {
				t.Errorf("the keys that came out are others: %v", err)
			}
		})
	}
}

func TestASlotRefuses(t *testing.T) {
	ring, slot := testSlot(t, configs()["file"])
	if _, err := slot.Open(vaultA, testKEK(8)); !errors.Is(err, seal.ErrWrongKey) {
		t.Errorf("a wrong key: %v", err)
	}
	if _, err := slot.Open(vaultB, testKEK(9)); err == nil {
		t.Error("it opens another vault")
	}
	if err := slot.Verify(testRing(2, vaultA, 3)); !errors.Is(err, seal.ErrSlot) {
		t.Errorf("another root key calls it its own: %v", err)
	}
	edits := map[string]func(s *seal.Slot){
		"kind":       func(s *seal.Slot) { s.Config = keys.Config{Kind: keys.KindEnv} },
		"path":       func(s *seal.Slot) { s.Config.Path = "/made/up/other.key" },
		"generation": func(s *seal.Slot) { s.Gen++ },
		"check":      func(s *seal.Slot) { s.Check[0] ^= 1 },
		"public key": func(s *seal.Slot) { s.Public[0] ^= 1 },
		"root key":   func(s *seal.Slot) { s.Sealed[40] ^= 1 },
		"MAC":        func(s *seal.Slot) { s.MAC[0] ^= 1 },
	}
	for name, edit := range edits {
		changed, err := seal.DecodeSlot(slot.Encode())
		if err != nil {
			t.Fatal(err)
		}
		edit(changed)
		if _, err := changed.Open(vaultA, testKEK(9)); !errors.Is(err, seal.ErrSlot) {
			t.Errorf("another %s, and the right key: %v", name, err)
		}
		if err := changed.Verify(ring); !errors.Is(err, seal.ErrSlot) {
			t.Errorf("another %s verifies: %v", name, err)
		}
	}
	// Another id changes what follows from the key, which then fits nothing.
	moved, err := seal.DecodeSlot(slot.Encode())
	if err != nil {
		t.Fatal(err)
	}
	moved.ID = id2
	if _, err := moved.Open(vaultA, testKEK(9)); err == nil {
		t.Error("it opens under another id")
	}
}

// Case 105.
func TestOneFlippedBitOfASlotFails(t *testing.T) {
	for name, cfg := range configs() {
		_, slot := testSlot(t, cfg)
		whole := slot.Encode()
		for i := range whole {
			b := bytes.Clone(whole)
			b[i] ^= 1 << (i % 8)
			changed, err := seal.DecodeSlot(b)
			if err != nil {
				continue
			}
			if _, err := changed.Open(vaultA, testKEK(9)); err == nil {
				t.Errorf("%s: it opens with byte %d changed", name, i)
			}
		}
	}
}

// TestCostsFromAFileAreBounded: whoever can write the file must not make us
// compute for hours, or with hardly any cost (case 111).
// Case 111.
func TestCostsFromAFileAreBounded(t *testing.T) {
	for name, kdf := range map[string]keys.KDF{
		"64 GiB":  {Time: 1, MemoryKiB: 64 << 20, Threads: 1, Salt: make([]byte, 16)},
		"2^32-1":  {Time: 1<<32 - 1, MemoryKiB: 19 << 10, Threads: 1, Salt: make([]byte, 16)},
		"8 KiB":   {Time: 3, MemoryKiB: 8, Threads: 1, Salt: make([]byte, 16)},
		"p 0":     {Time: 3, MemoryKiB: 64 << 10, Threads: 0, Salt: make([]byte, 16)},
		"no salt": {Time: 3, MemoryKiB: 64 << 10, Threads: 1},
	} {
		_, slot := testSlot(t, keystest.PassphraseConfig())
		slot.Config.KDF = kdf
		if _, err := seal.DecodeSlot(slot.Encode()); !errors.Is(err, seal.ErrSlot) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzDecodeSlot(f *testing.F) {
	for _, cfg := range configs() {
		_, slot := testSlot(f, cfg)
		f.Add(slot.Encode())
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		slot, err := seal.DecodeSlot(b)
		if err != nil {
			return
		}
		if again := slot.Encode(); !bytes.Equal(again, b) {
			t.Errorf("%x decodes, and encodes as %x", b, again)
		}
		if err := slot.Config.Validate(); err != nil {
			t.Errorf("a configuration out of bounds got through: %v", err)
		}
	})
}

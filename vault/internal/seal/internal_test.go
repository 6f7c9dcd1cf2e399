package seal

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"testing"

	"aivault/keys/locked"
)

// TestDerive is RFC 5869, A.1, cut to the length of our keys.
func TestDerive(t *testing.T) {
	salt, _ := hex.DecodeString("000102030405060708090a0b0c")
	info, _ := hex.DecodeString("f0f1f2f3f4f5f6f7f8f9")
	const want = "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf"
	if got := hex.EncodeToString(derive(bytes.Repeat([]byte{0x0b}, 22), salt, string(info))); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// TestRingIsInLockedMemory: the keys of a ring, and what they are made of, are
// in places of package locked and nowhere else, and after Clear not there either.
func TestRingIsInLockedMemory(t *testing.T) {
	root := NewRoot()
	r := NewRing(root, [16]byte{1}, 1)
	places := map[*byte]bool{}
	var inside [][]byte
	for _, key := range [][]byte{r.root, r.meta, r.wrap, r.manifest, r.set, r.index, r.audit, r.anchor, r.slot} {
		if bytes.Equal(key, make([]byte, KeySize)) {
			t.Error("a key is zero")
		}
		places[&key[0]] = true
		inside = append(inside, key)
	}
	r.Clear()
	for _, key := range append(inside, root, r.root, r.meta, r.wrap, r.manifest, r.set, r.index, r.audit, r.anchor, r.slot) {
		if !bytes.Equal(key, make([]byte, KeySize)) {
			t.Error("a key is left")
		}
	}
	for range inside {
		k := locked.New(NewRoot())
		defer k.Free()
		if !places[&k.Bytes()[0]] {
			t.Error("a key of the ring had no place in locked memory")
		}
	}
}

// TestAADIsInjective: places that differ have associated data that differ.
func TestAADIsInjective(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	type bound struct {
		vault [16]byte
		gen   uint32
		place string
	}
	seen := map[string]bound{}
	pick := func() string { // short texts of few letters collide when they are joined carelessly
		b := make([]byte, rng.IntN(3))
		for i := range b {
			b[i] = "a\x00\x01"[rng.IntN(3)]
		}
		return string(b)
	}
	for range 50_000 {
		p := Place{Purpose: pick(), Type: uint8(rng.IntN(2)), ID: [16]byte{byte(rng.IntN(2))}, Rev: uint64(rng.IntN(2)), Extra: []byte(pick())}
		b := bound{[16]byte{15: byte(rng.IntN(2))}, uint32(rng.IntN(2)), fmt.Sprintf("%+v", p)}
		aad := string(p.aad(b.vault, b.gen))
		if other, ok := seen[aad]; ok && other != b {
			t.Fatalf("%+v and %+v have the same associated data", b, other)
		}
		seen[aad] = b
	}
	if len(seen) < 1000 {
		t.Errorf("only %d places were tried", len(seen))
	}
}

func TestPurposesDiffer(t *testing.T) {
	seen := map[string]bool{}
	for _, p := range []string{purposeMeta, purposeWrap, purposeValue, purposeManifest, purposeAuditKey, purposeEvent} {
		if seen[p] {
			t.Errorf("two roles share the purpose %s", p)
		}
		seen[p] = true
	}
}

func TestKeysDiffer(t *testing.T) {
	r := NewRing(bytes.Repeat([]byte{1}, KeySize), [16]byte{1}, 1)
	seen := map[string]bool{}
	for i, k := range [][]byte{r.root, r.meta, r.wrap, r.manifest, r.set, r.index, r.audit, r.slot} {
		if len(k) != KeySize || seen[string(k)] {
			t.Errorf("key %d is another one too, or has %d bytes", i, len(k))
		}
		seen[string(k)] = true
	}
	r.Clear()
	for i, k := range [][]byte{r.root, r.meta, r.wrap, r.manifest, r.set, r.index, r.audit, r.slot} {
		if !bytes.Equal(k, make([]byte, KeySize)) {
			t.Errorf("key %d outlives Clear", i)
		}
	}
}

// TestUnpadTakesOneFormOnly: a plaintext has one padding.
func TestUnpadTakesOneFormOnly(t *testing.T) {
	good := pad([]byte("abc"))
	if b, err := unpad(good); err != nil || string(b) != "abc" {
		t.Fatal(err)
	}
	for name, b := range map[string][]byte{
		"empty":              {},
		"no whole block":     good[:63],
		"a block too many":   append(bytes.Clone(good), make([]byte, 64)...),
		"something in zeros": append(bytes.Clone(good[:63]), 1),
		"a length too great": append([]byte{0, 0, 0, 61}, make([]byte, 60)...),
		"a length of 2^32-1": append([]byte{255, 255, 255, 255}, make([]byte, 60)...),
	} {
		if _, err := unpad(b); err == nil {
			t.Errorf("%s passes", name)
		}
	}
}

func FuzzUnpad(f *testing.F) {
	f.Add(pad(nil))
	f.Add(pad(make([]byte, 61)))
	f.Fuzz(func(t *testing.T, b []byte) {
		if plaintext, err := unpad(b); err == nil && !bytes.Equal(pad(plaintext), b) {
			t.Errorf("%x is the padding of %x, which pads otherwise", b, plaintext)
		}
	})
}

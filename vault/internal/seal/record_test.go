package seal_test

import (
	"bytes"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"testing"

	"golang.org/x/crypto/chacha20poly1305"

	"aivault/vault/internal/seal"
)

var (
	vaultA = [16]byte{0xa}
	vaultB = [16]byte{0xb}
	id1    = [16]byte{1}
	id2    = [16]byte{2}
)

// testRing returns the ring of a root key that consists of one byte.
func testRing(b byte, vault [16]byte, gen uint32) *seal.Ring {
	return seal.NewRing(bytes.Repeat([]byte{b}, seal.KeySize), vault, gen)
}

// TestTheFormatIsAsDocumented builds a record by the package comment alone,
// without a line of the package: it must open.
func TestTheFormatIsAsDocumented(t *testing.T) {
	root := bytes.Repeat([]byte{7}, 32)
	key, err := hkdf.Key(sha256.New, root, vaultA[:], "aivault/v1/meta", 32)
	if err != nil {
		t.Fatal(err)
	}
	lp := func(b []byte, s string) []byte {
		return append(binary.BigEndian.AppendUint32(b, uint32(len(s))), s...)
	}
	aad := lp(lp(nil, "aivault/aad/v1"), "meta")
	aad = append(aad, 3) // type
	aad = append(append(aad, vaultA[:]...), id1[:]...)
	aad = binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint32(aad, 5), 9) // generation, revision
	aad = lp(aad, "")
	padded := make([]byte, 64)
	copy(padded, lp(nil, "plaintext"))
	nonce := bytes.Repeat([]byte{0x24}, 24)
	rec := append([]byte("AVR1"), 3, 1)
	rec = binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint32(rec, 5), 9)
	rec = append(rec, nonce...)
	aead, err := chacha20poly1305.NewX(key)
	if err != nil {
		t.Fatal(err)
	}
	rec = aead.Seal(rec, nonce, padded, aad)

	got, rev, err := testRing(7, vaultA, 5).OpenMeta(3, id1, rec)
	if err != nil || rev != 9 || string(got) != "plaintext" {
		t.Errorf("opened %q of revision %d, %v", got, rev, err)
	}
}

// TestARecordOpensInItsPlaceOnly changes one thing at a time of what a record
// is bound to.
// Case 106.
func TestARecordOpensInItsPlaceOnly(t *testing.T) {
	r := testRing(1, vaultA, 1)
	rec := r.SealMeta(3, id1, 9, []byte("plaintext"))
	if got, rev, err := r.OpenMeta(3, id1, rec); err != nil || rev != 9 || string(got) != "plaintext" {
		t.Fatalf("opened %q of revision %d, %v", got, rev, err)
	}
	edited := func(at int, b byte) []byte {
		c := bytes.Clone(rec)
		c[at] = b
		return c
	}
	tests := map[string]func() ([]byte, uint64, error){
		"another key":                     func() ([]byte, uint64, error) { return testRing(2, vaultA, 1).OpenMeta(3, id1, rec) },
		"another vault":                   func() ([]byte, uint64, error) { return testRing(1, vaultB, 1).OpenMeta(3, id1, rec) },
		"another generation":              func() ([]byte, uint64, error) { return testRing(1, vaultA, 2).OpenMeta(3, id1, rec) },
		"another id":                      func() ([]byte, uint64, error) { return r.OpenMeta(3, id2, rec) },
		"another type":                    func() ([]byte, uint64, error) { return r.OpenMeta(4, id1, rec) },
		"another type, also in its head":  func() ([]byte, uint64, error) { return r.OpenMeta(4, id1, edited(4, 4)) },
		"another algorithm":               func() ([]byte, uint64, error) { return r.OpenMeta(3, id1, edited(5, 2)) },
		"a generation of its head's own":  func() ([]byte, uint64, error) { return r.OpenMeta(3, id1, edited(9, 2)) },
		"the revision before":             func() ([]byte, uint64, error) { return r.OpenMeta(3, id1, edited(17, 8)) },
		"the manifest's role":             func() ([]byte, uint64, error) { return r.OpenManifest(edited(4, 0x80)) },
		"a manifest in a record's role":   func() ([]byte, uint64, error) { return r.OpenMeta(0x80, [16]byte{}, r.SealManifest(9, nil)) },
		"nothing":                         func() ([]byte, uint64, error) { return r.OpenMeta(3, id1, nil) },
		"a head without a body":           func() ([]byte, uint64, error) { return r.OpenMeta(3, id1, rec[:18]) },
		"a block less":                    func() ([]byte, uint64, error) { return r.OpenMeta(3, id1, rec[:len(rec)-64]) },
		"a byte more":                     func() ([]byte, uint64, error) { return r.OpenMeta(3, id1, append(bytes.Clone(rec), 0)) },
		"an older format, by its own say": func() ([]byte, uint64, error) { return r.OpenMeta(3, id1, edited(3, '0')) },
	}
	for name, open := range tests {
		if b, _, err := open(); !errors.Is(err, seal.ErrOpen) || b != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Case 106.
func TestAValueOpensInItsPlaceOnly(t *testing.T) {
	r := testRing(1, vaultA, 1)
	extra := []byte("scope, pin and hosts")
	rec := r.SealValue(id1, 2, extra, []byte("made-up-value"))
	if got, err := r.OpenValue(id1, 2, extra, rec); err != nil || string(got) != "made-up-value" {
		t.Fatalf("opened %d bytes, %v", len(got), err)
	}
	other := r.SealValue(id1, 2, extra, []byte("made-up-value"))
	wrapLen := 4 + int(binary.BigEndian.Uint32(rec))
	tests := map[string]func() ([]byte, error){
		"another key":     func() ([]byte, error) { return testRing(2, vaultA, 1).OpenValue(id1, 2, extra, rec) },
		"another vault":   func() ([]byte, error) { return testRing(1, vaultB, 1).OpenValue(id1, 2, extra, rec) },
		"another secret":  func() ([]byte, error) { return r.OpenValue(id2, 2, extra, rec) },
		"another version": func() ([]byte, error) { return r.OpenValue(id1, 3, extra, rec) },
		"no version":      func() ([]byte, error) { return r.OpenValue(id1, 0, extra, rec) },
		"other hosts":     func() ([]byte, error) { return r.OpenValue(id1, 2, []byte("scope, pin and hostt"), rec) },
		"no hosts":        func() ([]byte, error) { return r.OpenValue(id1, 2, nil, rec) },
		"another value's key": func() ([]byte, error) {
			return r.OpenValue(id1, 2, extra, append(bytes.Clone(other[:wrapLen]), rec[wrapLen:]...))
		},
		"nothing": func() ([]byte, error) { return r.OpenValue(id1, 2, extra, nil) },
		"the data key for value": func() ([]byte, error) {
			return r.OpenValue(id1, 2, extra, append(bytes.Clone(rec[:wrapLen]), rec[:wrapLen]...))
		},
	}
	for name, open := range tests {
		if b, err := open(); !errors.Is(err, seal.ErrOpen) || b != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestOneFlippedBitFails flips every bit of every kind of record.
// Case 105.
func TestOneFlippedBitFails(t *testing.T) {
	r := testRing(1, vaultA, 1)
	chain := r.NewChain(1)
	entry, _ := chain.Append(1, [seal.LinkSize]byte{}, []byte("event"))
	tests := []struct {
		name string
		rec  []byte
		open func(rec []byte) bool // reports whether it is taken for authentic
	}{
		{"record", r.SealMeta(3, id1, 9, []byte("x")), func(b []byte) bool { _, _, err := r.OpenMeta(3, id1, b); return err == nil }},
		{"manifest", r.SealManifest(9, []byte("x")), func(b []byte) bool { _, _, err := r.OpenManifest(b); return err == nil }},
		{"value", r.SealValue(id1, 1, nil, []byte("x")), func(b []byte) bool { _, err := r.OpenValue(id1, 1, nil, b); return err == nil }},
		{"audit keys", r.SealChain(chain), func(b []byte) bool { _, err := r.OpenChain(1, b); return err == nil }},
		{"event", entry, func(b []byte) bool { return chain.Verify(1, [seal.LinkSize]byte{}, b) }},
	}
	for _, test := range tests {
		if !test.open(test.rec) {
			t.Errorf("a %s does not open as it is", test.name)
		}
		for bit := range 8 * len(test.rec) {
			b := bytes.Clone(test.rec)
			b[bit/8] ^= 1 << (bit % 8)
			if test.open(b) {
				t.Errorf("a %s opens with bit %d of byte %d flipped", test.name, bit%8, bit/8)
			}
		}
	}
}

func TestSizesTellLittle(t *testing.T) {
	r := testRing(1, vaultA, 1)
	sizes := map[int]bool{}
	for n := range 61 {
		sizes[len(r.SealMeta(3, id1, 1, make([]byte, n)))] = true
	}
	if len(sizes) != 1 {
		t.Errorf("plaintexts of 0 to 60 bytes have %d sizes", len(sizes))
	}
	for _, n := range []int{0, 1, 59, 60, 61, 123, 124, 125, 64 << 10} {
		plaintext := bytes.Repeat([]byte{1}, n)
		got, _, err := r.OpenMeta(3, id1, r.SealMeta(3, id1, 1, plaintext))
		if err != nil || !bytes.Equal(got, plaintext) {
			t.Errorf("%d bytes: opened %d, %v", n, len(got), err)
		}
	}
}

func TestNoTwoSealingsAreAlike(t *testing.T) {
	r := testRing(1, vaultA, 1)
	a, b := r.SealValue(id1, 1, nil, []byte("x")), r.SealValue(id1, 1, nil, []byte("x"))
	same := 0
	for i := range a {
		if a[i] == b[i] {
			same++
		}
	}
	if same > len(a)/2 {
		t.Errorf("%d of %d bytes are the same", same, len(a))
	}
}

// FuzzOpen: whatever the bytes, opening neither panics nor gives anything but
// what was sealed. (Seeds come from another process than the one that opens
// them, and so have other nonces.)
func FuzzOpen(f *testing.F) {
	r := testRing(1, vaultA, 1)
	chain := r.NewChain(1)
	entry, _ := chain.Append(1, [seal.LinkSize]byte{}, []byte("x"))
	for _, seed := range [][]byte{
		r.SealMeta(3, id1, 9, []byte("x")), r.SealValue(id1, 1, nil, []byte("x")), r.SealManifest(9, []byte("x")),
		entry, r.SealChain(chain), nil, []byte("AVR1"),
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if got, rev, err := r.OpenMeta(3, id1, b); err == nil && (string(got) != "x" || rev != 9) {
			t.Error("a record was forged")
		}
		if got, err := r.OpenValue(id1, 1, nil, b); err == nil && string(got) != "x" {
			t.Error("a value was forged")
		}
		if got, epoch, err := r.OpenManifest(b); err == nil && (string(got) != "x" || epoch != 9) {
			t.Error("a manifest was forged")
		}
		if c, err := r.OpenChain(1, b); err == nil && c == nil {
			t.Error("audit keys were forged")
		}
		if got, _, err := chain.Open(1, b); err == nil && string(got) != "x" {
			t.Error("an event was forged")
		}
	})
}

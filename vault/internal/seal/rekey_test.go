package seal_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"aivault/vault/internal/seal"
)

// TestRekey: a slot gives back another root key to the same key, of whatever kind,
// and nothing but that root key, its generation and its seal is another one.
func TestRekey(t *testing.T) {
	for name, cfg := range configs() {
		ring, slot := testSlot(t, cfg)
		to := testRing(2, vaultA, 4)
		next, err := slot.Rekey(ring, to)
		if err != nil {
			t.Fatal(name, err)
		}
		opened, err := next.Open(vaultA, testKEK(9))
		if err != nil {
			t.Fatal(name, err)
		}
		rec := to.SealMeta(1, id1, 1, []byte("x"))
		if _, _, err := opened.OpenMeta(1, id1, rec); err != nil || opened.Generation() != 4 {
			t.Errorf("%s: the keys that came out are others: %v", name, err)
		}
		if _, err := next.Open(vaultA, testKEK(8)); !errors.Is(err, seal.ErrWrongKey) {
			t.Errorf("%s: a wrong key: %v", name, err)
		}
		if next.Verify(ring) == nil || slot.Verify(to) == nil {
			t.Errorf("%s: a slot of one root key passes for one of the other", name)
		}
		want := *slot
		want.Gen, want.Sealed, want.MAC = next.Gen, next.Sealed, next.MAC
		if diff := cmp.Diff(next, &want); diff != "" {
			t.Errorf("%s: the slot (-got +want):\n%s", name, diff)
		}
	}
}

// TestRekeyRefuses what would give the root key to somebody else.
func TestRekeyRefuses(t *testing.T) {
	ring, slot := testSlot(t, configs()["file"])
	_, other := testSlot(t, configs()["env"])
	stolen := *slot
	stolen.Public = other.Public
	unsealed := *slot
	unsealed.MAC = make([]byte, len(slot.MAC))
	for name, try := range map[string]func() (*seal.Slot, error){
		"another public key": func() (*seal.Slot, error) {
			s := stolen
			s.Public[0] ^= 1
			return s.Rekey(ring, testRing(2, vaultA, 4))
		},
		"no seal":       func() (*seal.Slot, error) { return unsealed.Rekey(ring, testRing(2, vaultA, 4)) },
		"another ring":  func() (*seal.Slot, error) { return slot.Rekey(testRing(3, vaultA, 3), testRing(2, vaultA, 4)) },
		"another vault": func() (*seal.Slot, error) { return slot.Rekey(ring, testRing(2, vaultB, 4)) },
	} {
		if s, err := try(); !errors.Is(err, seal.ErrSlot) || s != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if !slot.IsKey(vaultA, testKEK(9)) || slot.IsKey(vaultA, testKEK(8)) || slot.IsKey(vaultB, testKEK(9)) {
		t.Error("IsKey")
	}
}

// TestChainsOfGenerations: another root key seals the keys of earlier generations,
// which keep their beginning.
func TestChainsOfGenerations(t *testing.T) {
	first, second := testRing(1, vaultA, 1), testRing(2, vaultA, 2)
	for _, from := range []uint64{1, 2, 1 << 40} {
		c := first.NewChain(from)
		entry, _ := c.Append(from, [seal.LinkSize]byte{}, []byte("event"))
		sealed := second.SealChain(c)
		again, err := second.OpenChain(1, sealed)
		if err != nil {
			t.Fatal(err)
		}
		if again.From() != from || again.Generation() != 1 || !again.Verify(from, [seal.LinkSize]byte{}, entry) {
			t.Errorf("from %d: generation %d from %d", from, again.Generation(), again.From())
		}
		if _, err := second.OpenChain(2, sealed); !errors.Is(err, seal.ErrOpen) {
			t.Errorf("the keys pass for those of another generation: %v", err)
		}
		if _, err := first.OpenChain(1, sealed); !errors.Is(err, seal.ErrOpen) {
			t.Errorf("the earlier root key opens them: %v", err)
		}
		later := second.NewChain(from + 1)
		if _, _, err := later.Open(from, entry); !errors.Is(err, seal.ErrOpen) {
			t.Errorf("an event passes for one of another generation: %v", err)
		}
	}
}

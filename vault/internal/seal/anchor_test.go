package seal_test

import (
	"bytes"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aivault/vault/internal/seal"
)

func anchored(gen uint32) (*seal.Ring, []byte, seal.Anchor) {
	r := seal.NewRing(bytes.Repeat([]byte{7}, seal.KeySize), [16]byte{1, 2, 3}, gen)
	a := seal.Anchor{Gen: gen, Epoch: 41, Seq: 17, Time: time.UnixMilli(1767323045006).UTC(), State: seal.StateOf([]byte("state"))}
	return r, r.SealAnchor(&a), a
}

// TestAnchor: only what the vault's own key made is believed.
func TestAnchor(t *testing.T) {
	t.Parallel()
	r, b, want := anchored(3)
	if len(b) != seal.AnchorSize {
		t.Errorf("it has %d bytes, not %d", len(b), seal.AnchorSize)
	}
	got, err := r.OpenAnchor(b)
	if diff := cmp.Diff(got, want); diff != "" || err != nil {
		t.Errorf("%v (-got +want):\n%s", err, diff)
	}
	for i := range b {
		changed := bytes.Clone(b)
		changed[i] ^= 1
		if a, err := r.OpenAnchor(changed); err == nil {
			t.Errorf("byte %d: %+v", i, a)
		}
		if a, err := r.OpenAnchor(b[:i]); !errors.Is(err, seal.ErrOpen) {
			t.Errorf("%d bytes: %+v, %v", i, a, err)
		}
	}
	if _, err := r.OpenAnchor(append(bytes.Clone(b), 0)); !errors.Is(err, seal.ErrOpen) {
		t.Errorf("a byte more: %v", err)
	}
	other := seal.NewRing(bytes.Repeat([]byte{8}, seal.KeySize), r.Vault(), 3)
	if _, err := other.OpenAnchor(b); !errors.Is(err, seal.ErrOpen) {
		t.Errorf("another key: %v", err)
	}
	elsewhere := seal.NewRing(bytes.Repeat([]byte{7}, seal.KeySize), [16]byte{9}, 3)
	if _, err := elsewhere.OpenAnchor(b); !errors.Is(err, seal.ErrOpen) {
		t.Errorf("another vault: %v", err)
	}
	later := seal.NewRing(bytes.Repeat([]byte{8}, seal.KeySize), r.Vault(), 4)
	if a, err := later.OpenAnchor(b); !errors.Is(err, seal.ErrGeneration) || a.Gen != 3 {
		t.Errorf("another generation: %+v, %v", a, err)
	}
}

// FuzzAnchor: what opens is what was sealed, to the byte.
func FuzzAnchor(f *testing.F) {
	r, b, _ := anchored(3)
	f.Add(b)
	f.Add(b[:len(b)-1])
	f.Add(bytes.Repeat([]byte{0xff}, seal.AnchorSize))
	f.Add([]byte("AVA1"))
	f.Fuzz(func(t *testing.T, in []byte) {
		vault, a, sum, err := seal.ParseAnchor(in)
		if err != nil {
			if !errors.Is(err, seal.ErrOpen) || len(in) == seal.AnchorSize && string(in[:4]) == "AVA1" {
				t.Errorf("%v", err)
			}
			return
		}
		if len(in) != seal.AnchorSize || len(sum) != 32 {
			t.Errorf("%d bytes make %+v", len(in), a)
		}
		again := seal.NewRing(bytes.Repeat([]byte{7}, seal.KeySize), vault, a.Gen).SealAnchor(&a)
		if !bytes.Equal(again[:len(again)-32], in[:len(in)-32]) {
			t.Errorf("it reads as another one:\n%x\n%x", in, again)
		}
		if got, err := r.OpenAnchor(in); err == nil && !bytes.Equal(r.SealAnchor(&got), in) {
			t.Errorf("a forged anchor opens: %+v", got)
		}
	})
}

package codec_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"math"
	"strings"
	"testing"

	"aivault/vault/internal/codec"
)

// A record has a field of every kind.
type record struct {
	u8    uint8
	u32   uint32
	u64   uint64
	i64   int64
	yes   bool
	fixed [3]byte
	blob  []byte
	text  string
	list  []string
}

func (rec *record) encode() []byte {
	var w codec.Writer
	w.Uint8(rec.u8)
	w.Uint32(rec.u32)
	w.Uint64(rec.u64)
	w.Int64(rec.i64)
	w.Bool(rec.yes)
	w.Fixed(rec.fixed[:])
	w.Blob(rec.blob)
	w.Text(rec.text)
	codec.List(&w, rec.list, w.Text)
	return w.Bytes()
}

func decode(b []byte) (*record, error) {
	r := codec.NewReader(b)
	rec := &record{u8: r.Uint8(), u32: r.Uint32(), u64: r.Uint64(), i64: r.Int64(), yes: r.Bool()}
	copy(rec.fixed[:], r.Fixed(3))
	rec.blob, rec.text, rec.list = r.Blob(), r.Text(), codec.Items(r, r.Text)
	return rec, r.Close()
}

func sample() *record {
	return &record{1, math.MaxUint32, math.MaxUint64, math.MinInt64, true, [3]byte{1, 2, 3}, []byte{0, 255}, "é", []string{"", "b"}}
}

func TestTheEncodingIsAsDocumented(t *testing.T) {
	want := "01" + "ffffffff" + "ffffffffffffffff" + "8000000000000000" + "01" + "010203" +
		"0000000200ff" + "00000002c3a9" + "00000002" + "00000000" + "0000000162"
	if got := hex.EncodeToString(sample().encode()); got != want {
		t.Errorf("encoded\n%s, want\n%s", got, want)
	}
}

func TestWhatIsMalformed(t *testing.T) {
	whole := sample().encode()
	if _, err := decode(whole); err != nil {
		t.Fatal(err)
	}
	for n := range whole {
		if _, err := decode(whole[:n]); !errors.Is(err, codec.ErrMalformed) {
			t.Errorf("cut to %d of %d bytes: %v", n, len(whole), err)
		}
	}
	if _, err := decode(append(bytes.Clone(whole), 0)); !errors.Is(err, codec.ErrMalformed) {
		t.Errorf("a byte too many: %v", err)
	}
	edits := map[string]func(b []byte){
		"a bool of 2":         func(b []byte) { b[21] = 2 },
		"text that is no UTF": func(b []byte) { b[len(b)-len("\xa9")-13] = 0xff },
		"a list of 2^32-1":    func(b []byte) { copy(b[len(b)-13:], "\xff\xff\xff\xff") },
		"a blob of 2^32-1":    func(b []byte) { copy(b[25:], "\xff\xff\xff\xff") },
	}
	for name, edit := range edits {
		b := bytes.Clone(whole)
		edit(b)
		if _, err := decode(b); !errors.Is(err, codec.ErrMalformed) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestAfterAnErrorEverythingIsZero(t *testing.T) {
	r := codec.NewReader([]byte{0, 0, 0, 9, 'x', 'y', 'z', 1, 1, 1, 1, 1, 1, 1, 1, 1})
	if b := r.Blob(); b == nil {
		t.Fatal("a blob that fits was not read")
	}
	if r.Uint32() != 0 || r.Uint8() != 0 || r.Uint64() != 0 || r.Bool() || r.Text() != "" || r.Fixed(1) != nil || codec.Items(r, r.Uint8) != nil {
		t.Error("a field behind an error has a value")
	}
	if err := r.Close(); !errors.Is(err, codec.ErrMalformed) {
		t.Errorf("Close: %v", err)
	}
}

func TestFailMarksWhatNoWriterWrites(t *testing.T) {
	r := codec.NewReader(nil)
	r.Fail()
	if err := r.Close(); !errors.Is(err, codec.ErrMalformed) {
		t.Errorf("Close: %v", err)
	}
}

// TestALongListCostsNoMemory: the count comes from outside, the items must be
// there before anything is made for them.
func TestALongListCostsNoMemory(t *testing.T) {
	b := append([]byte{0, 0x0f, 0xff, 0xff}, strings.Repeat("x", 100)...)
	allocs := testing.AllocsPerRun(10, func() {
		r := codec.NewReader(b)
		if codec.Items(r, r.Uint64) != nil || r.Close() == nil {
			t.Error("a list of 2^20 items was read from 100 bytes")
		}
	})
	if allocs > 3 {
		t.Errorf("it took %v allocations", allocs)
	}
}

func FuzzDecode(f *testing.F) {
	f.Add(sample().encode())
	f.Add((&record{}).encode())
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, b []byte) {
		rec, err := decode(b)
		if err != nil {
			return
		}
		if again := rec.encode(); !bytes.Equal(again, b) {
			t.Errorf("%x decodes, and encodes as %x", b, again)
		}
	})
}

package cli

import (
	"bytes"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// However an answer is cut, a terminal shows what it would show of the whole.
func FuzzPrinter(f *testing.F) {
	for _, seed := range []string{"", "plain\r\ntext", "\x1b[31mred\r", "鍵\xff\u202e", "\xe9\x8d", "\r\r\n\r", "\xf0\x9f\x98\x80\xf0\x9f"} {
		f.Add([]byte(seed), uint64(0x5555))
	}
	f.Fuzz(func(t *testing.T, body []byte, cuts uint64) {
		var whole, pieces bytes.Buffer
		(&output{out: &whole, terminal: true}).body(body)
		p := &printer{out: &output{out: &pieces, terminal: true}}
		begin := 0
		for i := range body {
			if cuts>>(i%64)&1 == 1 {
				_, _ = p.Write(body[begin:i])
				begin = i
			}
		}
		_, _ = p.Write(body[begin:])
		p.end()
		if diff := cmp.Diff(whole.String(), pieces.String()); diff != "" {
			t.Errorf("%q (-whole +pieces):\n%s", body, diff)
		}
	})
}

// A piece is shown at once, but for the beginning of a character.
func TestPrinterHoldsBack(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]int{"": 0, "text": 0, "é": 0, "\xc3": 1, "a\xe9\x8d": 2, "\xf0\x9f\x98": 3, "\xff": 0, "\x80\x80\x80\x80": 0, "\r": 1, "\r\n": 0} {
		if got := unfinished([]byte(in)); got != want {
			t.Errorf("%q: %d bytes wait, want %d", in, got, want)
		}
	}
}

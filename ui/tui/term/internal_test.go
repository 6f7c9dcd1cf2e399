package term

import (
	"bytes"
	"testing"
	"unicode/utf8"
)

// settle feeds pieces, and then silence.
func settle(pieces ...[]byte) []byte {
	var f filter
	var out []byte
	for _, p := range pieces {
		out = f.feed(out, p)
	}
	for f.mode != ground || len(f.held) > 0 {
		out = f.silence(out)
	}
	return out
}

// Checklist 48, 68. However a stream is cut, the same comes out; what has no
// escape sequence in it comes out as it is, and nothing is made up.
func FuzzFilter(f *testing.F) {
	for _, s := range []string{
		"jjjj", "\x1b[A\x1bOB\x1b\x1b[A", "é漢🔑", "\xe6\xbc", "\x1b]11;rgb:1e1e/1e1e/1e1e\x1b\\a", "\x1b]1\x03", "\x1b_G\x1b[A",
		"\x1b[200~a\rb\x1b[201~c", "\x1b[200~a\x1b\x1b[201\xff", "\x1b[24;80R\x1b[1;2R\x1b[?1;2c", "\x1b[M\xff\x80!", "\x1b[<0;1;1M", "\x1b[[A",
		"\x1b[7$\x1b[1\x03", "\x1bO\x03", "\x1b\xe6\xbc\xa2", "\x1bPq\x1b", "\x1b[201~", "\x1b[200~a\x1b[200~b",
	} {
		f.Add([]byte(s), uint8(1), uint8(3))
	}
	f.Fuzz(func(t *testing.T, in []byte, a, b uint8) {
		whole := settle(in)
		i := min(int(a), len(in))
		j := min(i+int(b), len(in))
		if got := settle(in[:i], in[i:j], in[j:]); !bytes.Equal(got, whole) {
			t.Errorf("cut at %d and %d: %q, want %q", i, j, got, whole)
		}
		var single [][]byte
		for k := range in {
			single = append(single, in[k:k+1])
		}
		if got := settle(single...); !bytes.Equal(got, whole) {
			t.Errorf("byte by byte: %q, want %q", got, whole)
		}
		if !bytes.Contains(in, []byte{esc}) && !bytes.Equal(whole, in) {
			t.Errorf("%q, want %q", whole, in)
		}
		if n := bytes.Count(whole, []byte(pasteBegin)); n > bytes.Count(in, []byte(pasteBegin)) {
			t.Errorf("%d pastes begin in %q", n, whole)
		}
		if bytes.LastIndex(whole, []byte(pasteBegin)) > bytes.LastIndex(whole, []byte(pasteEnd)) {
			t.Errorf("a paste does not end: %q", whole)
		}
	})
}

// A paste is passed on byte for byte, if it is text and not too large.
func FuzzPaste(f *testing.F) {
	f.Add("-----BEGIN X-----\rAAAA\r\tBBBB\n")
	f.Add("\x1b[A\x1b\x1b[201\x03\x00é")
	f.Fuzz(func(t *testing.T, text string) {
		if !utf8.ValidString(text) || bytes.ContainsAny([]byte(text), "\ufffd\ufdd0") || bytes.Contains([]byte(text+pasteEnd[:5]), []byte(pasteEnd)) {
			t.Skip()
		}
		want := pasteBegin + text + pasteEnd
		if got := settle([]byte(want)); string(got) != want {
			t.Errorf("%q, want %q", got, want)
		}
	})
}

func TestFindBurst(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		raw  string
		late bool
		want int
	}{
		{"jjjj", false, -1},
		{"abcdefghijklmnopqrst", false, -1}, // 20
		{"abcdefghijklmnopqrstu", false, 0}, // 21
		{"\x01abcdefghijklmnopqrstu", false, 1},
		{"ééééééééééééaabbccdd", false, -1}, // 20 letters
		{"\x1b[Aabcdefghijklmnopqrstu", false, -1},
		{"ab", true, 0},
		{"a\x01b", true, -1},
	} {
		if got := findBurst([]byte(test.raw), test.late); got != test.want {
			t.Errorf("%q: %d, want %d", test.raw, got, test.want)
		}
	}
}

package text_test

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"aivault/ui/neutral"
	"aivault/ui/tui/text"
)

// Checklist 18, 19. What terminals draw in widths of their own is not drawn, and
// what would drive them is an escape.
func TestLine(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, in, want string
		width          int
	}{
		{"ASCII", "STRIPE_API_KEY", "STRIPE_API_KEY", 14},
		{"CJK", "鍵の束", "鍵の束", 6},
		{"Hangul", "비밀", "비밀", 4},
		{"combining accents", "e\u0301a\u0308", "e\u0301a\u0308", 2},
		{"right to left", "סוד", "סוד", 3},
		{"variation selector", "⚠\ufe0f!", "⚠!", 2},
		{"skin tone", "👍🏽", "👍", 2},
		{"a tone by itself", "🏽", "🏽", 2},
		{"family", "👩\u200d👩\u200d👧 x", "👩 x", 4},
		{"family with tones", "👩🏽\u200d🚀.", "👩.", 3},
		{"a joiner between letters", "a\u200db", `a\u200db`, 8},
		{"escape", "\x1b[31mred\x07", `\x1b[31mred\x07`, 15},
		{"C1", "\u009b31m", `\u009b31m`, 9},
		{"line break and tab", "a\nb\tc\r", `a\nb\tc\x0d`, 11},
		{"bidi override", "a\u202eb", `a\u202eb`, 8},
		{"NUL", "a\x00b", `a\x00b`, 6},
		{"no UTF-8", "a\xffb", `a\xffb`, 6},
		{"a backslash", `C:\new`, `C:\new`, 6},
	} {
		if got := text.Line(test.in); got != test.want || text.Width(got) != test.width {
			t.Errorf("%s: %q, %d cells; want %q, %d", test.name, got, text.Width(got), test.want, test.width)
		}
	}
}

// Checklist 20.
func TestCutAndFit(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		in   string
		w    int
		want string
	}{
		{"short", 8, "short   "},
		{"exactly8", 8, "exactly8"},
		{"one too long", 8, "one too…"},
		{"鍵鍵鍵鍵鍵", 8, "鍵鍵鍵… "},
		{"x", 0, ""},
		{"xy", 1, "…"},
		{strings.Repeat("w", 4096), 5, "wwww…"},
	} {
		if got := text.Fit(test.in, test.w); got != test.want {
			t.Errorf("%.20q in %d: %q, want %q", test.in, test.w, got, test.want)
		}
	}
	if got := text.FitRight("12", 5); got != "   12" {
		t.Errorf("at the right: %q", got)
	}
}

func TestWrap(t *testing.T) {
	t.Parallel()
	got := text.Wrap("a sentence of words\n\nand averyverylongword in it", 8)
	want := []string{"a", "sentence", "of words", "", "and", "averyver", "ylongwor", "d in it"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"鍵", "鍵"}, text.Wrap("鍵鍵", 1)); diff != "" {
		t.Errorf("wide in one cell (-want +got):\n%s", diff)
	}
}

func TestLines(t *testing.T) {
	t.Parallel()
	got := text.Lines("{\r\n\t\"a\":\t1\n}\n")
	if diff := cmp.Diff([]string{"{", "    \"a\":    1", "}"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestSlice(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		x, w int
		want string
	}{{0, 3, "a鍵"}, {1, 2, "鍵"}, {2, 2, " b"}, {0, 2, "a "}, {9, 3, ""}} {
		if got := text.Slice("a鍵b", test.x, test.w); got != test.want {
			t.Errorf("%d cells from %d: %q, want %q", test.w, test.x, got, test.want)
		}
	}
}

func TestFormats(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for got, want := range map[string]string{
		text.Number(1234567):                    "1,234,567",
		text.Number(-1234):                      "-1,234",
		text.Number(-123):                       "-123",
		text.Plural(1, "secret"):                "1 secret",
		text.Plural(1000, "capability"):         "1,000 capabilities",
		text.Bytes(1023):                        "1023 B",
		text.Bytes(3277):                        "3.2 KB",
		text.Bytes(50 << 20):                    "50 MB",
		text.Bytes(1023 << 10):                  "1.0 MB",
		text.Age(time.Time{}, now):              "-",
		text.Age(now.Add(-90*time.Second), now): "1m",
		text.Age(now.Add(time.Hour), now):       "now",
		text.Age(now.AddDate(0, 0, -41), now):   "41d",
		text.Duration(420 * time.Microsecond):   "420 µs",
		text.Duration(1500 * time.Millisecond):  "1.5 s",
		text.Duration(61 * time.Second):         "1m 01s",
		text.ASCII("a…•·鍵µ"):                    "a~*-?u",
	} {
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

// Whatever comes, a display form is harmless, and what is made of it has the
// width that was asked for.
func FuzzForms(f *testing.F) {
	for _, s := range []string{"", "a\nb", "👩\u200d👧", `\u200d`, "\x1b]52;c;x\x07", "e\u0301\u0301\u0301", "🇩🇪🇩", "क्षि", "⚠\ufe0f"} {
		f.Add(s, 7)
	}
	f.Fuzz(func(t *testing.T, s string, w int) {
		w = max(min(w, 200), 0)
		line := text.Line(s)
		if strings.ContainsFunc(line, neutral.Drives) || strings.ContainsAny(line, "\n\t") || !utf8.ValidString(line) {
			t.Errorf("%q became %q", s, line)
		}
		if got := text.Fit(s, w); text.Width(got) != w {
			t.Errorf("%q in %d cells: %q has %d", s, w, got, text.Width(got))
		}
		for _, l := range text.Wrap(s, max(w, 2)) {
			if text.Width(l) > max(w, 2) || strings.ContainsFunc(l, neutral.Drives) {
				t.Errorf("%q in %d cells: %q has %d", s, w, l, text.Width(l))
			}
		}
		if got := text.Slice(line, 3, w); text.Width(got) > w {
			t.Errorf("a slice of %q: %q is wider than %d", s, got, w)
		}
	})
}

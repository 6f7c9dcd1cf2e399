package widget_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aivault/ui/tui/theme"
	"aivault/ui/tui/widget"
)

// The focus shows by the frame alone.
//
// Checklist 21, 25.
func TestBox(t *testing.T) {
	t.Parallel()
	th := themes()
	for _, tc := range []struct {
		what        string
		th          *theme.Theme
		title, note string
		focused     bool
		w, h        int
		want        []string
	}{
		{"plain", th["mono"], "Scopes", "", false, 16, 4, []string{"┌─ Scopes ─────┐", "│one           │", "│two two two tw│", "└──────────────┘"}},
		{"focused", th["mono"], "Scopes", "", true, 16, 3, []string{"┏━ Scopes ━━━━━┓", "┃one           ┃", "┗━━━━━━━━━━━━━━┛"}},
		{"a note", th["mono"], "Audit", "chain ok", false, 24, 2, []string{"┌─ Audit ─── chain ok ─┐", "└──────────────────────┘"}},
		{"no room for the note", th["mono"], "Audit", "chain ok to 12", false, 20, 2, []string{"┌─ Audit ──────────┐", "└──────────────────┘"}},
		{"no room for the title", th["mono"], "Audit", "", false, 8, 2, []string{"┌─ A… ─┐", "└──────┘"}},
		{"no room for any", th["mono"], "Audit", "x", false, 5, 2, []string{"┌───┐", "└───┘"}},
		{"dumb", th["dumb"], "\x1bS", "", true, 14, 3, []string{`#= \x1bS ====#`, "#one         #", "#============#"}},
		{"too low for a frame", th["mono"], "Audit", "x", false, 5, 1, []string{"one"}},
	} {
		got := widget.Box(tc.th, tc.title, tc.note, tc.focused, tc.w, tc.h, []string{"one", "two two two two"})
		if diff := cmp.Diff(tc.want, plain(got)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tc.what, diff)
		}
	}
}

// What is styled keeps its styles on both sides of what is drawn over it, and
// none runs into what follows.
func TestOver(t *testing.T) {
	t.Parallel()
	const red, bold, off = "\x1b[31m", "\x1b[1m", "\x1b[0m"
	base := []string{red + "abcdefgh" + off, "漢字漢字", red + bold + "ab" + off + "cdefgh"}
	for _, tc := range []struct {
		what string
		top  []string
		x, y int
		want []string
	}{
		{"inside", []string{"XY"}, 3, 0, []string{red + "abc" + off + "XY" + red + "fgh" + off, base[1], base[2]}},
		{"through wide runes", []string{"XY"}, 1, 1, []string{base[0], " XY 漢字", base[2]}},
		{"two styles", []string{"X"}, 1, 2, []string{base[0], base[1], red + bold + "a" + off + "Xcdefgh"}},
		{"styled", []string{bold + "XY" + off}, 0, 0, []string{bold + "XY" + off + red + "cdefgh" + off, base[1], base[2]}},
		{"beyond the borders", []string{"0", "UVWXYZ", "2", "3"}, -2, -1, []string{"WXYZ" + red + "efgh" + off, base[1], red + bold + "ab" + off + "cdefgh"}},
		{"right of it", []string{"XYZ"}, 6, 0, []string{red + "abcdef" + off + "XY", base[1], base[2]}},
		{"outside", []string{"XYZ"}, 9, 9, base},
	} {
		if diff := cmp.Diff(tc.want, widget.Over(base, tc.top, tc.x, tc.y)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tc.what, diff)
		}
	}
}

func TestClipAndWidth(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		s    string
		w    int
		want string
	}{
		{"", 2, "  "},
		{"abc", 3, "abc"},
		{"\x1b[1mabc\x1b[0m", 2, "\x1b[1mab\x1b[0m"},
		{"\x1b[1mabc\x1b[0m", 4, "\x1b[1mabc\x1b[0m "},
		{"a\x1b[1mb", 9, "a\x1b[1mb       "},
		{"漢字", 3, "漢 "},
		{"e\u0301x", 1, "e\u0301"},
		{"abc", 0, ""},
	} {
		got := widget.Clip(tc.s, tc.w)
		if got != tc.want || widget.Width(got) != tc.w {
			t.Errorf("%q at %d is %q of %d cells, not %q", tc.s, tc.w, got, widget.Width(got), tc.want)
		}
	}
}

func TestJoinAndPlace(t *testing.T) {
	t.Parallel()
	got := widget.Join([]string{"ab", "cd"}, nil, []string{"\x1b[1mx\x1b[0m"}, []string{"1", "2", "3"})
	if diff := cmp.Diff([]string{"ab\x1b[1mx\x1b[0m1", "cd 2", "   3"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for _, tc := range []struct{ w, h, cw, ch int }{{80, 24, 40, 10}, {10, 5, 40, 10}, {0, 0, 5, 5}, {81, 25, 40, 10}} {
		r := widget.Place(tc.w, tc.h, tc.cw, tc.ch)
		want := widget.Rect{X: (tc.w - r.W) / 2, Y: (tc.h - r.H) / 2, W: min(tc.w, tc.cw), H: min(tc.h, tc.ch)}
		if r != want {
			t.Errorf("%+v is placed at %+v, not %+v", tc, r, want)
		}
	}
}

// What is over at once is not worth a word, and a spinner stands
// still for those who want that.
//
// Checklist 28.
func TestWaiting(t *testing.T) {
	t.Parallel()
	still := theme.New(theme.Options{Still: true})
	since := time.Unix(1000, 0)
	for _, tc := range []struct {
		th    *theme.Theme
		after time.Duration
		want  string
	}{
		{themes()["mono"], 0, ""},
		{themes()["mono"], 149 * time.Millisecond, ""},
		{themes()["mono"], 150 * time.Millisecond, "⠙ calling x"},
		{themes()["mono"], 250 * time.Millisecond, "⠹ calling x"},
		{themes()["mono"], 1100 * time.Millisecond, "⠙ calling x 1s"},
		{themes()["mono"], 90 * time.Second, "⠋ calling x 90s waiting for another process to let the vault go"},
		{themes()["mono"], -time.Second, ""},
		{still, 250 * time.Millisecond, "⠋ calling x"},
		{still, 550 * time.Millisecond, "⠋ calling x"},
		{themes()["dumb"], 250 * time.Millisecond, "| calling x"},
	} {
		got := plain([]string{widget.Waiting(tc.th, "calling x", since, since.Add(tc.after))})[0]
		if got != tc.want {
			t.Errorf("after %v: %q, not %q", tc.after, got, tc.want)
		}
	}
}

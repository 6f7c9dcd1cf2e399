package widget_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	tea "github.com/charmbracelet/bubbletea"
	"github.com/google/go-cmp/cmp"

	"aivault/ui/tui/widget"
)

// plain is a view without styles, without spaces at the ends of its lines.
func plain(lines []string) []string {
	out := make([]string, len(lines))
	for i, line := range lines {
		out[i] = strings.TrimRight(sgr.ReplaceAllString(line, ""), " ")
	}
	return out
}

// fill gives a list the keys as its rows.
func fill(l *widget.List, keys ...string) {
	l.SetRows(len(keys), func(i int) string { return keys[i] }, func(i int) widget.Row {
		return widget.Row{Cells: []widget.Cell{{Text: keys[i]}}}
	})
}

// numbered are n keys.
func numbered(n int) []string {
	out := make([]string, n)
	for i := range out {
		out[i] = fmt.Sprintf("key%03d", i)
	}
	return out
}

func press(l interface{ KeyMsg(k tea.KeyMsg) bool }, keys ...string) {
	for _, k := range keys {
		l.KeyMsg(keyMsg(k))
	}
}

// Checklist 36.
func TestListMoves(t *testing.T) {
	t.Parallel()
	l := widget.NewList(themes()["true"], widget.Column{Grow: true})
	fill(l, numbered(100)...)
	l.View(40, 10, true)
	for _, tc := range []struct {
		keys string
		want int
	}{
		{"j j j j", 4},
		{"k", 3},
		{"down", 4},
		{"up up", 2},
		{"G", 99},
		{"j", 99},
		{"g", 0},
		{"k", 0},
		{"end", 99},
		{"home", 0},
		{"ctrl+d", 5},
		{"ctrl+d", 10},
		{"ctrl+u", 5},
		{"pgdown", 14},
		{"pgup pgup", 0},
	} {
		press(l, strings.Fields(tc.keys)...)
		if l.Index() != tc.want {
			t.Errorf("after %s the cursor is in row %d, not %d", tc.keys, l.Index(), tc.want)
		}
		key := fmt.Sprintf("key%03d", tc.want)
		if got := plain(l.View(40, 10, true)); !slices.ContainsFunc(got, func(s string) bool { return strings.Contains(s, "▸  "+key) }) {
			t.Errorf("after %s the cursor does not show:\n%s", tc.keys, strings.Join(got, "\n"))
		}
	}
	if l.KeyMsg(keyMsg("x")) || l.KeyMsg(keyMsg("enter")) {
		t.Error("the list took a key that does not move")
	}
}

// At 100,000 rows, a key and a frame ask for no more than the rows that show.
//
// Checklist 35.
func TestListAsksForWhatShows(t *testing.T) {
	t.Parallel()
	l := widget.NewList(themes()["true"], widget.Column{Grow: true})
	keys, rows := 0, 0
	l.SetRows(many, func(i int) string { keys++; return fmt.Sprint(i) }, func(i int) widget.Row {
		rows++
		return widget.Row{Cells: []widget.Cell{{Text: fmt.Sprint(i)}}}
	})
	l.View(80, 24, true)
	l.Toggle()
	for _, k := range []string{"j", "G", "pgup", "g"} {
		keys, rows = 0, 0
		press(l, k)
		l.View(80, 24, true)
		if keys > 50 || rows > 24 {
			t.Errorf("%s asked for %d keys and %d rows", k, keys, rows)
		}
	}
}

// The scroll bar of a part is that of the whole.
func TestListOfAPart(t *testing.T) {
	t.Parallel()
	l := widget.NewList(themes()["true"], widget.Column{Grow: true})
	fill(l, "a", "b", "c", "d", "e", "f")
	thumb := func() (at int) {
		for i, line := range l.View(10, 6, true) {
			if strings.Contains(line, "█") {
				return i
			}
		}
		return -1
	}
	for _, tc := range []struct{ before, after, want int }{{0, 0, -1}, {0, 60, 0}, {60, 0, 5}, {30, 30, 2}, {1, 60, 1}} {
		l.Before, l.After = tc.before, tc.after
		if got := thumb(); got != tc.want {
			t.Errorf("%d before and %d after: the thumb is in line %d, not %d", tc.before, tc.after, got, tc.want)
		}
	}
}

// What is selected stays so through reload, sort and filter, and comes back
// when a filter that hid it goes.
//
// Checklist 37.
func TestListSelectionSticks(t *testing.T) {
	t.Parallel()
	l := widget.NewList(themes()["true"], widget.Column{Grow: true})
	fill(l, "a", "b", "c", "d")
	press(l, "j", "j")
	for _, tc := range []struct{ rows, want string }{
		{"a b c d", "c"},
		{"d c b a", "c"},
		{"x y z c", "c"},
		{"a b d", "d"},     // hidden: the row that has its place
		{"a b y d", "d"},   // which is kept by its key too
		{"a c d", "c"},     // back
		{"", ""},           // nothing
		{"a b c d e", "c"}, // and back from nothing
	} {
		fill(l, strings.Fields(tc.rows)...)
		if l.Key() != tc.want {
			t.Errorf("with rows %q, %q is selected, not %q", tc.rows, l.Key(), tc.want)
		}
	}
	if l.Select("later") || l.Key() != "c" {
		t.Errorf("a key that is not there was selected, at %q", l.Key())
	}
	fill(l, "a", "c", "later")
	if l.Key() != "later" {
		t.Errorf("%q is selected, not the one that was asked for", l.Key())
	}
}

// The row under the cursor does not jump on the screen when rows come and go
// above it.
func TestListStaysOnScreen(t *testing.T) {
	t.Parallel()
	l := widget.NewList(themes()["true"], widget.Column{Grow: true})
	keys := numbered(100)
	fill(l, keys...)
	l.View(40, 10, true)
	press(l, "G", "k", "k")
	line := func() int {
		return slices.IndexFunc(plain(l.View(40, 10, true)), func(s string) bool { return strings.Contains(s, "key097") })
	}
	before := line()
	fill(l, append([]string{"new1", "new2"}, keys...)...)
	if after := line(); after != before || l.Key() != "key097" {
		t.Errorf("the cursor was in line %d, and is in %d, at %s", before, after, l.Key())
	}
}

// Checklist 16.
func TestListSameAfterResize(t *testing.T) {
	t.Parallel()
	l := widget.NewList(themes()["true"], widget.Column{Title: "NAME", Grow: true}, widget.Column{Title: "FROM", Drop: 1})
	l.Header = true
	fill(l, numbered(100)...)
	l.View(80, 30, true)
	press(l, "G", "pgup", "k", "k")
	want := l.View(80, 30, true)
	for h := 29; h > 0; h-- {
		got := plain(l.View(80-h, h, true))
		if h > 1 && !slices.ContainsFunc(got, func(s string) bool { return strings.HasPrefix(s, "▸") }) {
			t.Errorf("at height %d the cursor is not in view:\n%s", h, strings.Join(got, "\n"))
		}
	}
	if diff := cmp.Diff(want, l.View(80, 30, true)); diff != "" {
		t.Errorf("after a resize (-want +got):\n%s", diff)
	}
}

// Checklist 62.
func TestListMarks(t *testing.T) {
	t.Parallel()
	l := widget.NewList(themes()["mono"], widget.Column{Grow: true})
	fill(l, "a", "b", "c", "d")
	l.Toggle()
	press(l, "G")
	l.Toggle()
	check := func(what string, want ...string) {
		t.Helper()
		if diff := cmp.Diff(want, l.Marked()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", what, diff)
		}
		if l.MarkCount() != len(want) {
			t.Errorf("%s: %d are marked, not %d", what, l.MarkCount(), len(want))
		}
	}
	check("two", "a", "d")
	if want := "row 4 of 4, 2 marked"; l.Say() != want {
		t.Errorf("it says %q, not %q", l.Say(), want)
	}
	if diff := cmp.Diff([]string{" ● a", "   b", "   c", "▸● d"}, plain(l.View(20, 4, true))); diff != "" {
		t.Errorf("marks (-want +got):\n%s", diff)
	}
	fill(l, "d", "c")
	check("a filter hides one", "d")
	l.ToggleAll()
	check("all that are shown", "d", "c")
	l.ToggleAll()
	check("and none of them")
	fill(l, "a", "b", "c", "d")
	check("what was hidden kept its mark", "a")
	fill(l, "b", "c")
	l.Prune()
	fill(l, "a", "b", "c")
	check("one that is gone for good")
	l.Toggle()
	l.ToggleAll()
	check("all", "a", "b", "c")
	l.ClearMarks()
	check("none")
}

// The row under the cursor shows wherever it is drawn.
//
// Checklist 22, 23, 25.
func TestListCursorWithoutColour(t *testing.T) {
	t.Parallel()
	for name, th := range themes() {
		for _, focused := range []bool{true, false} {
			l := widget.NewList(th, widget.Column{Grow: true})
			fill(l, "a", "b")
			lines := l.View(20, 2, focused)
			if th.Dumb && strings.Contains(strings.Join(lines, ""), "\x1b") {
				t.Errorf("%s: a dumb terminal gets escape sequences", name)
			}
			if got := plain(lines)[0]; !strings.HasPrefix(got, th.Cursor0) {
				t.Errorf("%s, focused %v: the row under the cursor is %q", name, focused, got)
			}
			if !th.Dumb && !strings.Contains(lines[0], "\x1b[") {
				t.Errorf("%s, focused %v: the row under the cursor has no style", name, focused)
			}
			if name == "mono" && regexpColour.MatchString(strings.Join(lines, "")) {
				t.Errorf("there is colour in %q", lines)
			}
		}
	}
}

// Checklist 29.
func TestListMouse(t *testing.T) {
	t.Parallel()
	l := widget.NewList(themes()["true"], widget.Column{Title: "NAME", Grow: true})
	l.Header = true
	fill(l, numbered(100)...)
	l.View(40, 11, true)
	click := tea.MouseMsg{Button: tea.MouseButtonLeft, Action: tea.MouseActionPress}
	down := tea.MouseMsg{Button: tea.MouseButtonWheelDown, Action: tea.MouseActionPress}
	for _, tc := range []struct {
		what string
		y    int
		m    tea.MouseMsg
		hit  bool
		want int
	}{
		{"a row", 3, click, true, 2},
		{"the header", 0, click, false, 2},
		{"below", 11, click, false, 2},
		{"letting go", 5, tea.MouseMsg{Button: tea.MouseButtonLeft, Action: tea.MouseActionRelease}, false, 2},
		{"the wheel", 5, down, true, 3}, // the window moved by 3 and took the cursor along
		{"a row after the wheel", 1, click, true, 3},
		{"the other button", 5, tea.MouseMsg{Button: tea.MouseButtonRight}, false, 3},
	} {
		if hit := l.Mouse(5, tc.y, tc.m); hit != tc.hit || l.Index() != tc.want {
			t.Errorf("%s: hit %v, row %d; want %v, row %d", tc.what, hit, l.Index(), tc.hit, tc.want)
		}
		l.View(40, 11, true)
	}
	fill(l, "one")
	l.View(40, 11, true)
	if l.Mouse(5, 4, click) {
		t.Error("a click below the last row hit something")
	}
}

func TestListEmptyAndScrollBar(t *testing.T) {
	t.Parallel()
	l := widget.NewList(themes()["mono"], widget.Column{Grow: true})
	l.Empty = []string{"no secrets here", "n stores one"}
	if diff := cmp.Diff([]string{" no secrets", " here", " n stores one", ""}, plain(l.View(15, 4, true))); diff != "" {
		t.Errorf("no rows (-want +got):\n%s", diff)
	}
	if l.Index() != -1 || l.Key() != "" || l.Say() != "no rows" {
		t.Errorf("no rows: %d, %q, %q", l.Index(), l.Key(), l.Say())
	}
	fill(l, numbered(20)...)
	bar := func() (out string) {
		for _, line := range plain(l.View(20, 5, true)) {
			runes := []rune(line)
			out += string(runes[len(runes)-1])
		}
		return out
	}
	for _, tc := range []struct{ key, want string }{{"g", "█││││"}, {"pgdown", "█││││"}, {"j", "│█│││"}, {"G", "││││█"}} {
		press(l, tc.key)
		if got := bar(); got != tc.want {
			t.Errorf("after %s the scroll bar is %s, not %s", tc.key, got, tc.want)
		}
	}
}

package widget_test

import (
	"fmt"
	"strings"
	"testing"

	tea "github.com/charmbracelet/bubbletea"
	"github.com/google/go-cmp/cmp"

	"aivault/ui/tui/widget"
)

func viewed(t *testing.T, v *widget.Viewer, w, h int, want ...string) {
	t.Helper()
	if diff := cmp.Diff(want, plain(v.View(w, h))); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestViewerScrolls(t *testing.T) {
	t.Parallel()
	v := widget.NewViewer(themes()["mono"])
	v.SetText(numbered(100))
	for _, tc := range []struct {
		keys  string
		first int
	}{
		{"", 0}, {"j j", 2}, {"k", 1}, {"k k", 0}, {"ctrl+d", 5}, {"ctrl+u", 0}, {"pgdown", 9}, {"pgdown", 18}, {"pgup", 9}, {"G", 90}, {"j", 90}, {"k", 89}, {"g", 0},
	} {
		press(v, strings.Fields(tc.keys)...)
		want := fmt.Sprintf("key%03d", tc.first)
		if got := plain(v.View(20, 10))[0]; !strings.HasPrefix(got, want) {
			t.Errorf("after %q it shows %q first, not %s", tc.keys, got, want)
		}
		if say := fmt.Sprintf("line %d of 100", tc.first+1); v.Say() != say {
			t.Errorf("after %q it says %q, not %q", tc.keys, v.Say(), say)
		}
	}
	if !v.Mouse(0, 0, tea.MouseMsg{Button: tea.MouseButtonWheelDown}) || v.Say() != "line 4 of 100" {
		t.Errorf("after the wheel it says %q", v.Say())
	}
	if v.Mouse(0, 0, tea.MouseMsg{Button: tea.MouseButtonLeft}) || v.KeyMsg(keyMsg("x")) {
		t.Error("it took what does not scroll")
	}
	v.SetText(nil)
	press(v, "j", "G", "right", "pgup")
	viewed(t, v, 10, 2, "", "")
	if v.Say() != "no lines" {
		t.Errorf("it says %q of nothing", v.Say())
	}
}

// What is too long for the pane can be scrolled to.
//
// Checklist 20.
func TestViewerSideways(t *testing.T) {
	t.Parallel()
	v := widget.NewViewer(themes()["mono"])
	v.SetText([]string{"0123456789abcdefghij", "short", "漢字漢字漢字漢字漢字"})
	viewed(t, v, 11, 3, "012345678…", "short", "漢字漢字 …")
	press(v, "right")
	viewed(t, v, 11, 3, "89abcdefg…", "", "漢字漢字 …")
	press(v, "right", "right")
	viewed(t, v, 11, 3, "abcdefghij", "", "字漢字漢字")
	press(v, "left")
	viewed(t, v, 11, 3, "23456789a…", "ort", "字漢字漢 …")
	press(v, "left")
	viewed(t, v, 11, 3, "012345678…", "short", "漢字漢字 …")
	v.SetText([]string{"x漢字漢字漢字"})
	viewed(t, v, 10, 1, "x漢字漢 …")
	press(v, "right") // as far as the text goes, which is through the middle of a rune
	viewed(t, v, 10, 1, " 漢字漢字")
	v.SetText([]string{"short"})
	viewed(t, v, 10, 1, "short")
}

func TestViewerWraps(t *testing.T) {
	t.Parallel()
	v := widget.NewViewer(themes()["mono"])
	v.Wrap = true
	v.SetText([]string{"one two three", "  indented by two", "averyveryverylongword and", "", "漢字漢字漢字"})
	viewed(t, v, 10, 11, "one two", "three", "  indente", "d by two", "averyvery", "verylongw", "ord and", "", "漢字漢字", "漢字", "")
}

// The text at the top stays there when it is wrapped at another width, and is
// there again when that is undone.
//
// Checklist 16.
func TestViewerSameAfterResize(t *testing.T) {
	t.Parallel()
	v := widget.NewViewer(themes()["mono"])
	v.Wrap = true
	var lines []string
	for i := range 50 {
		lines = append(lines, fmt.Sprintf("%d: %s", i, strings.Repeat(fmt.Sprintf("word%d ", i), 30)))
	}
	v.SetText(lines)
	v.View(60, 10)
	press(v, "pgdown", "pgdown", "j")
	want := v.View(60, 10)
	for w := 59; w > 0; w-- {
		v.View(w, w/6)
	}
	if diff := cmp.Diff(want, v.View(60, 10)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// Checklist 61.
func TestViewerFollows(t *testing.T) {
	t.Parallel()
	v := widget.NewViewer(themes()["mono"])
	v.Follow(true)
	v.View(10, 2)
	v.Append("1", "2", "3")
	viewed(t, v, 10, 2, "2        │", "3        █")
	press(v, "k") // somebody reads
	v.Append("4")
	if v.Following() {
		t.Error("it follows although somebody scrolled up")
	}
	viewed(t, v, 10, 2, "1        █", "2        │")
	press(v, "j", "j") // and is back at the end
	v.Append("5")
	viewed(t, v, 10, 2, "4        │", "5        █")
	if want := "line 4 of 5, following"; v.Say() != want {
		t.Errorf("it says %q, not %q", v.Say(), want)
	}
	v.Follow(false)
	press(v, "G")
	if v.Following() {
		t.Error("it follows without having been told to")
	}
}

func TestViewerSearches(t *testing.T) {
	t.Parallel()
	v := widget.NewViewer(themes()["mono"])
	lines := numbered(100)
	lines[10], lines[20], lines[80] = "a Needle here", "needle, NEEDLE\tand needle", "wide 漢 needle"
	v.SetText(lines)
	v.View(30, 10)
	for _, tc := range []struct {
		do   func()
		say  string
		show string
	}{
		{func() { v.Search("n") }, "line 8 of 100, match 1 of 6", "a Needle here"},
		{func() { v.Search("need") }, "line 8 of 100, match 1 of 5", "a Needle here"},
		{v.Next, "line 18 of 100, match 2 of 5", "needle, NEEDLE"},
		{v.Next, "line 18 of 100, match 3 of 5", "needle, NEEDLE"},
		{func() { v.Next(); v.Next() }, "line 78 of 100, match 5 of 5", "wide 漢 needle"},
		{v.Next, "line 8 of 100, match 1 of 5", "a Needle here"}, // round
		{v.Prev, "line 78 of 100, match 5 of 5", "wide 漢 needle"},
		{v.Prev, "line 18 of 100, match 4 of 5", "needle, NEEDLE"},
		{func() { v.Search("漢") }, "line 78 of 100, match 1 of 1", "wide 漢 needle"},
		{func() { v.Search("漢 NEE") }, "line 78 of 100, match 1 of 1", "wide 漢 needle"},
		{func() { v.Search("nothing") }, "line 78 of 100, no match", "wide 漢 needle"},
		{func() { v.Search("") }, "line 78 of 100", "wide 漢 needle"},
	} {
		tc.do()
		shown := strings.Join(plain(v.View(30, 10)), "\n")
		if v.Say() != tc.say || !strings.Contains(shown, tc.show) {
			t.Errorf("it says %q and shows\n%s\nwant %q and %q", v.Say(), shown, tc.say, tc.show)
		}
	}
}

// What was found shows: by a style, and where it is now also by a mark.
func TestViewerShowsMatches(t *testing.T) {
	t.Parallel()
	for name, th := range themes() {
		v := widget.NewViewer(th)
		v.SetText([]string{"key and key", "no", "key"})
		v.View(20, 3)
		if n := v.Search("KEY"); n != 3 {
			t.Errorf("%d matches, not 3", n)
		}
		v.Next()
		v.Next()
		lines := v.View(20, 3)
		if got := strings.HasSuffix(plain(lines)[2], th.Mark); !got {
			t.Errorf("%s: the match that was gone to has no mark:\n%s", name, strings.Join(lines, "\n"))
		}
		if got := strings.Count(lines[0], "key"+"\x1b[0m"); got != 2 && !th.Dumb {
			t.Errorf("%s: %d matches have a style: %q", name, got, lines[0])
		}
	}
}

// A match beyond the right border is scrolled to, also behind wide text.
func TestViewerSearchesSideways(t *testing.T) {
	t.Parallel()
	for _, before := range []string{strings.Repeat("x", 5000), strings.Repeat("漢", 3000)} {
		v := widget.NewViewer(themes()["mono"])
		v.SetText([]string{before + "needle" + before})
		v.View(40, 1)
		v.Search("needle")
		if got := plain(v.View(40, 1))[0]; !strings.Contains(got, "needle") {
			t.Errorf("it shows %q", got)
		}
	}
}

// A match keeps its place when lines come at the end, and a new text has its
// own matches.
func TestViewerSearchGoesOn(t *testing.T) {
	t.Parallel()
	v := widget.NewViewer(themes()["mono"])
	v.SetText([]string{"x", "ax", "b"})
	v.Search("x")
	v.Next()
	v.Append("cx", "xx")
	if n, of := v.Match(); n != 2 || of != 5 {
		t.Errorf("match %d of %d, not 2 of 5", n, of)
	}
	v.SetText([]string{"only x"})
	if n, of := v.Match(); n != 1 || of != 1 {
		t.Errorf("match %d of %d, not 1 of 1", n, of)
	}
	v.SetText([]string{"none"})
	v.Next()
	v.Prev()
	if n, of := v.Match(); n != 0 || of != 0 {
		t.Errorf("match %d of %d, not 0 of 0", n, of)
	}
}

// The end of a line of HTTP is no part of it, and what drives a terminal shows
// as an escape.
//
// Checklist 19, 59.
func TestViewerIsHarmless(t *testing.T) {
	t.Parallel()
	v := widget.NewViewer(themes()["mono"])
	v.SetText([]string{"crlf\r", "a\tb", "\x1b[2Jgone", "two\nlines", "\u202eevil"})
	viewed(t, v, 20, 5, "crlf", "a   b", `\x1b[2Jgone`, `two\nlines`, `\u202eevil`)
}

// A frame stays small also of text that takes no room.
func TestViewerOfMarks(t *testing.T) {
	t.Parallel()
	const w, h = 40, 10
	v := widget.NewViewer(themes()["mono"])
	v.SetText([]string{"a" + strings.Repeat("\u0301", 1<<19) + "b", "second"})
	for _, wrap := range []bool{false, true} {
		v.Wrap = wrap
		lines := v.View(w, h)
		bounded(t, "viewer", lines, w, h)
		if n := len(strings.Join(lines, "")); n > 40*w*h {
			t.Errorf("wrap %v: %d bytes for a frame of %d by %d", wrap, n, w, h)
		}
	}
	press(v, "G")
	if got := plain(v.View(w, h))[9]; !strings.Contains(got, "second") {
		t.Errorf("the end is %q", got)
	}
}

func TestViewerStyles(t *testing.T) {
	t.Parallel()
	th := themes()["mono"]
	v := widget.NewViewer(th)
	v.SetStyled([]widget.Styled{{{Text: "ok ", Style: th.Strong}, {Text: "\x1b[31m", Style: th.Dim}}, {}})
	want := []string{"\x1b[1mok \x1b[0m\x1b[2m\\x1b[31m\x1b[0m      ", "                 "}
	if diff := cmp.Diff(want, v.View(17, 2)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	v.Append("end")
	viewed(t, v, 17, 3, `ok \x1b[31m`, "", "end")
}

func TestDetails(t *testing.T) {
	t.Parallel()
	th := themes()["mono"]
	d := widget.NewDetails(th).Title("STRIPE_API_KEY").Text("group web-shop/payments").Row("Value", "••••••").Row("Attached", "").
		Head("Used by").Styled("stripe/charge", "12 times since the first of the month", th.Good)
	v := widget.NewViewer(th)
	v.SetDetails(d)
	viewed(t, v, 42, 9, " STRIPE_API_KEY", " group web-shop/payments", " Value          ••••••", " Attached       -", "", " Used by",
		" stripe/charge  12 times since the first", "                of the month", "")
	viewed(t, v, 16, 15, "STRIPE_API_KEY", "group", "web-shop/paymen", "ts", "Value", "  ••••••", "Attached", "  -", "", "Used by",
		"stripe/charge", "  12 times", "  since the", "  first of the", "  month")
}

package widget_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"aivault/ui/tui/theme"
	"aivault/ui/tui/widget"
)

// Columns go where there is no room, and none is stretched.
//
// Checklist 12, 15.
func TestListColumns(t *testing.T) {
	t.Parallel()
	th := themes()["mono"]
	l := widget.NewList(th, widget.Column{Title: "NAME", Min: 8, Max: 24, Grow: true}, widget.Column{Title: "FROM", Min: 6, Max: 20, Drop: 2},
		widget.Column{Title: "USED", Right: true, Drop: 1})
	l.Header = true
	l.SetRows(2, func(i int) string { return fmt.Sprint(i) }, func(i int) widget.Row {
		return widget.Row{Cells: []widget.Cell{{Text: "STRIPE_API_KEY_OF_THE_SHOP"}, {Text: "web-shop"}, {Text: []string{"2m", "41d"}[i]}}}
	})
	for _, tc := range []struct {
		w    int
		want []string
	}{
		{80, []string{"   NAME                      FROM      USED", "▸  STRIPE_API_KEY_OF_THE_S…  web-shop    2m", "   STRIPE_API_KEY_OF_THE_S…  web-shop   41d"}},
		{41, []string{"   NAME                   FROM      USED", "▸  STRIPE_API_KEY_OF_TH…  web-shop    2m", "   STRIPE_API_KEY_OF_TH…  web-shop   41d"}},
		{23, []string{"   NAME           USED", "▸  STRIPE_API_K…    2m", "   STRIPE_API_K…   41d"}},
		{15, []string{"   NAME", "▸  STRIPE_API…", "   STRIPE_API…"}},
		{6, []string{"   N…", "▸  S…", "   S…"}},
	} {
		if diff := cmp.Diff(tc.want, plain(l.View(tc.w, 3, true))); diff != "" {
			t.Errorf("at %d cells (-want +got):\n%s", tc.w, diff)
		}
	}
}

// Columns do not move while somebody scrolls back over what was seen.
func TestListColumnsRemember(t *testing.T) {
	t.Parallel()
	l := widget.NewList(themes()["mono"], widget.Column{}, widget.Column{})
	l.SetRows(20, func(i int) string { return fmt.Sprint(i) }, func(i int) widget.Row {
		return widget.Row{Cells: []widget.Cell{{Text: strings.Repeat("x", 1+i)}, {Text: "second"}}}
	})
	l.View(60, 5, true)
	press(l, "G")
	at := strings.Index(plain(l.View(60, 5, true))[0], "second")
	press(l, "g")
	if got := strings.Index(plain(l.View(60, 5, true))[1], "second"); got != at {
		t.Errorf("the second column moved from %d to %d", at, got)
	}
}

// A row that is dim says why by its lead and its words, and shows the lead also
// under the cursor and when it is marked.
func TestListLead(t *testing.T) {
	t.Parallel()
	th := theme.New(theme.Options{})
	l := widget.NewList(th, widget.Column{})
	l.SetRows(2, func(i int) string { return fmt.Sprint(i) }, func(i int) widget.Row {
		return widget.Row{Cells: []widget.Cell{{Text: "NAME"}}, Lead: []string{th.Shadow, ""}[i], Dim: true}
	})
	l.Toggle()
	if diff := cmp.Diff([]string{"▸●~ NAME", "    NAME"}, plain(l.View(20, 2, true))); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// The last cell of a row with fewer cells than there are columns has the
// rest of the line, and does not make its own column wider.
func TestListShortRows(t *testing.T) {
	t.Parallel()
	l := widget.NewList(themes()["true"], widget.Column{}, widget.Column{Right: true, Min: 4}, widget.Column{Min: 6})
	rows := [][]string{{"one", "1", "first"}, {"two", "says more than fits"}, {"three"}}
	l.SetRows(len(rows), func(i int) string { return rows[i][0] }, func(i int) widget.Row {
		var r widget.Row
		for _, s := range rows[i] {
			r.Cells = append(r.Cells, widget.Cell{Text: s})
		}
		return r
	})
	want := []string{"▸  one     1  first", "   two  says more th…", "   three"}
	if diff := cmp.Diff(want, plain(l.View(22, 3, false))); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

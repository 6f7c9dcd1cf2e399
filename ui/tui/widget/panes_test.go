package widget_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"aivault/ui/tui/widget"
)

// shownWidths are the widths of the panes, 0 for one that does not show.
func shownWidths(p *widget.Panes, w int) []int {
	var out []int
	for _, r := range p.Layout(w, 20) {
		out = append(out, r.W)
	}
	return out
}

// Checklist 12, 13, 15.
func TestPanesLayout(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		w     int
		focus int
		zoom  bool
		want  []int
	}{
		{200, 0, false, []int{30, 100, 70}},
		{120, 1, false, []int{24, 48, 48}},
		{100, 2, false, []int{20, 40, 40}},
		{100, 1, true, []int{0, 100, 0}},
		{99, 0, false, []int{30, 69, 0}},
		{80, 1, false, []int{26, 54, 0}},
		{80, 2, false, []int{26, 0, 54}}, // the detail, in place of the right one
		{60, 0, false, []int{20, 40, 0}},
		{59, 0, false, []int{59, 0, 0}},
		{59, 2, false, []int{0, 0, 59}},
		{1, 1, false, []int{0, 1, 0}},
		{0, 1, false, []int{0, 0, 0}},
	} {
		p := widget.NewPanes("Scopes", "Secrets", "Detail")
		p.Weights, p.Max = []int{1, 2, 2}, []int{30, 0, 70}
		p.SetFocus(tc.focus)
		if tc.zoom {
			p.Zoom()
		}
		if diff := cmp.Diff(tc.want, shownWidths(p, tc.w)); diff != "" {
			t.Errorf("%d cells, pane %d (-want +got):\n%s", tc.w, tc.focus, diff)
		}
	}
}

// Whatever the width, panes that show have all of it between them, side by
// side, and the one with the focus shows.
func TestPanesFill(t *testing.T) {
	t.Parallel()
	for n := 1; n <= 3; n++ {
		p := widget.NewPanes([]string{"a", "b", "c"}[:n]...)
		p.Weights, p.Max = []int{3, 5}, []int{20, 30, 40}[:n]
		for w := range 250 {
			for focus := range n {
				p.SetFocus(focus)
				x := 0
				for _, r := range p.Layout(w, 10) {
					if r.W > 0 && (r.X != x || r.H != 10) {
						t.Fatalf("%d panes in %d cells: %v is not at %d", n, w, r, x)
					}
					x += r.W
				}
				if x != w {
					t.Fatalf("%d panes in %d cells take %d", n, w, x)
				}
				if w > 0 && p.Layout(w, 10)[focus].W == 0 {
					t.Fatalf("%d panes in %d cells: the one with the focus does not show", n, w)
				}
			}
		}
	}
}

func TestPanesFocus(t *testing.T) {
	t.Parallel()
	p := widget.NewPanes("Scopes", "Secrets", "Detail")
	for _, tc := range []struct {
		what  string
		w     int
		do    func() bool
		took  bool
		focus int
		crumb string
	}{
		{"tab", 120, func() bool { p.Next(); return true }, true, 1, ""},
		{"esc has nothing to go back from", 120, p.Back, false, 1, ""},
		{"enter", 120, func() bool { p.Open(); return true }, true, 2, ""},
		{"enter again", 120, func() bool { p.Open(); return true }, true, 2, ""},
		{"esc from the detail", 120, p.Back, true, 1, ""},
		{"zoom", 120, func() bool { p.Zoom(); return p.Zoomed() }, true, 1, "Scopes › Secrets"},
		{"esc from a zoom", 120, p.Back, true, 1, ""},
		{"narrow", 50, func() bool { p.Open(); return true }, true, 2, "Scopes › Secrets › Detail"},
		{"esc", 50, p.Back, true, 1, "Scopes › Secrets"},
		{"esc", 50, p.Back, true, 0, "Scopes"},
		{"esc", 50, p.Back, false, 0, "Scopes"},
		{"shift+tab", 120, func() bool { p.Prev(); return true }, true, 2, ""},
		{"tab", 120, func() bool { p.Next(); return true }, true, 0, ""},
	} {
		p.Layout(tc.w, 20)
		if took := tc.do(); took != tc.took || p.Focus() != tc.focus || p.Crumb() != tc.crumb {
			t.Errorf("%s: %v, pane %d, crumb %q; want %v, %d, %q", tc.what, took, p.Focus(), p.Crumb(), tc.took, tc.focus, tc.crumb)
		}
	}
	p.Name(0, "web\x1b[31m")
	p.Layout(50, 20)
	if want := `web\x1b[31m`; p.Crumb() != want {
		t.Errorf("the crumb is %q, not %q", p.Crumb(), want)
	}
}

// Checklist 29.
func TestPanesAt(t *testing.T) {
	t.Parallel()
	p := widget.NewPanes("a", "b")
	p.Layout(80, 20)
	for _, tc := range []struct{ x, y, pane, px, py int }{
		{0, 0, 0, -1, -1}, {1, 1, 0, 0, 0}, {39, 19, 0, 38, 18}, {40, 5, 1, -1, 4}, {45, 1, 1, 4, 0}, {80, 5, -1, 0, 0}, {5, 20, -1, 0, 0},
	} {
		if pane, px, py := p.At(tc.x, tc.y); pane != tc.pane || px != tc.px || py != tc.py {
			t.Errorf("at %d,%d: pane %d at %d,%d; want %d at %d,%d", tc.x, tc.y, pane, px, py, tc.pane, tc.px, tc.py)
		}
	}
	if w, h := p.Layout(80, 20)[0].Inner(); w != 38 || h != 18 {
		t.Errorf("inside is %dx%d", w, h)
	}
}

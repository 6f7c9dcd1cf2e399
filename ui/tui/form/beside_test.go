package form_test

import (
	"strings"
	"testing"

	"github.com/charmbracelet/x/ansi"

	"aivault/ui/tui/form"
	"aivault/ui/tui/theme"
)

// Labels stand beside their fields from the width on that a form asks for.
func TestBeside(t *testing.T) {
	t.Parallel()
	th := theme.New(theme.Options{Dumb: true})
	f := form.New(newHost(t, th), "A form", form.NewText(th, "Path", "/v1"), form.NewText(th, "Name", "x"))
	for _, c := range []struct{ beside, w, lines int }{{0, 55, 4}, {0, 56, 2}, {36, 36, 2}, {36, 35, 4}} {
		f.Beside = c.beside
		lines := 0
		for _, line := range f.View(c.w, 10) {
			if strings.TrimSpace(ansi.Strip(line)) != "" {
				lines++
			}
		}
		if lines != c.lines {
			t.Errorf("%d lines in a width of %d with Beside %d, want %d", lines, c.w, c.beside, c.lines)
		}
	}
}

// Where another pane has the focus, no field shows a cursor or its help, and
// which one is gone back to still shows.
func TestBlurred(t *testing.T) {
	t.Parallel()
	th := theme.New(theme.Options{Dumb: true})
	path := form.NewText(th, "Path", "/v1")
	path.Help = "with the query"
	f := form.New(newHost(t, th), "A form", path, form.NewText(th, "Name", "x"))
	for _, blurred := range []bool{false, true} {
		f.Blurred = blurred
		got := strings.Join(f.View(60, 10), "\n")
		if strings.Contains(got, "/v1_") == blurred || strings.Contains(got, path.Help) == blurred {
			t.Errorf("blurred %t: the form is\n%s", blurred, got)
		}
		if !strings.Contains(got, th.Cursor0+" Path") {
			t.Errorf("blurred %t: the field does not show", blurred)
		}
	}
}

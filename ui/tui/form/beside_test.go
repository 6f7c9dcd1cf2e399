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

package widget_test

import (
	"strings"
	"testing"

	tea "github.com/charmbracelet/bubbletea"

	"aivault/ui/tui/theme"
	"aivault/ui/tui/widget"
)

// Choices may come after the picker is open, and there may be none.
func TestPickerFills(t *testing.T) {
	t.Parallel()
	fills := 0
	p := widget.NewPicker(theme.New(theme.Options{}), "Bindings", nil, func(string) tea.Cmd { return nil })
	p.None = "there is no binding yet"
	p.Fill = func() tea.Cmd {
		fills++
		return nil
	}
	p.Load()
	if fills != 1 {
		t.Errorf("filled %d times", fills)
	}
	for _, got := range []string{strings.Join(p.View(40, 4), "\n"), p.Say(), p.Actions()[0].Off} {
		if !strings.Contains(got, p.None) {
			t.Errorf("%q does not say that there is none", got)
		}
	}
	p.SetChoices([]widget.Choice{{Key: "a", Title: "alpha"}})
	if got := strings.Join(p.View(40, 4), "\n"); !strings.Contains(got, "alpha") || strings.Contains(got, p.None) {
		t.Errorf("shows %q", got)
	}
}

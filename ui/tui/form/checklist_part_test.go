package form_test

import (
	"strings"
	"testing"

	tea "github.com/charmbracelet/bubbletea"
	"github.com/google/go-cmp/cmp"

	"aivault/ui/tui/form"
	"aivault/ui/tui/theme"
)

// Checklist 62.
func TestChecklistInPart(t *testing.T) {
	t.Parallel()
	c := form.NewChecklist(theme.New(theme.Options{Dumb: true}), form.Words{
		Was: "attached", Add: "will be attached", Remove: "will be detached", Some: "attached in part",
	})
	items := []form.Item{{Key: "a", Label: "a", Some: true}, {Key: "b", Label: "b", On: true}}
	c.SetItems(items)
	space := tea.KeyMsg{Type: tea.KeySpace, Runes: []rune{' '}}
	for _, want := range []struct {
		box, say string
		on, off  []string
	}{
		{"[/]  a", "attached in part", nil, nil},
		{"[x]+ a", "will be attached", []string{"a"}, nil},
		{"[ ]- a", "will be detached", nil, []string{"a"}},
		{"[/]  a", "attached in part", nil, nil},
	} {
		if got := c.View(60, 2, true)[0]; !strings.Contains(got, want.box) || !strings.Contains(got, want.say) {
			t.Errorf("want %q and %q, got %q", want.box, want.say, got)
		}
		if got := c.Say(); !strings.Contains(got, want.say) {
			t.Errorf("says %q, want %q", got, want.say)
		}
		on, off := c.Changes()
		if d := cmp.Diff([][]string{want.on, want.off}, [][]string{on, off}); d != "" {
			t.Errorf("%s: changes (-want +got):\n%s", want.box, d)
		}
		if dirty := len(on)+len(off) > 0; c.Dirty() != dirty {
			t.Errorf("%s: dirty is %v", want.box, c.Dirty())
		}
		c.SetItems(items) // what was changed stays so
		c.Key(space)
	}
	if c.Len() != 2 || c.Filtered() || c.Offers() {
		t.Errorf("%d items, filtered %v, offers %v", c.Len(), c.Filtered(), c.Offers())
	}
}

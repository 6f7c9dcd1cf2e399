package form_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	tea "github.com/charmbracelet/bubbletea"
	"github.com/google/go-cmp/cmp"

	"aivault/ui/tui/form"
	"aivault/ui/tui/theme"
)

func newGroups(th *theme.Theme) *form.Checklist {
	c := form.NewChecklist(th, form.Words{Was: "attached", Add: "will be attached", Remove: "will be detached"})
	c.Free = func(typed string) (form.Item, error) {
		if !strings.Contains(typed, "/") {
			return form.Item{}, errors.New("a group is WORKSPACE/GROUP")
		}
		return form.Item{Key: "new:" + typed, Label: typed}, nil
	}
	c.Empty = "no groups yet, type / to name one"
	c.SetItems([]form.Item{
		{Key: "1", Label: "infra/ci", On: true},
		{Key: "2", Label: "infra/prod", Note: "3 secrets"},
		{Key: "3", Label: "web-shop/payments", On: true, Fixed: "it belongs to this group"},
		{Key: "4", Label: "web-shop/research"},
	})
	return c
}

func TestChecklist(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		what, keys string
		on, off    []string
		say        string
	}{
		{"nothing", "", nil, nil, "infra/ci, attached, row 1 of 4"},
		{"off", " ", nil, []string{"1"}, "infra/ci, will be detached, row 1 of 4"},
		{"and on again", "  ", nil, nil, "infra/ci, attached, row 1 of 4"},
		{"on", "j ", []string{"2"}, nil, "infra/prod, will be attached, row 2 of 4"},
		{"fixed", "jj ", nil, nil, "it belongs to this group"},
		{"the note goes", "jj j", nil, nil, "web-shop/research, not attached, row 4 of 4"},
		{"ends", "Ggk<down><end> ", []string{"4"}, nil, "web-shop/research, will be attached, row 4 of 4"},
		{"several", " j G ", []string{"2", "4"}, []string{"1"}, "web-shop/research, will be attached, row 4 of 4"},
		{"a filter", "/WEB re<enter> ", []string{"4"}, nil, "web-shop/research, will be attached, row 1 of 1"},
		{"in notes too", "/3 sec<enter>", nil, nil, "infra/prod, not attached, row 1 of 1"},
		{"while it is typed", "/web<down>", nil, nil, "filter web, web-shop/research, not attached, row 2 of 2"},
		{"a space in it", "/infra prod", nil, nil, "filter infra prod, infra/prod, not attached, row 1 of 1"},
		{"taken back", "/web<esc>", nil, nil, "web-shop/payments, attached, row 3 of 4"},
		{"and later", "/web<enter><esc>", nil, nil, "web-shop/payments, attached, row 3 of 4"},
		{"nothing matches", "/zzz<enter>", nil, nil, "nothing matches; a group is WORKSPACE/GROUP"},
		{"a new one", "/web-shop/sup<enter>", []string{"new:web-shop/sup"}, nil, "web-shop/sup, will be attached, row 5 of 5"},
		{"a new one among others", "/a/b<enter>/web-shop/<enter><end><enter>", []string{"new:a/b", "new:web-shop/"}, nil, "web-shop/, will be attached, row 6 of 6"},
		{"with a space, once the filter is kept", "/web-shop<enter>//<enter><end> ", []string{"new:web-shop/"}, nil, "web-shop/, will be attached, row 5 of 5"},
		{"a new one off again", "/a/b<enter> ", nil, nil, "a/b, not attached, row 5 of 5"},
		{"what there is is not new", "/infra/ci<enter>", nil, nil, "infra/ci, attached, row 1 of 1"},
	} {
		c := newGroups(plain())
		changes := 0
		c.OnChange = func() tea.Cmd { changes++; return nil }
		for _, k := range press(test.keys) {
			c.Key(k)
		}
		on, off := c.Changes()
		if diff := cmp.Diff([][]string{test.on, test.off}, [][]string{on, off}); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.what, diff)
		}
		if c.Say() != test.say {
			t.Errorf("%s: %q, want %q", test.what, c.Say(), test.say)
		}
		if dirty := len(on)+len(off) > 0; c.Dirty() != dirty || dirty && changes == 0 {
			t.Errorf("%s: dirty %v, %d changes", test.what, c.Dirty(), changes)
		}
	}
}

func TestChecklistAndThePage(t *testing.T) {
	t.Parallel()
	c := newGroups(plain())
	for _, test := range []struct {
		key      string
		taken    bool
		captures bool
	}{
		{"<enter>", false, false}, // the page applies
		{"<esc>", false, false},   // the page closes
		{"a", false, false},
		{"/", true, true},
		{"a", true, true},
		{"<enter>", true, false}, // the filter stays
		{"<esc>", true, false},   // and goes
		{"<esc>", false, false},
	} {
		_, taken := c.Key(press(test.key)[0])
		if taken != test.taken || c.Captures() != test.captures {
			t.Errorf("%s: taken %v, captures %v", test.key, taken, c.Captures())
		}
	}
	if c.Key(paste(" /x")); c.Dirty() || c.Captures() {
		t.Error("a paste is keys")
	}
}

// Checklist 37, 63: what was changed here, and the row under the cursor, stay
// when the items are read again.
func TestChecklistReadAgain(t *testing.T) {
	t.Parallel()
	c := newGroups(plain())
	for _, k := range press(" /a/b<enter>") {
		c.Key(k)
	}
	c.Select("2")
	c.SetItems([]form.Item{{Key: "0", Label: "added"}, {Key: "2", Label: "infra/prod"}, {Key: "1", Label: "infra/ci", On: true}})
	on, off := c.Changes()
	if diff := cmp.Diff([][]string{{"new:a/b"}, {"1"}}, [][]string{on, off}); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if c.Say() != "infra/prod, not attached, row 2 of 4" {
		t.Errorf("it is at %q", c.Say())
	}
	c.SetItems([]form.Item{{Key: "1", Label: "infra/ci", On: true, Fixed: "it cannot go"}})
	if on, off := c.Changes(); len(on) != 1 || off != nil {
		t.Errorf("what cannot be changed is: %v, %v", on, off)
	}
	c.SetItems([]form.Item{{Key: "1", Label: "infra/ci"}, {Key: "new:a/b", Label: "a/b", On: true}})
	if on, off := c.Changes(); on != nil || off != nil {
		t.Errorf("what somebody else did already is still to be done: %v, %v", on, off)
	}
}

// Checklist 22, 23, 25: each state has a glyph and words.
func TestChecklistShows(t *testing.T) {
	t.Parallel()
	c := newGroups(theme.New(theme.Options{Dumb: true, ASCII: true}))
	for _, k := range press(" j /web-shop/") {
		c.Key(k)
	}
	c.Select("3")
	want := strings.Join([]string{
		"//web-shop/_                             2 of 4",
		"> [x]! web-shop/payments               attached",
		"  [ ]  web-shop/research                       ",
		`  + new "web-shop/"                            `,
	}, "\n")
	want = strings.Replace(want, "//web", "/web", 1)
	got := bare(c.View(47, 4, true))
	if squeeze(got) != squeeze(want) {
		t.Errorf("filtered:\n%s\nwant\n%s", got, want)
	}
	c.Key(keys()["esc"])
	c.Select("1")
	want = strings.Join([]string{
		"> [ ]- infra/ci      will be detached",
		"  [x]+ infra/prod 3 secrets - will be attached",
		"  [x]! web-shop/payments attached",
		"  [ ]  web-shop/research",
		"",
	}, "\n")
	if got := bare(c.View(70, 5, true)); squeeze(strings.ReplaceAll(got, "·", "-")) != squeeze(want) {
		t.Errorf("all:\n%s\nwant\n%s", got, want)
	}
	empty := form.NewChecklist(plain(), form.Words{})
	empty.Empty = "no groups yet"
	if got := squeeze(bare(empty.View(30, 2, true))); got != " no groups yet\n" || empty.Say() != "the list is empty" {
		t.Errorf("empty: %q", got)
	}
}

// squeeze makes runs of spaces one, and drops those at the ends of lines.
func squeeze(s string) string {
	lines := strings.Split(s, "\n")
	for i, line := range lines {
		lead := ""
		if strings.HasPrefix(line, " ") {
			lead = " "
		}
		lines[i] = strings.TrimRight(lead+strings.Join(strings.Fields(line), " "), " ")
	}
	return strings.Join(lines, "\n")
}

func TestChecklistFits(t *testing.T) {
	t.Parallel()
	for name, th := range looks() {
		c := newGroups(th)
		items := []form.Item{{Key: "x", Label: strings.Repeat("日\u202e", 99), Note: strings.Repeat("note ", 30), On: true}}
		for i := range 50 {
			items = append(items, form.Item{Key: fmt.Sprint(i), Label: fmt.Sprint("ws/", i), Note: "n", On: i%2 == 0})
		}
		c.SetItems(items)
		for _, ks := range []string{"", "G", " ", "/5", "/5"} {
			for _, k := range press(ks) {
				c.Key(k)
			}
			for _, size := range [][2]int{{200, 60}, {80, 24}, {36, 8}, {9, 3}, {4, 2}, {1, 1}} {
				lines := c.View(size[0], size[1], true)
				wantSize(t, name+ks, lines, size[0], size[1])
				if size[0] > 8 && !strings.Contains(bare(lines), th.Cursor0) {
					t.Errorf("%s after %q at %v: the cursor is not to be seen:\n%s", name, ks, size, bare(lines))
				}
			}
		}
	}
}

func TestChecklistTakesTheMouse(t *testing.T) {
	t.Parallel()
	c := newGroups(plain())
	c.View(40, 6, true)
	click := tea.MouseMsg{Button: tea.MouseButtonLeft, Action: tea.MouseActionPress}
	c.Mouse(12, 1, click)
	if c.Dirty() || c.Say() != "infra/prod, not attached, row 2 of 4" {
		t.Errorf("a click: %s", c.Say())
	}
	c.Mouse(3, 0, click)
	c.Mouse(12, 1, click)
	c.Mouse(12, 1, click)
	c.Mouse(3, 5, click)
	if on, off := c.Changes(); len(on) != 1 || len(off) != 1 {
		t.Errorf("clicks on boxes: %v, %v", on, off)
	}
	c.Mouse(0, 0, tea.MouseMsg{Button: tea.MouseButtonWheelDown})
	if !strings.HasSuffix(c.Say(), "row 4 of 4") {
		t.Errorf("the wheel: %s", c.Say())
	}
}

// many is a checklist of 10,000 items.
func many() *form.Checklist {
	c := form.NewChecklist(looks()["colour"], form.Words{Was: "attached", Add: "will be attached", Remove: "will be detached"})
	items := make([]form.Item, 10_000)
	for i := range items {
		items[i] = form.Item{Key: fmt.Sprint(i), Label: fmt.Sprintf("workspace-%d/group-%d", i%100, i), Note: "3 secrets", On: i%3 == 0}
	}
	c.SetItems(items)
	return c
}

func TestChecklistIsFast(t *testing.T) {
	c := many()
	begin := time.Now()
	for _, k := range press("/group-99<backspace><backspace><enter> jjjjG") {
		c.Key(k)
		c.View(60, 40, true)
	}
	if took := time.Since(begin); took > time.Second {
		t.Errorf("some keys take %v", took)
	}
}

func BenchmarkChecklist(b *testing.B) {
	c := many()
	b.Run("filter", func(b *testing.B) {
		for b.Loop() {
			for _, k := range press("/9<backspace><enter>") {
				c.Key(k)
			}
			c.View(60, 40, true)
		}
	})
	b.Run("move", func(b *testing.B) {
		for b.Loop() {
			c.Key(keys()["down"])
			c.View(60, 40, true)
		}
	})
}

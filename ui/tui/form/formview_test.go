package form_test

import (
	"strings"
	"testing"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"aivault/ui/tui/action"
	"aivault/ui/tui/form"
)

// Checklist 12, 13, 14, 15: whatever the size, the form fits, and the line with
// the cursor shows.
func TestFormFits(t *testing.T) {
	t.Parallel()
	for name, th := range looks() {
		f := newFilled(t, newHost(t, th))
		f.Intro = "A value is sealed, and never shows again."
		f.Hint = func(w int) []string {
			return []string{strings.Repeat("h", w), "claimed by stripe", strings.Repeat("नमस्ते", w)}
		}
		f.press("KEY\u202e日本नमस्ते👨\u200d👩\u200d👧👍🏽🇩🇪⚠\ufe0f")
		f.Key(paste("tail"))
		for range 7 {
			for _, size := range [][2]int{{200, 60}, {100, 24}, {80, 24}, {60, 15}, {40, 12}, {36, 8}, {20, 4}, {3, 3}, {2, 1}, {1, 1}} {
				w, h := size[0], size[1]
				lines := f.View(w, h)
				wantSize(t, name+", "+f.Say(), lines, w, h)
				if w >= 36 && !strings.Contains(bare(lines), th.Cursor0+" "+f.Focused().Label()) && f.Focused() != form.Field(f.body) {
					t.Errorf("%s at %dx%d: the focus is not to be seen: %s\n%s", name, w, h, f.Say(), bare(lines))
				}
				cw, ch := f.Size(w, h)
				if cw > w || ch > h {
					t.Errorf("it likes to be %dx%d in %dx%d", cw, ch, w, h)
				}
			}
			f.do(t, action.Next)
		}
		for range 9 { // the last line of an editor that is higher than the window
			f.do(t, action.Prev)
			f.press("<enter>")
		}
	}
	f := newFilled(t, newHost(t, plain()))
	f.Focus(f.body)
	f.press("1<enter>2<enter>3<enter>4<enter>5<enter>6_")
	if shown := bare(f.View(40, 4)); !strings.Contains(shown, "6_") {
		t.Errorf("the line with the cursor is not to be seen:\n%s", shown)
	}
	f.press("<up><up><up><up>")
	if shown := bare(f.View(40, 4)); !strings.Contains(shown, "2_") {
		t.Errorf("nor is the second:\n%s", shown)
	}
}

func TestFormHintStandsBeside(t *testing.T) {
	t.Parallel()
	f := newFilled(t, newHost(t, plain()))
	f.Hint = func(int) []string { return []string{"claimed by stripe"} }
	wide, narrow := f.View(100, 20), f.View(60, 20)
	if !strings.Contains(bare(wide[:1]), "claimed by stripe") {
		t.Errorf("wide:\n%s", bare(wide))
	}
	if strings.Contains(bare(narrow[:8]), "claimed") || !strings.Contains(bare(narrow), "claimed by stripe") {
		t.Errorf("narrow:\n%s", bare(narrow))
	}
}

// Checklist 29: a click gives the focus, and means what it hits.
func TestFormTakesTheMouse(t *testing.T) {
	t.Parallel()
	f := newFilled(t, newHost(t, plain()))
	click := func(what string) {
		t.Helper()
		for y, line := range strings.Split(bare(f.View(70, 20)), "\n") {
			if i := strings.Index(line, what); i >= 0 {
				x := len([]rune(line[:i]))
				f.Size(16, 20) // asking for a size moves nothing
				f.Mouse(tea.MouseMsg{X: x, Y: y, Button: tea.MouseButtonLeft, Action: tea.MouseActionPress})
				return
			}
		}
		t.Fatalf("%s is not there", what)
	}
	click("global")
	if f.scope.Value() != "global" || f.Focused() != form.Field(f.scope) {
		t.Errorf("a click on an option: %s", f.Say())
	}
	click("workspace")
	if f.scope.Value() != "workspace" {
		t.Errorf("a click on another: %s", f.Say())
	}
	click("[ ]")
	if !f.alone.On || f.Focused() != form.Field(f.alone) {
		t.Errorf("a click on a box: %s", f.Say())
	}
	click("Value")
	if f.Focused() != form.Field(f.value) {
		t.Errorf("a click on a label: %s", f.Say())
	}
	f.View(40, 5)
	f.Mouse(tea.MouseMsg{Button: tea.MouseButtonWheelDown, Action: tea.MouseActionPress})
	if shown := bare(f.View(40, 5)); strings.Contains(shown, "Value") || f.Focused() != form.Field(f.value) {
		t.Errorf("the wheel:\n%s", shown)
	}
	f.press("x")
	if shown := bare(f.View(40, 5)); !strings.Contains(shown, "Value") {
		t.Errorf("typing does not come back:\n%s", shown)
	}
}

func TestFormBeginsWithItsIntroduction(t *testing.T) {
	t.Parallel()
	f := newFilled(t, newHost(t, plain()))
	f.Intro = "A value is sealed."
	for range 6 {
		f.do(t, action.Next)
		f.View(60, 6)
	}
	if shown := bare(f.View(60, 6)); !strings.Contains(shown, "A value is sealed.") {
		t.Errorf("back at the first field:\n%s", shown)
	}
}

// Checklist 28: where nothing moves, the sign of work is one glyph and words.
func TestFormSaysHowLong(t *testing.T) {
	t.Parallel()
	host := newHost(t, plain())
	at := now()
	host.Now = func() time.Time { return at }
	f := newFilled(t, host)
	f.press("K")
	f.value.Key(paste("made-up"))
	f.Save()
	for _, test := range []struct {
		after time.Duration
		says  string
	}{{0, "⠋ under way"}, {150 * time.Millisecond, "⠙ under way"}, {2500 * time.Millisecond, "⠴ under way, 2 s"}} {
		at = now().Add(test.after)
		lines := f.View(40, 12)
		if got := strings.TrimSpace(bare(lines[11:])); got != test.says {
			t.Errorf("after %v: %q", test.after, got)
		}
	}
}

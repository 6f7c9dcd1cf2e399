package tui_test

import (
	"testing"

	"aivault/ui/tui/term"
	"aivault/ui/tui/uitest"
)

// Keys that come before the screen that they are meant for wait for it: none of
// them is an action of the page below.
func TestKeysWaitForTheirScreen(t *testing.T) {
	t.Parallel()
	d := uitest.New(t, uitest.Options{Fill: func(d *uitest.Driver) { uitest.Seed(d) }})
	d.Hit("n", "D", "R", "L", "q", "z", "tab").Settle()
	d.Want("New secret", "DRLqz", "Value, empty")
	d.Paste(d.Secret()).Hit("ctrl+s").Settle()
	d.Want("stored DRLqz")
	d.Hit("?", "q", "esc", "n", "ctrl+c").Settle()
	if !d.Quit() {
		t.Error("the key that leaves waits for others")
	}
}

// Checklist 9. Who cannot be suspended says so, and goes on.
func TestSuspends(t *testing.T) {
	t.Parallel()
	d := uitest.New(t, uitest.Options{Fill: func(d *uitest.Driver) { uitest.Seed(d) }})
	d.Key("ctrl+z")
	if d.Suspended() != 1 {
		t.Errorf("suspended %d times", d.Suspended())
	}
	d.Tell(term.Suspended{Worked: true}).WantNot("cannot suspend")
	d.Tell(term.Suspended{}).Want("cannot suspend").Key("j").Want("row 2 of 4")
}

package attach_test

import (
	"strings"
	"testing"
	"time"

	"aivault/ui/tui/uitest"
	"aivault/ui/tui/view"
	"aivault/vault"
)

// sizes are those that every page is used at.
var sizes = [...][2]int{{120, 40}, {80, 24}, {40, 12}}

// The whole of it, in the program: check, see, apply, take back, and do it again.
//
// Checklist 12, 13, 38, 51, 55, 57.
func TestStoryOfAttach(t *testing.T) {
	t.Parallel()
	for _, size := range sizes {
		var c *uitest.Contents
		d := uitest.New(t, uitest.Options{Width: size[0], Height: size[1], Fill: func(d *uitest.Driver) { c = uitest.Seed(d) }})
		id := c.Secret["desk"].ID
		attached := func(want bool) {
			t.Helper()
			s, err := d.Backend.FindSecret(t.Context(), id.String())
			if err != nil {
				t.Fatal(err)
			}
			if got := s.Attached != nil; got != want {
				t.Errorf("%v: attached to %v", size, s.Attached)
			}
		}
		d.Tell(view.OpenAttach{Secrets: []vault.ID{id}})
		d.Want("web-shop/payments")
		d.Key("/").Type("paym").Key("enter", "space").Advance(200 * time.Millisecond)
		d.Want("[x]+ web-shop/payments", "nothing that calls use")
		if size[0] >= 80 {
			d.Want("space check", "enter apply")
		}
		d.Hit("enter", "enter").Settle()
		d.Want("attached DESK_TOKEN to web-shop/pay")
		attached(true)
		d.Key("@").Want("aivault secrets attach-group --id").Key("esc")
		d.Key("z").Want("detached DESK_TOKEN from web-shop/pa")
		attached(false)
		d.Key("z").Want("attached DESK_TOKEN to web-shop/pay")
		attached(true)
	}
}

// Checklist 6, 56.
func TestStoryOfDiscarding(t *testing.T) {
	t.Parallel()
	var c *uitest.Contents
	d := uitest.New(t, uitest.Options{Fill: func(d *uitest.Driver) { c = uitest.Seed(d) }})
	d.Tell(view.OpenAttach{Secrets: []vault.ID{c.Secret["risk"].ID}})
	title := d.Line(0)
	d.Key("esc")
	if d.Line(0) == title {
		t.Error("esc does not close what holds no changes")
	}
	d.Tell(view.OpenAttach{Secrets: []vault.ID{c.Secret["risk"].ID}})
	d.Key("space", "esc").Want("Throw away what you changed here?").Key("esc").Want("[ ]-", "1 change")
	d.Key("ctrl+c").Want("ctrl+c again")
	if d.Quit() {
		t.Fatal("ctrl+c leaves without a word")
	}
	d.Key("esc").Want("Throw away").Key("tab", "enter")
	if strings.Contains(d.Line(0), "Attach") {
		t.Errorf("it is still open:\n%s", d.Screen())
	}
}

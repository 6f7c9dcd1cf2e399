package why_test

import (
	"strings"
	"testing"
	"time"

	"aivault/ui/tui/uitest"
	"aivault/ui/tui/view"
)

// In the program: from a capability to its ladder, another context, and on to the
// secret that is used there.
//
// Checklist 12, 13, 26, 38.
func TestStoryOfWhy(t *testing.T) {
	t.Parallel()
	for _, size := range [...][2]int{{120, 40}, {80, 24}, {40, 12}} {
		d := uitest.New(t, uitest.Options{Width: size[0], Height: size[1], Fill: func(d *uitest.Driver) { uitest.Seed(d) }})
		d.Tell(view.OpenWhy{}).Want("Explain which capability?")
		d.Type("stripe/balance").Key("enter").Want("Used: STRIPE_API_KEY (global)")
		d.Key("c").Type("web").Key("down", "enter", "enter").Type("pay").Key("down", "enter", "enter", "enter")
		d.Want("web-shop/payments", "Used: STRIPE_API_KEY (group")
		d.Key("@").Want("aivault explain stripe/balance", "--group-id")
		for line := range strings.Lines(d.Screen()) {
			if _, edge, found := strings.Cut(line, "━ The same on a command line"); found && !strings.Contains(edge, "━┓") {
				t.Errorf("%v: the frame is not whole: %q", size, line)
			}
		}
		d.Key("esc")
		d.Key("enter").Advance(time.Second)
		d.Want("STRIPE_API_KEY", "payments").WantNot("Used:")
	}
}

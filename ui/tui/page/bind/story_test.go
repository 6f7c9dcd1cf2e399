package bind_test

import (
	"testing"
	"time"

	"aivault/ui/tui/uitest"
	"aivault/ui/tui/view"
)

// In the program: a secret is bound, that is taken back, done again, and
// unbound.
//
// Checklist 12, 13, 51, 52, 54, 55, 57.
func TestStoryOfBinding(t *testing.T) {
	t.Parallel()
	for _, size := range [...][2]int{{120, 40}, {80, 24}, {40, 12}} {
		d := uitest.New(t, uitest.Options{Width: size[0], Height: size[1], Fill: func(d *uitest.Driver) { uitest.Seed(d) }})
		d.Tell(view.OpenBind{Capability: "stripe/balance"})
		d.Type("stripe").Key("down", "down", "enter").Advance(200 * time.Millisecond)
		d.Hit("ctrl+s", "ctrl+s").Settle()
		d.Want("bound STRIPE_API_KEY to stripe/bal")
		d.Key("@").Want("aivault capability bind").Key("esc")
		d.Key("z").Want("unbound STRIPE_API_KEY from stripe").Key("z").Want("bound STRIPE_API_KEY to stripe/bal")
		d.Tell(view.OpenUnbind{Capability: "stripe/balance"}).Want("STRIPE_API_KEY")
		d.Key("enter").Want("button Cancel").Key("right", "enter").Want("unbound STRIPE_API_KEY from stripe")
		d.Tell(view.OpenUnbind{Capability: "stripe/balance"}).Want("there is no binding")
	}
}

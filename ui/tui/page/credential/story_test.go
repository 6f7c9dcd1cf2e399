package credential_test

import (
	"testing"
	"time"

	"aivault/broker"
	"aivault/ui/tui/uitest"
	"aivault/vault"
)

const (
	pauseOfForms = 150 * time.Millisecond // longer than forms wait before they check
	look         = time.Second            // longer than the program waits before it looks at the vault
)

// seeded is the whole program on the standard vault.
func seeded(t *testing.T, w, h int) *uitest.Driver {
	t.Helper()
	return uitest.New(t, uitest.Options{Width: w, Height: h, Fill: func(d *uitest.Driver) { uitest.Seed(d) }})
}

// Checklist 38, 51, 55. Limits are set and taken back, each with its command line.
func TestLimitsInTheProgram(t *testing.T) {
	t.Parallel()
	d := seeded(t, 120, 40)
	d.Key("2").Want("[2 Capabilities]", "openai/chat-completions", "30/min +1")
	d.Key("/").Type("acme/items").Key("enter", "p").Want("Limits of acme/items").Type("5").Key("ctrl+s")
	d.Want("✓ set the limits of acme/items: 5 calls in any 60 s", "z undo", "5/min")
	d.Key("@").Want("aivault capability policy set --capability acme/items ", "--rate-limit-per-minute 5").Key("esc")
	d.Key("z").Want("took the limits of acme/items away").WantNot("5/min")
	d.Key("z").Want("set the limits of acme/items: 5 calls in any 60 s")
	p := vault.Policy{Capability: "acme/items", Rate: new(int64(8))}
	if _, err := d.Backend.SetPolicy(t.Context(), p, 0); err != nil {
		t.Fatal(err)
	}
	d.Key("z").Want("it is not taken back")
}

// Checklist 51, 54. A credential is made, gets a capability, and is deleted again.
func TestCredentialInTheProgram(t *testing.T) {
	t.Parallel()
	d := seeded(t, 100, 30)
	d.Key("3").Want("[3 Credentials]", "acme-payments", "by hand", "registry")
	d.Key("n").Type("desk").Key("tab").Type("desk").Key("tab").Type("DESK").Key("down", "enter", "tab", "tab", "right", "tab", "tab", "tab").Type("desk.example.com")
	d.Advance(pauseOfForms).Want("header at desk.example.com", "nothing may be called with it yet")
	d.Key("ctrl+s").Want("✓ made credential desk in web-shop/support", "desk, header, of desk, with DESK_TOKEN, made by hand")
	d.Key("c").Type("tickets").Key("tab", "tab", "tab", "tab").Type("/v2/tickets").Advance(pauseOfForms)
	d.Want("allows GET of https://desk.example.com/v2/tickets", "ready at once").Key("ctrl+s")
	d.Want("[2 Capabilities]", "desk/tickets, ready, custom")
	d.Key("3", "D").Want("in web-shop/support, desk/tickets will stop working: no")
	d.Type("desk").Key("enter", "enter").Want("deleted credential desk").WantNot("desk.example.com")
	d.Key("2").Want("desk/tickets", "not ready")
	d.Key("D").Want("Delete the capability desk/tickets?").Key("right", "enter").Want("deleted capability desk/tickets")
	list, err := d.Backend.Capabilities(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range list {
		if c.ID == "desk/tickets" {
			t.Error("the capability is still there")
		}
	}
}

// A change of another process shows, and what is typed stays.
//
// Checklist 37, 63.
func TestOthersInTheProgram(t *testing.T) {
	t.Parallel()
	d := seeded(t, 120, 40)
	d.Advance(look).Key("2", "/").Type("acme/items").Key("enter", "n").Type("acme/mine")
	n := broker.NewCapability{ID: "acme/theirs", FromCred: "acme", Methods: []string{"GET"}, Paths: []string{"/items"}}
	if _, err := d.Backend.CreateCapability(t.Context(), n); err != nil {
		t.Fatal(err)
	}
	d.Advance(2*pauseOfForms).Advance(look).Want("New capability", "acme/mine", "another process ")
	d.Key("esc").Want("Throw away what you typed?").Key("right", "enter").Want("acme/items").Key("esc").Want("acme/theirs", "acme/items, ready")
}

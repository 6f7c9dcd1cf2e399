package ops_test

import (
	"testing"

	"github.com/google/uuid"

	"aivault/broker"
	"aivault/keys/fault"
	"aivault/ui/tui/ops"
	"aivault/vault"
)

// Checklist 52.
func TestEffectText(t *testing.T) {
	t.Parallel()
	payments := vault.Context{Workspace: "web-shop", Group: "payments"}
	shop := vault.Scope{Level: vault.Workspace, Workspace: "web-shop"}
	id := func(n byte) vault.ID { return uuid.UUID{n} }
	var (
		risk    = broker.Used{Secret: id(1), Name: "RISK_TOKEN", Scope: shop, Credential: "risk", Attached: true}
		stripe  = broker.Used{Secret: id(2), Name: "STRIPE_API_KEY", Scope: vault.GlobalScope(), Credential: "stripe:global"}
		own     = broker.Used{Secret: id(3), Name: "STRIPE_API_KEY", Scope: payments.Scope(), Credential: "stripe:group"}
		ofShop  = broker.Used{Secret: id(4), Name: "STRIPE_API_KEY", Scope: shop}
		again   = broker.Used{Secret: id(5), Name: "STRIPE_API_KEY", Scope: vault.GlobalScope(), Credential: "spare"}
		none    = broker.Used{Err: fault.New(fault.CredentialNotFound, "no credential of stripe serves stripe/charges")}
		several = broker.Used{Err: fault.New(fault.CredentialAmbiguous, "credentials a and b serve it equally well")}
		refused = broker.Used{Err: fault.New(fault.SecretNotAccessible, "its secret is pinned to another")}
		four    = []string{"stripe/a", "stripe/b", "stripe/c", "stripe/d"}
	)
	for _, tt := range []struct {
		effect broker.Effect
		want   string
		stops  bool
	}{
		{
			broker.Effect{Context: payments, Capabilities: four, Before: stripe, After: risk},
			"in web-shop/payments, stripe/* (4) will use RISK_TOKEN (attached) instead of STRIPE_API_KEY (global)", false,
		},
		{
			broker.Effect{Context: payments, Capabilities: four[:1], Before: ofShop, After: own},
			"in web-shop/payments, stripe/a will use STRIPE_API_KEY (own) instead of STRIPE_API_KEY (workspace web-shop)", false,
		},
		{
			broker.Effect{Context: payments, Capabilities: four[:1], Before: stripe, After: again},
			"in web-shop/payments, stripe/a will use STRIPE_API_KEY (global) by credential spare, id 05000000 " +
				"instead of STRIPE_API_KEY (global) by credential stripe:global, id 02000000", false,
		},
		{
			broker.Effect{Context: vault.Context{Workspace: "web-shop", Consumer: "bot"}, Capabilities: four, Before: risk, After: none},
			"in workspace web-shop for consumer bot, stripe/* (4) will stop working: no credential", true,
		},
		{
			broker.Effect{Capabilities: four, Before: risk, After: several},
			"in the global scope, stripe/* (4) will stop working: several credentials serve equally well", true,
		},
		{
			broker.Effect{Context: payments, Capabilities: four, Before: none, After: own},
			"in web-shop/payments, stripe/* (4) will begin to work, with STRIPE_API_KEY (own)", false,
		},
		{
			broker.Effect{Context: payments, Capabilities: four[:1], Before: none, After: refused},
			"in web-shop/payments, stripe/a will not work, as before, but for another reason: its secret is pinned to another", false,
		},
	} {
		tt.effect.Provider = "stripe"
		if got := ops.EffectText(tt.effect); got != tt.want {
			t.Errorf("got  %q\nwant %q", got, tt.want)
		}
		if got := ops.Stops(tt.effect); got != tt.stops {
			t.Errorf("%q: stops is %v, want %v", tt.want, got, tt.stops)
		}
	}
}

func TestParsePlace(t *testing.T) {
	t.Parallel()
	for typed, want := range map[string]vault.Scope{
		"global":             vault.GlobalScope(),
		"web-shop":           {Level: vault.Workspace, Workspace: "web-shop"},
		"workspace web-shop": {Level: vault.Workspace, Workspace: "web-shop"},
		"workspace:web-shop": {Level: vault.Workspace, Workspace: "web-shop"},
		"workspace:global":   {Level: vault.Workspace, Workspace: "global"},
		"group:web:payments": {Level: vault.Group, Workspace: "web", Group: "payments"},
		" web-shop/payments": {Level: vault.Group, Workspace: "web-shop", Group: "payments"},
	} {
		got, err := ops.ParsePlace(typed)
		if err != nil || got != want {
			t.Errorf("%q: got %v, %v", typed, got, err)
		}
		if again, err := ops.ParsePlace(ops.Place(got)); err != nil || again != got {
			t.Errorf("%q: read again %v, %v", ops.Place(got), again, err)
		}
	}
	for _, typed := range []string{"", " ", "/", "a/", "/b", "a/b/c", "a b", "a\x1b[m", "workspace:", "workspace: ", "group:", "group:a", "group:a:", "group::b"} {
		if got, err := ops.ParsePlace(typed); fault.CodeOf(err) != fault.InvalidRequest {
			t.Errorf("%q: got %v, %v", typed, got, err)
		}
	}
}

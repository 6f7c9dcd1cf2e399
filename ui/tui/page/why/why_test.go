package why_test

import (
	"strings"
	"testing"

	"aivault/broker"
	"aivault/ui/tui/page/pagetest"
	"aivault/ui/tui/page/why"
	"aivault/ui/tui/view"
	"aivault/vault"
)

// A shop is a stage with a key of Stripe for everybody, one for a group, and one
// of another workspace.
type shop struct {
	*pagetest.Stage
	all, payments, infra, db vault.Secret
}

func newShop(t *testing.T) *shop {
	t.Helper()
	s := &shop{Stage: pagetest.New(t)}
	s.all = s.Secret("STRIPE_API_KEY", "global")
	s.payments = s.Secret("STRIPE_API_KEY", "web-shop/payments")
	s.infra = s.Secret("STRIPE_API_KEY", "infra")
	s.db = s.Secret("DB_URL", "web-shop")
	return s
}

func (s *shop) context(place string) vault.Context {
	s.T.Helper()
	at := s.Scope(place)
	return vault.Context{Workspace: at.Workspace, Group: at.Group}
}

func (s *shop) open(ask view.OpenWhy) {
	s.T.Helper()
	s.Show(why.New(s.Host, ask))
}

// asked is the last thing that the page asked the root for.
func asked[M any](s *shop) M {
	s.T.Helper()
	var none M
	if len(s.Asked) == 0 {
		s.T.Fatalf("nothing was asked for, but %T", none)
	}
	m, ok := s.Asked[len(s.Asked)-1].(M)
	if !ok {
		s.T.Fatalf("asked for %T instead of %T", s.Asked[len(s.Asked)-1], none)
	}
	return m
}

// Checklist 25, 26.
func TestWhyOfCapability(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	s.open(view.OpenWhy{Capability: "stripe/balance", Context: s.context("web-shop/payments")})
	s.Want("capability stripe/balance", "web-shop/payments, any consumer",
		"group web-shop/payments", "workspace web-shop", "nothing here", "global", "not for this context",
		"▸ ✓ used STRIPE_API_KEY credential stripe:group:web-shop:payments", "the narrowest: tier group",
		"credential stripe:group:web-shop:payments is narrower", "not STRIPE_API_KEY credential stripe:ws:infra",
		"Used: STRIPE_API_KEY (group web-shop/payments) by credential stripe:group:web-shop:payments, because it is the narrowest: tier group",
		"STRIPE_API_KEY, credential stripe:group:web-shop:payments, used, group web-shop/payments, row 1 of 3")
	if got, want := s.Line.String(), "aivault explain stripe/balance --workspace-id web-shop --group-id payments"; got != want {
		t.Errorf("command line %q, want %q", got, want)
	}
	s.Keys("enter")
	if m := asked[view.ShowSecret](s); m.ID != s.payments.ID {
		t.Errorf("goes to %v", m)
	}
	s.Keys("j", "enter")
	if m := asked[view.ShowSecret](s); m.ID != s.all.ID {
		t.Errorf("goes to %v", m)
	}
	s.Keys("t")
	if m := asked[view.OpenTest](s); m.Capability != "stripe/balance" || m.Context != s.context("web-shop/payments") {
		t.Errorf("tests %v", m)
	}
	s.Keys("i")
	if m := asked[view.ShowAudit](s); m.Query.Capability != "stripe/balance" {
		t.Errorf("shows %v", m)
	}
	s.NoFailure()
}

func TestWhyFollowsTheContext(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	s.open(view.OpenWhy{Capability: "stripe/balance", Context: s.context("web-shop/payments")})
	s.Keys("c")
	s.Want("workspace of the context, web-shop, field 1 of 3")
	for range "web-shop" {
		s.Keys("backspace")
	}
	// A group without its workspace is none: what was known stays.
	s.Want("is given without its workspace", "stripe:group:web-shop:payments")
	s.Type("inf")
	s.Want("infra")
	s.Keys("down", "tab", "tab")
	s.Want("group of the context, payments", "Used: STRIPE_API_KEY (workspace infra) by credential stripe:ws:infra")
	for range "payments" {
		s.Keys("backspace")
	}
	s.Keys("enter")
	s.Type("ci")
	s.Keys("enter")
	s.Want("workspace infra, consumer ci", "workspace infra", "Used: STRIPE_API_KEY (workspace infra)")
	s.WantNot("group infra/")
	if got, want := s.Line.String(), "aivault explain stripe/balance --workspace-id infra --consumer ci"; got != want {
		t.Errorf("command line %q, want %q", got, want)
	}
	s.Keys("c", "esc")
	if s.Top() == nil || s.Top().Captures() {
		t.Error("esc does not end the editing")
	}
	s.NoFailure()
}

func TestWhyOfBinding(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	_, err := s.Backend().Bind(t.Context(), broker.NewBinding{
		Capability: "stripe/balance", Secret: s.infra.ID, Scope: s.Scope("web-shop/payments"), Consumer: "bot",
	})
	if err != nil {
		t.Fatal(err)
	}
	ask := view.OpenWhy{Capability: "stripe/balance", Context: s.context("web-shop/payments")}
	s.open(ask)
	s.Want("binding group:web-shop:payments consumer:bot", "for consumer bot only")
	s.Keys("c", "tab", "tab")
	s.Type("bo")
	s.Keys("down", "enter", "enter")
	s.Attach(s.infra.ID, "web-shop/payments") // or the group cannot see it
	s.Run(s.Top().Load())
	s.Want("used STRIPE_API_KEY binding group:web-shop:payments consumer:bot",
		"Used: STRIPE_API_KEY (group web-shop/payments) by a binding, with the authentication of stripe:",
		"lends authentication and host to the binding")
	s.NoFailure()
}

func TestWhyNothing(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	s.open(view.OpenWhy{Capability: "github/issues", Context: s.context("web-shop")})
	s.NoFailure()
	s.Want("nothing here", "Nothing is used: no credential of github serves", "store GITHUB_TOKEN with `aivault secrets create`",
		"no credential or binding is there")
	s.Keys("enter", "j", "G")
	if n := len(s.Notes); n == 0 || !strings.Contains(s.Notes[n-1], "no secret here") {
		t.Errorf("enter says %q", s.Notes)
	}
}

// Checklist 25, 26.
func TestWhyOfSecret(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	s.open(view.OpenWhy{Secret: s.all.ID, Context: s.context("web-shop/payments")})
	s.Want("secret STRIPE_API_KEY, of global, id "+s.all.ID.String()[:8]+", pinned to stripe",
		"from here the name means another secret: that of web-shop/payments overrides this one",
		"CAPABILITY", "USES HERE", "stripe/balance", "stripe/billing", "Used: STRIPE_API_KEY (group web-shop/payments)",
		"stripe/balance, uses another here, row 1 of")
	s.Keys("c")
	for range "web-shop" {
		s.Keys("backspace")
	}
	s.Keys("tab")
	for range "payments" {
		s.Keys("backspace")
	}
	s.Keys("esc")
	s.Want("outside every workspace, any consumer", "from here the name means this secret", "✓ this one")
	s.WantNot("workspace web-shop")
	s.Keys("j", "enter")
	s.Want("STRIPE_API_KEY, credential stripe, used, global, row 1 of 3")
	if got, want := s.Line.String(), "aivault explain stripe/billing"; got != want {
		t.Errorf("command line %q, want %q", got, want)
	}
	s.Keys("esc")
	s.Want("stripe/billing, uses this one here, row 2 of")
	s.NoFailure()
}

func TestWhyOfSecretElsewhere(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	s.open(view.OpenWhy{Secret: s.infra.ID, Context: s.context("web-shop/payments")})
	s.Want("from here the name means another secret, that of web-shop/payments; this one cannot be reached")
	s.open(view.OpenWhy{Secret: s.payments.ID, Context: s.context("web-shop/payments")})
	s.Want("from here the name means this secret, which overrides that of global")
	s.open(view.OpenWhy{Secret: s.db.ID, Context: s.context("web-shop")})
	s.Want("no credential and no binding uses this secret yet", "aivault credential create", "from here the name means this secret")
	s.Keys("enter", "t", "i")
	if len(s.Notes) != 3 {
		t.Errorf("notes: %q", s.Notes)
	}
	s.open(view.OpenWhy{Secret: s.db.ID, Context: s.context("infra")})
	s.Want("this secret cannot be reached from here")
	s.NoFailure()
}

func TestWhyAsksForCapability(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	s.open(view.OpenWhy{Context: s.context("web-shop/payments")})
	s.Want("Explain which capability?", "ready", "no credential")
	s.Keys("esc")
	s.Want("no capability is chosen yet; enter chooses one")
	s.Run(s.Top().Load()) // does not ask again
	s.Keys("enter")
	s.Type("stripe/bill")
	s.Keys("enter")
	s.Want("capability stripe/billing", "Used: STRIPE_API_KEY (group web-shop/payments)")
	s.Keys("p")
	s.Type("openai/models")
	s.Keys("enter")
	s.Want("capability openai/models", "Nothing is used")
	s.NoFailure()
}

// What is selected stays so when it is read again.
//
// Checklist 37.
func TestWhyKeepsTheRung(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	s.open(view.OpenWhy{Capability: "stripe/balance", Context: s.context("web-shop/payments")})
	s.Keys("j")
	s.Want("STRIPE_API_KEY, credential stripe, not used, global, row 2 of 3")
	s.Secret("STRIPE_API_KEY", "web-shop")
	s.Run(s.Top().Load())
	s.Want("STRIPE_API_KEY, credential stripe, not used, global, row 3 of 4")
}

// Checklist 12, 13.
func TestWhySizes(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	for _, ask := range []view.OpenWhy{
		{Capability: "stripe/balance", Context: s.context("web-shop/payments")},
		{Secret: s.all.ID, Context: s.context("web-shop")},
		{Capability: "github/issues"},
	} {
		s.open(ask)
		for _, size := range [][2]int{{120, 36}, {80, 20}, {59, 12}, {40, 8}, {200, 46}, {40, 2}, {20, 1}} {
			s.W, s.H = size[0], size[1]
			s.Keys("j", "G", "g", "tab", "+", "j", "+", "c", "tab", "x", "backspace", "esc", "k")
		}
		s.W, s.H = 40, 8
		s.View()
	}
	s.NoFailure()
}

func TestWhyShaken(t *testing.T) {
	t.Parallel()
	for seed := range uint64(3) {
		s := newShop(t)
		s.open([]view.OpenWhy{
			{Capability: "stripe/balance", Context: s.context("web-shop/payments")}, {Secret: s.all.ID}, {},
		}[seed])
		s.Shake(seed, 300, "j", "k", "tab", "c", "w", "é", "esc", "G", "g", "+", "down", "enter", "p", "backspace", "t", "pgdown")
		s.NoFailure()
	}
}

// Checklist 29.
func TestWhyByMouse(t *testing.T) {
	t.Parallel()
	for _, size := range [][2]int{{120, 36}, {80, 20}} {
		s := newShop(t)
		s.W, s.H = size[0], size[1]
		s.open(view.OpenWhy{Secret: s.all.ID, Context: s.context("web-shop/payments")})
		s.Click("stripe/charges")
		s.Want("stripe/charges, uses another here, row 4 of 16")
		s.Wheel("group web-shop/payments", true) // to the next rung, of a pane without the focus
		s.Click("nothing here")
		s.Want("STRIPE_API_KEY, credential stripe, not used, global, row 2 of 3")
	}
}

package bind_test

import (
	"strings"
	"testing"

	tea "github.com/charmbracelet/bubbletea"

	"aivault/broker"
	"aivault/ui/tui/page/bind"
	"aivault/ui/tui/page/pagetest"
	"aivault/ui/tui/view"
	"aivault/vault"
)

// A shop is a stage with two keys of Stripe, and a token that nobody claims.
type shop struct {
	*pagetest.Stage
	all, infra, token vault.Secret
}

func newShop(t *testing.T) *shop {
	t.Helper()
	s := &shop{Stage: pagetest.New(t)}
	s.all = s.Secret("STRIPE_API_KEY", "global")
	s.infra = s.Secret("STRIPE_API_KEY", "infra")
	s.token = s.Secret("RISK_TOKEN", "web-shop")
	return s
}

func (s *shop) open(ask view.OpenBind) {
	s.T.Helper()
	s.Show(bind.New(s.Host, ask))
}

// bindings are the operator's of a capability, a line for each.
func (s *shop) bindings(capability string) string {
	s.T.Helper()
	list, err := s.Backend().Bindings(s.T.Context(), capability)
	if err != nil {
		s.T.Fatal(err)
	}
	var out []string
	for _, b := range list {
		if !b.Auto {
			out = append(out, b.Secret.String()[:8]+" "+b.Scope.String()+" "+b.Consumer)
		}
	}
	return strings.Join(out, "\n")
}

// erase empties the field with the focus.
func (s *shop) erase() { s.Keys("ctrl+u") }

// Checklist 51, 55.
func TestBind(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	scope := s.Scope("infra")
	s.open(view.OpenBind{Capability: "stripe/balance", Scope: &scope})
	s.Want("Bind a secret to a capability", "Capability stripe/balance", "Scope workspace infra", "Secret, empty, field 2 of 4")
	s.Type("stripe")
	s.Want("STRIPE_API_KEY, global", "STRIPE_API_KEY, workspace infra")
	s.Keys("down", "enter")
	s.Want("in workspace infra, stripe/balance will use STRIPE_API_KEY (global) instead of STRIPE_API_KEY (own)")
	s.Keys("ctrl+s")
	s.NoFailure()
	if s.Top() != nil || len(s.Done) != 1 {
		t.Fatalf("not closed, or done %d times", len(s.Done))
	}
	if got, want := s.Done[0].Text, "bound STRIPE_API_KEY to stripe/balance in workspace infra"; got != want {
		t.Errorf("done %q, want %q", got, want)
	}
	if got, want := s.bindings("stripe/balance"), s.all.ID.String()[:8]+" workspace:infra "; got != want {
		t.Errorf("bindings %q, want %q", got, want)
	}
	if _, err := s.Done[0].Undo.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := s.bindings("stripe/balance"); got != "" {
		t.Errorf("after undo: %q", got)
	}
}

// Checklist 56.
func TestBindRefusesInPlace(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	s.open(view.OpenBind{})
	s.Keys("ctrl+s")
	s.Want("no capability is given", "no secret is given", "Capability, empty, wrong: no capability is given")
	s.Type("stripe/nothing")
	s.Keys("ctrl+s")
	s.Want(`there is no capability "stripe/nothing"`)
	s.erase()
	s.Type("openai/models")
	s.Keys("tab")
	s.Type("STRIPE_API_KEY")
	s.Keys("ctrl+s")
	s.Want("several secrets have that name: of global; workspace infra")
	s.Type(", global")
	s.Want("secret STRIPE_API_KEY is pinned to stripe")
	s.Keys("ctrl+s")
	s.Want("Secret, STRIPE_API_KEY, global, wrong: secret STRIPE_API_KEY is pinned to stripe", "openai/models")
	s.Keys("tab")
	s.erase()
	s.Type("web-shop/")
	s.Keys("tab")
	s.Type("a b")
	s.Keys("ctrl+s")
	s.Want(`"web-shop/" is half a group`, `consumer id "a b" holds ' '`)
	if !s.Top().(view.Dirty).Dirty() {
		t.Error("it is not dirty")
	}
	s.NoFailure()
	if len(s.Done) != 0 {
		t.Error("something was bound")
	}
}

func TestBindReplaces(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	if _, err := s.Backend().Bind(t.Context(), broker.NewBinding{Capability: "stripe/balance", Secret: s.infra.ID, Scope: s.Scope("infra")}); err != nil {
		t.Fatal(err)
	}
	scope := s.Scope("infra")
	s.open(view.OpenBind{Capability: "stripe/balance", Secret: s.all.ID, Scope: &scope})
	s.Want("Secret STRIPE_API_KEY, global", "it takes the place of the binding of STRIPE_API_KEY (workspace infra)")
	if s.Top().(view.Dirty).Dirty() {
		t.Error("what was filled in makes it dirty")
	}
	s.open(view.OpenBind{Capability: "stripe/balance", Secret: s.infra.ID, Scope: &scope})
	s.Want("it is bound so already", "nothing that calls use changes")
	s.NoFailure()
}

// The value is asked for where the vault wants it, and nothing shows of it.
//
// Checklist 40, 45, 56.
func TestBindWithProof(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	openai := broker.NewBinding{Capability: "openai/models", Secret: s.token.ID, Scope: s.Scope("web-shop")}
	if _, err := s.Backend().Bind(t.Context(), openai); err != nil {
		t.Fatal(err)
	}
	scope := s.Scope("web-shop")
	s.open(view.OpenBind{Capability: "stripe/balance", Secret: s.token.ID, Scope: &scope})
	s.WantNot("Its value")
	s.Keys("ctrl+s")
	s.Want("Its value", "secret RISK_TOKEN was not meant for api.stripe.com so far", "give its value here")
	s.WantNot("--value-stdin")
	s.Type("something else")
	s.Keys("ctrl+s")
	s.Want("that is not its value")
	s.Keys("ctrl+u")
	s.paste(pagetest.Canary)
	s.Want("masked")
	s.Keys("ctrl+s")
	s.NoFailure()
	if s.Top() != nil || len(s.Done) != 1 {
		t.Fatal("it was not bound")
	}
	if got, want := s.bindings("stripe/balance"), s.token.ID.String()[:8]+" workspace:web-shop "; got != want {
		t.Errorf("bindings %q, want %q", got, want)
	}
	if line := s.Done[0].Lines[0].String(); strings.Contains(line, pagetest.Canary) {
		t.Errorf("the value is in %s", line)
	}
}

func (s *shop) paste(text string) {
	s.T.Helper()
	s.Run(s.Top().Key(tea.KeyMsg{Type: tea.KeyRunes, Runes: []rune(text), Paste: true}))
}

// Checklist 51, 52, 54, 55.
func TestUnbind(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	scope := s.Scope("infra")
	for _, n := range []broker.NewBinding{
		{Capability: "stripe/balance", Secret: s.all.ID, Scope: scope},
		{Capability: "stripe/balance", Secret: s.infra.ID, Scope: scope, Consumer: "bot"},
		{Capability: "stripe/charges", Secret: s.infra.ID, Scope: scope},
	} {
		if _, err := s.Backend().Bind(t.Context(), n); err != nil {
			t.Fatal(err)
		}
	}
	s.Show(bind.NewUnbind(s.Host, "stripe/balance"))
	s.Want("Take which binding of stripe/balance back?", "STRIPE_API_KEY (global)", "workspace infra, consumer bot", "2 of 2 choices")
	s.Keys("enter")
	s.Want("Take the binding of STRIPE_API_KEY (global) to stripe/balance back?", "It counts in: workspace infra.",
		"in workspace infra, stripe/balance will use STRIPE_API_KEY (own) instead of STRIPE_API_KEY (global)", "z binds it again",
		"button Cancel")
	s.Keys("enter")
	if len(s.Done) != 0 {
		t.Fatal("enter alone takes it back")
	}
	s.Show(bind.NewUnbind(s.Host, "stripe/balance"))
	s.Keys("enter", "right", "enter")
	s.NoFailure()
	if len(s.Done) != 1 || s.Done[0].Text != "unbound STRIPE_API_KEY from stripe/balance in workspace infra" {
		t.Fatalf("done: %v", s.Done)
	}
	if got, want := s.bindings("stripe/balance"), s.infra.ID.String()[:8]+" workspace:infra bot"; got != want {
		t.Errorf("bindings %q, want %q", got, want)
	}
	if _, err := s.Done[0].Undo.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := s.bindings("stripe/balance"); strings.Count(got, "\n") != 1 {
		t.Errorf("after undo: %q", got)
	}
	s.Show(bind.NewUnbind(s.Host, ""))
	s.Want("Take which binding back?", "stripe/charges", "3 of 3 choices")
	s.Show(bind.NewUnbind(s.Host, "openai/models"))
	s.Want("there is no binding of openai/models to take back")
	s.Keys("enter")
	s.NoFailure()
}

// Checklist 12, 13.
func TestBindSizes(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	s.open(view.OpenBind{Capability: "stripe/balance", Secret: s.all.ID})
	for _, size := range [][2]int{{120, 40}, {80, 24}, {40, 12}} {
		s.W, s.H = size[0], size[1]
		s.Keys("tab", "x", "down", "up", "shift+tab", "enter", "pgdown")
	}
	s.NoFailure()
}

func TestBindShaken(t *testing.T) {
	t.Parallel()
	for seed := range uint64(3) {
		s := newShop(t)
		s.open(view.OpenBind{Capability: "stripe/balance"})
		s.Shake(seed, 200, "s", "t", "é", "tab", "shift+tab", "down", "up", "enter", "ctrl+s", "backspace", "ctrl+u", ",", " ", "pgdown")
		s.NoFailure()
	}
}

package credential_test

import (
	"context"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"aivault/broker"
	"aivault/keys/fault"
	"aivault/ui/app"
	"aivault/ui/tui/action"
	"aivault/ui/tui/page/credential"
	"aivault/ui/tui/page/pagetest"
	"aivault/ui/tui/text"
	"aivault/ui/tui/view"
	"aivault/vault"
)

// A world is a stage with a hand-made credential, one that the registry makes,
// one that is disabled, and one that waits.
func world(t *testing.T) *pagetest.Stage {
	t.Helper()
	s := pagetest.New(t)
	s.Secret("OPENAI_API_KEY", "global")
	s.Secret("OPENAI_API_KEY", "web-shop/payments")
	s.Secret("TRELLO_API_KEY", "web-shop")
	n := broker.NewCapability{ID: "acme/items", Hosts: []string{"api.acme.example"}, Methods: []string{"GET"}, Paths: []string{"/v1/items"}}
	if _, err := s.Backend().CreateCapability(t.Context(), n); err != nil {
		t.Fatal(err)
	}
	auth, err := broker.ParseAuth("header", broker.AuthFlags{HeaderName: "x-acme-key", ValueTemplate: "{{secret}}"})
	if err != nil {
		t.Fatal(err)
	}
	sec := s.Secret("ACME_TOKEN", "web-shop")
	c := broker.NewCredential{ID: "acme-main", Provider: "acme", Secret: sec.ID, Scope: vault.GlobalScope(), Auth: &auth, Hosts: []string{"api.acme.example"}}
	if _, err := s.Backend().CreateCredential(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Backend().DeleteCredential(t.Context(), "openai:group:web-shop:payments"); err != nil {
		t.Fatal(err)
	}
	return s
}

// show opens the page with one credential selected.
func show(s *pagetest.Stage, id string) view.Screen {
	s.T.Helper()
	p := credential.New(s.Host)
	s.Show(p)
	s.Run(p.(view.Shower).Show(view.ShowCredential{ID: id}))
	return p
}

// account returns a credential; the zero one if there is none.
func account(s *pagetest.Stage, id string) broker.Account {
	s.T.Helper()
	list, err := s.Backend().Accounts(s.T.Context())
	if err != nil {
		s.T.Fatal(err)
	}
	for _, a := range list {
		if a.ID == id {
			return a
		}
	}
	return broker.Account{}
}

// Checklist 25, 26.
func TestPage(t *testing.T) {
	t.Parallel()
	s := world(t)
	s.W = 200
	p := show(s, "acme-main")
	s.Want(
		"2 credentials, 2 not in use", "by hand", "registry", "disabled", "waits", "multi-query", "web-shop/payments",
		"✓ in use", "by hand, 2", "Scope global", "Secret ACME_TOKEN", "Kind header", "x-acme-key: {{secret}}", "api.acme.example", "Carries 1 capability", "acme/items",
		"acme-main, header, of acme, with ACME_TOKEN, made by hand, row 1 of 4",
	)
	s.Run(p.(view.Shower).Show(view.ShowCredential{ID: "openai:group:web-shop:payments"}))
	s.Want("! disabled: somebody deleted it; e brings it back", "Would carry 22 capabilities", "of openai, with OPENAI_API_KEY, disabled, row 3 of 4")
	s.Run(p.(view.Shower).Show(view.ShowCredential{ID: "trello:ws:web-shop"}))
	s.Want("waits for TRELLO_TOKEN in the same scope", "waits for TRELLO_TOKEN, row 4 of 4")
	s.Run(p.(view.Shower).Show(view.ShowCredential{ID: "openai"}))
	s.Want("by the registry", "Carries 22 capabilities", "openai/chat-completions")
}

// Checklist 33, 37.
func TestFilter(t *testing.T) {
	t.Parallel()
	s := world(t)
	p := show(s, "openai")
	for query, want := range map[string]string{
		"hand": "acme-main", "disabled": "openai:group", "provider:trello": "trello:ws", "ws:web group:pay": "openai:group", "acme_token": "acme-main", "registry !disabled trello": "trello:ws",
	} {
		s.Keys("/")
		s.Type(query)
		s.Want("1 of 4", want)
		s.Keys("enter", "esc")
		s.Run(p.(view.Shower).Show(view.ShowCredential{ID: "openai"}))
	}
	s.Keys("/")
	s.Type("private")
	s.Want("0 of 4", "No credential matches the filter.", "esc clears it.")
	s.Keys("ctrl+u")
	s.Type("openai")
	s.Keys("enter")
	s.Secret("ANTHROPIC_API_KEY", "global")
	s.Run(p.Load())
	if !strings.HasPrefix(p.Say(), "openai, ") {
		t.Errorf("the selection went to %q", p.Say())
	}
	s.Keys("esc")
	if !strings.HasPrefix(p.Say(), "openai, ") {
		t.Errorf("the selection went to %q", p.Say())
	}
}

func TestEmpty(t *testing.T) {
	t.Parallel()
	s := pagetest.New(t)
	s.Show(credential.New(s.Host))
	s.Want("No credentials yet.", "such as OPENAI_API_KEY", "n makes one", "aivault credential create", "No credential is selected.", "credentials, no rows")
	s.Keys("D", "t")
	if diff := cmp.Diff(s.Notes, []string{"select a credential first", "select a credential first"}); diff != "" {
		t.Errorf("(-got +want):\n%s", diff)
	}
}

// What other screens do is asked for with what is under the cursor; what cannot
// be done says why.
func TestAsks(t *testing.T) {
	t.Parallel()
	s := world(t)
	p := show(s, "acme-main")
	id := account(s, "acme-main").Secret
	s.Keys("t", "w", "c", "i", "n", "e")
	want := []any{
		view.OpenTest{Secret: id, Credential: "acme-main"},
		view.OpenWhy{Secret: id},
		view.OpenCapability{Credential: "acme-main"},
		view.ShowAudit{Query: vault.AuditQuery{Secret: id}},
		view.OpenCredential{},
	}
	got := make([]any, len(s.Asked))
	for i, m := range s.Asked {
		got[i] = m
	}
	if diff := cmp.Diff(got, want); diff != "" {
		t.Errorf("(-got +want):\n%s", diff)
	}
	s.Run(p.(view.Shower).Show(view.ShowCredential{ID: "openai:group:web-shop:payments"}))
	s.Keys("t", "D")
	s.Run(p.(view.Shower).Show(view.ShowCredential{ID: "trello:ws:web-shop"}))
	s.Keys("t", "D")
	wantNotes := []string{
		"only a disabled credential can be brought back",
		"openai:group:web-shop:payments is disabled; e brings it back", "openai:group:web-shop:payments is disabled already",
		"trello:ws:web-shop waits for a secret", "trello:ws:web-shop is not made yet: it waits for a secret",
	}
	if diff := cmp.Diff(s.Notes, wantNotes); diff != "" {
		t.Errorf("(-got +want):\n%s", diff)
	}
}

// Checklist 54. What stops is told, and the name is typed.
func TestDelete(t *testing.T) {
	t.Parallel()
	s := world(t)
	show(s, "acme-main")
	s.Keys("D")
	s.Want(
		"Delete the credential acme-main?", "This cannot be undone. Its secret stays",
		"in workspace web-shop, acme/items will stop working: no credential", "scopes within that use it fare the same", "type: acme-main", "[Cancel]",
	)
	s.Keys("enter", "enter")
	if account(s, "acme-main").ID == "" {
		t.Fatal("enter deleted it")
	}
	s.Type("acme-main")
	s.Keys("enter", "enter")
	s.NoFailure()
	if account(s, "acme-main").ID != "" || len(s.Done) != 1 || s.Done[0].Text != "deleted credential acme-main" {
		t.Errorf("%+v", s.Done)
	}
	s.WantNot("acme-main")
}

// Checklist 51, 54. One that the registry makes is disabled, and brought back.
func TestDisable(t *testing.T) {
	t.Parallel()
	s := world(t)
	show(s, "openai")
	s.Keys("D")
	s.Want("Disable the credential openai?", "stays away until you bring it back", "in the global scope, openai/* (22) will stop working")
	s.Type("openai")
	s.Keys("enter", "enter")
	s.NoFailure()
	if !account(s, "openai").Disabled {
		t.Fatal("it is not disabled")
	}
	s.Want("! disabled", "openai, header, of openai, with OPENAI_API_KEY, disabled")
	s.Keys("e")
	s.NoFailure()
	if account(s, "openai").Disabled || len(s.Done) != 2 || s.Done[1].Lines[0].String() != "aivault credential create openai" {
		t.Errorf("%+v", s.Done)
	}
}

// A credential that nothing uses needs no name to be typed, and enter deletes
// nothing all the same.
func TestDeleteUnused(t *testing.T) {
	t.Parallel()
	s := world(t)
	auth, err := broker.ParseAuth("query", broker.AuthFlags{})
	if err != nil {
		t.Fatal(err)
	}
	sec := s.Secret("SPARE", "global")
	n := broker.NewCredential{ID: "spare", Provider: "spare", Secret: sec.ID, Scope: vault.GlobalScope(), Auth: &auth, Hosts: []string{"api.spare.example"}}
	if _, err := s.Backend().CreateCredential(t.Context(), n); err != nil {
		t.Fatal(err)
	}
	show(s, "spare")
	s.Keys("D")
	s.Want("nothing that calls use changes")
	s.Keys("enter")
	if account(s, "spare").ID == "" {
		t.Fatal("enter deleted it")
	}
	s.Keys("D", "right", "enter")
	if account(s, "spare").ID != "" {
		t.Error("it is still there")
	}
}

// Checklist 12.
func TestFooterFits(t *testing.T) {
	t.Parallel()
	s := world(t)
	p := show(s, "acme-main")
	n, words := 0, 0
	for _, b := range p.Actions() {
		if b.Off == "" && !b.Hidden && words < 6 {
			words++
			n += text.Width(action.KeyName(b.Spec().Keys[0])) + 1 + text.Width(b.Spec().Short) + 2
		}
	}
	if n > 80 || words < 6 {
		t.Errorf("%d keys in %d cells", words, n)
	}
}

// Whatever is pressed at whatever size, a frame is a frame.
//
// Checklist 12, 13, 14, 15.
func TestSizes(t *testing.T) {
	t.Parallel()
	s := world(t)
	show(s, "openai")
	rng := rand.New(rand.NewPCG(3, 4))
	keys := []string{"j", "k", "g", "G", "tab", "shift+tab", "+", "enter", "esc", "ctrl+d", "/", "x", "D", "down", "right", "up"}
	sizes := [][2]int{{120, 36}, {80, 20}, {40, 8}, {60, 10}, {99, 30}, {200, 50}, {40, 12}}
	for i := range 200 {
		size := sizes[rng.IntN(len(sizes))]
		s.W, s.H = size[0], size[1]
		if i%50 == 49 {
			s.Show(credential.NewForm(s.Host, view.OpenCredential{}))
		}
		s.Keys(keys[rng.IntN(len(keys))])
	}
	s.NoFailure()
	if len(s.Done) > 0 {
		t.Errorf("keys without a name did %+v", s.Done)
	}
}

// A deaf backend answers nothing but errors.
type deaf struct{ app.Backend }

func (deaf) Accounts(context.Context) ([]broker.Account, error) {
	return nil, fault.New(fault.VaultBusy, "another aivault holds the vault")
}

func TestFailure(t *testing.T) {
	t.Parallel()
	s := world(t)
	real := s.Host.Backend
	s.Host.Backend = deaf{real}
	s.Show(credential.New(s.Host))
	s.Want("The credentials could not be read.", "R reads them again")
	if len(s.Failed) != 1 || s.Failed[0].What != "reading the credentials" {
		t.Fatalf("%+v", s.Failed)
	}
	s.Host.Backend = real
	s.Run(s.Failed[0].Retry())
	s.Want("acme-main")
}

// blind is a backend that cannot tell what changes, until it can.
type blind struct {
	app.Backend
	err error
}

func (b *blind) Effects(ctx context.Context, c broker.Change) ([]broker.Effect, error) {
	if b.err != nil {
		return nil, b.err
	}
	return b.Backend.Effects(ctx, c)
}

// What is tried again is about the same credential, wherever the cursor is by
// then.
func TestDeleteTriedAgain(t *testing.T) {
	t.Parallel()
	s := world(t)
	b := &blind{s.Host.Backend, fault.New(fault.VaultBusy, "another aivault has it")}
	s.Host.Backend = b
	p := show(s, "acme-main")
	s.Keys("D")
	if len(s.Failed) != 1 || s.Failed[0].Retry == nil {
		t.Fatalf("failed: %v", s.Failed)
	}
	b.err = nil
	s.Run(p.(view.Shower).Show(view.ShowCredential{ID: "openai:global"}))
	s.Run(s.Failed[0].Retry())
	s.Want("Delete the credential acme-main?")
}

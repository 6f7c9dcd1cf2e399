package capability_test

import (
	"strings"
	"testing"

	"aivault/broker"
	"aivault/keys/opaque"
	"aivault/ui/tui/page/capability"
	"aivault/ui/tui/page/pagetest"
	"aivault/ui/tui/view"
	"aivault/vault"
)

// Checklist 51, 55. Limits are filled in, set, told, and taken back.
func TestPolicy(t *testing.T) {
	t.Parallel()
	s := world(t)
	show(t, s, "openai/models")
	s.Keys("p")
	s.Want("Limits of openai/models", "30", "1048576", `email "home address"`, "30 calls in any 60 s")
	s.Keys("ctrl+u")
	s.Type("5")
	s.Keys("tab")
	s.Type("64 KB")
	s.Want("5 calls in any 60 s", "a request of at most 65,536 bytes")
	s.Keys("ctrl+s")
	s.NoFailure()
	if got := limits(t, s, "openai/models"); got != "rate 5, request 65536, response 1048576, block 2 (email,home address)" {
		t.Errorf("set %s", got)
	}
	if len(s.Done) != 1 || s.Done[0].Undo == nil || !strings.HasPrefix(s.Done[0].Text, "set the limits of openai/models: 5 calls in any 60 s; ") {
		t.Fatalf("%+v", s.Done)
	}
	if len(s.Screens) != 1 {
		t.Fatal("the form is still open")
	}
	s.Want("5/min +2")
	if _, err := s.Done[0].Undo.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := limits(t, s, "openai/models"); got != "rate 30, response 1048576, block 2 (email,home address)" {
		t.Errorf("taken back %s", got)
	}
}

// Checklist 56. What is wrong is told below its field, and nothing is lost.
func TestPolicyIsChecked(t *testing.T) {
	t.Parallel()
	s := world(t)
	show(t, s, "acme/items")
	s.Keys("p")
	for _, bad := range []string{"-1", "many", "1.5", "99999999999999999999", "+3", "0x10"} {
		s.Keys("ctrl+u")
		s.Type(bad)
		s.Keys("ctrl+s")
		s.Want("this is no number", bad)
	}
	s.Keys("ctrl+u")
	s.Type("0")
	s.Want("no calls")
	s.Keys("tab")
	for _, bad := range []string{"-1", "big", "KB", "9999999 TB", "9223372036854775807"} {
		s.Keys("ctrl+u")
		s.Type(bad)
		s.Keys("ctrl+s")
		s.Want(bad)
		if len(s.Done) > 0 {
			t.Fatalf("%q was taken: %+v", bad, s.Done)
		}
	}
	s.Keys("esc")
	s.Want("Throw away what you typed?")
	s.Keys("esc", "ctrl+u")
	s.Type("2mib")
	s.Keys("ctrl+s")
	if got := limits(t, s, "acme/items"); got != "rate 0, request 2097152" {
		t.Errorf("set %s", got)
	}
}

// Checklist 57.
func TestPolicyIsSetOnce(t *testing.T) {
	t.Parallel()
	s := world(t)
	show(t, s, "acme/items")
	s.Keys("p")
	s.Type("7")
	save := find(t, s, "ctrl+s")
	first, second := save.Run(), save.Run()
	if second != nil {
		t.Error("a second save did something")
	}
	s.Run(first)
	if p, err := s.Backend().Policy(t.Context(), "acme/items"); err != nil || p.Revision != 1 || len(s.Done) != 1 {
		t.Errorf("%+v, %v; %d done", p, err, len(s.Done))
	}
}

// Checklist 58. Somebody changed the limits meanwhile: also where there were none.
func TestPolicyConflict(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		id    string
		keys  []string // in the dialog
		want  string
		still bool // the form is open
	}{
		"cancel":            {"openai/models", []string{"enter"}, "rate 99", true},
		"reload":            {"openai/models", []string{"right", "enter"}, "rate 99", true},
		"overwrite":         {"openai/models", []string{"right", "right", "enter"}, "rate 7, response 1048576, block 2 (email,home address)", false},
		"where was none":    {"acme/items", []string{"enter"}, "rate 99", true},
		"overwrite the new": {"acme/items", []string{"right", "right", "enter"}, "rate 7", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := world(t)
			show(t, s, tt.id)
			s.Keys("p", "ctrl+u")
			s.Type("7")
			limit(t, s, vault.Policy{Capability: tt.id, Rate: new(int64(99))})
			s.Keys("ctrl+s")
			s.Want("Changed meanwhile", "They are now: 99 calls in any 60 s")
			s.Keys(tt.keys...)
			if got := limits(t, s, tt.id); got != tt.want {
				t.Errorf("the limits are %s", got)
			}
			if open := len(s.Screens) > 1; open != tt.still {
				t.Errorf("the form is open: %v", open)
			}
			switch name {
			case "cancel":
				s.Want("7")
			case "reload":
				s.Want("99 calls in any")
				s.WantNot("email")
			}
		})
	}
}

func acme(t *testing.T, s *pagetest.Stage) {
	t.Helper()
	sec := s.Secret("ACME_TOKEN", "web-shop")
	auth, err := broker.ParseAuth("header", broker.AuthFlags{})
	if err != nil {
		t.Fatal(err)
	}
	n := broker.NewCredential{ID: "acme-main", Provider: "acme", Secret: sec.ID, Scope: vault.GlobalScope(), Auth: &auth, Hosts: []string{"api.acme.example"}}
	if _, err := s.Backend().CreateCredential(t.Context(), n); err != nil {
		t.Fatal(err)
	}
}

// bind stores a secret and binds it to a capability, in one scope.
func bind(t *testing.T, s *pagetest.Stage, id, place string) {
	t.Helper()
	sec := s.Secret("OTHER", place)
	b := broker.NewBinding{Capability: id, Secret: sec.ID, Scope: s.Scope(place), Proof: opaque.New([]byte(pagetest.Canary))}
	if _, err := s.Backend().Bind(t.Context(), b); err != nil {
		t.Fatal(err)
	}
}

// Checklist 51, 56.
func TestCreate(t *testing.T) {
	t.Parallel()
	s := world(t)
	acme(t, s)
	s.Show(capability.NewForm(s.Host, view.OpenCapability{Credential: "acme-main"}))
	s.Want("acme/", "that of the credential: api.acme.example")
	s.WantNot("Provider")
	s.Type("orders")
	s.Keys("ctrl+s")
	s.Want("one path at least")
	s.Type("v1")
	s.Keys("ctrl+s")
	if len(s.Done) > 0 {
		t.Fatalf("a path without a slash was taken: %+v", s.Done)
	}
	s.Keys("ctrl+u")
	s.Type("/v1/orders /v2/orders")
	s.Want("✓ allows GET of https://api.acme.example/v1/orders, /v2/orders", "ready at once")
	s.Keys("ctrl+s")
	s.NoFailure()
	if len(s.Done) != 1 || s.Done[0].Text != "made capability acme/orders at api.acme.example" {
		t.Fatalf("%+v", s.Done)
	}
	line := "aivault capability create acme/orders --credential acme-main --method GET --path /v1/orders --path /v2/orders"
	if got := s.Done[0].Lines[0].String(); got != line {
		t.Errorf("got  %s\nwant %s", got, line)
	}
	if len(s.Screens) != 0 || len(s.Asked) != 1 || s.Asked[0] != (view.ShowCapability{ID: "acme/orders"}) {
		t.Errorf("%d screens, asked %+v", len(s.Screens), s.Asked)
	}
}

// Checklist 56. A failure is told at the field, and the form keeps what was typed.
func TestCreateFails(t *testing.T) {
	t.Parallel()
	s := world(t)
	s.Show(capability.NewForm(s.Host, view.OpenCapability{}))
	s.Type("acme/items")
	s.Keys("tab", "tab", "tab")
	s.Type("api.acme.example")
	s.Keys("tab")
	s.Type(" post")
	s.Keys("tab")
	s.Type("/v1")
	s.Want("! there is a capability acme/items already")
	s.Keys("ctrl+s")
	s.Want("✗ there is a capability acme/items already", "api.acme.example", "/v1")
	s.Keys("ctrl+u")
	s.Type("acme/v1")
	s.Want("✓ allows GET, POST of https://api.acme.example/v1", "not ready: no credential of acme")
	s.Keys("ctrl+s")
	if len(s.Done) != 1 {
		t.Fatalf("%+v", s.Done)
	}
}

// Checklist 54.
func TestDelete(t *testing.T) {
	t.Parallel()
	s := world(t)
	acme(t, s)
	exists := func() bool {
		_, err := s.Backend().Describe(t.Context(), "acme/items")
		return err == nil
	}
	show(t, s, "acme/items")
	s.Keys("D")
	s.Want("Delete the capability acme/items?", "This cannot be undone", "is told that there is no such capability", "[Cancel]")
	s.Keys("enter")
	if len(s.Screens) != 1 || !exists() {
		t.Fatal("enter deleted it")
	}
	limit(t, s, vault.Policy{Capability: "acme/items", Rate: new(int64(3))})
	bind(t, s, "acme/items", "web-shop")
	s.Run(s.Top().Load())
	s.Keys("D")
	s.Want("Its limits go too: 3 calls in any", "1 binding of it goes too: workspace web-shop", "acme/items")
	s.Keys("enter", "enter")
	if !exists() {
		t.Fatal("it was deleted without its name")
	}
	s.Type("acme/items")
	s.Keys("enter", "enter")
	s.NoFailure()
	if exists() || len(s.Done) != 1 || s.Done[0].Text != "deleted capability acme/items, with its limits" || s.Done[0].Undo != nil {
		t.Errorf("exists %v, %+v", exists(), s.Done)
	}
}

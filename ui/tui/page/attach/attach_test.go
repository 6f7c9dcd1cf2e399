package attach_test

import (
	"strings"
	"testing"

	"aivault/ui/tui/page/attach"
	"aivault/ui/tui/page/pagetest"
	"aivault/ui/tui/view"
	"aivault/vault"
)

// shop is a stage with a shop: a key of everybody's, one of the group research,
// and one of another workspace that payments can be given.
type shop struct {
	*pagetest.Stage
	all, research, infra, risk vault.Secret
}

func newShop(t *testing.T) *shop {
	t.Helper()
	s := &shop{Stage: pagetest.New(t)}
	s.all = s.Secret("STRIPE_API_KEY", "global")
	s.research = s.Secret("DB_URL", "web-shop/research")
	s.infra = s.Secret("STRIPE_API_KEY", "infra")
	s.risk = s.Secret("RISK_TOKEN", "web-shop")
	s.Attach(s.risk.ID, "web-shop/payments")
	return s
}

func (s *shop) open(ids ...vault.ID) {
	s.T.Helper()
	s.Show(attach.New(s.Host, view.OpenAttach{Secrets: ids}))
}

func (s *shop) openGroup(place string) {
	s.T.Helper()
	s.Show(attach.New(s.Host, view.OpenAttach{Group: s.Scope(place).GroupRef()}))
}

// Checklist 51, 52.
func TestAttachToGroups(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	s.open(s.infra.ID)
	s.Want("Attach STRIPE_API_KEY", "2 groups", "web-shop/payments", "web-shop/research", "1 own", "1 attached", "nothing is changed yet")
	s.Keys("space")
	s.Want("[x]+ web-shop/payments", "will be attached", "+ attach STRIPE_API_KEY to web-shop/payments",
		"in web-shop/payments, stripe/*", "will use STRIPE_API_KEY (attached) instead of STRIPE_API_KEY (global)", "1 change to apply")
	s.Keys("space")
	s.Want("nothing is changed yet")
	s.Keys("space", "enter")
	s.NoFailure()
	if s.Top() != nil || len(s.Done) != 1 {
		t.Fatalf("not closed, or done %d times", len(s.Done))
	}
	if got, want := s.Done[0].Text, "attached STRIPE_API_KEY to web-shop/payments"; got != want {
		t.Errorf("done: %q, want %q", got, want)
	}
	if got := s.Groups(s.infra.ID); got != "web-shop/payments" {
		t.Errorf("attached to %q", got)
	}
	if line := s.Done[0].Lines[0].String(); !strings.HasPrefix(line, "aivault secrets attach-group --id ") {
		t.Errorf("command line %q", line)
	}
}

// Checklist 51, 52, 55.
func TestDetachSaysWhatStops(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	s.Attach(s.infra.ID, "web-shop/payments")
	if _, err := s.Backend().DeleteSecret(t.Context(), s.all.ID, 0); err != nil {
		t.Fatal(err)
	}
	s.open(s.infra.ID)
	s.Keys("space")
	s.Want("[ ]- web-shop/payments", "will be detached", "- detach STRIPE_API_KEY from web-shop/payments", "! in web-shop/payments, stripe/*",
		"will stop working: no credential")
	s.Keys("ctrl+s")
	s.NoFailure()
	if got := s.Groups(s.infra.ID); got != "" {
		t.Errorf("still attached to %q", got)
	}
	if _, err := s.Done[0].Undo.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := s.Groups(s.infra.ID); got != "web-shop/payments" {
		t.Errorf("after undo attached to %q", got)
	}
}

// Checklist 51, 62.
func TestAttachSeveral(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	s.open(s.risk.ID, s.infra.ID, s.research.ID)
	s.Want("Attach 3 secrets", "[/]  web-shop/payments", "1 of 3", "attached in part")
	s.Keys("space")
	s.Want("[x]+ web-shop/payments", "+ attach STRIPE_API_KEY to web-shop/payments", "+ attach DB_URL to web-shop/payments", "2 changes to apply")
	s.WantNot("attach RISK_TOKEN")
	s.Keys("space")
	s.Want("[ ]- web-shop/payments", "- detach RISK_TOKEN from web-shop/payments", "1 change to apply")
	s.Keys("space")
	s.Want("[/]  web-shop/payments", "nothing is changed yet")
	s.Keys("space", "j", "space", "enter") // DB_URL is of web-shop/research itself
	s.NoFailure()
	if got, want := s.Done[0].Text, "attached 3 secrets to 2 groups"; got != want {
		t.Errorf("done: %q, want %q", got, want)
	}
	for id, want := range map[vault.ID]string{
		s.risk.ID: "web-shop/payments web-shop/research", s.infra.ID: "web-shop/payments web-shop/research", s.research.ID: "web-shop/payments",
	} {
		if got := s.Groups(id); got != want {
			t.Errorf("%s attached to %q, want %q", id, got, want)
		}
	}
	if _, err := s.Done[0].Undo.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := s.Groups(s.risk.ID) + "|" + s.Groups(s.infra.ID); got != "web-shop/payments|" {
		t.Errorf("after undo: %q", got)
	}
}

// Checklist 51.
func TestAttachToNewGroup(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	s.open(s.infra.ID)
	s.Keys("/")
	s.Type("web-shop/support")
	s.Want(`new "web-shop/support"`)
	s.Keys("enter")
	s.Want("[x]+ web-shop/support", "+ attach STRIPE_API_KEY to web-shop/support", "will use STRIPE_API_KEY (attached)")
	s.Keys("/")
	s.Type("nowhere")
	s.Want("secrets are attached to groups")
	s.Keys("esc", "enter")
	s.NoFailure()
	if got := s.Groups(s.infra.ID); got != "web-shop/support" {
		t.Errorf("attached to %q", got)
	}
}

// Checklist 33, 51.
func TestAttachSecretsToGroup(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	s.openGroup("web-shop/research")
	s.Want("Attach to web-shop/research", "4 secrets", "DB_URL", "workspace infra", "global")
	s.Keys("space") // the one of the group itself comes first
	s.Want("[x]! DB_URL", "its own scope: it stays there")
	s.Keys("/")
	s.Type("risk")
	s.Want("1 of 4")
	s.Keys("enter", "space")
	s.Want("+ attach RISK_TOKEN to web-shop/research", "nothing that calls use changes")
	s.Keys("esc")
	s.Want("DB_URL", "1 change to apply")
	s.Keys("enter")
	s.NoFailure()
	if got := s.Groups(s.risk.ID); got != "web-shop/payments web-shop/research" {
		t.Errorf("attached to %q", got)
	}
}

// Checklist 57.
func TestDoubleEnterAppliesOnce(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	s.open(s.infra.ID)
	s.Keys("space")
	page := s.Top().(*attach.Page)
	first, second := page.Actions()[1].Run(), page.Actions()[1].Run()
	if first == nil || second != nil {
		t.Fatal("it is applied twice")
	}
	s.Run(first)
	if len(s.Done) != 1 {
		t.Errorf("done %d times", len(s.Done))
	}
}

// Checklist 58, 63.
func TestChangedMeanwhile(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		keys   []string
		groups string
		open   bool
	}{
		"cancel":    {[]string{"enter"}, "infra/ops", true},
		"overwrite": {[]string{"left", "enter"}, "infra/ops web-shop/payments", false},
		"reload":    {[]string{"left", "left", "enter"}, "infra/ops", true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newShop(t)
			s.open(s.infra.ID)
			s.Keys("space")
			s.Attach(s.infra.ID, "infra/ops")
			s.Run(s.Top().Load())
			s.Want("[x]+ web-shop/payments", "somebody else changed it")
			s.WantNot("infra/ops")
			s.Keys("enter")
			s.Want("Changed meanwhile", "Reload", "Overwrite", "Cancel")
			s.Keys(tt.keys...)
			s.NoFailure()
			if got := s.Groups(s.infra.ID); got != tt.groups {
				t.Errorf("attached to %q, want %q", got, tt.groups)
			}
			if open := s.Top() != nil; open != tt.open {
				t.Fatalf("open: %v", open)
			}
			switch name {
			case "cancel":
				s.Want("[x]+ web-shop/payments", "1 change to apply")
			case "reload":
				s.Want("[x]  infra/ops", "[ ]  web-shop/payments", "nothing is changed yet")
			}
		})
	}
}

// A change of others that is no change to what is changed here is nothing to
// ask about.
//
// Checklist 37.
func TestOtherChangesDoNotDisturb(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	s.open(s.infra.ID)
	s.Keys("j")
	s.Secret("NEW", "aaa/first")
	s.Run(s.Top().Load())
	s.Want("aaa/first", "▸ [ ]  web-shop/research")
	s.Keys("space")
	s.Secret("NEWER", "zzz/last")
	s.Run(s.Top().Load())
	s.WantNot("zzz/last", "somebody else")
	s.Keys("space")
	s.Want("zzz/last", "▸ [ ]  web-shop/research")
	s.Keys("space", "enter")
	s.NoFailure()
	if got := s.Groups(s.infra.ID); got != "web-shop/research" {
		t.Errorf("attached to %q", got)
	}
}

// Checklist 56.
func TestAttachIsDirty(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	s.open(s.infra.ID)
	dirty := func() bool { return s.Top().(view.Dirty).Dirty() }
	if dirty() {
		t.Error("it is dirty from the beginning")
	}
	s.Keys("space")
	if !dirty() {
		t.Error("it is not dirty after a change")
	}
	s.Keys("space")
	if dirty() {
		t.Error("it is dirty after the change was taken back")
	}
}

// Checklist 32, 12, 13.
func TestAttachSizesAndKeys(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	s.Secret("名前_KEY", "web-shop")
	s.openGroup("web-shop/payments")
	s.Keys("enter")
	if n := len(s.Notes); n == 0 || !strings.Contains(s.Notes[n-1], "nothing is changed yet") {
		t.Errorf("enter says %q", s.Notes)
	}
	for _, size := range [][2]int{{120, 36}, {80, 20}, {60, 10}, {59, 10}, {40, 8}, {200, 46}, {40, 3}} {
		s.W, s.H = size[0], size[1]
		s.Keys("j", "space", "tab", "j", "shift+tab", "+", "+", "/", "k", "esc")
	}
	s.W, s.H = 40, 8
	s.Keys("g")
	s.Want("[x]  RISK_TOKEN", "What changes")
	s.Keys("tab")
	if got := s.Top().Say(); !strings.HasPrefix(got, "what changes") {
		t.Errorf("says %q", got)
	}
}

// A secret that is gone, or a vault that cannot be read, is said.
func TestAttachOfNothing(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	if _, err := s.Backend().DeleteSecret(t.Context(), s.infra.ID, 0); err != nil {
		t.Fatal(err)
	}
	s.open(s.infra.ID)
	s.Want("could not be read")
	if len(s.Failed) != 1 || s.Failed[0].Retry == nil {
		t.Errorf("failed: %v", s.Failed)
	}
	e := pagetest.New(t)
	e.Show(attach.New(e.Host, view.OpenAttach{Group: e.Scope("a/b").GroupRef()}))
	e.Want("no secret is stored yet", "aivault secrets create")
	e.Keys("space", "enter", "j", "/", "a", "enter")
	e.NoFailure()
}

func TestAttachShaken(t *testing.T) {
	t.Parallel()
	for seed := range uint64(3) {
		s := newShop(t)
		s.Secret("名前_é_🚀_🇩🇪", "web-shop/payments")
		if seed == 0 {
			s.openGroup("web-shop/payments")
		} else {
			s.open(s.infra.ID, s.risk.ID)
		}
		s.Shake(seed, 300, "j", "k", "space", "tab", "/", "w", "é", "esc", "G", "g", "+", "pgdown", "enter", "ctrl+u", "backspace", "left")
		s.NoFailure()
	}
}

// Checklist 29.
func TestAttachByMouse(t *testing.T) {
	t.Parallel()
	for _, size := range [][2]int{{120, 36}, {80, 20}, {40, 8}} {
		s := newShop(t)
		s.W, s.H = size[0], size[1]
		s.open(s.infra.ID)
		s.Click("[ ]  web-shop/research")
		s.Want("[x]+ web-shop/research")
		s.Click("web-shop/payments")
		s.Want("▸ [ ]  web-shop/payments")
		s.Wheel("web-shop/payments", true)
		s.Want("▸ [x]+ web-shop/research")
		s.Click("Calls")
		if got := s.Top().Say(); !strings.HasPrefix(got, "what changes") {
			t.Errorf("%v: the preview was clicked, and it says %q", size, got)
		}
	}
}

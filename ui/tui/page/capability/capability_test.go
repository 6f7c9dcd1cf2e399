package capability_test

import (
	"context"
	"math/rand/v2"
	"strings"
	"testing"

	tea "github.com/charmbracelet/bubbletea"
	"github.com/google/go-cmp/cmp"

	"aivault/broker"
	"aivault/broker/registry"
	"aivault/keys/fault"
	"aivault/ui/app"
	"aivault/ui/tui/action"
	"aivault/ui/tui/page/capability"
	"aivault/ui/tui/page/pagetest"
	"aivault/ui/tui/text"
	"aivault/ui/tui/view"
	"aivault/vault"
)

// A world is a stage with a provider that works, a custom capability and some
// limits.
func world(t *testing.T) *pagetest.Stage {
	t.Helper()
	s := pagetest.New(t)
	s.Secret("OPENAI_API_KEY", "global")
	s.Secret("OPENAI_API_KEY", "web-shop/payments")
	custom(t, s, "acme/items")
	limit(t, s, vault.Policy{Capability: "openai/models", Rate: new(int64(30)), MaxResponse: new(int64(1 << 20)), Block: []string{"email", "home address"}})
	return s
}

func custom(t *testing.T, s *pagetest.Stage, id string) {
	t.Helper()
	n := broker.NewCapability{ID: id, Hosts: []string{"api.acme.example"}, Methods: []string{"GET", "POST"}, Paths: []string{"/v1/items"}}
	if _, err := s.Backend().CreateCapability(t.Context(), n); err != nil {
		t.Fatal(err)
	}
}

func limit(t *testing.T, s *pagetest.Stage, p vault.Policy) {
	t.Helper()
	if _, err := s.Backend().SetPolicy(t.Context(), p, 0); err != nil {
		t.Fatal(err)
	}
}

func limits(t *testing.T, s *pagetest.Stage, id string) string {
	t.Helper()
	p, err := s.Backend().Policy(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return p.String()
}

// show opens the page with one capability selected.
func show(t *testing.T, s *pagetest.Stage, id string) view.Screen {
	t.Helper()
	p := capability.New(s.Host)
	s.Show(p)
	s.Run(p.(view.Shower).Show(view.ShowCapability{ID: id}))
	return p
}

// total is how many capabilities there are: the built-in ones, and one more.
func total() string {
	n := 1
	reg := registry.Builtin()
	for _, id := range reg.Providers() {
		p, _ := reg.Provider(id)
		n += len(p.Capabilities)
	}
	return text.Number(n)
}

// Checklist 25, 26.
func TestPage(t *testing.T) {
	t.Parallel()
	s := world(t)
	s.W = 200
	show(t, s, "openai/models")
	s.Want(
		"of "+total(), "openai 22/25", "custom 0/1", // counts
		"✓ ready", "30/min +2",
		"Models, and deletion of fine-tuned ones", "Host api.openai.com", "Methods DELETE, GET", "Needs OPENAI_API_KEY",
		"30 calls in any 60 s", "an answer of at most 1,048,576 bytes", "kept back: email, home address",
		"Use in the global scope", "By credential openai", "OPENAI_API_KEY in web-shop/payments (auto)", "aivault invoke openai/models --method GET",
		"openai/models, ready, limited, row ",
	)
	s.Run(s.Top().(view.Shower).Show(view.ShowCapability{ID: "acme/items"}))
	s.Want("not ready", "Kind custom", "no: no credential carries it", "✗ none:", "acme/items, not ready, custom, row ", "none of its own; p sets some", "none; b binds a secret")
	s.Run(s.Top().(view.Shower).Show(view.ShowCapability{ID: "slack/chat"}))
	s.Want("/api/chat.… (raw: may end within a segment)", "SLACK_BOT_TOKEN")
	s.Run(s.Top().(view.Shower).Show(view.ShowCapability{ID: "linear/graphql"}))
	s.Want("says itself what is done")
}

// The context that people look from says which secret is used.
func TestContext(t *testing.T) {
	t.Parallel()
	s := world(t)
	s.Host.Context = vault.Context{Workspace: "web-shop", Group: "payments"}
	s.W = 160
	show(t, s, "openai/models")
	s.Want("Use in web-shop/payments", "By credential openai:group:web-shop:payments", "--workspace-id web-shop --group-id payments")
}

// Checklist 33.
func TestFilter(t *testing.T) {
	t.Parallel()
	s := world(t)
	show(t, s, "openai/models")
	s.Keys("/")
	s.Type("mod")
	s.Want("of "+total(), "openai/models", "openai/moderation")
	s.WantNot("openai/realtime")
	s.Keys("enter")
	s.Type("j") // a key of the list again
	s.Want("openai/models")
	s.Keys("esc")
	s.Want("openai/realtime")
	s.Keys("/")
	s.Type("nothing-like-this")
	s.Want("0 of "+total(), "No capability matches the filter.", "esc clears it")
	s.Keys("esc")
	for query, want := range map[string]string{
		"custom": "acme/items", "limited": "openai/models", "ready models": "openai/models", "provider:acme": "acme/items", "!ready graphql": "linear/graphql",
	} {
		s.Keys("/")
		s.Type(query)
		s.Want(want)
		s.WantNot("openai/realtime", "github/repos")
		s.Keys("esc")
	}
	s.Keys("/")
	s.Type("colour:red")
	s.Want(`there is no field "colour:"`)
}

// Checklist 37.
func TestSelectionStays(t *testing.T) {
	t.Parallel()
	s := world(t)
	p := show(t, s, "openai/models")
	custom(t, s, "acme/another")
	s.Secret("ANTHROPIC_API_KEY", "global") // goes before it in the order
	s.Run(p.Load())
	if got := p.Say(); !strings.HasPrefix(got, "openai/models, ") {
		t.Errorf("after a change of others: %q", got)
	}
	s.Keys("/")
	s.Type("openai")
	s.Keys("enter")
	if got := p.Say(); !strings.HasPrefix(got, "openai/models, ") {
		t.Errorf("under a filter: %q", got)
	}
	s.Keys("shift+tab", "j", "j", "k", "k", "tab")
	if got := p.Say(); !strings.HasPrefix(got, "openai/models, ") {
		t.Errorf("after other providers: %q", got)
	}
}

func TestProviders(t *testing.T) {
	t.Parallel()
	s := world(t)
	show(t, s, "openai/models")
	s.Keys("shift+tab", "j")
	s.Want("Custom capabilities", "0 of 1 ready", "acme/items")
	s.WantNot("github/repos")
	s.Keys("j")
	if !strings.Contains(s.Top().Say(), "row 3 of") {
		t.Errorf("says %q", s.Top().Say())
	}
	if _, err := s.Backend().DeleteCapability(t.Context(), "acme/items"); err != nil {
		t.Fatal(err)
	}
	s.Keys("k")
	s.Run(s.Top().Load())
	s.Want("No custom capabilities yet", "n makes one", "aivault capability create")
}

// What other screens do is asked for with what is under the cursor.
func TestAsks(t *testing.T) {
	t.Parallel()
	s := world(t)
	in := vault.Context{Workspace: "web-shop"}
	s.Host.Context = in
	acme(t, s)
	bind(t, s, "acme/items", "web-shop")
	show(t, s, "acme/items")
	scope := in.Scope()
	s.Want("OTHER in workspace web-shop", "By binding, by way of credential acme-main")
	s.Asked = nil
	s.Keys("t", "w", "b", "u", "i", "n")
	want := []any{
		view.OpenTest{Capability: "acme/items", Context: in},
		view.OpenWhy{Capability: "acme/items", Context: in},
		view.OpenBind{Capability: "acme/items", Scope: &scope},
		view.OpenUnbind{Capability: "acme/items"},
		view.ShowAudit{Query: vault.AuditQuery{Capability: "acme/items"}},
		view.OpenCapability{},
	}
	got := make([]any, len(s.Asked))
	for i, m := range s.Asked {
		got[i] = m
	}
	if diff := cmp.Diff(got, want); diff != "" {
		t.Errorf("(-got +want):\n%s", diff)
	}
	s.Run(s.Top().(view.Shower).Show(view.ShowCapability{ID: "openai/models"}))
	s.Notes = nil
	s.Keys("u", "D", "shift+tab", "t")
	wantNotes := []string{
		"nobody bound a secret to openai/models; what is auto cannot be taken away",
		"openai/models is built in, and cannot be deleted", "go to a capability first: tab",
	}
	if diff := cmp.Diff(s.Notes, wantNotes); diff != "" {
		t.Errorf("(-got +want):\n%s", diff)
	}
}

// The first six keys fit into a line of 80 cells.
//
// Checklist 12.
func TestFooterFits(t *testing.T) {
	t.Parallel()
	s := world(t)
	p := show(t, s, "acme/items")
	n, words := 0, 0
	for _, b := range p.Actions() {
		if b.Off == "" && !b.Hidden && words < 6 {
			words++
			n += text.Width(b.Spec().Keys[0]) + 1 + text.Width(b.Spec().Short) + 2
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
	show(t, s, "openai/models")
	rng := rand.New(rand.NewPCG(1, 2))
	keys := []string{"j", "k", "g", "G", "h", "l", "tab", "shift+tab", "+", "enter", "esc", "ctrl+d", "ctrl+u", "/", "x", "p", "D", "down", "ctrl+s"}
	sizes := [][2]int{{120, 36}, {80, 20}, {40, 8}, {60, 10}, {99, 30}, {100, 30}, {200, 50}, {40, 12}}
	for range 150 {
		size := sizes[rng.IntN(len(sizes))]
		s.W, s.H = size[0], size[1]
		s.Keys(keys[rng.IntN(len(keys))])
	}
	s.NoFailure()
	if got := limits(t, s, "openai/models"); !strings.HasPrefix(got, "rate 30, response 1048576") {
		t.Errorf("the limits were changed: %s", got)
	}
}

// A deaf backend answers nothing but errors.
type deaf struct{ app.Backend }

func (deaf) Capabilities(context.Context) ([]broker.Capability, error) {
	return nil, fault.New(fault.VaultBusy, "another aivault holds the vault")
}

func (deaf) Describe(context.Context, string) (*broker.Description, error) {
	return nil, fault.New(fault.IO, "the disk is gone")
}

func TestFailures(t *testing.T) {
	t.Parallel()
	s := world(t)
	real := s.Host.Backend
	s.Host.Backend = deaf{real}
	p := capability.New(s.Host)
	s.Show(p)
	s.Want("The capabilities could not be read.", "R reads them again")
	if len(s.Failed) != 1 || s.Failed[0].What != "reading the capabilities" || s.Failed[0].Retry == nil {
		t.Fatalf("%+v", s.Failed)
	}
	s.Host.Backend = real
	s.Run(s.Failed[0].Retry())
	s.Host.Backend = deaf{real}
	s.Want("openai/models")
	s.Keys("j")
	s.Want("could not be read: the disk is gone")
}

// find returns what a key does on the screen on top.
func find(t *testing.T, s *pagetest.Stage, key string) action.Bound {
	t.Helper()
	b, ok := action.Find(s.Top().Actions(), key)
	if !ok {
		t.Fatalf("%q is no key here", key)
	}
	return b
}

// Checklist 29. A click selects, on a row, a provider and a pane; the wheel
// scrolls what is below it.
func TestMouse(t *testing.T) {
	t.Parallel()
	s := world(t)
	p := show(t, s, "openai/models")
	s.Keys("g")
	mouse := func(button tea.MouseButton, x, y int) {
		s.Run(p.Mouse(tea.MouseMsg{X: x, Y: y, Button: button, Action: tea.MouseActionPress}))
		s.View()
	}
	mouse(tea.MouseButtonLeft, 32, 4) // the title and the header are above
	if got := p.Say(); !strings.HasPrefix(got, "openai/chat-completions, ready, row 3 of") {
		t.Errorf("a click on the third row: %q", got)
	}
	mouse(tea.MouseButtonWheelDown, 32, 4)
	if got := p.Say(); !strings.HasPrefix(got, "openai/completions, ready, row 4 of") {
		t.Errorf("the wheel went to %q", got)
	}
	mouse(tea.MouseButtonLeft, 4, 2)
	s.Want("Custom capabilities", "Custom capabilities, 0 of 1 ready, row 2 of")
	mouse(tea.MouseButtonLeft, 110, 10)
	if got := p.Say(); !strings.HasPrefix(got, "detail of acme/items") {
		t.Errorf("a click on the detail: %q", got)
	}
	mouse(tea.MouseButtonLeft, 500, 500)
}

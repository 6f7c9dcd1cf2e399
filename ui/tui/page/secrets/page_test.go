package secrets_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	tea "github.com/charmbracelet/bubbletea"
	"github.com/google/go-cmp/cmp"

	"aivault/ui/tui/action"
	"aivault/ui/tui/view"
	"aivault/vault"
)

// shop fills a vault: shadowed, attached and pinned secrets in two workspaces.
func shop(d *driver) {
	d.store("", "STRIPE_API_KEY")
	d.store("", "OPENAI_API_KEY")
	d.store("", "GITHUB_TOKEN")
	d.store("web-shop", "DB_URL")
	d.store("web-shop/payments", "STRIPE_API_KEY")
	d.attach(d.store("infra", "RISK_TOKEN"), "web-shop/payments")
	d.store("web-shop/research", "NOTES_TOKEN")
	d.store("infra/core", "CORE_TOKEN")
}

// node goes to a node of the tree by its label, and back to the list.
func (d *driver) node(want string) *driver {
	d.t.Helper()
	d.keys("shift+tab", "g")
	for range 40 {
		if strings.HasPrefix(d.top().Say(), want+",") {
			return d.keys("tab")
		}
		d.keys("j")
	}
	d.t.Fatalf("there is no node %q", want)
	return d
}

const payments = "group payments in web-shop"

// row puts the cursor of the list on the row of which that is said.
func (d *driver) row(begins string) *driver {
	d.t.Helper()
	d.keys("g")
	for range 40 {
		if strings.HasPrefix(d.top().Say(), begins) {
			return d
		}
		d.keys("j")
	}
	d.t.Fatalf("there is no row %q:\n%s", begins, d.screen())
	return d
}

func TestTree(t *testing.T) {
	t.Parallel()
	d := newDriver(t, shop)
	d.want("all 8", "global 3", "infra 1", "core 1", "payments 1+1", "research 1", "global", "3 effective")
	d.keys("shift+tab", "G").want("group research in web-shop, 1 own and 0 attached, row 7 of 7")
	d.want("web-shop / research", "5 effective")
}

// Checklist 25, 26.
func TestEffective(t *testing.T) {
	t.Parallel()
	d := newDriver(t, shop).node(payments)
	d.want("5 effective", "STRIPE_API_KEY own", "RISK_TOKEN attached", "DB_URL web-shop", "GITHUB_TOKEN global",
		"~ STRIPE_API_KEY global overridden by payments")
	d.want("STRIPE_API_KEY, own secret of group payments in web-shop, pinned to stripe, row 1 of 6")
	d.want("Value ••••••", "v1", "Overrides the global one", "stripe:group:web-shop:payments", "16 capabilities")
	d.row("RISK_TOKEN").want("RISK_TOKEN, attached here, secret of workspace infra, row 2 of 6", "Attached web-shop/payments",
		"no credential or binding yet")
	d.keys("G").want("overridden by payments, pinned to stripe, row 6 of 6")
	if got, want := d.host.Context, (vault.Context{Workspace: "web-shop", Group: "payments"}); got != want {
		t.Errorf("the context is %v, not %v", got, want)
	}

	d.keys("o").want("1 own only", "STRIPE_API_KEY own").wantNot("RISK_TOKEN", "DB_URL")
	d.keys("o").want("5 effective", "RISK_TOKEN")

	// Two that are attached, of the same name, are ambiguous.
	d.attach(d.store("infra/core", "RISK_TOKEN"), "web-shop/payments")
	d.reload()
	d.row("RISK_TOKEN").want("ambiguous with another one attached here")
}

func TestAll(t *testing.T) {
	t.Parallel()
	d := newDriver(t, shop).node("all secrets")
	d.want("8 secrets", "NAME", "SCOPE", "RISK_TOKEN infra", "CORE_TOKEN infra/core", "STRIPE_API_KEY web-shop/payments")
	d.row("STRIPE_API_KEY, secret of group payments in web-shop").keys("t")
	want := vault.Context{Workspace: "web-shop", Group: "payments"}
	if got, ok := d.lastAsked().(view.OpenTest); !ok || got.Context != want {
		t.Errorf("t asked for %#v", d.lastAsked())
	}
	if d.keys("o"); d.said() != "all secrets are shown, each with its scope" {
		t.Errorf("o says %q", d.said())
	}
}

func (d *driver) lastAsked() tea.Msg {
	if len(d.asked) == 0 {
		return nil
	}
	return d.asked[len(d.asked)-1]
}

// Checklist 33, 34.
func TestFilter(t *testing.T) {
	t.Parallel()
	d := newDriver(t, func(d *driver) {
		shop(d)
		d.now = d.now.Add(-100 * 24 * time.Hour)
		d.store("web-shop/payments", "OLD_TOKEN")
		d.now = d.now.Add(100 * 24 * time.Hour)
	}).node(payments).row("DB_URL")
	d.want("OLD_TOKEN own - 100d !")
	for _, c := range []struct {
		filter string
		shown  []string
	}{
		{"stripe", []string{"STRIPE_API_KEY", "STRIPE_API_KEY"}},
		{"ws:infra", []string{"RISK_TOKEN"}},
		{"ws:web group:pay", []string{"OLD_TOKEN", "STRIPE_API_KEY", "RISK_TOKEN"}},
		{"provider:open", []string{"OPENAI_API_KEY"}},
		{"pinned !stripe", []string{"GITHUB_TOKEN", "OPENAI_API_KEY"}},
		{"shadowed", []string{"STRIPE_API_KEY"}},
		{"attached", []string{"RISK_TOKEN"}},
		{"unused token", []string{"OLD_TOKEN", "RISK_TOKEN", "GITHUB_TOKEN"}},
		{"overdue", []string{"OLD_TOKEN"}},
		{"nothing-like-it", nil},
	} {
		d.keys("/").typed(c.filter)
		d.want(fmt.Sprintf("%d of 7", len(c.shown)))
		if c.shown == nil {
			d.want("No secret matches the filter.", "esc clears")
		}
		d.keys("enter")
		got := d.names()
		if diff := cmp.Diff(c.shown, got); diff != "" {
			t.Errorf("%q (-want +got):\n%s", c.filter, diff)
		}
		d.keys("esc")
	}

	d.row("DB_URL").keys("/").typed("db")
	d.keys("enter").want("DB_URL, secret of workspace web-shop, row 1 of 1", "1 of 7") // kept
	d.keys("esc").want("DB_URL, secret of workspace web-shop, row 4 of 7")             // cleared, the selection stays

	d.keys("/").typed("foo:x").want(`there is no field "foo:"`, "ws:")
	d.keys("esc").wantNot("foo")
}

// names are the names in the list, from the first row to the last.
func (d *driver) names() []string {
	d.t.Helper()
	var out []string
	d.keys("g")
	for range 40 {
		say := d.top().Say()
		name, _, _ := strings.Cut(say, ",")
		var n, of int
		if _, err := fmt.Sscanf(say[max(strings.LastIndex(say, "row "), 0):], "row %d of %d", &n, &of); err != nil {
			return nil
		}
		if out = append(out, name); n == of {
			break
		}
		d.keys("j")
	}
	return out
}

// Checklist 37.
func TestSelectionSticks(t *testing.T) {
	t.Parallel()
	d := newDriver(t, shop).node(payments).row("GITHUB_TOKEN")
	d.store("web-shop/payments", "A_TOKEN") // by another process
	d.reload()
	d.want("GITHUB_TOKEN, secret of the global scope, pinned to github, row 5 of 7", "payments 2+1")
	s, _ := d.find("", "GITHUB_TOKEN")
	if _, err := d.be.DeleteSecret(context.Background(), s.ID, 0); err != nil {
		t.Fatal(err)
	}
	d.reload()
	d.want("OPENAI_API_KEY, secret of the global scope, pinned to openai, row 5 of 6")
}

// A list that took long does not replace one that was asked for after it.
func TestSuperseded(t *testing.T) {
	t.Parallel()
	d := newDriver(t, shop)
	late := d.page.Load()
	d.node(payments).want("5 effective")
	d.do(late)
	d.rest()
	d.want("web-shop / payments", "5 effective").wantNot("3 effective")

	// A key that is pressed before the list of the node is there is not for what
	// is in the list of another.
	d.keys("shift+tab")
	reading := d.page.Key(keyNamed("k"))
	for _, key := range []string{"D", "r", "e", "x", "t", " ", "*"} {
		if d.keys("tab", key, "shift+tab"); len(d.dialogs) > 0 || !strings.HasPrefix(d.said(), "the list is being read") {
			t.Fatalf("%q: %q", key, d.said())
		}
		d.toast = nil
	}
	d.do(reading)
	d.keys("tab").want("web-shop", "DB_URL, own")
}

func TestShow(t *testing.T) {
	t.Parallel()
	d := newDriver(t, shop).node("group research in web-shop")
	s, _ := d.find("infra/core", "CORE_TOKEN")
	d.keys("/").typed("notes").keys("enter")
	d.do(d.page.(view.Shower).Show(view.ShowSecret{ID: s.ID}))
	d.rest()
	d.want("CORE_TOKEN, own secret of group core in infra", "infra / core")
	d.keys("shift+tab").want("group core in infra, 1 own")

	d.do(d.page.(view.Shower).Show(view.ShowSecret{ID: vault.ID{1}}))
	if len(d.fails) != 1 {
		t.Errorf("a secret that is not there: %v", d.fails)
	}
}

// The context that another page chose is the one that is selected here.
func TestFollowsContext(t *testing.T) {
	t.Parallel()
	d := newDriver(t, shop)
	d.host.Context = vault.Context{Workspace: "infra", Group: "new"}
	d.reload()
	d.rest()
	d.want("infra / new", "new 0", "RISK_TOKEN infra")
}

// What is empty says what comes next, and how it is done on a command line.
func TestEmpty(t *testing.T) {
	t.Parallel()
	d := newDriver(t, nil)
	d.want("No secrets yet.", "n stores one.", "aivault secrets create --name NAME", "global", "0 effective")
	for _, key := range []string{"r", "D", "e"} {
		if d.keys(key); d.said() != "there is no secret here" {
			t.Errorf("%s says %q", key, d.said())
		}
	}
	d.host.Context = vault.Context{Workspace: "web-shop", Group: "payments"}
	d.reload()
	d.want("Nothing is effective in group payments in web-shop", "n stores a secret here, a attaches one",
		"aivault secrets create --name NAME --workspace-id", "web-shop --group-id payments")
	d.keys("a")
	if got, ok := d.lastAsked().(view.OpenAttach); !ok || got.Group != (vault.GroupRef{Workspace: "web-shop", Group: "payments"}) {
		t.Errorf("a asked for %#v", d.lastAsked())
	}
}

func TestFailure(t *testing.T) {
	t.Parallel()
	d := newDriver(t, shop)
	d.host.Backend = broken{d.be}
	d.reload()
	if len(d.fails) != 2 || !strings.Contains(d.fails[0].Error(), "no disk") {
		t.Errorf("failed with %v", d.fails)
	}
	d.want("could not be read again", "GITHUB_TOKEN") // what was read before stays
}

// What other screens do is asked of them.
func TestAsks(t *testing.T) {
	t.Parallel()
	d := newDriver(t, shop).node(payments)
	ctx := vault.Context{Workspace: "web-shop", Group: "payments"}
	stripe, _ := d.find("web-shop/payments", "STRIPE_API_KEY")
	risk, _ := d.find("infra", "RISK_TOKEN")
	for _, c := range []struct {
		keys []string
		want tea.Msg
	}{
		{[]string{"g", "t"}, view.OpenTest{Secret: stripe.ID, Context: ctx}},
		{[]string{"w"}, view.OpenWhy{Secret: stripe.ID, Context: ctx}},
		{[]string{"i"}, view.ShowAudit{Query: vault.AuditQuery{Secret: stripe.ID}}},
		{[]string{"a"}, view.OpenAttach{Secrets: []vault.ID{stripe.ID}}},
		{[]string{" ", " ", "a"}, view.OpenAttach{Secrets: []vault.ID{stripe.ID, risk.ID}}}, // Checklist 62.
		{[]string{"shift+tab", "a"}, view.OpenAttach{Group: vault.GroupRef{Workspace: "web-shop", Group: "payments"}}},
		{[]string{"w"}, view.OpenWhy{Context: ctx}},
		{[]string{"t"}, view.OpenTest{Context: ctx}},
	} {
		d.keys(c.keys...)
		if diff := cmp.Diff(c.want, d.lastAsked()); diff != "" {
			t.Errorf("%q (-want +got):\n%s", c.keys, diff)
		}
	}
}

// Checklist 12, 32.
func TestFooter(t *testing.T) {
	t.Parallel()
	d := newDriver(t, shop).node(payments).row("RISK_TOKEN")
	line, n := "", 0
	for _, b := range d.page.Actions() {
		if b.Off != "" || b.Hidden || n == 6 {
			continue
		}
		n++
		short := b.Short
		if short == "" {
			short = b.Spec().Short
		}
		line += action.KeyName(b.Spec().Keys[0]) + " " + short + "  "
	}
	if want := "n new  r rotate  e edit  a attach  x detach  t test  "; line != want || len(line) > 80 {
		t.Errorf("the footer begins with %q", line)
	}
	// One key means one thing on the page.
	seen := map[string]action.ID{}
	for _, b := range d.page.Actions() {
		for _, k := range b.Spec().Keys {
			if seen[k] != "" {
				t.Errorf("%q is %s and %s", k, seen[k], b.ID)
			}
			seen[k] = b.ID
		}
	}
	if d.row("DB_URL").keys("x"); d.said() != "DB_URL is not attached to web-shop/payments" {
		t.Errorf("x says %q", d.said())
	}
}

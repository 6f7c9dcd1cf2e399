package audit_test

import (
	"context"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"
	"time"

	tea "github.com/charmbracelet/bubbletea"
	"github.com/google/go-cmp/cmp"
	"go.etcd.io/bbolt"

	"aivault/keys/fault"
	"aivault/ui/tui/view"
	"aivault/vault"
)

var payments = vault.Context{Workspace: "shop", Group: "payments", Consumer: "agent-7"}

// some fills a log: a secret, a call that went well, one that timed out, one
// that was refused, one that goes on. Times are a minute apart.
func some(d *driver) {
	step := func() { d.now = d.now.Add(time.Minute) }
	s := d.store("ACME_TOKEN")
	step()
	d.end(d.begin("acme/items", s, payments), 200)
	step()
	d.end(d.begin("acme/slow", s, vault.Context{}), 0)
	step()
	d.deny("acme/admin")
	step()
	d.begin("acme/stream", s, payments)
	d.now = d.now.Add(10 * time.Second)
}

// Checklist 61, 25, 26.
func TestRows(t *testing.T) {
	t.Parallel()
	d := newDriver(t, some)
	d.want("8 events", "chain ok to #8", "TIME", "WHAT", "OUTCOME", "CONTEXT", "DETAIL")
	d.say("acme/stream under way, in shop/payments, 10s ago, event 8 of 8")
	d.keys("j").say("acme/admin policy_violation, in shop, 1m ago, event 7 of 8")
	d.keys("j").say("acme/slow timeout, 2m ago, event 5 of 8")
	d.keys("j").say("acme/items ok, in shop/payments, 3m ago, event 3 of 8")
	d.want("A call.", "✓ ok", "Capability acme/items", "Credential acme-main", "Secret ACME_TOKEN", "Method GET", "Host api.acme.test",
		"Path /v1/acme/items", "Status 200", "Took 120 ms", "Received 2.0 KB", "Redacted 1 echo of the secret", "Workspace shop", "Group payments",
		"Consumer agent-7", "Began event #3", "Ended event #4")
	d.keys("j").say("secret.create ok, in global, 4m ago, event 2 of 8").want("A secret was stored.", "Scope global")
	d.now = d.now.Add(time.Hour)
	d.keys("g").say("acme/stream unknown").want("! unknown", "Ended no event says how")
}

// Checklist 61. New events show, and the cursor stays where somebody put it.
func TestFollow(t *testing.T) {
	t.Parallel()
	d := newDriver(t, some)
	d.store("B_TOKEN")
	d.reload().say("secret.create ok, in global, just now, event 9 of 9")
	d.keys("j").say("acme/stream under way")
	d.end(8, 204)
	d.reload().say("acme/stream ok, in shop/payments").want("Status 204", "10 events")
	d.keys("f").want("held still")
	d.store("C_TOKEN")
	d.reload().say("acme/stream ok").want("1 newer: f")
	if strings.Contains(d.keys("g").page.Say(), "event 11") {
		t.Error("a list that is held still shows what is new")
	}
	d.keys("f").say("secret.create ok, in global, just now, event 11 of 11").wantNot("newer: f")

	// Nobody loses what they read.
	d.keys("enter").want("detail of event 11")
	d.store("D_TOKEN")
	d.reload().want("detail of event 11")
}

// Denials of one kind are one row, whose number grows.
func TestDenialsAreCounted(t *testing.T) {
	t.Parallel()
	d := newDriver(t, some)
	d.deny("acme/admin")
	d.deny("acme/admin")
	d.reload()
	d.keys("j").say("acme/admin policy_violation").want("Times 3, the last one")
}

// Checklist 33, 34.
func TestFilterOfRows(t *testing.T) {
	t.Parallel()
	d := newDriver(t, some)
	d.keys("/").typed("acme").want("5 of 6")
	d.typed(" outcome:ok").want("2 of 6", "acme/items").wantNot("acme/slow")
	d.keys("enter").say("acme/items ok").want("row 1 of 2")
	d.keys("esc").want("acme/slow")
	d.keys("/").typed("colour:red").want(`there is no field "colour:"`, "outcome:")
	d.keys("esc", "/").typed("nothing of that").want("No event matches the filter.")
	d.keys("esc").want("acme/stream")
	d.keys("/").typed("ws:shop !stream").want("2 of 6")
}

// Checklist 61. The log is asked for what somebody is looking for.
func TestChoose(t *testing.T) {
	t.Parallel()
	d := newDriver(t, some)
	d.keys("e").want("All that are filled in must fit.", "Kind", "Outcome")
	d.typed("invoke").keys("tab").typed("nonsense").keys("ctrl+s").want("is no outcome")
	for range len("nonsense") {
		d.press(tea.KeyMsg{Type: tea.KeyBackspace})
	}
	d.typed("policy_violation").keys("ctrl+s")
	d.want("only kind invoke · outcome policy_violation", "1 found", "acme/admin").wantNot("acme/slow", "must fit")
	if got, want := last(d.lines), "aivault audit --kind invoke --outcome policy_violation"; got != want {
		t.Errorf("the line is %q, not %q", got, want)
	}
	d.keys("esc").want("8 events", "acme/slow")
	for _, tc := range []struct {
		q    vault.AuditQuery
		want []string
		not  []string
	}{
		{vault.AuditQuery{Capability: "acme/items"}, []string{"only capability acme/items", "1 found", "200", "Ended event #4"}, []string{"acme/slow"}},
		{vault.AuditQuery{Kind: vault.KindInvokeOutcome}, []string{"3 found", "acme/items", "acme/stream"}, []string{"acme/admin", "secret.create"}},
		{vault.AuditQuery{Workspace: "shop", Group: "payments"}, []string{"2 found", "acme/items"}, []string{"acme/admin"}},
		{vault.AuditQuery{Actor: "operator"}, []string{"6 found", "acme/admin"}, nil},
		{vault.AuditQuery{Outcome: vault.OutcomeUnknown}, []string{"1 found", "acme/stream"}, nil},
		{vault.AuditQuery{Since: d.now.Add(-90 * time.Second)}, []string{"2 found", "acme/admin", "acme/stream"}, []string{"acme/slow"}},
		{vault.AuditQuery{Actor: "nobody"}, []string{"0 found", "The audit log has nothing of that."}, nil},
	} {
		d.do(d.page.(view.Shower).Show(view.ShowAudit{Query: tc.q}))
		d.rest()
		d.want(tc.want...).wantNot(tc.not...)
	}
	s, err := d.be.Secrets(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	d.do(d.page.(view.Shower).Show(view.ShowAudit{Query: vault.AuditQuery{Secret: s[0].ID}}))
	d.want("only secret "+s[0].ID.String()[:8], "4 found", "secret.create").wantNot("acme/admin")
	d.keys("esc", "e", "tab", "tab", "tab", "tab").typed("ACME_TOKEN").keys("ctrl+s").want("4 found", "only secret ACME_TOKEN")
	d.keys("e", "tab", "tab", "tab", "tab").typed("X").keys("ctrl+s").want("there is no secret", "ACME_TOKENX")
}

func last[T any](list []T) (zero T) {
	if len(list) == 0 {
		return zero
	}
	return list[len(list)-1]
}

// An event goes on to what it is about.
func TestFromAnEvent(t *testing.T) {
	t.Parallel()
	d := newDriver(t, some)
	d.keys("j", "s").want("this event is about no secret")
	d.keys("j", "j", "s", "c", "t", "w")
	secrets, err := d.be.Secrets(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	want := []tea.Msg{
		view.ShowSecret{ID: secrets[0].ID},
		view.ShowCapability{ID: "acme/items"},
		view.OpenTest{Capability: "acme/items", Context: payments},
		view.OpenWhy{Capability: "acme/items", Context: payments},
	}
	if diff := cmp.Diff(want, d.asked); diff != "" {
		t.Errorf("asked for (-want +got):\n%s", diff)
	}
	d.do(d.page.(view.Shower).Show(view.ShowAudit{Seq: 4}))
	d.rest()
	d.say("acme/items ok, in shop/payments, 3m ago, event 3 of 8") // 4 is its end
	d.do(d.page.(view.Shower).Show(view.ShowAudit{Seq: 40}))
	d.rest()
	d.want("there is no event #40 in the log")
}

// Checklist 61. What was changed outside aivault is said loudly.
func TestBrokenChain(t *testing.T) {
	t.Parallel()
	d := newDriver(t, some)
	d.keys("v").want("8 events verified: none was changed or is missing")
	if got, want := last(d.lines), "aivault audit verify"; got != want {
		t.Errorf("the line is %q, not %q", got, want)
	}
	db, err := bbolt.Open(filepath.Join(d.dir, "vault.db"), 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	err = db.Update(func(tx *bbolt.Tx) error {
		return tx.ForEach(func(_ []byte, b *bbolt.Bucket) error {
			if entry := b.Get([]byte{7: 3}); entry != nil {
				entry = append([]byte{}, entry...)
				entry[len(entry)-1] ^= 1
				return b.Put([]byte{7: 3}, entry)
			}
			return nil
		})
	})
	if closing := db.Close(); err != nil || closing != nil {
		t.Fatal(err, closing)
	}
	d.keys("v").want("chain broken", "does not verify at event 3", "aivault doctor")
	if len(d.fails) != 1 || fault.CodeOf(d.fails[0]) != fault.AuditBroken {
		t.Errorf("told: %v", d.fails)
	}
	d.fails = nil
	d.reload()
	d.reload()
	if len(d.fails) != 1 {
		t.Errorf("it is told %d times that the log cannot be read", len(d.fails))
	}
	d.want("acme/items") // what was read is still there
}

func TestEmptyLog(t *testing.T) {
	t.Parallel()
	d := newDriver(t, nil)
	d.want("The audit log is empty.", "aivault audit", "0 events")
	d.store("A_TOKEN")
	d.reload().want("2 events", "secret.create", "vault.init")
}

// Checklist 61. A search can be stopped, and goes on when people move on.
func TestSearchStops(t *testing.T) {
	t.Parallel()
	d := newDriver(t, func(d *driver) { d.many(30_000) })
	real := d.be.(backend)
	asked := 0
	d.host.Backend = backend{Vault: real.Vault, Service: real.Service, audit: func(ctx context.Context, q vault.AuditQuery) ([]vault.Event, error) {
		if asked++; asked == 4 { // somebody presses a key meanwhile
			d.keys("esc")
		}
		return real.Audit(ctx, q)
	}}
	d.do(d.page.(view.Shower).Show(view.ShowAudit{Query: vault.AuditQuery{Kind: vault.KindVaultInit}}))
	d.want("0 found so far", "stopped; moving down goes on")
	d.keys("j").want("1 found", "vault.init").wantNot("so far", "stopped")
}

// Checklist 32. The first keys of the footer fit.
func TestFooter(t *testing.T) {
	t.Parallel()
	d := newDriver(t, some)
	n := 0
	for i, b := range d.page.Actions() {
		if i < 6 {
			s := b.Spec()
			n += len(s.Keys[0]) + 1 + max(len(b.Short), len(s.Short)) + 2
		}
		if b.Spec().Where == "" {
			t.Errorf("%s is not in the list of actions", b.ID)
		}
	}
	if n > 79 {
		t.Errorf("the first six keys take %d cells", n)
	}
}

// Checklist 12, 13, 15, 16.
func TestEverySize(t *testing.T) {
	t.Parallel()
	d := newDriver(t, func(d *driver) {
		some(d)
		s := d.store("W" + strings.Repeat("i", 200))
		d.end(d.begin("acme/"+strings.Repeat("漢字", 60), s, vault.Context{Workspace: strings.Repeat("w", 60), Group: "🏴‍☠️e\u0301"}), 200)
	})
	r := rand.New(rand.NewPCG(1, 2))
	press := []string{"j", "k", "g", "G", "enter", "esc", "tab", "+", "/", "x", "f", "pgdown", "pgup", "ctrl+d", "v", "end"}
	for _, size := range [][2]int{{120, 36}, {80, 20}, {40, 8}, {200, 56}, {62, 11}, {41, 3}, {1, 1}} {
		d.w, d.h = size[0], size[1]
		for range 60 {
			d.keys(press[r.IntN(len(press))])
		}
	}
	d.keys("esc", "esc", "esc", "g")
	d.w, d.h = 40, 8
	d.keys("enter").want("#")
}

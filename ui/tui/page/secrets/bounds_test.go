package secrets_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	tea "github.com/charmbracelet/bubbletea"
	"github.com/google/go-cmp/cmp"

	"aivault/broker"
	"aivault/keys/fault"
	"aivault/keys/opaque"
	"aivault/ui/app"
	"aivault/ui/tui/text"
	"aivault/ui/tui/theme"
	"aivault/vault"
)

// Names and hosts that would drive the terminal show as escapes, and a long
// name whole in the detail.
//
// Checklist 19, 20.
// Case 156.
func TestHostileNames(t *testing.T) {
	t.Parallel()
	d := newDriver(t, nil)
	long := strings.Repeat("x", 4096)
	d.host.Backend = forged{d.be, []vault.Effective{
		{Secret: vault.Secret{
			ID: vault.ID{1}, Name: "a\x1b]52;c;x\a\r\n\t\x00\u0085\u202eb", Aliases: []string{"\x1b[2J"}, Scope: vault.GlobalScope(),
			Hosts: []vault.Host{{Name: "\x1b[31mhost"}}, PinnedProvider: "",
		}, Tier: vault.Global},
		{Secret: vault.Secret{ID: vault.ID{2}, Name: long, Scope: vault.GlobalScope(), PinnedProvider: "\x1bp"}, Tier: vault.Global},
	}}
	d.reload()
	d.rest()
	d.want(`a\x1b]52;c;x`, `\x1b[2J`, `\x1b[31mhost`)
	d.w, d.h = 120, 150
	d.keys("j")
	if n := strings.Count(d.screen(), "x"); n < len(long) {
		t.Errorf("%d of %d characters of the name show", n, len(long))
	}
	d.keys("tab", "right", "G", "left", "+")
}

// forged is a vault with secrets that no vault would store.
type forged struct {
	app.Backend
	list []vault.Effective
}

func (f forged) Effective(context.Context, vault.Context) ([]vault.Effective, error) {
	return f.list, nil
}

func (forged) Uses(context.Context, vault.ID) (broker.Uses, error) {
	return broker.Uses{}, fault.New(fault.IO, "no\x1bdisk")
}

// Checklist 13, 16, 18.
func TestSizesAndNames(t *testing.T) {
	t.Parallel()
	names := []string{
		"日本語の鍵", "e\u0301cole", "مفتاح", "👨‍👩‍👧 family", "🇫🇷 flag", "👍🏽 tone", "⚠️ sign", "देवनागरी", strings.Repeat("x", 256), "a, b \"c\"",
	}
	d := newDriver(t, func(d *driver) {
		shop(d)
		for _, n := range names {
			s, err := d.be.CreateSecret(context.Background(), vault.NewSecret{
				Name: n, Aliases: []string{n + "2"}, Scope: scope(t, "web-shop/payments"), Value: opaque.New([]byte("CANARY-7")),
			})
			if err == nil {
				d.attach(s, "infra/core")
			}
		}
	}).node(payments)
	keys := strings.Fields("j k g G tab shift+tab enter esc o + / x * n e r w D down up left right pgup pgdown h l")
	keys = append(keys, " ")
	rnd := rand.New(rand.NewPCG(1, 2))
	for range 600 {
		if rnd.IntN(12) == 0 {
			d.w, d.h = 40+rnd.IntN(170), 8+rnd.IntN(50)
			if rnd.IntN(4) == 0 {
				d.w, d.h = 40, 8
			}
		}
		d.keys(keys[rnd.IntN(len(keys))])
		d.do(d.page.Mouse(tea.MouseMsg{
			X: rnd.IntN(d.w), Y: rnd.IntN(d.h), Action: tea.MouseActionPress, Button: tea.MouseButton(1 + rnd.IntN(5)),
		}))
		d.rest()
		d.check()
	}
	d.dialogs = nil
	d.keys("esc", "esc", "esc", "esc")
	d.w, d.h = 120, 36
	wide := d.screen()
	for _, size := range [][2]int{{60, 11}, {40, 8}, {120, 36}} {
		d.w, d.h = size[0], size[1]
		d.check()
		name, _, _ := strings.Cut(d.page.Say(), ",")
		d.want("▸") // the row under the cursor, of
		if !strings.Contains(d.screen(), text.Cut(name, 6)[:6]) {
			t.Errorf("%s does not show:\n%s", name, d.screen())
		}
	}
	if diff := cmp.Diff(wide, d.screen()); diff != "" {
		t.Errorf("after resizing (-before +after):\n%s", diff)
	}
}

func TestOnePane(t *testing.T) {
	t.Parallel()
	d := newDriver(t, shop).node(payments)
	d.w, d.h = 40, 8
	d.want("Scopes › web-shop / payments", "STRIPE_API_KEY").wantNot("Detail")
	d.keys("enter").want("detail of STRIPE_API_KEY, value masked", "Value ••••••")
	d.keys("esc").want("STRIPE_API_KEY, own secret")
	d.keys("esc").want(payments+", 1 own and 1 attached", "all")
	d.keys("enter", "+").want("STRIPE_API_KEY, own")
}

// Without colour, what is selected, marked and overridden is a glyph.
func TestDumb(t *testing.T) {
	t.Parallel()
	d := newDriver(t, shop)
	d.show(theme.New(theme.Options{Dumb: true, ASCII: true}))
	d.node(payments).keys(" ").want("> RISK_TOKEN", "* STRIPE_API_KEY", "~ STRIPE_API_KEY", "1 marked", "Value ******")
	for i, r := range d.screen() {
		if r >= 0x80 {
			t.Fatalf("%q at %d", r, i)
		}
	}
}

// manySecrets shows 100,000 secrets.
func manySecrets(t testing.TB) *driver {
	t.Helper()
	d := newDriver(t, nil)
	list := make([]vault.Secret, 100_000)
	for i := range list {
		list[i] = vault.Secret{
			ID: vault.ID{byte(i), byte(i >> 8), byte(i >> 16)}, Name: fmt.Sprintf("SECRET_%06d", i),
			Scope: vault.Scope{Level: vault.Group, Workspace: "ws", Group: fmt.Sprintf("group-%03d", i/100)}, RotatedAt: d.now,
		}
	}
	d.host.Backend = many{d.be, list}
	d.keys("shift+tab", "g", "tab")
	if !strings.Contains(d.screen(), "100,000 secrets") {
		t.Fatal(d.screen())
	}
	return d
}

// Checklist 35.
func TestManySecrets(t *testing.T) {
	d := manySecrets(t)
	for _, c := range []struct {
		keys  []string
		limit time.Duration
	}{
		{[]string{"j", "k"}, 50 * time.Millisecond}, {[]string{"G", "g"}, 50 * time.Millisecond}, {[]string{"/", "9", "x", "esc"}, 100 * time.Millisecond},
	} {
		var took []time.Duration
		for range 5 {
			for _, k := range c.keys {
				start := time.Now()
				d.key(keyNamed(k))
				d.page.View(d.w, d.h)
				took = append(took, time.Since(start))
			}
		}
		slices.Sort(took)
		if median := took[len(took)/2]; median > c.limit {
			t.Errorf("%q: %v", c.keys, median)
		}
	}
}

func BenchmarkMany(b *testing.B) {
	d := manySecrets(b)
	for _, c := range []struct {
		name string
		keys []tea.KeyMsg
	}{
		{"move", []tea.KeyMsg{keyNamed("j")}},
		{"ends", []tea.KeyMsg{keyNamed("G"), keyNamed("g")}},
		{"filter", []tea.KeyMsg{keyNamed("/"), keyNamed("9"), keyNamed("9"), keyNamed("x"), keyNamed("esc")}},
	} {
		b.Run(c.name, func(b *testing.B) {
			n := 0
			for b.Loop() {
				for _, k := range c.keys {
					d.key(k)
					d.timers = nil
					d.page.View(d.w, d.h)
					n++
				}
			}
			b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(n), "µs/key")
		})
	}
}

// A vault that is changed all the time is not read all the time, and a list that
// is being read is brought to its end.
func TestBusyVault(t *testing.T) {
	t.Parallel()
	d := newDriver(t, shop)
	s := &slowVault{Backend: d.be, d: d, takes: 400 * time.Millisecond}
	d.host.Backend = s
	first := d.page.Load()
	for range 3 { // meanwhile it changes
		d.do(d.page.Load())
	}
	d.do(first)
	if s.reads != 1 {
		t.Errorf("it was read %d times at once", s.reads)
	}
	d.rest() // a while later
	if s.reads != 2 {
		t.Errorf("it was read %d times", s.reads)
	}
	d.want("3 effective")
}

// slowVault is a vault that takes long to read.
type slowVault struct {
	app.Backend
	d     *driver
	takes time.Duration
	reads int
}

func (s *slowVault) Effective(ctx context.Context, c vault.Context) ([]vault.Effective, error) {
	s.reads++
	s.d.now = s.d.now.Add(s.takes)
	return s.Backend.Effective(ctx, c)
}

// Many keys in one write do what they do one by one.
//
// Checklist 36.
func TestManyKeys(t *testing.T) {
	t.Parallel()
	d := newDriver(t, shop).node(payments)
	for range 4 {
		d.key(keyNamed("j"))
	}
	d.want("row 5 of 6")
}

// broken is a vault that cannot be read.
type broken struct{ app.Backend }

func (broken) Scopes(context.Context) ([]vault.ScopeCount, error) {
	return nil, fault.New(fault.IO, "no disk")
}

func (broken) Effective(context.Context, vault.Context) ([]vault.Effective, error) {
	return nil, fault.New(fault.IO, "no disk")
}

// many is a vault with many secrets.
type many struct {
	app.Backend
	list []vault.Secret
}

func (m many) Secrets(context.Context, *vault.Scope) ([]vault.Secret, error) {
	return slices.Clone(m.list), nil
}

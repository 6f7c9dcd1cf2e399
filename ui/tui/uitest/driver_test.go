package uitest_test

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aivault/keys"
	"aivault/keys/keystest"
	"aivault/ui/tui/term"
	"aivault/ui/tui/uitest"
	"aivault/vault"
)

func seeded(t testing.TB, o uitest.Options) *uitest.Driver {
	t.Helper()
	o.Fill = func(d *uitest.Driver) { uitest.Seed(d) }
	return uitest.New(t, o)
}

// One sequence of keys has one outcome, whatever is under way beside it.
func TestDriverIsDeterministic(t *testing.T) {
	t.Parallel()
	for _, size := range [][2]int{{120, 40}, {80, 24}, {40, 12}} {
		run := func() string {
			d := seeded(t, uitest.Options{Width: size[0], Height: size[1]})
			var frames strings.Builder
			for _, key := range []string{"j", "j", "tab", "tab", "j", "/", "t", "esc", "w", "esc", "?"} {
				frames.WriteString(d.Key(key).Frame())
			}
			d.Advance(10 * time.Second)
			return frames.String() + d.Frame()
		}
		if a, b := run(), run(); a != b {
			t.Errorf("%v: two runs differ:\n%s", size, cmp.Diff(a, b))
		}
	}
}

// A noter notes failures instead of failing.
type noter struct {
	testing.TB
	failed []string
}

func (n *noter) Errorf(format string, args ...any) {
	n.failed = append(n.failed, fmt.Sprintf(format, args...))
}

func (n *noter) Failed() bool { return len(n.failed) > 0 }

// What the driver looks for in every frame it would find.
func TestDriverFindsWhatMustNotShow(t *testing.T) {
	t.Parallel()
	n := &noter{TB: t}
	d := seeded(n, uitest.Options{})
	d.Want("ACME_TOKEN").WantNot("nothing of the kind")
	if len(n.failed) > 0 {
		t.Fatalf("failures of a good frame: %q", n.failed)
	}
	d.Want("nothing of the kind")
	d.WantNot("ACME_TOKEN")
	d.Hide("GITHUB_TOKEN")
	d.Check()
	if len(n.failed) != 3 {
		t.Errorf("%d failures, want 3: %q", len(n.failed), n.failed)
	}
	n.failed = nil
	d.Key("ctrl+c")
	if !d.Quit() {
		t.Error("ctrl+c does not end it")
	}
}

// What somebody else changes shows once time passes, and only then.
func TestDriverHoldsTime(t *testing.T) {
	t.Parallel()
	d := seeded(t, uitest.Options{})
	d.Advance(2 * time.Second)
	d.Store("", "LATECOMER")
	d.Key("j").WantNot("LATECOMER")
	d.Advance(600*time.Millisecond).Want("LATECOMER", "another process")
	d.Advance(7 * time.Second).WantNot("another process")
}

// A vault that takes its time does not make the driver hurry.
func TestDriverAwaits(t *testing.T) {
	t.Parallel()
	d := uitest.New(t, uitest.Options{})
	d.Key("n").Type("NEW_ONE").Key("tab").Paste(d.Secret()).Key("ctrl+s").Await("NEW_ONE")
	scope := vault.GlobalScope()
	list, err := d.Backend.Secrets(context.Background(), &scope)
	if err != nil || len(list) != 1 || !strings.HasPrefix(list[0].Name, "NEW_ONE") {
		t.Errorf("stored: %v, %v", list, err)
	}
}

func TestKeyNames(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"j", "G", "ctrl+s", "enter", "esc", "tab", "shift+tab", "pgdown", "f1", "alt+x", " ", "ctrl+u", "backspace", "?"} {
		if got := uitest.KeyNamed(name).String(); got != name {
			t.Errorf("the key %q is %q", name, got)
		}
	}
	if got := uitest.KeyNamed("space").String(); got != " " {
		t.Errorf("space is %q", got)
	}
}

// A first run on a desktop: the key goes into the keyring, and the next run finds
// it there; one that does not answer can be left.
//
// Checklist 66.
func TestDriverWithAKeyring(t *testing.T) {
	t.Parallel()
	keyring, home, clock := new(keystest.Keyring), t.TempDir(), uitest.NewClock(time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC))
	open := func() *uitest.Driver {
		return uitest.New(t, uitest.Options{
			Dir: filepath.Join(home, ".aivault", "data", "vault"), Home: home, Clock: clock, Shut: true,
			Env: uitest.Env(nil, home, clock, keyring), Settings: term.Settings{Mouse: true},
		})
	}
	d := open()
	d.Want("There is no vault yet", "keyring").Key("n").Want("No secrets yet", "keyring · unlocked").End()
	if n := keyring.Accounts(keys.KeyringService); n != 1 {
		t.Errorf("%d entries in the keyring", n)
	}
	open().Want("No secrets yet").End()
	keyring.SetMode(keystest.Locked)
	open().Want("locked").WantNot("No secrets yet").End()
}

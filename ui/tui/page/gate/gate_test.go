package gate_test

import (
	"context"
	"encoding/binary"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	tea "github.com/charmbracelet/bubbletea"
	"github.com/charmbracelet/x/ansi"
	"go.etcd.io/bbolt"

	"aivault/keys"
	"aivault/keys/fault"
	"aivault/keys/keystest"
	"aivault/keys/opaque"
	"aivault/ui/app"
	"aivault/ui/tui/action"
	"aivault/ui/tui/page/gate"
	"aivault/ui/tui/task"
	"aivault/ui/tui/theme"
	"aivault/ui/tui/uitest"
	"aivault/ui/tui/view"
	"aivault/vault"
	"aivault/vault/vaulttest"
)

const phrase = "a made-up passphrase of mine"

// sealed returns what makes a vault whose key lives where cfg says, and locks
// it again.
func sealed(cfg keys.Config) func(d *uitest.Driver) {
	return func(d *uitest.Driver) {
		ctx := context.Background()
		if _, err := d.Backend.Init(ctx, cfg); err != nil {
			d.Fatal(err)
		}
		if err := d.Backend.Lock(ctx); err != nil {
			d.Fatal(err)
		}
	}
}

// withPhrase makes a vault in dir that opens with the passphrase.
func withPhrase(t *testing.T, dir string) { withSlots(t, dir, nil, keys.KindPassphrase) }

// withSlots makes a vault in dir with keys of these kinds, the first of them its
// first, and returns the recovery key.
func withSlots(t *testing.T, dir string, ring keys.Keyring, kinds ...keys.Kind) (recovery string) {
	t.Helper()
	env := uitest.Env(map[string]string{"AIVAULT_DIR": dir}, filepath.Dir(dir), uitest.NewClock(time.Now()), ring)
	s, err := app.Open(env, app.Options{
		Notice:        func(string) {},
		AskPassphrase: func(context.Context, keys.Question) (opaque.Bytes, error) { return opaque.New([]byte(phrase)), nil },
		Recovery:      func(text opaque.Bytes) error { recovery = string(text.Reveal()); return nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for i, kind := range kinds {
		cfg := keys.Config{Kind: kind}
		if kind != keys.KindRecovery {
			if cfg, err = s.KeyConfig(app.KeyChoice{Kind: kind}); err != nil {
				t.Fatal(err)
			}
		}
		if i == 0 {
			_, err = s.Backend().Init(t.Context(), cfg)
		} else {
			_, err = s.Backend().AddSlot(t.Context(), cfg)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return recovery
}

// want fails unless all of it shows, wherever the lines of a card end.
func want(d *uitest.Driver, parts ...string) {
	d.Helper()
	flat := func(s string) string {
		return strings.ToLower(strings.Join(strings.Fields(strings.ReplaceAll(s, "│", " ")), " "))
	}
	shown := flat(d.Screen())
	for _, part := range parts {
		if !strings.Contains(shown, flat(part)) {
			d.Errorf("%q does not show:\n%s", part, d.Screen())
		}
	}
}

func file(dir string) keys.Config {
	return keys.Config{Kind: keys.KindFile, Path: filepath.Join(dir, "kek.key")}
}

func ring() keys.Config { return keys.Config{Kind: keys.KindKeyring, Service: keys.KeyringService} }

func write(t *testing.T, path string, content []byte) {
	t.Helper()
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
}

// Checklist 65. What is in the way has a screen of its own, with the next step,
// which fits on the smallest terminal; once it is out of the way, the vault
// opens.
// Case 160.
func TestInTheWay(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		harm func(t *testing.T, dir string)
		mend func(t *testing.T, dir string) // nil: it cannot be
		want []string
	}{
		"key file missing": {
			func(t *testing.T, dir string) { move(t, dir, "kek.key", "kek.gone") },
			func(t *testing.T, dir string) { move(t, dir, "kek.gone", "kek.key") },
			[]string{"The key file does not give the key", "is not there", "unharmed", "put it back from a backup"},
		},
		"another key": {
			func(t *testing.T, dir string) {
				move(t, dir, "kek.key", "kek.gone")
				write(t, filepath.Join(dir, "kek.key"), []byte(strings.Repeat("ab", 32)))
			},
			func(t *testing.T, dir string) { move(t, dir, "kek.gone", "kek.key") },
			[]string{"This is not the key of this vault", "put the right key back", "nothing was changed"},
		},
		"damaged": {
			func(t *testing.T, dir string) {
				write(t, filepath.Join(dir, "vault.gone"), read(t, dir))
				write(t, filepath.Join(dir, "vault.db"), []byte(strings.Repeat("no vault ", 4096)))
			},
			func(t *testing.T, dir string) { move(t, dir, "vault.gone", "vault.db") },
			[]string{"The vault is damaged", "restore a backup", "aivault doctor"},
		},
		"cut off": {
			func(t *testing.T, dir string) { write(t, filepath.Join(dir, "vault.db"), read(t, dir)[:4096]) }, nil,
			[]string{"The vault is damaged", "restore a backup"},
		},
		"an older copy": {
			func(t *testing.T, dir string) {
				old, l := read(t, dir), vault.New(vaulttest.Options(dir))
				vaulttest.Create(t, l, vault.GlobalScope(), "LATE", "made-up")
				l.Close()
				move(t, dir, "vault.db", "vault.newer")
				write(t, filepath.Join(dir, "vault.db"), old)
			},
			func(t *testing.T, dir string) { move(t, dir, "vault.newer", "vault.db") },
			[]string{"The vault is older than it was", "aivault restore FILE", "on a command line: aivault doctor"},
		},
		"gone, its key is there": {
			func(t *testing.T, dir string) { move(t, dir, "vault.db", "elsewhere") },
			func(t *testing.T, dir string) { move(t, dir, "elsewhere", "vault.db") },
			[]string{"The vault is damaged", "kek.key, but no vault", "never made over it"},
		},
		"a newer format": {
			func(t *testing.T, dir string) { format(t, dir, 99) },
			func(t *testing.T, dir string) { format(t, dir, 2) },
			[]string{"written by a newer aivault", "format 99", "use the aivault that wrote it, or a later one"},
		},
		"no file": {
			func(t *testing.T, dir string) {
				move(t, dir, "vault.db", "vault.gone")
				if err := os.Mkdir(filepath.Join(dir, "vault.db"), 0o700); err != nil {
					t.Fatal(err)
				}
			},
			func(t *testing.T, dir string) {
				if err := os.Remove(filepath.Join(dir, "vault.db")); err != nil {
					t.Fatal(err)
				}
				move(t, dir, "vault.gone", "vault.db")
			},
			[]string{"The vault cannot be read or written"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := vaulttest.Dir(t)
			d := uitest.New(t, uitest.Options{Dir: dir, Shut: true, Width: 80, Height: 24, Fill: func(d *uitest.Driver) {
				sealed(file(dir))(d)
				tc.harm(t, dir)
			}})
			want(d, append(tc.want, "r tries again", "✗")...)
			for _, size := range [][2]int{{40, 12}, {200, 50}, {60, 13}} {
				d.Resize(size[0], size[1])
				want(d, "r tries again", tc.want[0])
			}
			d.Key("r").Want(tc.want[0]).Key("enter").Want(tc.want[0])
			if tc.mend == nil {
				return
			}
			tc.mend(t, dir)
			d.Key("r").Want("1 Secrets").WantNot(tc.want[0])
		})
	}
}

func move(t *testing.T, dir, from, to string) {
	t.Helper()
	if err := os.Rename(filepath.Join(dir, from), filepath.Join(dir, to)); err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, dir string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(dir, "vault.db"))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// format gives the vault another format.
func format(t *testing.T, dir string, n uint32) {
	t.Helper()
	db, err := bbolt.Open(filepath.Join(dir, "vault.db"), 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	changed := 0
	err = db.Update(func(tx *bbolt.Tx) error {
		return tx.ForEach(func(_ []byte, b *bbolt.Bucket) error {
			c := b.Cursor()
			for k, v := c.First(); k != nil; k, v = c.Next() {
				if len(v) == 4 && binary.BigEndian.Uint32(v) < 100 {
					changed++
					return b.Put(k, binary.BigEndian.AppendUint32(nil, n))
				}
			}
			return nil
		})
	})
	if closing := db.Close(); err != nil || closing != nil || changed != 1 {
		t.Fatalf("changed %d: %v, %v", changed, err, closing)
	}
}

// A first run says what aivault is, where the key will be, and asks.
func TestWelcome(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		dir  bool // AIVAULT_DIR is set
		mode keystest.Mode
		want []string
	}{
		"a desktop":  {false, keystest.Working, []string{"the keyring of your system", "aivault key add --recovery"}},
		"no keyring": {false, keystest.Absent, []string{"kek.key, which only you can read, as this session has no keyring"}},
		"named":      {true, keystest.Working, []string{"kek.key, which only you can read."}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			k := new(keystest.Keyring)
			k.SetMode(tc.mode)
			home, vars, clock := t.TempDir(), map[string]string{}, uitest.NewClock(time.Now())
			if tc.dir {
				vars["AIVAULT_DIR"] = filepath.Join(home, "v")
			}
			start := func() *uitest.Driver {
				return uitest.New(t, uitest.Options{Env: uitest.Env(vars, home, clock, k), Clock: clock, Shut: true})
			}
			d := start()
			want(d, append(tc.want, "Welcome to aivault", "code that you need not trust asks for a call and never sees a key", "aivault init")...)
			d.Resize(40, 12).Want("n or enter makes the vault", "aivault init").Resize(120, 40)
			d.Resize(200, 40).Key("n").Want("1 Secrets", "made a vault in", "aivault init --provider").WantNot("There is no vault")
			start().Want("1 Secrets").WantNot("There is no vault", "made a vault") // the second time, nobody is asked
		})
	}
}

// Checklist 66.
func TestKeyring(t *testing.T) {
	t.Parallel()
	k := new(keystest.Keyring)
	d := uitest.New(t, uitest.Options{Keyring: k, Shut: true, Width: 80, Height: 24, Fill: func(d *uitest.Driver) {
		sealed(ring())(d)
		k.SetMode(keystest.Locked)
	}})
	want(d, "The keyring does not give the key", "the keyring is locked", "unlock it", "unharmed")
	k.SetMode(keystest.Hanging)
	d.Hit("r").Want("Opening the vault").WantNot("window of its own")
	d.Advance(200 * time.Millisecond).Want("please wait")
	d.Advance(3 * time.Second)
	want(d, "may be asking for its password in a window of its own", "3s", "esc stops waiting")
	began := time.Now()
	d.Key("esc").Want("Stopped", "Nothing was changed", "r tries again")
	if took := time.Since(began); took > time.Second { // of which the driver waits most
		t.Errorf("esc takes %v", took)
	}
	k.SetMode(keystest.Absent)
	d.Key("r")
	want(d, "there is no keyring")
	k.SetMode(keystest.Working)
	d.Key("enter").Want("1 Secrets", "unlocked")
}

func TestKeyringEntryMissing(t *testing.T) {
	t.Parallel()
	k, empty := new(keystest.Keyring), new(keystest.Keyring)
	dir := vaulttest.Dir(t)
	uitest.New(t, uitest.Options{Dir: dir, Keyring: k, Shut: true, Fill: sealed(ring())}).Want("1 Secrets")
	d := uitest.New(t, uitest.Options{Dir: dir, Keyring: empty, Shut: true})
	d.Want("The keyring does not give the key", "restore the entry", "unharmed", "r tries again")
}

// Checklist 66, 67.
func TestPassphrase(t *testing.T) {
	t.Parallel()
	dir := vaulttest.Dir(t)
	withPhrase(t, dir)
	d := uitest.New(t, uitest.Options{Dir: dir, Shut: true, Width: 80, Height: 24})
	d.Hide(phrase, "wrong-horse-battery")
	d.Want("The vault is locked", "opens with a passphrase", "enter unlocks", "empty, will be masked")
	d.Key("enter").Want("nothing was typed yet")
	d.Type("wrong-horse-battery").Want("passphrase, masked", "••••••")
	d.Key("enter").Want("this passphrase does not open the vault; type it again", "empty, will be masked")
	d.Resize(40, 12).Want("type or paste", "does not open", "enter unlocks").Resize(80, 24)
	d.Type("wrong-horse-battery").Key("esc").Want("empty, will be masked").WantNot("does not open")
	d.Type("wrong-horse-battery").Advance(3*time.Minute).Want("what was typed is forgotten", "empty, will be masked")
	d.Resize(40, 12).Want("enter unlocks", "The vault is locked").Resize(80, 24)
	d.Paste(phrase).Key("enter").Want("1 Secrets", "unlocked")
	d.Key("4").Tell(view.LockMsg{})
	d.Want("The vault is locked", "empty, will be masked")
	d.Type(phrase).Key("enter").Want("unlocked").WantNot("The vault is locked")
}

// A held is a vault that says what a test has it say.
type held struct {
	app.Backend
	err error
}

func (h *held) State(context.Context) (vault.State, error) { return vault.State{}, nil }

func (h *held) Status(context.Context) (vault.Status, error) {
	return vault.Status{Initialized: true, Provider: keys.KindFile}, h.err
}

// Checklist 64. A vault that another process holds is tried again by itself, and
// people can stop that.
func TestBusy(t *testing.T) {
	t.Parallel()
	h := &held{err: fault.New(fault.VaultBusy, "another process has held the vault for 10s").WithHint("try again; `fuser vault.lock` shows who holds it")}
	now := time.Now()
	clock := func() time.Time { return now }
	host := &view.Host{
		Backend: h, Theme: theme.New(theme.Options{}), Now: clock, Tasks: task.NewTracker(t.Context(), clock), Keyhole: &view.Keyhole{},
	}
	g := gate.New(host)
	var timers []task.Timer
	opened := false
	var do func(cmd tea.Cmd)
	do = func(cmd tea.Cmd) {
		if cmd == nil {
			return
		}
		switch msg := cmd().(type) {
		case task.Msg:
			do(msg.Apply())
		case task.Timer:
			timers = append(timers, msg)
		case view.OpenedMsg:
			opened = true
		}
	}
	screen := func() string { return ansi.Strip(strings.Join(g.View(80, 20), "\n")) }
	do(g.Load())
	if s := screen(); !strings.Contains(s, "Another aivault is using the vault") || !strings.Contains(s, "fuser") || len(timers) != 1 || timers[0].After != 2*time.Second {
		t.Fatalf("%v\n%s", timers, s)
	}
	do(timers[0].Fire.Apply())
	b, ok := action.Find(g.Actions(), "esc")
	if !ok || len(timers) != 2 {
		t.Fatalf("it is tried again %d times, and esc stops it: %v", len(timers)-1, ok)
	}
	do(b.Run())
	if do(timers[1].Fire.Apply()); !strings.Contains(screen(), "Stopped") || len(timers) != 2 {
		t.Errorf("after esc:\n%s", screen())
	}
	b, _ = action.Find(g.Actions(), "r")
	do(b.Run())
	h.err = nil
	if do(timers[2].Fire.Apply()); !opened {
		t.Errorf("it is not open:\n%s", screen())
	}
}

// Package uitest drives the terminal interface without a terminal: the real
// root with its pages, over a real vault in a directory of the test, by keys,
// pastes, the mouse and the size of the window.
//
// Time stands still until a test lets it pass ([Driver.Advance]), and what the
// program does beside its event loop is done before the next key, so that a
// sequence of keys has one outcome. After each step the frame is looked at:
// every line fits, there are as many as the window has, and none shows a
// control character or one of the values that the test made up.
package uitest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"aivault/broker/brokertest"
	"aivault/keys"
	"aivault/ui/app"
	// It puts back the TERM that the guard hides from bubbletea's init.
	_ "aivault/ui/guard/release"
	"aivault/ui/tui"
	"aivault/ui/tui/task"
	"aivault/ui/tui/term"
	"aivault/vault/vaulttest"
)

// Options say what a driver drives. The zero Options are a window of 120x40
// over an empty vault, whose key is a file, in colour.
type Options struct {
	Width, Height int
	Dir           string         // of the vault; empty: a new one
	Home          string         // the user's; empty: beside the vault
	Env           *app.Env       // what the program sees beside that; nil: see [Env]
	Keyring       keys.Keyring   // of Env; nil: there is none
	Clock         *Clock         // nil: one that stands
	Settings      term.Settings  // of the terminal; zero: 256 colours, dark
	Pass          app.Passphrase // what the command line says of it
	// Fill puts something into the vault, before the program begins.
	Fill func(d *Driver)
	// Unchecked has frames drawn and not looked at, for benchmarks.
	Unchecked bool
	// Shut leaves the vault as it is: the test opens, or makes, it by keys.
	// Otherwise one that is missing is made.
	Shut bool
}

// start is when the clock of a driver stands by default, so that neither zone nor
// clock of the machine matters.
var start = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// A Clock is the time of day of a test.
type Clock struct {
	mu  sync.Mutex
	now time.Time
}

// NewClock returns a clock that stands.
func NewClock(at time.Time) *Clock { return &Clock{now: at} }

// Now returns the time.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// Move moves the clock.
func (c *Clock) Move(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// A Driver is a program and somebody who uses it.
type Driver struct {
	testing.TB
	Dir     string // of the vault
	Backend app.Backend
	Clock   *Clock

	program *tui.Program
	w, h    int
	secrets []string // what must not show
	forms   [][]byte // the same, in every encoding
	varies  []string // what Frame replaces: the upstream's port
	jobs    []*job
	step    int
	held    []*held // in the order in which they are due
	quit    bool
	ended   bool // and the vault is closed
	hurried bool // frames are not looked at
	shells  int  // how often the terminal was given to another program
}

// A job is a command that runs.
type job struct {
	step int // the step of the test that it follows from
	done chan tea.Msg
}

// A held timer waits for time to pass.
type held struct {
	at   time.Time
	fire task.Msg
}

// New starts the program. It ends with the test.
func New(t testing.TB, o Options) *Driver {
	t.Helper()
	d := &Driver{TB: t, Dir: o.Dir, Clock: o.Clock, w: o.Width, h: o.Height, hurried: o.Unchecked}
	if d.w == 0 {
		d.w, d.h = 120, 40
	}
	if d.Clock == nil {
		d.Clock = NewClock(start)
	}
	if d.Dir == "" {
		d.Dir = vaulttest.Dir(t)
	}
	if o.Home == "" {
		o.Home = filepath.Dir(d.Dir)
	}
	if o.Settings == (term.Settings{}) {
		o.Settings = term.Settings{Colour: term.ANSI256, Dark: true, Mouse: true}
	}
	if o.Env == nil {
		o.Env = Env(map[string]string{"AIVAULT_DIR": d.Dir}, o.Home, d.Clock, o.Keyring)
	}
	program, err := tui.Open(t.Context(), o.Env, o.Settings, o.Pass)
	if err != nil {
		t.Fatal(err)
	}
	d.program, d.Backend = program, program.Host.Backend
	t.Cleanup(d.End)
	if o.Fill != nil {
		o.Fill(d)
	}
	if !o.Shut {
		d.make()
	}
	d.run(program.Init())
	d.send(tea.WindowSizeMsg{Width: d.w, Height: d.h})
	d.settled()
	return d
}

// make makes the vault, if there is none.
func (d *Driver) make() {
	d.Helper()
	ctx := d.Context()
	s, err := d.Backend.Status(ctx)
	if err == nil && !s.Initialized {
		cfg, ferr := d.program.Host.FirstUse(ctx)
		if ferr != nil {
			d.Fatal(ferr)
		}
		_, err = d.Backend.Init(ctx, cfg)
	}
	if err != nil {
		d.Fatal(err)
	}
}

// End leaves the program, if it did not end, once what is under way came to its
// end, and closes the vault. Nothing of what was made up may be in its files.
func (d *Driver) End() {
	d.Helper()
	if d.ended {
		return
	}
	d.ended = true
	if !d.quit && !d.Failed() {
		d.send(KeyNamed("ctrl+c"))
		d.send(KeyNamed("ctrl+c"))
	}
	ctx, stop := context.WithTimeout(context.Background(), patience)
	defer stop()
	if err := d.program.Drain(ctx); err != nil {
		d.Errorf("at the end: %v", err)
	}
	d.program.Close()
	d.scan()
}

// scan looks for values in the files of the vault.
func (d *Driver) scan() {
	d.Helper()
	err := fs.WalkDir(os.DirFS(d.Dir), ".", func(path string, e fs.DirEntry, err error) error {
		if err != nil || !e.Type().IsRegular() {
			return err
		}
		data, err := os.ReadFile(filepath.Join(d.Dir, path))
		if err == nil && d.shows(data) {
			d.Errorf("the file %s has a value in it", path)
		}
		return err
	})
	if err != nil && !errors.Is(err, fs.ErrNotExist) { // a script that failed took the directory along
		d.Error(err)
	}
}

// shows reports whether one of the values that were made up is in data, in any
// encoding.
func (d *Driver) shows(data []byte) bool {
	return slices.ContainsFunc(d.forms, func(form []byte) bool { return bytes.Contains(data, form) })
}

// Secret makes up a value, which must never show.
func (d *Driver) Secret() string {
	s := brokertest.Word(d)
	d.Hide(s)
	return s
}

// Hide has values that the test knows looked for in every frame, and in the
// files of the vault.
func (d *Driver) Hide(values ...string) {
	for _, v := range values {
		d.secrets = append(d.secrets, v)
		d.forms = append(d.forms, brokertest.Forms(v)...)
	}
}

// Hidden returns what must not show.
func (d *Driver) Hidden() []string { return slices.Clone(d.secrets) }

// Quit reports whether the program ended.
func (d *Driver) Quit() bool { return d.quit }

// Suspended returns how often the terminal was given to another program.
func (d *Driver) Suspended() int { return d.shells }

// said is what a failure says about where it was.
func (d *Driver) said() string {
	return fmt.Sprintf("%dx%d, %s\n%s", d.w, d.h, d.Clock.Now().Format(time.TimeOnly), strings.TrimRight(d.Screen(), "\n "))
}

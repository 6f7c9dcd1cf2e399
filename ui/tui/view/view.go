// Package view is the contract between the root of the terminal interface and
// what it shows: screens (pages and dialogs), what they may ask of the program
// around them ([Host]), and the messages by which they ask the root to do
// something.
//
// A screen is a pointer with state of its own. The root calls it in the event
// loop only, so it needs no lock, and nothing that it does may take long: work
// is a task. It never writes to the terminal; it returns lines.
package view

import (
	"context"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"aivault/keys"
	"aivault/ui/app"
	// It puts back the TERM that the guard hides from bubbletea's init.
	_ "aivault/ui/guard/release"
	"aivault/ui/tui/action"
	"aivault/ui/tui/task"
	"aivault/ui/tui/theme"
	"aivault/vault"
)

// A Host is the program around a screen. All screens share one.
type Host struct {
	Backend app.Backend
	Theme   *theme.Theme
	Now     func() time.Time
	Tasks   *task.Tracker
	// Context is the context that people look from: it follows the scope that
	// is selected, and is where a test or a why begins.
	Context vault.Context
	// FirstUse tells where the key of a new vault would go.
	FirstUse func(context.Context) (keys.Config, error)
	// Kept reports whether the daemon keeps the key of the vault, by which this
	// program works then. It may take a moment. Nil: there is no daemon.
	Kept func(context.Context) bool
	// Keyhole is where a typed passphrase goes.
	Keyhole *Keyhole
	// Touched notes that the program itself is changing the vault just now, as
	// a call does: a change that is seen soon is not told as somebody else's.
	// Writes of package task are noted without it.
	Touched func()
}

// A Screen is a page or the content of a dialog.
type Screen interface {
	// Title names the screen in the line at the top.
	Title() string
	// Load fetches what the screen shows. It is called when the screen opens,
	// when the vault was changed, by whomever, and when people ask for it; what
	// is selected or typed stays.
	Load() tea.Cmd
	// Key takes a key that no action of the screen has, one at a time, or a
	// paste (k.Paste), whose line ends are line feeds.
	Key(k tea.KeyMsg) tea.Cmd
	// Mouse takes a mouse event; m.X and m.Y are cells of the screen's last
	// View.
	Mouse(m tea.MouseMsg) tea.Cmd
	// View returns exactly h lines of at most w cells each.
	View(w, h int) []string
	// Actions are those that apply here, also such as cannot be done just now
	// (Bound.Off says why). The first ones are named in the footer.
	Actions() []action.Bound
	// Captures reports whether what is typed is text: then only actions with a
	// control or function key, and those of a form, are looked at before Key.
	Captures() bool
	// Say says in words where the focus is, for the last line: "STRIPE_KEY,
	// masked, row 1 of 128".
	Say() string
	// Close ends what the screen has under way, and wipes what must not stay.
	Close()
}

// A Dirty screen holds what somebody typed: the root asks before it closes.
type Dirty interface {
	Dirty() bool
}

// A Forgetter holds what must not stay while nobody sees it, such as the value
// of a secret that is half typed. The root has it forgotten when the terminal
// goes to another program, and when nobody was there for long.
type Forgetter interface {
	// Forget wipes it, and shows why.
	Forget(why string)
}

// A Sized screen, as a dialog, says how large it likes to be.
type Sized interface {
	// Size returns the size of the content within a window of w by h cells.
	Size(w, h int) (cw, ch int)
}

// A Leaver is told when another screen takes its place, and when it is back.
type Leaver interface {
	Leave()
	Enter() tea.Cmd
}

// A Shower is a page that can be told what to select: one of the Show
// messages.
type Shower interface {
	Show(m tea.Msg) tea.Cmd
}

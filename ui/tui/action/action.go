// Package action is the one list of what people can do in the terminal
// interface: each action with its name, its keys, and what it is for. Keys, the
// footer, the help, the palette and the tests all come from it. A screen says
// which of them apply to it just now, and what they do there ([Bound]).
package action

import (
	"slices"

	tea "github.com/charmbracelet/bubbletea"

	// It puts back the TERM that the guard hides from bubbletea's init.
	_ "aivault/ui/guard/release"
)

// An ID names an action: where it belongs and what it does.
type ID string

// A Spec is what is always true of an action.
type Spec struct {
	ID    ID
	Title string   // in the palette and the help: "Rotate the secret"
	Short string   // in the footer: "rotate"
	Keys  []string // as Bubble Tea names them; the first one is shown
	Where Where    // the screens that have it
	// Danger says that it destroys something, which no lower-case letter or
	// control key may do.
	Danger bool
}

// Where says on which screens an action is. Two actions that can meet on one
// screen have no key in common.
type Where string

// The places.
const (
	Everywhere   Where = "everywhere"
	Browse       Where = "lists" // every page with a list: moving, filtering, marking
	Secrets      Where = "secrets"
	Capabilities Where = "capabilities"
	Credentials  Where = "credentials"
	Audit        Where = "audit"
	Attach       Where = "attach"
	Why          Where = "why"
	Test         Where = "test"
	Answer       Where = "answer" // the answer of a test call
	Form         Where = "forms"
	Gate         Where = "gate" // before the vault is open
)

// A Bound action is one that a screen has now.
type Bound struct {
	ID  ID
	Off string // why it cannot be done just now; empty: it can
	Run func() tea.Cmd
	// Short replaces the word of the footer, where the action means something
	// more precise here; empty: the one of the Spec.
	Short string
	// Hidden keeps it out of the footer, not out of the help and the palette.
	Hidden bool
}

// Spec returns what is always true of the action.
func (b Bound) Spec() Spec { return Of(b.ID) }

// Of returns the spec of an action. That there is one for each id in use is
// held by a test.
func Of(id ID) Spec {
	for _, s := range all {
		if s.ID == id {
			return s
		}
	}
	return Spec{ID: id, Title: string(id), Short: string(id)}
}

// All returns every action, in the order of the help.
func All() []Spec { return slices.Clone(all) }

// Find returns the action that a key means among those of a screen.
func Find(bound []Bound, key string) (Bound, bool) {
	for _, b := range bound {
		if slices.Contains(Of(b.ID).Keys, key) {
			return b, true
		}
	}
	return Bound{}, false
}

// KeyName returns the name of a key for people: "ctrl+s", "space", "enter".
func KeyName(key string) string {
	switch key {
	case " ":
		return "space"
	case "pgdown":
		return "pgdn"
	}
	return key
}

// Package form is how people give aivault something: fields, forms made of
// them, checklists, and the dialogs that ask before something happens.
//
// A [Form] is a view.Screen. A page makes its fields, reads them when the form
// calls Submit, and tells how that went with [Form.Done] or [Form.Failed];
// until one of them is called nothing is sent again, and what was typed is lost
// by success or by closing only.
//
// The value of a secret is in a [Secret] field and nowhere else: in bytes that
// are overwritten, never in a string, and nothing that is drawn or said depends
// on more of it than its kind and, where that gives nothing away, its size.
package form

import (
	"errors"

	tea "github.com/charmbracelet/bubbletea"

	"aivault/keys/fault"
	// It puts back the TERM that the guard hides from bubbletea's init.
	_ "aivault/ui/guard/release"
	"aivault/ui/tui/text"
	"aivault/ui/tui/theme"
)

// A Field is one thing to fill in. A page may bring its own kinds.
type Field interface {
	// Label names the field, in a word or two.
	Label() string
	// View returns the field without its label, in lines of at most w cells.
	View(w int, focused bool) []string
	// Key takes a key or a paste, and reports whether it meant something here.
	// What does not may move the focus: enter, up and down.
	Key(k tea.KeyMsg) (tea.Cmd, bool)
	// Click takes a click on a cell of the last View.
	Click(x, y int) tea.Cmd
	// Check says what is wrong with what is in the field, to whoever filled it
	// in; nil: nothing.
	Check() error
	// Error and SetError are the sentence that shows below the field. The next
	// change of the field clears it.
	Error() string
	SetError(string)
	// Say says in words what is in the field: "STRIPE_KEY", "masked, one line".
	Say() string
	// Dirty reports whether somebody changed the field.
	Dirty() bool
	// Wipe forgets what must not stay.
	Wipe()
}

// What a field may have besides.
type (
	// A stepper has places within the field, or takes the key that goes to the
	// next field as a yes to something it offers; false: there is no further one.
	stepper interface {
		Step(back bool) (tea.Cmd, bool)
	}
	// An enterer is told from which side the focus comes.
	enterer interface{ Enter(back bool) }
	// An escaper can close something of its own before the form closes.
	escaper interface{ Escape() bool }
	// A roller scrolls by itself; false: it is at its end.
	roller interface{ Wheel(lines int) bool }
	// A pointer says in which line of its View the cursor is.
	pointer interface{ CursorLine() int }
	// A helper says more about the field, while it has the focus.
	helper interface{ help() string }
)

// base is what all fields have.
type base struct {
	Help     string         // a sentence that shows while the field has the focus
	OnChange func() tea.Cmd // called after each change

	th    *theme.Theme
	label string
	err   string
	dirty bool
}

func (b *base) Label() string     { return b.label }
func (b *base) Error() string     { return b.err }
func (b *base) SetError(s string) { b.err = s }
func (b *base) Dirty() bool       { return b.dirty }
func (b *base) Wipe()             {}
func (b *base) Click(_, _ int) tea.Cmd {
	return nil
}

func (b *base) help() string { return b.Help }

// changed notes a change.
func (b *base) changed() tea.Cmd {
	b.dirty, b.err = true, ""
	if b.OnChange == nil {
		return nil
	}
	return b.OnChange()
}

// words are an error in a sentence, with what to do about it.
func words(err error) string {
	if err == nil {
		return ""
	}
	s := err.Error()
	if hint := fault.HintOf(err); hint != "" {
		s += "; " + hint
	}
	return s
}

// bad is an error that a field finds by itself.
func bad(s string) error { return fault.New(fault.InvalidRequest, "%s", s) }

// ours returns the error of our own in err's chain, whose text is for people.
func ours(err error) (*fault.Error, bool) { return errors.AsType[*fault.Error](err) }

// said is a text of others for the line that says where the focus is.
func said(s string) string {
	if s == "" {
		return "empty"
	}
	return text.Cut(s, 48)
}

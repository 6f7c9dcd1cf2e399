package widget

import (
	"errors"
	"fmt"
	"strings"

	tea "github.com/charmbracelet/bubbletea"

	"aivault/keys/fault"
	"aivault/ui/tui/text"
	"aivault/ui/tui/theme"
)

// A FilterLine is where the filter of a list is typed. It is closed, being
// typed, or kept: then the list is filtered and keys are the list's again; the
// page's esc is for Clear.
type FilterLine struct {
	ink    *ink
	fields []string
	in     input
	typing bool
	filter Filter
	err    error

	shown, total int
}

// NewFilterLine returns a closed line for filters with these fields, as
// ParseFilter takes them.
func NewFilterLine(th *theme.Theme, fields ...string) *FilterLine {
	return &FilterLine{ink: newInk(th), fields: fields}
}

// Open begins typing, or goes on with it.
func (f *FilterLine) Open() { f.typing = true }

// Typing reports whether keys are the line's.
func (f *FilterLine) Typing() bool { return f.typing }

// Shows reports whether there is something to see: View has a line then.
func (f *FilterLine) Shows() bool { return f.typing || f.Query() != "" }

// Query returns what was typed.
func (f *FilterLine) Query() string { return f.in.String() }

// Filter returns the filter; while what is typed is none, the last one that was.
func (f *FilterLine) Filter() Filter { return f.filter }

// Err says why what is typed is no filter.
func (f *FilterLine) Err() error { return f.err }

// Set replaces what was typed, and keeps it.
func (f *FilterLine) Set(q string) {
	f.in.set(q)
	f.typing = false
	f.parse()
}

// Clear takes the filter away and closes the line. It reports whether there was
// anything to clear.
func (f *FilterLine) Clear() bool {
	if !f.Shows() {
		return false
	}
	f.Set("")
	return true
}

func (f *FilterLine) parse() {
	filter, err := ParseFilter(f.in.String(), f.fields)
	if f.err = err; err == nil {
		f.filter = filter
	}
}

// SetCount tells how many of how many rows the filter lets through.
func (f *FilterLine) SetCount(shown, total int) { f.shown, f.total = shown, total }

// KeyMsg takes a key while somebody types, and reports whether it did, and
// whether the list must be filtered again. Esc clears, enter keeps; up and down
// stay the list's.
func (f *FilterLine) KeyMsg(k tea.KeyMsg) (took, changed bool) {
	if !f.typing {
		return false, false
	}
	switch {
	case k.Type == tea.KeyEsc:
		changed = f.in.String() != ""
		f.Clear()
		return true, changed
	case k.Type == tea.KeyEnter && !k.Paste:
		f.typing = false
		return true, false
	}
	took, changed = f.in.key(k)
	if changed {
		f.parse()
	}
	return took, changed
}

// Say tells in words what is shown: "filter, 12 of 128".
func (f *FilterLine) Say() string {
	switch {
	case !f.Shows():
		return ""
	case f.err != nil:
		return "filter, " + f.trouble()
	}
	return "filter, " + f.count()
}

// count says how many rows there are, and the way out where there are none.
func (f *FilterLine) count() string {
	s := fmt.Sprintf("%s of %s", text.Number(f.shown), text.Number(f.total))
	if f.shown == 0 && f.total > 0 && !f.filter.Any() {
		s += ", esc clears the filter"
	}
	return s
}

func (f *FilterLine) trouble() string {
	var e *fault.Error
	if errors.As(f.err, &e) && e.Hint != "" {
		return e.Msg + "; " + e.Hint
	}
	return f.err.Error()
}

// View draws the line in w cells; it is empty where nothing shows.
func (f *FilterLine) View(w int) string {
	if !f.Shows() || w <= 0 {
		return blank(w)
	}
	th := f.ink.th
	note, style := f.count(), th.Dim
	if f.err != nil {
		note, style = th.Alert+" "+f.trouble(), th.Bad
	}
	const least = 12 // of what is typed
	note = f.ink.cut(note, max(w-least-4, 0))
	room := w - 2
	if note != "" {
		room -= text.Width(note) + 2
	}
	var b strings.Builder
	f.ink.put(&b, th.Key, "/")
	b.WriteString(" " + f.in.view(f.ink, max(room, 0), f.typing))
	if note != "" {
		b.WriteString("  ")
		f.ink.put(&b, style, note)
	}
	return Clip(b.String(), w)
}

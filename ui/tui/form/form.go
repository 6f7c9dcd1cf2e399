package form

import (
	"slices"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"aivault/ui/tui/action"
	"aivault/ui/tui/text"
	"aivault/ui/tui/view"
)

// A Form is fields, and what is done with what was filled in. It is a
// view.Screen; a page that embeds one sets Owner to itself.
type Form struct {
	Owner view.Screen // what closes when the form does; nil: the form
	Intro string      // sentences above the fields
	Verb  string      // what saving is here, for the footer: "store"
	// Submit does it. It is called once until Done or Failed was; if it returns
	// nil, nothing was sent, and the page said why.
	Submit func() tea.Cmd
	// Abort, if there is one, ends what Submit began, when people do not want to
	// wait for it.
	Abort func() tea.Cmd
	// Hint returns what the fields mean just now, styled, in lines of at most w
	// cells. It shows beside the fields where there is room, else below, and is
	// called for each frame.
	Hint func(w int) []string
	// Width is how wide the form likes to be as a dialog; 0: 72 cells.
	Width int
	// Blurred says that the focus is not in the form, as on a page with other
	// panes: no field shows a cursor then.
	Blurred bool
	// Beside is how wide the form must be, in cells, for labels to stand beside
	// their fields and not above; 0: 56.
	Beside int

	host    *view.Host
	title   string
	fields  []Field
	known   []Field // and those that were there: they are wiped too
	at      int
	sending bool
	since   time.Time
	done    bool
	problem string // what went wrong, in words

	top    int   // the first row that shows
	follow bool  // the focus is to be seen
	rows   []row // of the last View
	wide   int   // of the rows, in cells
}

// New returns a form with fields, of which there is one at least.
func New(host *view.Host, title string, fields ...Field) *Form {
	f := &Form{host: host, title: title, follow: true}
	f.SetFields(fields...)
	return f
}

// SetFields changes which fields there are. The focus stays where it is if its
// field does.
func (f *Form) SetFields(fields ...Field) {
	var old Field
	if f.at < len(f.fields) {
		old = f.fields[f.at]
	}
	f.fields = fields
	for _, field := range fields {
		if !slices.Contains(f.known, field) {
			f.known = append(f.known, field)
		}
	}
	if f.at = slices.Index(fields, old); f.at < 0 {
		f.at = 0
	}
	f.follow = true
}

// Focus gives a field the focus.
func (f *Form) Focus(field Field) {
	if i := slices.Index(f.fields, field); i >= 0 {
		f.enter(i, false)
	}
}

// Focused is the field with the focus.
func (f *Form) Focused() Field { return f.fields[f.at] }

// Sending reports whether Submit is under way.
func (f *Form) Sending() bool { return f.sending }

// Title is the title.
func (f *Form) Title() string { return text.Line(f.title) }

// Load does nothing: what is in the form is of the person who fills it in.
func (f *Form) Load() tea.Cmd { return nil }

// Captures reports that what is typed is text.
func (f *Form) Captures() bool { return true }

// Dirty reports whether something would be lost.
func (f *Form) Dirty() bool {
	return !f.done && slices.ContainsFunc(f.fields, Field.Dirty)
}

// Close wipes the fields.
func (f *Form) Close() {
	for _, field := range f.known {
		field.Wipe()
	}
}

// Done ends a Submit that went well: nothing would be lost now, and secrets are
// wiped.
func (f *Form) Done() {
	f.sending, f.done, f.problem = false, true, ""
	f.Close()
}

// Forget wipes what must not stay while nobody is there, and says why in the
// fields that it was in.
func (f *Form) Forget(why string) {
	for _, field := range f.known {
		if s, ok := field.(*Secret); ok && s.Dirty() {
			s.Wipe()
			s.SetError(why)
		}
	}
}

// Failed ends a Submit that went wrong, and says how, below the field that it
// is about, or below all. Everything that was typed is still there.
func (f *Form) Failed(err error, field Field) {
	f.sending, f.problem = false, ""
	if i := slices.Index(f.fields, field); i >= 0 {
		f.enter(i, false)
		field.SetError(words(err))
		return
	}
	f.problem = words(err)
}

// Save submits the form, unless that is under way already or a field is not
// right: the first of these then has the focus.
func (f *Form) Save() tea.Cmd {
	if f.sending || f.done || f.Submit == nil {
		return nil
	}
	f.problem = ""
	first := -1
	for i, field := range f.fields {
		err := field.Check()
		field.SetError(words(err))
		if err != nil && first < 0 {
			first = i
		}
	}
	if first >= 0 {
		if first != f.at { // where it is already, it stays in its place
			f.enter(first, false)
		}
		f.follow = true
		return nil
	}
	f.sending, f.since = true, f.host.Now()
	cmd := f.Submit()
	if cmd == nil {
		f.sending = false
	}
	return cmd
}

// Next moves the focus on, within a field that has several places first; the
// last field is followed by the first one.
func (f *Form) Next() tea.Cmd { return f.move(false, true) }

// Prev moves the focus back.
func (f *Form) Prev() tea.Cmd { return f.move(true, true) }

func (f *Form) move(back, around bool) tea.Cmd {
	if f.sending {
		return nil
	}
	f.follow = true
	if s, ok := f.fields[f.at].(stepper); ok {
		if cmd, stays := s.Step(back); stays {
			return cmd
		}
	}
	to, n := f.at+1, len(f.fields)
	if back {
		to = f.at - 1
	}
	if around {
		to = (to + n) % n
	}
	if to < 0 || to >= n || to == f.at {
		return nil
	}
	left := f.fields[f.at]
	if left.Dirty() && left.Error() == "" {
		left.SetError(words(left.Check()))
	}
	f.enter(to, back)
	return nil
}

func (f *Form) enter(i int, back bool) {
	f.at, f.follow = i, true
	if e, ok := f.fields[i].(enterer); ok {
		e.Enter(back)
	}
}

// Key gives a key to the field with the focus. What that does not take moves
// the focus: enter to the next field, and from the last one it saves.
func (f *Form) Key(k tea.KeyMsg) tea.Cmd {
	if f.sending || f.done {
		return nil
	}
	f.follow = true
	cmd, taken := f.fields[f.at].Key(k)
	if taken || k.Paste {
		return cmd
	}
	switch k.String() {
	case "enter":
		if f.at == len(f.fields)-1 {
			return f.Save()
		}
		return f.move(false, false)
	case "up":
		return f.move(true, false)
	case "down":
		return f.move(false, false)
	case "pgup":
		f.scroll(-4)
	case "pgdown":
		f.scroll(4)
	}
	return cmd
}

// Cancel closes what is open within a field, or ends what is under way, or
// closes the form, asking first if something would be lost.
func (f *Form) Cancel() tea.Cmd {
	if f.sending {
		if f.Abort == nil {
			return nil
		}
		f.sending = false
		return f.Abort()
	}
	if e, ok := f.fields[f.at].(escaper); ok && e.Escape() {
		return nil
	}
	if !f.Dirty() {
		return view.Close(f.self())
	}
	return view.Dialog(NewConfirm(f.host, Question{
		Title: f.title, Ask: "Throw away what you typed?", Yes: "Throw away", No: "Go on typing",
		Do: func() tea.Cmd { return view.Close(f.self()) },
	}))
}

func (f *Form) self() view.Screen {
	if f.Owner != nil {
		return f.Owner
	}
	return f
}

// Actions are saving, cancelling, and moving between the fields.
func (f *Form) Actions() []action.Bound {
	save := action.Bound{ID: action.Apply, Run: f.Save, Short: f.Verb}
	next, prev := action.Bound{ID: action.Next, Run: f.Next}, action.Bound{ID: action.Prev, Run: f.Prev, Hidden: true}
	cancel := action.Bound{ID: action.Cancel, Run: f.Cancel}
	if f.sending {
		const off = "it is under way"
		save.Off, next.Off, prev.Off = off, off, off
		if f.Abort == nil {
			cancel.Off = "it is under way, and is brought to its end"
		} else {
			cancel.Short = "stop waiting"
		}
	}
	return []action.Bound{save, next, prev, cancel}
}

// Say says which field has the focus, what is in it, and what is wrong with it.
func (f *Form) Say() string {
	if f.sending {
		return "under way, please wait"
	}
	field := f.fields[f.at]
	s := text.Line(field.Label()) + ", " + field.Say()
	if err := field.Error(); err != "" {
		s += ", wrong: " + text.Line(err)
	}
	return s + ", field " + text.Number(f.at+1) + " of " + text.Number(len(f.fields))
}

// wheelRows is how far a turn of the wheel goes.
const wheelRows = 3

// Mouse gives the field that was clicked the focus, and the click. The wheel
// scrolls the field that is below it, or else the form.
func (f *Form) Mouse(m tea.MouseMsg) tea.Cmd {
	i := f.top + m.Y
	if m.Y < 0 || i < 0 || i >= len(f.rows) || f.sending {
		return nil
	}
	r := f.rows[i]
	switch {
	case m.Button == tea.MouseButtonWheelUp, m.Button == tea.MouseButtonWheelDown:
		lines := wheelRows
		if m.Button == tea.MouseButtonWheelUp {
			lines = -lines
		}
		if r.field == f.at {
			if w, ok := f.fields[f.at].(roller); ok && w.Wheel(lines) {
				return nil
			}
		}
		f.scroll(lines)
	case m.Button == tea.MouseButtonLeft && m.Action == tea.MouseActionPress && r.field >= 0:
		field := f.fields[r.field]
		field.View(max(f.wide-r.x, 1), r.field == f.at) // as it was when it was clicked
		if r.field != f.at {
			f.enter(r.field, false)
		}
		if r.y >= 0 && m.X >= r.x {
			return field.Click(m.X-r.x, r.y)
		}
	}
	return nil
}

func (f *Form) scroll(lines int) {
	f.top = max(f.top+lines, 0) // View knows where the end is
	f.follow = false
}

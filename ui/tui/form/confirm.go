package form

import (
	"math"

	tea "github.com/charmbracelet/bubbletea"
	"golang.org/x/text/unicode/norm"

	"aivault/ui/tui/action"
	"aivault/ui/tui/text"
	"aivault/ui/tui/view"
)

// A Question is what a dialog asks before something is done.
type Question struct {
	Title string
	Ask   string // "Delete STRIPE_KEY of web-shop/payments?"
	// Consequences are what will be so afterwards, one sentence each.
	Consequences []string
	Yes          string // what it does, a verb: "Delete"
	No           string // empty: "Cancel"
	Danger       bool   // it destroys something, or cannot be taken back
	Do           func() tea.Cmd
}

// NewConfirm returns a dialog that asks. The button that does nothing has the
// focus.
func NewConfirm(host *view.Host, q Question) *Choose {
	no := q.No
	if no == "" {
		no = "Cancel"
	}
	c := NewChoose(host, q.Title, "", Button{Label: no}, Button{Label: q.Yes, Danger: q.Danger, Do: q.Do})
	c.body = q.body(host)
	return c
}

// body says what is asked, and what follows from it.
func (q Question) body(host *view.Host) func(w int) []string {
	return func(w int) []string {
		th := host.Theme
		lines := wrapped(th.Strong, q.Ask, w)
		if len(q.Consequences) > 0 {
			lines = append(lines, "")
		}
		style, glyph := th.Text, th.Dot
		if q.Danger {
			style, glyph = th.Warn, th.Alert
		}
		for _, s := range q.Consequences {
			lines = append(lines, marked(style, glyph, s, w)...)
		}
		return lines
	}
}

// A TypedConfirm is a dialog that asks for a name to be typed before it does
// something that many things depend on.
type TypedConfirm struct {
	*Choose
	name  string
	field *Text
}

// NewTypedConfirm returns a dialog that asks, and wants the name of what it is
// about.
func NewTypedConfirm(host *view.Host, q Question, name string) *TypedConfirm {
	d := &TypedConfirm{Choose: NewConfirm(host, q), name: name, field: NewText(host.Theme, "Name", "")}
	d.elsewhere = true
	d.buttons[1].Off = func() string {
		if d.matches() {
			return ""
		}
		return "what was typed is not " + text.Cut(name, 40)
	}
	asked := d.body
	d.body = func(w int) []string {
		th := host.Theme
		lines := append(asked(w), "")
		lines = append(lines, wrapped(th.Text, "To go on, type: "+name, w)...)
		return append(lines, d.field.View(w, d.elsewhere)...)
	}
	return d
}

// matches reports whether the name was typed: the same characters, however they
// are composed, or such as show the same.
func (d *TypedConfirm) matches() bool {
	typed := d.field.Value()
	return norm.NFC.String(typed) == norm.NFC.String(d.name) || typed != "" && text.Line(typed) == text.Line(d.name)
}

// Actions are moving between the field and the buttons, and closing.
func (d *TypedConfirm) Actions() []action.Bound {
	return []action.Bound{
		{ID: action.Next, Run: func() tea.Cmd { return d.next(false) }},
		{ID: action.Prev, Run: func() tea.Cmd { return d.next(true) }, Hidden: true},
		{ID: action.Cancel, Run: func() tea.Cmd { return view.Close(d) }},
	}
}

// next goes through the field and the buttons.
func (d *TypedConfirm) next(back bool) tea.Cmd {
	d.refused = ""
	last := len(d.buttons) - 1
	switch {
	case d.elsewhere && back:
		d.elsewhere, d.at = false, last
	case d.elsewhere:
		d.elsewhere, d.at = false, 0
	case back && d.at == 0, !back && d.at == last:
		d.elsewhere = true
	case back:
		d.at--
	default:
		d.at++
	}
	return nil
}

// Key types the name. Enter in the field goes to the button, once the name is
// right; only there it does something.
func (d *TypedConfirm) Key(k tea.KeyMsg) tea.Cmd {
	if !d.elsewhere {
		switch k.String() {
		case "up":
			d.elsewhere, d.refused = true, ""
			return nil
		case "down":
			return nil
		}
		return d.key(k, d)
	}
	switch k.String() {
	case "enter", "down":
		if d.refused = d.buttons[1].Off(); d.refused == "" {
			d.elsewhere, d.at = false, 1
		}
		return nil
	}
	d.refused = ""
	if s := k.String(); s == "pgup" || s == "pgdown" {
		return d.key(k, d)
	}
	d.top = math.MaxInt32 // the field is at the end
	cmd, _ := d.field.Key(k)
	return cmd
}

// Mouse presses the button that was clicked.
func (d *TypedConfirm) Mouse(m tea.MouseMsg) tea.Cmd { return d.mouse(m, d) }

// Say is the button with the focus, or what was typed.
func (d *TypedConfirm) Say() string {
	if !d.elsewhere || d.refused != "" {
		return d.Choose.Say()
	}
	if d.matches() {
		return "name typed, enter goes to the button"
	}
	return "type the name, so far " + d.field.Say()
}

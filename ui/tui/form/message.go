package form

import (
	tea "github.com/charmbracelet/bubbletea"

	"aivault/keys/fault"
	"aivault/ui/tui/action"
	"aivault/ui/tui/text"
	"aivault/ui/tui/view"
)

// A Message is a dialog about something that went wrong: what, why, and what to
// do next. Enter shows the rest.
type Message struct {
	*Choose
	err    error
	detail bool
}

// NewMessage returns a dialog about an error. What is what was tried: "storing
// STRIPE_KEY"; retry, unless nil, is offered.
func NewMessage(host *view.Host, what string, err error, retry func() tea.Cmd) *Message {
	m := &Message{err: err}
	buttons := []Button{{Label: "Close"}}
	if retry != nil {
		buttons = append(buttons, Button{Label: "Try again", Do: retry})
	}
	m.Choose = NewChoose(host, "This did not work", "", buttons...)
	m.body = func(w int) []string { return m.say(what, w) }
	return m
}

func (m *Message) say(what string, w int) []string {
	th := m.host.Theme
	msg, cause, hint := parts(m.err)
	lines := marked(th.Bad, th.Fail, what+": "+msg, w)
	if cause != "" {
		lines = append(lines, wrapped(th.Text, "Because: "+cause, w)...)
	}
	if hint != "" {
		lines = append(lines, wrapped(th.Strong, "Next: "+hint, w)...)
	}
	lines = append(lines, "")
	if !m.detail {
		return append(lines, wrapped(th.Dim, "enter shows the code and all that is known, esc closes", w)...)
	}
	lines = append(lines, wrapped(th.Text, "Code: "+string(fault.CodeOf(m.err)), w)...)
	return append(lines, wrapped(th.Text, "In full: "+m.err.Error(), w)...)
}

// parts takes an error apart: what happened, why, and what to do next. Of an
// error that is not ours, the text is for the detail only.
func parts(err error) (msg, cause, hint string) {
	e, known := ours(err)
	if !known {
		switch fault.CodeOf(err) {
		case fault.Timeout:
			return "it took too long", "", "try again"
		case fault.Canceled:
			return "it was stopped", "", ""
		}
		return "something happened that aivault has no words for", "", ""
	}
	msg = e.Msg
	if e.Err != nil {
		cause = e.Err.Error()
	}
	if msg == "" {
		msg, cause = cause, ""
	}
	return msg, cause, fault.HintOf(err)
}

// Actions are those of the buttons.
func (m *Message) Actions() []action.Bound {
	next := m.Choose.Actions()
	for i := range next {
		if next[i].ID == action.Cancel {
			next[i].Run, next[i].Short = func() tea.Cmd { return view.Close(m) }, "close"
		}
	}
	return next
}

// Key shows the detail with the first enter; after that, and on the other
// buttons, enter presses.
func (m *Message) Key(k tea.KeyMsg) tea.Cmd {
	if k.String() == "enter" && m.at == 0 && !m.detail {
		m.detail = true
		return nil
	}
	return m.key(k, m)
}

// Mouse presses the button that was clicked.
func (m *Message) Mouse(e tea.MouseMsg) tea.Cmd { return m.mouse(e, m) }

// Say is what happened.
func (m *Message) Say() string {
	msg, _, _ := parts(m.err)
	if m.at > 0 {
		return m.Choose.Say()
	}
	return text.Line(msg) + "; enter for detail, esc closes"
}

package form

import (
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/charmbracelet/bubbles/cursor"
	"github.com/charmbracelet/bubbles/key"
	"github.com/charmbracelet/bubbles/textinput"
	tea "github.com/charmbracelet/bubbletea"

	"aivault/ui/tui/text"
	"aivault/ui/tui/theme"
)

// defaultLimit is how much a line of text holds, in characters.
const defaultLimit = 4096

// offered is how many suggestions show at once.
const offered = 5

// A Text is one line of text. What is pasted into it becomes one line.
type Text struct {
	base
	Placeholder string             // shows while the field is empty
	Validate    func(string) error // what is wrong with a text; nil: nothing ever
	// Suggest returns texts that could be meant by what was typed, the best one
	// first.
	Suggest func(typed string) []string

	edit  textinput.Model
	caret caret
	from  func(value string) int // where what is suggested begins, in bytes
	first string

	offers []string
	pick   int // the offer under the cursor; -1: none
	top    int // the first offer that shows
}

// NewText returns a field with a text in it.
func NewText(th *theme.Theme, label, value string) *Text {
	t := &Text{base: base{th: th, label: label}, edit: textinput.New(), pick: -1, from: func(string) int { return 0 }}
	t.edit.CharLimit = defaultLimit
	// A terminal pastes by itself, and ctrl+h is what some send for backspace.
	t.edit.KeyMap.Paste = key.NewBinding(key.WithDisabled())
	t.edit.KeyMap.DeleteCharacterBackward.SetKeys("backspace")
	t.edit.Cursor.SetMode(cursor.CursorStatic)
	t.edit.Focus()
	t.SetValue(value)
	return t
}

// Value is what is in the field.
func (t *Text) Value() string { return t.edit.Value() }

// SetValue puts a text into the field, which is then not dirty.
func (t *Text) SetValue(s string) {
	t.edit.SetValue(s)
	t.edit.CursorEnd()
	t.first, t.err = t.edit.Value(), ""
	t.close()
}

// SetLimit limits the text to n characters.
func (t *Text) SetLimit(n int) { t.edit.CharLimit = n }

// Dirty reports whether the text is another one than that which was put in.
func (t *Text) Dirty() bool { return t.edit.Value() != t.first }

// Check is Validate.
func (t *Text) Check() error {
	if t.Validate == nil {
		return nil
	}
	return t.Validate(t.Value())
}

// Say is the text.
func (t *Text) Say() string {
	s := said(t.Value())
	switch n := len(t.offers); {
	case t.pick >= 0:
		s += ", suggested: " + said(t.offers[t.pick])
	case n > 0:
		s += ", " + text.Plural(n, "suggestion")
	}
	return s
}

// Key edits the text.
func (t *Text) Key(k tea.KeyMsg) (tea.Cmd, bool) {
	switch k.String() {
	case "up", "down":
		return nil, t.choose(k.Type == tea.KeyDown)
	case "enter":
		if t.pick < 0 {
			t.close()
			return nil, false
		}
		return t.complete(), true
	}
	if k.Alt && k.Type == tea.KeyRunes && !key.Matches(k, t.edit.KeyMap.WordForward, t.edit.KeyMap.WordBackward, t.edit.KeyMap.DeleteWordForward) {
		return nil, false // what no keyboard of ours sends is not typed
	}
	if k.Paste {
		return t.paste(k), true
	}
	old, pos := t.edit.Value(), t.edit.Position()
	full := t.full()
	t.edit, _ = t.edit.Update(k)
	if t.edit.Value() != old {
		return t.edited(), true
	}
	if full && (k.Type == tea.KeyRunes || k.Type == tea.KeySpace) {
		t.err = "it holds no more than " + text.Plural(t.edit.CharLimit, "character")
	}
	return nil, t.edit.Position() != pos || k.Type == tea.KeyRunes || k.Type == tea.KeySpace
}

func (t *Text) full() bool {
	return t.edit.CharLimit > 0 && utf8.RuneCountInString(t.edit.Value()) >= t.edit.CharLimit
}

// paste puts in what was pasted. A line end at its end is no part of it.
func (t *Text) paste(k tea.KeyMsg) tea.Cmd {
	end := len(k.Runes)
	for end > 0 && (k.Runes[end-1] == '\n' || k.Runes[end-1] == '\r') {
		end--
	}
	k.Runes = slices.Clone(k.Runes[:end]) // the input changes what it is given
	before := utf8.RuneCountInString(t.edit.Value())
	t.edit, _ = t.edit.Update(k)
	cmd := t.edited()
	if lost := end - (utf8.RuneCountInString(t.edit.Value()) - before); lost > 0 {
		t.err = text.Plural(lost, "character") + " of the paste left out: control characters, or more than fits"
	}
	return cmd
}

// edited finds what could be meant by what is there now.
func (t *Text) edited() tea.Cmd {
	t.close()
	if t.Suggest != nil {
		v := t.Value()
		typed := v[t.from(v):]
		for _, s := range t.Suggest(typed) {
			if s != typed {
				t.offers = append(t.offers, s)
			}
		}
	}
	return t.changed()
}

// choose moves the cursor in what is suggested.
func (t *Text) choose(down bool) bool {
	switch {
	case len(t.offers) == 0, !down && t.pick < 0:
		return false
	case down:
		t.pick = min(t.pick+1, len(t.offers)-1)
	default:
		t.pick--
	}
	if t.pick >= 0 {
		t.top = min(max(t.top, t.pick-offered+1), t.pick)
	}
	return true
}

// complete takes the suggestion under the cursor.
func (t *Text) complete() tea.Cmd {
	v := t.Value()
	t.edit.SetValue(v[:t.from(v)] + t.offers[t.pick])
	t.edit.CursorEnd()
	t.close()
	return t.changed()
}

func (t *Text) close() { t.offers, t.pick, t.top = nil, -1, 0 }

// Step takes the suggestion under the cursor, if there is one.
func (t *Text) Step(back bool) (tea.Cmd, bool) {
	if t.pick < 0 || back {
		t.close()
		return nil, false
	}
	return t.complete(), true
}

// Escape closes the suggestions.
func (t *Text) Escape() bool {
	open := len(t.offers) > 0
	t.close()
	return open
}

// CursorLine is the line of the suggestion under the cursor, or of the text.
func (t *Text) CursorLine() int {
	if t.pick < 0 {
		return 0
	}
	return t.pick - t.top + 1
}

// Click puts the cursor where the click was, or takes a suggestion.
func (t *Text) Click(x, y int) tea.Cmd {
	if i := t.top + y - 1; y > 0 && i < len(t.offers) {
		t.pick = i
		return t.complete()
	}
	value := []rune(t.Value())
	at := t.caret.x + x
	for i, n := 0, 0; i < len(value); i++ {
		if n += text.Width(text.Line(string(value[i]))); n > at {
			t.edit.SetCursor(i)
			return nil
		}
	}
	t.edit.CursorEnd()
	return nil
}

// View is the line, and what is suggested below it.
func (t *Text) View(w int, focused bool) []string {
	value := t.Value()
	if !focused {
		style := t.th.Field
		if value == "" {
			value, style = t.Placeholder, t.th.Dim
		}
		t.caret.x = 0
		return []string{style.Render(text.Fit(value, w))}
	}
	if value == "" && t.Placeholder != "" && w > 1 {
		return []string{cursor0(t.th) + t.th.Dim.Render(text.Fit(t.Placeholder, w-1))}
	}
	lines := []string{t.caret.draw(t.th, []rune(value), t.edit.Position(), w)}
	for i := t.top; i < min(t.top+offered, len(t.offers)); i++ {
		lead, style := "  ", t.th.Dim
		if i == t.pick {
			lead, style = t.th.Cursor0+" ", t.th.Selected
		}
		lines = append(lines, style.Render(text.Fit(lead+strings.TrimSpace(t.offers[i]), w)))
	}
	return lines
}

package form

import (
	"strings"

	tea "github.com/charmbracelet/bubbletea"

	"aivault/keys/opaque"
	"aivault/ui/tui/text"
	"aivault/ui/tui/theme"
	"aivault/vault"
)

// maskCells is how wide the mask is, whatever is behind it.
const maskCells = 6

// A Secret takes the value of a secret, or a passphrase: what is typed and
// pasted into it, byte by byte, line ends aside, which become line feeds. It
// never shows.
type Secret struct {
	base
	Validate func(value []byte) error // what is wrong with a value, which it must not keep
	Optional bool                     // nothing is a value too

	parts  []*buffer // the value, and where it is asked for twice, that
	at     int       // the part that is typed into
	phrase bool      // it is one line, and there is nothing to be said about it
	sum    string
}

// NewSecret returns a field for the value of a secret.
func NewSecret(th *theme.Theme, label string) *Secret {
	return &Secret{base: base{th: th, label: label}, parts: []*buffer{newBuffer(vault.MaxValue)}}
}

// maxPhrase is the length of the longest passphrase, in bytes.
const maxPhrase = 4096

// NewPassphrase returns a field for a passphrase: one line, and if it is a new
// one, typed again.
func NewPassphrase(th *theme.Theme, label string, again bool) *Secret {
	s := &Secret{base: base{th: th, label: label}, parts: []*buffer{newBuffer(maxPhrase)}, phrase: true}
	if again {
		s.parts = append(s.parts, newBuffer(maxPhrase))
	}
	return s
}

// Value returns a copy of the value, which the caller clears.
func (s *Secret) Value() opaque.Bytes { return opaque.Clone(s.parts[0].stored()) }

// Empty reports whether nothing was typed.
func (s *Secret) Empty() bool { return len(s.parts[0].stored()) == 0 }

// Dirty reports whether something was typed.
func (s *Secret) Dirty() bool {
	for _, v := range s.parts {
		if len(v.b) > 0 {
			return true
		}
	}
	return false
}

// Wipe overwrites the value.
func (s *Secret) Wipe() {
	for _, v := range s.parts {
		v.cut(0)
	}
	s.at, s.sum = 0, ""
}

// Check is whether there is a value, and Validate. Two that differ are both to
// be typed again.
func (s *Secret) Check() error {
	value := s.parts[0].stored()
	switch {
	case len(value) == 0 && s.Optional && !s.Dirty():
		return nil
	case len(value) == 0:
		return bad("nothing was typed yet")
	case s.phrase && s.parts[0].lines():
		s.Wipe()
		return bad("it has several lines, and must be one; type it again")
	case len(s.parts) > 1 && len(s.parts[1].b) == 0:
		s.at = 1
		return bad("type it again, to be sure of it")
	case len(s.parts) > 1 && !opaque.New(value).Equal(opaque.New(s.parts[1].stored())):
		s.Wipe()
		return bad("the two are not the same; type both again")
	case s.Validate != nil:
		return s.Validate(value)
	}
	return nil
}

// Say never says what was typed.
func (s *Secret) Say() string {
	out := "empty, will be masked"
	if v := s.parts[s.at]; len(v.b) > 0 {
		out = "masked"
		if s.at == 0 && s.sum != "" {
			out += ", " + s.sum
		}
	}
	if len(s.parts) > 1 {
		out += ", " + []string{"first", "second"}[s.at] + " time"
	}
	return out
}

// Key takes what is typed and what is pasted. It never asks for the name of a
// key that is text: that would be a string of it.
func (s *Secret) Key(k tea.KeyMsg) (tea.Cmd, bool) {
	v := s.parts[s.at]
	switch {
	case k.Paste:
		return s.add(k.Runes, true), true
	case k.Alt:
		return nil, true
	case k.Type == tea.KeyRunes:
		return s.add(k.Runes, false), true
	case k.Type == tea.KeySpace:
		return s.add([]rune{' '}, false), true
	case k.Type == tea.KeyBackspace:
		v.back()
		return s.edited(), true
	case k.Type == tea.KeyCtrlU:
		v.cut(0)
		return s.edited(), true
	// A paste that its terminal does not mark as one arrives as keys: then the
	// line end in it is no wish to go on.
	case k.Type == tea.KeyCtrlJ, k.Type == tea.KeyEnter && !s.phrase && (v.lines() || v.begins()):
		return s.add([]rune{'\n'}, false), true
	case k.Type == tea.KeyEnter:
		return s.Step(false)
	}
	return nil, false
}

func (s *Secret) add(runes []rune, paste bool) tea.Cmd {
	v := s.parts[s.at]
	n, ok := v.add(runes, paste)
	clear(runes) // the message was the last to hold them
	switch limit := text.Bytes(int64(v.limit())); {
	case ok:
		return s.edited()
	case paste:
		s.err = "the paste of " + text.Bytes(int64(n)) + " was refused: with it the value has more than " + limit
	default:
		s.err = "the value is full: it has at most " + limit
	}
	return nil
}

func (s *Secret) edited() tea.Cmd {
	s.sum = ""
	if !s.phrase {
		s.sum = s.parts[0].summary()
	}
	return s.changed()
}

// Step goes between the two times that a passphrase is typed.
func (s *Secret) Step(back bool) (tea.Cmd, bool) {
	to := s.at + 1
	if back {
		to = s.at - 1
	}
	if to < 0 || to >= len(s.parts) {
		return nil, false
	}
	s.at = to
	return nil, true
}

// Enter begins at the first time, or where something is missing; from behind,
// at the last.
func (s *Secret) Enter(back bool) {
	last := len(s.parts) - 1
	s.at = 0
	if back || len(s.parts[0].b) > 0 && len(s.parts[last].b) == 0 {
		s.at = last
	}
}

// CursorLine is the time that is typed.
func (s *Secret) CursorLine() int { return s.at }

// Click chooses which time is typed.
func (s *Secret) Click(_, y int) tea.Cmd {
	if y < len(s.parts) {
		s.at = y
	}
	return nil
}

// View is a mask, always of the same width, and what can be said about what is
// behind it.
func (s *Secret) View(w int, focused bool) []string {
	var lines []string
	for i, v := range s.parts {
		mask, note := strings.Repeat(" ", maskCells), ""
		if len(v.b) > 0 {
			mask = strings.Repeat(s.th.Mask, maskCells)
		} else if i > 0 {
			note = "the same again"
		} else if focused {
			note = "type or paste; it never shows"
		}
		line := s.th.Field.Render(text.Slice(mask, 0, max(w-1, 0)))
		end := " "
		if focused && i == s.at {
			end = cursor0(s.th)
		}
		line += end
		if room := w - maskCells - 3; note != "" && room > 0 {
			line += "  " + s.th.Dim.Render(text.Cut(note, room))
		}
		lines = append(lines, line)
	}
	switch n := text.Width(s.sum); {
	case n == 0:
	case len(lines) == 1 && n <= w-maskCells-3:
		lines[0] += "  " + s.th.Dim.Render(text.Line(s.sum))
	default:
		lines = append(lines, wrapped(s.th.Dim, s.sum, w)...)
	}
	return lines
}

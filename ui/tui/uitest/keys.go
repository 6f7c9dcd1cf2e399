package uitest

import (
	"strings"

	tea "github.com/charmbracelet/bubbletea"
)

// keyTypes are the keys that have names, as Bubble Tea has them. Several types
// share a name, as the same key of several terminals: the last one is taken.
func keyTypes() map[string]tea.KeyType {
	named := map[string]tea.KeyType{}
	for k := tea.KeyType(-100); k < 128; k++ {
		if name := k.String(); name != "" && k != tea.KeyRunes {
			named[name] = k
		}
	}
	return named
}

// KeyNamed returns the key of a name: "j", "ctrl+s", "enter", "alt+x", "space".
func KeyNamed(name string) tea.KeyMsg {
	if name == "space" || name == " " {
		return tea.KeyMsg{Type: tea.KeySpace, Runes: []rune{' '}}
	}
	if t, ok := keyTypes()[name]; ok {
		return tea.KeyMsg{Type: t}
	}
	if rest, alt := strings.CutPrefix(name, "alt+"); alt {
		k := KeyNamed(rest)
		k.Alt = true
		return k
	}
	return tea.KeyMsg{Type: tea.KeyRunes, Runes: []rune(name)}
}

// Key presses keys, by their names. After each, the program comes to rest.
func (d *Driver) Key(names ...string) *Driver {
	d.Helper()
	for _, name := range names {
		d.send(KeyNamed(name))
		d.settled()
	}
	return d
}

// Hit presses keys without waiting for what comes of them, as for a call that
// takes its time: later steps do not wait for it either.
func (d *Driver) Hit(names ...string) *Driver {
	d.Helper()
	for _, name := range names {
		d.send(KeyNamed(name))
	}
	d.step++
	if d.Styled() != "" { // it is about to end
		d.Check()
	}
	return d
}

// Type types a text, line ends as the enter key.
func (d *Driver) Type(text string) *Driver {
	d.Helper()
	for _, r := range text {
		switch r {
		case '\n':
			d.send(tea.KeyMsg{Type: tea.KeyEnter})
		case '\t':
			d.send(tea.KeyMsg{Type: tea.KeyTab})
		case ' ':
			d.send(tea.KeyMsg{Type: tea.KeySpace, Runes: []rune{' '}})
		default:
			d.send(tea.KeyMsg{Type: tea.KeyRunes, Runes: []rune{r}})
		}
		d.settled()
	}
	return d
}

// Paste pastes a text as a terminal does, whose line ends are carriage returns.
func (d *Driver) Paste(text string) *Driver {
	d.Helper()
	d.send(tea.KeyMsg{Type: tea.KeyRunes, Runes: []rune(strings.ReplaceAll(text, "\n", "\r")), Paste: true})
	d.settled()
	return d
}

// Click presses and releases the left button on a cell.
func (d *Driver) Click(x, y int) *Driver {
	d.Helper()
	for _, a := range []tea.MouseAction{tea.MouseActionPress, tea.MouseActionRelease} {
		d.send(tea.MouseMsg{X: x, Y: y, Action: a, Button: tea.MouseButtonLeft})
	}
	d.settled()
	return d
}

// Wheel turns the wheel over a cell, by n notches down, or up where n is
// negative.
func (d *Driver) Wheel(x, y, n int) *Driver {
	d.Helper()
	b := tea.MouseButtonWheelDown
	if n < 0 {
		n, b = -n, tea.MouseButtonWheelUp
	}
	for range n {
		d.send(tea.MouseMsg{X: x, Y: y, Action: tea.MouseActionPress, Button: b})
	}
	d.settled()
	return d
}

// Resize gives the window another size.
func (d *Driver) Resize(w, h int) *Driver {
	d.Helper()
	d.w, d.h = w, h
	d.send(tea.WindowSizeMsg{Width: w, Height: h})
	d.settled()
	return d
}

// Tell gives the program any other message.
func (d *Driver) Tell(msg tea.Msg) *Driver {
	d.Helper()
	d.send(msg)
	d.settled()
	return d
}

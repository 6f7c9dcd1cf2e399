package term

import (
	"reflect"
	"strconv"

	tea "github.com/charmbracelet/bubbletea"
)

// PasteRefused is sent in the place of a paste that cannot be taken as it is.
type PasteRefused struct {
	Bytes    int  // its size
	TooLarge bool // it has more than 256 KiB; otherwise it is no text in UTF-8
}

// events returns what a message of Bubble Tea's stands for: keys that came
// together one by one, focus that it did not recognise as it came with
// something else, a paste that [Input] refused. No event: nobody needs it.
func events(msg tea.Msg) []tea.Msg {
	switch msg := msg.(type) {
	case tea.KeyMsg:
		return keys(msg)
	case tea.WindowSizeMsg:
		if msg.Width <= 0 || msg.Height <= 0 { // not known yet
			return nil
		}
	default:
		// The type is Bubble Tea's own, and its text the bytes.
		if v := reflect.ValueOf(msg); v.Kind() == reflect.Slice && v.Type().Name() == "unknownCSISequenceMsg" {
			switch string(v.Bytes()) {
			case "\x1b[I":
				return []tea.Msg{tea.FocusMsg{}}
			case "\x1b[O":
				return []tea.Msg{tea.BlurMsg{}}
			}
			return nil
		}
	}
	return []tea.Msg{msg}
}

func keys(msg tea.KeyMsg) []tea.Msg {
	switch {
	case msg.Paste:
		if refused, ok := refusedPaste(msg.Runes); ok {
			clear(msg.Runes)
			return []tea.Msg{refused}
		}
	case msg.Type == tea.KeyRunes && len(msg.Runes) > 1:
		list := make([]tea.Msg, len(msg.Runes))
		for i, r := range msg.Runes {
			list[i] = tea.KeyMsg{Type: tea.KeyRunes, Runes: []rune{r}, Alt: msg.Alt}
		}
		clear(msg.Runes) // each key has its own, for whoever takes it to wipe
		return list
	case msg.Type == tea.KeyEscape && msg.Alt: // esc twice, together
		return []tea.Msg{tea.KeyMsg{Type: tea.KeyEscape}, tea.KeyMsg{Type: tea.KeyEscape}}
	}
	return []tea.Msg{msg}
}

// refusedPaste reads what filter.endPaste wrote.
func refusedPaste(runes []rune) (PasteRefused, bool) {
	const longest = 24
	tail := runes[max(len(runes)-longest, 0):]
	i := len(tail) - 1
	for i >= 0 && tail[i] != refusal {
		i--
	}
	if i < 0 || i+1 >= len(tail) {
		return PasteRefused{}, false
	}
	n, err := strconv.Atoi(string(tail[i+2:]))
	return PasteRefused{Bytes: n, TooLarge: tail[i+1] == refusedLarge}, err == nil
}

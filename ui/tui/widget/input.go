package widget

import (
	"strings"
	"unicode"

	tea "github.com/charmbracelet/bubbletea"

	"aivault/ui/tui/text"
)

// An input is a line of text that is typed to find something.
type input struct {
	runes []rune
	at    int // where the next rune goes
}

// maxInput is how many runes a search can have.
const maxInput = 256

func (in *input) String() string { return string(in.runes) }

func (in *input) set(s string) { in.runes, in.at = []rune(s), len([]rune(s)) }

// key takes a key that edits the line, and reports whether it is one, and
// whether the text is another one now.
func (in *input) key(k tea.KeyMsg) (took, changed bool) {
	n := len(in.runes)
	switch k.Type {
	case tea.KeyRunes, tea.KeySpace:
		if k.Alt && !k.Paste {
			return false, false
		}
		in.insert(k.Runes)
		return true, len(in.runes) != n
	case tea.KeyLeft, tea.KeyCtrlB:
		in.at = max(in.at-1, 0)
	case tea.KeyRight, tea.KeyCtrlF:
		in.at = min(in.at+1, n)
	case tea.KeyHome, tea.KeyCtrlA:
		in.at = 0
	case tea.KeyEnd, tea.KeyCtrlE:
		in.at = n
	case tea.KeyBackspace, tea.KeyCtrlH:
		in.cut(in.at-1, in.at)
	case tea.KeyDelete:
		in.cut(in.at, in.at+1)
	case tea.KeyCtrlU:
		in.cut(0, in.at)
	case tea.KeyCtrlK:
		in.cut(in.at, n)
	case tea.KeyCtrlW:
		in.cut(in.word(), in.at)
	default:
		return false, false
	}
	return true, len(in.runes) != n
}

// insert puts in what was typed or pasted, of which a line break is a space.
func (in *input) insert(runes []rune) {
	var add []rune
	for _, r := range runes {
		if unicode.IsControl(r) {
			r = ' '
		}
		add = append(add, r)
	}
	add = add[:max(min(len(add), maxInput-len(in.runes)), 0)]
	in.runes = append(in.runes[:in.at:in.at], append(add, in.runes[in.at:]...)...)
	in.at += len(add)
}

func (in *input) cut(from, to int) {
	from, to = max(from, 0), min(to, len(in.runes))
	if from < to {
		in.runes = append(in.runes[:from:from], in.runes[to:]...)
		in.at = from
	}
}

// word returns where the word before the cursor begins.
func (in *input) word() int {
	i := in.at
	for i > 0 && in.runes[i-1] == ' ' {
		i--
	}
	for i > 0 && in.runes[i-1] != ' ' {
		i--
	}
	return i
}

// view draws the line in w cells, with the cursor where typing goes in it.
func (in *input) view(k *ink, w int, typing bool) string {
	form := func(r []rune) string { return k.line(string(r)) }
	if !typing {
		return text.Pad(k.cut(in.String(), w), w)
	}
	before, under, after := form(in.runes[:in.at]), " ", ""
	if in.at < len(in.runes) {
		under, after = form(in.runes[in.at:in.at+1]), form(in.runes[in.at+1:])
	}
	if k.th.Dumb && strings.TrimSpace(under) == "" {
		under = "_"
	}
	x := max(text.Width(before)+max(text.Width(under), 1)-w, 0)
	return Clip(k.paint(k.th.Field, text.Slice(before, x, w))+k.paint(k.th.Cursor, under)+k.paint(k.th.Field, after), w)
}

package form

import (
	"slices"
	"unicode/utf8"

	tea "github.com/charmbracelet/bubbletea"

	"aivault/ui/tui/text"
	"aivault/ui/tui/theme"
)

// areaLimit is how much an Area holds, in bytes, unless it is told otherwise.
const areaLimit = 1 << 20

// An Area is an editor of many lines, such as the body of a request. What is
// pasted stays as it is, line ends aside, which become line feeds. Lines are
// not wrapped.
type Area struct {
	base
	Rows     int                // how many lines show
	Limit    int                // how many bytes it holds
	Validate func([]byte) error // what is wrong with the text; it shows as it is typed

	lines    [][]rune // never none
	row, col int      // of the cursor, in runes
	want     int      // the cell that up and down aim at; -1: that of the cursor
	top, x   int      // the first line that shows, and the first cell
	size     int      // in bytes, with line feeds
	first    string
	stale    bool // Validate was not asked since the last change
	verdict  string
	ruler    ruler
}

// NewArea returns an editor with a text in it.
func NewArea(th *theme.Theme, label, value string) *Area {
	a := &Area{base: base{th: th, label: label}, Rows: 6, Limit: areaLimit, ruler: ruler{}}
	a.SetValue(value)
	return a
}

// SetValue puts a text into the editor, which is then not dirty.
func (a *Area) SetValue(s string) {
	a.lines, a.row, a.col, a.top, a.x, a.want = [][]rune{nil}, 0, 0, 0, 0, -1
	a.size = 0
	a.insert([]rune(s))
	a.row, a.col = 0, 0
	a.first, a.dirty, a.err, a.stale = a.Value(), false, "", true
}

// Value is the text.
func (a *Area) Value() string { return string(a.Bytes()) }

// Bytes is the text.
func (a *Area) Bytes() []byte {
	b := make([]byte, 0, a.size)
	for i, line := range a.lines {
		if i > 0 {
			b = append(b, '\n')
		}
		for _, r := range line {
			b = utf8.AppendRune(b, r)
		}
	}
	return b
}

// Dirty reports whether the text is another one than that which was put in.
func (a *Area) Dirty() bool {
	return a.dirty && (a.size != len(a.first) || a.Value() != a.first)
}

// Check is Validate.
func (a *Area) Check() error {
	if a.Validate == nil {
		return nil
	}
	return a.Validate(a.Bytes())
}

// Error is what was said about the field, or else what Validate says.
func (a *Area) Error() string {
	if a.stale {
		a.stale, a.verdict = false, words(a.Check())
	}
	if a.err != "" {
		return a.err
	}
	return a.verdict
}

// Say is where the cursor is.
func (a *Area) Say() string {
	if a.size == 0 {
		return "empty"
	}
	return "line " + text.Number(a.row+1) + " of " + text.Number(len(a.lines)) + ", column " + text.Number(a.col+1)
}

// runesSize is how many bytes runes have in UTF-8.
func runesSize(runes []rune) (n int) {
	for _, r := range runes {
		n += runeSize(r)
	}
	return n
}

// runeSize is how many bytes a rune has; what is none becomes a replacement
// character.
func runeSize(r rune) int {
	if n := utf8.RuneLen(r); n > 0 {
		return n
	}
	return utf8.RuneLen(utf8.RuneError)
}

// Key edits the text and moves the cursor.
func (a *Area) Key(k tea.KeyMsg) (tea.Cmd, bool) {
	if k.Paste || k.Type == tea.KeyRunes || k.Type == tea.KeySpace {
		if k.Alt && !k.Paste {
			return nil, true
		}
		runes := k.Runes
		if k.Type == tea.KeySpace {
			runes = []rune{' '}
		}
		return a.put(runes), true
	}
	switch k.String() {
	case "enter", "ctrl+j":
		return a.put([]rune{'\n'}), true
	case "backspace":
		return a.remove(a.before(1)), true
	case "delete":
		row, col := a.row, a.col
		a.step(1)
		return a.remove(row, col), true
	case "ctrl+w", "alt+backspace":
		return a.remove(a.row, a.wordBefore()), true
	case "ctrl+u":
		return a.remove(a.row, 0), true
	case "ctrl+k":
		col := a.col
		a.col = len(a.lines[a.row])
		return a.remove(a.row, col), true
	}
	return nil, a.move(k.String())
}

// put inserts runes at the cursor if there is room for all of them.
func (a *Area) put(runes []rune) tea.Cmd {
	if n := runesSize(runes); a.size+n > a.Limit {
		a.err = text.Bytes(int64(n)) + " more do not fit: at most " + text.Bytes(int64(a.Limit))
		return nil
	}
	a.insert(runes)
	return a.edited()
}

func (a *Area) edited() tea.Cmd {
	a.want, a.stale = -1, true
	return a.changed()
}

// insert inserts runes at the cursor, and moves that behind them.
func (a *Area) insert(runes []rune) {
	var added [][]rune
	from := 0
	end := func(i int) { added, from = append(added, slices.Clone(runes[from:i])), i+1 }
	for i, r := range runes {
		switch {
		case r == '\r':
			end(i)
		case r == '\n' && i > 0 && runes[i-1] == '\r':
			from = i + 1
		case r == '\n':
			end(i)
		}
	}
	end(len(runes))
	for i, line := range added {
		a.size += runesSize(line) + min(i, 1)
	}
	line := a.lines[a.row]
	if len(added) == 1 {
		a.lines[a.row] = slices.Insert(line, a.col, added[0]...)
		a.col += len(added[0])
		return
	}
	last := len(added) - 1
	col := len(added[last])
	added[last] = append(added[last], line[a.col:]...)
	a.lines[a.row] = append(line[:a.col:a.col], added[0]...)
	a.lines = slices.Insert(a.lines, a.row+1, added[1:]...)
	a.row, a.col = a.row+last, col
}

// remove takes away what is between a place and the cursor behind it, which
// moves there.
func (a *Area) remove(row, col int) tea.Cmd {
	if row == a.row && col == a.col {
		return nil
	}
	line, end := a.lines[row], a.lines[a.row]
	if row == a.row {
		a.size -= runesSize(line[col:a.col])
		a.lines[row] = slices.Delete(line, col, a.col)
	} else { // the line end between two lines: never more
		a.size--
		a.lines[row] = append(line[:col:col], end[a.col:]...)
		a.lines = slices.Delete(a.lines, row+1, a.row+1)
	}
	a.row, a.col = row, col
	return a.edited()
}

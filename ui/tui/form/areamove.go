package form

import (
	"strings"
	"unicode"
)

// before is the place n runes before the cursor, in its line or at the end of
// the line above.
func (a *Area) before(n int) (row, col int) {
	switch {
	case a.col >= n:
		return a.row, a.col - n
	case a.row > 0:
		return a.row - 1, len(a.lines[a.row-1])
	}
	return 0, 0
}

// step moves the cursor by a rune or a line end, and reports whether it could.
func (a *Area) step(by int) bool {
	switch {
	case by < 0:
		row, col := a.row, a.col
		a.row, a.col = a.before(1)
		return row != a.row || col != a.col
	case a.col < len(a.lines[a.row]):
		a.col++
	case a.row < len(a.lines)-1:
		a.row, a.col = a.row+1, 0
	default:
		return false
	}
	return true
}

// wordBefore is where the word before the cursor begins.
func (a *Area) wordBefore() int {
	line, i := a.lines[a.row], a.col
	for i > 0 && !letter(line[i-1]) {
		i--
	}
	for i > 0 && letter(line[i-1]) {
		i--
	}
	return i
}

func (a *Area) wordAfter() int {
	line, i := a.lines[a.row], a.col
	for i < len(line) && !letter(line[i]) {
		i++
	}
	for i < len(line) && letter(line[i]) {
		i++
	}
	return i
}

func letter(r rune) bool {
	return unicode.IsLetter(r) || unicode.IsDigit(r) || strings.ContainsRune("_-", r)
}

// move moves the cursor, and reports whether the key does that. Up and down at
// the ends of the text lead out of the field.
func (a *Area) move(key string) bool {
	page := max(a.Rows-1, 1)
	switch key {
	case "up":
		return a.vertical(-1)
	case "down":
		return a.vertical(1)
	case "pgup":
		a.vertical(-min(page, a.row))
		return true
	case "pgdown":
		a.vertical(min(page, len(a.lines)-1-a.row))
		return true
	}
	switch key {
	case "left":
		a.step(-1)
	case "right":
		a.step(1)
	case "home", "ctrl+a":
		a.col = 0
	case "end", "ctrl+e":
		a.col = len(a.lines[a.row])
	case "ctrl+left", "alt+left", "alt+b":
		a.col = a.wordBefore()
	case "ctrl+right", "alt+right", "alt+f":
		a.col = a.wordAfter()
	case "ctrl+home":
		a.row, a.col = 0, 0
	case "ctrl+end":
		a.row = len(a.lines) - 1
		a.col = len(a.lines[a.row])
	default:
		return false
	}
	a.want = -1
	return true
}

// vertical moves by lines, in the cell that the cursor came from.
func (a *Area) vertical(by int) bool {
	to := a.row + by
	if to < 0 || to >= len(a.lines) {
		return false
	}
	if a.want < 0 {
		a.want = a.ruler.width(a.lines[a.row][:a.col])
	}
	a.row = to
	a.col, _ = a.ruler.at(a.lines[to], a.want)
	return true
}

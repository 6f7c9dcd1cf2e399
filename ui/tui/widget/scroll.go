package widget

import tea "github.com/charmbracelet/bubbletea"

// KeyMsg takes a key that scrolls, and reports whether it is one.
func (v *Viewer) KeyMsg(k tea.KeyMsg) bool {
	switch k.String() {
	case "j", "down":
		v.scroll(1)
	case "k", "up":
		v.scroll(-1)
	case "ctrl+d":
		v.scroll(max(v.h/2, 1))
	case "ctrl+u":
		v.scroll(-max(v.h/2, 1))
	case "pgdown":
		v.scroll(max(v.h-1, 1))
	case "pgup":
		v.scroll(-max(v.h-1, 1))
	case "g", "home":
		v.Top()
	case "G", "end":
		line, row := v.last()
		v.goTo(line, row)
		v.tail = v.stream
	case "right":
		v.pan(panStep)
	case "left":
		v.pan(-panStep)
	default:
		return false
	}
	return true
}

// panStep is how many cells a key scrolls sideways.
const panStep = 8

// pan scrolls sideways, as far as the widest line that shows.
func (v *Viewer) pan(by int) {
	if !v.Wrap {
		v.x = v.sideways(v.x)
		v.x = v.sideways(v.x + by)
	}
}

// sideways returns the cell closest to x at which lines can begin.
func (v *Viewer) sideways(x int) int {
	widest := 0
	line, _ := v.first()
	for i := line; i < min(line+v.h, v.Len()); i++ {
		widest = max(widest, v.line(i).width())
	}
	return max(min(x, widest-v.w), 0)
}

// Mouse takes the wheel, and reports whether it was that.
func (v *Viewer) Mouse(_, _ int, m tea.MouseMsg) bool {
	by := turn(m)
	if by != 0 {
		v.scroll(by)
	}
	return by != 0
}

// scroll moves by rows of the screen.
func (v *Viewer) scroll(by int) {
	line, row := v.first()
	row += by
	for row < 0 && line > 0 {
		line--
		row += v.rows(line)
	}
	for line < v.Len()-1 && row >= v.rows(line) {
		row -= v.rows(line)
		line++
	}
	endLine, endRow := v.last()
	if by > 0 && (line > endLine || line == endLine && row >= endRow) {
		line, row = endLine, endRow
		v.tail = v.stream
	}
	if by < 0 {
		v.tail = false
	}
	v.goTo(line, max(row, 0))
}

func (v *Viewer) goTo(line, row int) { v.top = place{line, v.start(line, row)} }

// first returns the first row that shows.
func (v *Viewer) first() (line, row int) {
	endLine, endRow := v.last()
	if v.tail {
		return endLine, endRow
	}
	line = max(min(v.top.line, v.Len()-1), 0)
	row = v.rowOf(line, v.top.off)
	if line > endLine || line == endLine && row > endRow {
		return endLine, endRow
	}
	return line, row
}

// last returns the first row of the last page.
func (v *Viewer) last() (line, row int) {
	left := max(v.h, 1)
	for line = v.Len() - 1; line >= 0; line-- {
		n := v.rows(line)
		if n >= left {
			return line, n - left
		}
		left -= n
	}
	return 0, 0
}

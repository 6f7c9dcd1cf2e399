package widget

import tea "github.com/charmbracelet/bubbletea"

// A window is the part of n rows that is shown, and the row under the cursor,
// which is always within it.
type window struct {
	n, cur int
	// top is the first row that people scrolled to, at the first one that is
	// shown. They differ when the window was made smaller around the cursor: so
	// it shows the same again once it is as large as it was.
	top, at int
	h       int // of the last view
}

// show makes room for h rows.
func (v *window) show(h int) {
	v.h = max(h, 1)
	v.at = v.around(v.top)
}

// around returns the first row to show that is closest to top.
func (v *window) around(top int) int {
	top = max(min(top, v.n-v.h), 0)
	return max(min(top, v.cur), v.cur-v.h+1, 0)
}

// move puts the cursor on a row, or on the first or last one.
func (v *window) move(to int) {
	v.h = max(v.h, 1)
	v.cur = max(min(to, v.n-1), 0)
	v.at = v.around(v.at)
	v.top = v.at
}

// scroll moves the window by some rows; the cursor moves only so far as to stay
// in it.
func (v *window) scroll(by int) {
	v.h = max(v.h, 1)
	v.at = max(min(v.at+by, v.n-v.h), 0)
	v.top = v.at
	v.cur = max(min(v.cur, v.at+v.h-1, v.n-1), v.at)
}

// resize says that there are n rows now and that what was under the cursor is
// at cur. It stays where it is on the screen.
func (v *window) resize(n, cur int) {
	cur = max(min(cur, n-1), 0)
	v.top += cur - v.cur
	v.at += cur - v.cur
	v.n, v.cur = n, cur
	v.h = max(v.h, 1)
	v.at = v.around(v.at)
	v.top = max(min(v.top, n-1), 0)
}

// step returns where a key moves the cursor of a list.
func (v *window) step(k tea.KeyMsg) (to int, ok bool) {
	h := max(v.h, 1)
	switch k.String() {
	case "j", "down":
		return v.cur + 1, true
	case "k", "up":
		return v.cur - 1, true
	case "g", "home":
		return 0, true
	case "G", "end":
		return v.n - 1, true
	case "ctrl+d":
		return v.cur + max(h/2, 1), true
	case "ctrl+u":
		return v.cur - max(h/2, 1), true
	case "pgdown":
		return v.cur + max(h-1, 1), true
	case "pgup":
		return v.cur - max(h-1, 1), true
	}
	return 0, false
}

// wheel is how many rows a click of the wheel scrolls.
const wheel = 3

// turn returns how far a mouse event scrolls.
func turn(m tea.MouseMsg) int {
	switch {
	case m.Action != tea.MouseActionPress:
		return 0
	case m.Button == tea.MouseButtonWheelDown:
		return wheel
	case m.Button == tea.MouseButtonWheelUp:
		return -wheel
	}
	return 0
}

// clicked reports a press of the left button.
func clicked(m tea.MouseMsg) bool {
	return m.Action == tea.MouseActionPress && m.Button == tea.MouseButtonLeft
}

// bar returns the scroll bar of h rows for the part [at, at+shown) of n.
func (k *ink) bar(h, at, shown, n int) []string {
	size := min(max(h*shown/max(n, 1), 1), h)
	pos := 0
	if n > shown {
		pos = min(at*(h-size)/(n-shown), h-size)
		if at > 0 && pos == 0 && h > size {
			pos = 1 // at the upper end only where there is nothing above
		}
	}
	thumb, rail := k.paint(k.th.Border, k.th.Scroll), k.paint(k.th.Border, k.th.ScrollBar)
	out := make([]string, h)
	for i := range out {
		out[i] = rail
		if i >= pos && i < pos+size {
			out[i] = thumb
		}
	}
	return out
}

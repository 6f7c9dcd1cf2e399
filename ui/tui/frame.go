package tui

import (
	"strings"

	"github.com/charmbracelet/x/ansi"

	"aivault/ui/tui/action"
	"aivault/ui/tui/text"
	"aivault/ui/tui/view"
	"aivault/ui/tui/widget"
)

// The smallest terminal that the program can be used on.
const (
	minWidth  = 40
	minHeight = 12
)

// small reports whether the terminal is too small, or did not say its size yet.
func (m *Model) small() bool { return m.w < minWidth || m.h < minHeight }

// A frame is where things are on the screen.
type frame struct {
	bodyHeight int
	tabs       [][2]int    // columns of the names of the tabs
	dialog     widget.Rect // the content of the dialog on top, without its frame
}

// footer is how many lines there are below the page: the toast, the keys, and
// the sentence that says where the focus is.
const footer = 3

// frame returns where things are.
func (m *Model) frame() frame {
	f := frame{bodyHeight: m.h - 1 - footer}
	_, f.tabs = m.header()
	if n := len(m.dialogs); n > 0 {
		f.dialog = m.dialogRect(m.dialogs[n-1])
	}
	return f
}

// dialogRect returns where the content of a dialog is.
func (m *Model) dialogRect(s view.Screen) widget.Rect {
	maxW, maxH := m.w-4, m.h-footer-2
	w, h := min(maxW, 76), min(maxH, 18)
	if sized, ok := s.(view.Sized); ok {
		w, h = sized.Size(maxW, maxH)
		w, h = min(max(w, 20), maxW), min(max(h, 1), maxH)
	}
	return widget.Rect{X: (m.w - w) / 2, Y: max((m.h-footer-h)/2, 1), W: w, H: h}
}

// View implements tea.Model.
func (m *Model) View() string {
	if m.quitting || m.w == 0 || m.h == 0 {
		return ""
	}
	if m.small() {
		return m.finish(m.tooSmall())
	}
	head, _ := m.header()
	bodyHeight := m.h - 1 - footer
	lines := make([]string, 0, m.h)
	lines = append(lines, head)
	if p := m.page(); p != nil {
		lines = append(lines, p.View(m.w, bodyHeight)...)
	}
	lines = append(lines, m.toastLine(m.w-1), m.keyLine(m.w-1), m.sayLine(m.w-1))
	if len(m.dialogs) > 0 { // what is drawn over a line is cut to its width, which stays
		for i, line := range lines {
			lines[i] = widget.Clip(line, m.w)
		}
	}
	for _, d := range m.dialogs {
		r := m.dialogRect(d)
		box := widget.Box(m.host.Theme, d.Title(), "", true, r.W+2, r.H+2, d.View(r.W, r.H))
		lines = widget.Over(lines, box, r.X-1, r.Y-1)
	}
	return m.finish(lines)
}

// finish makes exactly as many lines as the terminal has, none of them too long.
func (m *Model) finish(lines []string) string {
	if len(lines) > m.h {
		lines = lines[:m.h]
	}
	for len(lines) < m.h {
		lines = append(lines, "")
	}
	for i, line := range lines {
		if text.Width(ansi.Strip(line)) > m.w {
			line = ansi.Truncate(line, m.w, "")
		}
		if m.host.Theme.ASCII {
			line = text.ASCII(line)
		}
		lines[i] = line
	}
	return strings.Join(lines, "\n")
}

// tooSmall says what is needed.
func (m *Model) tooSmall() []string {
	say := "terminal too small, need 40x12; q quits"
	if m.typed() {
		say = "terminal too small, need 40x12; what you typed is kept"
	}
	lines := text.Wrap(say, max(m.w, 1))
	return lines[:min(len(lines), m.h)]
}

// header returns the line at the top, and the columns of the tabs' names.
func (m *Model) header() (line string, tabs [][2]int) {
	th := m.host.Theme
	state := m.stateText()
	out, at := th.Strong.Render("aivault")+"  ", 9
	if m.gate != nil {
		title := text.Cut(m.gate.Title(), max(m.w-at-text.Width(state)-2, 0))
		return m.headerEnd(out+th.Accent.Render(title), at+text.Width(title), state), nil
	}
	room := m.w - at - text.Width(state) - 2
	names := make([]string, len(m.tabs))
	full := 0
	for i, t := range m.tabs {
		names[i] = string(rune('1'+i)) + " " + text.Line(t.Title())
		full += text.Width(names[i]) + 3
	}
	for _, s := range m.stack {
		full += text.Width(th.Crumb+" "+s.Title()) + 1
	}
	short := full > room
	// Where there is no room for both, where one is matters more than the tabs
	// beside it, and than that the vault is open.
	path := len(m.stack) > 0 && short && room < 40
	for i, name := range names {
		if i != m.tab {
			if path {
				tabs = append(tabs, [2]int{at, at})
				continue
			}
			if short {
				name = name[:1]
			}
			out += th.Dim.Render(" "+name+" ") + " "
		} else {
			name = "[" + name + "]"
			out += th.Accent.Render(name) + " "
		}
		n := text.Width(name)
		if i != m.tab {
			n += 2
		}
		tabs = append(tabs, [2]int{at, at + n})
		at += n + 1
	}
	for _, s := range m.stack {
		crumb := text.Cut(th.Crumb+" "+s.Title()+" ", max(m.w-at-1, 0))
		out += th.Strong.Render(crumb)
		at += text.Width(crumb)
	}
	return m.headerEnd(out, at, state), tabs
}

// headerEnd puts the state at the right end.
func (m *Model) headerEnd(line string, at int, state string) string {
	th := m.host.Theme
	if at+1+text.Width(state) >= m.w {
		return line
	}
	style := th.Good
	if m.gate != nil {
		style = th.Warn
	}
	return line + strings.Repeat(" ", m.w-1-at-text.Width(state)) + style.Render(state)
}

// stateText says where the key is and whether the vault is open.
func (m *Model) stateText() string {
	th := m.host.Theme
	s := "locked"
	if m.gate == nil {
		s = text.Line(string(m.status.Provider)) + " " + th.Dot + " unlocked"
		if m.w < 100 {
			s = "unlocked"
		}
	}
	if _, writes := m.host.Tasks.Busy(); writes > 0 {
		s = "saving " + th.Dot + " " + s
	}
	return s
}

// narrow is the width below which the help alone stands for what every screen
// can do.
const narrow = 60

// keyLine names the keys that do something here: as many of the screen's as fit
// beside those of the root, which are the way to all others.
func (m *Model) keyLine(w int) string {
	top := m.top()
	if top == nil {
		return ""
	}
	var common string
	room := w
	if !top.Captures() {
		var n int
		bound := m.actions()
		if w < narrow {
			bound = []action.Bound{{ID: action.Help, Run: m.help}}
		}
		common, n = m.keyNames(bound, w)
		room -= n
	}
	line, _ := m.keyNames(top.Actions(), room)
	return line + common
}

// keyNames names the keys of actions in at most w cells, and returns how many it
// took.
func (m *Model) keyNames(bound []action.Bound, w int) (line string, n int) {
	th := m.host.Theme
	var b strings.Builder
	for _, a := range bound {
		s := a.Spec()
		if a.Off != "" || a.Hidden || len(s.Keys) == 0 {
			continue
		}
		short := a.Short
		if short == "" {
			short = s.Short
		}
		key := action.KeyName(s.Keys[0])
		size := text.Width(key) + 1 + text.Width(short) + 2
		if n+size > w {
			break
		}
		b.WriteString(th.Key.Render(key) + " " + th.Dim.Render(short) + "  ")
		n += size
	}
	return b.String(), n
}

// sayLine says in words where the focus is.
func (m *Model) sayLine(w int) string {
	top := m.top()
	if top == nil {
		return ""
	}
	return m.host.Theme.Text.Render(text.Cut(top.Say(), w))
}

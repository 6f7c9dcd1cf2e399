package pagetest

import (
	"strings"

	"github.com/charmbracelet/x/ansi"

	"aivault/ui/tui/text"
	"aivault/ui/tui/view"
)

// View is what the screen on top shows, without styles. It checks what is true
// of every frame: the size, that nothing but styles drives the terminal, and
// that no value is in it.
func (s *Stage) View() string {
	s.T.Helper()
	top := s.Top()
	if top == nil {
		return ""
	}
	w, h := s.W, s.H
	if sized, ok := top.(view.Sized); ok {
		w, h = sized.Size(s.W-4, s.H-5)
	}
	lines := top.View(w, h)
	if len(lines) != h {
		s.T.Errorf("%s: %d lines instead of %d", top.Title(), len(lines), h)
	}
	for i, line := range lines {
		lines[i] = ansi.Strip(line)
		if n := text.Width(lines[i]); n > w {
			s.T.Errorf("%s: line %d is %d cells wide instead of %d: %q", top.Title(), i, n, w, lines[i])
		}
		if strings.ContainsFunc(lines[i], func(r rune) bool { return r < ' ' || r == 0x7f || r >= 0x80 && r < 0xa0 }) {
			s.T.Errorf("%s: line %d drives the terminal: %q", top.Title(), i, lines[i])
		}
	}
	shown := strings.Join(lines, "\n") + "\n" + top.Title() + "\n" + top.Say()
	if strings.Contains(shown, Canary) {
		s.T.Errorf("%s: a value shows:\n%s", top.Title(), shown)
	}
	return shown
}

// Want fails the test unless the screen on top shows each of the texts, or says
// it. A text may be wrapped within its pane.
func (s *Stage) Want(texts ...string) {
	s.T.Helper()
	shown := s.View()
	flat := unwrapped(shown)
	for _, t := range texts {
		if !strings.Contains(flat, t) && !strings.Contains(shown, t) {
			s.T.Errorf("%q does not show:\n%s", t, shown)
		}
	}
}

// unwrapped returns what shows with the panes one after the other, and the lines
// of each joined.
func unwrapped(shown string) string {
	var panes []string
	for line := range strings.Lines(shown) {
		for i, part := range strings.FieldsFunc(line, func(r rune) bool { return strings.ContainsRune("│┃", r) }) {
			if i == len(panes) {
				panes = append(panes, "")
			}
			panes[i] += " " + part
		}
	}
	return strings.Join(strings.Fields(strings.Join(panes, " ")), " ")
}

// WantNot fails the test if the screen on top shows one of the texts.
func (s *Stage) WantNot(texts ...string) {
	s.T.Helper()
	shown := s.View()
	for _, t := range texts {
		if strings.Contains(shown, t) {
			s.T.Errorf("%q shows:\n%s", t, shown)
		}
	}
}

// NoFailure fails the test if something went wrong.
func (s *Stage) NoFailure() {
	s.T.Helper()
	for _, f := range s.Failed {
		s.T.Errorf("%s: %v", f.What, f.Err)
	}
}

// find returns the cell at which a text begins to show.
func (s *Stage) find(t string) (x, y int, ok bool) {
	s.T.Helper()
	for line := range strings.Lines(s.View()) {
		if before, _, found := strings.Cut(line, t); found {
			return text.Width(before), y, true
		}
		y++
	}
	return 0, 0, false
}

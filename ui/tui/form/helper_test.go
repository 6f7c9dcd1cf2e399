package form_test

import (
	"regexp"
	"strings"
	"testing"
	"time"

	tea "github.com/charmbracelet/bubbletea"
	"github.com/charmbracelet/x/ansi"

	"aivault/ui/tui/task"
	"aivault/ui/tui/text"
	"aivault/ui/tui/theme"
	"aivault/ui/tui/view"
)

// looks are the themes that everything has to be usable in.
func looks() map[string]*theme.Theme {
	return map[string]*theme.Theme{
		"colour": theme.New(theme.Options{Colour: theme.TrueColour, Dark: true}),
		"light":  theme.New(theme.Options{Colour: theme.ANSI}),
		"none":   theme.New(theme.Options{Colour: theme.NoColour}),
		"dumb":   theme.New(theme.Options{Dumb: true, ASCII: true}),
	}
}

func plain() *theme.Theme { return theme.New(theme.Options{Dumb: true}) }

// now is when everything happens.
func now() time.Time { return time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC) }

func newHost(t testing.TB, th *theme.Theme) *view.Host {
	return &view.Host{Theme: th, Now: now, Tasks: task.NewTracker(t.Context(), now)}
}

// keys are the keys with names that tests use; everything else is typed.
func keys() map[string]tea.KeyMsg {
	return map[string]tea.KeyMsg{
		"enter": {Type: tea.KeyEnter}, "tab": {Type: tea.KeyTab}, "up": {Type: tea.KeyUp}, "down": {Type: tea.KeyDown},
		"left": {Type: tea.KeyLeft}, "right": {Type: tea.KeyRight}, "home": {Type: tea.KeyHome}, "end": {Type: tea.KeyEnd},
		"backspace": {Type: tea.KeyBackspace}, "delete": {Type: tea.KeyDelete}, "space": {Type: tea.KeySpace, Runes: []rune{' '}},
		"pgup": {Type: tea.KeyPgUp}, "pgdown": {Type: tea.KeyPgDown}, "esc": {Type: tea.KeyEsc},
		"ctrl+u": {Type: tea.KeyCtrlU}, "ctrl+k": {Type: tea.KeyCtrlK}, "ctrl+w": {Type: tea.KeyCtrlW}, "ctrl+j": {Type: tea.KeyCtrlJ},
		"ctrl+v": {Type: tea.KeyCtrlV}, "ctrl+home": {Type: tea.KeyCtrlHome}, "ctrl+end": {Type: tea.KeyCtrlEnd},
		"ctrl+left": {Type: tea.KeyCtrlLeft}, "ctrl+right": {Type: tea.KeyCtrlRight},
		"alt+x": {Type: tea.KeyRunes, Runes: []rune{'x'}, Alt: true},
	}
}

// press turns words into keys: names of keys in angle brackets, everything else
// typed: "abc<enter>".
func press(s string) (out []tea.KeyMsg) {
	for s != "" {
		if name, rest, ok := strings.Cut(strings.TrimPrefix(s, "<"), ">"); ok && s[0] == '<' {
			out, s = append(out, keys()[name]), rest
			continue
		}
		for _, r := range s {
			k := tea.KeyMsg{Type: tea.KeyRunes, Runes: []rune{r}}
			if r == ' ' {
				k.Type = tea.KeySpace
			}
			out, s = append(out, k), s[len(string(r)):]
			break
		}
	}
	return out
}

// paste is what a terminal sends when something is pasted.
func paste(s string) tea.KeyMsg { return tea.KeyMsg{Type: tea.KeyRunes, Runes: []rune(s), Paste: true} }

// run calls a command, and those that it consists of, and returns the messages.
func run(cmd tea.Cmd) (out []tea.Msg) {
	if cmd == nil {
		return nil
	}
	switch m := cmd().(type) {
	case nil:
	case tea.BatchMsg:
		for _, c := range m {
			out = append(out, run(c)...)
		}
	default:
		out = append(out, m)
	}
	return out
}

// bare is lines without styles, joined.
func bare(lines []string) string { return ansi.Strip(strings.Join(lines, "\n")) }

// wantSize fails the test unless there are exactly h lines of at most w cells.
func wantSize(t *testing.T, what string, lines []string, w, h int) {
	t.Helper()
	if h >= 0 && len(lines) != h {
		t.Errorf("%s: %d lines at %dx%d", what, len(lines), w, h)
	}
	for i, line := range lines {
		if n := text.Width(ansi.Strip(line)); n > w {
			t.Errorf("%s: line %d is %d cells wide at %dx%d: %q", what, i, n, w, h, line)
		}
		if strings.ContainsAny(line, "\n\r\t") {
			t.Errorf("%s: line %d breaks: %q", what, i, line)
		}
	}
}

// hasColour reports whether a line sets a colour: SGR 30 to 37, 38, 40 to 48,
// 90 to 107.
func hasColour(s string) bool {
	return regexp.MustCompile(`\x1b\[(?:\d+;)*(?:3[0-8]|4[0-8]|9\d|10[0-7])[;m]`).MatchString(s)
}

// sent is a command that is under way.
func sent() tea.Msg { return nil }

package term_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/muesli/termenv"

	_ "aivault/ui/guard/release"
	"aivault/ui/tui/term"
)

// Checklist 21, 22, 23, 24, 27, 28, 29.
func TestDetect(t *testing.T) {
	t.Parallel()
	const xterm, utf8 = "xterm-256color", "C.UTF-8"
	usual := term.Settings{Colour: term.ANSI256, Dark: true, Mouse: true}
	but := func(change func(*term.Settings)) term.Settings {
		s := usual
		change(&s)
		return s
	}
	dumb := term.Settings{Dark: true, Dumb: true, ASCII: true}
	colour := func(c term.Colour) term.Settings { return but(func(s *term.Settings) { s.Colour = c }) }
	ascii := but(func(s *term.Settings) { s.ASCII = true })
	light := but(func(s *term.Settings) { s.Dark = false })
	still := but(func(s *term.Settings) { s.ReduceMotion = true })
	for _, test := range []struct {
		name string
		env  map[string]string
		opts term.Options
		want term.Settings
	}{
		{"usual", map[string]string{"TERM": xterm, "LANG": utf8}, term.Options{}, usual},
		{"true colour", map[string]string{"TERM": xterm, "COLORTERM": "truecolor", "LANG": utf8}, term.Options{}, colour(term.TrueColour)},
		{"kitty", map[string]string{"TERM": "xterm-kitty", "LANG": utf8}, term.Options{}, colour(term.TrueColour)},
		{"screen", map[string]string{"TERM": "screen", "LANG": utf8}, term.Options{}, colour(term.ANSI)},
		{"screen cuts", map[string]string{"TERM": "screen-256color", "COLORTERM": "truecolor", "LANG": utf8}, term.Options{}, usual},
		{"tmux", map[string]string{"TERM": "tmux-256color", "COLORTERM": "truecolor", "LANG": utf8}, term.Options{}, colour(term.TrueColour)},
		{"console", map[string]string{"TERM": "linux", "LANG": utf8}, term.Options{}, colour(term.ANSI)},
		{"unheard of", map[string]string{"TERM": "nova", "LANG": utf8}, term.Options{}, colour(term.None)},
		{"NO_COLOR", map[string]string{"TERM": xterm, "LANG": utf8, "NO_COLOR": "1", "COLORTERM": "24bit"}, term.Options{Theme: "dark"}, colour(term.None)},
		{"NO_COLOR empty", map[string]string{"TERM": xterm, "LANG": utf8, "NO_COLOR": ""}, term.Options{}, usual},
		{"no TERM", map[string]string{"LANG": utf8}, term.Options{}, dumb},
		{"dumb", map[string]string{"TERM": "dumb", "LANG": utf8, "COLORTERM": "truecolor"}, term.Options{}, dumb},
		{"vt100", map[string]string{"TERM": "vt100", "LANG": utf8}, term.Options{}, dumb},
		{"vt220", map[string]string{"TERM": "vt220-8bit", "LANG": utf8}, term.Options{}, dumb},
		{"vte", map[string]string{"TERM": "vte-256color", "LANG": utf8}, term.Options{}, usual},
		{"LC_ALL", map[string]string{"TERM": xterm, "LANG": utf8, "LC_ALL": "C"}, term.Options{}, ascii},
		{"LC_CTYPE", map[string]string{"TERM": xterm, "LANG": "C", "LC_CTYPE": "en_GB.utf8"}, term.Options{}, usual},
		{"Latin-1", map[string]string{"TERM": xterm, "LANG": "de_DE.ISO-8859-1"}, term.Options{}, ascii},
		{"AIVAULT_ASCII", map[string]string{"TERM": xterm, "LANG": utf8, "AIVAULT_ASCII": "1"}, term.Options{}, ascii},
		{"AIVAULT_ASCII off", map[string]string{"TERM": xterm, "LANG": utf8, "AIVAULT_ASCII": "0"}, term.Options{}, usual},
		{"motion", map[string]string{"TERM": xterm, "LANG": utf8, "AIVAULT_REDUCE_MOTION": "1"}, term.Options{}, still},
		{"light", map[string]string{"TERM": xterm, "LANG": utf8, "COLORFGBG": "0;15"}, term.Options{}, light},
		{"light of three", map[string]string{"TERM": xterm, "LANG": utf8, "COLORFGBG": "0;default;7"}, term.Options{}, light},
		{"dark", map[string]string{"TERM": xterm, "LANG": utf8, "COLORFGBG": "15;8"}, term.Options{}, usual},
		{"default", map[string]string{"TERM": xterm, "LANG": utf8, "COLORFGBG": "15;default"}, term.Options{}, usual},
		{"theme light", map[string]string{"TERM": xterm, "LANG": utf8, "COLORFGBG": "15;0"}, term.Options{Theme: "light"}, light},
		{"theme dark", map[string]string{"TERM": xterm, "LANG": utf8, "COLORFGBG": "0;15"}, term.Options{Theme: "dark"}, usual},
		{"theme none", map[string]string{"TERM": xterm, "LANG": utf8}, term.Options{Theme: "none"}, colour(term.None)},
		{"no mouse", map[string]string{"TERM": xterm, "LANG": utf8}, term.Options{NoMouse: true}, but(func(s *term.Settings) { s.Mouse = false })},
		{"accessible", map[string]string{"TERM": xterm, "LANG": utf8}, term.Options{Accessible: true}, term.Settings{
			Colour: term.ANSI256, Dark: true, Accessible: true, ReduceMotion: true,
		}},
	} {
		got := term.Detect(func(name string) string { return test.env[name] }, test.opts)
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.name, diff)
		}
	}
}

// Checklist 22, 23. Without colour attributes remain, but on a dumb terminal.
func TestProfile(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		settings term.Settings
		want     termenv.Profile
	}{
		{term.Settings{Dumb: true}, termenv.Ascii},
		{term.Settings{Colour: term.None}, termenv.ANSI},
		{term.Settings{Colour: term.ANSI}, termenv.ANSI},
		{term.Settings{Colour: term.ANSI256}, termenv.ANSI256},
		{term.Settings{Colour: term.TrueColour}, termenv.TrueColor},
	} {
		if got := test.settings.Profile(); got != test.want {
			t.Errorf("%+v: %v, want %v", test.settings, got, test.want)
		}
	}
}

package term

import (
	"runtime"
	"slices"
	"strconv"
	"strings"

	"github.com/muesli/termenv"

	_ "aivault/ui/guard/release" // puts TERM back
)

// Colour is how many colours a terminal shows.
type Colour int

// None is also what a person gets who wants no colour: bold, reverse and
// underlined text remain, unless the terminal is [Settings.Dumb].
const (
	None       Colour = iota
	ANSI              // the 16 of the terminal's own palette
	ANSI256           // and 240 fixed ones
	TrueColour        // 24 bits
)

// Options are what a person asks for on the command line.
type Options struct {
	Theme      string // dark, light, none; empty: what the environment says
	NoMouse    bool   // leave the mouse to the terminal, which selects text with it
	Accessible bool   // for screen readers: lines that follow each other, no screen
}

// Themes lists the values of [Options.Theme], but for the empty one.
func Themes() []string { return []string{"dark", "light", "none"} }

// Settings are what a terminal can do, and what the person at it wants.
type Settings struct {
	Colour       Colour
	Dark         bool // the background is dark
	Dumb         bool // no attributes either: marks must be characters
	ASCII        bool // nothing but ASCII can be shown
	ReduceMotion bool // nothing moves by itself
	Mouse        bool
	Accessible   bool
}

// Detect reads the settings from the environment. It never asks the terminal.
func Detect(getenv func(string) string, opts Options) Settings {
	name := getenv("TERM")
	s := Settings{
		Colour:     colours(name, getenv("COLORTERM")),
		Dark:       !lightBackground(getenv("COLORFGBG")),
		Dumb:       isDumb(name),
		Accessible: opts.Accessible,
	}
	s.ASCII = s.Dumb || isSet(getenv("AIVAULT_ASCII")) || !isUTF8(getenv)
	s.ReduceMotion = s.Accessible || isSet(getenv("AIVAULT_REDUCE_MOTION"))
	s.Mouse = !opts.NoMouse && !s.Dumb && !s.Accessible
	if getenv("NO_COLOR") != "" || opts.Theme == "none" || s.Dumb {
		s.Colour = None
	}
	switch opts.Theme {
	case "dark":
		s.Dark = true
	case "light":
		s.Dark = false
	}
	return s
}

// Profile returns the profile that styles are rendered with. Without colour it
// is not [termenv.Ascii], under which bold and reverse vanish too, and with them
// selection and focus: a theme for [None] uses attributes only.
func (s Settings) Profile() termenv.Profile {
	switch {
	case s.Dumb:
		return termenv.Ascii
	case s.Colour == TrueColour:
		return termenv.TrueColor
	case s.Colour == ANSI256:
		return termenv.ANSI256
	}
	return termenv.ANSI
}

// isDumb reports whether a terminal has no attributes, or nobody knows what it
// has.
func isDumb(name string) bool {
	vt, isVT := strings.CutPrefix(name, "vt")
	return name == "" || name == "dumb" || name == "unknown" || isVT && vt != "" && vt[0] >= '0' && vt[0] <= '9'
}

// colours returns what the name of a terminal and COLORTERM promise.
func colours(name, colorterm string) Colour {
	family, _, _ := strings.Cut(name, "-")
	switch {
	case family == "screen" && !strings.HasSuffix(name, "-direct"):
		// GNU screen passes COLORTERM on and cuts the colours.
		if strings.HasSuffix(name, "256color") || colorterm != "" {
			return ANSI256
		}
		return ANSI
	case colorterm == "truecolor" || colorterm == "24bit" || strings.HasSuffix(name, "-direct"),
		slices.Contains([]string{"alacritty", "foot", "wezterm", "xterm-ghostty", "xterm-kitty"}, name):
		return TrueColour
	case strings.Contains(name, "256color"):
		return ANSI256
	case strings.Contains(name, "color") || strings.Contains(name, "ansi"),
		slices.Contains([]string{"xterm", "tmux", "rxvt", "linux", "cygwin", "konsole", "alacritty", "foot"}, family):
		return ANSI
	}
	return None
}

// lightBackground reports whether COLORFGBG, "foreground;background" as numbers
// of the 16 colours, names a light background.
func lightBackground(fgbg string) bool {
	n, err := strconv.Atoi(fgbg[strings.LastIndexByte(fgbg, ';')+1:])
	return err == nil && (n == 7 || n > 8 && n <= 15)
}

// isUTF8 reports whether text is UTF-8 in the locale. Windows has none.
func isUTF8(getenv func(string) string) bool {
	for _, name := range []string{"LC_ALL", "LC_CTYPE", "LANG"} {
		if v := getenv(name); v != "" {
			v = strings.ToLower(v)
			return strings.Contains(v, "utf-8") || strings.Contains(v, "utf8")
		}
	}
	return runtime.GOOS == "windows"
}

// isSet reports whether a variable is set to something else than a no.
func isSet(value string) bool {
	return !slices.Contains([]string{"", "0", "false", "no", "off"}, strings.ToLower(value))
}

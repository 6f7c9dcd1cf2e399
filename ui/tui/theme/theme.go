// Package theme is how things look: one style for each role, made once for what
// a terminal can do, and the glyphs that it can draw. Pages name roles, never
// colours. Where there is no colour, roles differ by attributes, and where
// there are no attributes either, by the glyphs alone; so no role is the only
// bearer of a meaning.
package theme

import (
	"io"

	// It puts back the TERM that the guard hides from bubbletea's init.
	_ "aivault/ui/guard/release"

	"github.com/charmbracelet/lipgloss"
	"github.com/muesli/termenv"
)

// A Depth is how many colours there are.
type Depth int

// The depths.
const (
	NoColour Depth = iota // attributes only
	ANSI                  // the terminal's own 16 colours
	ANSI256
	TrueColour
)

// Options say what a terminal can do, and what its user wants.
type Options struct {
	Colour Depth
	Dark   bool // the background is dark
	Dumb   bool // the terminal knows no attributes: nothing is styled
	ASCII  bool // the terminal draws ASCII only
	Still  bool // nothing moves or blinks
}

// A Theme has a style for each role.
type Theme struct {
	Options

	Text   lipgloss.Style // what is there to be read
	Dim    lipgloss.Style // what is there to be found when needed
	Strong lipgloss.Style // what to look at first
	Head   lipgloss.Style // titles of columns and sections
	Accent lipgloss.Style // names of things, the current tab
	Good   lipgloss.Style // ok, ready, done
	Warn   lipgloss.Style // attention, waiting
	Bad    lipgloss.Style // refused, failed, destructive
	Key    lipgloss.Style // names of keys

	Selected lipgloss.Style // the row under the cursor, where the focus is
	Chosen   lipgloss.Style // the row under the cursor of a pane without the focus
	Match    lipgloss.Style // what a search found
	Field    lipgloss.Style // an input field
	Cursor   lipgloss.Style // the cell of the text cursor

	Border  lipgloss.Style // frame of a pane
	Focused lipgloss.Style // frame of the pane with the focus

	Glyphs
}

// Glyphs are the marks that a terminal can draw. All are one cell wide.
type Glyphs struct {
	Cursor0   string // before the row under the cursor
	Mark      string // of a marked row
	Open      string // a tree node that shows its children
	Shut      string // one that hides them
	Shadow    string // of what another thing overrides
	Dot       string // between the parts of a line
	Crumb     string // between the parts of a path of screens
	OK        string
	Fail      string
	Alert     string
	Mask      string // one cell of a value that is not shown
	On, Off   string // a checked and an unchecked box, three cells wide
	Part      string // a box of what is checked in part
	Spin      []string
	Thin      Frame
	Thick     Frame
	Scroll    string // the thumb of a scroll bar
	ScrollBar string
	Ellipsis  string
}

// A Frame is what a box is drawn with.
type Frame struct {
	H, V, TopLeft, TopRight, BottomLeft, BottomRight string
}

func unicodeGlyphs() Glyphs {
	return Glyphs{
		Cursor0: "▸", Mark: "●", Open: "▾", Shut: "▸", Shadow: "~", Dot: "·", Crumb: "›", OK: "✓", Fail: "✗", Alert: "!",
		Mask: "•", On: "[x]", Off: "[ ]", Part: "[/]", Ellipsis: "…", Scroll: "█", ScrollBar: "│",
		Spin:  []string{"⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"},
		Thin:  Frame{"─", "│", "┌", "┐", "└", "┘"},
		Thick: Frame{"━", "┃", "┏", "┓", "┗", "┛"},
	}
}

func asciiGlyphs() Glyphs {
	return Glyphs{
		Cursor0: ">", Mark: "*", Open: "-", Shut: "+", Shadow: "~", Dot: "-", Crumb: ">", OK: "+", Fail: "x", Alert: "!",
		Mask: "*", On: "[x]", Off: "[ ]", Part: "[/]", Ellipsis: "~", Scroll: "#", ScrollBar: "|",
		Spin:  []string{"|", "/", "-", "\\"},
		Thin:  Frame{"-", "|", "+", "+", "+", "+"},
		Thick: Frame{"=", "#", "#", "#", "#", "#"},
	}
}

// New returns the theme for a terminal.
func New(o Options) *Theme {
	r := lipgloss.NewRenderer(io.Discard)
	r.SetHasDarkBackground(o.Dark)
	r.SetColorProfile(profile(o))
	t := &Theme{Options: o, Glyphs: unicodeGlyphs()}
	if o.ASCII {
		t.Glyphs = asciiGlyphs()
	}
	if o.Still {
		t.Spin = t.Spin[:1]
	}
	plain := r.NewStyle()
	for _, s := range []*lipgloss.Style{
		&t.Text, &t.Dim, &t.Strong, &t.Head, &t.Accent, &t.Good, &t.Warn, &t.Bad, &t.Key, &t.Selected, &t.Chosen,
		&t.Match, &t.Field, &t.Cursor, &t.Border, &t.Focused,
	} {
		*s = plain
	}
	switch {
	case o.Dumb:
	case o.Colour == NoColour:
		t.attributes(plain)
	default:
		t.colours(plain)
	}
	return t
}

// profile is what lipgloss may use. It drops every attribute where it believes
// that there is no colour, so a terminal without colour is one that has some
// which the styles do not use.
func profile(o Options) termenv.Profile {
	switch {
	case o.Dumb:
		return termenv.Ascii
	case o.Colour == TrueColour:
		return termenv.TrueColor
	case o.Colour == ANSI256:
		return termenv.ANSI256
	}
	return termenv.ANSI
}

// attributes tells the roles apart without colour.
func (t *Theme) attributes(plain lipgloss.Style) {
	t.Dim = plain.Faint(true)
	t.Strong, t.Head, t.Accent = plain.Bold(true), plain.Bold(true), plain.Bold(true)
	t.Bad, t.Warn, t.Key = plain.Bold(true), plain.Bold(true), plain.Bold(true)
	t.Selected, t.Chosen = plain.Reverse(true), plain.Underline(true)
	t.Match, t.Field, t.Cursor = plain.Underline(true), plain.Underline(true), plain.Reverse(true)
	t.Focused = plain.Bold(true)
}

// colours tells the roles apart by colours that are readable on a dark and on
// a light background each.
func (t *Theme) colours(plain lipgloss.Style) {
	c := func(dark, light, ansi string) lipgloss.TerminalColor {
		if t.Colour == ANSI {
			return lipgloss.Color(ansi)
		}
		return lipgloss.AdaptiveColor{Dark: dark, Light: light}
	}
	fg := func(dark, light, ansi string) lipgloss.Style { return plain.Foreground(c(dark, light, ansi)) }
	dim := "8"
	if !t.Dark {
		dim = "0" // bright black is hard to read on white
	}
	t.Dim = fg("#8b93a7", "#5b6270", dim)
	t.Strong = plain.Bold(true)
	t.Head = fg("#a9b1c6", "#4a5160", "").Bold(true)
	t.Accent = fg("#7dcfff", "#006a9e", "6").Bold(true)
	t.Good = fg("#9ece6a", "#2f6f1f", "2")
	t.Warn = fg("#e0af68", "#8a5a00", "3")
	t.Bad = fg("#f7768e", "#b3123a", "1")
	t.Key = fg("#bb9af7", "#6a3fb5", "5")
	if t.Colour == ANSI {
		t.Head = plain.Bold(true)
		t.Selected, t.Chosen = plain.Reverse(true), plain.Bold(true)
		t.Match, t.Field, t.Cursor = plain.Underline(true), plain.Underline(true), plain.Reverse(true)
		t.Border, t.Focused = t.Dim, fg("", "", "6").Bold(true)
		return
	}
	t.Selected = fg("#e6ecff", "#0b1a2b", "").Background(c("#2f4a78", "#bcd7f5", "")).Bold(true)
	t.Chosen = plain.Background(c("#24293a", "#e3e7ef", ""))
	t.Match = fg("#1a1b26", "#1a1b26", "").Background(c("#e0af68", "#ffd37a", ""))
	t.Field = plain.Background(c("#24293a", "#e9edf4", ""))
	t.Cursor = plain.Reverse(true)
	t.Border = fg("#4b5268", "#a8b0bf", "")
	t.Focused = fg("#7dcfff", "#006a9e", "").Bold(true)
}

// Spinner returns the glyph of something that is under way, at its n-th step.
func (t *Theme) Spinner(n int) string { return t.Spin[n%len(t.Spin)] }

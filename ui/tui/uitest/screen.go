package uitest

import (
	"regexp"
	"strings"

	"github.com/charmbracelet/x/ansi"

	"aivault/ui/tui/text"
)

// Styled returns the frame as the terminal gets it.
func (d *Driver) Styled() string { return d.program.View() }

// Screen returns the frame as people read it.
func (d *Driver) Screen() string { return ansi.Strip(d.Styled()) }

// Line returns a line of the screen, from 0 at the top, or from -1 at the
// bottom, without the space at its end.
func (d *Driver) Line(i int) string {
	lines := strings.Split(d.Screen(), "\n")
	if i < 0 {
		i += len(lines)
	}
	if i < 0 || i >= len(lines) {
		return ""
	}
	return strings.TrimRight(lines[i], " ")
}

// Has reports whether the screen shows a text; runs of spaces count as one.
func (d *Driver) Has(s string) bool { return strings.Contains(squash(d.Screen()), squash(s)) }

// squash makes runs of spaces one, so that columns do not matter.
func squash(s string) string { return strings.Join(strings.Fields(s), " ") }

// Want fails the test unless the screen shows all of it.
func (d *Driver) Want(parts ...string) *Driver {
	d.Helper()
	for _, part := range parts {
		if !d.Has(part) {
			d.Errorf("%q does not show\n%s", part, d.said())
		}
	}
	return d
}

// WantNot fails the test if the screen shows any of it.
func (d *Driver) WantNot(parts ...string) *Driver {
	d.Helper()
	for _, part := range parts {
		if d.Has(part) {
			d.Errorf("%q shows\n%s", part, d.said())
		}
	}
	return d
}

// sgr is how a text is styled, the only sequence that a frame may have.
var sgr = regexp.MustCompile("\x1b\\[[0-9;:]*m")

// Check holds what is true of every frame.
func (d *Driver) Check() *Driver {
	d.Helper()
	view := d.Styled()
	if d.quit || d.hurried || view == "" && (d.w == 0 || d.h == 0) {
		return d
	}
	lines := strings.Split(sgr.ReplaceAllString(view, ""), "\n")
	if len(lines) != d.h {
		d.Errorf("%d lines in %dx%d\n%s", len(lines), d.w, d.h, d.said())
	}
	for i, line := range lines {
		if n := text.Width(line); n > d.w {
			d.Errorf("line %d has %d cells in %dx%d: %q", i, n, d.w, d.h, line)
		}
		if at := strings.IndexFunc(line, control); at >= 0 {
			d.Errorf("line %d has a control character at byte %d: %q", i, at, line)
		}
	}
	if d.shows([]byte(strings.Join(lines, "\n"))) { // not which: that would show it
		d.Errorf("the frame shows a value\n%dx%d", d.w, d.h)
	}
	return d
}

// control reports whether a terminal might do something at r instead of showing
// it: controls of ASCII and Latin-1, what changes the direction of writing, and
// what takes no room.
func control(r rune) bool {
	return r < ' ' || r >= 0x7f && r < 0xa0 || r >= 0x200b && r <= 0x200f || r >= 0x2028 && r <= 0x202e || r >= 0x2066 && r <= 0x2069 || r == 0xfeff
}

// What differs from one run to the next: ids, also those of which something
// covers or cuts a part, the first digits of ids that command lines have, digests,
// and ports. What takes their place is as long.
var (
	ids    = regexp.MustCompile(`\b[0-9a-f]{8}-[0-9a-f-]*|\b[0-9a-f-]*-[0-9a-f]{12}\b|\b[0-9a-f]{8}\b|\b(?:[0-9a-f]{7,}|[0-9a-f]{16,64})…`)
	labels = regexp.MustCompile(`\b(secret|id|sha256) [0-9a-f]+(…|\b)`)
	ports  = regexp.MustCompile(`localhost:[0-9]+`) // cut ones too
	spaces = regexp.MustCompile(`(?m) +$`)
)

// Frame returns the screen with what differs from one run to the next replaced,
// and without the space at the ends of lines.
func (d *Driver) Frame() string {
	frame := d.Screen()
	for _, s := range d.varies {
		frame = strings.ReplaceAll(frame, s, strings.Repeat("x", len(s)))
	}
	x := func(s string) string {
		return strings.Map(func(r rune) rune {
			if r >= '0' && r <= '9' || r >= 'a' && r <= 'f' {
				return 'x'
			}
			return r
		}, s)
	}
	frame = ids.ReplaceAllStringFunc(frame, x)
	for _, re := range []*regexp.Regexp{labels, ports} {
		frame = re.ReplaceAllStringFunc(frame, func(s string) string {
			at := strings.IndexAny(s, " :") + 1
			return s[:at] + x(s[at:])
		})
	}
	return spaces.ReplaceAllString(frame, "")
}

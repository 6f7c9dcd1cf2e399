package uitest

import (
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/charmbracelet/x/ansi"
	"github.com/google/go-cmp/cmp"

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

// Golden compares the screen with the file testdata/NAME.golden of the test's
// package; a test binary that has the flag -update rewrites it.
func (d *Driver) Golden(name string) *Driver {
	d.Helper()
	d.Check()
	got := Normal(d.Screen()) + "\n"
	path := filepath.Join("testdata", name+".golden")
	if f := flag.Lookup("update"); f != nil && f.Value.String() == "true" {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			d.Fatal(err)
		}
		return d
	}
	want, err := os.ReadFile(path)
	if err != nil {
		d.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		d.Errorf("%s (-want +got):\n%s", path, diff)
	}
	return d
}

// What differs from one run to the next: ids, also those that something covers
// in part, the first digits of ids that command lines have, and ports. What
// takes their place is as long.
var (
	ids      = regexp.MustCompile(`\b[0-9a-f]{8}-[0-9a-f-]*|\b[0-9a-f-]*-[0-9a-f]{12}\b`)
	shortIDs = regexp.MustCompile(`\b[0-9a-f]{8}\b`)
	ports    = regexp.MustCompile(`localhost:[0-9]{5}\b`)
	spaces   = regexp.MustCompile(`(?m) +$`)
)

// Normal returns a frame with what differs from one run to the next replaced,
// and without the space at the ends of lines.
func Normal(frame string) string {
	x := func(s string) string {
		return strings.Map(func(r rune) rune {
			if r == '-' {
				return r
			}
			return 'x'
		}, s)
	}
	frame = ids.ReplaceAllStringFunc(frame, x)
	frame = shortIDs.ReplaceAllStringFunc(frame, x)
	frame = ports.ReplaceAllString(frame, "localhost:xxxxx")
	return spaces.ReplaceAllString(frame, "")
}

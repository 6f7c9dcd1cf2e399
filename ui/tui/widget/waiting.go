package widget

import (
	"strconv"
	"time"

	"aivault/ui/tui/theme"
)

const (
	patience  = 150 * time.Millisecond // what is over by then is not worth a word
	held      = 2 * time.Second        // longer than the vault takes by itself
	spinEvery = 100 * time.Millisecond
)

// Waiting says that something has been under way since a time: nothing at
// first, then what it is, after a second for how long, and soon after that what
// keeps it: only a vault that somebody else holds takes so long to read.
func Waiting(th *theme.Theme, what string, since, now time.Time) string {
	d := now.Sub(since)
	if d < patience {
		return ""
	}
	k := newInk(th)
	s := k.paint(th.Warn, th.Spinner(int(d/spinEvery))) + " " + k.line(what)
	if d >= time.Second {
		s += " " + k.paint(th.Dim, strconv.Itoa(int(d/time.Second))+"s")
	}
	if d >= held && what != "" {
		s += " " + k.paint(th.Dim, "waiting for another process to let the vault go")
	}
	return s
}

package widget

import (
	"strconv"
	"time"

	"aivault/ui/tui/theme"
)

const (
	patience  = 150 * time.Millisecond // what is over by then is not worth a word
	spinEvery = 100 * time.Millisecond
)

// Waiting says that something has been under way since a time: nothing at
// first, then what it is, and after a second for how long.
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
	return s
}

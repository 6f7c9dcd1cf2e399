package why

import (
	"fmt"
	"slices"
	"strings"

	tea "github.com/charmbracelet/bubbletea"
	"github.com/charmbracelet/lipgloss"

	"aivault/broker"
	"aivault/keys/fault"
	"aivault/ui/tui/text"
	"aivault/ui/tui/theme"
	"aivault/ui/tui/widget"
	"aivault/vault"
)

// A ladder shows what was looked at for a call, tier by tier, the narrowest
// first. The cursor moves from rung to rung.
type ladder struct {
	th    *theme.Theme
	of    *broker.Ladder // nil: none
	rungs []broker.Rung  // in the order in which they show
	at    int
	top   int // the first line that shows
	h     int // of the last view
	// lines of the last view, for the mouse: the rung that each belongs to, or
	// -1.
	owner []int
}

// set shows another ladder, or the same one as it is now: then the cursor stays
// on its rung.
func (l *ladder) set(of *broker.Ladder) {
	var key string
	if r := l.rung(); r != nil && of != nil && of.Capability == l.of.Capability && of.Context == l.of.Context {
		key = rungKey(r)
	}
	l.of, l.rungs, l.at, l.top = of, nil, 0, 0
	if of == nil {
		return
	}
	for _, tier := range tiers {
		for _, r := range of.Rungs {
			if r.Tier == tier {
				l.rungs = append(l.rungs, r)
			}
		}
	}
	for i, r := range l.rungs {
		if key == "" && r.Taken || key != "" && rungKey(&r) == key {
			l.at = i
		}
	}
}

func rungKey(r *broker.Rung) string { return r.Kind + " " + r.ID + " " + r.Secret.String() }

// tiers are those of a ladder from its upper end to its lower one.
var tiers = [...]vault.Level{vault.Group, vault.Workspace, vault.Global, 0}

// rung is the one under the cursor; nil: there is none.
func (l *ladder) rung() *broker.Rung {
	if l.at >= len(l.rungs) {
		return nil
	}
	return &l.rungs[l.at]
}

// key moves the cursor, and reports whether the key does that.
func (l *ladder) key(k tea.KeyMsg) bool {
	last := max(len(l.rungs)-1, 0)
	switch k.String() {
	case "j", "down":
		l.at = min(l.at+1, last)
	case "k", "up":
		l.at = max(l.at-1, 0)
	case "g", "home":
		l.at = 0
	case "G", "end":
		l.at = last
	case "pgdown", "ctrl+d":
		l.at = min(l.at+max(l.h/4, 1), last)
	case "pgup", "ctrl+u":
		l.at = max(l.at-max(l.h/4, 1), 0)
	default:
		return false
	}
	return true
}

// mouse selects the rung that was clicked; the wheel goes from rung to rung.
func (l *ladder) mouse(y int, m tea.MouseMsg) {
	switch {
	case m.Action != tea.MouseActionPress:
	case m.Button == tea.MouseButtonWheelUp:
		l.at = max(l.at-1, 0)
	case m.Button == tea.MouseButtonWheelDown:
		l.at = min(l.at+1, max(len(l.rungs)-1, 0))
	case m.Button == tea.MouseButtonLeft && y+l.top < len(l.owner) && y >= 0:
		if i := l.owner[y+l.top]; i >= 0 {
			l.at = i
		}
	}
}

// say is the rung under the cursor.
func (l *ladder) say() string {
	r := l.rung()
	if r == nil {
		return "no credential or binding is there to be looked at"
	}
	return fmt.Sprintf("%s, %s %s, %s, %s, row %d of %d", text.Line(named(r)), r.Kind, text.Line(orNone(r.ID)), word(r),
		text.Line(tierName(r.Tier, l.of.Context)), l.at+1, len(l.rungs))
}

// word says what became of a rung.
func word(r *broker.Rung) string {
	if r.Taken {
		return "used"
	}
	return "not used"
}

func named(r *broker.Rung) string {
	if r.SecretName == "" {
		return "no secret"
	}
	return r.SecretName
}

func orNone(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

// tierName names a tier of a context.
func tierName(l vault.Level, c vault.Context) string {
	switch l {
	case vault.Group:
		return "group " + c.Workspace + "/" + c.Group
	case vault.Workspace:
		return "workspace " + c.Workspace
	case vault.Global:
		return "global"
	}
	return "not for this context"
}

// A line of a ladder belongs to a rung, or to none (-1).
type line struct {
	s    string
	rung int
}

// view returns the ladder in h lines of w cells.
func (l *ladder) view(w, h int, focused bool) []string {
	l.h = h
	lines := l.lines(w-1, focused)
	first, last := -1, 0
	l.owner = l.owner[:0]
	for i, x := range lines {
		l.owner = append(l.owner, x.rung)
		if x.rung == l.at {
			if first < 0 {
				first = i
			}
			last = i
		}
	}
	if first > 0 && lines[first-1].rung < 0 {
		first-- // the name of its tier shows with the first rung
	}
	l.top = max(min(l.top, len(lines)-h), 0)
	if last >= l.top+h {
		l.top = last - h + 1
	}
	if first >= 0 && first < l.top {
		l.top = first
	}
	out := make([]string, h)
	for i := range out {
		s := ""
		if l.top+i < len(lines) {
			s = lines[l.top+i].s
		}
		out[i] = widget.Clip(s, max(w-1, 0)) + l.edge(i, h, len(lines))
		out[i] = widget.Clip(out[i], w)
	}
	return out
}

// edge is the last column: an arrow where there is more.
func (l *ladder) edge(i, h, n int) string {
	switch {
	case i == 0 && l.top > 0, i == h-1 && l.top+h < n:
		return l.th.Dim.Render(l.th.Scroll)
	}
	return " "
}

// lines are the whole ladder.
func (l *ladder) lines(w int, focused bool) []line {
	if l.of == nil {
		return nil
	}
	var out []line
	names := 0
	for i := range l.rungs {
		names = max(names, text.Width(text.Cut(named(&l.rungs[i]), max(w/3, 8))))
	}
	for _, tier := range tiers {
		if tier == vault.Group && l.of.Context.Group == "" || tier == vault.Workspace && l.of.Context.Workspace == "" {
			continue
		}
		first := slices.IndexFunc(l.rungs, func(r broker.Rung) bool { return r.Tier == tier })
		if first < 0 && tier == 0 {
			continue
		}
		if len(out) > 0 {
			out = append(out, line{"", -1})
		}
		out = append(out, line{l.th.Head.Render(text.Cut(tierName(tier, l.of.Context), w)), -1})
		if first < 0 {
			out = append(out, line{l.th.Dim.Render(text.Cut("  nothing here", w)), -1})
		}
		for i := range l.rungs {
			if l.rungs[i].Tier == tier {
				out = append(out, l.draw(i, w, names, focused)...)
			}
		}
	}
	return out
}

// Widths, in cells.
const (
	markWidth = 10 // of the cursor, the glyph and the word before a rung
	oneLine   = 56 // from here on the secret and what it is used by share a line
)

// draw draws a rung: what became of it, the secret, what it would be used by,
// and below that the reason.
func (l *ladder) draw(i, w, names int, focused bool) []line {
	r := &l.rungs[i]
	th := l.th
	cursor, glyph, what, style := " ", " ", "not", th.Text
	switch {
	case r.Taken:
		glyph, what, style = th.OK, "used", th.Good
	case r.Tier == 0:
		style = th.Dim
	}
	if i == l.at {
		cursor = th.Cursor0
	}
	head := text.Pad(cursor+" "+glyph+" "+what, markWidth)
	by := r.Kind + " " + orNone(r.ID)
	indent := strings.Repeat(" ", min(markWidth, max(w/4, 1)))
	why := r.Reason
	var rest []string
	if w < oneLine {
		head = text.Pad(cursor+" "+glyph, 4) + named(r)
		indent = "    "
		rest = text.Wrap(by, max(w-len(indent), 1))
		why = word(r) + ": " + why
	} else {
		head += text.Fit(named(r), names)
		if text.Width(head)+2+text.Width(text.Line(by)) > w {
			rest = text.Wrap(by, max(w-len(indent), 1))
		} else {
			head += "  " + by
		}
	}
	reason := text.Wrap(why, max(w-len(indent), 1))
	out := []line{{l.first(text.Cut(head, w), i == l.at, focused, style, w), i}}
	for _, s := range rest {
		out = append(out, line{indent + style.Render(s), i})
	}
	for _, s := range reason {
		out = append(out, line{indent + th.Dim.Render(s), i})
	}
	return out
}

// first is the first line of a rung, which shows whether the cursor is there.
func (l *ladder) first(s string, at, focused bool, style lipgloss.Style, w int) string {
	switch {
	case at && focused:
		return l.th.Selected.Render(text.Pad(s, w))
	case at:
		return l.th.Chosen.Render(text.Pad(s, w))
	}
	return style.Render(s)
}

// verdict says in a sentence what is used and why, or why nothing is.
func verdict(l *broker.Ladder) (s string, used bool) {
	if l.Err != nil {
		s = "Nothing is used: " + l.Err.Error()
		if hint := fault.HintOf(l.Err); hint != "" {
			s += "; " + hint
		}
		return s, false
	}
	why := ""
	for _, r := range l.Rungs {
		if r.Taken && r.Reason != "" {
			why = ", because it is " + r.Reason
		}
	}
	by := "credential " + l.Credential
	if l.Via == "binding" {
		by = "a binding, with the authentication of " + l.Lender
	}
	return fmt.Sprintf("Used: %s (%s) by %s%s", l.SecretName, tierName(l.Tier, l.Context), by, why), true
}

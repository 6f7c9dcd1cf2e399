package why

import (
	"fmt"

	tea "github.com/charmbracelet/bubbletea"

	"aivault/broker"
	"aivault/keys/fault"
	"aivault/ui/tui/text"
	"aivault/ui/tui/theme"
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

// Package release puts TERM back, which package guard took from Bubble Tea
// while that initialised. Imports decide the order: guard's init needs nothing
// but os and so comes first, then Bubble Tea's, then the one here, then main.
//
// Every package that imports Bubble Tea, its widgets or its styles imports
// this one, so that its tests too do not ask the terminal anything.
package release

import (
	_ "github.com/charmbracelet/bubbletea" // whose init has run before the one here

	"aivault/ui/guard"
)

func init() { guard.GiveBackTerm() }

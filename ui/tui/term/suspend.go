package term

import tea "github.com/charmbracelet/bubbletea"

// Suspended says how a suspension ended.
type Suspended struct{ Worked bool }

// Suspend suspends the program.
func Suspend() tea.Cmd { return nil }

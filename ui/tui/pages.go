package tui

import (
	tea "github.com/charmbracelet/bubbletea"

	"aivault/ui/tui/page/gate"
	"aivault/ui/tui/page/secrets"
	"aivault/ui/tui/view"
)

// pages returns the pages of the program.
func pages() Pages {
	return Pages{
		Gate: gate.New,
		Tabs: func(h *view.Host) []view.Screen { return []view.Screen{secrets.New(h)} },
		Open: func(*view.Host, tea.Msg) view.Screen { return nil },
	}
}

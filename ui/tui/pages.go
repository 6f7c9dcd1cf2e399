package tui

import (
	tea "github.com/charmbracelet/bubbletea"

	"aivault/ui/tui/page/attach"
	"aivault/ui/tui/page/audit"
	"aivault/ui/tui/page/bind"
	"aivault/ui/tui/page/capability"
	"aivault/ui/tui/page/credential"
	"aivault/ui/tui/page/gate"
	"aivault/ui/tui/page/invoke"
	"aivault/ui/tui/page/secrets"
	"aivault/ui/tui/page/why"
	"aivault/ui/tui/view"
)

// pages returns the pages of the program.
func pages() Pages {
	calls := invoke.NewHistory()
	return Pages{
		Gate: gate.New,
		Tabs: func(h *view.Host) []view.Screen {
			return []view.Screen{secrets.New(h), capability.New(h), credential.New(h), audit.New(h)}
		},
		Open: func(h *view.Host, m tea.Msg) view.Screen { return open(h, calls, m) },
	}
}

// open makes the screen that a message asks for; nil if it asks for none.
func open(h *view.Host, calls *invoke.History, msg tea.Msg) view.Screen {
	switch m := msg.(type) {
	case view.OpenAttach:
		return attach.New(h, m)
	case view.OpenWhy:
		return why.New(h, m)
	case view.OpenTest:
		return invoke.New(h, calls, m)
	case view.OpenBind:
		return bind.New(h, m)
	case view.OpenUnbind:
		return bind.NewUnbind(h, m.Capability)
	case view.OpenCapability:
		return capability.NewForm(h, m)
	case view.OpenCredential:
		return credential.NewForm(h, m)
	}
	return nil
}

package view

import (
	tea "github.com/charmbracelet/bubbletea"

	"aivault/ui/tui/ops"
	"aivault/vault"
)

// Messages to the root. A screen returns the command that sends one.
type (
	// DialogMsg opens a dialog over everything.
	DialogMsg struct{ Screen Screen }
	// CloseMsg closes a screen or dialog that is open, asking nothing; nil: the
	// one on top.
	CloseMsg struct{ Screen Screen }
	// DoneMsg says that something was done: it shows as a toast, with its
	// command line, and can be undone if it says how.
	DoneMsg struct{ Done ops.Done }
	// NoteMsg says something in passing.
	NoteMsg struct{ Text string }
	// FailMsg shows an error until somebody dismisses it. Retry, unless nil,
	// is offered.
	FailMsg struct {
		What  string // what was tried: "storing STRIPE_KEY"
		Err   error
		Retry func() tea.Cmd
	}
	// LineMsg names the command line of what was looked at, for the key that
	// shows it.
	LineMsg struct{ Line ops.Line }
	// ContextMsg says that the context that people look from is another one
	// now. The root tells it to the other screens by loading them when they show.
	ContextMsg struct{ Context vault.Context }
	// OpenedMsg says that the vault is open, so that the pages can be loaded.
	// State is one from before.
	OpenedMsg struct {
		Status vault.Status
		State  vault.State
		Kept   bool // the daemon keeps the key
	}
	// LockMsg asks for the vault to be locked.
	LockMsg struct{}
)

// Where to go: the root makes the screen, so that pages need not know each
// other.
type (
	// ShowSecret selects a secret on the page of secrets, in the scope that it
	// belongs to.
	ShowSecret struct{ ID vault.ID }
	// ShowCapability selects a capability on its page.
	ShowCapability struct{ ID string }
	// ShowCredential selects a credential on its page.
	ShowCredential struct{ ID string }
	// ShowAudit shows the audit log: an event if Seq is not 0, otherwise the
	// events of Query.
	ShowAudit struct {
		Seq   uint64
		Query vault.AuditQuery
	}
	// OpenAttach opens the checklist of groups for secrets, or, if there are no
	// secrets, of secrets for a group.
	OpenAttach struct {
		Secrets []vault.ID
		Group   vault.GroupRef
	}
	// OpenWhy opens the ladder of a capability, or of a secret, in a context.
	OpenWhy struct {
		Capability string
		Secret     vault.ID
		Context    vault.Context
	}
	// OpenTest opens the editor of a call. Without a capability it asks for one,
	// of those that the secret serves if one is given.
	OpenTest struct {
		Capability string
		Secret     vault.ID
		Credential string
		Context    vault.Context
	}
	// OpenBind opens the form that binds a secret to a capability at a scope;
	// what is given is filled in.
	OpenBind struct {
		Capability string
		Secret     vault.ID
		Scope      *vault.Scope
	}
	// OpenUnbind asks which of the operator's bindings of a capability is to be
	// taken back.
	OpenUnbind struct{ Capability string }
	// OpenCredential opens the form of a new credential, of a secret if one is
	// given.
	OpenCredential struct{ Secret vault.ID }
	// OpenCapability opens the form of a custom capability, of a credential if
	// one is given.
	OpenCapability struct{ Credential string }
)

// Send returns the command that sends a message to the root.
func Send(m tea.Msg) tea.Cmd { return func() tea.Msg { return m } }

// Dialog opens a dialog.
func Dialog(s Screen) tea.Cmd { return Send(DialogMsg{s}) }

// Close closes a screen or dialog.
func Close(s Screen) tea.Cmd { return Send(CloseMsg{s}) }

// Finish tells that something was done.
func Finish(d ops.Done) tea.Cmd { return Send(DoneMsg{d}) }

// Note says something in passing.
func Note(s string) tea.Cmd { return Send(NoteMsg{s}) }

// Fail shows an error.
func Fail(what string, err error, retry func() tea.Cmd) tea.Cmd {
	return Send(FailMsg{What: what, Err: err, Retry: retry})
}

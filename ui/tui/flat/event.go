package flat

import (
	"fmt"
	"strings"
	"time"

	"aivault/ui/tui/text"
	"aivault/vault"
)

// eventRow is an event in a row.
func eventRow(e *vault.Event) string {
	what := e.Kind
	if e.Capability != "" && strings.HasPrefix(e.Kind, "invoke.") {
		what = "call of " + e.Capability
	}
	parts := []string{e.Time.Local().Format("2006-01-02 15:04:05"), what, outcomeText(e)}
	switch {
	case e.Workspace != "":
		parts = append(parts, "from "+contextText(vault.Context{Workspace: e.Workspace, Group: e.Group}))
	case e.Scope != "":
		parts = append(parts, e.Scope)
	}
	if e.Method != "" {
		parts = append(parts, e.Method+" "+e.Path)
	}
	if e.Note != "" {
		note, _, _ := strings.Cut(e.Note, "; sha256 ") // digests are for programs
		parts = append(parts, note)
	}
	if e.Count > 1 {
		parts = append(parts, fmt.Sprintf("%d times", e.Count))
	}
	return strings.Join(parts, ", ")
}

// outcomeText is what came of an event.
func outcomeText(e *vault.Event) string {
	s := e.Outcome
	if s == "" {
		s = "begun"
	}
	if e.Code != "" {
		s += " " + string(e.Code)
	}
	if e.Status != 0 {
		s += fmt.Sprintf(" with status %d", e.Status)
	}
	return s
}

// event shows all of an event.
func (t *talk) event(e *vault.Event) {
	t.print("")
	t.say("Event %d, %s, %s: %s.", e.Seq, e.Time.Local().Format(time.RFC3339), e.Kind, outcomeText(e))
	field := func(name, value string) {
		if value != "" {
			t.say("%s: %s.", name, value)
		}
	}
	number := func(name string, n int64) {
		if n != 0 {
			t.say("%s: %d.", name, n)
		}
	}
	field("Actor", fmt.Sprintf("%s, user %d, process %d", e.Actor, e.UID, e.PID))
	field("Workspace", e.Workspace)
	field("Group", e.Group)
	field("Consumer", e.Consumer)
	field("Scope", e.Scope)
	field("Capability", e.Capability)
	field("Credential", e.Credential)
	if e.Secret != (vault.ID{}) {
		field("Secret", fmt.Sprintf("%s, version %d", e.Secret, e.SecretVersion))
	}
	if e.Method != "" {
		field("Request", e.Method+" "+e.Host+e.Path)
	}
	number("Bytes of the request", e.RequestBytes)
	number("Bytes of the answer", e.ResponseBytes)
	number("Redactions", int64(e.Redactions))
	if e.Duration > 0 {
		field("Duration", text.Duration(e.Duration))
	}
	number("Of the call that is event", int64(e.Intent))
	field("Note", e.Note)
	if e.Count > 1 {
		field("Repeated", fmt.Sprintf("%d times until %s", e.Count, text.Moment(e.Last)))
	}
}

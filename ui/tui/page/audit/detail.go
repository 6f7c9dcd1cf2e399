package audit

import (
	"context"
	"strconv"
	"strings"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"aivault/keys/fault"
	"aivault/ui/auditrow"
	"aivault/ui/tui/task"
	"aivault/ui/tui/text"
	"aivault/ui/tui/widget"
	"aivault/vault"
)

// restAfter is how long the cursor rests on a row before it is worth looking up
// what its secret is called.
const restAfter = 80 * time.Millisecond

// maxNames is how many names of secrets are remembered.
const maxNames = 1_000

// names are what secrets are called today; empty: there is none any more.
type names map[vault.ID]string

// rest shows the row under the cursor, and looks up its secret once the cursor
// rests there.
func (p *page) rest() tea.Cmd {
	p.showDetail()
	r := p.current()
	if r == nil || r.Secret == (vault.ID{}) {
		return nil
	}
	if _, known := p.names[r.Secret]; known {
		return nil
	}
	be, id := p.host.Backend, r.Secret
	return task.After(p.tasks, "name", restAfter, func() tea.Cmd {
		return task.Go(p.tasks, "name", func(ctx context.Context) (string, error) {
			s, err := be.FindSecret(ctx, id.String())
			if fault.CodeOf(err) == fault.SecretNotFound {
				return "", nil
			}
			return s.Name, err
		}, func(name string, err error) tea.Cmd {
			if err != nil {
				return nil // its id is there
			}
			if p.names == nil || len(p.names) >= maxNames {
				p.names = names{}
			}
			p.names[id] = name
			p.showDetail()
			return nil
		})
	})
}

// showDetail shows all that the log says about the row under the cursor.
func (p *page) showDetail() {
	d := widget.NewDetails(p.host.Theme)
	r := p.current()
	key := ""
	if r == nil {
		d.Text("No event is selected.")
	} else {
		key = r.key
		p.describe(d, r)
	}
	p.detail.ShowDetails(key, d)
}

func (p *page) describe(d *widget.Details, r *row) {
	now := p.host.Now()
	d.Title(auditrow.What(r.Event))
	d.Text(kindWords(r.Kind))
	if o := r.outcome(now); o != "" {
		if r.Code != "" {
			o = r.Outcome + ", " + string(r.Code)
		}
		d.Styled("Outcome", p.outcomeGlyph(r)+o, p.outcomeStyle(r))
	}
	some(d, "Note", r.Note)
	if r.Count > 1 {
		d.Row("Times", text.Number(int(r.Count))+", the last one "+text.Moment(r.Last))
	}
	d.Row("Time", text.Moment(r.Time))

	p.target(d, r)
	p.request(d, r)

	d.Head("Who")
	d.Row("Actor", r.Actor)
	if r.Workspace != "" {
		d.Row("Workspace", r.Workspace)
		some(d, "Group", r.Group)
	}
	some(d, "Consumer", r.Consumer)
	d.Row("Process", strconv.Itoa(r.PID)+", of user "+strconv.Itoa(r.UID))

	d.Head("In the log")
	end, ended := p.log.ends[r.Seq]
	switch {
	case r.Kind == vault.KindInvokeIntent && ended:
		d.Row("Began", "event #"+text.Number(int(r.Seq)))
		d.Row("Ended", "event #"+text.Number(int(end.Seq))+", "+text.Moment(end.Time))
	case r.Kind == vault.KindInvokeIntent:
		d.Row("Began", "event #"+text.Number(int(r.Seq)))
		d.Row("Ended", "no event says how")
	default:
		d.Row("Event", "#"+text.Number(int(r.Seq)))
		if r.Intent > 0 {
			d.Row("Of call", "#"+text.Number(int(r.Intent)))
		}
	}
	d.Row("Kind", r.Kind)
}

// target says what it was done to, or with.
func (p *page) target(d *widget.Details, r *row) {
	if r.Capability+r.Credential+r.Scope == "" && r.Secret == (vault.ID{}) {
		return
	}
	d.Head("With")
	some(d, "Capability", r.Capability)
	some(d, "Credential", r.Credential)
	if r.Secret != (vault.ID{}) {
		switch name, known := p.names[r.Secret]; {
		case name != "":
			d.Row("Secret", name)
		case known:
			d.Row("Secret", "deleted since")
		}
		d.Text(r.Secret.String())
		if r.SecretVersion > 0 {
			d.Row("Version", strconv.FormatUint(r.SecretVersion, 10))
		}
	}
	some(d, "Scope", scopeWords(r.Scope))
}

// request says what was sent, and what came back.
func (p *page) request(d *widget.Details, r *row) {
	if r.Method+r.Host+r.Path == "" && r.Status == 0 {
		return
	}
	d.Head("Request")
	some(d, "Method", r.Method)
	some(d, "Host", r.Host)
	some(d, "Path", r.Path)
	if r.Status != 0 {
		d.Row("Status", strconv.Itoa(r.Status))
	}
	if r.Outcome == "" || r.Kind != vault.KindInvokeIntent || r.Outcome == vault.OutcomeUnknown {
		return
	}
	d.Row("Took", text.Duration(r.Duration))
	d.Row("Sent", text.Bytes(r.RequestBytes))
	d.Row("Received", text.Bytes(r.ResponseBytes))
	if r.Redactions > 0 {
		d.Row("Redacted", text.Plural(r.Redactions, "echo")+" of the secret")
	}
}

// some adds a row if there is something to say.
func some(d *widget.Details, label, value string) {
	if value != "" {
		d.Row(label, value)
	}
}

func (p *page) outcomeGlyph(r *row) string {
	th := p.host.Theme
	switch r.Outcome {
	case vault.OutcomeOK:
		return th.OK + " "
	case vault.OutcomeDenied, vault.OutcomeError:
		return th.Fail + " "
	case vault.OutcomeUnknown:
		return th.Alert + " "
	}
	return ""
}

// scopeWords says a scope as the log has it: "group payments in web-shop".
func scopeWords(s string) string {
	kind, rest, _ := strings.Cut(s, ":")
	switch kind {
	case "workspace":
		return "workspace " + rest
	case "group":
		workspace, group, _ := strings.Cut(rest, ":")
		return "group " + group + " in " + workspace
	}
	return s
}

// kindWords says a kind of event in words.
func kindWords(kind string) string {
	if s, ok := map[string]string{
		vault.KindVaultInit:         "The vault was made.",
		vault.KindVaultBackup:       "A backup of the vault was made.",
		vault.KindVaultRestore:      "A backup was restored.",
		vault.KindVaultAccept:       "An older copy of the vault was accepted.",
		vault.KindVaultSalvage:      "This vault was made of what could be read of a damaged one.",
		vault.KindVaultRotate:       "The vault got a new root key and a new key.",
		vault.KindSecretCreate:      "A secret was stored.",
		vault.KindSecretUpdate:      "A secret's name or aliases were changed.",
		vault.KindSecretRotate:      "A secret got a new value.",
		vault.KindSecretDelete:      "A secret was deleted.",
		vault.KindSecretAttach:      "A secret was attached to a group.",
		vault.KindSecretDetach:      "A secret was detached from a group.",
		vault.KindSecretHosts:       "Where a secret may be sent was said.",
		vault.KindCredentialCreate:  "A credential was made.",
		vault.KindCredentialDelete:  "A credential was deleted.",
		vault.KindCredentialDisable: "A credential was disabled.",
		vault.KindCredentialEnable:  "A credential was enabled.",
		vault.KindCapabilityCreate:  "A capability was made.",
		vault.KindCapabilityDelete:  "A capability was deleted.",
		vault.KindCapabilityBind:    "A secret was bound to a capability.",
		vault.KindCapabilityUnbind:  "A binding was taken away.",
		vault.KindCapabilityPolicy:  "The limits of a capability were changed.",
		vault.KindGrantAdd:          "Another user was allowed to make calls in a context.",
		vault.KindGrantRemove:       "Another user may not make calls in a context any more.",
		vault.KindProviderAdd:       "A provider was defined, or defined otherwise.",
		vault.KindProviderRemove:    "A provider was removed.",
		vault.KindInvokeIntent:      "A call.",
		vault.KindInvokeDenied:      "A call that was refused: nothing was sent.",
		vault.KindOAuthRefresh:      "A token was renewed.",
	}[kind]; ok {
		return s
	}
	return kind
}

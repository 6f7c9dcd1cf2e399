package secrets

import (
	"context"
	"slices"

	tea "github.com/charmbracelet/bubbletea"

	"aivault/keys/fault"
	"aivault/ui/tui/form"
	"aivault/ui/tui/ops"
	"aivault/ui/tui/task"
	"aivault/ui/tui/view"
	"aivault/vault"
)

// An edit is the form of a secret's name and aliases.
type edit struct {
	*form.Form
	host  *view.Host
	tasks *task.Group
	claim claim

	secret  vault.Secret
	name    *form.Text
	aliases *form.List
}

// edit opens the form of the name and the aliases of the secret under the
// cursor.
func (p *page) edit() tea.Cmd {
	th, s := p.host.Theme, *p.current().Secret
	e := &edit{
		host: p.host, tasks: p.host.Tasks.Group(), secret: s,
		name: form.NewText(th, "Name", s.Name), aliases: form.NewList(th, "Aliases", s.Aliases...),
	}
	e.claim = claim{host: p.host, tasks: e.tasks}
	e.name.Validate = checkName
	e.name.OnChange = e.look
	e.aliases.Help = "further names, with spaces between them"
	e.aliases.Each = checkName
	e.Form = form.New(p.host, "Edit "+s.Name, e.name, e.aliases)
	e.Owner, e.Verb, e.Submit, e.Hint = e, "save", e.submit, e.claim.lines
	return view.Dialog(e)
}

// Close ends what is under way.
func (e *edit) Close() {
	e.tasks.Close()
	e.Form.Close()
}

// look finds out what a new name comes to, as it is typed. That the secret has
// its own names is nothing to tell.
func (e *edit) look() tea.Cmd {
	name := e.name.Value()
	if name == e.secret.Name || slices.Contains(e.secret.Aliases, name) {
		e.claim.none()
		return nil
	}
	return e.claim.look(name, e.secret.Scope)
}

func (e *edit) submit() tea.Cmd {
	name, aliases := e.name.Value(), e.aliases.Words()
	c := vault.SecretChange{Name: &name, Aliases: &aliases}
	be, id, rev := e.host.Backend, e.secret.ID, vault.IfRevision(e.secret.Revision)
	return task.Write(e.tasks, "saving "+e.secret.Name, func(ctx context.Context) (changed, error) {
		d, s, err := ops.UpdateSecret(ctx, be, id, c, rev)
		return changed{d, s}, err
	}, func(out changed, err error) tea.Cmd {
		switch {
		case fault.CodeOf(err) == fault.AlreadyExists:
			e.Failed(err, e.name)
			return nil
		case err != nil:
			return e.conflict().failed(err)
		}
		e.Done()
		return tea.Batch(view.Close(e), view.Finish(out.done))
	})
}

func (e *edit) conflict() meeting {
	return meeting{
		host: e.host, tasks: e.tasks, form: e.Form, was: e.secret,
		reload: func(now vault.Secret) {
			e.secret = now
			e.name.SetValue(now.Name)
			e.aliases.SetWords(now.Aliases...)
			e.claim.none()
		},
		overwrite: func(now vault.Secret) tea.Cmd {
			e.secret = now
			return e.Save()
		},
	}
}

package secrets

import (
	"context"
	"slices"

	tea "github.com/charmbracelet/bubbletea"

	"aivault/broker"
	"aivault/keys/fault"
	"aivault/ui/tui/form"
	"aivault/ui/tui/ops"
	"aivault/ui/tui/page/browse"
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
	made    []string // credentials that the registry makes of its name
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
	e.claim = claim{host: p.host, tasks: e.tasks, pinned: s.PinnedProvider}
	e.name.Validate = checkName
	e.name.OnChange = e.look
	e.aliases.Help = "further names, with spaces between them"
	e.aliases.Each = checkName
	e.Form = form.New(p.host, "Edit "+s.Name, e.name, e.aliases)
	e.Owner, e.Verb, e.Submit, e.Hint = e, "save", e.submit, e.hint
	return view.Dialog(e)
}

// Load reads which credentials go by the name.
func (e *edit) Load() tea.Cmd {
	be, id := e.host.Backend, e.secret.ID
	return task.Go(e.tasks, "uses", func(ctx context.Context) (broker.Uses, error) {
		return be.Uses(ctx, id)
	}, func(u broker.Uses, err error) tea.Cmd {
		e.made = nil
		for _, c := range u.Credentials {
			if c.Auto {
				e.made = append(e.made, c.ID)
			}
		}
		return nil
	})
}

// hint says what the new name comes to, and what goes with the old one.
func (e *edit) hint(w int) []string {
	out := e.claim.lines(w)
	if len(e.made) == 0 || e.name.Value() == e.secret.Name {
		return out
	}
	th := e.host.Theme
	lost := "credential " + browse.Some(e.made, listed) + " is made of the name " + e.secret.Name + ", and goes with it"
	return append(out, browse.Said(th.Warn, th.Alert, lost, w)...)
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
			e.secret, e.claim.pinned = now, now.PinnedProvider
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

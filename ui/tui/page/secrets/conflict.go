package secrets

import (
	"context"

	tea "github.com/charmbracelet/bubbletea"

	"aivault/keys/fault"
	"aivault/ui/tui/form"
	"aivault/ui/tui/task"
	"aivault/ui/tui/view"
	"aivault/vault"
)

// A meeting is a form that met a change which somebody else made.
type meeting struct {
	host  *view.Host
	tasks *task.Group
	form  *form.Form
	was   vault.Secret // as the form knows it
	// reload takes over what is there now; overwrite saves once more, over it.
	reload    func(now vault.Secret)
	overwrite func(now vault.Secret) tea.Cmd
}

// failed says what went wrong. If the secret was changed since the form knew
// it, it asks what is to be done about that.
func (m meeting) failed(err error) tea.Cmd {
	m.form.Failed(err, nil)
	if fault.CodeOf(err) != fault.Conflict {
		return nil
	}
	be, id := m.host.Backend, m.was.ID
	return task.Go(m.tasks, "conflict", func(ctx context.Context) (vault.Secret, error) {
		return be.FindSecret(ctx, id.String())
	}, func(now vault.Secret, err error) tea.Cmd {
		switch {
		case err != nil:
			m.form.Failed(err, nil)
			return nil
		case now.Revision == m.was.Revision:
			return nil // it was another conflict, which the form tells
		}
		return view.Dialog(m.ask(now))
	})
}

func (m meeting) ask(now vault.Secret) view.Screen {
	say := "Somebody changed " + m.was.Name + " while you were typing: " + difference(m.was, now) + "."
	return form.NewChoose(
		m.host, "Changed meanwhile", say,
		form.Button{Label: "Cancel"},
		form.Button{Label: "Reload", Do: func() tea.Cmd {
			m.form.Failed(nil, nil)
			m.reload(now)
			return view.Note("this is " + now.Name + " as it is now; nothing was saved yet")
		}},
		form.Button{Label: "Overwrite", Danger: true, Do: func() tea.Cmd { return m.overwrite(now) }},
	)
}

// difference says in a few words what became of a secret.
func difference(was, now vault.Secret) string {
	switch {
	case now.Name != was.Name:
		return "it is named " + now.Name + " now"
	case now.Version != was.Version:
		return "it was rotated"
	case list(now.Aliases) != list(was.Aliases):
		return "it has other aliases now"
	case len(now.Attached) != len(was.Attached):
		return "it is attached to other groups now"
	}
	return "it has another revision now"
}
